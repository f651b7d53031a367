"""The log's own lines: what the engine does and has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from last9_markers.client.proxies import Exemption
    from last9_markers.request.destination import Destination

SENT = "Deployment marker sent successfully"
KEPT_BY_A_SHELL = " The marker is kept and goes out with the next one."
STILL_KEPT = " It stays kept and goes out with the next one; if none gets through, Last9 never has it."
INTERRUPTED = "the engine was interrupted before the marker was delivered."


def sending(label: str) -> str:
    """The line before a delivery, as Last9's plugin writes it."""
    return f"Sending deployment marker: {label}"


def sent_late(count: int) -> str:
    """What was kept from an outage has arrived."""
    return f"Also sent: {_markers(count)} that could not be delivered before, with the original time"


def closed_killed(service: str) -> str:
    """The window of a ``window`` process that was killed is closed."""
    return f"Closed the deployment of {service}, whose process was killed; its outcome is unknown"


def commits_disagree(start: str, stop: str) -> str:
    """The checkout came after the start, or another one."""
    return f"the start of this window named commit {start[:12]}; what was deployed is {stop[:12]}, as its stop says"


def outage(*, from_shell: bool) -> str:
    """An outage has begun. A window in a shell needs no state file for its stop to be the next marker."""
    if from_shell:
        return "Last9 does not answer; the markers that follow get one short attempt each for the next 2 minutes"
    return "Last9 does not answer; markers of this build on this node get one short attempt for the next 2 minutes"


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


def no_answer(reason: str) -> str:
    """The answer file could not be written."""
    return f"the answer cannot be written ({reason}), so the build does not learn what became of this marker."


# -- with LAST9_DEBUG ----------------------------------------------------------------------------------------------------------


def begun(step: str, pending: int) -> str:
    """Who is at work."""
    import platform
    import sys

    from last9_markers import __version__

    return (
        f"last9-markers {__version__}, Python {platform.python_version()} at {sys.executable}, {step}, {_markers(pending)} kept from before"
    )


def attributes_left_out(names: list[str]) -> str:
    """With LAST9_DEBUG: attributes that nobody asked for, beyond what a series may have."""
    return f"left out, since a series has room for no more labels: {', '.join(names)}"


def no_repository() -> str:
    """With LAST9_DEBUG: git has nothing to say."""
    return "no repository where the step runs; scmDirectory names the folder of the checkout that is deployed, from there on"


def another_repository(url: str) -> str:
    """With LAST9_DEBUG: ``GIT_*`` speaks of something else than what is checked out."""
    return f"GIT_URL is {url}, and another repository is checked out: its facts are sent"


def checkout_left_over() -> str:
    """With LAST9_DEBUG: what lies in the workspace is not of this build."""
    return "what is checked out is older than this build: its facts are not sent"


def going_to(destination: Destination, seconds: float) -> str:
    """Where to, and how long it may take."""
    to = f"organization '{destination.organization}' at {destination.base_url.text}, credential '{destination.credential_id}'"
    return f"to {to}, within {seconds:g} s"


def way(proxy: str | None, variable: str | None, exemption: Exemption | None) -> str:
    """Which proxy, or what decided that there is none."""
    if proxy:
        return f"through the proxy {proxy} (from {variable})"
    return f"without a proxy{f' ({exemption.entry!r} in {exemption.variable})' if exemption else ''}"


def roots(sources: list[str]) -> str:
    """Where the roots come from that a certificate may lead to."""
    return f"CA certificates from {', '.join(sources) or 'nowhere'}"


def attempt(method: str, url: str, result: str, seconds: float, left: float) -> str:
    """One request and what came of it."""
    return f"{method} {url}: {result} after {seconds * 1000:.0f} ms, {left:.1f} s left"


def pause(seconds: float, left: float) -> str:
    """Before the next try."""
    return f"pause of {seconds:.2f} s before the next try, {left:.1f} s left"


def fail_build(reason: str) -> str:
    """The text with which ``failOnError`` fails the build."""
    return f"Last9 deployment marker not delivered, and failOnError is set: {reason}"


def _markers(count: int) -> str:
    return "1 deployment marker" if count == 1 else f"{count} deployment markers"


def folder_of_others(folder: str, reason: str) -> str:
    """Others may write where our files are; what is executed is verified all the same."""
    return f"the folder {folder} stays open to others: {reason}"
