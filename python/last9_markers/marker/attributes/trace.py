"""``trace_id``: the trace of the build, if a tracing plugin has put it into the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
#: W3C Trace Context, version 00, and any suffix of a later one.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def of(environ: Mapping[str, str]) -> dict[str, str | None]:
    """From ``TRACE_ID`` or ``TRACEPARENT``, which Jenkins' OpenTelemetry plugin sets; nothing else is used."""
    parent = _TRACEPARENT.fullmatch(environ.get("TRACEPARENT", "").strip().lower())
    candidates = (environ.get("TRACE_ID", "").strip().lower(), parent.group(1) if parent else "")
    return {"trace_id": next((each for each in candidates if _ID.fullmatch(each)), None)}
