"""Made-up builds for the report's tests: their records, as the engine writes them."""

from __future__ import annotations

import json
import random
from typing import Any

from last9_markers.core.formats import iso8601
from last9_markers.marker import records

#: 24 November 2026, 14:02:10 UTC.
NOON_MS = 1795528930000
SERVICES = (
    "payments-api",
    "checkout-web",
    "ledger-worker",
    "fraud-scoring",
    "notifications",
    "search-indexer",
    "identity",
    "catalog",
    "pricing",
)
#: Markup, quotes, writing directions, length, control characters, lone surrogates: everything that a name may contain.
HOSTILE = (
    "<script>document.title='run'</script>",
    "\"'><img src=x onerror=\"document.title='run'\">",
    "</title></svg><style>*{display:none}</style>",
    "\u202egnp.exe\u202d",
    "שלום עולם العربية",
    "x" * 300,
    "W " * 150,
    "nul\x00 bell\x07 esc\x1b[31m line\nfeed tab\t del\x7f c1\x9b",
    "{{ 7 * 7 }} {% raw %} ${jndi:ldap://x}",
    "half an emoji \ud83d and a whole one 🚀",
    "javascript:alert(1)",
    "--></figure></table>&lt;&#60;",
)


def marker(state: str, at_ms: int, service: str = "payments-api", fate: str = "sent", **more: Any) -> str:
    """One marker's record; ``facts`` by their dotted names, ``labels`` are custom attributes."""
    facts = {f"deployment.{name}": more.pop(name) for name in ("id", "outcome", "kind") if name in more}
    facts.update({"version": more.pop("version")} if "version" in more else {})
    attributes = {"service_name": service, "deployment_environment": more.pop("environment", "production")}
    attributes.update(facts, **more.pop("facts", {}), **more.pop("labels", {}))
    event = {"event_name": more.pop("name", "deployment"), "event_state": state, "timestamp": iso8601(at_ms), "attributes": attributes}
    assert not more
    return records.write(event, fate, "https://app.last9.io")


def window(begun_ms: int, ended_ms: int | None, service: str = "payments-api", outcome: str = "success", **more: Any) -> list[str]:
    """A window's records, start and stop; without an end only its start."""
    fates = more.pop("fates", ("sent", "sent"))
    window_id = more.pop("id", f"{service}-{begun_ms}")
    found = [marker("start", begun_ms, service, fates[0], id=window_id, **more)]
    if ended_ms is not None:
        found.append(marker("stop", ended_ms, service, fates[1], id=window_id, outcome=outcome, **more))
    return found


def commit(number: int) -> dict[str, str]:
    """The facts of a commit on GitHub, a few commits after the one before."""
    sha, before = f"{number + 1:x}f1d2c3b4a596877"[:10] + "8695a4b3c2d1e0f10213243500abcd"[:30], "0" * 40
    return {
        "scm.commit_sha": sha,
        "scm.branch": "main",
        "scm.url": "https://github.com/acme/payments-api.git",
        "scm.author": "Alice Example",
        "deployment.kind": ("forward", "forward", "rollback", "redeploy", "unknown")[number % 5],
        "scm.previous_commit_sha": before,
        "scm.compare_url": f"https://github.com/acme/payments-api/compare/{before}...{sha}",
        **({"scm.commit_count": str(number % 7 + 1), "scm.author_count": str(number % 3 + 1)} if number % 5 < 3 else {}),
    }


def one() -> list[str]:
    """The usual build: one service, one window."""
    return window(NOON_MS, NOON_MS + 63_400, version="2.14.0", facts=commit(0), labels={"team": "payments", "change_ticket": "CHG-4711"})


def five() -> list[str]:
    """Services side by side, each of them ending in its own way."""
    minute = 60_000
    return [
        *window(NOON_MS, NOON_MS + 3 * minute, version="2.14.0", facts=commit(0)),
        *window(NOON_MS + 20_000, NOON_MS + 2 * minute, "checkout-web", "failure", facts=commit(1), fates=("sent", "late")),
        *window(NOON_MS + 30_000, NOON_MS + 4 * minute, "ledger-worker", "timeout", facts=commit(2), fates=("kept", "kept")),
        *window(NOON_MS + 4 * minute, None, "fraud-scoring", facts=commit(3)),
        marker("stop", NOON_MS + 90_000, "notifications", outcome="unstable", facts=commit(4)),
    ]


def many(count: int) -> list[str]:
    """So many windows of nine services, some of them overlapping, in all outcomes and delivery states."""
    dice = random.Random(count)
    found = []
    at_ms = NOON_MS
    for number in range(count):
        at_ms += dice.randrange(1000, 45_000)
        outcome = dice.choice(("success",) * 8 + ("failure", "unstable", "timeout", "aborted"))
        fates = dice.choice((("sent", "sent"),) * 9 + (("late", "sent"), ("sent", "kept"), ("unanswered", "refused")[:2]))
        fates = tuple("kept" if fate == "unanswered" else fate for fate in fates)
        length = int(dice.lognormvariate(10.5, 1))
        environment = dice.choice(("production", "production", "staging"))
        service = dice.choice(SERVICES)
        found += window(at_ms, at_ms + length, service, outcome, environment=environment, fates=fates, id=str(number), facts=commit(number))
    return found


def hostile() -> list[str]:
    """Every hostile name in every place where a name can be."""
    found = []
    for number, name in enumerate(HOSTILE):
        facts = {
            "scm.branch": name,
            "scm.author": name,
            "scm.commit_sha": name,
            "scm.url": name,
            "scm.compare_url": name,
            "deployment.kind": name,
        }
        at_ms = NOON_MS + number * 5000
        found += window(
            at_ms, at_ms + 30_000, name, environment=name, name=name, version=name, id=f"{number}", facts=facts, labels={name: name}
        )
    link = {"scm.compare_url": "javascript:alert(1)", "deployment.kind": "forward"}
    return [*found, *window(NOON_MS, NOON_MS + 9, outcome="<b>", facts=link), json.dumps({"last9Record": 1}), "no record", "[" * 100_000]
