package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
    static final String SHA256 = 'ac99958ebb5dc8a1b0c3866e03a9f051896bac2f6526c88eba06406b8eb51b4e'

}
