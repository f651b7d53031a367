"""The connection test: what each fault on the way comes to, over real sockets, and what is never claimed without proof."""

from __future__ import annotations

import io
import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from check_support import EVERYTHING, check, found, request_for, states
from last9_markers.check.connection_test import ConnectionTest
from last9_markers.check.findings import CapturedLog
from last9_markers.core.errors import DeadlineExceeded
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.request.context import Context
from last9_markers.request.contract import parse
from support import Loopback, ManualClock, field, patience

CERTIFICATES = Path(__file__).parents[1] / "certificates"


def test_all_is_well(last9: FakeLast9, tmp_path: Path) -> None:
    """Everything is looked at, nothing is written, and the write is honestly called unproven."""
    done = check(last9, tmp_path)
    findings = found(done)
    assert sorted(findings) == sorted(EVERYTHING)
    assert states(done) == {"write": "warning"}
    assert "not tested" in findings["write"][1]
    assert "sendTestEvent" in findings["write"][1]
    assert "no test event was written (12 ok, 1 warning, 0 failed)" in done.stderr.splitlines()[-1]
    assert done.answer["ok"] is True
    assert done.answer["delivered"] is False
    assert done.answer["failBuild"] is None
    assert [entry["path"].rpartition("/")[2] for entry in last9.requests()] == ["access_token"]
    assert last9.received() == []


def test_a_test_event_proves_the_write(last9: FakeLast9, tmp_path: Path) -> None:
    """With ``sendTestEvent`` one event is written, a point that no dashboard takes for a deployment and no alert for a start."""
    done = check(last9, tmp_path, options={"sendTestEvent": "true"}, environ={"JOB_NAME": "job"})
    assert states(done) == {}
    assert "markers get through (17 ok, 0 warnings, 0 failed)" in done.stderr
    assert done.answer["delivered"] is True
    assert done.answer["warnings"] == []
    (event,) = last9.received()
    assert event["event_name"] == "connection-test"
    assert event["event_state"] == "stop"
    labels = event["attributes"]
    assert re.fullmatch(r"[0-9a-f]{32}", labels.pop("connection_test_id"))
    fillers = {name: labels.pop(name) for name in list(labels) if name.startswith("check.label_")}
    assert fillers == {f"check.label_{number}": "filler" for number in range(10, 31)}
    assert labels == {
        "connection_test.dot": "kept",
        "service": "last9-connection-test",
        "service_name": "last9-connection-test",
        "jenkins.job_name": "job",
        "message": "connection test",
    }


def test_a_test_event_for_a_service(last9: FakeLast9, tmp_path: Path) -> None:
    """Anyone who names a service wants to see the event on its dashboard."""
    options = {"sendTestEvent": "true", "serviceName": "payments-api", "environment": "production", "attributeNames": "dotted"}
    connection = {"dataSourceName": field("metrics")}
    done = check(last9, tmp_path, options=options, connection=connection)
    assert "service 'payments-api'" in found(done)["write"][1]
    assert last9.received()[0]["attributes"]["service"] == "payments-api"
    assert last9.received()[0]["attributes"]["env"] == "production"
    assert last9.received()[0]["data_source_name"] == "metrics"


@pytest.mark.parametrize("held", [{"options": {"dryRun": "true"}}, {"environ": {"LAST9_DRY_RUN": "true"}}])
def test_a_dry_run_holds_the_test_event_back(last9: FakeLast9, tmp_path: Path, held: dict[str, Any]) -> None:
    """A dry run sends no test event either, and says so."""
    held = {**held, "options": {**held.get("options", {}), "sendTestEvent": "true"}}
    done = check(last9, tmp_path, **held)
    assert "dryRun" in found(done)["write"][1]
    assert states(done) == {"write": "warning"}
    assert last9.received() == []


@pytest.mark.parametrize(
    ("url", "culprit", "words"),
    [
        ("http://127.0.0.1:1", "connection", "refused the connection"),
        ("https://no-such-host.invalid", "dns", "cannot be resolved"),
    ],
)
def test_nobody_there(url: str, culprit: str, words: str, tmp_path: Path) -> None:
    """A closed port and an unknown name are distinguished, and what could not be looked at is not called good."""
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


def test_an_exchange_that_drips_ends_with_the_time_limit(last9: FakeLast9, tmp_path: Path) -> None:
    """Even what no limit of the HTTP client's reaches ends in time: the watchdog names the place, and the rest is unproven."""
    last9.order({"on": "exchange", "drip": 0.2})
    done = check(last9, tmp_path, options={"timeoutSeconds": "2"})
    assert done.seconds < 2 + 1 + patience()
    assert found(done)["exchange"] == (
        "failed",
        "no answer within the time limit of 2 s. Check the proxies and firewalls between the agent and Last9, or raise timeoutSeconds.",
    )
    assert found(done)["scope"][1] == "skipped: exchange failed. Fix that first."


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
def test_refusals(last9: FakeLast9, tmp_path: Path, fault: dict[str, Any], check_name: str, words: str) -> None:
    """What Last9 says is reported where it was said, with the remedy."""
    last9.order(fault)
    done = check(last9, tmp_path, options={"sendTestEvent": "true"})
    assert found(done)[check_name][0] == "failed"
    assert words in found(done)[check_name][1]
    assert done.answer["delivered"] is False


def test_a_private_ca(tmp_path: Path) -> None:
    """An unknown CA fails with the setting that helps; with it the certificate, its issuer and the TLS version are reported."""
    with FakeLast9(certificate=(str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key"))) as secure:
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


def test_a_proxy_that_is_down(tmp_path: Path) -> None:
    """Nothing is said of Last9 where the way ends at the proxy."""
    connection = {"apiBaseUrl": field("https://127.0.0.1"), "orgSlug": field("acme")}
    environ = {"HTTPS_PROXY": "http://127.0.0.1:1", "LAST9_TIMEOUT_SECONDS": "3"}
    done = check(None, tmp_path, token="opaque-token", environ=environ, connection=connection)
    (failed,) = [each for each in done.answer["findings"] if each["state"] == "failed"]
    assert failed["check"] == "proxy"
    assert "the proxy 127.0.0.1:1 refused the connection. Check HTTPS_PROXY" in failed["text"]
    assert found(done)["connection"] == ("warning", "skipped: proxy failed. Fix that first.")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "10.0.0.0/8; 127.0.0.*"},
            "none for 127.0.0.1 (because of '127.0.0.*' in NO_PROXY)",
        ),
        ({"HTTPS_PROXY": "direct"}, "none for 127.0.0.1 (because of 'direct' in HTTPS_PROXY)"),
        ({"NO_PROXY": "*"}, "none for 127.0.0.1"),
    ],
)
def test_what_decides_that_there_is_no_proxy(environ: dict[str, str], words: str, tmp_path: Path) -> None:
    """The log names the variable and its entry because of which a proxy is not used."""
    with FakeLast9(certificate=(str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key"))) as secure:
        done = check(secure, tmp_path, environ={**environ, "LAST9_CA_BUNDLE": str(CERTIFICATES / "ca.pem")})
    assert found(done)["proxy"] == ("ok", words)
    assert done.answer["ok"] is True


@pytest.mark.parametrize(("environ", "name"), [({}, "last9.example"), ({"HTTPS_PROXY": "http://proxy.example:1"}, "proxy.example")])
def test_a_name_that_is_not_resolved_in_time(environ: dict[str, str], name: str, tmp_path: Path) -> None:
    """A resolver that hangs is reported under its own heading, with the name that it hangs on."""
    (tmp_path / "sitecustomize.py").write_text(
        "import socket, time\nsocket.getaddrinfo = lambda *a, **k: time.sleep(60)\n", encoding="utf-8"
    )
    path = f"{tmp_path}:{Path(__file__).parents[3] / 'python'}"
    connection = {"apiBaseUrl": field("https://last9.example"), "orgSlug": field("acme")}
    done = check(
        None,
        tmp_path,
        token="opaque-token",
        environ={**environ, "PYTHONPATH": path},
        connection=connection,
        options={"timeoutSeconds": "1"},
    )
    assert found(done)["dns"][0] == "failed"
    assert f"the name {name} was not resolved within the time limit of 1 s. Check" in found(done)["dns"][1]
    assert found(done)["connection"] == ("warning", "skipped: dns failed. Fix that first.")


def test_a_name_that_is_resolved_too_late(last9: FakeLast9, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that answers when the time is over is what is to blame, and not the connection that there is no time for any more."""
    real = socket.getaddrinfo

    def slow(*arguments: Any, **more: Any) -> Any:
        clock.sleep(60)
        return real(*arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    context = Context({}, last9.refresh_token, clock, BuildLog(io.StringIO(), Redactor()))
    answer = ConnectionTest(parse(json.dumps(request_for())), context).run()
    findings = [(each["check"], each["state"]) for each in answer.more["findings"] if each["check"] in ("dns", "connection")]
    assert findings == [("dns", "failed"), ("connection", "warning")]
    assert "the name 127.0.0.1 was not resolved within the time limit of 10 s" in answer.warnings[0]
    assert last9.requests() == []


def test_a_second_look_up_that_hangs(last9: FakeLast9, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection looks the name up anew: if that is what the time was spent on, the watchdog's answer says so."""
    real, calls, answers = socket.getaddrinfo, [], []

    def second_hangs(*arguments: Any, **more: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:  # what the watchdog would do meanwhile
            answers.append(handler.abort(DeadlineExceeded()))
        return real(*arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", second_hangs)
    context = Context({}, last9.refresh_token, clock, BuildLog(io.StringIO(), Redactor()))
    handler = ConnectionTest(parse(json.dumps(request_for())), context)
    handler.run()
    (answer,) = answers
    assert answer.more["ok"] is False
    assert any("the name 127.0.0.1 was not resolved within the time limit of 10 s" in warning for warning in answer.warnings)


@pytest.mark.parametrize(
    ("body", "culprit", "words"),
    [
        ('{"error": "insufficient scope"}', "scope", "its scope is too low (403: insufficient scope"),
        ('{"error": "not your organization"}', "organization", "does not let the token write to organization 'acme' (403: not your"),
        ("nope", "write", "Last9 does not allow this request (403: nope)"),
        ("<title>Blocked</title>", "write", "a web page was returned instead of Last9's API at 127.0.0.1 (403: page 'Blocked')"),
    ],
)
def test_a_403_is_found_where_it_belongs(last9: FakeLast9, tmp_path: Path, body: str, culprit: str, words: str) -> None:
    """What the server says decides under which heading the refusal of the test event stands."""
    last9.order({"on": "event", "status": 403, "body": body})
    done = check(last9, tmp_path, options={"sendTestEvent": "true"})
    assert found(done)[culprit][0] == "failed"
    assert words in found(done)[culprit][1]
    assert {name for name, state in states(done).items() if state == "failed"} == {culprit, "write"}


def test_options_that_are_wrong(last9: FakeLast9, tmp_path: Path) -> None:
    """What a marker would warn of or be refused for is found here; a service need not be named."""
    options = {"enviroment": "x", "sendTestEvents": "true", "eventState": "begin", "timeoutSeconds": "soon"}
    done = check(last9, tmp_path, options=options, config={"routingProfile": "x"})
    texts = [each["text"] for each in done.answer["findings"] if each["check"] == "options"]
    assert [
        any(word in text for text in texts)
        for word in ("'environment'", "did you mean 'sendTestEvent'", "'begin'", "'soon'", "routing profile")
    ] == [True] * 5
    assert len(texts) == 5


def test_fail_on_error(last9: FakeLast9, tmp_path: Path) -> None:
    """``failOnError`` fails the build for a failed finding, never for a warning."""
    assert check(last9, tmp_path, options={"failOnError": "true"}).answer["failBuild"] is None
    done = check(last9, tmp_path, token=last9.issue(scopes=["read"]), options={"failOnError": "true"})
    assert done.answer["failBuild"].startswith("Last9 connection test failed, and failOnError is set: scope: ")


def test_what_was_kept_stays_kept(last9: FakeLast9, tmp_path: Path) -> None:
    """A connection test sends no marker of anybody's, and hands back what it was given."""
    done = check(last9, tmp_path, options={"sendTestEvent": "true"}, pending=["opaque"])
    assert done.pending == ["opaque"]
    assert len(last9.received()) == 1


def test_abort_before_anything_was_found() -> None:
    """Whenever the time is over there is an answer, and every finding that was owed is in it or called unproven."""
    build_log = CapturedLog(Redactor())
    test = ConnectionTest(parse(json.dumps(request_for())), Context({}, None, ManualClock(), build_log))
    answer = test.abort(DeadlineExceeded())
    assert answer.more["ok"] is False
    assert [each["check"] for each in answer.more["findings"] if each["state"] == "failed"] == ["interpreter"]
    assert answer.line()


def test_abort_just_after_the_end(last9: FakeLast9) -> None:
    """A busy machine may meet the end of its time while it sums up: nothing is found or said twice, and the answer is the same."""
    log = io.StringIO()
    context = Context({"PATH": "/nowhere"}, last9.refresh_token, ManualClock(), BuildLog(log, Redactor()))
    test = ConnectionTest(parse(json.dumps(request_for())), context)
    first, second = test.run(), test.abort(DeadlineExceeded())
    assert first.more["ok"] is True
    assert second.line() == first.line()
    assert log.getvalue().count(" 0 failed)") == 1


def test_a_defect_is_a_finding(last9: FakeLast9, tmp_path: Path) -> None:
    """An exception that no one expected costs neither the answer nor the findings so far."""
    broken = tmp_path / "broken"
    broken.mkdir()
    source = "import last9_markers.client.proxies as p\ndef choose(*a):\n    raise ZeroDivisionError('boom')\np.choose = choose\n"
    (broken / "sitecustomize.py").write_text(source, encoding="utf-8")
    path = f"{broken}:{Path(__file__).parents[3] / 'python'}"
    done = check(last9, tmp_path, environ={"PYTHONPATH": path})
    assert found(done)["proxy"][0] == "failed"
    assert "ZeroDivisionError" in found(done)["proxy"][1]
    assert found(done)["dns"][1] == "skipped: proxy failed. Fix that first."


def test_a_log_without_readers_remembers() -> None:
    """Text that is not logged is redacted, too."""
    redactor = Redactor()
    redactor.hide("hunter-of-22")
    build_log: BuildLog = CapturedLog(redactor)
    build_log.warning("with hunter-of-22")
    assert build_log.warnings == ["with ****"]
