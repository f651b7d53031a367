"""``deployment.*``: the window that a marker belongs to, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping

from last9_markers.marker.attributes.jenkins import RESULTS, build_result, downstream_result
from last9_markers.request.contract import Request

_OUTCOME_OF_RESULT = {
    "SUCCESS": "success",
    "UNSTABLE": "unstable",
    "FAILURE": "failure",
    "NOT_BUILT": "aborted",
    "ABORTED": "aborted",
}

#: The message of the exception that the ``timeout`` step throws (Jenkins 2.541): nothing else tells it from an abort in the sandbox.
TIMEOUT_MESSAGE = "Timeout has been exceeded"

#: An agent that is removed interrupts what runs on it, as an abort does, but no one aborted it: the deployment failed. Descriptions of
#: RemovedNodeCause and RemovedNodeTimeoutCause in workflow-durable-task-step (source of May 2026).
AGENT_LOST_MESSAGES = ("Agent was removed", "Timeout waiting for agent to come back")


def describe(request: Request, event_state: str, said: str | None = None) -> dict[str, str | None]:
    """The window's id; on a stop its outcome (what was ``said`` of it wins) and duration too.

    A stop without a start is a point: no id, no duration.
    """
    facts = {"deployment.id": request.window_id}
    if event_state == "stop":
        facts["deployment.outcome"] = said or outcome(request)
        facts["deployment.window_duration_ms"] = _duration(request)
    return facts


def outcome(request: Request) -> str | None:
    """``success``, ``failure``, ``unstable``, ``aborted`` or ``timeout``: of the block's body, else of the build so far."""
    if request.body is None:
        return _OUTCOME_OF_RESULT.get(build_result(request) or "")
    ended = request.body.get("ended")
    if ended == "interrupted":
        return _of_interruption(str(request.body.get("message") or ""))
    if ended == "threw":
        return "failure"
    # What it returned from may have set the build's result itself.
    return _OUTCOME_OF_RESULT[str(request.body.get("resultAfter"))] if _worsened(request.body) else "success"


def _of_interruption(message: str) -> str:
    if message == TIMEOUT_MESSAGE:
        return "timeout"
    if message in AGENT_LOST_MESSAGES:
        return "failure"
    return _OUTCOME_OF_RESULT.get(downstream_result(message) or "ABORTED", "aborted")


def _worsened(body: Mapping[str, object]) -> bool:
    """Whether the build's result got worse while the block ran.

    Not if it became a failure that another block of the build has answered for: Declarative shows a failed stage's result to its
    parallel siblings, too.
    """
    before, after = body.get("resultBefore"), body.get("resultAfter")
    if after == "FAILURE" and body.get("failedElsewhere") is True:
        return False
    # No result yet means that nothing has gone wrong so far.
    ranks = [RESULTS.index(str(result)) if result in RESULTS else 0 for result in (before, after)]
    return ranks[1] > ranks[0]


def _duration(request: Request) -> str | None:
    if request.window_started_ms is None or request.timestamp_ms is None:
        return None
    return str(max(0, request.timestamp_ms - request.window_started_ms))
