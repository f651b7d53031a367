"""The events that Last9 accepts and those that it refuses (``last9-api.md``). Strict: no test may pass with an event that Last9 refuses."""

from __future__ import annotations

import json
import re
import time
from typing import Any, NamedTuple

from last9_markers.fake_server.tokens import TokenIssuer

_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})")
_FIELDS = {"event_name", "event_state", "timestamp", "data_source_name", "attributes"}


class Refusal(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Submission(NamedTuple):
    """One request as the rules see it."""

    content_type: str
    token_header: str
    body: bytes


def read_object(submission: Submission) -> dict[str, Any]:
    """The JSON object in the body. Raises :exc:`Refusal`."""
    if submission.content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(400, "Content-Type must be application/json")
    try:
        found = json.loads(submission.body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON") from None
    if not isinstance(found, dict):
        raise Refusal(400, "the body is not a JSON object")
    return found


def check_access(submission: Submission, issuer: TokenIssuer) -> None:
    """Whether the access token may write. The texts are those that Last9's clients have observed."""
    scheme, _, token = submission.token_header.partition(" ")
    if scheme != "Bearer" or not token:
        raise Refusal(400, "invalid access token")
    access = issuer.access(token)
    if access is None:
        raise Refusal(400, "invalid refresh token: token is malformed")
    if access.expires_at <= time.time():
        raise Refusal(401, "Authorization token is expired")
    if "write" not in access.scopes:
        raise Refusal(403, "insufficient scope: write is required")


def check_event(event: dict[str, Any]) -> None:
    """Whether this is a change event. Raises :exc:`Refusal`."""
    unknown = set(event) - _FIELDS
    if unknown:
        raise Refusal(400, f"unknown field {sorted(unknown)[0]}")
    if not isinstance(event.get("event_name"), str) or not event["event_name"].strip():
        raise Refusal(400, "event_name is required")
    if event.get("event_state", "start") not in ("start", "stop"):
        raise Refusal(400, "event_state must be start or stop")
    timestamp = event.get("timestamp")
    if timestamp is not None and not (isinstance(timestamp, str) and _TIMESTAMP.fullmatch(timestamp)):
        raise Refusal(400, "timestamp must be ISO 8601 with a zone")
    if not isinstance(event.get("data_source_name", ""), str):
        raise Refusal(400, "data_source_name must be a string")
    attributes = event.get("attributes", {})
    if not isinstance(attributes, dict) or not all(name and isinstance(value, str) for name, value in attributes.items()):
        raise Refusal(400, "attributes must map names to strings")
