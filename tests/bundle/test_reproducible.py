"""Every build of the bundle, in any place, gives the committed bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from agents import ROOT, promised, pythons

BUILD = """
import os, runpy, sys
os.umask(int(sys.argv[1]))
sys.argv[:] = ["tools/build_bundle.py", "--check"]
sys.path.insert(0, "tools")
runpy.run_path(sys.argv[0], run_name="__main__")
"""
FETCH = """
import pathlib, sys
sys.path.insert(0, "tools")
from bundling import wheels
wheels.fetch(pathlib.Path("requirements-bundle.txt"), pathlib.Path(".cache/wheels"))
"""
FILES = ("src/org/last9/Bundle.groovy", "THIRD-PARTY-LICENSES.md", "requirements-bundle.txt", "LICENSE", "examples/freestyle/last9-markers")


@pytest.mark.endurance  # the zip's compression takes its time, and make verify builds it, too
def test_building_it_elsewhere_gives_the_committed_bytes(tmp_path: Path) -> None:
    """Folder, umask, time zone, hash seed and language of the builder leave no trace in the committed files."""
    subprocess.run([sys.executable, "-c", FETCH], cwd=ROOT, check=True)
    copy = tmp_path / "an other" / "zwölf"
    for name in ("tools", "python", "resources"):
        shutil.copytree(ROOT / name, copy / name, copy_function=shutil.copyfile)
    for name in FILES:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    (copy / ".cache").mkdir()
    (copy / ".cache" / "wheels").symlink_to(ROOT / ".cache" / "wheels")
    environment = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1", "LC_ALL": "C"}
    command = [sys.executable, "-c", BUILD, str(0o077)]
    build = subprocess.run(command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert build.returncode == 0, build.stdout
    assert "the same bytes" in build.stdout


CONTENT = """
import pathlib, sys
sys.path.insert(0, "tools")
from bundling import contents, wheels
root = pathlib.Path.cwd()
found = contents.collect(root, wheels.fetch(root / "requirements-bundle.txt", root / ".cache" / "wheels"))
sys.stdout.write(found.entries["MANIFEST.sha256"].decode("ascii"))
"""


@pytest.mark.parametrize("version", promised())
def test_every_python_gives_the_same_content(version: str) -> None:
    """With every Python that builds it, the manifest is the committed one, so every file in it is the same; only zopfli makes the bytes."""
    subprocess.run([sys.executable, "-c", FETCH], cwd=ROOT, check=True)
    built = subprocess.run([pythons()[version], "-c", CONTENT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(ROOT / "resources/last9/last9-markers.pyz") as committed:
        assert built.stdout == committed.read("MANIFEST.sha256").decode("ascii")
