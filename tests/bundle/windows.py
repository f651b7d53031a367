"""A Windows agent for the tests: Wine's cmd, and the Windows build of CPython.

Both are real programs, but neither is Windows. Wine 8's cmd reads the percent signs in a variable's value a second time, which cmd does
not, so paths with percent signs are not tested here; and it searches the current directory for programs, in spite of the environment.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path

from agents import BUNDLE, ROOT, Agent, Done, launcher

sys.path.insert(0, str(ROOT / "tools"))

from windows_agent import environment, python, windows_path, wine

LAUNCHER = ROOT / "resources" / "last9" / "run.bat"
SERVICE = "zürich ✓"
#: What the `bat` step writes around a script (durable-task 2026). It names all files by their whole paths, in UTF-8, which cmd reads
#: in its own code page: Jenkins' batch steps know no such workspaces. Names alone do not stand in the way of testing ours. Jenkins has
#: `cmd /c call`; of Wine's `call` nothing but 0 and 1 comes back.
WRAPPER = (
    b"@echo off \r\n"
    b'cmd /c "..\\..\\CONTROL\\jenkins-main.bat" > "..\\..\\CONTROL\\output.txt" 2> "..\\..\\CONTROL\\jenkins-log.txt"\r\n'
    b'echo %ERRORLEVEL% > "..\\..\\CONTROL\\jenkins-result.txt"\r\n'
)


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
        self, state: str = "start", bring: bool = True, path: tuple[Path, ...] = (), chosen: str = "yes", **environ: str
    ) -> tuple[subprocess.Popen[bytes], Path, Path]:
        """Start run.bat as Jenkins' `bat` step does: two batch files, the second by `call`, its outputs in files. PREPENDED: for PATH."""
        request = self.request(state)
        if bring:
            shutil.copyfile(BUNDLE, self.slot / "incoming.pyz")
        control = self.folder.parent / f"durable-{uuid.uuid4().hex[:8]}"
        control.mkdir()
        script = launcher(LAUNCHER, request.stem[len("request-") :], self.code, chosen=chosen)
        (control / "jenkins-main.bat").write_bytes(script.encode("ascii"))
        (control / "jenkins-wrap.bat").write_bytes(WRAPPER.replace(b"CONTROL", control.name.encode("ascii")))
        windows = {"WORKSPACE": windows_path(self.workspace), "WORKSPACE_TMP": windows_path(self.folder.parent)}
        given = {**self.environ({}), **windows, **environ, **environment()}
        entries = [given.pop("PREPENDED", ""), *(windows_path(folder) for folder in path)]
        if any(entries):
            given["WINEPATH"] = ";".join(entry for entry in entries if entry)
        process = subprocess.Popen(
            [wine(), "cmd", "/c", f"..\\..\\{control.name}\\jenkins-wrap.bat"],
            env=given,
            cwd=self.slot,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return process, control, request

    def batch(self, state: str = "start", bring: bool = True, path: tuple[Path, ...] = (), chosen: str = "yes", **environ: str) -> Done:
        """Run run.bat on one request."""
        return self.finish(*self.start_batch(state, bring, path, chosen, **environ))

    def finish(self, process: subprocess.Popen[bytes], control: Path, request: Path) -> Done:
        """Wait for it and read what Jenkins would: UTF-8, as the library asks for, with any code page of the agent."""
        process.wait(timeout=120)
        code, stdout, stderr = (
            (control / name).read_bytes().decode("utf-8").replace("\r\n", "\n")
            for name in ("jenkins-result.txt", "output.txt", "jenkins-log.txt")
        )
        shutil.rmtree(control)
        return self.done(int(code), stdout, stderr, request)
