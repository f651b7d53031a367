"""Every way in which a marker can fail, drawn as one tree.

::

    Last9Error
    ├── RequestUnreadable               the request is not what the contract describes
    ├── RequestRejected                 the options make no marker: nothing is sent or queued
    └── DeliveryError                   the marker is right, but Last9 does not have it
        ├── ConfigurationError          something on this side is missing or must not be used; no request was made
        │   ├── TokenMissing            no refresh token in the environment
        │   ├── TokenUnusable           it cannot be a token
        │   ├── OrganizationUnknown     neither the settings nor the token name an organization
        │   └── DestinationRefused      the options name a forbidden destination: as wrong as a bad option
        │       ├── OrganizationUnusablea slug that cannot be part of a URL
        │       ├── BaseUrlUnusable     not an https URL of a host
        │       └── HostNotAllowed      chosen by a person who only starts builds, and not a host for the token
        ├── Transient                   worth a retry within the time limit
        │   ├── NetworkError            no answer: name, connection, TLS handshake, timeout, cut off
        │   ├── ServerError             5xx, or 408
        │   └── RateLimited             429
        ├── CertificateRefused          the server's certificate is not signed by a root we trust
        ├── ProxyRefused                the proxy answered instead of Last9
        ├── DeadlineExceeded            the time limit of the marker is over
        ├── AuthenticationRefused       401, or 400 that names a token
        ├── Forbidden                   403
        │   ├── InsufficientScope       … that names the token's scope
        │   └── OrganizationForbidden   … that names the organization
        ├── PageAnswered                a 4xx with a web page: not Last9's API, but something in between
        ├── OrganizationNotFound        404
        ├── Redirected                  3xx, which we never follow
        ├── InvalidTokenResponse        an exchange without a usable access token: another 4xx, or a 2xx that holds none
        ├── EventRejected               any other 4xx: a retry would be refused again
        └── Unreadable                  reading back: an answer that proves nothing

Foreign errors (httpx, ssl, socket) are mapped where they enter, in :mod:`last9_markers.client.transport`. An error holds facts;
:mod:`last9_markers.messages` makes the sentence.
"""

from __future__ import annotations


class Last9Error(Exception):
    """Root of the tree. ``detail`` is a fact for the sentence; it may come from outside and is not yet redacted."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class RequestUnreadable(Last9Error):
    """The request is not JSON, not an object, or of a contract version this engine does not know."""


class RequestRejected(Last9Error):
    """The options make no marker; ``reasons`` are finished warnings, ``causes`` one by one and without the marker's name."""

    def __init__(self, reasons: list[str], causes: list[str] | None = None) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
        self.causes = reasons if causes is None else causes


class DeliveryError(Last9Error):
    """The marker could not be delivered."""


class ConfigurationError(DeliveryError):
    """No request was made, because something on this side is missing or must not be used."""


class TokenMissing(ConfigurationError):
    """``LAST9_REFRESH_TOKEN`` is not set or blank."""


class TokenUnusable(ConfigurationError):
    """The refresh token has characters that no token has."""


class OrganizationUnknown(ConfigurationError):
    """Neither the settings nor the token's claims name an organization."""


class DestinationRefused(ConfigurationError):
    """The options name a forbidden destination. The marker is not queued: it would be wrong later, too."""


class OrganizationUnusable(DestinationRefused):
    """``detail`` is a slug that cannot be part of a URL path."""


class BaseUrlUnusable(DestinationRefused):
    """``detail`` says what is wrong with the base URL."""


class HostNotAllowed(DestinationRefused):
    """``detail`` is the host that a build parameter chose."""


class Transient(DeliveryError):
    """Worth another try. ``retry_after``: seconds the server asked us to wait, or ``None``."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NetworkError(Transient):
    """No HTTP answer. ``kind`` is one of the keys of :data:`last9_markers.messages.failures.NETWORK`."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail)
        self.kind = kind


class ServerError(Transient):
    """A 5xx, or a 408; ``detail`` is the status and what was said."""


class RateLimited(Transient):
    """A 429."""


class CertificateRefused(DeliveryError):
    """The server's certificate does not verify; ``detail`` is OpenSSL's reason."""


class ProxyRefused(DeliveryError):
    """The proxy would not connect us; ``detail`` is its answer."""


class DeadlineExceeded(DeliveryError):
    """The marker's time limit is over."""


class AuthenticationRefused(DeliveryError):
    """A token was refused; ``exchanging`` is true when it was the refresh token."""

    def __init__(self, detail: str = "", *, exchanging: bool = False) -> None:
        super().__init__(detail)
        self.exchanging = exchanging


class Forbidden(DeliveryError):
    """403; ``detail`` is the status and what Last9 said, which does not tell whether scope or organization is meant."""


class InsufficientScope(Forbidden):
    """403, and what Last9 said is that the token may not write."""


class OrganizationForbidden(Forbidden):
    """403, and what Last9 said is that the token may not write to this organization."""


class PageAnswered(DeliveryError):
    """A 4xx whose body is a web page; ``detail`` is the status and the page's title. It says nothing about the marker."""


class OrganizationNotFound(DeliveryError):
    """404: no such organization, or no such API; ``detail`` as above."""


class Redirected(DeliveryError):
    """A 3xx; ``detail`` is the status."""


class InvalidTokenResponse(DeliveryError):
    """The exchange gave no usable access token; ``detail`` says what came instead. ``refused``: it was a 4xx."""

    def __init__(self, detail: str = "", *, refused: bool = False) -> None:
        super().__init__(detail)
        self.refused = refused


class EventRejected(DeliveryError):
    """Another 4xx; ``detail`` is the status and what Last9 said. Not kept: it would be refused again."""


class Unreadable(DeliveryError):
    """Reading back: what came is not what was asked for. ``kind`` is a key of :data:`last9_markers.messages.reading.UNREADABLE`.

    ``detail`` is the status, if the status says it.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail)
        self.kind = kind


def is_final(failure: DeliveryError) -> bool:
    """Whether Last9 has refused it for good: a 4xx but 408 and 429. Sent again, it would be refused again."""
    refusals = (AuthenticationRefused, Forbidden, OrganizationNotFound, EventRejected)
    return isinstance(failure, refusals) or (isinstance(failure, InvalidTokenResponse) and failure.refused)


def is_transient(failure: DeliveryError) -> bool:
    """Whether the same request may succeed a moment later."""
    return isinstance(failure, Transient)


def got_no_answer(failure: DeliveryError) -> bool:
    """Whether there was no answer in time: the next request would probably wait as long."""
    return isinstance(failure, (NetworkError, DeadlineExceeded))


def is_outage(failure: DeliveryError) -> bool:
    """Whether Last9 seems to be down: no answer, or a 5xx."""
    return got_no_answer(failure) or isinstance(failure, ServerError)
