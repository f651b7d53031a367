"""The two text files that follow from the bundle: the Groovy constant with its hash, and the table of licences."""

from __future__ import annotations

import hashlib
import io
import zipfile

from bundling.contents import Contents

_GROOVY = """package org.last9

/**
 * The bundled engine, `resources/last9/last9-markers.pyz`, by its hash: the name it has on a node. Written by `make bundle`.
 */
class Bundle implements Serializable {{

    private static final long serialVersionUID = 1L

    /** SHA-256 of the bundle. */
    static final String SHA256 = '{sha256}'

}}
"""

_TABLE_HEAD = """# Third-party licences

`resources/last9/last9-markers.pyz` carries these packages: released versions, unmodified, Python files only. Their licence texts are
below and, under `licenses/`, inside the bundle. Written by `make bundle`.

| package | version | licence | project | kB in the bundle | files left out, as nothing needs them at run time |
|---|---|---|---|---|---|
"""


def bundle_groovy(bundle: bytes) -> bytes:
    """Return src/org/last9/Bundle.groovy."""
    return _GROOVY.format(sha256=hashlib.sha256(bundle).hexdigest()).encode("utf-8")


def licence_table(contents: Contents, bundle: bytes) -> bytes:
    """Return THIRD-PARTY-LICENSES.md."""
    sizes = packed_sizes(bundle)
    text = _TABLE_HEAD
    for wheel in contents.wheels:
        left_out = ", ".join(f"`{path.split('/', 1)[1]}`" for path in contents.left_out[wheel.name] if _worth_naming(path))
        size = sum(sizes[path] for path in contents.shipped[wheel.name]) / 1000
        text += f"| {wheel.name} | {wheel.version} | {wheel.spdx} | {wheel.home} | {size:.1f} | {left_out or '–'} |\n"
    for wheel in contents.wheels:
        for name, data in sorted(wheel.licences.items()):
            licence = "\n".join(line.rstrip() for line in data.decode("utf-8").strip().splitlines())
            text += f"\n## {wheel.name}: {name}\n\n```text\n{licence}\n```\n"
    return text.encode("utf-8")


def packed_sizes(bundle: bytes) -> dict[str, int]:
    """How many bytes of the bundle each entry's data takes."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {info.filename: info.compress_size for info in archive.infolist()}


def _worth_naming(path: str) -> bool:
    return not path.endswith((".pyi", "py.typed"))
