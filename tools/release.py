"""Make a release that can be followed (`make release`): check, write what goes beside the tag, make the tag, say what to push.

The version stands in one place, ``python/last9_markers/__init__.py``.
A release is refused unless the changelog has a dated section for it, docs and examples name no older tag of this project, the committed
bundle says this version, nothing is uncommitted, and the tag is new.
Beside the tag, in ``build/release/``: the bundle, its SHA-256 and its SBOM (CycloneDX, taken from the bundle). Nothing is pushed.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = Path("resources/last9/last9-markers.pyz")
SBOM = "sbom.cdx.json"
#: A tag of this project as docs and examples name it: in a code span, an assignment, an annotation.
_TAG = re.compile(r"(?:last9@|defaultVersion\W{1,3}|default version `)(v\d+\.\d+\.\d+)")


def version(root: Path) -> str:
    """The version of this checkout. Raises ``ValueError`` if there is none."""
    found = re.search(r'^__version__ = "(\d+\.\d+\.\d+)"$', (root / "python/last9_markers/__init__.py").read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError("python/last9_markers/__init__.py has no __version__ such as 1.0.0")
    return found.group(1)


def problems(root: Path, wanted: str) -> Iterator[str]:
    """What speaks against releasing that version, each a line with its remedy."""
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    section = re.search(r"^## .*$", changelog, re.MULTILINE)
    if section is None or not re.fullmatch(rf"## {re.escape(wanted)} \(\d{{4}}-\d\d-\d\d\)", section.group()):
        yield f"CHANGELOG.md must begin with a section '## {wanted} (YYYY-MM-DD)', not {section.group() if section else 'nothing'!r}"
    tags = list(_tags(root))
    for name, tag in tags:
        # A later version in an example of an update is not a tag of this checkout's past: it must be this one or come after it.
        if _numbers(tag) < _numbers(wanted):
            yield f"{name} names {tag}: name v{wanted}"
    if f"v{wanted}" not in {tag for _, tag in tags}:
        yield f"no page and no example names v{wanted}"
    said = _run(root, sys.executable, "-I", "-S", str(BUNDLE), "--version")
    if wanted not in said.split():
        yield f"the committed bundle says {said.strip()!r}: run make bundle and commit it"
    if _run(root, "git", "status", "--porcelain").strip():
        yield "there are uncommitted changes: commit them or put them aside"
    if _run(root, "git", "tag", "--list", f"v{wanted}").strip():
        yield f"the tag v{wanted} is there already: raise __version__"


def write_files(root: Path, target: Path) -> list[Path]:
    """Write bundle, checksum and SBOM into ``target`` and return their paths."""
    target.mkdir(parents=True, exist_ok=True)
    data = (root / BUNDLE).read_bytes()
    bundle = target / BUNDLE.name
    bundle.write_bytes(data)
    checksum = target / f"{BUNDLE.name}.sha256"
    checksum.write_text(f"{hashlib.sha256(data).hexdigest()}  {BUNDLE.name}\n", encoding="ascii")
    with zipfile.ZipFile(bundle) as archive:
        sbom = target / SBOM
        sbom.write_bytes(archive.read(SBOM))
    return [bundle, checksum, sbom]


def main() -> int:
    """Release, or say why not; with ``--check`` say only whether it could be released."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    wanted = version(ROOT)
    found = list(problems(ROOT, wanted))
    if found:
        print(f"Version {wanted} cannot be released yet:", *found, sep="\n  ", file=sys.stderr)
        return 1
    if check:
        print(f"Version {wanted} can be released.")
        return 0
    files = write_files(ROOT, ROOT / "build" / "release")
    _run(ROOT, "git", "tag", "--annotate", f"v{wanted}", "--message", f"Last9 deployment markers {wanted}")
    print(f"Tagged v{wanted}. Now push it, and attach the files to the release:\n  git push origin v{wanted}")
    for file in files:
        print(f"  {file.relative_to(ROOT)}")
    return 0


def _tags(root: Path) -> Iterator[tuple[str, str]]:
    for name in _run(root, "git", "ls-files", "README.md", "docs", "examples").splitlines():
        path = root / name
        if path.suffix in (".md", ".yaml", ".groovy", ".Jenkinsfile"):
            for tag in _TAG.findall(path.read_text("utf-8")):
                yield name, tag


def _numbers(tag: str) -> tuple[int, ...]:
    return tuple(int(number) for number in tag.lstrip("v").split("."))


def _run(root: Path, *command: str) -> str:
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
