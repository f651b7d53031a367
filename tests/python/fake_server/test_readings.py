"""The fake Last9 as one that is read: it answers from what it received, and refuses what it does not understand."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from last9_markers.fake_server import FakeLast9

BASE = "/api/v4/organizations/acme/"


class Reader:
    """Asks as Last9's own tools do."""

    def __init__(self, last9: FakeLast9) -> None:
        self.url = last9.url
        answer = self._send("POST", "/api/v4/oauth/access_token", {"refresh_token": last9.refresh_token}, {})
        self.headers = {"X-LAST9-API-TOKEN": f"Bearer {answer.json()['access_token']}"}
        self.sources = self._send("GET", BASE + "datasources", None, self.headers).json()

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        content = b"" if body is None else json.dumps(body).encode()
        return httpx.request(
            method, self.url + path, content=content, headers={"Content-Type": "application/json", **headers}, trust_env=False, timeout=20
        )

    def put(self, moment: float | None = None, **event: Any) -> None:
        """Send a change event."""
        attributes = {"service": "api", "jenkins.job_name": "j"}
        iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment or time.time()))
        whole = {"event_name": "deployment", "event_state": "stop", "timestamp": iso, "attributes": attributes, **event}
        assert self._send("PUT", BASE + "change_events", whole, self.headers).status_code == 200

    def ask(self, call: str, source: int = 0, path: str = BASE, **question: Any) -> httpx.Response:
        """One question to a data source."""
        store = self.sources[source]
        secrets = {"read_url": store["url"], "username": store["properties"]["username"], "password": store["properties"]["password"]}
        return self._send("POST", path + call, {"timestamp": int(time.time()) + 60, "window": 600, **secrets, **question}, self.headers)

    def samples(self, query: str = "last9_change_events", **question: Any) -> list[dict[str, Any]]:
        """The answer to a range query."""
        found: list[dict[str, Any]] = self.ask("prom_query", query=query, **question).json()
        return found


@pytest.fixture
def reader(last9: FakeLast9) -> Reader:
    """Someone who reads what the fake Last9 received."""
    return Reader(last9)


def test_data_sources(reader: Reader) -> None:
    """The first data source is the default one; each has its own user and password."""
    assert [(source["name"], source["is_default"]) for source in reader.sources] == [("metrics", True), ("staging-metrics", False)]
    assert len({source["properties"]["password"] for source in reader.sources}) == 2


def test_an_event_is_a_sample(reader: Reader) -> None:
    """Attributes, name and state are labels; 1 is a start and 2 a stop; timestamp() gives the sample's own moment."""
    now = int(time.time())
    reader.put(now - 30)
    reader.put(now - 30, event_state="start")
    found = reader.samples()
    assert {series["metric"]["event_state"]: series["values"][-1][1] for series in found} == {"start": "1", "stop": "2"}
    assert found[0]["metric"]["jenkins.job_name"] == "j"
    (series,) = reader.samples('timestamp(last9_change_events{event_state="stop"})')
    assert float(series["values"][-1][1]) == now - 30
    assert "__name__" not in series["metric"]


def test_an_instant_query(reader: Reader) -> None:
    """It has one value for a series, and sees nothing that is older than five minutes."""
    now = int(time.time())
    reader.put(now - 30)
    (series,) = reader.ask("prom_query_instant", query="last9_change_events", timestamp=now).json()
    assert series["value"] == [now, "2"]
    assert reader.ask("prom_query_instant", query="last9_change_events", timestamp=now + 400).json() == []


def test_an_event_is_in_the_data_source_that_it_names(reader: Reader) -> None:
    """And in no other; without a name in the default one."""
    reader.put(data_source_name="staging-metrics")
    assert reader.samples() == []
    assert len(reader.samples(source=1)) == 1


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ('last9_change_events{service="api"}', 1),
        ('{service="api"}', 1),
        ('last9_change_events{"jenkins.job_name"="j"}', 1),
        ('last9_change_events{service="api",event_name="other"}', 0),
        ('last9_change_events{service!="api"}', 0),
        ('last9_change_events{service=~"a.*"}', 1),
        ('last9_change_events{absent=""}', 1),
        ("other_metric", 0),
    ],
)
def test_selectors(reader: Reader, selector: str, expected: int) -> None:
    """A selector picks the series that have such labels; one that is absent is empty."""
    reader.put()
    assert len(reader.samples(selector)) == expected


@pytest.mark.parametrize("query", ["sum(last9_change_events)", 'rate(m{a="b"}[5m])', "m{a}", 'm{a="b" b="c"}', "", 'm{a="b"} or m'])
def test_queries_that_it_does_not_know(reader: Reader, query: str) -> None:
    """They are refused: no test passes on a query that was not understood."""
    reader.put()
    assert reader.ask("prom_query", query=query).status_code == 400


def test_label_values_and_suggestions(last9: FakeLast9, reader: Reader) -> None:
    """Both know markers and the metrics that a test put there."""
    reader.put()
    last9.observe({"service": "payments", "env": "prod"})
    assert reader.ask("prom_label_values", label="service", matches=['{service!=""}']).json() == ["api", "payments"]
    assert reader.ask("prom_label_values", label="service", matches=['{__name__!="last9_change_events"}']).json() == ["payments"]
    assert reader.ask("prom_label_values", label="service").status_code == 400
    found = reader.ask("suggest", q="PAYMENT", type="service").json()
    assert [each["name"] for each in found["suggestions"]] == ["payments"]
    assert reader.ask("suggest", q="x", type="weather").status_code == 400


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": ""}, {"read_url": "http://elsewhere"}])
def test_a_store_needs_its_own_user_and_password(reader: Reader, wrong: dict[str, str]) -> None:
    """A question with another user, password or address is refused."""
    assert reader.ask("prom_query", query="last9_change_events", **wrong).status_code == 401


def test_reading_needs_the_token_and_the_organization(last9: FakeLast9, reader: Reader) -> None:
    """As with events: 400 for a token that was not issued, 404 for another organization, 405 for another method."""
    assert httpx.get(last9.url + BASE + "datasources", trust_env=False).status_code == 400
    assert reader.ask("prom_query", path=BASE.replace("acme", "globex"), query="m").status_code == 404
    assert httpx.post(last9.url + BASE + "datasources", headers=reader.headers, trust_env=False).status_code == 405


# -- faults --------------------------------------------------------------------------------------------------------------------


def test_late(last9: FakeLast9, reader: Reader) -> None:
    """The newest seconds are hidden, and only those."""
    reader.put()
    last9.order({"on": "read", "late": 3600})
    assert reader.samples() == []
    last9.faults.cancel()
    last9.order({"on": "read", "late": 0})
    assert len(reader.samples()) == 1


def test_underscores(last9: FakeLast9, reader: Reader) -> None:
    """Dots in names have become underscores, and a selector with the dot finds nothing any more."""
    reader.put()
    last9.order({"on": "read", "underscores": True})
    (series,) = reader.samples()
    assert series["metric"]["jenkins_job_name"] == "j"
    assert "jenkins.job_name" not in series["metric"]
    assert reader.samples('last9_change_events{"jenkins.job_name"="j"}') == []


@pytest.mark.parametrize(("limit", "expected"), [(5, 1), (4, 0)])
def test_label_limit(last9: FakeLast9, reader: Reader, limit: int, expected: int) -> None:
    """A series with more labels than that, __name__, event_name and event_state counted, is dropped whole."""
    reader.put()
    last9.order({"on": "read", "label_limit": limit})
    assert len(reader.samples()) == expected


def test_arrival_time(last9: FakeLast9, reader: Reader) -> None:
    """The sample has the moment at which it arrived."""
    reader.put(time.time() - 86400)
    assert reader.samples() == []
    last9.order({"on": "read", "arrival_time": True})
    assert len(reader.samples()) == 1


def test_a_fault_of_one_call(last9: FakeLast9, reader: Reader) -> None:
    """A fault may be ordered for one of the calls, or for reading alone: events still arrive."""
    last9.order({"on": "suggest", "status": 403})
    assert reader.ask("suggest", q="x", type="service").status_code == 403
    assert reader.ask("prom_query", query="m").status_code == 200
    last9.order({"on": "read", "status": 403})
    assert reader.ask("prom_query", query="m").status_code == 403
    reader.put()
    assert len(last9.received()) == 1


@pytest.mark.parametrize("body", ["{", "7", '{"service": 7}', '[{"service": "a"}, 8]', "[" * 100_000])
def test_series_that_are_none(last9: FakeLast9, body: str) -> None:
    """What is not a map of texts is refused as a series, and says so."""
    answer = httpx.post(last9.url + "/series", content=body.encode(), trust_env=False)
    assert (answer.status_code, set(answer.json())) == (400, {"error"})


def test_series_over_http(last9: FakeLast9, reader: Reader) -> None:
    """A user of the fake server puts metrics there with one request."""
    assert httpx.post(last9.url + "/series", json={"service_name": "payments-api"}, trust_env=False).status_code == 200
    assert reader.ask("prom_label_values", label="service_name", matches=['{service_name!=""}']).json() == ["payments-api"]
    assert httpx.delete(last9.url + "/series", trust_env=False).status_code == 200
    assert reader.ask("prom_label_values", label="service_name", matches=['{service_name!=""}']).json() == []
