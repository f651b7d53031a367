"""What the log says of windows that earlier builds of the job left open."""

from __future__ import annotations


def closed(service: str, build: int) -> str:
    """Its stop is with Last9."""
    return f"Closed the deployment of {service} that build #{build} left open"


def on_purpose(service: str, build: int) -> str:
    """A manual window of a build that ended well: a later build may mean to stop it."""
    return (
        f"Build #{build} left the deployment of {service} open: its manual start has had no stop yet. It stays open until a build stops "
        "it; with closeOpenWindows: true it is closed"
    )


def needs_credential(service: str, build: int, credential: str) -> str:
    """Only the credential that is bound may be used here."""
    return (
        f"The deployment of {service} that build #{build} left open needs the credential '{credential}'. It is closed as soon as this job "
        "sends a marker with that one"
    )


def cannot_be_closed(service: str, build: int, reason: str) -> str:
    """Where it was sent to is nowhere that this build may send to."""
    return f"the deployment of {service} that build #{build} left open is not closed: {reason}"


def unreadable(build: int | None) -> str:
    """What stands in an earlier build's record is no window."""
    whose = f"build #{build}" if build is not None else "an earlier build"
    return f"a deployment that {whose} left open cannot be read in that build's record, and is not closed."


def refused(service: str, build: int, explanation: str) -> str:
    """Last9 does not want the stop."""
    return f"the deployment of {service} that build #{build} left open is not closed, and is not tried again: {explanation}"
