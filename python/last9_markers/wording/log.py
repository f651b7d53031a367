"""The log's own lines: what the engine does and has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from last9_markers.destination import Destination

SENT = "Deployment marker sent successfully"
KEPT = " The marker is kept and goes out with the build's next one."
KEPT_BY_A_SHELL = " The marker is kept and goes out with the next one."
INTERRUPTED = "the engine was interrupted before the marker was delivered."


def sending(label: str) -> str:
    """The line before a delivery, as Last9's plugin writes it."""
    return f"Sending deployment marker: {label}"


def sent_late(count: int) -> str:
    """What was kept from an outage has arrived."""
    return f"Sent first: {_markers(count)} that could not be delivered before, with the original time"


def dry_run(destination: Destination | None) -> str:
    """The line before a dry run's payload."""
    where = f" to organization '{destination.organization}' at {destination.base_url.text}" if destination else ""
    return f"Dry run: nothing is sent{where}. The marker:"


def engine_failed(error: BaseException, place: str) -> str:
    """A defect of ours."""
    return f"the engine failed ({type(error).__name__} at {place}: {error}). The build goes on; please report this."


def fail_build(reason: str) -> str:
    """The text with which ``failOnError`` fails the build."""
    return f"Last9 deployment marker not delivered, and failOnError is set: {reason}"


def _markers(count: int) -> str:
    return "1 deployment marker" if count == 1 else f"{count} deployment markers"
