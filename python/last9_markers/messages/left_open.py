"""Log lines about windows that earlier builds of the job left open."""

from __future__ import annotations


def closed(service: str, build: int) -> str:
    """Last9 has its stop."""
    return f"Closed the deployment of {service} that build #{build} left open"


def on_purpose(service: str, build: int) -> str:
    """A manual window of a build that ended well: a later build may mean to stop it."""
    return (
        f"Build #{build} left the deployment of {service} open: its manual start has no stop yet. It stays open until a build stops "
        "it. Set closeOpenWindows: true to close it"
    )


def needs_credential(service: str, build: int, credential: str) -> str:
    """Only the credential that is bound may be used here."""
    return (
        f"The deployment of {service} that build #{build} left open needs the credential '{credential}'. It is closed when this job "
        "sends a marker with that credential"
    )


def cannot_be_closed(service: str, build: int, reason: str) -> str:
    """This build may not send to the place where the window was sent."""
    return f"the deployment of {service} that build #{build} left open is not closed: {reason}"


def unreadable(build: int | None) -> str:
    """An entry in an earlier build's record is not a window."""
    whose = f"build #{build}" if build is not None else "an earlier build"
    return f"a deployment that {whose} left open is not closed: its record cannot be read. A Jenkinsfile must not set LAST9_RECORD."


def refused(service: str, build: int, explanation: str) -> str:
    """Last9 rejected the stop."""
    return f"the deployment of {service} that build #{build} left open is not closed and will not be retried: {explanation}"
