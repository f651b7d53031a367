"""A marker's handler: what its answer says where it cannot end by itself."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from last9_markers.core.errors import DeadlineExceeded
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.marker import event
from last9_markers.request.context import Context
from last9_markers.request.contract import CONTRACT, StillPending, parse
from last9_markers.runner.conclusion import Conclusion
from last9_markers.runner.send_marker import MarkerHandler
from support import MINIMAL_ENV, STOPPED, ManualClock, RunResult, field, make_request, run_marker


def _handler(request: dict[str, Any], token: str | None, transport: httpx.BaseTransport | None = None) -> tuple[MarkerHandler, io.StringIO]:
    log = io.StringIO()
    context = Context({"PATH": "/nowhere"}, token, ManualClock(), BuildLog(log, Redactor()), transport)
    return MarkerHandler(parse(json.dumps(request)), context), log


def test_abort_before_anything_was_sent() -> None:
    """A request that was never tried is kept whole, with those before it."""
    answer = _handler(make_request(pending=["older"]), "token-token")[0].abort(DeadlineExceeded())
    assert not answer.delivered
    assert answer.accepted
    assert answer.pending is not None
    assert answer.pending.kept == ((0, 0),)
    assert json.loads(answer.pending.own or "")["contract"] == CONTRACT
    assert "time limit of 10 s is over" in answer.warnings[0]


def test_abort_after_it_was_delivered(last9: FakeLast9) -> None:
    """A marker that is with Last9 is neither reported lost nor kept, however late the end came."""
    handler, log = _handler(make_request(), last9.refresh_token)
    handler.run()
    answer = handler.abort(DeadlineExceeded())
    assert answer.delivered
    assert answer.pending == StillPending()
    assert answer.warnings == []
    assert log.getvalue().count("sent successfully") == 1


def test_abort_just_after_it_was_delivered(last9: FakeLast9, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the time ends between delivery and the answer, the watchdog answers: the log has all that the answer says."""
    handler, log = _handler(make_request(), last9.refresh_token)
    monkeypatch.setattr(Conclusion, "delivered", lambda _: None)
    handler.run()
    monkeypatch.undo()
    assert "sent successfully" not in log.getvalue()
    assert handler.abort(DeadlineExceeded()).delivered
    assert log.getvalue().count("sent successfully") == 1


def test_abort_just_after_it_has_failed(last9: FakeLast9) -> None:
    """A busy machine may meet the end of its time while it says why it failed: that is one warning all the same, and the same answer."""
    last9.order({"on": "event", "status": 403})
    handler, log = _handler(make_request(options={"failOnError": "true"}), last9.refresh_token)
    first, second = handler.run(), handler.abort(DeadlineExceeded())
    assert len(second.warnings) == 1
    assert log.getvalue().count("WARNING") == 1
    assert second.line() == first.line()


def test_abort_just_after_it_was_not_accepted(last9: FakeLast9) -> None:
    """What was refused stays refused: the library must not open a window for it."""
    for wrong in ({"options": {"serviceName": ""}}, {"connection": {"apiBaseUrl": field("http://plain.example")}}):
        handler, _ = _handler(make_request(**wrong), last9.refresh_token)
        first, second = handler.run(), handler.abort(DeadlineExceeded())
        assert (
            (second.accepted, second.deployment_id, second.pending)
            == (first.accepted, None, StillPending())
            == (False, None, StillPending())
        )


@pytest.mark.parametrize("options", [{"serviceName": ""}, {"dryRun": "true"}])
def test_abort_is_never_delivered_for_what_was_not_sent(last9: FakeLast9, options: dict[str, str]) -> None:
    """A dry run or a wrong request that ends badly is not "sent"."""
    handler, _ = _handler(make_request(options=options), last9.refresh_token)
    handler.run()
    answer = handler.abort("internal error")
    assert not answer.delivered
    assert answer.pending == StillPending()
    assert last9.requests() == []


def test_a_refused_event_that_ends_badly_is_not_delivered(last9: FakeLast9) -> None:
    """A marker that Last9 has refused is dropped, and stays dropped in every later event."""
    last9.order({"on": "event", "status": 422})
    handler, _ = _handler(make_request(), last9.refresh_token)
    handler.run()
    answer = handler.abort(DeadlineExceeded())
    assert not answer.delivered
    assert answer.pending == StillPending()


def test_a_defect_in_a_source_costs_its_attributes(last9: FakeLast9, monkeypatch: pytest.MonkeyPatch) -> None:
    """If any error breaks one source of attributes, the marker is sent without it, and the warning names it."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("last9_markers.marker.attributes.scm.Deployed.facts", broken)
    answer = _handler(make_request(), last9.refresh_token)[0].run()
    assert answer.delivered
    assert "the scm attributes are missing" in answer.warnings[0]
    assert last9.received()[0]["attributes"]["deployment.id"]


def test_a_repeated_request_has_the_same_body(last9: FakeLast9, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is encoded once: what goes out after a failure is the very same bytes."""
    bodies = []

    class Recording(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT":
                bodies.append(request.read())
            return super().handle_request(request)

    last9.order({"on": "event", "times": 1, "status": 401})
    assert _handler(make_request(), last9.refresh_token, Recording(trust_env=False))[0].run().delivered
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert bodies[0] == event.encode(json.loads(bodies[0]))


def _records(ran: RunResult) -> list[dict[str, Any]]:
    return [json.loads(text) for text in ran.answer.more.get("records", [])]


def test_what_happened_is_recorded(last9: FakeLast9) -> None:
    """Each run says what became of its marker: the report knows no more of a build than that."""
    (sent,) = _records(run_marker(make_request("stop", options={"customAttributes": {"team": "pay"}}), last9.refresh_token))
    assert (sent["fate"], sent["state"], sent["at"]) == ("sent", "stop", STOPPED)
    assert (sent["service"], sent["environment"]) == ("payments-api", "production")
    assert sent["facts"]["deployment.outcome"] == "success"
    assert sent["labels"] == {"team": "pay"}
    (tried,) = _records(run_marker(make_request(options={"dryRun": "true"}), None))
    assert tried["fate"] == "dry run"
    assert _records(run_marker(make_request(options={"serviceName": " "}), None)) == []


def test_a_kept_marker_is_recorded_when_it_arrives(last9: FakeLast9) -> None:
    """A marker that could not be delivered is first recorded as kept, and once Last9 has it as late, beside the one it came with."""
    last9.order({"on": "event", "status": 503, "times": 1, "headers": {"Retry-After": "60"}})
    first = run_marker(make_request(), last9.refresh_token)
    assert [record["fate"] for record in _records(first)] == ["kept"]
    second = run_marker(make_request("stop", pending=first.pending), last9.refresh_token)
    assert [(record["fate"], record["state"]) for record in _records(second)] == [("late", "start"), ("sent", "stop")]


def test_a_refused_marker_is_recorded(last9: FakeLast9) -> None:
    """What Last9 will never take is not shown as waiting."""
    last9.order({"on": "event", "status": 422, "times": 1})
    assert [record["fate"] for record in _records(run_marker(make_request(), last9.refresh_token))] == ["refused"]


def test_a_marker_that_was_never_composed_is_recorded_as_asked_for(last9: FakeLast9) -> None:
    """Where the engine was broken off before there was an event, the request itself is the record."""
    context = Context(MINIMAL_ENV, last9.refresh_token, ManualClock(), BuildLog(io.StringIO(), Redactor()))
    (record,) = MarkerHandler(parse(json.dumps(make_request(pending=["older"]))), context).abort("over").more["records"]
    assert json.loads(record) == make_request(pending=None)


def test_records_stay_small(last9: FakeLast9) -> None:
    """A build keeps its records in the controller's memory: texts are cut and labels counted, secrets are not in them."""
    attributes = {f"label{n}": "x" * 5000 for n in range(100)}
    environ = {"PASSWORD": "hunter22hunter22"}
    request = make_request(options={"serviceName": "s" * 5000, "customAttributes": {"p": "hunter22hunter22", **attributes}})
    ran = run_marker({**request, "secretParameters": ["PASSWORD"]}, last9.refresh_token, environ=environ)
    (text,) = ran.answer.more["records"]
    assert len(text) < 10_000
    assert "hunter22" not in text
