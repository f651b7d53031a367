package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
    static final String SHA256 = 'acc1386b9528a014f69fae09327897cf6bd7724c03e57eae6a30245e64291738'

}
