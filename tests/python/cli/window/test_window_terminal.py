"""A window on a terminal: its keys, and its end."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
from pathlib import Path

from last9_markers.fake_server import FakeLast9
from shell_support import PATIENCE_SECONDS, WINDOW, program, surroundings, told, until

#: A shell with job control, as small as can be: a job in the foreground, `fg` when it was stopped.
SHELL = """
import os, signal, sys, time
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
while os.WIFSTOPPED(status := os.waitpid(job, os.WUNTRACED)[1]):
    (command,) = open(f"/proc/{job}/task/{job}/children").read().split()
    while open(f"/proc/{command}/stat").read().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.01)
    print("both stopped", flush=True)
    os.tcsetpgrp(0, job)
    os.killpg(job, signal.SIGCONT)
print("ended with", os.waitstatus_to_exitcode(status), "!", flush=True)
"""


def _on_a_terminal(words: list[str], environ: dict[str, str], folder: Path) -> int:
    """A job of a shell on a terminal: our end of that terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-S", "-c", SHELL, *words], environ)
    return terminal


def _read_until(terminal: int, text: str) -> str:
    said = b""
    while text.encode() not in said:
        assert select.select([terminal], [], [], PATIENCE_SECONDS)[0], said
        said += os.read(terminal, 4096)
    return said.decode()


def test_a_terminal(last9: FakeLast9, tmp_path: Path) -> None:
    """The command has the terminal: Ctrl-Z stops both of us, `fg` lets both go on, and Ctrl-C reaches the command once, not twice."""
    (tmp_path / "command.py").write_text(
        "import signal, sys, time\n"
        "count = 0\n"
        "def interrupted(*_):\n    global count\n    count += 1\n"
        "signal.signal(signal.SIGINT, interrupted)\n"
        "print('begun', sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), flush=True)\n"
        "while not count:\n    signal.pause()\n"
        "time.sleep(0.5)\n"
        "print('interrupted', count, 'times', flush=True)\n",
        encoding="utf-8",
    )
    words = program(*WINDOW, "--", sys.executable, "-S", "command.py")
    terminal = _on_a_terminal(words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path)
    try:
        _read_until(terminal, "begun True True True")
        os.write(terminal, b"\x1a")
        _read_until(terminal, "both stopped")
        os.write(terminal, b"\x03")
        said = _read_until(terminal, "!")
        assert "interrupted 1 times" in said
        assert "ended with 0 !" in said
    finally:
        os.close(terminal)
    assert told(last9) == ["start", "stop aborted"]


def test_ctrl_c_ends_command_and_window(last9: FakeLast9, tmp_path: Path) -> None:
    """The usual Ctrl-C: the command dies of it, the window is closed as aborted, the exit code is a shell's."""
    words = program(*WINDOW, "--", "sh", "-c", "echo begun; exec sleep 600")
    terminal = _on_a_terminal(words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path)
    try:
        _read_until(terminal, "begun")
        os.write(terminal, b"\x03")
        assert "ended with 130 !" in _read_until(terminal, "!")
    finally:
        os.close(terminal)
    assert told(last9) == ["start", "stop aborted"]


def test_a_terminal_that_is_closed(last9: FakeLast9, tmp_path: Path) -> None:
    """Where we lead the terminal's session, as under `ssh -t`, its end reaches us alone: the command learns of it by us, and ends."""
    script = "trap 'echo hung up > told; exit 6' HUP; echo begun; while :; do sleep 0.05; done"
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        words = program(*WINDOW, "--", "sh", "-c", script)
        os.execve(words[0], words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token))
    try:
        _read_until(terminal, "begun")
        os.close(terminal)
        _, status = until(lambda: any(ended := os.waitpid(pid, os.WNOHANG)) and ended)
    except AssertionError:
        os.killpg(pid, signal.SIGKILL)
        raise
    assert os.waitstatus_to_exitcode(status) == 6
    assert (tmp_path / "told").read_text(encoding="utf-8") == "hung up\n"
    assert told(last9) == ["start", "stop aborted"]
