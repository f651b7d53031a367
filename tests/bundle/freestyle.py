"""A Freestyle build without Jenkins: a job's config.xml, its shell steps run as core and PostBuildScript run them.

What is imitated, and where it was read (core and plugins, sources of 2026):

* ``hudson.tasks.Shell.buildCommandLine``: a script without ``#!`` is a file that ``sh -xe`` runs, in the workspace;
* ``hudson.model.Build.BuildExecution``: builders until one fails; then the publishers, in every case;
* ``AbstractBuild.getEnvironment``: ``WORKSPACE``, ``WORKSPACE_TMP`` (a folder that need not be there yet); what a build wrapper binds
  is in the environment of the publishers too, for ``buildEnvironments`` is let go of only in ``cleanUp``;
* ``SecretBuildWrapper``: binds the credential to its variable;
* ``postbuildscript.Processor``: ``BUILD_RESULT``; a step for the results that it names; a failing one fails the build;
* ``hudson.tasks.BuildTrigger``: triggers where the result is better than or equal to the threshold;
* ``ProcessTree.UnixProcess.killRecursively``: an abort ends children before their parents, each with SIGTERM and a wait until it is gone,
  all under one deadline of five seconds; then SIGKILL.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable
from xml.etree import ElementTree

from agents import MINIMAL_ENV, Last9, program

RESULTS = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")
#: Core's deadline. A machine that is busy with other tests gets more: whether ours is quick enough is seen on one that is not.
SOFT_KILL_SECONDS = 5.0


@dataclass
class Build:
    """What came of a build. ``triggered``: the jobs that it started."""

    result: str
    console: str
    steps: list[int]
    triggered: list[str] = field(default_factory=list)


class Job:
    """A Freestyle job on an agent, with the tools that its steps call."""

    def __init__(self, config: Path, folder: Path, last9: Last9, tools: Path) -> None:
        """``tools`` stands for /opt/last9."""
        self._root = ElementTree.fromstring(config.read_text("utf-8").split("?>", 1)[1])
        self._tools = tools
        self.workspace = folder / "workspace" / "deploy payments"
        self.workspace.mkdir(parents=True)
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.credentials = {"last9-refresh-token": last9.token}
        self.environment = {
            **MINIMAL_ENV,
            "PATH": f"{self.bin}:{MINIMAL_ENV['PATH']}",
            "LAST9_API_BASE_URL": last9.url,
            "LAST9_TIMEOUT_SECONDS": "60",
            "JENKINS_URL": "https://jenkins.example.com/",
            "JOB_NAME": "payments/deploy",
            "BUILD_NUMBER": "7",
            "BUILD_URL": "https://jenkins.example.com/job/payments/job/deploy/7/",
            "BUILD_TAG": "jenkins-payments-deploy-7",
            "NODE_NAME": "agent-1",
            "EXECUTOR_NUMBER": "0",
            "WORKSPACE": str(self.workspace),
            "WORKSPACE_TMP": f"{self.workspace}@tmp",
        }

    def deploys_with(self, body: str) -> None:
        """What ./deploy.sh and Maven do."""
        program(self.workspace / "deploy.sh", body)
        program(self.bin / "mvn", body)

    def build(self, abort: Callable[[], None] | None = None) -> Build:
        """Run the job. ``abort`` returns at the moment when a person presses stop."""
        environ = {**self.environment, **self._bound()}
        done = Build("SUCCESS", "", [])
        for step in self._root.iterfind("builders/*"):
            if done.result == "SUCCESS":
                self._run(self._command(step), environ, done, abort)
        for publisher in self._root.iterfind("publishers/*"):
            if publisher.tag.endswith("PostBuildScript"):
                self._post_build_script(publisher, environ, done)
            else:
                self._build_trigger(publisher, done)
        return done

    def _bound(self) -> dict[str, str]:
        found = {}
        for binding in self._root.iter("org.jenkinsci.plugins.credentialsbinding.impl.StringBinding"):
            found[binding.findtext("variable") or ""] = self.credentials[binding.findtext("credentialsId") or ""]
        return found

    def _command(self, step: ElementTree.Element) -> str:
        if step.tag == "hudson.tasks.Maven":
            return f"mvn {step.findtext('targets')}"
        assert step.tag == "hudson.tasks.Shell", step.tag
        return (step.findtext("command") or "").replace("/opt/last9/", f"{self._tools}/")

    def _run(self, command: str, environ: dict[str, str], done: Build, abort: Callable[[], None] | None = None) -> None:
        script = self.workspace.parent / f"jenkins{len(done.steps)}.sh"
        script.write_text(command, "utf-8")
        process = subprocess.Popen(
            ["sh", "-xe", str(script)], cwd=self.workspace, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if abort is not None:
            abort()
            kill_recursively(process, time.monotonic() + SOFT_KILL_SECONDS + os.getloadavg()[0])
        console, _ = process.communicate(timeout=240)
        done.console += console
        done.steps.append(process.returncode)
        if abort is not None:
            done.result = "ABORTED"
        elif process.returncode:
            done.result = worse(done.result, "FAILURE")

    def _post_build_script(self, publisher: ElementTree.Element, environ: dict[str, str], done: Build) -> None:
        environ = {**environ, "BUILD_RESULT": done.result}
        for part in publisher.iter("org.jenkinsci.plugins.postbuildscript.model.PostBuildStep"):
            if done.result in [node.text for node in part.iter("string")]:
                for step in part.iterfind("buildSteps/*"):
                    self._run(self._command(step), environ, done)

    def _build_trigger(self, publisher: ElementTree.Element, done: Build) -> None:
        threshold = publisher.findtext("threshold/name") or "SUCCESS"
        if RESULTS.index(done.result) <= RESULTS.index(threshold):
            done.triggered.append(publisher.findtext("childProjects") or "")


def worse(one: str, other: str) -> str:
    """The worse of two results."""
    return max(one, other, key=RESULTS.index)


def kill_recursively(process: subprocess.Popen[Any], deadline: float) -> None:
    """End a process tree as core does: children first, under one deadline."""
    _end_tree(process.pid, deadline, process)


def _end_tree(pid: int, deadline: float, root: subprocess.Popen[Any]) -> None:
    for child in _children(pid):
        _end_tree(child, deadline, root)
    _signal(pid, signal.SIGTERM)
    pause = 0.01
    while not _gone(pid, root):
        time.sleep(pause)
        pause = min(pause * 2, 1)
        if time.monotonic() >= deadline:
            break
    if not _gone(pid, root):
        _signal(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _gone(pid: int, root: subprocess.Popen[Any]) -> bool:
    # Jenkins has waited for its own child by then, too.
    return root.poll() is not None if pid == root.pid else not os.path.exists(f"/proc/{pid}")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
