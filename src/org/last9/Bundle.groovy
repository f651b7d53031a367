package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
    static final String SHA256 = '2599a3d63e5c6dbbf7c582ece9a3535f627213d5f6a6705673591c91c082453a'

}
