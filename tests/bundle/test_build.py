"""The bundle is what its sources say, and building it again gives the same bytes."""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from agents import BUNDLE, ROOT

sys.path.insert(0, str(ROOT / "tools"))

from bundling import archive, contents, launchers, wheels
from bundling.slimming import slim
from last9_markers.client import lean_httpx
from last9_markers.report import templating

ENTRIES = {
    "last9_markers/__init__.py": b'__version__ = "1"\n' * 20,
    "last9_loading.py": b"def run(*_): pass\n",
    "__main__.py": b"print('ran')\n",
    "data.txt": os.urandom(50),
}


@pytest.fixture(scope="module")
def entries() -> dict[str, bytes]:
    """The committed bundle's files."""
    with zipfile.ZipFile(BUNDLE) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """Order of the files, time, time zone, umask, locale and working directory leave no trace in the archive."""
    code = (
        "import sys, json, hashlib, pathlib; sys.path.insert(0, sys.argv[1]); from bundling import archive;"
        "names = json.loads(sys.argv[2]); order = reversed(names) if sys.argv[3] else names;"
        "files = {name: bytes.fromhex(names[name]) for name in order};"
        "print(hashlib.sha256(archive.write(files, pathlib.Path(sys.argv[4]))).hexdigest())"
    )
    files = json.dumps({name: data.hex() for name, data in ENTRIES.items()})
    seen = set()
    for number, environ in enumerate(({"TZ": "UTC"}, {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"})):
        command = [sys.executable, "-c", code, str(ROOT / "tools"), files, "reversed" if number else "", str(tmp_path / f"{number}")]
        shell = ["sh", "-c", f'umask {"077" if number else "000"}; exec "$@"', "sh", *command]
        done = subprocess.run(shell, capture_output=True, text=True, check=True, env={**os.environ, **environ}, cwd="/" if number else ROOT)
        seen.add(done.stdout)
    assert len(seen) == 1


def test_the_archive_is_a_zip_that_python_runs(tmp_path: Path) -> None:
    """What the writer makes is read by zipfile without complaint, with fixed dates and modes, and runs."""
    path = tmp_path / "x.pyz"
    path.write_bytes(archive.write(ENTRIES, tmp_path / "cache"))
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == ENTRIES
        assert {info.date_time for info in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in opened.infolist()} == {0o100644}
    assert subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True).stdout == "ran\n"


def test_a_rotten_compressed_copy_is_not_taken(tmp_path: Path) -> None:
    """What an earlier build left is used only if it still unpacks to the same bytes."""
    first = archive.write(ENTRIES, tmp_path)
    kept = list(tmp_path.iterdir())
    assert kept
    for path in kept:
        path.write_bytes(b"rotten")
    assert archive.write(ENTRIES, tmp_path) == first


def test_a_wheel_that_is_not_what_its_record_says_is_refused() -> None:
    """A file that was changed, added or taken away after release stops the build."""
    info = "a-1.dist-info"
    files = {"a/__init__.py": b"x = 1\n", f"{info}/METADATA": b"Metadata-Version: 2.1\nName: a\nVersion: 1\nLicense: MIT\n"}

    def wheel(changes: dict[str, bytes | None]) -> bytes:
        record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items()) + f"{info}/RECORD,,\n"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as opened:
            for name, data in {**files, f"{info}/RECORD": record.encode(), **changes}.items():
                if data is not None:
                    opened.writestr(name, data)
        return buffer.getvalue()

    assert wheels.read_wheel(wheel({}), "a", "1").spdx == "MIT"
    for changes in ({"a/__init__.py": b"x = 2\n"}, {"a/more.py": b""}, {"a/__init__.py": None}):
        with pytest.raises(wheels.BundleError, match=r"RECORD|lacks"):
            wheels.read_wheel(wheel(dict(changes)), "a", "1")
    with pytest.raises(wheels.BundleError, match="calls itself"):
        wheels.read_wheel(wheel({}), "b", "1")


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")


def test_every_file_of_a_dependency_is_as_its_release_recorded_it(entries: dict[str, bytes]) -> None:
    """The committed bundle's files of others, each against the hash in its wheel's RECORD: nothing edited, nothing of unknown origin."""
    recorded: dict[str, str] = {}
    for wheel in wheels.fetch(ROOT / "requirements-bundle.txt", ROOT / ".cache" / "wheels"):
        (record,) = [data for path, data in wheel.files.items() if path.endswith(".dist-info/RECORD")]
        recorded |= {row[0]: row[1] for row in csv.reader(io.StringIO(record.decode("utf-8"))) if row}
    ours = ("last9_markers/", "licenses/")
    others = {name: data for name, data in entries.items() if "/" in name and not name.startswith(ours)}
    assert len(others) > 50
    for name, data in others.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")
        assert recorded.get(name) == f"sha256={digest}", name


def test_the_committed_bundle_is_this_checkouts_engine(entries: dict[str, bytes]) -> None:
    """A change of the engine that forgot `make bundle` is noticed here already."""
    package = ROOT / "python" / "last9_markers"
    sources = {
        f"last9_markers/{path.relative_to(package).as_posix()}": slim(path.read_bytes()) if path.suffix == ".py" else path.read_bytes()
        for path in package.rglob("*.*")
        if "__pycache__" not in path.parts
    }
    starting = {path.name: path.read_bytes() for path in (ROOT / "python" / "bundle").glob("*.py")}
    sources |= {name: launchers.first_program(data) if name == "first.py" else slim(data) for name, data in starting.items()}
    assert len(starting) == 4
    assert [name for name, data in sources.items() if entries.get(name) != data] == []


def _without_docstrings(source: bytes) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return "\n".join(f"{getattr(node, 'lineno', 0)} {ast.dump(node)}" for node in tree.body)


def test_the_bundled_engine_is_the_same_code_line_by_line() -> None:
    """Comments and docstrings are left out, nothing else: every statement is the same and on its line."""
    tricky = b'"""Doc\n# no comment\n"""\nx = "# text"  # gone\n\n\ndef f():\n    """One."""\n    return """\n# kept\n"""  # gone\n'
    assert slim(tricky) == b'"""\n\n"""\nx = "# text"\n\n\ndef f():\n    ""\n    return """\n# kept\n"""\n'
    for path in (ROOT / "python" / "last9_markers").rglob("*.py"):
        source = path.read_bytes()
        slimmed = slim(source)
        assert _without_docstrings(slimmed) == _without_docstrings(source), path
        assert slimmed.count(b"\n") == source.count(b"\n")


def test_the_manifest_lists_every_file(entries: dict[str, bytes]) -> None:
    """MANIFEST.sha256 describes the bundle with any compression."""
    listed = dict(reversed(line.split("  ", 1)) for line in entries["MANIFEST.sha256"].decode("ascii").splitlines())  # type: ignore[arg-type]
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in entries.items() if name != "MANIFEST.sha256"}


def test_what_is_run_first_can_be_found_and_read(entries: dict[str, bytes]) -> None:
    """first.py runs the first entry from where it lies: the archive begins with it, and it is stored."""
    with zipfile.ZipFile(BUNDLE) as opened:
        first = opened.infolist()[0]
    assert (first.filename, first.compress_type) == ("last9_loading.py", zipfile.ZIP_STORED)
    data = BUNDLE.read_bytes()
    at = data.index(b"PK\3\4")
    assert at == first.header_offset
    assert data[at + 30 + len(first.filename) :].startswith(entries[first.filename])


def test_it_is_small_and_pure(entries: dict[str, bytes]) -> None:
    """At most 540 kB, nothing compiled, no asyncio framework, no tests."""
    assert BUNDLE.stat().st_size <= 560_000
    assert not [name for name in entries if name.endswith((".so", ".pyd", ".dll", ".pyc", ".pyi", "py.typed"))]
    assert {name.split("/")[0] for name in entries if "/" in name} == {
        "backoff", "certifi", "h11", "httpcore", "httpx", "idna", "jinja2", "markupsafe", "last9_markers", "licenses",
    }  # fmt: skip


def test_every_pattern_of_what_is_left_out_still_means_something() -> None:
    """A pattern that no file of the wheels fits any more hides a rename upstream."""
    required = wheels.fetch(ROOT / "requirements-bundle.txt", ROOT / ".cache" / "wheels")
    names = [name for wheel in required for name in wheel.files if ".dist-info/" not in name]
    assert [pattern for pattern in contents.LEFT_OUT if not any(Path(name).match(pattern) for name in names)] == []


def test_what_has_a_stand_in_is_not_shipped(entries: dict[str, bytes]) -> None:
    """Each module of httpx, httpcore and jinja2 that the engine replaces by a placeholder would be dead weight in the bundle."""
    left_out = [*lean_httpx.LEFT_OUT, *templating.LEFT_OUT]
    replaced = [name.replace(".", "/") for name in left_out if name.startswith(("httpx.", "httpcore.", "jinja2."))]
    assert replaced
    assert [name for name in replaced if f"{name}.py" in entries or f"{name}/__init__.py" in entries] == []


def test_licences_and_bill_of_materials_name_each_dependency(entries: dict[str, bytes]) -> None:
    """Each requirement is in the SBOM with the hash of its wheel, and its licence text is inside and in the table."""
    lines = (ROOT / "requirements-bundle.txt").read_text("utf-8").splitlines()
    pins = {line.split("==")[0]: line for line in lines if line and not line.startswith("#")}
    sbom = json.loads(entries["sbom.cdx.json"])
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    assert {component["name"] for component in sbom["components"]} == set(pins)
    table = (ROOT / "THIRD-PARTY-LICENSES.md").read_text("utf-8")
    for component in sbom["components"]:
        name = component["name"]
        assert pins[name] == f"{name}=={component['version']} --hash=sha256:{component['hashes'][0]['content']}"
        assert component["licenses"][0]["license"]["id"] in ("MIT", "BSD-3-Clause", "MPL-2.0")
        assert any(entry.startswith(f"licenses/{name}/") for entry in entries)
        assert f"| {name} | {component['version']} | {component['licenses'][0]['license']['id']} |" in table


def test_development_runs_on_the_bundles_versions() -> None:
    """The engine's own tests must meet the very versions that the bundle ships."""
    bundled = [line.split(" ")[0] for line in (ROOT / "requirements-bundle.txt").read_text("utf-8").splitlines() if "==" in line]
    locked = (ROOT / "requirements-dev.txt").read_text("utf-8")
    assert bundled
    assert [pin for pin in bundled if f"{pin} \\" not in locked] == []
