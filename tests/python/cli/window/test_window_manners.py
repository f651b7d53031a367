"""As if we were not there: what the command finds around it, what passes through, and what we cost while it runs."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from last9_markers.fake_server import FakeLast9
from shell_support import PATIENCE_SECONDS, WINDOW, Running, children_of, program, state_of, surroundings, told, until

#: What a process can tell of its place: everything that could show a process between it and its shell. Only the kernel's
#: numbers for pipes and processes differ from run to run. Python would set signals of its own, so a shell asks.
SELF_PORTRAIT = r"""
env | grep -v '^_=' | sort
pwd; umask; nice; ulimit -a
grep -E '^(SigBlk|SigIgn|SigPnd|ShdPnd|Groups|Cap|NoNewPrivs)' /proc/self/status
for fd in /proc/$$/fd/*; do readlink "$fd"; done
sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 3-5
sed 's/.*) //' /proc/$PPID/stat | cut -d ' ' -f 3-5
"""


def _said(words: list[str], environ: dict[str, str], folder: Path, *, prelude: str = "") -> str:
    """What a command says in a shell that has a further descriptor open, with or without us before it."""
    script = f"{prelude} exec 9</dev/zero; exec {shlex.join(words)}"
    done = subprocess.run(
        ["sh", "-c", script], env=environ, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r":\[\d+\]", "", done.stdout.decode())


@pytest.mark.parametrize("prelude", ["", "trap '' HUP USR1; ulimit -n 300;", "trap '' INT QUIT TERM; umask 077; renice 5 $$ >/dev/null;"])
def test_the_command_finds_what_it_would_find(last9: FakeLast9, tmp_path: Path, prelude: str) -> None:
    """Environment (but the token and what the window adds), folder, umask, signals, process group, descriptors: the same as without us."""
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token, SOME="thing")
    command = ["sh", "-c", SELF_PORTRAIT]
    alone = _said(command, {k: v for k, v in environ.items() if k != "LAST9_REFRESH_TOKEN"}, tmp_path, prelude=prelude)
    inside = _said([*program(*WINDOW), "--", *command], environ, tmp_path, prelude=prelude)
    lines = inside.splitlines()
    added = [line for line in lines if line.startswith(("LAST9_ATTRIBUTES_FILE=", "LAST9_DEPLOYMENT_ID="))]
    assert [line for line in lines if line not in added] == alone.splitlines()
    assert len(added) == 2
    assert "/dev/zero" in inside
    *_, ours, parents = lines
    assert ours == parents  # process group, session, terminal
    assert told(last9) == ["start", "stop success"]


@pytest.mark.parametrize(("words", "there"), [([], False), (["--pass-token"], True), (["--no-pass-token"], False)])
def test_the_token_is_not_the_commands(last9: FakeLast9, tmp_path: Path, words: list[str], there: bool) -> None:
    """A deploy runs much code of others: it gets the token only where it is asked for, and can send markers of its own then."""
    inner = shlex.join(program("send", "--service-name", "inner"))
    with Running(
        program(*WINDOW, *words, "--", "sh", "-c", inner), surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path
    ) as running:
        assert running.wait() == 0
    services = [event["attributes"]["service"] for event in last9.received()]
    assert services == (["payments-api", "inner", "payments-api"] if there else ["payments-api", "payments-api"])
    assert ("no refresh token found" in running.log) is not there


def test_the_start_is_there_before_the_command(last9: FakeLast9, tmp_path: Path) -> None:
    """The command begins only when Last9 has the start."""
    command = [sys.executable, "-c", f"import urllib.request as r; print(r.urlopen('{last9.url}/received').read().decode())"]
    with Running(program(*WINDOW, "--", *command), surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path) as running:
        assert running.wait() == 0
    assert running.out.count(b'"event_state": "start"') == 1
    assert b'"stop"' not in running.out


def test_binary_input_passes_through(last9: FakeLast9, tmp_path: Path) -> None:
    """All of stdin reaches the command, byte for byte; we read none of it."""
    data = os.urandom(3_000_000)
    (tmp_path / "data").write_bytes(data)
    with (
        open(tmp_path / "data", "rb") as stdin,
        Running(program(*WINDOW, "--", "sha256sum"), surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path, stdin) as running,
    ):
        assert running.wait() == 0
    assert running.out.split()[0].decode() == hashlib.sha256(data).hexdigest()


def test_a_gigabyte_of_output(last9: FakeLast9, tmp_path: Path) -> None:
    """Output does not pass through us: a gigabyte costs no memory of ours, and all of it arrives."""
    words = program(*WINDOW, "--", "sh", "-c", "head -c 1000000000 /dev/zero; grep VmHWM /proc/$PPID/status >&2")
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token)
    process = subprocess.Popen(words, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    length = 0
    while chunk := process.stdout.read(1 << 20):
        length += len(chunk)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert length == 1_000_000_000
    assert process.returncode == 0
    (peak,) = [line for line in said.decode().splitlines() if line.startswith("VmHWM")]
    assert int(peak.split()[1]) < 30_000
    assert told(last9) == ["start", "stop success"]


def test_a_process_that_outlives_its_parent(last9: FakeLast9, tmp_path: Path) -> None:
    """What the command leaves behind, our streams still in its hands, neither holds us up nor is harmed by us."""
    words = program(*WINDOW, "--", "sh", "-c", "sleep 600 & echo $!")
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token)
    process = subprocess.Popen(words, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    left = int(process.stdout.readline())
    try:
        assert process.wait(PATIENCE_SECONDS) == 0
        assert told(last9) == ["start", "stop success"]
        assert state_of(left) in ("R", "S")
    finally:
        os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_without_streams(last9: FakeLast9, tmp_path: Path, closed: str) -> None:
    """With closed streams, exit code and markers are the same."""
    script = shlex.join([*program(*WINDOW, "--json"), "--", "sh", "-c", "exit 5"])
    done = subprocess.run(
        ["sh", "-c", f"{script} {closed}"], env=surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), cwd=tmp_path, timeout=60, check=False
    )
    assert done.returncode == 5
    assert told(last9) == ["start", "stop failure"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_streams_that_nobody_reads(last9: FakeLast9, tmp_path: Path, stream: str) -> None:
    """Where our own lines cannot be written any more, the exit code is the command's all the same."""
    read, write = os.pipe()
    os.close(read)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: write}
    words = program(*WINDOW, "--json", "--", "sh", "-c", "exit 5")
    done = subprocess.run(
        words, env=surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), cwd=tmp_path, timeout=60, check=False, **streams
    )
    os.close(write)
    assert done.returncode == 5
    assert told(last9) == ["start", "stop failure"]


def test_a_folder_that_the_command_removes(last9: FakeLast9, tmp_path: Path) -> None:
    """A deploy that removes the folder it runs in does not cost the stop."""
    folder = tmp_path / "gone"
    folder.mkdir()
    with Running(program(*WINDOW, "--", "rmdir", str(folder)), surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), folder) as running:
        assert running.wait() == 0
    assert told(last9) == ["start", "stop success"]


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["./nowhere"], 127, "last9-markers: ./nowhere: No such file or directory"),
        (["nowhere-on-the-path"], 127, "last9-markers: nowhere-on-the-path: No such file or directory"),
        ([""], 126, "Permission denied"),
        (["./plain"], 126, "last9-markers: ./plain: Permission denied"),
        (["."], 126, "Permission denied"),
        (["./binary"], 126, "Exec format error"),
        (["./no-interpreter"], 127, "No such file or directory"),
        (["./script-without-interpreter", "a b"], 6, ""),
    ],
)
def test_what_cannot_be_started(last9: FakeLast9, tmp_path: Path, command: list[str], code: int, said: str) -> None:
    """The exit code and the message are those of a shell, and the window that was opened is closed as a failure."""
    (tmp_path / "plain").write_text("x", encoding="utf-8")
    for name, content in (
        ("binary", b"\x00\x01\x02"),
        ("no-interpreter", b"#!/nowhere/sh\n"),
        ("script-without-interpreter", b'echo "$1"; exit 6\n'),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o755)
    with Running(program(*WINDOW, "--", *command), surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path) as running:
        assert running.wait() == code
    assert said in running.log
    assert told(last9) == ["start", "stop failure"]
    assert running.out == (b"a b\n" if code == 6 else b"")


# -- what we cost --------------------------------------------------------------------------------------------------------------


def test_an_idle_window_costs_next_to_nothing(last9: FakeLast9, tmp_path: Path) -> None:
    """While the command runs: less than 30 MB, one thread, no other process of ours, and not one wake-up."""
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token)
    with Running(program(*WINDOW, "--", "sh", "-c", "echo begun; exec sleep 600"), environ, tmp_path) as running:
        running.until("begun")
        pid = running.process.pid
        until(lambda: state_of(pid) == "S")
        before = _status(pid)
        assert int(before["VmRSS"].split()[0]) < 30_000
        assert before["Threads"] == "1"
        assert children_of(pid) == [running.child()]
        # A second of the machine's time, told by a process that sleeps it: nothing here may wait for us meanwhile.
        subprocess.run(["sleep", "1"], check=True)
        after = _status(pid)
        for name in ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"):
            assert after[name] == before[name]
        os.kill(pid, signal.SIGTERM)
        assert running.wait() == 143


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
