"""Long texts and odd words from outside: no more time, no more memory, no more of a secret than a short one."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from last9_markers.client.answer_text import read
from last9_markers.client.transport import LONGEST_BODY
from last9_markers.core.errors import BaseUrlUnusable
from last9_markers.core.limits import LONGEST_TEXT, cut
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.request.destination import read_base_url, resolve_base_url
from last9_markers.request.token import Claims
from support import ManualClock, engine, make_request, run_marker, wait_until

REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))

#: Texts that make a careless pattern look at each letter again and again.
SHAPES: dict[str, Callable[[int], str]] = {
    "letters": lambda size: "a" * size,
    "schemes": lambda size: "a://" * (size // 4),
    "a scheme and a long host": lambda size: "https://" + "a" * size,
    "at signs": lambda size: "x://" + "a@" * (size // 2),
    "JWTs": lambda size: "eyJ" * (size // 3),
    "a JWT's dots": lambda size: "eyJaaaaa" + "." * size,
    "Bearers": lambda size: "Bearer " * (size // 7),
    "a Bearer and blanks": lambda size: "Bearer" + " " * size,
    "digits and dashes": lambda size: "1-" * (size // 2),
}


def _seconds(text: str) -> float:
    redactor = Redactor()
    redactor.hide("a-refresh-token-of-some-length")
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        redactor.clean(text)
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("shape", SHAPES)
def test_redaction_takes_time_as_the_text_is_long(shape: str) -> None:
    """Eight times the text takes some eight times the processor's time, and not sixty-four times: 100,000 letters had taken 35 s."""
    make = SHAPES[shape]
    small, large = _seconds(make(25_000)), _seconds(make(200_000))
    # Half-way between linear and quadratic, on a scale of factors; what is too short to measure is not an attack.
    assert large < 24 * small or large < 0.05


@pytest.mark.parametrize("opening", ["<", "<h1>", "<title>x", "<!--", "<script>"])
def test_a_page_takes_no_time(opening: str) -> None:
    """A page of nothing but openings is no more work than another: of 64 kB of them one pattern had taken seconds with the lock held."""
    body = (opening * LONGEST_BODY)[:LONGEST_BODY].encode()
    began = time.process_time()
    assert read(body, Redactor()).is_page
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("text", ["https://user:pa55word@host/x", "git+ssh://token@host", "see x://a:b@c and y://d@e", "9x://secret@host"])
def test_user_information_is_still_hidden(text: str) -> None:
    """The pattern that is linear now hides what the one before it did."""
    cleaned = Redactor().clean(text)
    assert "****@" in cleaned
    assert not re.search(r"pa55word|token|a:b|d@|secret", cleaned)


def test_a_long_service_name_is_cut_and_sent(last9: FakeLast9, clock: ManualClock) -> None:
    """A stop is sent in every case: of 100,000 letters the first 1,024 bytes name the service, and a line says so."""
    ran = run_marker(
        make_request("stop", options={"serviceName": "ü" * 100_000, "eventName": "e" * 5000}), last9.refresh_token, clock=clock
    )
    assert ran.answer.delivered
    (event,) = last9.received()
    assert event["attributes"]["service_name"] == "ü" * 512
    assert event["event_name"] == "e" * 1024
    assert sum("is longer than 1,024 bytes; using its beginning" in warning for warning in ran.answer.warnings) == 2
    assert max(map(len, ran.log.splitlines())) < 4000


@pytest.mark.parametrize("name", ["dryRun", "eventState", "failOnError", "timeoutSeconds", "attributeNames", "outcome", "previousCommit"])
def test_what_is_refused_is_not_repeated_at_length(last9: FakeLast9, clock: ManualClock, name: str) -> None:
    """A build parameter of a megabyte in place of a yes or no costs the log and the answer some lines."""
    ran = run_marker(make_request("stop", body=None, options={name: "x" * 1_000_000}), last9.refresh_token, clock=clock)
    assert ran.answer.warnings
    assert len(ran.log) < 10_000
    assert len(ran.answer.line()) < 10_000


def test_a_git_that_hangs_does_not_outlive_us(last9: FakeLast9, tmp_path: Path) -> None:
    """A repository whose answers never come leaves no process on the agent, not even if Last9 hangs as well and the time limit ends us."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    git = tmp_path / "git"
    git.write_text(f'#!/bin/sh\ncase "$*" in *" log "*) exit 128 ;; esac\necho $$ >> {tmp_path}/pids\nexec sleep 300\n', "utf-8")
    git.chmod(0o755)
    last9.order([{"drip": 1}])
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = engine(["send", "--service-name", "payments-api", "--timeout-seconds", "4"], environ=environ, cwd=tmp_path)
    assert "the time limit of 4 s is over" in done.stderr
    asked = (tmp_path / "pids").read_text("utf-8").split()
    assert asked
    wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in asked))


def test_a_script_in_gits_place_leaves_nothing(last9: FakeLast9, tmp_path: Path) -> None:
    """Where git is a script that runs another program, that program ends with it, whether it hangs or says too much."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    git = tmp_path / "git"
    hangs = f"sleep 300 & echo $! >> {tmp_path}/pids; wait"
    talks = f"sh -c 'echo $$ >> {tmp_path}/pids; exec yes'"
    git.write_text(f'#!/bin/sh\ncase "$*" in *remote*) {talks} ;; *) {hangs} ;; esac\n', "utf-8")
    git.chmod(0o755)
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "PATH": f"{tmp_path}:/usr/bin:/bin", "LAST9_API_BASE_URL": last9.url}
    done = engine(["send", "--service-name", "payments-api"], environ=environ, cwd=tmp_path)
    assert "Deployment marker sent successfully" in done.stderr
    started = (tmp_path / "pids").read_text("utf-8").split()
    assert started
    assert len(last9.received()) == 1
    wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in started))


def test_a_commit_author_of_many_megabytes(last9: FakeLast9, clock: ManualClock) -> None:
    """Anyone who can push chooses the author's name: the event stays small, and so does the answer that goes to the controller."""
    last9.order([{"status": 503}] * 8)
    ran = run_marker(make_request("stop"), last9.refresh_token, clock=clock, environ={"GIT_AUTHOR_NAME": "A" * 10_000_000})
    assert not ran.answer.delivered
    assert len(ran.answer.line()) < 10_000
    assert any(warning.startswith("cut to 1,024 bytes each: ") and "scm.author" in warning for warning in ran.answer.warnings)


def test_an_event_has_its_limit(last9: FakeLast9, clock: ManualClock) -> None:
    """However many attributes there are, an event stays within 64 kB, and what is left out is said."""
    attributes = {f"attribute_{number:03}" + "n" * 1000: "x" * 2000 for number in range(200)}
    ran = run_marker(make_request(options={"customAttributes": attributes}), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    (event,) = last9.received()
    assert event["attributes"]["service_name"] == "payments-api"
    assert 30_000 < len(json.dumps(event)) < 64 * 1024
    assert any("at most 30 labels, so these are left out" in warning for warning in ran.answer.warnings)


def test_a_secret_across_the_cut_is_hidden(last9: FakeLast9, clock: ManualClock) -> None:
    """A secret is looked for before a value is cut: half of one would not be recognized."""
    text = "x" * (LONGEST_TEXT - 20) + last9.refresh_token
    run_marker(make_request(options={"customAttributes": {"note": text}}), last9.refresh_token, clock=clock)
    (event,) = last9.received()
    assert event["attributes"]["note"] == "x" * (LONGEST_TEXT - 20) + "****"


@REPEATABLE
@given(text=st.text(st.characters(exclude_categories=()), max_size=200), most=st.integers(0, 100))
def test_cutting(text: str, most: int) -> None:
    """What is cut is a beginning that fits, no letter of it halved; what fits stays as it is."""
    short = cut(text, most)
    assert len(short.encode("utf-8", "surrogatepass")) <= most or short == text
    if len(text.encode("utf-8", "surrogatepass")) <= most:
        assert short == text


# -- words of others -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "short", "with blank in it", "line\nbreak", "ünicode-token", "x" * 16385, 7, None, ["x"], {"a": 1}])
def test_an_access_token_is_looked_at_first(last9: FakeLast9, clock: ManualClock, token: Any) -> None:
    """What cannot be a token is neither sent nor hidden: a server's one letter would turn the whole log into asterisks."""
    last9.order({"on": "exchange", "body": json.dumps({"access_token": token})})
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert "did not return an access token (its answer has no usable access_token)" in ran.log
    assert "****" not in ran.log
    assert last9.received() == []


@pytest.mark.parametrize("part", [slice(0, 16), slice(5, 21), slice(-16, None)])
@pytest.mark.parametrize("change", [str, str.upper, lambda text: f"'{text}'"])
def test_a_server_repeats_a_piece_of_the_token(last9: FakeLast9, clock: ManualClock, part: slice, change: Callable[[str], str]) -> None:
    """Sixteen letters of the token in a row are enough for a server's words not to be shown, wherever they are from."""
    token = last9.refresh_token
    last9.order({"on": "event", "status": 422, "body": json.dumps({"error": f"bad value {change(token[part])} here"})})
    ran = run_marker(make_request(), token, clock=clock)
    assert "rejected the event (422). " in ran.log
    assert "bad value" not in ran.log + ran.answer.line()


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def _entities(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)


@pytest.mark.parametrize("status", [401, 403, 422, 503])
@pytest.mark.parametrize(
    "form",
    [
        lambda piece: f'{{"detail": [{{"msg": "bad value {piece}"}}]}}',
        lambda piece: f'{{"message": "bad value {_escaped(piece)}"}}',
        lambda piece: f'{{"bad value": "{piece}"}}',
        lambda piece: f"bad value {piece}",
        lambda piece: f"<html><title>bad value {piece}</title></html>",
        lambda piece: f"<html><title>bad value {_entities(piece)}</title></html>",
        lambda piece: f"<h1>bad value <b>{piece}</b></h1>",
        lambda piece: f"<p>bad value {_entities(piece)}</p>",
    ],
)
def test_no_form_of_an_answer_shows_a_piece(last9: FakeLast9, clock: ManualClock, form: Callable[[str], str], status: int) -> None:
    """JSON, plain text, a page: wherever and however a piece of the token stands, none of the words around it are shown."""
    piece = last9.refresh_token.split(".")[2][:20]
    last9.order({"on": "event", "status": status, "body": form(piece), "headers": {"Retry-After": "60"}})
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert f"{status}" in ran.answer.warnings[0]
    assert "bad value" not in ran.log + ran.answer.line()
    assert piece not in ran.log + ran.answer.line()


@pytest.mark.parametrize(
    "body", ["<title>bad value {}</title>", "<html><title></title><h1>bad value {}</h1>", "bad value {}", '{{"note": "bad value {}"}}']
)
def test_an_exchange_without_a_token_shows_no_piece(last9: FakeLast9, clock: ManualClock, body: str) -> None:
    """The same where the exchange seems to succeed and holds no token."""
    piece = last9.refresh_token.split(".")[2][:20]
    last9.order({"on": "exchange", "body": body.format(piece)})
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert "did not return an access token" in ran.log
    assert "bad value" not in ran.log + ran.answer.line()


def test_other_words_of_a_server_are_shown(last9: FakeLast9, clock: ManualClock) -> None:
    """Fifteen letters may be chance, and what a server says is what helps."""
    last9.order({"on": "event", "status": 422, "body": json.dumps({"error": f"bad value {last9.refresh_token[40:50]} here"})})
    assert "rejected the event (422: bad value" in run_marker(make_request(), last9.refresh_token, clock=clock).log


@pytest.mark.parametrize(
    "words", [["s0mething-secret"], ["send", "--service-name", "x", "s0mething-secret"], ["check", "s0mething-secret"]]
)
def test_a_token_in_place_of_a_command(tmp_path: Any, words: list[str]) -> None:
    """Anyone who gives the secret as an argument does not find it in the build log."""
    done = engine(words, cwd=tmp_path)
    assert done.code == 2
    assert "s0mething-secret" not in done.stdout + done.stderr
    assert "last9-markers" in done.stderr


# -- hosts that no library takes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "999.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "a." + "b" * 64 + ".example.com",
        ".".join(["abcdefgh"] * 40),
        "xn--a\u00e4",
        "xn--",
        "xn--zzzzzzzz9999",
        "[1.2.3.4]",
    ],
)
def test_a_host_that_is_none_is_said_to_be(last9: FakeLast9, clock: ManualClock, host: str) -> None:
    """A host that the HTTP client or a resolver would choke on is our warning, and not a defect to report."""
    ran = run_marker(make_request(options={"apiBaseUrl": f"https://{host}"}), last9.refresh_token, clock=clock)
    assert "apiBaseUrl cannot be used" in ran.log
    assert "Please report" not in ran.log
    assert ran.answer.accepted is False


HOST = st.text(st.sampled_from("abcxn019-.[]:"), min_size=1, max_size=70) | st.lists(
    st.sampled_from(["xn--", "a", "9", "256", "b" * 63, "b" * 64, "xn--mnchen-3ya"]), min_size=1, max_size=6
).map(".".join)


@REPEATABLE
@given(host=HOST, path=st.text(st.sampled_from("/a.~-"), max_size=10))
def test_what_we_take_every_library_takes(host: str, path: str) -> None:
    """A base URL is refused by us, or a URL to httpx and a name to the resolver's codec."""
    try:
        base_url = read_base_url(f"https://{host}{path}")
    except BaseUrlUnusable:
        return
    assert httpx.Request("PUT", base_url.text + "/api").url.raw_host
    if not base_url.host.startswith("["):
        base_url.host.encode("idna")


def test_the_claims_of_a_token_are_read_by_the_same_rule() -> None:
    """A token whose audience is not a host that a library takes leads to Last9's own address, and not to a defect."""
    assert resolve_base_url(None, Claims(api_urls=("https://999.1.1.1", "https://xn--"))).text == "https://app.last9.io"
