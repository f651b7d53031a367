"""Refresh and access tokens in Last9's form, and their exchange."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any, NamedTuple

from last9_markers.request.token import Claims, read_claims

#: Last9's docs: an access token lives for 24 hours.
ACCESS_TOKEN_SECONDS = 24 * 3600.0


class Access(NamedTuple):
    """An access token that was issued; ``expires_at`` in epoch seconds."""

    scopes: tuple[str, ...]
    expires_at: float


def issue_refresh_token(organization: str, audience: str, **claims: Any) -> str:
    """A token of a JWT's form, with a signature that cannot be verified. ``claims`` replace those that Last9 would write."""
    now = int(time.time())
    payload = {
        "organization_slug": organization,
        "aud": [audience],
        "scopes": ["write"],
        "email": "fake-last9@example.com",
        "iat": now,
        "exp": now + 365 * 24 * 3600,
        **claims,
    }
    return ".".join((_segment({"alg": "HS256", "typ": "JWT"}), _segment(payload), secrets.token_urlsafe(32)))


class TokenIssuer:
    """Knows which refresh tokens are good, and hands out access tokens for them."""

    def __init__(self) -> None:
        self._accepted: set[str] = set()
        self._access: dict[str, Access] = {}

    def accept(self, refresh_token: str) -> None:
        """From now on that refresh token is good, as far as its own claims allow."""
        self._accepted.add(refresh_token)

    def claims_of(self, refresh_token: object) -> Claims | None:
        """The claims of a refresh token that is accepted and has not expired; else ``None``."""
        if not isinstance(refresh_token, str) or refresh_token not in self._accepted:
            return None
        claims = read_claims(refresh_token)
        expired = claims.expires_at is not None and claims.expires_at <= time.time()
        return None if expired else claims

    def exchange(self, refresh_token: str, claims: Claims, lifetime: float) -> dict[str, Any]:
        """The answer of a successful exchange. ``lifetime`` in seconds; Last9 does not rotate the refresh token."""
        token = f"access-{secrets.token_urlsafe(32)}"
        now = time.time()
        # A token without claims is one that the caller has named: it may write.
        scopes = claims.scopes or ("write",)
        self._access[token] = Access(scopes, now + lifetime)
        return {
            "access_token": token,
            "refresh_token": refresh_token,
            "type": "Bearer",
            "expires_at": int(now + lifetime),
            "issued_at": int(now),
            "scopes": list(scopes),
        }

    def access(self, token: str) -> Access | None:
        """What an access token is good for, ``None`` if it was never issued."""
        return self._access.get(token)


def _segment(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")
