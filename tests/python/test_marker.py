"""The errand: what its answer says where it cannot end by itself."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from last9_markers import event
from last9_markers.contract import CONTRACT, StillPending, parse
from last9_markers.errors import BudgetSpent
from last9_markers.journal import Journal
from last9_markers.marker import Errand
from last9_markers.redaction import Redactor
from last9_markers.standin import StandIn
from last9_markers.surroundings import Surroundings
from support import BARE, STOPPED, HandClock, Ran, make_request, run_errand


def _errand(request: dict[str, Any], token: str | None, transport: httpx.BaseTransport | None = None) -> tuple[Errand, io.StringIO]:
    log = io.StringIO()
    around = Surroundings({"PATH": "/nowhere"}, token, HandClock(), Journal(log, Redactor()), transport)
    return Errand(parse(json.dumps(request)), around), log


def test_broken_off_before_anything_was_sent() -> None:
    """A request that was never tried is kept whole, with those before it."""
    answer = _errand(make_request(pending=["older"]), "token-token")[0].broken_off(BudgetSpent())
    assert not answer.delivered
    assert answer.accepted
    assert answer.pending is not None
    assert answer.pending.kept == ((0, 0),)
    assert json.loads(answer.pending.own or "")["contract"] == CONTRACT
    assert "time limit of 10 s is over" in answer.warnings[0]


def test_broken_off_after_it_was_delivered(last9: StandIn) -> None:
    """A marker that is with Last9 is neither reported lost nor kept, however late the end came."""
    errand, log = _errand(make_request(), last9.refresh_token)
    errand.run()
    answer = errand.broken_off(BudgetSpent())
    assert answer.delivered
    assert answer.pending == StillPending()
    assert answer.warnings == []
    assert log.getvalue().count("sent successfully") == 1


def test_broken_off_just_after_it_was_delivered(last9: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the time ends between delivery and the last word, the watchdog says it: the log never lacks what the answer says."""
    errand, log = _errand(make_request(), last9.refresh_token)
    monkeypatch.setattr(errand, "_delivered", lambda: None)
    errand.run()
    monkeypatch.undo()
    assert "sent successfully" not in log.getvalue()
    assert errand.broken_off(BudgetSpent()).delivered
    assert log.getvalue().count("sent successfully") == 1


def test_broken_off_just_after_it_has_failed(last9: StandIn) -> None:
    """A busy machine may meet the end of its time while it says why it failed: that is one warning all the same, and the same answer."""
    last9.order({"on": "event", "status": 403})
    errand, log = _errand(make_request(options={"failOnError": "true"}), last9.refresh_token)
    first, second = errand.run(), errand.broken_off(BudgetSpent())
    assert len(second.warnings) == 1
    assert log.getvalue().count("WARNING") == 1
    assert second.line() == first.line()


def test_broken_off_just_after_it_was_not_accepted(last9: StandIn) -> None:
    """What was refused stays refused: the library must not open a window for it."""
    for wrong in ({"options": {"serviceName": ""}}, {"connection": {"apiBaseUrl": field("http://plain.example")}}):
        errand, _ = _errand(make_request(**wrong), last9.refresh_token)
        first, second = errand.run(), errand.broken_off(BudgetSpent())
        assert (
            (second.accepted, second.deployment_id, second.pending)
            == (first.accepted, None, StillPending())
            == (False, None, StillPending())
        )


@pytest.mark.parametrize("options", [{"serviceName": ""}, {"dryRun": "true"}])
def test_broken_off_is_never_delivered_for_what_was_not_sent(last9: StandIn, options: dict[str, str]) -> None:
    """A dry run or a wrong request that ends badly is not "sent"."""
    errand, _ = _errand(make_request(options=options), last9.refresh_token)
    errand.run()
    answer = errand.broken_off("the engine failed")
    assert not answer.delivered
    assert answer.pending == StillPending()
    assert last9.requests() == []


def test_a_refused_event_that_ends_badly_is_not_delivered(last9: StandIn) -> None:
    """A marker that Last9 has refused is dropped, and stays undelivered whatever happens after."""
    last9.order({"on": "event", "status": 422})
    errand, _ = _errand(make_request(), last9.refresh_token)
    errand.run()
    answer = errand.broken_off(BudgetSpent())
    assert not answer.delivered
    assert answer.pending == StillPending()


def test_a_defect_in_a_source_costs_its_attributes(last9: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks one source of attributes, the marker goes without it, and the warning names it."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("last9_markers.attributes.scm.known", broken)
    answer = _errand(make_request(), last9.refresh_token)[0].run()
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
    assert _errand(make_request(), last9.refresh_token, Recording(trust_env=False))[0].run().delivered
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert bodies[0] == event.encode(json.loads(bodies[0]))


def _records(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(text) for text in ran.answer.more.get("records", [])]


def test_what_happened_is_recorded(last9: StandIn) -> None:
    """Each run says what became of its marker: the report knows no more of a build than that."""
    (sent,) = _records(run_errand(make_request("stop", options={"customAttributes": {"team": "pay"}}), last9.refresh_token))
    assert (sent["fate"], sent["state"], sent["at"]) == ("sent", "stop", STOPPED)
    assert (sent["service"], sent["environment"]) == ("payments-api", "production")
    assert sent["facts"]["deployment.outcome"] == "success"
    assert sent["labels"] == {"team": "pay"}
    (tried,) = _records(run_errand(make_request(options={"dryRun": "true"}), None))
    assert tried["fate"] == "dry run"
    assert _records(run_errand(make_request(options={"serviceName": " "}), None)) == []


def test_a_kept_marker_is_recorded_when_it_arrives(last9: StandIn) -> None:
    """A marker that could not be delivered is first recorded as kept, and once Last9 has it as late, beside the one it came with."""
    last9.order({"on": "event", "status": 403, "times": 1})
    first = run_errand(make_request(), last9.refresh_token)
    assert [record["fate"] for record in _records(first)] == ["kept"]
    second = run_errand(make_request("stop", pending=first.pending), last9.refresh_token)
    assert [(record["fate"], record["state"]) for record in _records(second)] == [("late", "start"), ("sent", "stop")]


def test_a_refused_marker_is_recorded(last9: StandIn) -> None:
    """What Last9 will never take is not shown as waiting."""
    last9.order({"on": "event", "status": 422, "times": 1})
    assert [record["fate"] for record in _records(run_errand(make_request(), last9.refresh_token))] == ["refused"]


def test_a_marker_that_was_never_composed_is_recorded_as_asked_for(last9: StandIn) -> None:
    """Where the engine was broken off before there was an event, the request itself is the record."""
    around = Surroundings(BARE, last9.refresh_token, HandClock(), Journal(io.StringIO(), Redactor()))
    (record,) = Errand(parse(json.dumps(make_request(pending=["older"]))), around).broken_off("over").more["records"]
    assert json.loads(record) == make_request(pending=None)


def test_records_stay_small(last9: StandIn) -> None:
    """A build keeps its records in the controller's memory: texts are cut and labels counted, secrets are not in them."""
    attributes = {f"label{n}": "x" * 5000 for n in range(100)}
    environ = {"PASSWORD": "hunter22hunter22"}
    request = make_request(options={"serviceName": "s" * 5000, "customAttributes": {"p": "hunter22hunter22", **attributes}})
    ran = run_errand({**request, "secretParameters": ["PASSWORD"]}, last9.refresh_token, environ=environ)
    (text,) = ran.answer.more["records"]
    assert len(text) < 10_000
    assert "hunter22" not in text
