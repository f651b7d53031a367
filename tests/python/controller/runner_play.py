"""A build of the fake controller that is run by the pipeline runner: so the suite judges what the library really does."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from controller import probe
from controller.rows import ROOT
from fake_jenkins import FakeBuild, FakeJenkins

#: What the first pipeline says on a controller that will do.
FIT = {
    "library": "configured",
    "node": "built-in",
    "system": "Linux",
    "java": "17",
    "python": "3.11.2",
    "curl": "curl 8",
    "variables": "",
    "last9": "reached",
}


def say_what_it_is(build: FakeBuild, **other: str) -> str:
    """The first pipeline, as its log would be."""
    for name, value in {**FIT, **other}.items():
        build.say(f"{probe.PREFIX}{name}={value}")
    return "SUCCESS"


class RunnerPlay:
    """Runs each Jenkinsfile with this checkout as its library, in the sandbox."""

    def __init__(self, jenkins: FakeJenkins, folder: Path) -> None:
        self._jenkins = jenkins
        self._folder = folder

    def __call__(self, build: FakeBuild) -> str:
        """Run it; its result."""
        if probe.PREFIX in build.job.script:
            return say_what_it_is(build)
        (token,) = self._jenkins.credentials.values()
        file = self._folder / f"{len(self._jenkins.every_job)}.Jenkinsfile"
        file.write_text(build.job.script, "utf-8")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LAST9_")},
            "PIPELINE_LIBRARY_SANDBOXED": "1",
            "PIPELINE_CREDENTIALS": json.dumps({"last9-refresh-token": token}),
            "PIPELINE_PARAMS": json.dumps({name: value == "true" for name, value in build.parameters.items()}),
            "LAST9_API_BASE_URL": url_of(token),
        }
        command = [str(ROOT / "tests" / "pipeline" / "run-pipeline"), str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment) as process:
            assert process.stdout is not None
            last = ""
            for line in process.stdout:
                last = line.rstrip("\n")
                if not last.startswith(('{"result"', "Finished: ")):
                    build.say(last)
        ended = json.loads(last)
        annotate(build, ended["steps"])
        return str(ended["result"])


def url_of(token: str) -> str:
    """The base URL that a refresh token names."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["aud"][0])


def annotate(build: FakeBuild, steps: list[dict[str, Any]]) -> None:
    """The flow nodes of a recording or of the runner, as the annotated log would show them, ends included."""
    bodies: dict[tuple[str, ...], str] = {}
    blocks: dict[tuple[str, ...], str] = {}
    log = build.log
    for entry in steps:
        if entry["kind"] == "end-of":
            continue
        around = tuple(entry["enclosing"])
        color = "blue" if "error" not in entry else "aborted" if "Interrupted" in entry["error"]["class"] else "red"
        if entry["kind"] == "body":
            label = f"Branch: {entry['branch']}" if "branch" in entry else entry.get("label")
            named = f"branch:{entry['branch']}" if "branch" in entry else entry["step"] + (f":{entry['label']}" if "label" in entry else "")
            enclosing = blocks.get((*around, entry["step"]), "")
            bodies[(*around, named)] = build.node(f"{{ ({label})" if label else "{", enclosing, opens=True)
        elif entry["kind"] in ("block", "atom"):
            opens = entry["kind"] == "block"
            label = f" ({entry['label']})" if "label" in entry and not opens else ""
            number = build.node(entry["step"] + label, bodies.get(around, ""), opens, color)
            if opens:
                blocks[(*around, entry["step"])] = number
    for kind, ends in (("}", bodies), ("// block", blocks)):
        for start in ends.values():
            build.end(start, kind)
    build.log = log
