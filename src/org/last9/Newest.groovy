package org.last9

import com.cloudbees.groovy.cps.NonCPS

/** What a build keeps in the controller's memory must not grow without end: the oldest gives way. */
class Newest {

    /** The last of these texts, oldest first: no more than `most`, of no more than `characters` altogether. */
    @NonCPS
    static List<String> of(List<String> texts, int most, int characters) {
        int from = texts.size()
        int left = characters
        while (from > 0 && texts.size() - from < most && texts[from - 1].length() <= left) {
            from--
            left -= texts[from].length()
        }
        List<String> newest = []
        for (int i = from; i < texts.size(); i++) {
            newest.add(texts[i])
        }
        return newest
    }

}
