"""``jenkins.*``: which build this is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from last9_markers.core.formats import iso8601
from last9_markers.request.contract import Request, whole
from last9_markers.request.values import known
from last9_markers.request.variables import Variables

_NODE = "jenkins.node_name"
_VARIABLES = {
    "jenkins.job_name": "JOB_NAME",
    "jenkins.build_number": "BUILD_NUMBER",
    "jenkins.build_url": "BUILD_URL",
    _NODE: "NODE_NAME",
}

#: What the class of a cause's name ends in → who or what started the build. The first cause that is known counts.
_CAUSES = {
    "UserIdCause": "user",
    "UserCause": "user",
    "TimerTriggerCause": "timer",
    "ParameterizedTimerTriggerCause": "timer",
    "SCMTriggerCause": "scm",
    "BranchEventCause": "scm",
    "BranchIndexingCause": "scm",
    "GitHubPushCause": "scm",
    "GitLabWebHookCause": "scm",
    "BitBucketPushCause": "scm",
    "UpstreamCause": "upstream",
    "BuildUpstreamCause": "upstream",
    "ReverseBuildTriggerCause": "upstream",
    "RemoteCause": "api",
    "GenericCause": "api",
}

#: The end of a description that begins with the other build's name, and a link to it that may hold anything.
_DOWNSTREAM = re.compile(r" completed with status ([A-Z_]+) \(propagate: false to ignore\)\Z")

#: From best to worst, as ``hudson.model.Result`` orders them.
RESULTS = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")


def from_environment(request: Request, environ: Mapping[str, str]) -> dict[str, str | None]:
    """What Jenkins puts into every process's environment. A node that was taken for the marker alone is not where the build runs."""
    environ = Variables.of(environ)
    left_out = (_NODE,) if request.borrowed_node else ()
    return {name: known(environ.get(variable)) for name, variable in _VARIABLES.items() if name not in left_out}


def from_build(request: Request, event_state: str) -> dict[str, str | None]:
    """What ``currentBuild`` knows. The result is left out on a start: it says nothing yet about what begins."""
    build = request.build
    duration = whole(build.get("durationMs"))
    return {
        "jenkins.build_result": build_result(request) if event_state == "stop" else None,
        "jenkins.build_duration_ms": str(duration) if duration is not None else None,
        "jenkins.build_cause": build_cause(_causes(build.get("causes"))),
        "jenkins.build_user": build_user(_causes(build.get("causes")), _causes(build.get("upstreamCauses"))),
    }


def start_time(request: Request) -> dict[str, str | None]:
    """When the build began. Raises ``ValueError`` if that is not a time."""
    started = whole(request.build.get("startTimeMs"))
    return {"jenkins.build_start_time": iso8601(started) if started is not None else None}


def build_result(request: Request) -> str | None:
    """``currentResult``, worsened by the exception that is still on its way up through the block.

    While it travels, the build's own result does not show it yet. A superseded build ends ``NOT_BUILT``, any other interruption
    ``ABORTED`` (both seen on Jenkins 2.541), and a ``build`` step's failure as the other job ended.
    """
    current = request.build.get("currentResult") or request.build.get("result")
    body = request.body or {}
    own = {"threw": "FAILURE", "interrupted": "ABORTED"}.get(str(body.get("ended")))
    if own == "ABORTED":
        message = str(body.get("message") or "")
        own = "NOT_BUILT" if message.startswith("Superseded by") else downstream_result(message) or own
    known = [result for result in (current, own) if result in RESULTS]
    return max(known, key=RESULTS.index) if known else None


def downstream_result(message: str) -> str | None:
    """How another job ended, if this is the ``build`` step's message; ``None`` for any other interruption.

    That step fails with the exception of an abort, although no one aborted anything, and the sandbox lets a library read the message
    alone (``DownstreamFailureCause`` of pipeline-build-step: read in its source, not seen on the recorded Jenkins).
    """
    if message.startswith("Downstream build was not stable"):
        return "FAILURE"
    found = _DOWNSTREAM.search(message)
    return found.group(1) if found and found.group(1) in RESULTS else None


def build_user(causes: list[Mapping[str, Any]], upstream: list[Mapping[str, Any]]) -> str | None:
    """The id of the person who started the build, or who stands at the root (the last) of its upstream chain."""
    for cause in (*causes, *reversed(upstream)):
        user = cause.get("userId")
        if isinstance(user, str) and (name := known(user)):
            return name
    return None


def build_cause(causes: list[Mapping[str, Any]]) -> str | None:
    """``user``, ``timer``, ``scm``, ``upstream`` or ``api``; ``None`` if the plugin that started the build is unknown."""
    for cause in causes:
        name = str(cause.get("_class")).rpartition(".")[2].rpartition("$")[2]
        if name in _CAUSES:
            return _CAUSES[name]
    return None


def _causes(found: Any) -> list[Mapping[str, Any]]:
    items: Iterable[Any] = found if isinstance(found, list) else ()
    return [cause for cause in items if isinstance(cause, dict)]
