"""Starts in the background: what is said at the start, and what the stop says about them."""

from __future__ import annotations


def handed_over(label: str) -> str:
    """The line of a start that is left to the background, in place of ``Sending deployment marker``."""
    return f"Sending deployment marker in the background: {label}"


def cannot_run(reason: str) -> str:
    """A start that was to go into the background and cannot."""
    return (
        f"startInBackground is left out, since no process can be left behind here ({reason}): the start is sent at once. Check that "
        "the agent's temporary workspace can be written and knows file locks."
    )


def delivered(label: str) -> str:
    """A start that has arrived from the background."""
    return f"Deployment marker sent successfully in the background: {label}"


def failed(reason: str) -> str:
    """A start that could not be delivered in the background; ``reason`` is the whole sentence, cause and remedy."""
    return f"in the background, {reason} It is sent again now."


def refused(reason: str) -> str:
    """A start that Last9 will never take; ``reason`` is the whole sentence, cause and remedy."""
    return f"in the background, {reason} So this window has a stop alone."


def unknown(label: str) -> str:
    """A start whose process has ended without a word, or ran on an agent that cannot be asked."""
    return f"Nothing is known of {label} in the background, so it is sent again, the very same"


def recalled(label: str) -> str:
    """A start that was still under way when the stop had waited long enough."""
    return f"{label} was still under way in the background and is sent again now, the very same"
