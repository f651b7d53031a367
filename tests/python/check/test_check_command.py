"""``check`` as a process: what a person reads, what a program reads, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from last9_markers.fake_server import FakeLast9
from support import MINIMAL_ENV, ROOT, Loopback, engine, patience


def environ(last9: FakeLast9, **more: str) -> dict[str, str]:
    """The agent's environment, with a good token."""
    return {"LAST9_REFRESH_TOKEN": last9.refresh_token, **more}


def test_all_is_well(last9: FakeLast9, tmp_path: Path) -> None:
    """The findings are on stdout, nothing is on stderr, and code 0 says that nothing has failed."""
    done = engine(["check"], environ=environ(last9), cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Connection test:"
    assert [line.split()[1] for line in lines[1:-1]][:5] == ["interpreter", "bundle", "token", "host", "proxy"]
    assert "Set --send-test-event once to test writing." in lines[-2]
    assert lines[-1].startswith("Connection test: no check failed, but no test event was written")
    assert last9.received() == []
    assert last9.refresh_token not in done.stdout


def test_a_write(last9: FakeLast9, tmp_path: Path) -> None:
    """``--send-test-event`` proves the write, for the service that is named."""
    done = engine(["check", "--send-test-event", "--service-name", "api", "--environment", "staging"], environ=environ(last9), cwd=tmp_path)
    assert done.code == 0
    assert "Connection test: markers get through" in done.stdout
    (event,) = last9.received()
    assert (event["event_name"], event["attributes"]["service"], event["attributes"]["env"]) == ("connection-test", "api", "staging")


def test_json(last9: FakeLast9, tmp_path: Path) -> None:
    """``--json`` is one object and nothing else, with the same findings."""
    done = engine(["check", "--json", "--send-test-event"], environ=environ(last9), cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (done.code, done.stderr) == (0, "")
    assert set(found) == {"ok", "written", "findings"}
    assert found["ok"] is True
    assert found["written"] is True
    assert {each["state"] for each in found["findings"]} == {"ok"}
    assert all(set(each) == {"check", "state", "text"} for each in found["findings"])


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_something_has_failed(last9: FakeLast9, tmp_path: Path, form: list[str]) -> None:
    """A failed finding is code 1, in either form, told in the shell's own terms."""
    done = engine(["check", *form], environ={"LAST9_API_BASE_URL": last9.url, "LAST9_ORG_SLUG": "acme"}, cwd=tmp_path)
    assert done.code == 1
    assert "--token-file" in done.stdout
    assert "Secret text' credential of that id" not in done.stdout
    assert last9.requests() == []


def test_a_warning_is_no_failure(last9: FakeLast9, tmp_path: Path) -> None:
    """What only may go wrong is code 0."""
    done = engine(["check", "--org-slug", "globex"], environ=environ(last9), cwd=tmp_path)
    assert done.code == 0
    assert "Set --org-slug to 'acme'" in done.stdout


def test_quiet(last9: FakeLast9, tmp_path: Path) -> None:
    """``--quiet`` leaves what needs attention."""
    done = engine(["check", "--quiet", "--send-test-event"], environ=environ(last9), cwd=tmp_path)
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    done = engine(["check", "--quiet", "--org-slug", "globex"], environ=environ(last9), cwd=tmp_path)
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["warning", "organization"], ["warning", "write"]]


def test_a_token_from_a_file_and_a_profile(last9: FakeLast9, tmp_path: Path) -> None:
    """Token and connection are found exactly as for a marker."""
    (tmp_path / "token").write_text(last9.refresh_token + "\n", encoding="utf-8")
    profiles = json.dumps({"team": {"orgSlug": "acme", "apiBaseUrl": last9.url}})
    done = engine(
        ["check", "--token-file", "token", "--routing-profile", "team"], environ={"LAST9_ROUTING_PROFILES": profiles}, cwd=tmp_path
    )
    assert done.code == 0, done.stdout
    assert f"host         {last9.url}, from the routing profile" in done.stdout


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_server_that_never_answers(tmp_path: Path, form: list[str]) -> None:
    """The test ends in time with its findings so far and code 1, in every state of the network."""

    def drip(peer: object) -> None:
        peer.recv(65536)  # type: ignore[attr-defined]
        for letter in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
            peer.sendall(bytes([letter]))  # type: ignore[attr-defined]
            time.sleep(0.1)

    with Loopback(drip) as server:
        settings = {"LAST9_REFRESH_TOKEN": "opaque-refresh-token", "LAST9_ORG_SLUG": "acme"}
        arguments = ["check", *form, "--timeout-seconds", "2", "--api-base-url", f"http://127.0.0.1:{server.port}"]
        done = engine(arguments, environ=settings, cwd=tmp_path)
    assert done.code == 1
    assert done.seconds < 2 + 1 + patience()
    assert "no answer within the time limit of 2 s" in done.stdout
    assert "or raise --timeout-seconds" in done.stdout
    if form:
        assert [each["check"] for each in json.loads(done.stdout)["findings"] if each["state"] == "failed"] == ["connection"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_nobody_reads_it(last9: FakeLast9, tmp_path: Path, form: list[str]) -> None:
    """Where the findings cannot be written (``| head -1``, a full disk) the exit code is what it would be, and there is no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    for stdout in (writing, os.open("/dev/full", os.O_WRONLY)):
        for arguments, code in (([], 0), (["--org-slug", "no slug"], 1)):
            command = [sys.executable, "-m", "last9_markers", "check", *form, *arguments]
            context = {**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), **environ(last9)}
            done = subprocess.run(command, env=context, cwd=tmp_path, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (code, b"")
        os.close(stdout)


def test_a_misspelt_option(tmp_path: Path) -> None:
    """A misspelt option is answered with the nearest, before anything is asked of anybody."""
    done = engine(["check", "--send-test-evnt"], cwd=tmp_path)
    assert done.code == 2
    assert "--send-test-event" in done.stderr
    assert done.stdout == ""
