"""The server itself: sockets, paths, and the record of all requests."""

from __future__ import annotations

import itertools
import json
import re
import ssl
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from last9_markers.fake_server import readings, rules
from last9_markers.fake_server.faults import Fault, FaultOrders
from last9_markers.fake_server.responses import write_answer
from last9_markers.fake_server.tokens import ACCESS_TOKEN_SECONDS, TokenIssuer, issue_refresh_token

EXCHANGE_PATH = "/api/v4/oauth/access_token"
EVENT_PATH = re.compile(r"/api/v4/organizations/([^/]+)/change_events")
READING_PATH = re.compile(rf"/api/v4/organizations/([^/]+)/({'|'.join(readings.CALLS)})")
ANY_ORGANIZATION = "*"


class FakeLast9:
    """A fake Last9 on a loopback port. A context manager; also started and stopped by hand."""

    def __init__(
        self,
        *,
        port: int = 0,
        organizations: tuple[str, ...] = ("acme",),
        refresh_tokens: tuple[str, ...] = (),
        certificate: tuple[str, str] | None = None,
        data_sources: tuple[str, ...] = ("metrics", "staging-metrics"),
    ) -> None:
        """``certificate``: PEM files of certificate and key, to speak TLS. ``refresh_tokens`` are accepted besides its own.

        ``data_sources``: names of the metrics stores, the default one first.
        """
        self.organizations = organizations
        self.issuer = TokenIssuer()
        self.faults = FaultOrders()
        self._lock = threading.Lock()
        self._era = 0
        self._received: list[dict[str, Any]] = []
        self._requests: list[dict[str, Any]] = []
        self._server = _Server(("127.0.0.1", port), self, certificate)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self.stores = [readings.MetricsStore(name, self.url, is_default=not place) for place, name in enumerate(data_sources)]
        own = [slug for slug in organizations if slug != ANY_ORGANIZATION]
        self.org_slug = own[0] if own else "acme"
        self.refresh_token = self.issue()
        for token in refresh_tokens:
            self.issuer.accept(token)

    def issue(self, **claims: Any) -> str:
        """A further refresh token; ``claims`` win over the usual ones (``scopes=["read"]``, ``exp=…``)."""
        token = issue_refresh_token(self.org_slug, self.url, **claims)
        self.issuer.accept(token)
        return token

    def order(self, faults: Any) -> None:
        """Order faults: :mod:`last9_markers.fake_server.faults`."""
        self.faults.order(faults)

    def observe(self, *series: Any) -> None:
        """Have series of other metrics than change events in the default data source: maps of label to value. Raises ``ValueError``."""
        for labels in series:
            if not isinstance(labels, dict) or not all(isinstance(text, str) for pair in labels.items() for text in pair):
                raise ValueError("a series is an object of texts")
        with self._lock:
            self.stores[0].series += [dict(labels) for labels in series]

    def forget_series(self) -> None:
        """Have no metrics but change events again."""
        with self._lock:
            self.stores[0].series = []

    def received(self) -> list[dict[str, Any]]:
        """The events that were taken, in order: body as received, ``organization`` and ``received_at``."""
        with self._lock:
            return list(self._received)

    def requests(self) -> list[dict[str, Any]]:
        """Every API request in order: method, path, status (``None``: cut off unanswered), connection number. No secrets."""
        with self._lock:
            return list(self._requests)

    def forget(self) -> None:
        """Forget what was received and requested, and what is under way: a delayed request must not turn up in the next test."""
        with self._lock:
            self._era += 1
            self._received.clear()
            self._requests.clear()

    def take(self, event: dict[str, Any], organization: str, era: int) -> None:
        """Keep an event whose request was noted in this era."""
        moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        with self._lock:
            if era == self._era:
                self._received.append({**event, "organization": organization, "received_at": moment})

    def note(self, method: str, path: str, connection: int) -> tuple[dict[str, Any], int]:
        """Keep a request, whose status is filled in later; also say in which era, that is after how many times of forgetting."""
        entry = {"method": method, "path": path, "status": None, "connection": connection}
        with self._lock:
            self._requests.append(entry)
            return entry, self._era

    def serve_forever(self) -> None:
        """Serve on this thread until :meth:`stop`."""
        self._server.serve_forever(poll_interval=0.05)

    def start(self) -> None:
        """Serve on a thread of its own."""
        threading.Thread(target=self.serve_forever, name="last9-fake-server", daemon=True).start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> FakeLast9:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], fake_last9: FakeLast9, certificate: tuple[str, str] | None) -> None:
        super().__init__(address, _Handler)
        self.fake_last9 = fake_last9
        self.connections = itertools.count(1)
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # On the connection's own thread: a handshake that hangs must not keep others from being accepted.
        if self._context is not None:
            request = self._context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection_number = next(self.server.connections)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet: `GET /requests` tells."""

    def do_GET(self) -> None:
        self._dispatch()

    def do_HEAD(self) -> None:
        """The front page's headers: what a connection test looks at before it shows a token."""
        write_answer(self, 200, "", {})

    def do_POST(self) -> None:
        self._dispatch()

    def do_PUT(self) -> None:
        self._dispatch()

    def do_DELETE(self) -> None:
        self._dispatch()

    def _dispatch(self) -> None:
        body = self._read_body()
        path = urlsplit(self.path).path
        if path.startswith("/api/"):
            self._api(path, body)
        else:
            self._control(path, body)

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(int(length)) if length.isdigit() else b""

    # -- the API ---------------------------------------------------------------------------------------------------------------

    def _api(self, path: str, body: bytes) -> None:
        reading = READING_PATH.fullmatch(path)
        kind = reading[2] if reading else "exchange" if path == EXCHANGE_PATH else "event"
        entry, self.era = self.server.fake_last9.note(self.command, path, self.connection_number)
        fault = self.server.fake_last9.faults.meet(kind, body.decode(errors="replace"))
        if "delay" in fault:
            time.sleep(fault["delay"])
        if fault.get("drop") == "before":
            self.close_connection = True
            return
        status, answer = self._answer(kind, path, body, fault)
        entry["status"] = status
        text = fault["body"] if "body" in fault else json.dumps(answer)
        write_answer(self, status, text, fault)

    def _answer(self, kind: str, path: str, body: bytes, fault: Fault) -> tuple[int, Any]:
        status = fault.get("status", 200)
        if not 200 <= status < 300:
            return status, {"error": f"fault: {status}"}
        try:
            submission = rules.Submission(self.headers.get("Content-Type", ""), self.headers.get("X-LAST9-API-TOKEN", ""), body)
            if kind in readings.CALLS:
                return status, self._read(kind, path, submission, fault)
            answer = self._exchange(submission, fault) if kind == "exchange" else self._event(path, submission)
        except rules.Refusal as refusal:
            return refusal.status, {"error": refusal.error}
        return status, answer

    def _exchange(self, submission: rules.Submission, fault: Fault) -> dict[str, Any]:
        if self.command != "POST":
            raise rules.Refusal(405, "method not allowed")
        issuer = self.server.fake_last9.issuer
        refresh_token = rules.read_object(submission).get("refresh_token")
        claims = issuer.claims_of(refresh_token)
        if claims is None or not isinstance(refresh_token, str):
            raise rules.Refusal(401, "invalid or expired refresh token")
        return issuer.exchange(refresh_token, claims, fault.get("access_token_lifetime", ACCESS_TOKEN_SECONDS))

    def _event(self, path: str, submission: rules.Submission) -> dict[str, Any]:
        fake_last9 = self.server.fake_last9
        found = EVENT_PATH.fullmatch(path)
        if found is None:
            raise rules.Refusal(404, "not found")
        if self.command != "PUT":
            raise rules.Refusal(405, "method not allowed")
        rules.check_access(submission, fake_last9.issuer)
        organization = self._organization(found[1])
        event = rules.read_object(submission)
        rules.check_event(event)
        fake_last9.take(event, organization, self.era)
        return {"message": "success"}

    def _read(self, call: str, path: str, submission: rules.Submission, fault: Fault) -> Any:
        fake_last9 = self.server.fake_last9
        if self.command != ("GET" if call == "datasources" else "POST"):
            raise rules.Refusal(405, "method not allowed")
        rules.check_access(submission, fake_last9.issuer)
        organization = self._organization(path.split("/")[4])
        if call == "datasources":
            return [store.described() for store in fake_last9.stores]
        question = rules.read_object(submission)
        store = next((store for store in fake_last9.stores if store.is_meant(question)), None)
        if store is None:
            raise rules.Refusal(401, "read_url, username and password are those of no data source")
        received = [event for event in fake_last9.received() if event["organization"] == organization]
        return readings.answer(call, question, store, readings.samples(store, received, fault, time.time()))

    def _organization(self, quoted: str) -> str:
        organization = unquote(quoted)
        known = self.server.fake_last9.organizations
        if organization not in known and ANY_ORGANIZATION not in known:
            raise rules.Refusal(404, "organization not found")
        return organization

    # -- the controls ----------------------------------------------------------------------------------------------------------

    def _control(self, path: str, body: bytes) -> None:
        fake_last9 = self.server.fake_last9
        wanted = (self.command, path)
        if wanted == ("GET", "/received"):
            return self._say(200, fake_last9.received())
        if wanted == ("GET", "/requests"):
            return self._say(200, fake_last9.requests())
        if wanted == ("DELETE", "/received"):
            fake_last9.forget()
        elif wanted == ("DELETE", "/faults"):
            fake_last9.faults.cancel()
        elif wanted == ("DELETE", "/series"):
            fake_last9.forget_series()
        elif self.command == "POST" and path in ("/faults", "/series"):
            try:
                given = json.loads(body)
                if path == "/faults":
                    fake_last9.order(given)
                else:
                    fake_last9.observe(*(given if isinstance(given, list) else [given]))
            except (ValueError, RecursionError) as error:
                return self._say(400, {"error": str(error)})
        else:
            known = "GET /received, GET /requests, POST /faults, POST /series, DELETE /faults, DELETE /received, DELETE /series"
            return self._say(404, {"error": known})
        return self._say(200, {})

    def _say(self, status: int, content: Any) -> None:
        write_answer(self, status, json.dumps(content), {})
