"""The connection test: what each fault on the way comes to, over real sockets, and what is never claimed without proof."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from last9_markers.check import agent, network
from last9_markers.check.connection_test import ConnectionTest
from last9_markers.check.findings import Findings, Overheard
from last9_markers.contract import parse
from last9_markers.errors import BudgetSpent
from last9_markers.journal import Journal
from last9_markers.redaction import Redactor
from last9_markers.standin import StandIn
from last9_markers.surroundings import Surroundings
from last9_markers.transport import Greeting
from support import HandClock, Loopback, Stepped, field, make_request, patience, run_step

CERTIFICATES = Path(__file__).parents[1] / "certificates"
EVERYTHING = [
    "interpreter",
    "bundle",
    "token",
    "host",
    "proxy",
    "dns",
    "connection",
    "tls",
    "clock",
    "exchange",
    "scope",
    "organization",
    "write",
]


def request_for(**changes: Any) -> dict[str, Any]:
    """A connection test's request as the library writes it."""
    options = {"serviceName": None, "environment": None, "eventState": None, **changes.pop("options", {})}
    request = make_request(step="last9TestConnection", window=None, timestampMs=int(time.time() * 1000), **changes)
    request["options"] = {name: value for name, value in options.items() if value is not None}
    return request


def check(last9: StandIn | None, folder: Path, *, token: str | None = "", environ: dict[str, str] | None = None, **changes: Any) -> Stepped:
    """Test a connection through a real process; by default with the stand-in's good token."""
    given = last9.refresh_token if last9 and token == "" else token
    done = run_step(request_for(**changes), given, folder, environ=environ)
    assert done.code == 0
    assert "Traceback" not in done.stderr
    if given:
        assert given not in done.stdout + done.stderr
    return done


def found(done: Stepped) -> dict[str, tuple[str, str]]:
    """Findings by name: state and text; the log says the same, line by line."""
    findings = done.answer["findings"]
    lines = [line for line in done.stderr.splitlines() if line.split()[1] in ("ok", "warning", "failed")]
    assert lines == [f"[Last9] {each['state']:<7} {each['check']:<12} {each['text']}" for each in findings]
    return {each["check"]: (each["state"], each["text"]) for each in findings}


def states(done: Stepped) -> dict[str, str]:
    """Findings by name: the states that are not ok."""
    return {name: state for name, (state, _) in found(done).items() if state != "ok"}


def test_all_is_well(last9: StandIn, tmp_path: Path) -> None:
    """Everything is looked at, nothing is written, and the write is honestly called unproven."""
    done = check(last9, tmp_path)
    findings = found(done)
    assert sorted(findings) == sorted(EVERYTHING)
    assert states(done) == {"write": "warning"}
    assert "not proven" in findings["write"][1]
    assert "sendTestEvent" in findings["write"][1]
    assert "none was sent (12 ok, 1 warning, 0 failed)" in done.stderr.splitlines()[-1]
    assert done.answer["ok"] is True
    assert done.answer["delivered"] is False
    assert done.answer["failBuild"] is None
    assert [entry["path"].rpartition("/")[2] for entry in last9.requests()] == ["access_token"]
    assert last9.received() == []


def test_a_test_event_proves_the_write(last9: StandIn, tmp_path: Path) -> None:
    """With ``sendTestEvent`` one event is written, a point that no dashboard takes for a deployment and no alert for a start."""
    done = check(last9, tmp_path, options={"sendTestEvent": "true"}, environ={"JOB_NAME": "job"})
    assert states(done) == {}
    assert "markers get through (13 ok, 0 warnings, 0 failed)" in done.stderr
    assert done.answer["delivered"] is True
    assert done.answer["warnings"] == []
    (event,) = last9.received()
    assert event["event_name"] == "connection-test"
    assert event["event_state"] == "stop"
    assert event["attributes"] == {
        "service": "last9-connection-test",
        "service_name": "last9-connection-test",
        "jenkins.job_name": "job",
        "jenkins_job_name": "job",
    }


def test_a_test_event_for_a_service(last9: StandIn, tmp_path: Path) -> None:
    """Whoever names a service wants to see the event on its dashboard."""
    options = {"sendTestEvent": "true", "serviceName": "payments-api", "environment": "production", "attributeNames": "dotted"}
    connection = {"dataSourceName": field("metrics")}
    done = check(last9, tmp_path, options=options, connection=connection)
    assert "service 'payments-api'" in found(done)["write"][1]
    assert last9.received()[0]["attributes"]["service"] == "payments-api"
    assert last9.received()[0]["attributes"]["env"] == "production"
    assert last9.received()[0]["data_source_name"] == "metrics"


@pytest.mark.parametrize("held", [{"options": {"dryRun": "true"}}, {"environ": {"LAST9_DRY_RUN": "true"}}])
def test_a_dry_run_holds_the_test_event_back(last9: StandIn, tmp_path: Path, held: dict[str, Any]) -> None:
    """What shall send nothing sends no test event either, and says so."""
    held = {**held, "options": {**held.get("options", {}), "sendTestEvent": "true"}}
    done = check(last9, tmp_path, **held)
    assert "dryRun" in found(done)["write"][1]
    assert states(done) == {"write": "warning"}
    assert last9.received() == []


def test_without_a_token(last9: StandIn, tmp_path: Path) -> None:
    """A missing credential is the first thing to mend; the way to Last9 is looked at all the same."""
    connection = {"apiBaseUrl": field(last9.url), "orgSlug": field("acme")}
    done = check(None, tmp_path, token=None, connection=connection)
    findings = found(done)
    assert findings["token"][0] == "failed"
    assert "Secret text" in findings["token"][1]
    assert findings["connection"][0] == "ok"
    for unproven in ("exchange", "scope", "organization"):
        assert findings[unproven] == ("warning", "not proven: token failed. Mend that first.")
    assert done.answer["ok"] is False
    assert last9.requests() == []


def test_a_credential_that_the_library_could_not_bind(tmp_path: Path, last9: StandIn) -> None:
    """What only the controller knows of the credential is told in its own words."""
    problem = "there is no credential 'nope' that this job may use. Add it."
    done = check(None, tmp_path, token=None, credentialProblem=problem, connection={"apiBaseUrl": field(last9.url)})
    assert found(done)["token"] == ("failed", problem)


@pytest.mark.parametrize(
    ("claims", "state", "words"),
    [
        ({"exp": 1700000000}, "warning", "expired on 2023-11-14"),
        ({"exp": int(time.time()) + 86400}, "warning", "expires on"),
        ({"exp": "never"}, "ok", "there is one"),
    ],
)
def test_what_a_token_says_of_its_end(last9: StandIn, tmp_path: Path, claims: dict[str, Any], state: str, words: str) -> None:
    """A token that has expired, or soon will, is told before it fails the first deployment."""
    done = check(last9, tmp_path, token=last9.issue(**claims))
    assert found(done)["token"][0] == state
    assert words in found(done)["token"][1]
    assert (found(done)["exchange"][0] == "failed") is (words.startswith("expired"))


def test_a_token_with_a_line_break(last9: StandIn, tmp_path: Path) -> None:
    """A token that was pasted with a line break works, and is told."""
    done = check(None, tmp_path, token=last9.refresh_token + "\n")
    assert done.answer["ok"] is True
    warnings = [each["text"] for each in done.answer["findings"] if each["check"] == "token" and each["state"] == "warning"]
    assert len(warnings) == 1
    assert "line break" in warnings[0]


def test_a_read_token(last9: StandIn, tmp_path: Path) -> None:
    """The exchange tells the scopes: a read token fails without a write."""
    done = check(last9, tmp_path, token=last9.issue(scopes=["read"]))
    assert states(done) == {"scope": "failed", "write": "warning"}
    assert "write scope" in found(done)["scope"][1]
    assert done.answer["ok"] is False


def test_a_read_token_and_a_test_event(last9: StandIn, tmp_path: Path) -> None:
    """The refusal of the write is blamed on the scope."""
    done = check(last9, tmp_path, token=last9.issue(scopes=["read"]), options={"sendTestEvent": "true"})
    assert states(done) == {"scope": "failed", "write": "failed"}
    assert found(done)["write"][1] == "the test event was refused: see scope."


def test_scopes_that_nobody_knows(last9: StandIn, tmp_path: Path) -> None:
    """Whether a scope of another name includes write is not guessed."""
    done = check(last9, tmp_path, token=last9.issue(scopes=["admin"]))
    assert states(done) == {"scope": "warning", "write": "warning"}
    assert "not proven: the token has: admin" in found(done)["scope"][1]


def test_scopes_that_are_not_told(last9: StandIn, tmp_path: Path) -> None:
    """Neither exchange nor token tell the scopes: not proven."""
    last9.order({"on": "exchange", "body": '{"access_token": "opaque-access"}'})
    last9.office.accept("opaque-token")
    done = check(None, tmp_path, token="opaque-token", connection={"apiBaseUrl": field(last9.url), "orgSlug": field("acme")})
    assert "does not tell its scopes" in found(done)["scope"][1]
    assert "not proven, since the token does not name its organization" in found(done)["organization"][1]
    assert "it is no JWT" in found(done)["token"][1]


def test_an_organization_other_than_the_tokens(last9: StandIn, tmp_path: Path) -> None:
    """Where settings and token disagree the test says so without a write, and a write proves who is right."""
    fields = {"orgSlug": field("acmee", source="global")}
    done = check(last9, tmp_path, connection=fields)
    assert states(done) == {"organization": "warning", "write": "warning"}
    assert "'acmee', from a LAST9_* variable, but the token is for 'acme'" in found(done)["organization"][1]
    assert "may or may not get through" in done.stderr
    done = check(last9, tmp_path, connection=fields, options={"sendTestEvent": "true"})
    assert states(done) == {"organization": "failed", "write": "failed"}
    assert "no organization 'acmee'" in found(done)["organization"][1]


def test_a_host_other_than_the_tokens(last9: StandIn, tmp_path: Path) -> None:
    """Where the settings name another host than the token, the test says which."""
    done = check(last9, tmp_path, token=last9.issue(aud="https://emea.last9.io"), connection={"apiBaseUrl": field(last9.url)})
    assert states(done) == {"host": "warning", "write": "warning"}
    assert f"{last9.url}, from the option, but the token names https://emea.last9.io" in found(done)["host"][1]


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        (field("https://evil.example", chosen=True), "evil.example"),
        (field("http://last9.example"), "plain http"),
        (field("https://a b"), ""),
    ],
)
def test_a_host_where_no_token_may_go(tmp_path: Path, last9: StandIn, base_url: dict[str, Any], words: str) -> None:
    """Such a host is failed, and nobody is asked anything there."""
    done = check(last9, tmp_path, connection={"apiBaseUrl": base_url})
    assert found(done)["host"][0] == "failed"
    assert words in found(done)["host"][1]
    assert found(done)["connection"] == ("warning", "not proven: host failed. Mend that first.")


def test_without_an_organization(last9: StandIn, tmp_path: Path) -> None:
    """Nobody names the organization: failed with the setting, and the exchange is tested all the same."""
    done = check(last9, tmp_path, token=last9.issue(organization_slug=None), options={"sendTestEvent": "true"})
    assert states(done) == {"organization": "failed", "write": "warning"}
    assert "LAST9_ORG_SLUG" in found(done)["organization"][1]
    assert found(done)["write"][1] == "not proven: organization failed. Mend that first."


@pytest.mark.parametrize(
    ("url", "culprit", "words"),
    [
        ("http://127.0.0.1:1", "connection", "refuses connections"),
        ("https://no-such-host.invalid", "dns", "cannot be resolved"),
    ],
)
def test_nobody_there(url: str, culprit: str, words: str, tmp_path: Path) -> None:
    """A closed port and an unknown name are told apart, and what could not be looked at is not called good."""
    done = check(None, tmp_path, token="opaque-token", connection={"apiBaseUrl": field(url), "orgSlug": field("acme")})
    assert found(done)[culprit][0] == "failed"
    assert words in found(done)[culprit][1]
    assert [name for name, state in states(done).items() if state == "failed"] == [culprit]
    for name in EVERYTHING[EVERYTHING.index(culprit) + 1 :]:
        assert found(done)[name][0] == "warning"


def test_a_mute_server_costs_the_time_limit(tmp_path: Path) -> None:
    """A server that accepts and says nothing ends the test in time, with all findings so far."""
    with Loopback(lambda peer: peer.recv(65536) and time.sleep(30)) as server:
        url = field(f"http://127.0.0.1:{server.port}")
        done = check(
            None, tmp_path, token="opaque-token", connection={"apiBaseUrl": url, "orgSlug": field("acme")}, options={"timeoutSeconds": "3"}
        )
    assert done.seconds < 3 + 1 + patience()
    assert found(done)["connection"][0] == "failed"
    assert any(words in found(done)["connection"][1] for words in ("did not answer in time", "time limit of 3 s"))


def test_an_exchange_that_drips_ends_with_the_time_limit(last9: StandIn, tmp_path: Path) -> None:
    """Even what no limit of the HTTP client's reaches ends in time: the watchdog names the place, and the rest is unproven."""
    last9.order({"on": "exchange", "drip": 0.2})
    done = check(last9, tmp_path, options={"timeoutSeconds": "2"})
    assert done.seconds < 2 + 1 + patience()
    assert found(done)["exchange"] == (
        "failed",
        "no answer within the time limit of 2 s. Check what stands between the agent and Last9; timeoutSeconds raises the limit.",
    )
    assert found(done)["scope"][1] == "not proven: exchange failed. Mend that first."


@pytest.mark.parametrize(
    ("fault", "check_name", "words"),
    [
        ({"on": "exchange", "status": 401}, "exchange", "does not accept the refresh token"),
        ({"on": "exchange", "body": "<html>portal</html>"}, "exchange", "HTML"),
        ({"on": "exchange", "status": 503, "headers": {"Retry-After": "60"}}, "exchange", "503"),
        ({"on": "event", "status": 422, "body": '{"error": "too many labels"}'}, "write", "too many labels"),
        ({"on": "event", "status": 401}, "write", "just issued"),
    ],
)
def test_refusals(last9: StandIn, tmp_path: Path, fault: dict[str, Any], check_name: str, words: str) -> None:
    """What Last9 says is told where it was said, with the remedy."""
    last9.order(fault)
    done = check(last9, tmp_path, options={"sendTestEvent": "true"})
    assert found(done)[check_name][0] == "failed"
    assert words in found(done)[check_name][1]
    assert done.answer["delivered"] is False


def test_a_private_ca(tmp_path: Path) -> None:
    """An unknown CA fails with the setting that helps; with it the certificate, its issuer and the TLS version are told."""
    with StandIn(certificate=(str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key"))) as secure:
        done = check(secure, tmp_path)
        assert found(done)["tls"][0] == "failed"
        assert "LAST9_CA_BUNDLE" in found(done)["tls"][1]
        assert secure.requests() == []
        environ = {
            "LAST9_CA_BUNDLE": str(CERTIFICATES / "ca.pem"),
            "SSL_CERT_FILE": "/no/such.pem",
            "ALL_PROXY": "socks5://u:sesame-opens@x",
        }
        done = check(secure, tmp_path, environ=environ)
    assert done.answer["ok"] is True
    texts = [(each["check"], each["state"], each["text"]) for each in done.answer["findings"] if each["check"] in ("tls", "proxy")]
    assert [(name, state) for name, state, _ in texts] == [("proxy", "warning"), ("tls", "warning"), ("tls", "ok")]
    assert "SSL_CERT_FILE" in texts[1][2]
    assert "issued by Test CA of last9-markers" in texts[2][2]
    assert "TLSv1" in texts[2][2]
    assert "sesame" not in done.stdout + done.stderr


@pytest.mark.parametrize("where", ["http://user:sesame-opens@127.0.0.1:{port}", "http://user:sesame-opens@no-such-proxy.invalid:3128"])
def test_a_proxy_that_does_not_serve(where: str, tmp_path: Path) -> None:
    """The proxy is named without its password; its name is the one that this machine must resolve."""

    def refuse(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with Loopback(refuse) as proxy:
        environ = {"HTTPS_PROXY": where.format(port=proxy.port)}
        connection = {"apiBaseUrl": field("https://app.last9.io"), "orgSlug": field("acme")}
        done = check(None, tmp_path, token="opaque-token", environ=environ, connection=connection)
    findings = [(each["check"], each["text"]) for each in done.answer["findings"] if each["state"] == "failed"]
    assert [name for name, _ in findings] == ["dns" if "invalid" in where else "proxy"]
    assert "HTTPS_PROXY" in findings[0][1]
    assert "sesame" not in done.stdout + done.stderr


def test_options_that_are_wrong(last9: StandIn, tmp_path: Path) -> None:
    """What a marker would warn of or be refused for is found here; a service need not be named."""
    options = {"enviroment": "x", "eventState": "begin", "timeoutSeconds": "soon"}
    done = check(last9, tmp_path, options=options, connectionProblems=["routing profile 'x' is not defined."])
    texts = [each["text"] for each in done.answer["findings"] if each["check"] == "options"]
    assert [any(word in text for text in texts) for word in ("'environment'", "'begin'", "'soon'", "routing profile")] == [True] * 4
    assert len(texts) == 4


def test_fail_on_error(last9: StandIn, tmp_path: Path) -> None:
    """``failOnError`` fails the build for a failed finding, never for a warning."""
    assert check(last9, tmp_path, options={"failOnError": "true"}).answer["failBuild"] is None
    done = check(last9, tmp_path, token=last9.issue(scopes=["read"]), options={"failOnError": "true"})
    assert done.answer["failBuild"].startswith("Last9 connection test failed, and failOnError is set: scope: ")


def test_what_was_kept_stays_kept(last9: StandIn, tmp_path: Path) -> None:
    """A connection test sends no marker of anybody's, and hands back what it was given."""
    done = check(last9, tmp_path, options={"sendTestEvent": "true"}, pending=["opaque"])
    assert done.answer["pending"] == ["opaque"]
    assert len(last9.received()) == 1


def _greeting(date: str | None) -> Greeting:
    return Greeting(200, {"Date": date} if date else {}, None, None)


@pytest.mark.parametrize(
    ("date", "called_ms", "expected"),
    [
        # The hand clock's wall is at 1790001000 s: Mon, 21 Sep 2026 14:30:00 GMT.
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790001000_000, [("ok", "0 s apart")]),
        ("Mon, 21 Sep 2026 14:30:29 GMT", None, [("ok", "29 s apart")]),
        ("Mon, 21 Sep 2026 14:31:15 GMT", None, [("warning", "the agent's clock is 75 s behind the server's")]),
        ("Mon, 21 Sep 2026 14:28:00 GMT", None, [("warning", "the agent's clock is 120 s ahead of the server's")]),
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790001090_000, [("warning", "the controller's clock is 92 s ahead of the server's.")]),
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790000800_000, [("ok", "0 s apart")]),
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790000000_000, [("warning", "unless this step waited that long")]),
        (None, None, [("warning", "not proven: the server's answer has no Date")]),
        ("yesterday", None, [("warning", "not proven")]),
    ],
)
def test_clocks(date: str | None, called_ms: int | None, expected: list[tuple[str, str]]) -> None:
    """The agent's and the controller's clock are held against the server's; how long a step waits for an agent is not held against one."""
    findings = Findings(Overheard(Redactor()))
    clock = HandClock()
    network.look_at_clocks(findings, _greeting(date), clock, called_ms, 2.0)
    assert [each.state for each in findings.all] == [state for state, _ in expected]
    for each, (_, words) in zip(findings.all, expected):
        assert words in each.text


def test_a_damaged_bundle(tmp_path: Path) -> None:
    """A bundle whose bytes are not those that its name promises is failed with the file to delete; a whole one is not."""
    content = b"PK bundle"
    good = tmp_path / f"last9-markers-{hashlib.sha256(content).hexdigest()}.pyz"
    good.write_bytes(content)
    bad = tmp_path / f"last9-markers-{'0' * 64}.pyz"
    shutil.copy(good, bad)
    findings = Findings(Overheard(Redactor()))
    agent.look_at_bundle(findings, {}, str(good))
    agent.look_at_bundle(findings, {}, str(bad))
    agent.look_at_bundle(findings, {}, str(tmp_path / f"last9-markers-{'1' * 64}.pyz"))
    assert [each.state for each in findings.all] == ["ok", "failed", "ok"]
    assert str(bad) in findings.all[1].text


def test_a_bundle_that_cannot_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    """On an agent whose temporary workspace is read only, the slower way is told; nobody is told where no cache was wanted."""
    monkeypatch.setattr("last9_markers.__file__", "/tmp/bundle.pyz/last9_markers/__init__.py")
    findings = Findings(Overheard(Redactor()))
    agent.look_at_bundle(findings, {"LAST9_CACHE_DIR": "/read/only"}, "bundle.pyz")
    agent.look_at_bundle(findings, {}, "bundle.pyz")
    assert [each.state for each in findings.all] == ["warning", "ok"]
    assert "/read/only" in findings.all[0].text


def test_broken_off_before_anything_was_found() -> None:
    """Whenever the time is over there is an answer, and every finding that was owed is in it or called unproven."""
    journal = Overheard(Redactor())
    test = ConnectionTest(parse(json.dumps(request_for())), Surroundings({}, None, HandClock(), journal))
    answer = test.broken_off(BudgetSpent())
    assert answer.more["ok"] is False
    assert [each["check"] for each in answer.more["findings"] if each["state"] == "failed"] == ["interpreter"]
    assert answer.line()


def test_a_defect_is_a_finding(last9: StandIn, tmp_path: Path) -> None:
    """An exception that nobody expected costs neither the answer nor the findings so far."""
    broken = tmp_path / "broken"
    broken.mkdir()
    source = "import last9_markers.proxies as p\ndef choose(*a):\n    raise ZeroDivisionError('boom')\np.choose = choose\n"
    (broken / "sitecustomize.py").write_text(source, encoding="utf-8")
    path = f"{broken}:{Path(__file__).parents[3] / 'python'}"
    done = check(last9, tmp_path, environ={"PYTHONPATH": path})
    assert found(done)["proxy"][0] == "failed"
    assert "ZeroDivisionError" in found(done)["proxy"][1]
    assert found(done)["dns"][1] == "not proven: proxy failed. Mend that first."


def test_a_journal_without_readers_remembers() -> None:
    """What nobody reads aloud is redacted all the same."""
    redactor = Redactor()
    redactor.hide("hunter-of-22")
    journal: Journal = Overheard(redactor)
    journal.warn("with hunter-of-22")
    assert journal.warnings == ["with ****"]
