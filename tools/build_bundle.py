"""Build resources/last9/last9-markers.pyz and what follows from it; with --check, build it elsewhere and compare.

Run through `make bundle` and `make verify`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path

from bundling import archive, contents, generated, launchers, wheels

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = "resources/last9/last9-markers.pyz"
SHELL = "resources/last9/run.sh"
BATCH = "resources/last9/run.bat"
FREESTYLE = "examples/freestyle/last9-markers"
LARGEST = 560_000  # bytes: every build keeps a copy on the controller


def main() -> int:
    """Build, then write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with what is committed instead of writing")
    check = parser.parse_args().check
    cache = ROOT / ".cache"
    try:
        required = wheels.fetch(ROOT / "requirements-bundle.txt", cache / "wheels")
        if not check:
            return _write(_build(required, cache / "deflated"))
        with tempfile.TemporaryDirectory() as empty:  # nothing that an earlier build compressed
            return _compare(_build(required, Path(empty)))
    except wheels.BundleError as error:
        sys.stderr.write(f"The bundle cannot be built: {error}\n")
        return 1


def _build(required: list[wheels.Wheel], cache: Path) -> dict[str, bytes]:
    """Return the generated files by their paths in the repository."""
    content = contents.collect(ROOT, required)
    bundle = archive.write(content.entries, cache)
    if len(bundle) > LARGEST:
        raise wheels.BundleError(f"it would have {len(bundle)} bytes; the most that is allowed is {LARGEST}")
    first = content.entries["first.py"]
    sha256 = hashlib.sha256(bundle).hexdigest()
    read = {name: (ROOT / name).read_bytes() for name in (SHELL, BATCH, FREESTYLE)}
    return {
        BUNDLE: bundle,
        SHELL: launchers.shell(read[SHELL], first),
        BATCH: launchers.batch(read[BATCH], first),
        FREESTYLE: launchers.shell(read[FREESTYLE], first, sha256),
        "src/org/last9/Bundle.groovy": generated.bundle_groovy(bundle),
        "THIRD-PARTY-LICENSES.md": generated.licence_table(content, bundle),
    }


def _write(files: dict[str, bytes]) -> int:
    for name, data in files.items():
        path = ROOT / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}.new")  # renamed, because another process may be running the old one
            aside.write_bytes(data)
            aside.chmod(path.stat().st_mode & 0o777 if path.is_file() else 0o644)
            aside.replace(path)
            print(f"written: {name}")
    print(f"{BUNDLE}: {len(files[BUNDLE]):,} bytes".replace(",", " "))
    return 0


def _compare(files: dict[str, bytes]) -> int:
    wrong = [name for name, data in files.items() if not (ROOT / name).is_file() or (ROOT / name).read_bytes() != data]
    if not wrong:
        print(f"{', '.join(files)}: the same bytes as a build from the locked wheels and this checkout's engine.")
        return 0
    for name in wrong:
        sys.stderr.write(f"{name} is not what a build gives: run `make bundle` and commit the result\n")
    if BUNDLE in wrong and (ROOT / BUNDLE).is_file():
        sys.stderr.write(_difference((ROOT / BUNDLE).read_bytes(), files[BUNDLE]))
    return 1


def _difference(committed: bytes, built: bytes) -> str:
    """Say which entries differ, or that only the compression does."""
    ours, theirs = _entries(committed), _entries(built)
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if not names:
        return "All files in it are the same; only their compression differs. Is zopfli the version of requirements-dev.txt?\n"
    return "".join(f"  differs: {name}\n" for name in names)


def _entries(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


if __name__ == "__main__":
    sys.exit(main())
