"""The client of Jenkins' API, against a server that answers as Jenkins does, on good days and bad ones."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from controller import builds
from controller.builds import Lost, NeverStarted
from controller.client import Client, ControllerError, Forbidden, Gone, NotJenkins, Unreachable, Unsure, WrongCredentials
from controller.workplace import job_xml
from fake_jenkins import FakeBuild, FakeJenkins, until

TOKEN = "the-token"
CERTIFICATES = Path(__file__).parents[1] / "certificates"


@pytest.fixture
def jenkins() -> Iterator[FakeJenkins]:
    """A controller that is well."""
    with FakeJenkins() as server:
        yield server


@pytest.fixture
def client(jenkins: FakeJenkins) -> Iterator[Client]:
    """A client with the right token and little patience."""
    made = Client(jenkins.url, "ada", TOKEN, patience=20, timeout=5)
    yield made
    made.close()


def begun(jenkins: FakeJenkins, client: Client) -> builds.Build:
    """A build of a job that is made for it."""
    client.post("/createItem", xml=job_xml("echo 'hello'"), name="j")
    return builds.begun(client, "j", builds.start(client, "j"), 20)


def test_version_comes_from_the_header(client: Client) -> None:
    """The version of the controller is what its X-Jenkins header says."""
    assert client.version() == "2.541.3"


def test_post_brings_a_crumb_of_its_session(jenkins: FakeJenkins, client: Client) -> None:
    """A POST is taken by a controller with CSRF protection, and the crumb is asked for once."""
    client.post("/createItem", xml=job_xml("a"), name="a")
    client.post("/createItem", xml=job_xml("b"), name="b")
    assert set(jenkins.jobs) == {"a", "b"}
    assert jenkins.requests.count("GET /crumbIssuer/api/json") == 1


def test_post_without_csrf_protection(jenkins: FakeJenkins, client: Client) -> None:
    """A controller that issues no crumbs (404) gets none, and takes the POST."""
    jenkins.csrf = False
    client.post("/createItem", xml=job_xml("a"), name="a")
    assert set(jenkins.jobs) == {"a"}


def test_403_for_a_crumb_that_is_no_more_gets_a_new_one(jenkins: FakeJenkins, client: Client) -> None:
    """A session that ended (a restart) costs one refused POST, which is repeated with a new crumb: it was not carried out."""
    client.post("/createItem", xml=job_xml("a"), name="a")
    jenkins.sessions.clear()
    client.post("/createItem", xml=job_xml("b"), name="b")
    assert [request for request in jenkins.requests if "createItem" in request] == ["POST /createItem"] * 3
    assert len(jenkins.jobs) == 2


def test_403_for_every_crumb_ends(jenkins: FakeJenkins, client: Client) -> None:
    """A controller that takes no crumb at all is refused after one more try, not asked for ever."""
    jenkins.trouble("POST /createItem", lambda h: h.page(403, "No valid crumb was included in the request"), times=99)
    with pytest.raises(Forbidden, match="No valid crumb"):
        client.post("/createItem", xml=job_xml("a"), name="a")
    assert jenkins.requests.count("POST /createItem") == 2


def test_403_for_a_permission_is_told_and_not_repeated(jenkins: FakeJenkins, client: Client) -> None:
    """A missing permission is named in the controller's own words, without its markup, and the POST is made once."""
    jenkins.trouble("POST /createItem", lambda h: h.page(403, "ada is missing the Job/Create permission"), times=99)
    with pytest.raises(Forbidden, match=r"answers 403: ada is missing the Job/Create permission\.$"):
        client.post("/createItem", xml=job_xml("a"), name="a")
    assert jenkins.requests.count("POST /createItem") == 1


@pytest.mark.parametrize(("user", "token"), [("ada", "wrong-token-secret"), ("", "")])
def test_wrong_credentials_are_told_without_the_token(jenkins: FakeJenkins, user: str, token: str) -> None:
    """401 is an error that names the two settings, at once, and holds no token."""
    with pytest.raises(WrongCredentials, match="JENKINS_USER or JENKINS_TOKEN") as raised:
        Client(jenkins.url, user, token, patience=60).get_json("")
    assert "secret" not in str(raised.value)
    assert len(jenkins.requests) == 1


def test_a_login_page_is_wrong_credentials(jenkins: FakeJenkins, client: Client) -> None:
    """A redirect to the login page says what to set, and is not followed."""
    jenkins.trouble("GET", lambda h: h.page(302, "", Location="/securityRealm/commenceLogin?from=%2F"))
    with pytest.raises(WrongCredentials, match="JENKINS_USER"):
        client.get_json("")


def test_a_redirect_elsewhere_is_not_followed(jenkins: FakeJenkins, client: Client) -> None:
    """The token goes to no other host: a redirect is an error that names its target."""
    with FakeJenkins() as other:
        jenkins.trouble("GET", lambda h: h.page(302, "", Location=f"{other.url}/api/json"))
        with pytest.raises(NotJenkins, match=other.url):
            client.get_json("")
        assert other.requests == []


def test_html_instead_of_json_is_told(jenkins: FakeJenkins, client: Client) -> None:
    """A page where JSON is due (a proxy, another server) is an error that says so, not a stack trace of a parser."""
    jenkins.trouble("GET", lambda h: h.page(200, "Welcome"))
    with pytest.raises(NotJenkins, match=r"answers text/html instead of JSON\. Is JENKINS_URL right"):
        client.get_json("")


def test_a_server_that_is_no_jenkins_is_told() -> None:
    """Without the X-Jenkins header nothing is taken for a controller."""
    with FakeJenkins(user="") as server:
        server.trouble(
            "GET", lambda h: (h.send_response(200), h.send_header("Content-Length", "2"), h.end_headers(), h.wfile.write(b"{}")) != ()
        )
        with pytest.raises(NotJenkins, match="without an X-Jenkins header"):
            Client(server.url).version()


def test_404_is_gone(client: Client) -> None:
    """What is not there is an error of its own, so that callers can tell."""
    with pytest.raises(Gone):
        client.get_json("/job/none")


def test_an_error_is_told_in_jenkins_own_words(jenkins: FakeJenkins, client: Client) -> None:
    """The reason that Jenkins gives in X-Error is the message, and no page of HTML."""
    client.post("/createItem", xml=job_xml("a"), name="a")
    with pytest.raises(ControllerError, match="400: A job already exists with the name"):
        client.post("/createItem", xml=job_xml("a"), name="a")


def test_get_waits_for_a_controller_that_starts(jenkins: FakeJenkins, client: Client) -> None:
    """503 with a page that asks to wait is waited for, for GET and POST: nothing was carried out."""
    jenkins.trouble("GET /api", lambda h: h.page(503, "Please wait while Jenkins is getting ready to work"), times=2)
    jenkins.trouble("POST", lambda h: h.page(503, "Please wait while Jenkins is getting ready to work"), times=2)
    assert client.version() == "2.541.3"
    client.post("/createItem", xml=job_xml("a"), name="a")
    assert set(jenkins.jobs) == {"a"}


def test_a_controller_that_restarts_in_between(jenkins: FakeJenkins, client: Client) -> None:
    """Refused connections are waited for, and the lost session costs a new crumb: the POST is carried out exactly once."""
    client.post("/createItem", xml=job_xml("a"), name="a")
    jenkins.restart(seconds=1.0)
    client.post("/createItem", xml=job_xml("b"), name="b")
    assert sorted(job.name for job in jenkins.every_job) == ["a", "b"]


@pytest.mark.parametrize("status", [502, 504])
def test_a_proxy_that_gave_up_on_a_post_proves_nothing(jenkins: FakeJenkins, client: Client, status: int) -> None:
    """A proxy's 502 or 504 may come after Jenkins has begun the build: the POST is not made again. A GET is."""

    def late(handler: Any) -> bool:
        jenkins.begin(jenkins.jobs["a"], {})
        return bool(handler.page(status, "The proxy gave up"))

    client.post("/createItem", xml=job_xml("a"), name="a")
    jenkins.trouble("POST /job/a/build", late)
    with pytest.raises(Unsure, match=f"{status}.* not known"):
        builds.start(client, "a")
    assert len(jenkins.jobs["a"].builds) == 1
    jenkins.trouble("GET /api", lambda h: h.page(status, "The proxy gave up"))
    assert client.version() == "2.541.3"


def test_who_waits_says_so(jenkins: FakeJenkins) -> None:
    """Minutes of silence look like a hang: the wait is logged, once for each request, with its reason."""
    told: list[str] = []
    jenkins.trouble("GET /api", lambda h: h.page(503, "Please wait while Jenkins is getting ready to work"), times=3)
    Client(jenkins.url, "ada", TOKEN, patience=20, sleep=lambda _: None, waiting=told.append).version()
    assert told == [f"Waiting for {jenkins.url}: it answers 503"]


def test_a_certificate_that_is_not_trusted_is_told_at_once() -> None:
    """Waiting does not fix a certificate: the reason comes at once, with the setting that helps, and that setting does help."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem", CERTIFICATES / "server.key")
    with FakeJenkins(tls=context) as server:
        sleeps: list[float] = []
        with pytest.raises(Unreachable, match="SSL_CERT_FILE"):
            Client(server.url, "ada", TOKEN, patience=60, sleep=sleeps.append).version()
        assert sleeps == []
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))
            trusting = Client(server.url, "ada", TOKEN)
        assert trusting.version() == "2.541.3"


def test_a_controller_below_a_path(jenkins: FakeJenkins) -> None:
    """Where Jenkins has a context path (/jenkins), everything is asked below it, a slash behind it or not; the cookie is taken."""
    jenkins.context = "/jenkins"
    client = Client(f"{jenkins.url}/jenkins/", "ada", TOKEN)
    build = begun(jenkins, client)
    until(lambda: build.result() == "SUCCESS")
    assert build.console()[-1] == "Finished: SUCCESS"
    with pytest.raises(Gone):
        Client(jenkins.url, "ada", TOKEN).version()


def test_times_before_the_lines_are_no_part_of_them(jenkins: FakeJenkins, client: Client) -> None:
    """Where the Timestamper plugin is on for all Pipelines, each line of the log begins with a time: it is left out."""

    def play(build: FakeBuild) -> str:
        build.say("[2026-11-29T11:02:03.004Z] [Pipeline] echo\r")
        build.say("[2026-11-29T11:02:03.005Z] hello\u2028there")
        return "SUCCESS"

    jenkins.play = play
    build = begun(jenkins, client)
    until(lambda: build.result() == "SUCCESS")
    lines = ["[Pipeline] echo", "hello\u2028there", "Finished: SUCCESS"]
    assert build.console() == lines
    assert build.new_lines() == lines


def test_patience_has_an_end() -> None:
    """A controller that does not come is reported after the patience, with what was seen."""
    server = FakeJenkins()
    with server:
        url = server.url
    with pytest.raises(Unreachable, match="cannot be reached since"):
        Client(url, patience=0.6).version()


def test_a_controller_that_was_given_up_is_asked_with_little_patience() -> None:
    """The tidying asks several times: it does not wait five minutes each time for a controller that has not come in five minutes."""
    sleeps: list[float] = []
    with FakeJenkins() as server:
        client = Client(server.url, patience=0.3, sleep=lambda seconds: sleeps.append(seconds) or time.sleep(seconds))
    with pytest.raises(Unreachable):
        client.version()
    sleeps.clear()
    with pytest.raises(Unreachable):
        client.post("/createItem", name="a")
    assert sum(sleeps) <= 0.1


def test_post_without_an_answer_is_not_repeated(jenkins: FakeJenkins, client: Client) -> None:
    """A POST whose answer is lost may have been carried out: it is reported and not made again."""
    client.post("/createItem", xml=job_xml("a"), name="a")
    jenkins.trouble("POST /job/a/build", lambda h: h.hang_up())
    with pytest.raises(Unsure, match="not known"):
        builds.start(client, "a")
    assert jenkins.requests.count("POST /job/a/build") == 1


def test_get_without_an_answer_is_repeated(jenkins: FakeJenkins, client: Client) -> None:
    """A GET whose connection breaks, or whose answer does not come in time, is made again."""
    slow = threading.Event()
    jenkins.trouble("GET /api", lambda h: h.hang_up())
    jenkins.trouble("GET /api", lambda h: slow.wait(3) or h.hang_up())
    quick = Client(jenkins.url, "ada", TOKEN, patience=20, timeout=0.5)
    assert quick.version() == "2.541.3"
    slow.set()
    assert jenkins.requests.count("GET /api/json") == 3
    assert client.version() == "2.541.3"


def test_a_console_cut_in_the_middle_is_read_again(jenkins: FakeJenkins, client: Client) -> None:
    """An answer that breaks off is not taken for the whole: no line is lost, doubled or cut."""

    def play(build: FakeBuild) -> str:
        for number in range(5):
            build.say(f"line {number} – ü")
        return "SUCCESS"

    jenkins.play = play
    build = begun(jenkins, client)
    until(lambda: build.result() == "SUCCESS")
    jenkins.trouble("GET .*/progressiveText", lambda h: h.cut())
    lines = build.new_lines() + build.new_lines()
    assert lines == [f"line {number} – ü" for number in range(5)] + ["Finished: SUCCESS"]


def test_a_line_that_is_being_written_waits(jenkins: FakeJenkins, client: Client) -> None:
    """A piece of the log that ends within a line, and within a letter, is put together with the next one."""
    go = threading.Event()

    def play(build: FakeBuild) -> str:
        build.log += "begun ü".encode()[:-1]
        go.wait(20)
        build.log += "ü".encode()[1:] + b"!\n"
        return "SUCCESS"

    jenkins.play = play
    build = begun(jenkins, client)
    until(lambda: bool(jenkins.jobs["j"].builds[0].log))
    assert build.new_lines() == []
    go.set()
    until(lambda: build.result() is not None)
    until(lambda: b"Finished" in jenkins.jobs["j"].builds[0].log)
    assert build.new_lines() == ["begun ü!", "Finished: SUCCESS"]


def test_a_console_without_its_end_is_not_judged(jenkins: FakeJenkins, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log whose last line never comes is an error that shows where it ends: missing lines would prove nothing."""
    monkeypatch.setattr("controller.builds.time.sleep", lambda _: None)
    build = begun(jenkins, client)
    until(lambda: b"Finished" in jenkins.jobs["j"].builds[0].log)
    jenkins.jobs["j"].builds[0].log = b"Started by user Ada\n"
    with pytest.raises(NotJenkins, match="has no end: its last line is 'Started by user Ada'"):
        build.console()


def test_a_queue_that_never_moves(jenkins: FakeJenkins, client: Client) -> None:
    """The wait for an executor ends with Jenkins' own reason, and the item is taken out of the queue."""
    jenkins.queue_moves = False
    client.post("/createItem", xml=job_xml("a"), name="a")
    item = builds.start(client, "a")
    with pytest.raises(NeverStarted, match=r"still waits in the queue after 1 s: Waiting for next available executor"):
        builds.begun(client, "a", item, 0.6)
    assert jenkins.requests[-1] == "POST /queue/cancelItem"
    assert jenkins.items == {}


def test_a_cancelled_queue_item(jenkins: FakeJenkins, client: Client) -> None:
    """An item that someone has taken out of the queue is reported at once."""
    jenkins.queue_moves, jenkins.cancelled = False, True
    client.post("/createItem", xml=job_xml("a"), name="a")
    with pytest.raises(NeverStarted, match="cancelled"):
        builds.begun(client, "a", builds.start(client, "a"), 60)


def test_a_queue_item_that_a_restart_forgot(jenkins: FakeJenkins, client: Client) -> None:
    """An item that is gone is not a lost build: the job's newest build is the one."""
    client.post("/createItem", xml=job_xml("a"), name="a")
    item = builds.start(client, "a")
    jenkins.items.clear()
    assert builds.begun(client, "a", item, 20).number == 1


def test_a_build_that_is_deleted(jenkins: FakeJenkins, client: Client) -> None:
    """A build that someone deletes midway is reported as that, by everything that looks at it."""
    build = begun(jenkins, client)
    jenkins.jobs["j"].builds.clear()
    for look in (build.new_lines, build.result, build.console, build.annotated_console, build.artifacts):
        with pytest.raises(Lost, match="someone has deleted it"):
            look()
    build.end()  # nothing to end, and no error


def test_a_build_that_does_not_stop_is_ended_by_force(jenkins: FakeJenkins, client: Client) -> None:
    """stop, then term, then kill: until it ends."""

    def play(build: FakeBuild) -> str:
        until(lambda: "kill" in build.pressed)
        return "ABORTED"

    jenkins.play = play
    build = begun(jenkins, client)
    build.end(seconds=1.5)
    assert jenkins.jobs["j"].builds[0].pressed == ["stop", "term", "kill"]


def test_parameters_are_form_fields(jenkins: FakeJenkins, client: Client) -> None:
    """buildWithParameters gets what was given, and nothing of it is in the address."""
    client.post("/createItem", xml=job_xml("a", parameters=("SEND",)), name="a")
    builds.start(client, "a", {"SEND": "true"})
    assert jenkins.jobs["a"].builds[0].parameters == {"SEND": "true"}
    assert jenkins.requests[-1] == "POST /job/a/buildWithParameters"


def test_artifacts_are_fetched(jenkins: FakeJenkins, client: Client) -> None:
    """An archived file that is listed and cannot be fetched is an error."""
    build = begun(jenkins, client)
    until(lambda: build.result() is not None)
    state: dict[str, Any] = {"last9-report/report.html": "<html>"}
    jenkins.jobs["j"].builds[0].artifacts.update(state)
    assert build.artifacts() == ["last9-report/report.html"]
    jenkins.trouble("GET .*/artifact/", lambda h: h.page(500, "Oops"))
    with pytest.raises(ControllerError, match="500: Oops"):
        build.artifacts()
