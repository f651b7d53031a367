package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
    static final String SHA256 = 'a7217ce7e6c438f6cffaa1ba8d6c3a71ee139d0ca9bb8d79742aed3e0f4768d7'

}
