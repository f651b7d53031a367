"""The ``curl`` script that sends the same marker, to try it without this program or to show it to Last9.

Ready to run by any POSIX shell. The tokens pass from builtin to standard input: never as an argument, which every process could see.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from last9_markers.core.redaction import Redactor
from last9_markers.request.destination import EXCHANGE_PATH, event_path

_TEMPLATE = """\
# {label}, with curl: the refresh token is taken from LAST9_REFRESH_TOKEN.
access_token=$(printf '{{"refresh_token": "%s"}}' "$LAST9_REFRESH_TOKEN" |
  curl --silent --show-error --request POST {exchange_url} \\
    --header 'Content-Type: application/json' --data-binary @- |
  sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')
printf 'X-LAST9-API-TOKEN: Bearer %s\\n' "$access_token" |
  curl --silent --show-error --request PUT {event_url} \\
    --header @- --header 'Content-Type: application/json' \\
    --data-binary {event}
"""


def shown(answer: Mapping[str, Any] | None, redactor: Redactor) -> dict[str, Any] | None:
    """What the answer to a dry run shows (its ``dryRun``), secrets redacted, with the script as ``curl``. ``None`` for no dry run."""
    if not answer:
        return None
    event = dict(answer["event"])
    event["attributes"] = {redactor.presentable(name): redactor.presentable(value) for name, value in event["attributes"].items()}
    redacted = {**answer, "event": event}
    return {**redacted, "curl": script(redacted)}


def script(dry_run: Mapping[str, Any]) -> str:
    """The shell script. If the organization is not known, the variable ``LAST9_ORG_SLUG`` must name it."""
    base_url, organization, event = str(dry_run["apiBaseUrl"]), dry_run["organization"], dry_run["event"]
    place = shlex.quote(base_url + event_path(organization)) if organization else f'"{base_url}{event_path("$LAST9_ORG_SLUG")}"'
    return _TEMPLATE.format(
        label=f"{event['event_name']} ({event['event_state']})".replace("\n", " "),
        exchange_url=shlex.quote(base_url + EXCHANGE_PATH),
        event_url=place,
        event=shlex.quote(json.dumps(event)),
    )
