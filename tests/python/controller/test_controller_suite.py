"""The whole suite (`make controller`) against a server that answers as Jenkins does.

Rows that need nothing done to them are run by the pipeline runner behind that server, so the library, the fake Last9 and the judge are
the real ones; builds that must end in a certain way are played.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from asking import QUICK, ask, nothing_is_left, plays
from controller import probe
from controller.cost import pipeline
from controller.fake_last9 import FakeLast9
from controller.rows import ROOT
from fake_jenkins import FakeBuild, FakeJenkins, until
from runner_play import RunnerPlay, url_of


@pytest.fixture
def jenkins() -> Iterator[FakeJenkins]:
    """A controller that is well."""
    with FakeJenkins() as server:
        yield server


@pytest.mark.endurance  # a minute: several pipelines through the runner
def test_rows_pass_by_what_the_library_really_does(jenkins: FakeJenkins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are judged on the library's own markers, log and steps: good ones pass, and the controller is left as it was."""
    jenkins.play = RunnerPlay(jenkins, tmp_path)
    code = ask(jenkins, ONLY="examples/07 examples/08*sent")
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == "2 passed, 0 failed", told
    assert code == 0
    assert nothing_is_left(jenkins)
    assert {build.parameters.get("SEND") for job in jenkins.every_job for build in job.builds} == {None, "true"}
    assert all("the-token" not in job.script for job in jenkins.every_job)


@pytest.mark.endurance  # half a minute of waiting
def test_an_outage_hits_the_marker_that_it_is_meant_for(jenkins: FakeJenkins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Faults that are due in the middle of a build are there before its next marker, though nothing holds the controller up."""
    jenkins.play = RunnerPlay(jenkins, tmp_path)
    code = ask(jenkins, ONLY="shapes/outage-during-stop")
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == "1 passed, 0 failed", told
    assert code == 0


def test_the_suites_own_pipelines_run(tmp_path: Path) -> None:
    """What the suite itself gives to a controller, to say what it is and what a marker costs there, runs in the sandbox to its end."""
    environment = {**os.environ, "PIPELINE_LIBRARY_SANDBOXED": "1"}
    said = {}
    with FakeLast9() as last9:
        scripts = {
            "probe": probe.pipeline(last9.url),
            "lost": probe.pipeline("http://127.0.0.1:9"),
            "cost": pipeline("http://127.0.0.1:9", has_curl=False).replace("< 15", "< 1"),
        }
        for name, script in scripts.items():
            (tmp_path / name).write_text(script, "utf-8")
            command = [str(ROOT / "tests" / "pipeline" / "run-pipeline"), str(tmp_path / name)]
            said[name] = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
            assert said[name][-2] == "Finished: SUCCESS", said[name]
    lost = {**probe.said_by(said["lost"]), "variables": ""}
    assert re.search("does not reach the fake Last9 .*refused", str(probe.unfit(lost)))
    facts = probe.said_by(said["probe"])
    assert facts["library"] == "configured"
    assert "LAST9_API_BASE_URL" in str(probe.unfit(facts))  # the runner sets it for every build: such a controller is not asked
    assert probe.unfit({**facts, "variables": ""}) is None


def test_a_difference_is_told_in_full(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """A build that is not what its row says fails with expectation, reality and the log; exit code 1, and the next rows are asked."""

    def play(build: FakeBuild) -> str:
        body = build.node("{", build.node("node", opens=True), opens=True)
        build.node("echo", body)
        build.say(f"my token is {next(iter(jenkins.credentials.values()))}")
        return "UNSTABLE"

    plays(jenkins, play)
    assert ask(jenkins, ONLY="shapes/body-fails shapes/body-throws") == 1
    told = capsys.readouterr().out
    assert "FAILED  shapes/body-fails" in told
    assert "result: expected\n  FAILURE\nwere\n  UNSTABLE" in told
    assert "marker: expected\n  start api 1\n  stop api 1 failure FAILURE\nwere\n  nothing" in told
    assert "were\n  node{ echo }" in told
    assert "the log shows a secret" in told
    assert "my token is ****" in told
    assert told.splitlines()[-1] == "0 passed, 2 failed"
    assert nothing_is_left(jenkins)


@pytest.mark.parametrize(
    ("hurt", "reason"),
    [
        (lambda j: setattr(j, "credentials_allowed", False), "a credential cannot be created: .*Credentials/Create"),
        (lambda j: plays(j, lambda b: "SUCCESS", python=""), "has no Python 3.9 or newer"),
        (
            lambda j: plays(j, lambda b: "SUCCESS", variables="LAST9_API_BASE_URL "),
            "the controller sets LAST9_API_BASE_URL for every build",
        ),
        (
            lambda j: plays(j, lambda b: "SUCCESS", last9="<urlopen error [Errno 111] Connection refused>"),
            "agent built-in does not reach the fake Last9 .*Connection refused",
        ),
        (lambda j: j.plugins.remove("credentials-binding"), "the controller has no plugin credentials-binding"),
        (lambda j: setattr(j, "second_is_offline", True), "the controller has no agent labelled 'second' that is online"),
        (lambda j: setattr(j, "queue_moves", False), "still waits in the queue after 2 s: Waiting for next available executor"),
    ],
)
def test_what_a_controller_lacks_is_not_run(
    jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], hurt: Callable[[FakeJenkins], None], reason: str
) -> None:
    """Rows that a controller lacks something for are not run, with the reason, and never count as passed: no success either."""
    plays(jenkins, lambda build: "SUCCESS")
    hurt(jenkins)
    assert ask(jenkins, ONLY="shapes/two-agents") == 2
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == "0 passed, 0 failed, 1 not run"
    (line,) = (line for line in told.splitlines() if line.startswith("not run"))
    assert re.search(reason, line)
    assert not [job for job in jenkins.every_job if job.name.endswith("two-agents")]
    assert nothing_is_left(jenkins)


def test_a_stop_is_pressed_when_it_is_due(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """The stop button is pressed after the line that the head names, once and not before."""
    seen: list[bool] = []

    def play(build: FakeBuild) -> str:
        build.say("Started by user Ada")
        seen.append(build.stopped.wait(0.3))
        build.say("in the body")
        seen.append(build.stopped.wait(20))
        return "ABORTED"

    plays(jenkins, play)
    assert ask(jenkins, ONLY="shapes/abort-in-body") == 1  # no marker was sent
    assert seen == [False, True]
    assert [job.builds[0].pressed for job in jenkins.every_job] == [[], ["stop"]]
    assert "did not happen" not in capsys.readouterr().out


def test_a_stop_during_a_step(jenkins: FakeJenkins) -> None:
    """`during sh 2` is when the second sh begins."""
    seen: list[bool] = []

    def play(build: FakeBuild) -> str:
        build.node("sh")
        seen.append(build.stopped.wait(0.3))
        build.node("sh")
        seen.append(build.stopped.wait(20))
        return "ABORTED"

    plays(jenkins, play)
    ask(jenkins, ONLY="shapes/abort-in-command")
    assert seen == [False, True]


def test_what_was_to_happen_and_did_not_is_a_failure(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """A build that ends before its stop was due has proved nothing."""
    plays(jenkins, lambda build: "ABORTED")
    assert ask(jenkins, ONLY="shapes/abort-in-body") == 1
    assert "stop did not happen: the log had no 'in the body'" in capsys.readouterr().out


def test_an_input_is_rejected_and_a_newer_build_supersedes(jenkins: FakeJenkins) -> None:
    """The input's own address is asked to abort; a newer build is started, and stopped itself."""

    def play(build: FakeBuild) -> str:
        build.say("in the body" if "superseded" in build.job.name else "Proceed or Abort")
        build.stopped.wait(20)
        return "NOT_BUILT"

    plays(jenkins, play)
    ask(jenkins, ONLY="shapes/input-rejected shapes/superseded")
    pressed = {job.name.rsplit("/")[-1]: [build.pressed for build in job.builds] for job in jenkins.every_job[1:]}
    assert pressed["shapes-input-rejected"] == [["input/9e7ae15687836d79eccde69863a6b77e/abort"]]
    assert pressed["shapes-superseded"][0] == ["superseded"]
    assert pressed["shapes-superseded"][1] == ["stop"]
    assert nothing_is_left(jenkins)


def test_faults_are_ordered_and_waited_for(jenkins: FakeJenkins) -> None:
    """Last9 keeps the start waiting before the stop is pressed, and is well again for the next row."""
    order: list[str] = []

    def play(build: FakeBuild) -> str:
        (token,) = jenkins.credentials.values()
        url = url_of(token)
        build.say("[Last9] Sending deployment marker: deployment (start) for api")
        order.append("stopped early" if build.stopped.wait(0.5) else "not stopped while nobody waits")

        def exchange() -> None:
            with contextlib.suppress(httpx.TransportError):  # the fake Last9 ends before its delay does
                httpx.post(f"{url}/api/v4/oauth/access_token", json={"refresh_token": token}, timeout=90)

        threading.Thread(target=exchange, daemon=True).start()
        order.append("stopped" if build.stopped.wait(30) else "not stopped")
        return "ABORTED"

    plays(jenkins, play)
    ask(jenkins, ONLY="shapes/abort-during-start")
    assert order == ["not stopped while nobody waits", "stopped"]


def test_a_build_that_never_ends_is_ended_and_fails(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """After its time a build is stopped, its row fails, and nothing of it is left."""

    def play(build: FakeBuild) -> str:
        build.stopped.wait(30)
        return "ABORTED"

    plays(jenkins, play)
    assert ask(jenkins, QUICK._replace(build=1), ONLY="shapes/loop") == 1
    assert "the build did not end within 1 s" in capsys.readouterr().out
    assert "stop" in jenkins.every_job[-1].builds[0].pressed
    assert nothing_is_left(jenkins)


def test_a_build_that_is_deleted_midway_fails_its_row_alone(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Someone deletes a build while it runs: that row fails with the reason, the next one is asked."""

    def play(build: FakeBuild) -> str:
        if "loop" in build.job.name:
            build.job.builds.remove(build)
        return "SUCCESS"

    plays(jenkins, play)
    assert ask(jenkins, ONLY="shapes/loop shapes/matrix") == 1
    told = capsys.readouterr().out
    assert "someone has deleted it" in told
    assert "FAILED  shapes/matrix" in told


def once_it_is_followed(jenkins: FakeJenkins, build: FakeBuild) -> None:
    """Wait until the suite reads the build's log: an answer to the POST that started it must not be cut off, which is another case."""
    until(lambda: any(f"{build.job.name.rsplit('/', 1)[-1]}/{build.number}/logText" in request for request in jenkins.requests))


def test_a_restart_in_between_costs_no_row(jenkins: FakeJenkins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The controller goes away while a build runs and comes back: the build is followed to its end and judged."""
    runner = RunnerPlay(jenkins, tmp_path)

    def play(build: FakeBuild) -> str:
        if probe.PREFIX not in build.job.script:
            once_it_is_followed(jenkins, build)
            jenkins.restart(seconds=1)
        return runner(build)

    jenkins.play = play
    assert ask(jenkins, ONLY="examples/04") == 0, capsys.readouterr().out


def test_a_controller_that_does_not_come_back(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows that are left are not run, and what is left on the controller is named."""

    def play(build: FakeBuild) -> str:
        once_it_is_followed(jenkins, build)
        jenkins.restart(seconds=3600)
        return "SUCCESS"

    plays(jenkins, play)
    assert ask(jenkins, patience=1, ONLY="shapes/loop shapes/matrix") == 2
    told = capsys.readouterr().out
    assert "Ended early" in told
    assert "0 passed, 0 failed, 2 not run" in told
    left = [line for line in told.splitlines() if line.startswith("LEFT")]
    assert any(line.startswith(f"LEFT on the controller, please remove: folder {jenkins.folders[0]}") for line in left)
    assert len(left) == len(set(left))


def test_without_the_library_it_comes_by_the_library_step(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """A controller without a library `last9` clones the served commit: git itself gets it, with the team's library beside it."""
    cloned: list[str] = []

    def play(build: FakeBuild) -> str:
        script = build.job.script
        assert "@Library" not in script
        steps = [line for line in script.splitlines() if line.startswith("library identifier: ")]
        url = steps[0].split("remote: '")[1].split("'")[0]
        branch = steps[0].split("last9@")[1].split("'")[0]
        command = ["git", "ls-tree", "--name-only", "-r", f"origin/{branch}"]
        subprocess.run(["git", "clone", "--quiet", url, str(clone)], check=True)
        listed = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout.splitlines()
        cloned.extend(listed)
        build.node("library")
        build.node("library")
        return "SUCCESS"

    clone = Path.cwd() / "clone"
    plays(jenkins, play, library="No library named last9 found")
    ask(jenkins, ONLY="shapes/wrapper-library")
    told = capsys.readouterr().out
    assert "vars/withLast9Deployment.groovy" in cloned
    assert "tests/library/src/test/resources/team-library/vars/opening.groovy" in cloned
    assert "of this checkout, served at http://127.0.0.1:" in told
    assert "  library" not in told.split("the log was")[0]  # its own library steps do not count as a difference


def test_a_given_repository_is_used(jenkins: FakeJenkins) -> None:
    """LIBRARY_REPOSITORY names what the controller can reach; text from outside cannot leave its place in the Jenkinsfile."""
    plays(jenkins, lambda build: "SUCCESS", library="none")
    ask(jenkins, ONLY="shapes/loop", LIBRARY_REPOSITORY="https://git.example.com/o'brien/last9.git@v1.2.3")
    first = jenkins.every_job[-1].script
    assert "library identifier: 'last9@v1.2.3'" in first
    assert "remote: 'https://git.example.com/o\\'brien/last9.git'" in first
