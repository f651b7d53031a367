"""Records: what happened to each marker, as texts that the build keeps for its report.

Only this module writes them, and only :mod:`last9_markers.report` reads them. For their carriers (Groovy, the command line's state file)
they are opaque. One marker may have several, for example if it was queued first and sent later: the report joins them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from last9_markers.marker import pending
from last9_markers.marker.pending import Outbox

#: Marks the texts that are written here; a request that got no answer, which is a record too, has ``contract`` instead.
VERSION = 1

#: What became of a marker: Last9 has it; has it, but got it later than it happened; does not have it yet; will never take it; was not to.
SENT, LATE, KEPT, REFUSED, DRY_RUN = "sent", "late", "kept", "refused", "dry run"
_OF_OWN = {None: KEPT, pending.DELIVERED: SENT, pending.REFUSED: REFUSED, pending.DROPPED: DRY_RUN}
_OF_KEPT: dict[str | None, str] = {pending.DELIVERED: LATE, pending.REFUSED: REFUSED}

#: Labels of a window that a later build has closed: both name a build.
LEFT_OPEN_BY, CLOSED_BY = "left open by", "closed by"

#: The automatic attributes that the report shows of a window. What is the same for the whole build it finds by itself.
FACTS = (
    "deployment.id",
    "deployment.outcome",
    "deployment.window_duration_ms",
    "deployment.kind",
    "version",
    "scm.commit_sha",
    "scm.branch",
    "scm.url",
    "scm.author",
    "scm.previous_commit_sha",
    "scm.commit_count",
    "scm.author_count",
    "scm.compare_url",
)
#: Beside them: ``true`` if the commit is a merge that Jenkins made of a pull request, so that no page of a forge shows it.
LOCAL_MERGE = "scm.local_merge"
_NO_LABELS = {
    "message",
    "trace_id",
    "service",
    "service_name",
    "deployment_environment",
    "env",
    *FACTS,
    *(name.replace(".", "_") for name in FACTS),
}
_BUILD = ("jenkins.", "jenkins_")
#: A build keeps many records in the controller's memory, so each stays small.
_MOST_LABELS, _LONGEST_LABEL, _LONGEST_TEXT = 20, 300, 1000


def of_run(outbox: Outbox, request: str, last9: str | None, local_merge: str | None = None) -> list[str]:
    """What has become of the markers of one run: the kept ones that are settled, then its own, at least as it was asked for (``request``).

    A kept one that is given up stays what it was recorded as: Last9 does not have it. ``local_merge`` is a commit that no forge has.
    """
    own = outbox.own
    found = [
        write(json.loads(kept.event), _OF_KEPT[kept.end], last9, local_merge)
        for kept in outbox.others()
        if kept.event is not None and kept.end in _OF_KEPT
    ]
    if own.event is not None:
        found.append(write(json.loads(own.event), _OF_OWN[own.end], last9, local_merge))
    elif not own.settled and request:
        found.append(request)
    return found


def of_closed(event: Mapping[str, Any], opened_by: int, closed_by: str | None, last9: str | None) -> str:
    """The record of a stop that this build has sent for an earlier one, which says whose window it was and who has closed it."""
    record = json.loads(write(event, LATE, last9))
    by = f"build #{closed_by}" if closed_by else "a later build"
    record["labels"] = {LEFT_OPEN_BY: f"build #{opened_by}", CLOSED_BY: by}
    return json.dumps(record, separators=(",", ":"))


def write(event: Mapping[str, Any], fate: str, last9: str | None = None, local_merge: str | None = None) -> str:
    """The record of a marker: its event and what became of it. ``last9`` is the base URL of the Last9 it was for."""
    attributes: Mapping[str, str] = event.get("attributes") or {}
    facts = {name: attributes.get(name) or attributes.get(name.replace(".", "_")) for name in FACTS}
    if local_merge is not None and facts["scm.commit_sha"] == local_merge:
        facts[LOCAL_MERGE] = "true"
    labels = [name for name in attributes if name not in _NO_LABELS and not name.startswith(_BUILD)]
    record = {
        "last9Record": VERSION,
        "fate": fate,
        "state": event.get("event_state"),
        "at": event.get("timestamp"),
        "name": event.get("event_name"),
        "service": attributes.get("service_name") or attributes.get("service"),
        "environment": attributes.get("deployment_environment") or attributes.get("env"),
        "last9": last9,
        "facts": {name: value[:_LONGEST_TEXT] for name, value in facts.items() if value},
        "labels": {name[:_LONGEST_LABEL]: attributes[name][:_LONGEST_LABEL] for name in labels[:_MOST_LABELS]},
    }
    cut = {name: value[:_LONGEST_TEXT] if isinstance(value, str) else value for name, value in record.items() if value}
    return json.dumps(cut, separators=(",", ":"))
