"""The errand: what its answer says where it cannot end by itself."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from last9_markers import event
from last9_markers.contract import parse
from last9_markers.errors import BudgetSpent
from last9_markers.journal import Journal
from last9_markers.marker import Errand, Surroundings
from last9_markers.redaction import Redactor
from last9_markers.standin import StandIn
from support import HandClock, make_request


def _errand(request: dict[str, Any], token: str | None, transport: httpx.BaseTransport | None = None) -> Errand:
    journal = Journal(io.StringIO(), Redactor())
    return Errand(parse(json.dumps(request)), Surroundings({"PATH": "/nowhere"}, token, HandClock(), journal, transport))


def test_broken_off_before_anything_was_sent() -> None:
    """A request that was never tried is kept whole, with those before it."""
    answer = _errand(make_request(pending=["older"]), "token-token").broken_off(BudgetSpent())
    assert not answer.delivered
    assert answer.accepted
    assert answer.pending is not None
    assert answer.pending[0] == "older"
    assert json.loads(answer.pending[1])["contract"] == 1
    assert "time limit of 15 s is over" in answer.warnings[0]


def test_broken_off_after_it_was_delivered(last9: StandIn) -> None:
    """A marker that is with Last9 is neither reported lost nor kept, however late the end came."""
    errand = _errand(make_request(), last9.refresh_token)
    errand.run()
    answer = errand.broken_off(BudgetSpent())
    assert answer.delivered
    assert answer.pending == []
    assert answer.warnings == []


@pytest.mark.parametrize("options", [{"serviceName": ""}, {"dryRun": "true"}])
def test_broken_off_is_never_delivered_for_what_was_not_sent(last9: StandIn, options: dict[str, str]) -> None:
    """A dry run or a wrong request that ends badly is not "sent"."""
    errand = _errand(make_request(options=options), last9.refresh_token)
    errand.run()
    answer = errand.broken_off("the engine failed")
    assert not answer.delivered
    assert answer.pending == []
    assert last9.requests() == []


def test_a_refused_event_that_ends_badly_is_not_delivered(last9: StandIn) -> None:
    """A marker that Last9 has refused is dropped, and stays undelivered whatever happens after."""
    last9.order({"on": "event", "status": 422})
    errand = _errand(make_request(), last9.refresh_token)
    errand.run()
    answer = errand.broken_off(BudgetSpent())
    assert not answer.delivered
    assert answer.pending == []


def test_a_defect_in_a_source_costs_its_attributes(last9: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks one source of attributes, the marker goes without it, and the warning names it."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("last9_markers.attributes.scm.known", broken)
    answer = _errand(make_request(), last9.refresh_token).run()
    assert answer.delivered
    assert "the scm attributes are missing" in answer.warnings[0]
    assert last9.received()[0]["attributes"]["deployment.id"]


def test_a_repeated_request_has_the_same_body(last9: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is encoded once: what goes out after a failure is the very same bytes."""
    bodies = []

    class Recording(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT":
                bodies.append(request.read())
            return super().handle_request(request)

    last9.order({"on": "event", "times": 1, "status": 401})
    assert _errand(make_request(), last9.refresh_token, Recording(trust_env=False)).run().delivered
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert bodies[0] == event.encode(json.loads(bodies[0]))
