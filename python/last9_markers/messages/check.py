"""The texts of a connection test: for each check what it found and, if that is a problem, what to do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from last9_markers.client.proxies import Exemption

#: The longest name of a check.
_WIDTH = 12

#: Level of configuration, as the contract names it → its name in the log.
SOURCES = {
    "option": "the option",
    "parameter": "a build parameter",
    "environment": "an environment variable",
    "profile": "the routing profile",
    "config": "last9Config",
    "global": "a LAST9_* variable",
    "default": "the default",
}


def line(state: str, check: str, text: str) -> str:
    """One finding in the log."""
    return f"{state:<7} {check:<{_WIDTH}} {text}"


BEGINS = "Connection test:"


def summary(ok: int, warnings: int, failed: int, *, written: bool | None, unread: bool) -> str:
    """The line after the findings.

    ``written``: Last9 accepted a test event; ``None``: only that test is missing. ``unread``: something that was
    read back is not as it should be.
    """
    if failed:
        verdict = "markers will not get through"
    elif written:
        verdict = "markers get through"
    elif written is None:
        verdict = "no check failed, but no test event was written"
    else:
        verdict = "markers may or may not get through, see the warnings"
    if unread and not failed and written is not False:
        verdict += "; whether dashboards show markers is not proven, see the warnings"
    return f"Connection test: {verdict} ({ok} ok, {warnings} {'warning' if warnings == 1 else 'warnings'}, {failed} failed)"


def fail_build(failed: str) -> str:
    """The text with which ``failOnError`` fails the build."""
    return f"Last9 connection test failed, and failOnError is set: {failed}"


# -- the agent -----------------------------------------------------------------------------------------------------------------


def interpreter(version: str, path: str, tls: str) -> str:
    """The Python that runs the engine."""
    return f"Python {version} at {path}, with {tls}"


def bundle(version: str, folder: str) -> str:
    """The engine that runs."""
    return f"last9-markers {version}, from {folder}"


def code_not_kept(folder: str) -> str:
    """The engine is slower than it needs to be."""
    return (
        f"the engine is compiled again for each marker, which costs about 0.1 s: {folder} cannot be written. Make the temporary "
        "workspace writable for the agent's user, and give it a few MB of space."
    )


# -- credential, organization, host --------------------------------------------------------------------------------------------


def token(credential_id: str, expires_at: float | None, *, is_jwt: bool) -> str:
    """A token that may be sent."""
    if not is_jwt:
        return f"found (credential '{credential_id}'); not a JWT, so its scope and organization are unknown"
    return f"found (credential '{credential_id}'){f', valid until {_day(expires_at)}' if expires_at else ''}"


def token_expired(credential_id: str, expires_at: float) -> str:
    """The token's own date, compared with this machine's clock. Only Last9 can tell for sure."""
    return (
        f"the refresh token expired on {_day(expires_at)} (credential '{credential_id}'). Create a new one with write scope in Last9 and "
        "save it there."
    )


def token_expires_soon(credential_id: str, expires_at: float) -> str:
    """Markers will soon stop getting through."""
    return (
        f"the refresh token expires on {_day(expires_at)} (credential '{credential_id}'). Create a new one with write scope in Last9 "
        "and save it there before that day."
    )


def host(url: str, source: str) -> str:
    """The API's address, and the setting that gave it."""
    return f"{url}, from {source}"


def host_differs(url: str, source: str, named: str) -> str:
    """Settings and token disagree about the host."""
    return (
        f"{url}, from {source}, but the token names {named}. If the exchange below fails, set apiBaseUrl to {named}, or leave it out "
        "to use the token's own."
    )


def organization(slug: str, source: str) -> str:
    """The organization, as far as it is known without a write."""
    return f"'{slug}', from {source}{'' if source == 'the token' else '; the token says the same'}"


def organization_differs(slug: str, source: str, named: str) -> str:
    """Settings and token disagree about the organization."""
    return f"'{slug}', from {source}, but the token is for '{named}'. Set orgSlug to '{named}', or leave it out to use the token's own."


def organization_unproven(slug: str, source: str) -> str:
    """Only a write shows whether that organization accepts markers."""
    return f"'{slug}', from {source}: not proven, because the token does not name its organization. {_TO_PROVE}"


def organization_proven(slug: str) -> str:
    """A write got through."""
    return f"'{slug}' accepts markers"


# -- the way to Last9 ----------------------------------------------------------------------------------------------------------


def no_proxy(host: str, exemption: Exemption | None) -> str:
    """No proxy is used, and why."""
    return f"none for {host}{f' (because of {exemption.entry!r} in {exemption.variable})' if exemption else ''}"


def proxy(shown: str, variable: str) -> str:
    """The proxy in use."""
    return f"{shown}, from {variable}"


def name_known(host: str, addresses: list[str], behind: str | None) -> str:
    """The name resolves."""
    shown = ", ".join(addresses[:4]) + (", …" if len(addresses) > 4 else "")
    return f"{host} resolves to {shown}{f'; the proxy resolves {behind}' if behind else ''}"


def name_late(host: str, seconds: float, is_proxy: bool) -> str:
    """The resolver hangs."""
    where = "HTTPS_PROXY" if is_proxy else "apiBaseUrl"
    return f"the name {host} was not resolved within the time limit of {seconds:g} s. Check the agent's DNS servers, and {where}."


def name_unknown(host: str, reason: str, is_proxy: bool) -> str:
    """The name does not resolve."""
    where = "HTTPS_PROXY" if is_proxy else "apiBaseUrl, or set HTTPS_PROXY if a proxy is the only way out"
    return f"the name {host} cannot be resolved ({reason}). Check the agent's DNS and {where}."


def connected(host: str, milliseconds: int, status: int, via: str | None, silent: list[str]) -> str:
    """A server sent an HTTP response. ``silent``: the addresses that did not; each costs every marker a quarter of a second."""
    late = f"; no answer in time from {', '.join(silent)}, so another address was used" if silent else ""
    return f"{host} answered{f' through the proxy {via}' if via else ''} ({status} to a request without a token, {milliseconds} ms){late}"


def certificate(subject: str | None, issuer: str | None, until: str | None, version: str | None) -> str:
    """The chain leads to a trusted root. The issuer shows whether a company's proxy inspects the traffic."""
    return f"the certificate of {subject or '?'} is trusted: issued by {issuer or '?'}, valid until {until or '?'} ({version or '?'})"


def no_tls() -> str:
    """Plain http never leaves this machine."""
    return "none: plain http to this machine"


def clock(off: float) -> str:
    """The agent's clock is right enough."""
    return f"the agent's clock and the server's are {abs(off):.0f} s apart"


def clock_unproven() -> str:
    """The response has no Date header."""
    return "not proven: the server's answer has no Date header. Compare the clocks of agent and controller with a time server."


def agent_clock_off(off: float) -> str:
    """The agent's clock is wrong."""
    return (
        f"the agent's clock is {_off(off)} the server's. Markers from a shell are off by that much, and certificates may seem invalid. "
        "Synchronize the clock with a time server."
    )


def controller_clock_off(off: float) -> str:
    """The clock that gives a Pipeline's markers their time is wrong, or the step waited very long for an agent."""
    waited = "" if off > 0 else ", unless this step waited that long for an agent"
    return f"the controller's clock is {_off(off)} the server's{waited}. It times a Pipeline's markers. Synchronize it with a time server."


# -- the API -------------------------------------------------------------------------------------------------------------------


def exchanged(milliseconds: int, hours: float | None) -> str:
    """Last9 accepted the refresh token."""
    return f"Last9 accepted the refresh token ({milliseconds} ms){f'; the access token is valid for {hours:.0f} h' if hours else ''}"


def scope(scopes: tuple[str, ...]) -> str:
    """The token may write."""
    return f"the access token has: {', '.join(scopes)}"


def scope_proven() -> str:
    """A write got through."""
    return "the token may write"


def scope_too_low(scopes: tuple[str, ...], credential_id: str) -> str:
    """The token may only read."""
    return (
        f"the token has only: {', '.join(scopes)}. Create a refresh token with the write scope in Last9 and save it as credential "
        f"'{credential_id}'."
    )


def scope_unproven(scopes: tuple[str, ...]) -> str:
    """The scopes are unknown to us, or the token names none."""
    known = f"the token has: {', '.join(scopes)}, which may or may not include write" if scopes else "the token does not name its scopes"
    return f"not proven: {known}. {_TO_PROVE}"


def written(service: str, event_name: str) -> str:
    """Last9 has the test event."""
    return f"Last9 accepted a test event: event_name '{event_name}', service '{service}'"


def write_unproven() -> str:
    """The caller did not ask for a write."""
    return f"not tested: no test event was written. {_TO_PROVE}"


def write_refused(culprit: str) -> str:
    """The finding that says why comes just before."""
    return f"the test event was rejected: see {culprit}."


def write_held_back() -> str:
    """A dry run sends nothing, test events included."""
    return "not tested: dryRun (or LAST9_DRY_RUN) is set, so nothing is sent. Unset it for a test event."


def write_without_name(options: Sequence[str]) -> str:
    """Nothing deletes an event: none is sent for a service that is called ``null`` by mistake."""
    return f"not proven: no test event was sent, because {' and '.join(options)} cannot be used. See options."


def not_reached(reason: str) -> str:
    """Something before it failed."""
    return f"skipped: {reason} failed. Fix that first."


def time_is_over(seconds: float) -> str:
    """The test hangs here."""
    return (
        f"no answer within the time limit of {seconds:g} s. Check the proxies and firewalls between the agent and Last9, or raise "
        "timeoutSeconds."
    )


_TO_PROVE = "Set sendTestEvent once to test writing."


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


def _off(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'}"
