"""What the suite refuses before it asks anything, and that the controller is left as it was, however the suite ends."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import ask, make_controller, nothing_is_left, plays
from controller.__main__ import main
from controller.fake_last9 import FakeLast9
from fake_jenkins import FakeBuild, FakeJenkins, until
from runner_play import RunnerPlay


@pytest.fixture
def jenkins() -> Iterator[FakeJenkins]:
    """A controller that is well."""
    with FakeJenkins() as server:
        yield server


@pytest.mark.parametrize("folders", [True, False])
@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGHUP])
def test_what_was_being_made_is_removed(jenkins: FakeJenkins, folders: bool, number: signal.Signals | None) -> None:
    """Interrupted, or left without an answer, while folder or credential are being made: they may be there, so they are removed."""
    made = threading.Event()

    def no_answer(handler: Any) -> bool:
        if folders:
            jenkins.folders.append(handler.query["name"])
        else:
            jenkins.credentials[":last9-refresh-token"] = "made"
        made.set()
        over.wait(30 if number else 0)
        return bool(handler.hang_up())

    over = threading.Event()
    jenkins.folders_allowed = folders
    plays(jenkins, lambda build: "SUCCESS")
    jenkins.trouble("POST /createItem" if folders else "POST .*createCredentials", no_answer)
    with make_controller(jenkins, ONLY="shapes/loop") as process:
        assert made.wait(60)
        if number:
            process.send_signal(number)
        told = process.communicate(timeout=60)[0]
    over.set()
    assert process.returncode != 0
    assert nothing_is_left(jenkins), told


def test_what_a_second_interrupt_leaves_is_named(jenkins: FakeJenkins) -> None:
    """If the user does not wait for the tidying, all that is left is printed, not only what was under way."""
    jenkins.folders_allowed = False
    over = threading.Event()
    tidying = threading.Event()

    def slow(handler: Any) -> bool:
        tidying.set()
        over.wait(30)
        return False

    def play(build: FakeBuild) -> str:
        jenkins.trouble("POST .*/doDelete", slow, times=99)
        return "SUCCESS"

    plays(jenkins, play)
    with make_controller(jenkins, ONLY="shapes/loop") as process:
        for _ in range(2):  # in the row's tidying, and in the suite's
            assert tidying.wait(60)
            tidying.clear()
            process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[0]
    over.set()
    left = [line.split("remove: ")[1] for line in told.splitlines() if line.startswith("LEFT")]
    assert [re.sub("last9-tests-[0-9a-f]+", "NAME", what) for what in left] == [
        "job NAME-what-the-controller-is (interrupted)",
        "job NAME-shapes-loop (interrupted)",
        "credential last9-refresh-token (interrupted)",
    ]


def test_what_an_earlier_run_has_left_is_named(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was killed could not tidy up: the next one names its folder, and does not touch it, because that run may be under way."""
    jenkins.folders.append("last9-tests-0123abcd")
    plays(jenkins, lambda build: "SUCCESS")
    ask(jenkins, ONLY="shapes/loop")
    assert "Left by an earlier run, unless one is under way: last9-tests-0123abcd" in capsys.readouterr().out
    assert jenkins.folders == ["last9-tests-0123abcd"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_suite_leaves_nothing(jenkins: FakeJenkins, number: signal.Signals) -> None:
    """Ctrl+C and SIGTERM end the suite: the build is stopped, folder and credential are removed, and the summary says what was not run."""

    def play(build: FakeBuild) -> str:
        build.say("in the body of it")
        build.stopped.wait(60)
        return "ABORTED"

    plays(jenkins, play)
    with make_controller(jenkins, ONLY="shapes/loop shapes/matrix") as process:
        until(lambda: len(jenkins.every_job) == 2 and bool(jenkins.every_job[1].builds), 60)
        process.send_signal(number)
        told = process.communicate(timeout=60)[0]
    assert "Ended early: interrupted" in told
    assert "0 passed, 0 failed, 2 not run" in told
    assert process.returncode == 2
    assert jenkins.every_job[1].builds[0].pressed[0] == "stop"
    assert nothing_is_left(jenkins)


def test_what_could_not_be_removed_is_named(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that may not be deleted is named, so that someone can delete it."""
    plays(jenkins, lambda build: "SUCCESS")
    jenkins.trouble("POST .*/doDelete", lambda h: h.page(403, "ada is missing the Job/Delete permission"), times=99)
    ask(jenkins, ONLY="shapes/loop")
    told = capsys.readouterr().out
    assert f"LEFT on the controller, please remove: folder {jenkins.folders[0]} (POST" in told
    assert "Job/Delete" in told


def test_without_folders_the_system_store_is_used_and_tidied(
    jenkins: FakeJenkins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jobs get a prefix, the credential goes into the system store and is taken out again; rows that need a folder are not run."""
    jenkins.folders_allowed = False
    jenkins.play = RunnerPlay(jenkins, tmp_path)
    assert ask(jenkins, ONLY="examples/04 shapes/build-step-fails") == 0
    told = capsys.readouterr().out
    assert "not run shapes/build-step-fails: its other jobs need a folder" in told
    assert told.splitlines()[-1] == "1 passed, 0 failed, 1 not run"
    assert all(job.name.startswith("last9-tests-") for job in jenkins.every_job)
    assert nothing_is_left(jenkins)


def test_somebody_elses_credential_is_not_touched(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a folder a credential of that id stays as it is: nothing is run with it, nothing overwrites or deletes it."""
    jenkins.folders_allowed = False
    jenkins.credentials[":last9-refresh-token"] = "production's"
    plays(jenkins, lambda build: "SUCCESS")
    assert ask(jenkins, ONLY="shapes/loop") == 2
    assert "the controller has a credential 'last9-refresh-token' of its own" in capsys.readouterr().out
    assert jenkins.credentials == {":last9-refresh-token": "production's"}


def test_a_user_who_may_create_nothing(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the right to create jobs the suite ends with Jenkins' own reason, and the credential that it made is removed."""
    jenkins.trouble("POST .*/createItem", lambda h: h.page(403, "ada is missing the Job/Create permission"), times=99)
    assert ask(jenkins, ONLY="shapes/loop") == 2
    assert "The controller cannot be asked: POST" in (told := capsys.readouterr().out)
    assert "ada is missing the Job/Create permission" in told
    assert nothing_is_left(jenkins)


def test_a_fake_last9_that_does_not_start_is_no_failed_row(
    jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the suite itself lacks is printed in one line, with exit code 2: nothing was asked."""
    monkeypatch.setattr("controller.fake_last9.COMMAND", "no-such-command")
    assert ask(jenkins, ONLY="shapes/loop") == 2
    assert "the fake Last9 did not start" in capsys.readouterr().out


def test_a_fake_last9_that_dies_ends_the_suite(
    jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it no row proves anything: the rest is not run, the controller is tidied, and it is not a success."""
    servers: list[FakeLast9] = []
    enter = FakeLast9.__enter__
    monkeypatch.setattr(FakeLast9, "__enter__", lambda self: servers.append(self) or enter(self))

    def play(build: FakeBuild) -> str:
        servers[0]._process.kill()
        servers[0]._process.wait()
        return "SUCCESS"

    plays(jenkins, play)
    assert ask(jenkins, ONLY="shapes/loop shapes/matrix") == 2
    told = capsys.readouterr().out
    assert "Ended early: the fake Last9 does not answer" in told
    assert told.splitlines()[-1] == "0 passed, 0 failed, 2 not run"
    assert nothing_is_left(jenkins)


def test_wrong_credentials_end_at_once(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made, one line says what is wrong, and the token is not in it."""
    assert ask(jenkins, JENKINS_TOKEN="s3cr3t-and-wrong") == 2
    told = capsys.readouterr().out
    assert "JENKINS_USER or JENKINS_TOKEN is wrong" in told
    assert "s3cr3t" not in told
    assert not [request for request in jenkins.requests if request.startswith("POST")]


def test_a_secret_in_the_address_is_refused(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Addresses are printed, so one with a password in it is refused, unprinted."""
    assert ask(jenkins, JENKINS_URL=jenkins.url.replace("//", "//ada:s3cr3t@")) == 2
    told = capsys.readouterr().out
    assert "JENKINS_USER and JENKINS_TOKEN" in told
    assert "s3cr3t" not in told
    assert jenkins.requests == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:port", "http://", "http://127.0.0.1:1/?a=b", "ftp://127.0.0.1"])
def test_what_is_no_address_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A text that is not an address is reported in one line, not by a stack trace, with exit code 2."""
    assert main({"JENKINS_URL": url}) == 2
    assert "Name a controller" in capsys.readouterr().out


def test_a_secret_in_the_librarys_address_is_refused(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """The library's address is printed and stands in jobs: one with a password in it is refused, unprinted, before anything is asked."""
    assert ask(jenkins, LIBRARY_REPOSITORY="https://s3cr3t@git.example.com/last9.git@v1.0.0") == 2
    told = capsys.readouterr().out
    assert "LIBRARY_REPOSITORY" in told
    assert "s3cr3t" not in told
    assert jenkins.requests == []


def test_no_address_and_no_row(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing JENKINS_URL and an ONLY that fits nothing are reported before anything is asked."""
    assert ask(jenkins, JENKINS_URL="") == 2
    assert ask(jenkins, ONLY="nonsense") == 2
    told = capsys.readouterr().out
    assert "Name a controller: make controller JENKINS_URL=" in told
    assert "No row is called ONLY=nonsense" in told
    assert ask(jenkins, ONLY="shapes/loop nonsense*") == 2
    assert "No row is called ONLY=nonsense*" in capsys.readouterr().out
    assert jenkins.requests == []
