"""Every text that people get to read: what happened, and what to do about it. One problem is one sentence pair.

Texts may hold values from outside; the journal redacts them and keeps them on one line.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from last9_markers import errors

if TYPE_CHECKING:
    from last9_markers.credentials import Claims
    from last9_markers.destination import Destination

#: How each kind of :exc:`~last9_markers.errors.NetworkFailure` is told; ``{host}`` is who we spoke to, ``{limit}`` the time limit.
NETWORK = {
    "name": ("the name {host} cannot be resolved", "Check the base URL, and the agent's DNS or HTTPS_PROXY."),
    "refused": ("{host} refuses connections", "Check the base URL, and whether the agent may reach it or needs HTTPS_PROXY."),
    "unreachable": ("{host} cannot be reached", "Check whether the agent may reach it or needs HTTPS_PROXY."),
    "connecting": ("{host} did not accept a connection in time", "Check whether a firewall drops it, or the agent needs HTTPS_PROXY."),
    "tls": ("the TLS handshake with {host} failed", "Check the base URL, and what stands between the agent and Last9."),
    "answering": ("{host} did not answer in time", "Last9 may be down or slow; timeoutSeconds ({limit}) is the limit over everything."),
    "cut": ("{host} cut the connection", "Last9 or a proxy on the way may be down; nothing needs to change if this stays rare."),
    "garbled": ("{host} does not answer in HTTP", "Check the base URL and the proxy."),
    "proxy": ("the proxy cannot reach Last9", "Check the proxy and the base URL."),
}


class Circumstances(NamedTuple):
    """What a sentence about a failed delivery may name. ``via``: the proxy in use; ``now``: the wall clock."""

    credential_id: str
    organization: str | None
    host: str | None
    timeout_seconds: float
    claims: Claims
    now: float
    via: str | None = None


# -- the log's own lines -------------------------------------------------------------------------------------------------------

SENT = "Deployment marker sent successfully"


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


# -- the request ---------------------------------------------------------------------------------------------------------------


def request_unreadable(detail: str) -> str:
    """The two halves do not understand each other."""
    return (
        f"the engine cannot read the library's request ({detail}). The library's Groovy code and its bundle must come from one "
        "version: check the version that @Library names, and customAttributes for extreme nesting."
    )


def request_missing(detail: str) -> str:
    """The request file is not there."""
    return f"the engine cannot open the library's request ({detail}). Check that the agent's temporary workspace can be read."


def service_name_missing(step: str) -> str:
    """``serviceName`` is not given."""
    step = step or "last9DeploymentMarker"
    return f"no marker: serviceName is missing. Name the service as your APM does: {step}(serviceName: 'payments-api', …)."


def bad_event_state(given: str) -> str:
    """``eventState`` is neither."""
    return f"no marker: eventState is '{given}', but must be 'start' or 'stop' (the default)."


def bad_switch(name: str, given: str, instead: str) -> str:
    """A yes/no option is neither."""
    return f"{name} is '{given}', but must be true or false: {instead}."


def bad_attribute_names(given: str, default: str) -> str:
    """``attributeNames`` is not one of the three."""
    return f"attributeNames is '{given}', but must be 'both', 'dotted' or 'underscore': '{default}' counts."


def bad_timeout(given: str, default: float) -> str:
    """``timeoutSeconds`` is no time."""
    return f"timeoutSeconds is '{given}', but must be a number of seconds above 0: {default:g} counts."


def unknown_option(name: str, nearest: str | None) -> str:
    """A misspelt option."""
    advice = f"did you mean '{nearest}'?" if nearest else "see the step's help for the options there are."
    return f"unknown option '{name}', ignored: {advice}"


# -- attributes ----------------------------------------------------------------------------------------------------------------


def custom_attributes_no_map() -> str:
    """``customAttributes`` is not a map."""
    return "customAttributes is not a map, ignored. Write customAttributes: [team: 'payments']."


def attribute_without_name() -> str:
    """A blank key."""
    return "customAttributes has an entry without a name, ignored. Give it one."


def attribute_not_settable(name: str) -> str:
    """The two attributes that tie a window together."""
    return f"customAttributes cannot set '{name}', which ties a start to its stop: ignored. Choose another name."


def source_failed(name: str, error: Exception) -> str:
    """A source of attributes broke."""
    return f"the {name} attributes are missing ({type(error).__name__}: {error}). The marker goes without them; please report this."


def other_repository(url: str, theirs: str, ours: str) -> str:
    """``GIT_*`` speaks of another repository than the workspace holds."""
    return (
        f"scm attributes are those of {url} at {theirs[:12]} (GIT_URL, GIT_COMMIT), but the workspace holds another repository at "
        f"{ours[:12]}. If that is what is deployed, set GIT_URL, GIT_COMMIT and GIT_BRANCH with withEnv from what checkout returns."
    )


# -- settings of the agent -----------------------------------------------------------------------------------------------------


def token_with_blanks() -> str:
    """The secret was pasted with a line break."""
    return "the refresh token has blanks or a line break around it; they were cut off. Save the credential again without them."


def proxy_unusable(variable: str, reason: str) -> str:
    """A proxy variable that cannot be used."""
    return f"{variable} is left out: {reason}. Set it to http://host:port, or unset it for the agent."


def ca_unusable(variable: str, path: str, reason: str) -> str:
    """A CA bundle that cannot be used."""
    return f"{variable} is left out: {path} cannot be read as PEM certificates ({reason}). Correct the path or unset it."


def pending_unreadable() -> str:
    """Something that was kept is no marker."""
    return "a marker kept from before cannot be read and is dropped. The library's Groovy code and its bundle must come from one version."


# -- delivery ------------------------------------------------------------------------------------------------------------------


KEPT = " The marker is kept and goes out with the build's next one."


def not_delivered(label: str, error: errors.NotDelivered, about: Circumstances) -> str:
    """Why a marker is not with Last9, and what to do."""
    return f"{label} was not delivered: {_because(error, about)}"


def late_marker_refused(error: errors.NotDelivered, about: Circumstances) -> str:
    """A kept marker that Last9 will never take."""
    return f"a marker kept from before was refused and is dropped: {_because(error, about)}"


INTERRUPTED = "the engine was interrupted before the marker was delivered."


def engine_failed(error: BaseException, place: str) -> str:
    """A defect of ours."""
    return f"the engine failed ({type(error).__name__} at {place}: {error}). The build goes on; please report this."


def fail_build(reason: str) -> str:
    """The text with which ``failOnError`` fails the build."""
    return f"Last9 deployment marker not delivered, and failOnError is set: {reason}"


def _because(error: errors.NotDelivered, about: Circumstances) -> str:
    if isinstance(error, errors.NetworkFailure):
        cause, remedy = NETWORK[error.kind]
        host = f"{about.host} (through the proxy {about.via})" if about.via else str(about.host)
        return f"{cause.format(host=host)}. {remedy.format(limit=f'{about.timeout_seconds:g} s')}"
    for kind, tell in _CAUSES.items():
        if isinstance(error, kind):
            return tell(error, about)
    return f"{type(error).__name__} {error.detail}. Please report this."


def _token_missing(error: errors.NotDelivered, about: Circumstances) -> str:
    state = "is blank" if error.detail else "is not there"
    return (
        f"the refresh token {state} (credential '{about.credential_id}'). Store a Last9 refresh token with write scope as a "
        "'Secret text' credential of that id, or name yours with credentialId."
    )


def _token_unusable(error: errors.NotDelivered, about: Circumstances) -> str:
    return (
        f"the refresh token has blanks, line breaks or other characters that no token has (credential '{about.credential_id}'). "
        "Copy it from Last9 again and save the credential."
    )


def _organization_unknown(error: errors.NotDelivered, about: Circumstances) -> str:
    return "the organization is unknown: the token names none. Set orgSlug, or LAST9_ORG_SLUG globally, to the slug in your Last9 URLs."


def _organization_unusable(error: errors.NotDelivered, about: Circumstances) -> str:
    return f"'{error.detail[:60]}' is no organization slug. Set orgSlug to letters, digits and dashes, as in your Last9 URLs."


def _base_url_unusable(error: errors.NotDelivered, about: Circumstances) -> str:
    if error.detail == "http":
        return "the base URL is plain http, where anyone could read the token. Set apiBaseUrl to https://…."
    return "the base URL is not usable. Set apiBaseUrl to https://host, without user, query or dots in its path (default: https://app.last9.io)."


def _host_not_allowed(error: errors.NotDelivered, about: Circumstances) -> str:
    return (
        f"the base URL was chosen by a build parameter, and the token may not go to {error.detail}. An administrator can allow the "
        "host by setting LAST9_API_BASE_URL or a routing profile."
    )


def _server_failure(error: errors.NotDelivered, about: Circumstances) -> str:
    return f"Last9 answers {error.detail} (tried again until it made no sense). This passes by itself; see Last9's status page if not."


def _rate_limited(error: errors.NotDelivered, about: Circumstances) -> str:
    limit = f"{about.timeout_seconds:g} s"
    return f"Last9 asks to slow down (429) for longer than the time limit of {limit}. Raise timeoutSeconds if many builds deploy at once."


def _certificate_refused(error: errors.NotDelivered, about: Circumstances) -> str:
    return (
        f"the certificate of {about.host} is not trusted ({error.detail}). If your network has a CA of its own, set LAST9_CA_BUNDLE to "
        "its PEM file on the agent."
    )


def _proxy_refused(error: errors.NotDelivered, about: Circumstances) -> str:
    return f"the proxy {about.via} refuses ({error.detail}). Check HTTPS_PROXY, its user and password, and NO_PROXY."


def _budget_spent(error: errors.NotDelivered, about: Circumstances) -> str:
    return f"the time limit of {about.timeout_seconds:g} s is over. Last9 or the network may be slow; timeoutSeconds raises the limit."


def _authentication_refused(error: errors.NotDelivered, about: Circumstances) -> str:
    expired = about.claims.expires_at
    if expired is not None and expired < about.now:
        day = time.strftime("%Y-%m-%d", time.gmtime(expired))
        return f"the refresh token expired on {day} (credential '{about.credential_id}'). Create a new one in Last9 and save it there."
    if isinstance(error, errors.AuthenticationRefused) and error.exchanging:
        return (
            f"Last9 does not accept the refresh token (credential '{about.credential_id}'): invalid, revoked or expired. Create a new "
            "one with write scope in Last9 and save it there."
        )
    return (
        f"Last9 does not accept the access token that it has just issued{_other_organization(about)}. Check that the credential "
        f"'{about.credential_id}' belongs to organization '{about.organization}' at {about.host}."
    )


def _scope_too_low(error: errors.NotDelivered, about: Circumstances) -> str:
    scopes = f" (it has: {', '.join(about.claims.scopes)})" if about.claims.scopes else ""
    return (
        f"the token may not write: its scope is too low{scopes}{_other_organization(about)}. Create a refresh token with the write "
        f"scope in Last9 and save it as credential '{about.credential_id}'."
    )


def _organization_not_found(error: errors.NotDelivered, about: Circumstances) -> str:
    return (
        f"Last9 knows no organization '{about.organization}' at {about.host}{_other_organization(about)}. Set orgSlug (or "
        "LAST9_ORG_SLUG) to the slug in your Last9 URLs."
    )


def _redirected(error: errors.NotDelivered, about: Circumstances) -> str:
    return f"{about.host} answers with a redirect ({error.detail}), and the token is never sent on. Set apiBaseUrl to the API itself."


def _broken_answer(error: errors.NotDelivered, about: Circumstances) -> str:
    return f"{about.host} did not hand out an access token ({error.detail}). Check that apiBaseUrl is Last9's API, and check the proxy."


def _event_refused(error: errors.NotDelivered, about: Circumstances) -> str:
    return f"Last9 refuses the event ({error.detail}). Check the options and customAttributes; it is not tried again."


def _other_organization(about: Circumstances) -> str:
    own = about.claims.organization
    return f"; the token itself is for '{own}'" if own and about.organization and own != about.organization else ""


def _markers(count: int) -> str:
    return "1 deployment marker" if count == 1 else f"{count} deployment markers"


_CAUSES = {
    errors.TokenMissing: _token_missing,
    errors.TokenUnusable: _token_unusable,
    errors.OrganizationUnknown: _organization_unknown,
    errors.OrganizationUnusable: _organization_unusable,
    errors.BaseUrlUnusable: _base_url_unusable,
    errors.HostNotAllowed: _host_not_allowed,
    errors.ServerFailure: _server_failure,
    errors.RateLimited: _rate_limited,
    errors.CertificateRefused: _certificate_refused,
    errors.ProxyRefused: _proxy_refused,
    errors.BudgetSpent: _budget_spent,
    errors.AuthenticationRefused: _authentication_refused,
    errors.ScopeTooLow: _scope_too_low,
    errors.OrganizationNotFound: _organization_not_found,
    errors.Redirected: _redirected,
    errors.BrokenAnswer: _broken_answer,
    errors.EventRefused: _event_refused,
}
