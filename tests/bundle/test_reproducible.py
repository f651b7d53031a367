"""Whoever builds the bundle, wherever, gets the committed bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from agents import ROOT

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
PLACES = (("one", 0o077, "Pacific/Kiritimati", "1"), ("an other/zwölf", 0o002, "America/St_Johns", "2"))
FILES = ("src/org/last9/Bundle.groovy", "THIRD-PARTY-LICENSES.md", "requirements-bundle.txt", "LICENSE")


def start_build(copy: Path, umask: int, zone: str, seed: str) -> subprocess.Popen[str]:
    """Copy what a build reads, give it the wheels and nothing compressed before, and build."""
    for name in ("tools", "python", "resources"):
        shutil.copytree(ROOT / name, copy / name, copy_function=shutil.copyfile)
    for name in FILES:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    (copy / ".cache").mkdir()
    (copy / ".cache" / "wheels").symlink_to(ROOT / ".cache" / "wheels")
    environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"}
    command = [sys.executable, "-c", BUILD, str(umask)]
    return subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_building_it_elsewhere_gives_the_committed_bytes(tmp_path: Path) -> None:
    """Folder, umask, time zone, hash seed and language of whoever builds leave no trace in what is committed."""
    subprocess.run([sys.executable, "-c", FETCH], cwd=ROOT, check=True)
    builds = [start_build(tmp_path / folder, umask, zone, seed) for folder, umask, zone, seed in PLACES]
    outputs = [build.communicate()[0] for build in builds]
    assert [build.returncode for build in builds] == [0, 0], "\n".join(outputs)
    assert all("the same bytes" in output for output in outputs)
