"""A real HTTP server that answers as Jenkins does, as far as the suite asks; and that has its bad days.

Its facts are those of Jenkins' documentation (remote access API, CSRF protection) and of its plugins' sources: a crumb belongs to a
session and is forgotten with it; ``build`` answers 201 with a queue item's address made of the controller's configured root URL;
``logText`` has ``X-Text-Size`` and ``X-More-Data``; pages of errors are HTML; everything that a user may not see is 404.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

#: The controller's own address if it is configured with another one than the one that is used.
ROOT_URL = "http://jenkins.example.test/"
PLUGINS = (
    *("workflow-job", "workflow-cps", "pipeline-groovy-lib", "plain-credentials", "git", "pipeline-model-definition"),
    *("pipeline-input-step", "pipeline-build-step", "workflow-durable-task-step", "workflow-basic-steps", "credentials-binding"),
    *("cloudbees-folder", "pipeline-rest-api"),
)


class FakeBuild:
    """One build: what a play says and does, and what is done to it."""

    def __init__(self, job: FakeJob, number: int, parameters: dict[str, str]) -> None:
        self.job = job
        self.number = number
        self.parameters = parameters
        self.log = b""
        self.html = ""
        self.result: str | None = None
        self.colors: dict[str, str] = {}
        self.artifacts: dict[str, str] = {}
        self.stages: list[dict[str, Any]] = []
        self.stopped = threading.Event()
        self.pressed: list[str] = []
        self._ids = 2

    def say(self, line: str) -> None:
        """A line of the log."""
        self.log += line.encode() + b"\n"
        self.html += html.escape(line) + "\n"

    def node(self, text: str, enclosing: str = "", opens: bool = False, color: str = "blue") -> str:
        """A new flow node, as the log shows it; its id."""
        self._ids += 1
        number = str(self._ids)
        start = f'" startId="{number}' if opens else ""
        within = f'" enclosingId="{enclosing}' if enclosing else ""
        self.colors[number] = color
        self.log += f"[Pipeline] {text}\n".encode()
        self.html += f'<span class="pipeline-new-node" nodeId="{number}{start}{within}">[Pipeline] {html.escape(text)}\n</span>'
        return number

    def end(self, start: str, text: str) -> None:
        """The end of a block or a body."""
        self._ids += 1
        self.log += f"[Pipeline] {text}\n".encode()
        self.html += f'<span class="pipeline-new-node" nodeId="{self._ids}" startId="{start}">[Pipeline] {html.escape(text)}\n</span>'

    def over(self, result: str) -> None:
        """The end. The result is there a moment before the last line, as in Jenkins."""
        self.result = result
        self.say(f"Finished: {result}")


class FakeJob:
    """A job by its config.xml."""

    def __init__(self, name: str, config: str) -> None:
        self.name = name
        self.config = ElementTree.fromstring(config)
        self.builds: list[FakeBuild] = []

    @property
    def script(self) -> str:
        """The Jenkinsfile."""
        return self.config.findtext("definition/script") or ""


#: Runs a build: writes its log, returns its result.
Play = Callable[[FakeBuild], str]


def at_once(build: FakeBuild) -> str:
    """A build without anything in it."""
    build.say("Started by user Ada")
    return "SUCCESS"


class FakeJenkins:
    """A context manager. Set its attributes to give it bad days; ``requests`` is what was asked, in order."""

    def __init__(self, play: Play = at_once, user: str = "ada", token: str = "the-token", tls: ssl.SSLContext | None = None) -> None:
        self.play = play
        self.user, self.token = user, token
        self._tls = tls
        self.context = ""
        self.csrf = True
        self.plugins: list[str] | None = list(PLUGINS)
        self.folders_allowed = True
        self.credentials_allowed = True
        self.second_is_offline = False
        self.queue_moves = True
        self.why = "Waiting for next available executor"
        self.cancelled = False
        #: ``(pattern of "METHOD path", times, act)``: act answers in place of Jenkins, or returns False to let it answer.
        self.troubles: list[list[Any]] = []
        self.requests: list[str] = []
        self.folders: list[str] = []
        self.jobs: dict[str, FakeJob] = {}
        self.every_job: list[FakeJob] = []
        self.credentials: dict[str, str] = {}
        self.sessions: dict[str, str] = {}
        self.items: dict[int, FakeBuild | None] = {}
        self.lock = threading.RLock()
        self._port = 0
        self._back: threading.Timer | None = None

    def trouble(self, pattern: str, act: Callable[[_Handler], bool], times: int = 1) -> None:
        """The next requests of that kind meet this."""
        self.troubles.append([re.compile(pattern), times, act])

    def __enter__(self) -> FakeJenkins:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        if self._back:
            self._back.cancel()
        self._server.go_away()
        for job in self.every_job:
            for build in job.builds:
                build.stopped.set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def _listen(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.jenkins = self
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def restart(self, seconds: float) -> None:
        """Gone for a while; sessions and the items of builds that have begun are forgotten. Builds go on."""
        self._server.go_away()
        with self.lock:
            self.sessions.clear()
            self.items = {number: build for number, build in self.items.items() if build is None}
        self._back = threading.Timer(seconds, self._listen)
        self._back.daemon = True
        self._back.start()

    def begin(self, job: FakeJob, parameters: dict[str, str]) -> FakeBuild:
        """Run a build on a thread of its own."""
        build = FakeBuild(job, len(job.builds) + 1, parameters)
        job.builds.append(build)
        for older in job.builds[:-1]:
            if older.result is None and job.config.findtext(".//abortPrevious") == "true":
                older.pressed.append("superseded")
                older.stopped.set()
        threading.Thread(target=lambda: build.over(self.play(build)), daemon=True).start()
        return build


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    jenkins: FakeJenkins

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember the connections: a client keeps them open, and a controller that goes away takes them with it."""
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def go_away(self) -> None:
        """Listen no more, and cut every connection."""
        self.shutdown()
        self.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet: ``requests`` tells."""

    def do_GET(self) -> None:
        self._dispatch()

    def do_POST(self) -> None:
        self._dispatch()

    # -- answers -----------------------------------------------------------------------------------------------------------------

    def answer(self, status: int, body: bytes, kind: str, **headers: str) -> bool:
        """Send one answer whole."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Jenkins", "2.541.3")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        return True

    def page(self, status: int, text: str, **headers: str) -> bool:
        """An HTML page, as Jenkins' errors are; every page of Jenkins names the crumb's header."""
        head = '<head data-crumb-header="Jenkins-Crumb"><title>Jenkins</title><style>h1 {}</style></head>'
        body = f"<html>{head}<body><h1>{text}</h1></body></html>"
        return self.answer(status, body.encode(), "text/html;charset=utf-8", **headers)

    def cut(self) -> bool:
        """The connection ends in the middle of an answer."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "1000")
        self.send_header("X-Text-Size", "1000")
        self.end_headers()
        self.wfile.write(b"half a li")
        self.wfile.flush()
        self.close_connection = True
        return True

    def hang_up(self) -> bool:
        """No answer at all."""
        self.close_connection = True
        return True

    def _json(self, content: Any) -> bool:
        return self.answer(200, json.dumps(content).encode(), "application/json;charset=utf-8")

    # -- requests ----------------------------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = unquote(parts.path)
        jenkins = self.server.jenkins
        below = path.startswith(f"{jenkins.context}/")
        path = path.removeprefix(jenkins.context)
        request = f"{self.command} {path}"
        with jenkins.lock:
            jenkins.requests.append(request)
            trouble = next((t for t in jenkins.troubles if t[1] > 0 and t[0].search(request)), None)
            if trouble:
                trouble[1] -= 1
        if trouble and trouble[2](self):
            return
        if not below:
            self.page(404, "Not Found")
        elif not self._is_known():
            self.page(401, "Invalid password/token for user")
        elif self.command == "POST" and not self._has_crumb():
            self.page(403, "No valid crumb was included in the request")
        elif not any(re.fullmatch(pattern, request) and handle(self, path) for pattern, handle in _ROUTES):
            self.page(404, "Not Found")

    def _is_known(self) -> bool:
        jenkins = self.server.jenkins
        expected = base64.b64encode(f"{jenkins.user}:{jenkins.token}".encode()).decode()
        return not jenkins.user or self.headers.get("Authorization") == f"Basic {expected}"

    def _session(self) -> str:
        match = re.search(r"JSESSIONID=(\w+)", self.headers.get("Cookie", ""))
        return match[1] if match else ""

    def _has_crumb(self) -> bool:
        jenkins = self.server.jenkins
        return not jenkins.csrf or (
            self._session() in jenkins.sessions and jenkins.sessions[self._session()] == self.headers.get("Jenkins-Crumb")
        )

    def crumb(self, path: str) -> bool:
        jenkins = self.server.jenkins
        if not jenkins.csrf:
            return False
        session, crumb = uuid.uuid4().hex, uuid.uuid4().hex
        jenkins.sessions[session] = crumb
        body = json.dumps({"crumb": crumb, "crumbRequestField": "Jenkins-Crumb"}).encode()
        return self.answer(200, body, "application/json", Set_Cookie=f"JSESSIONID={session}; Path={jenkins.context or '/'}; HttpOnly")

    def root(self, path: str) -> bool:
        jenkins = self.server.jenkins
        top = [*jenkins.folders, *(name for name in jenkins.jobs if "/" not in name)]
        return self._json({"mode": "NORMAL", "jobs": [{"name": name} for name in top]})

    def plugin_manager(self, path: str) -> bool:
        plugins = self.server.jenkins.plugins
        if plugins is None:
            return self.page(403, "ada is missing the Overall/SystemRead permission")
        return self._json({"plugins": [{"shortName": name, "version": "1", "active": True} for name in plugins]})

    def computers(self, path: str) -> bool:
        named = [("Built-In Node", "built-in", False), ("second", "second", self.server.jenkins.second_is_offline)]
        agents = [{"displayName": n, "offline": off, "numExecutors": 2, "assignedLabels": [{"name": label}]} for n, label, off in named]
        return self._json({"computer": agents})

    def create(self, path: str) -> bool:
        jenkins = self.server.jenkins
        where = "/".join(re.findall(r"/job/([^/]+)", path))
        full = f"{where}/{self.query['name']}" if where else self.query["name"]
        if "folder.Folder" in self.body:
            if not jenkins.folders_allowed:
                return self.page(500, "CannotResolveClassException: com.cloudbees.hudson.plugins.folder.Folder")
            jenkins.folders.append(full)
        elif full in jenkins.jobs:
            return self.page(400, "", X_Error=f"A job already exists with the name ‘{full}’".encode("ascii", "replace").decode())
        else:
            jenkins.jobs[full] = FakeJob(full, self.body)
            jenkins.every_job.append(jenkins.jobs[full])
        return self.answer(200, b"", "text/plain")

    def create_credential(self, path: str) -> bool:
        jenkins = self.server.jenkins
        if not jenkins.credentials_allowed:
            return self.page(403, "ada is missing the Credentials/Create permission")
        element = ElementTree.fromstring(self.body)
        jenkins.credentials[f"{path.split('/credentials/')[0]}:{element.findtext('id')}"] = element.findtext("secret") or ""
        return self.answer(200, b"", "text/plain")

    def credential(self, path: str) -> bool:
        name = path.split("/credential/")[1].split("/")[0]
        if f":{name}" not in self.server.jenkins.credentials:
            return False
        if path.endswith("/doDelete"):
            del self.server.jenkins.credentials[f":{name}"]
            return self.answer(302, b"", "text/html", Location="../..")
        return self._json({"id": name})

    def delete(self, path: str) -> bool:
        jenkins, full = self.server.jenkins, _full(path)
        if full not in jenkins.jobs and full not in jenkins.folders:
            return False
        jenkins.jobs = {name: job for name, job in jenkins.jobs.items() if name != full and not name.startswith(f"{full}/")}
        jenkins.folders = [name for name in jenkins.folders if name != full]
        jenkins.credentials = {key: value for key, value in jenkins.credentials.items() if not key.startswith(f"/job/{full}:")}
        return self.answer(302, b"", "text/html", Location=ROOT_URL)

    def start(self, path: str) -> bool:
        jenkins = self.server.jenkins
        job = jenkins.jobs.get(_full(path))
        if job is None:
            return False
        with jenkins.lock:
            item = len(jenkins.items) + 101
            parameters = {name: values[0] for name, values in parse_qs(self.body).items()}
            jenkins.items[item] = jenkins.begin(job, parameters) if jenkins.queue_moves else None
        return self.answer(201, b"", "text/plain", Location=f"{ROOT_URL}queue/item/{item}/")

    def queue_item(self, path: str) -> bool:
        jenkins, item = self.server.jenkins, int(path.split("/")[3])
        if item not in jenkins.items:
            return False
        build = jenkins.items[item]
        if jenkins.cancelled:
            return self._json({"cancelled": True, "why": None})
        if build is None:
            return self._json({"why": jenkins.why})
        return self._json({"cancelled": False, "why": None, "executable": {"number": build.number, "url": f"{ROOT_URL}job/x/"}})

    def cancel_item(self, path: str) -> bool:
        self.server.jenkins.items.pop(int(self.query["id"]), None)
        return self.answer(204, b"", "text/plain")

    def job(self, path: str) -> bool:
        jenkins, full = self.server.jenkins, _full(path)
        if full in jenkins.folders:
            return self._json({"name": full})
        job = jenkins.jobs.get(full)
        builds = [{"number": build.number, "building": build.result is None} for build in job.builds] if job else []
        return job is not None and self._json({"builds": builds[::-1], "lastBuild": builds[-1] if builds else None})

    def build(self, path: str) -> bool:
        """All that is below a build."""
        found = re.fullmatch(r"((?:/job/[^/]+)+)/(\d+)(/.*)", path)
        assert found is not None
        job = self.server.jenkins.jobs.get(_full(found[1]))
        build = next((b for b in job.builds if b.number == int(found[2])), None) if job else None
        return build is not None and self._of_build(build, found[3])

    def _of_build(self, build: FakeBuild, what: str) -> bool:
        start = int(self.query.get("start", "0"))
        if what == "/api/json":
            artifacts = [{"relativePath": name} for name in build.artifacts]
            return self._json({"building": build.result is None, "result": build.result, "artifacts": artifacts})
        if what == "/consoleText":
            return self.answer(200, build.log, "text/plain;charset=utf-8")
        if what == "/logText/progressiveText":
            more = {"X_More_Data": "true"} if build.result is None else {}
            log = build.log
            return self.answer(200, log[start:], "text/plain;charset=utf-8", X_Text_Size=str(len(log)), **more)
        if what == "/logText/progressiveHtml":
            return self.answer(200, build.html.encode(), "text/html;charset=utf-8", X_Text_Size=str(len(build.log)))
        if what == "/wfapi/describe" and "pipeline-rest-api" in (self.server.jenkins.plugins or []):
            return self._json({"stages": build.stages})
        node = re.fullmatch(r"/execution/node/(\d+)/api/json", what)
        if node and node[1] in build.colors:
            return self._json({"iconColor": build.colors[node[1]]})
        if what.startswith("/artifact/") and what[10:] in build.artifacts:
            return self.answer(200, build.artifacts[what[10:]].encode(), "text/plain")
        pressed = re.fullmatch(r"/(stop|term|kill|input/\w+/abort)", what)
        if pressed and self.command == "POST":
            build.pressed.append(pressed[1])
            build.stopped.set()
            return self.answer(302, b"", "text/html", Location=".")
        return False


def _full(path: str) -> str:
    return "/".join(re.findall(r"/job/([^/]+)", path))


_STORE = r"(/job/[^/]+)?/credentials/store/\w+/domain/_"
_ROUTES: list[tuple[str, Callable[[_Handler, str], bool]]] = [
    (r"GET /crumbIssuer/api/json", _Handler.crumb),
    (r"GET /api/json", _Handler.root),
    (r"GET /pluginManager/api/json", _Handler.plugin_manager),
    (r"GET /computer/api/json", _Handler.computers),
    (r"POST (/job/[^/]+)?/createItem", _Handler.create),
    (rf"POST {_STORE}/createCredentials", _Handler.create_credential),
    (rf"\w+ {_STORE}/credential/[^/]+/(api/json|doDelete)", _Handler.credential),
    (r"GET /queue/item/\d+/api/json", _Handler.queue_item),
    (r"POST /queue/cancelItem", _Handler.cancel_item),
    (r"POST (/job/[^/]+)+/doDelete", _Handler.delete),
    (r"POST (/job/[^/]+)+/(build|buildWithParameters)", _Handler.start),
    (r"\w+ (/job/[^/]+)+/\d+/.*", _Handler.build),
    (r"GET (/job/[^/]+)+/api/json", _Handler.job),
]


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something; raises if it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come")
        time.sleep(0.01)
