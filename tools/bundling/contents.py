"""Decides what goes into the bundle: which files of the dependencies, the engine, licences, and the lists that describe them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from bundling.launchers import first_program
from bundling.slimming import slim
from bundling.wheels import BundleError, Wheel

# Whole files that nothing needs at run time; what is shipped stays as released. tests/bundle imports every module that is left.
LEFT_OUT = {
    "*.so": "compiled",
    "*.c": "source of what is compiled",
    "*.pyi": "for type checkers",
    "*/py.typed": "for type checkers",
    "certifi/tests/*": "tests",
    "certifi/__main__.py": "command line",
    # Modules that last9_markers/client/lean_httpx.py replaces by placeholders.
    "httpx/_api.py": "the client, which is above the transport that is used",
    "httpx/_auth.py": "the client",
    "httpx/_client.py": "the client",
    "httpx/_main.py": "command line",
    "httpx/_transports/asgi.py": "for tests",
    "httpx/_transports/mock.py": "for tests",
    "httpx/_transports/wsgi.py": "for tests",
    "idna/__main__.py": "command line",
    "idna/cli.py": "command line",
    "idna/codec.py": "codec for str.encode, which httpx does not use",
    "idna/compat.py": "API of old versions",
    "idna/uts46data.py": "loaded for uts46=True only, which httpx does not pass",
    "httpcore/_api.py": "not used by httpx",
    "httpcore/_async/*": "asynchronous",
    "httpcore/_backends/anyio.py": "asynchronous",
    "httpcore/_backends/auto.py": "asynchronous",
    "httpcore/_backends/mock.py": "for tests",
    "httpcore/_backends/trio.py": "asynchronous",
    "httpcore/_sync/http2.py": "HTTP/2, which needs a package of its own",
    "httpcore/_sync/socks_proxy.py": "SOCKS proxies, which need a package of their own",
    # Modules that last9_markers/report/templating.py replaces by placeholders.
    "jinja2/bccache.py": "a cache of compiled templates",
    "jinja2/filters.py": "the page has its own",
    "jinja2/optimizer.py": "one page is compiled and rendered once",
    "jinja2/tests.py": "the page has its own",
    "jinja2/loaders.py": "templates come from the engine as texts",
    "jinja2/constants.py": "words for lorem ipsum",
    "jinja2/ext.py": "extensions",
    "jinja2/meta.py": "analysis of templates",
    "jinja2/nativetypes.py": "templates that give Python objects",
    "jinja2/sandbox.py": "templates of strangers",
}
#: What starts the engine: python/bundle. first.py is in the launchers' text, and here for programs that start a process from the bundle.
BUNDLE_FILES = ("last9_loading.py", "__main__.py", "first.py", "last9_keeping.py")
_NOT_THE_ENGINE = ("__pycache__/*", "*/__pycache__/*", "*.pyc", "*.pyi", "py.typed", "*/py.typed", ".*", "*/.*", "*~")


@dataclass(frozen=True)
class Contents:
    """All entries of the bundle, and what the licence table tells about the dependencies."""

    entries: dict[str, bytes]
    version: str
    wheels: list[Wheel]
    shipped: dict[str, list[str]]
    left_out: dict[str, list[str]]


def collect(root: Path, wheels: list[Wheel]) -> Contents:
    """Gather the entries from the checkout at `root` and from the wheels."""
    entries = {f"last9_markers/{name}": data for name, data in _engine(root / "python" / "last9_markers").items()}
    for name in BUNDLE_FILES:
        data = (root / "python" / "bundle" / name).read_bytes()
        entries[name] = first_program(data) if name == "first.py" else slim(data)
    version = _version(entries["last9_markers/__init__.py"])
    entries["licenses/last9-markers/LICENSE"] = (root / "LICENSE").read_bytes()
    shipped: dict[str, list[str]] = {}
    left_out: dict[str, list[str]] = {}
    for wheel in wheels:
        code = [path for path in wheel.files if ".dist-info/" not in path]
        shipped[wheel.name] = sorted(path for path in code if not reason_to_leave_out(path))
        left_out[wheel.name] = sorted(path for path in code if reason_to_leave_out(path))
        entries.update({path: wheel.files[path] for path in shipped[wheel.name]})
        for name, data in wheel.licences.items():
            entries[f"licenses/{wheel.name}/{name}"] = data
    _check_nothing_compiled(entries)
    entries["sbom.cdx.json"] = sbom(version, wheels)
    entries["MANIFEST.sha256"] = manifest(entries)
    return Contents(entries, version, wheels, shipped, left_out)


def reason_to_leave_out(path: str) -> str:
    """Why a dependency's file is not shipped; empty when it is."""
    return next((reason for pattern, reason in LEFT_OUT.items() if fnmatch(path, pattern)), "")


def manifest(entries: dict[str, bytes]) -> bytes:
    """Return every entry's hash, in the form that `sha256sum --check` takes.

    It describes the bundle apart from how it is compressed: two bundles with the same manifest hold the same files.
    """
    lines = [f"{hashlib.sha256(entries[name]).hexdigest()}  {name}\n" for name in sorted(entries)]
    return "".join(lines).encode("ascii")


def sbom(version: str, wheels: list[Wheel]) -> bytes:
    """Describe the bundle as CycloneDX, without serial number and time stamp, which would differ from build to build."""
    ours = {
        "type": "application", "bom-ref": "last9-markers", "name": "last9-markers", "version": version,
        "licenses": [{"license": {"id": "MIT"}}],
    }  # fmt: skip
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{wheel.name}@{wheel.version}",
            "name": wheel.name,
            "version": wheel.version,
            "hashes": [{"alg": "SHA-256", "content": wheel.sha256}],
            "licenses": [{"license": {"id": wheel.spdx}}],
            "purl": f"pkg:pypi/{wheel.name}@{wheel.version}",
        }
        for wheel in wheels
    ]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": ours},
        "components": components,
        "dependencies": [{"ref": "last9-markers", "dependsOn": [component["bom-ref"] for component in components]}],
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def _engine(package: Path) -> dict[str, bytes]:
    files = {path.relative_to(package).as_posix(): path for path in sorted(package.rglob("*")) if path.is_file()}
    kept = {name: path for name, path in files.items() if not any(fnmatch(name, pattern) for pattern in _NOT_THE_ENGINE)}
    if "__init__.py" not in kept:
        raise BundleError(f"{package} holds no engine")
    return {name: slim(path.read_bytes()) if name.endswith(".py") else path.read_bytes() for name, path in kept.items()}


def _version(init: bytes) -> str:
    found = re.search(rb'^__version__ = "([^"]+)"$', init, re.MULTILINE)
    if not found:
        raise BundleError('last9_markers/__init__.py has no line __version__ = "…"')
    return found.group(1).decode("ascii")


def _check_nothing_compiled(entries: dict[str, bytes]) -> None:
    """A file that only one machine can load must not slip in with an update."""
    for name, data in entries.items():
        if data.startswith((b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe")) or name.endswith((".so", ".pyd", ".dylib", ".pyc")):
            raise BundleError(f"{name} is compiled code: leave it out")
