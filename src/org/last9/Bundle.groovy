package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
    static final String SHA256 = 'a22761a51b214ca4a3b7793cce34f0af45233c9b7d43bce07c293918c09eff10'

}
