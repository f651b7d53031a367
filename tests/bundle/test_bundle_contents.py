"""What is inside the committed bundle."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from agents import BUNDLE, ROOT, usable

LARGEST = 520_000
PACKAGES = ("backoff", "certifi", "h11", "httpcore", "httpx", "idna", "jinja2", "markupsafe")
ARCHIVE = zipfile.ZipFile(io.BytesIO(BUNDLE.read_bytes()))
NAMES = ARCHIVE.namelist()
ENDS = sorted({version: path for version, path in [*list(usable().items())[:1], *list(usable().items())[-1:]]}.items())

IMPORT_ALL = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
for name in json.load(sys.stdin):
    importlib.import_module(name)
    assert sys.modules[name].__spec__.origin.startswith(sys.argv[1]), name
print(json.dumps(sorted(sys.modules)))
"""


def test_nothing_in_it_is_compiled_or_asynchronous_machinery() -> None:
    """One file serves every platform and Python, so no compiled code and no anyio may slip in."""
    assert not [name for name in NAMES if name.endswith((".so", ".pyd", ".dylib", ".dll", ".pyc")) or "__pycache__" in name]
    assert not [name for name in NAMES if re.match(r"(anyio|trio|sniffio|h2|socksio)/", name)]
    assert not [name for name in NAMES if ARCHIVE.read(name).startswith((b"\x7fELF", b"MZ"))]


def test_each_package_comes_with_its_licence() -> None:
    """The licences ask for their texts to travel with the code."""
    packages = {name.split("/")[0] for name in NAMES if "/" in name} - {"licenses", "last9_markers"}
    assert packages == set(PACKAGES)
    listed = (ROOT / "THIRD-PARTY-LICENSES.md").read_text("utf-8")
    for package in PACKAGES:
        texts = [ARCHIVE.read(name) for name in NAMES if name.startswith(f"licenses/{package}/")]
        assert texts, package
        assert all(len(text) > 500 for text in texts), package
        assert f"| {package} |" in listed
    assert ARCHIVE.read("licenses/last9-markers/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_the_bill_of_materials_names_what_the_lock_file_pins() -> None:
    """Whoever scans the bundle finds every package with the version and hash that it was built from."""
    document = json.loads(ARCHIVE.read("sbom.cdx.json"))
    assert document["bomFormat"] == "CycloneDX"
    listed = {(part["name"], part["version"], part["hashes"][0]["content"]) for part in document["components"]}
    locked = (ROOT / "requirements-bundle.txt").read_text("utf-8")
    assert listed == set(re.findall(r"^(\S+)==(\S+) --hash=sha256:(\S+)$", locked, re.MULTILINE))
    assert {name for name, _, _ in listed} == set(PACKAGES)
    assert all(part["licenses"] for part in document["components"])


def test_entries_are_in_order_and_carry_one_date() -> None:
    """A stable order and no dates of the day keep the next bundle a small difference in git."""
    first = ["__main__.py", "last9_content.py"]
    assert [*first, *sorted(set(NAMES) - set(first))] == NAMES
    assert {info.date_time for info in ARCHIVE.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr for info in ARCHIVE.infolist()} == {0o100644 << 16}
    assert not [info.filename for info in ARCHIVE.infolist() if info.extra]


def test_it_is_small() -> None:
    """Jenkins keeps a copy of it with every build."""
    assert BUNDLE.stat().st_size <= LARGEST


@pytest.mark.parametrize(("version", "python"), ENDS, ids=[version for version, _ in ENDS])
def test_every_module_imports(version: str, python: str, tmp_path: Path) -> None:
    """What was left out of the packages is needed by nothing that was kept, on the oldest and the newest Python."""
    files = [name[: -len(".py")].replace("/", ".") for name in NAMES if name.endswith(".py")]
    modules = [re.sub(r"\.__init__$", "", name) for name in files if not name.endswith("__main__")]
    assert len(modules) > 80
    done = subprocess.run(
        [python, "-I", "-S", "-c", IMPORT_ALL, str(BUNDLE)], input=json.dumps(modules), capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not {"anyio", "trio", "sniffio", "h2", "socksio"} & set(json.loads(done.stdout))


def test_building_it_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    """Folder, umask, time zone, hash seed and language of whoever builds leave no trace in what is committed."""
    wheels = ROOT / ".cache" / "wheels"
    fetch = "import sys; sys.path.insert(0, 'tools'); from pathlib import Path; from bundling import wheels; "
    subprocess.run([sys.executable, "-c", f"{fetch}wheels.fetch(Path('requirements-bundle.txt'), Path('.cache/wheels'))"], cwd=ROOT, check=True)
    builds = []
    for folder, umask, zone, seed in (("one", 0o077, "Pacific/Kiritimati", "1"), ("an other/two", 0o002, "America/St_Johns", "2")):
        copy = tmp_path / folder
        for name in ("tools", "python", "resources"):
            shutil.copytree(ROOT / name, copy / name, copy_function=shutil.copyfile)
        for name in ("src/org/last9/Bundle.groovy", "THIRD-PARTY-LICENSES.md", "requirements-bundle.txt", "LICENSE"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
        (copy / ".cache").mkdir()
        (copy / ".cache" / "wheels").symlink_to(wheels)
        builds.append(
            subprocess.Popen(
                [sys.executable, "-c", f"import os, runpy, sys; os.umask({umask}); sys.path.insert(0, 'tools'); sys.argv[1:] = ['--check']; "
                 "runpy.run_path('tools/build_bundle.py', run_name='__main__')"],
                cwd=copy, env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
        )  # fmt: skip
    outputs = [build.communicate()[0] for build in builds]
    assert [build.returncode for build in builds] == [0, 0], "\n".join(outputs)
    assert all("the same bytes" in output for output in outputs)
