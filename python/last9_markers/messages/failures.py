"""Why a marker is not with Last9, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from last9_markers.core import errors

if TYPE_CHECKING:
    from last9_markers.request.token import Claims

#: How each kind of :exc:`~last9_markers.core.errors.NetworkError` is told; ``{host}`` is who we spoke to, ``{limit}`` the time limit.
NETWORK = {
    "name": ("the name {host} cannot be resolved", "Check the base URL, and the agent's DNS or HTTPS_PROXY."),
    "resolving": (
        "the name {host} was not resolved within the time limit of {limit}",
        "Check the base URL, and the DNS servers that the agent asks.",
    ),
    "refused": ("{host} refuses connections", "Check the base URL, and whether the agent may reach it or needs HTTPS_PROXY."),
    "unreachable": ("{host} cannot be reached", "Check whether the agent may reach it or needs HTTPS_PROXY."),
    "connecting": ("{host} did not accept a connection in time", "Check whether a firewall drops it, or the agent needs HTTPS_PROXY."),
    "tls": ("the TLS handshake with {host} failed", "Check the base URL, and what stands between the agent and Last9."),
    "answering": ("{host} did not answer in time", "Last9 may be down or slow; timeoutSeconds ({limit}) is the limit over everything."),
    "cut": ("{host} cut the connection", "Last9 or a proxy on the way may be down; nothing needs to change if this stays rare."),
    "garbled": ("{host} does not answer in HTTP", "Check the base URL and the proxy."),
    "proxy": ("the proxy cannot reach Last9", "Check the proxy and the base URL."),
}

#: The same where there is a proxy: then it is the proxy, ``{via}``, that this machine has to find.
PROXY = {
    "name": ("the proxy {via} cannot be resolved", "Check HTTPS_PROXY, and the agent's DNS."),
    "resolving": (
        "the proxy {via} was not resolved within the time limit of {limit}",
        "Check HTTPS_PROXY, and the DNS servers that the agent asks.",
    ),
    "refused": ("the proxy {via} refuses connections", "Check HTTPS_PROXY, and whether the proxy is up."),
    "unreachable": ("the proxy {via} cannot be reached", "Check HTTPS_PROXY, and whether the agent may reach it."),
    "connecting": ("the proxy {via} did not accept a connection in time", "Check HTTPS_PROXY, and whether a firewall drops it."),
}

#: What OpenSSL says (any of the words) → what to do about it. Anything else: what :data:`NETWORK` says.
_TLS_REMEDIES = (
    (
        ("wrong version number", "http request", "record layer", "packet length"),
        "What answers there does not speak TLS: check the port of the base URL, and whether HTTPS_PROXY begins with http:// or https://.",
    ),
    (
        ("cipher", "protocol", "handshake failure", "too small", "too weak", "insufficient security", "renegotiation"),
        "The agent's OpenSSL and the other side have no safe way of TLS in common: check the agent's openssl.cnf or crypto policy, and "
        "what stands between the agent and Last9.",
    ),
)
#: The same for a certificate that does not verify.
_CERTIFICATE_REMEDIES = (
    (("expired", "not yet valid"), "Check the agent's clock; if it is right, whoever runs the server must renew the certificate."),
    (("mismatch", "not valid for"), "Check the base URL, and what stands between the agent and Last9."),
    (
        ("too weak", "too small", "weak"),
        "The agent's OpenSSL refuses so weak a certificate: whoever runs the server, or the proxy that looks into TLS, must renew it.",
    ),
)
_OWN_CA = "If your network has a CA of its own, set LAST9_CA_BUNDLE to its PEM file on the agent."


class FailureContext(NamedTuple):
    """What a sentence about a failed delivery may name.

    ``via``: the proxy in use; ``now``: the wall clock; ``from_shell``: no Pipeline step but a command was called; ``elsewhere``: the API
    that the token names, if it is another one; ``once``: there was a single attempt.
    """

    credential_id: str
    organization: str | None
    host: str | None
    timeout_seconds: float
    claims: Claims
    now: float
    via: str | None = None
    from_shell: bool = False
    elsewhere: str | None = None
    once: bool = False


def not_delivered(label: str, error: errors.DeliveryError, context: FailureContext) -> str:
    """Why a marker is not with Last9, and what to do."""
    return f"{label} was not delivered: {explain(error, context)}"


def late_marker_refused(label: str, error: errors.DeliveryError, context: FailureContext) -> str:
    """A kept marker that Last9 will never take."""
    return f"{label}, kept from before, was refused and is dropped: {explain(error, context)}"


def given_up(label: str, explain: str) -> str:
    """A kept marker that has failed too often, or is too old. ``because`` is its last failure, if it was tried."""
    last = f" The last failure: {explain}" if explain else ""
    return f"{label}, kept from before, is given up: it failed in several runs while other markers got through, or is a day old.{last}"


def explain(error: errors.DeliveryError, context: FailureContext) -> str:
    """The cause and the remedy, without what was not delivered for it."""
    if isinstance(error, errors.NetworkError):
        return _network_failure(error, context)
    for kind, tell in _CAUSES.items():
        if isinstance(error, kind):
            return tell(error, context)
    return f"{type(error).__name__} {error.detail}. Please report this."


def addresses(outcomes: Mapping[str, str | None]) -> str:
    """What each address did that was connected to: an error of the system's, or ``None`` for silence."""
    silent = [address for address, error in outcomes.items() if error is None]
    others = [f"{address}: {error}" for address, error in outcomes.items() if error is not None]
    return "; ".join([f"no answer from {_listed(silent)}"] * bool(silent) + others[:4])


def _network_failure(error: errors.NetworkError, context: FailureContext) -> str:
    cause, remedy = (PROXY if context.via and error.kind in PROXY else NETWORK)[error.kind]
    host = f"{context.host} (through the proxy {context.via})" if context.via else str(context.host)
    limit = f"{context.timeout_seconds:g} s"
    if error.kind == "tls":
        remedy = _fitting(_TLS_REMEDIES, error.detail) or remedy
    detail = f" ({error.detail[:200]})" if error.detail else ""
    return f"{cause.format(host=host, via=context.via, limit=limit)}{detail}. {remedy.format(limit=limit)}"


def _fitting(remedies: Iterable[tuple[tuple[str, ...], str]], said: str) -> str | None:
    return next((remedy for words, remedy in remedies if any(word in said.lower() for word in words)), None)


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:4]), *(["others"] if len(names) > 4 else [])])


def _token_missing(error: errors.DeliveryError, context: FailureContext) -> str:
    state = "is blank" if error.detail else "is not there"
    if context.from_shell:
        return (
            f"the refresh token {state}. Set LAST9_REFRESH_TOKEN (in a Jenkins job: bind a 'Secret text' credential to that variable), or "
            "name a file that holds it with --token-file."
        )
    return (
        f"the refresh token {state} (credential '{context.credential_id}'). Store a Last9 refresh token with write scope as a "
        "'Secret text' credential of that id, or name yours with credentialId."
    )


def _token_unusable(error: errors.DeliveryError, context: FailureContext) -> str:
    return (
        f"the refresh token has blanks, line breaks or other characters that no token has (credential '{context.credential_id}'). "
        "Copy it from Last9 again and save the credential."
    )


def _organization_unknown(error: errors.DeliveryError, context: FailureContext) -> str:
    return "the organization is unknown: the token names none. Set orgSlug, or LAST9_ORG_SLUG globally, to the slug in your Last9 URLs."


def _organization_unusable(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"'{error.detail[:60]}' is no organization slug. Set orgSlug to letters, digits and dashes, as in your Last9 URLs."


def _base_url_unusable(error: errors.DeliveryError, context: FailureContext) -> str:
    if error.detail == "http":
        return "the base URL is plain http, where anyone could read the token. Set apiBaseUrl to https://…."
    return "the base URL is not usable. Set apiBaseUrl to https://host, without user, query or dots in its path (default: https://app.last9.io)."


def _host_not_allowed(error: errors.DeliveryError, context: FailureContext) -> str:
    return (
        f"a build parameter may have chosen the base URL, and the token may not go to {error.detail}. Put the host into "
        "a routing profile, and let the parameter select the profile (routingProfileParam) and not the URL."
    )


def _server_failure(error: errors.DeliveryError, context: FailureContext) -> str:
    tried = "a single attempt" if context.once else "tried again until it made no sense"
    return f"Last9 answers {error.detail} ({tried}). This passes by itself; see Last9's status page if not."


def _rate_limited(error: errors.DeliveryError, context: FailureContext) -> str:
    limit = f"{context.timeout_seconds:g} s"
    return f"Last9 asks to slow down (429) for longer than the time limit of {limit}. Raise timeoutSeconds if many builds deploy at once."


def _certificate_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    remedy = _fitting(_CERTIFICATE_REMEDIES, error.detail) or _OWN_CA
    return f"the certificate of {context.host} is not trusted ({error.detail[:200]}). {remedy}"


def _proxy_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"the proxy {context.via} refuses ({error.detail[:100]}). Check HTTPS_PROXY, its user and password, and NO_PROXY."


def _budget_spent(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"the time limit of {context.timeout_seconds:g} s is over. Last9 or the network may be slow; timeoutSeconds raises the limit."


def _authentication_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    expired = context.claims.expires_at
    if expired is not None and expired < context.now:
        day = time.strftime("%Y-%m-%d", time.gmtime(expired))
        return f"the refresh token expired on {day} (credential '{context.credential_id}'). Create a new one in Last9 and save it there."
    if isinstance(error, errors.AuthenticationRefused) and error.exchanging:
        elsewhere = f", or meant for {context.elsewhere}, which it names, and not for {context.host}" if context.elsewhere else ""
        return (
            f"Last9 does not accept the refresh token (credential '{context.credential_id}'): invalid, revoked or expired "
            f"({error.detail}){elsewhere}. "
            "Create a new one with write scope in Last9 and save it there."
        )
    return (
        f"Last9 does not accept the access token that it has just issued ({error.detail}){_token_differs(context)}. Check that the "
        f"credential '{context.credential_id}' belongs to organization '{context.organization}' at {context.host}."
    )


def _scope_too_low(error: errors.DeliveryError, context: FailureContext) -> str:
    scopes = f"; it has: {', '.join(context.claims.scopes)}" if context.claims.scopes else ""
    return (
        f"the token may not write: its scope is too low ({error.detail}{scopes}){_token_differs(context)}. Create a refresh token with the "
        f"write scope in Last9 and save it as credential '{context.credential_id}'."
    )


def _organization_forbidden(error: errors.DeliveryError, context: FailureContext) -> str:
    return (
        f"Last9 does not let the token write to organization '{context.organization}' ({error.detail}){_token_differs(context)}. "
        f"Set orgSlug (or LAST9_ORG_SLUG) to the organization that credential '{context.credential_id}' belongs to, or save a token of "
        "that organization."
    )


def _forbidden(error: errors.DeliveryError, context: FailureContext) -> str:
    # Where Last9's words do not tell, the token's own may.
    own, scopes = context.claims.organization, context.claims.scopes
    if own and context.organization and own != context.organization:
        return _organization_forbidden(error, context)
    if scopes and set(scopes) <= {"read"}:
        return _scope_too_low(error, context)
    return (
        f"Last9 forbids it ({error.detail}){_token_differs(context)}. Check that credential '{context.credential_id}' is a refresh token "
        f"with write scope, and that it belongs to organization '{context.organization}' at {context.host}."
    )


def _page_answered(error: errors.DeliveryError, context: FailureContext) -> str:
    way = f"the proxy {context.via}, or a filter behind it" if context.via else "a filter, a proxy or another server in between"
    return (
        f"a web page answers in place of Last9's API at {context.host} ({error.detail}): {way}. Have {context.host} allowed there, or "
        "check apiBaseUrl, HTTPS_PROXY and NO_PROXY."
    )


def _organization_not_found(error: errors.DeliveryError, context: FailureContext) -> str:
    and_host = f", and apiBaseUrl to {context.elsewhere}" if context.elsewhere else ""
    return (
        f"Last9 knows no organization '{context.organization}' at {context.host} ({error.detail}){_token_differs(context)}. Set "
        f"orgSlug (or LAST9_ORG_SLUG) to the slug in your Last9 URLs{and_host}."
    )


def _redirected(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"{context.host} answers with a redirect ({error.detail}), and the token is never sent on. Set apiBaseUrl to the API itself."


def _broken_answer(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"{context.host} did not hand out an access token ({error.detail}). Check that apiBaseUrl is Last9's API, and check the proxy."


def _event_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"Last9 refuses the event ({error.detail}). Check the options and customAttributes; it is not tried again."


def _token_differs(context: FailureContext) -> str:
    """What the token says of itself, where the settings say something else: the likeliest cause of a 403 or 404."""
    own = context.claims.organization
    names = [f"'{own}'"] if own and context.organization and own != context.organization else []
    names += [context.elsewhere] if context.elsewhere else []
    return f"; the token itself is for {' at '.join(names)}" if names else ""


_CAUSES = {
    errors.TokenMissing: _token_missing,
    errors.TokenUnusable: _token_unusable,
    errors.OrganizationUnknown: _organization_unknown,
    errors.OrganizationUnusable: _organization_unusable,
    errors.BaseUrlUnusable: _base_url_unusable,
    errors.HostNotAllowed: _host_not_allowed,
    errors.ServerError: _server_failure,
    errors.RateLimited: _rate_limited,
    errors.CertificateRefused: _certificate_refused,
    errors.ProxyRefused: _proxy_refused,
    errors.DeadlineExceeded: _budget_spent,
    errors.AuthenticationRefused: _authentication_refused,
    errors.InsufficientScope: _scope_too_low,
    errors.OrganizationForbidden: _organization_forbidden,
    errors.Forbidden: _forbidden,
    errors.PageAnswered: _page_answered,
    errors.OrganizationNotFound: _organization_not_found,
    errors.Redirected: _redirected,
    errors.InvalidTokenResponse: _broken_answer,
    errors.EventRejected: _event_refused,
}
