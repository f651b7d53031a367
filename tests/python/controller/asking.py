"""`make controller` against the fake controller, in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from controller import probe
from controller.__main__ import main
from controller.rows import ROOT
from controller.suite import Limits
from fake_jenkins import FakeJenkins, Play
from runner_play import say_what_it_is

QUICK = Limits(queue=2, build=300, look=0.02)
TOKEN = "the-token"


def ask(jenkins: FakeJenkins, limits: Limits = QUICK, patience: float = 20, **settings: str) -> int:
    """`make controller` with these settings."""
    return main({"JENKINS_URL": jenkins.url, "JENKINS_USER": "ada", "JENKINS_TOKEN": TOKEN, **settings}, limits, patience)


def plays(jenkins: FakeJenkins, play: Play, **facts: str) -> None:
    """Builds of rows are played by that, the first pipeline as on a controller that will do."""
    jenkins.play = lambda build: say_what_it_is(build, **facts) if probe.PREFIX in build.job.script else play(build)


def make_controller(jenkins: FakeJenkins, **settings: str) -> subprocess.Popen[str]:
    """The same as a process of its own, to be interrupted."""
    address = {"JENKINS_URL": jenkins.url, "JENKINS_USER": "ada", "JENKINS_TOKEN": TOKEN}
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'python'}", **address, **settings}
    return subprocess.Popen([sys.executable, "-m", "controller"], env=environment, stdout=subprocess.PIPE, text=True)


def nothing_is_left(jenkins: FakeJenkins) -> bool:
    """Neither jobs nor folders nor credentials nor builds that run."""
    return not (jenkins.jobs or jenkins.folders or jenkins.credentials)
