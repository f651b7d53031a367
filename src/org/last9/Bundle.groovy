package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
    static final String SHA256 = 'e8d101a542da9139d13523fd5559916b1c1f380072d48db3e8457bfd2e8a04ce'

}
