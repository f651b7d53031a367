"""The log's ordinary lines: what the engine does, and what it has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from last9_markers.client.proxies import Exemption
    from last9_markers.request.destination import Destination

SENT = "Deployment marker sent successfully"
KEPT_BY_A_SHELL = " The marker is queued and will be sent with the next one."
STILL_KEPT = " It stays queued and will be sent with the next one. If none succeeds, it is lost."
INTERRUPTED = "the engine was interrupted before the marker was delivered."


def sending(label: str) -> str:
    """The line before a delivery, as Last9's plugin writes it."""
    return f"Sending deployment marker: {label}"


def sent_late(count: int) -> str:
    """Markers that were queued during an outage have arrived."""
    return f"Also sent: {'1 queued deployment marker' if count == 1 else f'{count} queued deployment markers'} (original timestamps)"


def closed_killed(service: str) -> str:
    """The window of a ``window`` process that was killed is closed."""
    return f"Closed the deployment of {service}, whose process was killed; its outcome is unknown"


def commits_disagree(start: str, stop: str) -> str:
    """The checkout came after the start, or there was a second one."""
    return f"the start of this window named commit {start[:12]}, its stop names {stop[:12]}. Check out before the window begins."


def outage(*, from_shell: bool) -> str:
    """An outage has begun. In a shell the next marker may be the stop of the same window, also without a state file."""
    if from_shell:
        return "Last9 does not answer; the markers that follow get one short attempt each for the next 2 minutes"
    return "Last9 does not answer; markers of this build on this agent get one short attempt each for the next 2 minutes"


def kept(count: int, *, stop_follows: bool) -> str:
    """The end of a warning about a marker that was not delivered. ``count``: how many of the build's markers are queued now.

    The library cannot know which marker is the build's last one. So each warning says what happens to all of them if none follows.
    """
    if count > 1:
        return f" {_markers(count)} are queued and will be sent with this build's next marker. If none succeeds, they are lost."
    if stop_follows:
        return " The marker is queued and will be sent with the window's stop."
    return " The marker is queued and will be sent with this build's next marker. If none succeeds, it is lost."


def dry_run(destination: Destination | None) -> str:
    """The line before a dry run's payload."""
    where = f" to organization '{destination.organization}' at {destination.base_url.text}" if destination else ""
    return f"Dry run: nothing is sent{where}. The marker:"


def engine_failed(error: BaseException, place: str) -> str:
    """A defect in this library."""
    return f"internal error ({type(error).__name__} at {place}: {error}). The build continues. Please report this."


def no_answer(reason: str) -> str:
    """The answer file could not be written."""
    return f"the answer cannot be written ({reason}), so the build does not know whether Last9 has this marker. Free space on the agent."


# -- with LAST9_DEBUG ----------------------------------------------------------------------------------------------------------


def begun(step: str, pending: int) -> str:
    """The versions in use."""
    import platform
    import sys

    from last9_markers import __version__

    return (
        f"last9-markers {__version__}, Python {platform.python_version()} at {sys.executable}, {step}, {_markers(pending)} queued earlier"
    )


def attributes_left_out(names: list[str]) -> str:
    """With LAST9_DEBUG: automatic attributes, beyond the number that a series may have."""
    return f"left out, because a series cannot have more labels: {', '.join(names)}"


def no_repository() -> str:
    """With LAST9_DEBUG: git finds no repository."""
    return "the step's folder is not in a repository; set scmDirectory to the folder of the checkout that is deployed, relative to it"


def another_repository(url: str) -> str:
    """With LAST9_DEBUG: ``GIT_*`` names another repository than the one that is checked out."""
    return f"GIT_URL is {url}, but another repository is checked out; using that one"


def checkout_left_over() -> str:
    """With LAST9_DEBUG: the workspace's checkout is not of this build."""
    return "the checkout is ignored: it is older than this build"


def going_to(destination: Destination, seconds: float) -> str:
    """The destination and the time limit."""
    to = f"organization '{destination.organization}' at {destination.base_url.text}, credential '{destination.credential_id}'"
    return f"to {to}, within {seconds:g} s"


def way(proxy: str | None, variable: str | None, exemption: Exemption | None) -> str:
    """The proxy in use, or why there is none."""
    if proxy:
        return f"through the proxy {proxy} (from {variable})"
    return f"without a proxy{f' ({exemption.entry!r} in {exemption.variable})' if exemption else ''}"


def roots(sources: list[str]) -> str:
    """The sources of the trusted root certificates."""
    return f"CA certificates from {', '.join(sources) or 'nowhere'}"


def attempt(method: str, url: str, result: str, seconds: float, left: float) -> str:
    """One request and its result."""
    return f"{method} {url}: {result} after {seconds * 1000:.0f} ms, {left:.1f} s left"


def pause(seconds: float, left: float) -> str:
    """The pause before a retry."""
    return f"pause of {seconds:.2f} s before the retry, {left:.1f} s left"


def fail_build(reason: str) -> str:
    """The text with which ``failOnError`` fails the build."""
    return f"Last9 deployment marker not delivered, and failOnError is set: {reason}"


def _markers(count: int) -> str:
    return "1 deployment marker" if count == 1 else f"{count} deployment markers"


def folder_of_others(folder: str, reason: str) -> str:
    """Other users may write to the folder of our files. The program is still verified before it runs."""
    return f"the folder {folder} stays open to others: {reason}"
