"""Why a marker was not delivered, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from last9_markers.core import errors

if TYPE_CHECKING:
    from last9_markers.request.token import Claims

#: How each kind of :exc:`~last9_markers.core.errors.NetworkError` is explained.
#: ``{host}`` is the server that was called, ``{limit}`` the time limit.
NETWORK = {
    "name": ("the name {host} cannot be resolved", "Check apiBaseUrl, the agent's DNS and HTTPS_PROXY."),
    "resolving": (
        "the name {host} was not resolved within the time limit of {limit}",
        "Check apiBaseUrl, and the agent's DNS servers.",
    ),
    "refused": ("{host} refused the connection", "Check apiBaseUrl, the agent's firewall rules and HTTPS_PROXY."),
    "unreachable": ("{host} cannot be reached", "Check the agent's route to it, or whether the agent needs HTTPS_PROXY."),
    "connecting": (
        "{host} did not accept a connection in time",
        "Check whether a firewall drops it, or whether the agent needs HTTPS_PROXY.",
    ),
    "tls": ("the TLS handshake with {host} failed", "Check apiBaseUrl, and the proxies and firewalls between the agent and Last9."),
    "answering": ("{host} did not answer in time", "Last9 may be down or slow. If this is frequent, raise timeoutSeconds ({limit})."),
    "cut": ("{host} closed the connection early", "Last9 or a proxy may be down. No action is needed if this is rare."),
    "garbled": ("{host} did not send an HTTP response", "Check apiBaseUrl and the proxy."),
    "proxy": ("the proxy cannot reach Last9", "Check the proxy and apiBaseUrl."),
}

#: The same with a proxy: then this machine has to reach the proxy, ``{via}``.
PROXY = {
    "name": ("the proxy {via} cannot be resolved", "Check HTTPS_PROXY, and the agent's DNS."),
    "resolving": (
        "the proxy {via} was not resolved within the time limit of {limit}",
        "Check HTTPS_PROXY, and the agent's DNS servers.",
    ),
    "refused": ("the proxy {via} refused the connection", "Check HTTPS_PROXY, and whether the proxy is up."),
    "unreachable": ("the proxy {via} cannot be reached", "Check HTTPS_PROXY, and the agent's route to it."),
    "connecting": ("the proxy {via} did not accept a connection in time", "Check HTTPS_PROXY, and whether a firewall drops it."),
}

#: Words in OpenSSL's error → what to do about it. For any other error, :data:`NETWORK` has the remedy.
_TLS_REMEDIES = (
    (
        ("wrong version number", "http request", "record layer", "packet length"),
        "The server does not use TLS: check the port of apiBaseUrl, and whether HTTPS_PROXY begins with http:// or https://.",
    ),
    (
        ("cipher", "protocol", "handshake failure", "too small", "too weak", "insufficient security", "renegotiation"),
        "The agent's OpenSSL and the server share no safe version of TLS: check the agent's openssl.cnf or crypto policy, and the "
        "proxies and firewalls between the agent and Last9.",
    ),
)
#: The same for a certificate that does not verify.
_CERTIFICATE_REMEDIES = (
    (("expired", "not yet valid"), "Check the agent's clock. If it is right, the server's operator must renew the certificate."),
    (("mismatch", "not valid for"), "Check apiBaseUrl, and the proxies and firewalls between the agent and Last9."),
    (
        ("too weak", "too small", "weak"),
        "The agent's OpenSSL rejects such a weak certificate: the operator of the server, or of the proxy that inspects TLS, must renew "
        "it.",
    ),
)
_OWN_CA = "If your network has its own CA, set LAST9_CA_BUNDLE to its PEM file on the agent."


class FailureContext(NamedTuple):
    """The facts that a message about a failed delivery may name.

    ``via``: the proxy in use; ``now``: the wall clock; ``from_shell``: a command was called, not a Pipeline step; ``elsewhere``: the
    API that the token names, if it is another one; ``once``: there was a single attempt.
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
    """Why a marker was not delivered, and what to do."""
    return f"{label} was not delivered: {explain(error, context)}"


def late_marker_refused(label: str, error: errors.DeliveryError, context: FailureContext) -> str:
    """A queued marker that Last9 will never accept."""
    return f"{label}, queued earlier, was rejected and dropped: {explain(error, context)}"


def given_up(label: str, explain: str) -> str:
    """A queued marker that has failed too often, or is too old. ``explain`` is its last failure, if it was tried."""
    last = f" The last failure: {explain}" if explain else ""
    return f"{label}, queued earlier, was given up: it failed in several runs while other markers got through, or is a day old.{last}"


def explain(error: errors.DeliveryError, context: FailureContext) -> str:
    """The cause and the remedy, without the name of the marker."""
    if isinstance(error, errors.NetworkError):
        return _network_failure(error, context)
    for kind, tell in _CAUSES.items():
        if isinstance(error, kind):
            return tell(error, context)
    return f"{type(error).__name__} {error.detail}. Please report this."


def addresses(outcomes: Mapping[str, str | None]) -> str:
    """The result of each address that was tried: the system's error, or ``None`` for no answer."""
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
    state = "the refresh token is blank" if error.detail else "no refresh token found"
    if context.from_shell:
        return (
            f"{state}. Set LAST9_REFRESH_TOKEN (in a Jenkins job: bind a 'Secret text' credential to that variable), or "
            "name a file that holds it with --token-file."
        )
    return (
        f"{state} (credential '{context.credential_id}'). Add a Last9 refresh token with write scope as a 'Secret text' credential "
        "with that id, or set credentialId."
    )


def _token_unusable(error: errors.DeliveryError, context: FailureContext) -> str:
    return (
        "the refresh token contains blanks, line breaks or other characters that a token cannot contain "
        f"(credential '{context.credential_id}'). Copy it from Last9 again and save the credential."
    )


def _organization_unknown(error: errors.DeliveryError, context: FailureContext) -> str:
    return "no organization is configured, and the token does not name one. Set orgSlug, or LAST9_ORG_SLUG globally: see your Last9 URLs."


def _organization_unusable(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"'{error.detail[:60]}' is not a valid organization slug. Set orgSlug to letters, digits and dashes, as in your Last9 URLs."


def _base_url_unusable(error: errors.DeliveryError, context: FailureContext) -> str:
    if error.detail == "http":
        return "apiBaseUrl is plain http, so anyone on the network could read the token. Set it to https://…."
    return "apiBaseUrl cannot be used. Set it to https://host, without user, query or dots in its path (default: https://app.last9.io)."


def _host_not_allowed(error: errors.DeliveryError, context: FailureContext) -> str:
    return (
        f"a build parameter may have set apiBaseUrl, so the token is not sent to {error.detail}. Put the host into a routing profile, and "
        "let the parameter select the profile (routingProfileParam), not the URL."
    )


def _server_failure(error: errors.DeliveryError, context: FailureContext) -> str:
    tried = "a single attempt" if context.once else "retrying did not help"
    return f"Last9 returned HTTP {error.detail} ({tried}). This is usually temporary; if not, check Last9's status page."


def _rate_limited(error: errors.DeliveryError, context: FailureContext) -> str:
    limit = f"{context.timeout_seconds:g} s"
    return f"Last9 rate-limited this marker (HTTP 429) for the whole {limit}. Raise timeoutSeconds if many builds deploy at once."


def _certificate_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    remedy = _fitting(_CERTIFICATE_REMEDIES, error.detail) or _OWN_CA
    return f"the certificate of {context.host} is not trusted ({error.detail[:200]}). {remedy}"


def _proxy_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"the proxy {context.via} rejected the request ({error.detail[:100]}). Check HTTPS_PROXY, its user and password, and NO_PROXY."


def _budget_spent(error: errors.DeliveryError, context: FailureContext) -> str:
    limit = f"{context.timeout_seconds:g} s"
    return f"the time limit of {limit} is over. Last9 or the network may be slow. If this is frequent, raise timeoutSeconds."


def _authentication_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    expired = context.claims.expires_at
    if expired is not None and expired < context.now:
        day = time.strftime("%Y-%m-%d", time.gmtime(expired))
        return f"the refresh token expired on {day} (credential '{context.credential_id}'). Create a new one in Last9 and save it there."
    if isinstance(error, errors.AuthenticationRefused) and error.exchanging:
        elsewhere = f", or it is for {context.elsewhere}, not for {context.host}" if context.elsewhere else ""
        return (
            f"Last9 does not accept the refresh token (credential '{context.credential_id}'): invalid, revoked or expired "
            f"({error.detail}){elsewhere}. "
            "Create a new one with write scope in Last9 and save it there."
        )
    return (
        f"Last9 does not accept the access token that it just issued ({error.detail}){_token_differs(context)}. Check that the "
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
    # Last9's answer does not give the reason, but the token may.
    own, scopes = context.claims.organization, context.claims.scopes
    if own and context.organization and own != context.organization:
        return _organization_forbidden(error, context)
    if scopes and set(scopes) <= {"read"}:
        return _scope_too_low(error, context)
    return (
        f"Last9 does not allow this request ({error.detail}){_token_differs(context)}. Check that credential '{context.credential_id}' "
        f"is a refresh token with write scope, and that it belongs to organization '{context.organization}' at {context.host}."
    )


def _page_answered(error: errors.DeliveryError, context: FailureContext) -> str:
    way = f"the proxy {context.via}, or a filter behind it" if context.via else "a filter, a proxy or another server in between"
    return (
        f"a web page was returned instead of Last9's API at {context.host} ({error.detail}): {way}. Allow {context.host} there, or check "
        "apiBaseUrl, HTTPS_PROXY and NO_PROXY."
    )


def _organization_not_found(error: errors.DeliveryError, context: FailureContext) -> str:
    and_host = f", and apiBaseUrl to {context.elsewhere}" if context.elsewhere else ""
    return (
        f"Last9 does not know organization '{context.organization}' at {context.host} ({error.detail}){_token_differs(context)}. Set "
        f"orgSlug (or LAST9_ORG_SLUG) to the slug in your Last9 URLs{and_host}."
    )


def _redirected(error: errors.DeliveryError, context: FailureContext) -> str:
    return (
        f"{context.host} redirected the request ({error.detail}); tokens are never sent to a redirect target. Set apiBaseUrl to the API "
        "itself."
    )


def _broken_answer(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"{context.host} did not return an access token ({error.detail}). Check that apiBaseUrl is Last9's API, and check the proxy."


def _event_refused(error: errors.DeliveryError, context: FailureContext) -> str:
    return f"Last9 rejected the event ({error.detail}). Check the options and customAttributes; it is not retried."


def _token_differs(context: FailureContext) -> str:
    """The token's own organization and host, if the settings name others: the likeliest cause of a 403 or 404."""
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
