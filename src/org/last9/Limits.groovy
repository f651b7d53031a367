package org.last9

import com.cloudbees.groovy.cps.NonCPS

/** What a build keeps in the controller's memory must not grow without end: the oldest gives way. */
class Limits {

    /** The last of these texts (or maps with a `text`), oldest first: at most `most`, of at most `characters` altogether. */
    @NonCPS
    static List keepNewest(List items, int most, int characters) {
        int from = items.size()
        int left = characters
        while (from > 0 && items.size() - from < most) {
            Object item = items[from - 1]
            left -= ((String) (item instanceof Map ? item.text : item)).length()
            if (left < 0) {
                break
            }
            from--
        }
        List newest = []
        for (int i = from; i < items.size(); i++) {
            newest.add(items[i])
        }
        return newest
    }

}
