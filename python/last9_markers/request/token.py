"""The refresh token, and what its claims say before Last9 has seen it.

A Last9 refresh token is a JWT. Its claims (``organization_slug``, ``aud``, ``scopes``, ``exp``) are hints: read without a signature
check, used for defaults and for better messages, never to decide about permissions. A token that is not a JWT has no claims and is used as
it is.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, NamedTuple

from last9_markers.core.errors import TokenMissing, TokenUnusable
from last9_markers.core.formats import epoch_seconds
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages

VARIABLE = "LAST9_REFRESH_TOKEN"

#: No header holds more, and no token is longer.
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


class Claims(NamedTuple):
    """What the token says of itself. ``expires_at``: epoch seconds."""

    organization: str | None = None
    api_urls: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires_at: float | None = None


class RefreshToken(NamedTuple):
    """A token that may be sent, and its claims."""

    text: str
    claims: Claims


def read_token(given: str | None, log: BuildLog) -> RefreshToken:
    """The refresh token as it is to be sent.

    A line break or blank around it, as copying leaves behind, is cut off with a warning. Raises :exc:`TokenMissing` or
    :exc:`TokenUnusable`; neither message holds any of it.
    """
    log.redactor.hide(given)
    text = (given or "").strip()
    if given is None or not text:
        raise TokenMissing("blank" if given is not None else "")
    if not _TOKEN.fullmatch(text):
        raise TokenUnusable
    if text != given:
        log.warning(option_messages.token_with_blanks())
    return RefreshToken(text, read_claims(text))


def read_claims(token: str) -> Claims:
    """The claims of a JWT; none of something else, or of a JWT whose claims are not what we know."""
    parts = token.split(".")
    if len(parts) != 3:
        return Claims()
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return Claims()
    if not isinstance(found, dict):
        return Claims()
    return Claims(
        organization=_text(found.get("organization_slug")),
        api_urls=_texts(found.get("aud")),
        scopes=tuple(scope for scopes in _texts(found.get("scopes")) for scope in scopes.split()),
        expires_at=epoch_seconds(found.get("exp")),
    )


def _text(value: Any) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item.strip() for item in items if isinstance(item, str) and item.strip())
