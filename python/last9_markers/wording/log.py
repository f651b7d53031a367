"""The log's own lines: what the engine does and has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from last9_markers.destination import Destination

SENT = "Deployment marker sent successfully"
KEPT_BY_A_SHELL = " The marker is kept and goes out with the next one."
INTERRUPTED = "the engine was interrupted before the marker was delivered."


def sending(label: str) -> str:
    """The line before a delivery, as Last9's plugin writes it."""
    return f"Sending deployment marker: {label}"


def sent_late(count: int) -> str:
    """What was kept from an outage has arrived."""
    return f"Sent first: {_markers(count)} that could not be delivered before, with the original time"


def kept(count: int, *, stop_follows: bool) -> str:
    """The end of a warning about a marker that was not delivered: with it ``count`` of the build's markers wait.

    A library cannot know which marker is the build's last, so each says what becomes of all if it is; the last one is the final account.
    """
    if count > 1:
        return f" {_markers(count)} are kept by now and go out with the build's next one; if none gets through, Last9 never has them."
    if stop_follows:
        return " The marker is kept and goes out with the window's stop."
    return " The marker is kept and goes out with the build's next one; if none gets through, Last9 never has it."


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
