"""One service whose markers Last9 does not take: every other marker is delivered at its own time, as if there were no such service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.marker.pending import MOST_FAILURES
from support import SEND, ManualClock, RunResult, engine, make_request, run_marker

#: What happens to the events of the one service, and whether that is for good.
POISONS: dict[str, tuple[dict[str, Any], bool]] = {
    "400": ({"status": 400}, True),
    "401": ({"status": 401}, True),
    "403": ({"status": 403}, True),
    "404": ({"status": 404}, True),
    "413": ({"status": 413}, True),
    "429": ({"status": 429, "headers": {"Retry-After": "60"}}, False),
    "500": ({"status": 500}, False),
    "503": ({"status": 503}, False),
    "drop": ({"drop": "before"}, False),
}
SICK = "sick-service"


class Build:
    """The markers of one build on one node: what an answer hands on goes along with the next request."""

    def __init__(self, last9: FakeLast9, clock: ManualClock) -> None:
        self._last9 = last9
        self._clock = clock
        self.pending: list[dict[str, Any]] = []
        self.outages: dict[str, Any] = {}

    def run(self, service: str, state: str, window: str) -> RunResult:
        """Send one marker."""
        options = {"serviceName": service, "failOnError": "true"}
        more = {"window": {"id": window, "startedAtMs": 1790000000000}, "outages": self.outages or None, "pending": self.pending}
        ran = run_marker(make_request(state, options=options, **more), self._last9.refresh_token, clock=self._clock)
        assert ran.answer.pending is not None
        self.pending = [kept._asdict() for kept in ran.answer.pending.of(ran.given)]
        self.outages = ran.answer.more.get("outages") or {}
        return ran


@pytest.mark.parametrize("poison", POISONS)
def test_every_other_marker_is_delivered(last9: FakeLast9, clock: ManualClock, poison: str) -> None:
    """Parallel windows of a build, one service poisoned: the others get through at once, without a warning or a failure of their own."""
    fault, final = POISONS[poison]
    last9.order({"on": "event", "about": SICK, **fault})
    build = Build(last9, clock)
    sick = build.run(SICK, "start", "window-sick")
    assert (sick.answer.delivered, len(build.pending)) == (False, 0 if final else 1)
    said: list[str] = []
    for number in range(1, 6):
        ran = build.run("payments-api", "start" if number % 2 else "stop", f"window-{(number + 1) // 2}")
        assert ran.answer.delivered
        assert ran.answer.fail_build is None
        assert len(last9.received()) == number
        assert build.outages == {}
        said += ran.answer.warnings
    assert build.pending == []
    # A permanent refusal was reported with its own marker; others are retried three times at most, and given up with one line.
    assert len(said) == (0 if final else 1)
    assert all("sick-service" in warning and "payments-api" not in warning for warning in said)
    tries = [entry for entry in last9.requests() if entry["method"] == "PUT"]
    own_tries = {"401": 2, "429": 1}.get(poison, 1 if final else 4)
    assert len(tries) == 5 + own_tries + (0 if final else MOST_FAILURES)


@pytest.mark.parametrize("poison", POISONS)
def test_its_own_stop_is_sent_all_the_same(last9: FakeLast9, clock: ManualClock, poison: str) -> None:
    """A start that is not taken costs its own window's stop half of the time at most: the stop arrives with its id."""
    fault, final = POISONS[poison]
    last9.order({"on": "event", "about": '"event_state":"start"', **fault})
    build = Build(last9, clock)
    build.run(SICK, "start", "window-1")
    ran = build.run(SICK, "stop", "window-1")
    assert ran.answer.delivered
    assert ran.answer.fail_build is None
    (stop,) = last9.received()
    assert (stop["event_state"], stop["attributes"]["deployment.id"]) == ("stop", "window-1")
    assert len(build.pending) == (0 if final else 1)
    assert all("(start)" in warning for warning in ran.answer.warnings)


@pytest.mark.parametrize("poison", ["403", "429", "drop"])
def test_over_a_state_file(last9: FakeLast9, tmp_path: Path, poison: str) -> None:
    """The same across calls of the program: the first good marker gets through at the first call, and the file is empty in the end."""
    fault, final = POISONS[poison]
    last9.order({"on": "event", "about": SICK, **fault})

    def send(service: str) -> str:
        words = ["send", "--service-name", service, *SEND[3:], "--state", "state.json"]
        return engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path).stderr

    assert "WARNING" in send(SICK)
    said = ""
    for number in range(1, 5):
        said += send("payments-api")
        assert len(last9.received()) == number
    assert said.count("WARNING") == (0 if final else 1)
    assert json.loads((tmp_path / "state.json").read_text("utf-8"))["pending"] == []
