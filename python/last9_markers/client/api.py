"""Last9's two calls, and the meaning of their answers (``last9-api.md``: from Last9's public docs, and observed by its own clients)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from last9_markers.client.transport import HttpConnection, Response
from last9_markers.core.clock import Clock
from last9_markers.core.errors import (
    AuthenticationRefused,
    DeliveryError,
    EventRejected,
    Forbidden,
    InsufficientScope,
    InvalidTokenResponse,
    OrganizationForbidden,
    OrganizationNotFound,
    PageAnswered,
    RateLimited,
    Redirected,
    ServerError,
)
from last9_markers.core.formats import epoch_seconds
from last9_markers.core.redaction import Redactor
from last9_markers.request.destination import EXCHANGE_PATH, event_path

if TYPE_CHECKING:
    from last9_markers.client.answer_text import Said

_JSON = {"Content-Type": "application/json"}
#: What can be an access token: long enough not to be a word of the log, and no longer than a header may be.
_ACCESS_TOKEN = re.compile(r"[\x21-\x7e]{8,16384}")
#: Which words of a 403 tell what it is about; compiled when there is one.
_OF_ORGANIZATION = r"\b(organi[sz]ations?|org|tenant|workspace|account)\b"
_OF_SCOPE = r"\b(scopes?|permissions?|privileges?|write|read.?only|roles?)\b"
#: A token about to expire is exchanged before it is used: the event must not arrive with a dead one.
_EXPIRY_MARGIN_SECONDS = 5.0


class AccessToken(NamedTuple):
    """A token for events; ``good_until`` is on the monotonic clock. ``None`` is what the answer did not say."""

    text: str
    good_until: float | None
    scopes: tuple[str, ...] | None = None


class Last9:
    """The API at one base URL. Methods return on 2xx and raise the error of our tree on anything else."""

    def __init__(self, connection: HttpConnection, clock: Clock, redactor: Redactor) -> None:
        self._connection = connection
        self._clock = clock
        self._redactor = redactor

    def exchange(self, refresh_token: str) -> AccessToken:
        """Trade the refresh token for an access token, which from then on is hidden from every text."""
        content = json.dumps({"refresh_token": refresh_token}).encode()
        reply = self._connection.request("POST", EXCHANGE_PATH, _JSON, content)
        self._raise_unless_success(reply, exchanging=True)
        return self._read_access_token(reply)

    def send(self, organization: str, access_token: AccessToken, event: bytes) -> None:
        """Put one change event."""
        headers = {**_JSON, "X-LAST9-API-TOKEN": f"Bearer {access_token.text}"}
        reply = self._connection.request("PUT", event_path(organization), headers, event, body_matters=False)
        self._raise_unless_success(reply, exchanging=False)

    def is_usable(self, access_token: AccessToken | None) -> bool:
        """Whether the token is there and has not run out."""
        return access_token is not None and (
            access_token.good_until is None or self._clock.monotonic() < access_token.good_until - _EXPIRY_MARGIN_SECONDS
        )

    def _read_access_token(self, reply: Response) -> AccessToken:
        if reply.body is None:
            raise InvalidTokenResponse("its answer is far too long")
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            raise InvalidTokenResponse(self._form(reply.body)) from None
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not _ACCESS_TOKEN.fullmatch(token):
            raise InvalidTokenResponse("its answer has no usable access_token")
        self._redactor.hide(token)
        return AccessToken(token, self._good_until(answer.get("issued_at"), answer.get("expires_at")), _scopes(answer.get("scopes")))

    def _good_until(self, issued_at: object, expires_at: object) -> float | None:
        until = epoch_seconds(expires_at)
        if until is None:
            return None
        # By the server's own clock if it sends a date: the agent's may be wrong.
        lifetime = until - (epoch_seconds(issued_at) or self._clock.wall())
        # A token that was dead on arrival says more about a clock than about the token: Last9 decides.
        return self._clock.monotonic() + lifetime if lifetime > 0 else None

    def _raise_unless_success(self, reply: Response, *, exchanging: bool) -> None:
        status = reply.status
        if 200 <= status < 300:
            return
        if status == 429:
            raise RateLimited(retry_after=self._retry_after(reply.headers))
        # 408: the server waited too long for the request, as on a slow line; that is a timeout, and says nothing about the event.
        if status >= 500 or status == 408:
            raise ServerError(_quoted(status, self._said(reply)), retry_after=self._retry_after(reply.headers))
        if 300 <= status < 400:
            raise Redirected(str(status))
        raise self._client_error(reply, exchanging=exchanging)

    def _client_error(self, reply: Response, *, exchanging: bool) -> DeliveryError:
        said = self._said(reply)
        detail = _quoted(reply.status, said)
        if said.is_page:
            return PageAnswered(detail)
        # A bad access token answers 400 with "invalid refresh token: …" (observed).
        if reply.status == 401 or (reply.status == 400 and "token" in said.text.lower()):
            return AuthenticationRefused(detail, exchanging=exchanging)
        if reply.status == 403:
            return _forbidden(said.text)(detail)
        if exchanging:
            return InvalidTokenResponse(f"it answers {detail}", refused=True)
        if reply.status == 404:
            return OrganizationNotFound(detail)
        return EventRejected(detail)

    def _form(self, body: bytes) -> str:
        """What came instead of JSON. Of this answer no more is quoted than a page's title: what was cut off may be half a token."""
        if body.lstrip()[:1] != b"<":
            return "its answer is not JSON"
        from last9_markers.client import answer_text

        title = answer_text.title(body, self._redactor)
        return f"its answer is HTML: '{title}'" if title else "its answer is HTML"

    def _said(self, reply: Response) -> Said:
        # Loaded only here: a marker that is delivered has no use for it.
        from last9_markers.client import answer_text

        return answer_text.read(reply.body, self._redactor)

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """``Retry-After`` in seconds, given as such or as a date, which counts from the server's own ``Date``."""
        value = headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit():
            return float(value[:9])
        until, now = http_date(value), http_date(headers.get("Date", ""))
        if until is None:
            return None
        return max(0.0, until - (self._clock.wall() if now is None else now))


def http_date(text: str) -> float | None:
    """The moment of an HTTP header in epoch seconds, ``None`` if it is not one."""
    if not text:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _quoted(status: int, said: Said) -> str:
    """The status and what was said with it."""
    text = f"page '{said.text}'" if said.is_page and said.text else said.text
    return f"{status}: {text}" if text else str(status)


def _forbidden(said: str) -> type[Forbidden]:
    """The kind of a 403, from its text. The organization's words first: "no write access to organization x" is about it."""
    if re.search(_OF_ORGANIZATION, said, re.IGNORECASE):
        return OrganizationForbidden
    return InsufficientScope if re.search(_OF_SCOPE, said, re.IGNORECASE) else Forbidden


def _scopes(found: object) -> tuple[str, ...] | None:
    return tuple(scope for scope in found if isinstance(scope, str)) if isinstance(found, list) else None
