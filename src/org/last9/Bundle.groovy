package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
<<<<<<< HEAD
    static final String SHA256 = 'a44f58dbcf9a989488b3250e43750167404bf0da81f7e01229ab32e8816f4e89'
=======
    static final String SHA256 = '03cf2b0d9ed941d9b3ba38734f5b9cce663032b866f3f2670b218b9b0d3652db'
>>>>>>> 10cc82c (The command line's page written from the code; pip install gives the same program; a deploy may remove the bundle it was started from)

}
