"""What arguments and environment make of a marker: where it goes, what it says, where the token comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from last9_markers.cli.shared.invocation import Invocation
from last9_markers.fake_server import FakeLast9
from support import ROOT, engine, make_request, run_step

SEND = ["send", "--service-name", "payments-api"]


@pytest.mark.parametrize("profiles", [None, "{", "[]", '{"acme": 1}', "[" * 100_000])
def test_a_profile_that_is_not_there_makes_no_marker(profiles: str | None, tmp_path: Path) -> None:
    """An unknown profile or unusable definitions: nothing is sent to wherever, and the warning says where to define it."""
    environ = {"LAST9_REFRESH_TOKEN": "some-refresh-token"} | ({"LAST9_ROUTING_PROFILES": profiles} if profiles else {})
    done = engine([*SEND, "--routing-profile", "acme", "--fail-on-error"], environ=environ, cwd=tmp_path)
    assert done.code == 1
    assert "LAST9_ROUTING_PROFILES" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_profile_sends_to_its_organization(last9: FakeLast9, tmp_path: Path) -> None:
    """Profiles that an administrator set serve the command line as they serve Pipelines."""
    with FakeLast9(organizations=("globex",)) as globex:
        profiles = json.dumps({"globex": {"orgSlug": "globex", "apiBaseUrl": globex.url}})
        environ = {"LAST9_ROUTING_PROFILES": profiles, "LAST9_REFRESH_TOKEN": globex.refresh_token, "LAST9_API_BASE_URL": last9.url}
        engine([*SEND, "--routing-profile", "globex"], environ=environ, cwd=tmp_path)
        assert [event["organization"] for event in globex.received()] == ["globex"]
    assert last9.requests() == []


def test_every_marker_option(last9: FakeLast9, tmp_path: Path) -> None:
    """Attributes, allowlists, spelling of names and the build's user arrive; names of the allowlists that no one set do not."""
    environ = {
        "LAST9_REFRESH_TOKEN": last9.refresh_token,
        "LAST9_PARAM_ALLOWLIST": "REGION, NOWHERE",
        "REGION": "eu",
        "COLOUR": "blue",
        "BUILD_USER_ID": "alice",
        "JOB_NAME": "deploy",
    }
    words = ["--attribute", "team=payments", "--attribute-names", "dotted", "--env-allowlist", "COLOUR,ABSENT", "--event-name", "rollback"]
    done = engine([*SEND, *words], environ=environ, cwd=tmp_path)
    assert "WARNING" not in done.stderr
    (event,) = last9.received()
    assert event["event_name"] == "rollback"
    assert event["attributes"] == {
        "service": "payments-api",
        "service_name": "payments-api",
        "team": "payments",
        "env_colour": "blue",
        "build_param_region": "eu",
        "jenkins.build_user": "alice",
        "jenkins.job_name": "deploy",
        "message": "payments-api",
    }


def test_token_file(last9: FakeLast9, tmp_path: Path) -> None:
    """The token may lie in a file, with the line break that an editor leaves; it wins over the variable."""
    (tmp_path / "token").write_text(last9.refresh_token + "\n", encoding="utf-8")
    environ = {"LAST9_REFRESH_TOKEN": "another-refresh-token", "LAST9_API_BASE_URL": last9.url}
    done = engine([*SEND, "--token-file", "token"], environ=environ, cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "[Last9] Deployment marker sent successfully"
    assert len(last9.received()) == 1


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", "folder"])
def test_token_file_that_holds_none(last9: FakeLast9, tmp_path: Path, content: bytes | str | None) -> None:
    """A file that is missing, empty, binary or a folder costs the marker, not the build, and the variable does not stand in for it."""
    if isinstance(content, bytes):
        (tmp_path / "token").write_bytes(content)
    elif content:
        (tmp_path / "token").mkdir()
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "LAST9_API_BASE_URL": last9.url}
    done = engine([*SEND, "--org-slug", "acme", "--token-file", "token"], environ=environ, cwd=tmp_path)
    assert done.code == 0
    assert "WARNING" in done.stderr
    assert "--token-file" in done.stderr or "refresh token contains blanks" in done.stderr
    assert last9.requests() == []


def test_the_token_leaves_the_environment() -> None:
    """No child process and no dump of the environment finds it there."""
    environ = {"LAST9_REFRESH_TOKEN": "some-refresh-token"}
    call = Invocation({}, environ)
    assert environ == {}
    assert call.token == "some-refresh-token"
    assert call.context().token == "some-refresh-token"
    assert "some-refresh-token" not in call.request("send", timestamp_ms=0)


def test_quiet_says_warnings_alone(last9: FakeLast9, tmp_path: Path) -> None:
    """A cron job that is quiet still hears of what went wrong, in terms of a shell."""
    done = engine([*SEND, "--quiet"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    assert len(last9.received()) == 1
    done = engine([*SEND, "--quiet"], cwd=tmp_path)
    (line,) = done.stderr.splitlines()
    assert "[Last9] WARNING: deployment (stop) for payments-api was not delivered: no refresh token found. Set LAST9_REFRESH_TOKEN" in line
    assert "credentialId" not in line


@pytest.mark.parametrize(("given", "said"), [({"debug": True}, "true"), ({"debug": False}, "false"), ({}, None)])
def test_debug_is_in_the_environment(given: dict[str, Any], said: str | None) -> None:
    """The engine, and an engine started by this one, learn of ``--debug`` by one variable."""
    environ: dict[str, str] = {}
    Invocation(given, environ)
    assert environ.get("LAST9_DEBUG") == said


def test_step_loads_nothing_of_the_command_line(last9: FakeLast9, tmp_path: Path) -> None:
    """``step`` runs before and after every deploy: what only a shell needs must not cost it a millisecond."""
    told = tmp_path / "told"
    told.mkdir()
    spy = """
import os, sys
leave = os._exit
def told(code):
    print(sorted(name for name in sys.modules if "commandline" in name or name == "argparse"), file=sys.stderr, flush=True)
    leave(code)
os._exit = told
"""
    (told / "sitecustomize.py").write_text(spy, encoding="utf-8")
    environ = {"PYTHONPATH": os.pathsep.join([str(told), str(ROOT / "python")])}
    done = run_step(make_request(), last9.refresh_token, tmp_path, environ=environ)
    assert done.stderr.splitlines()[-1] == "[]"
