"""A client of Jenkins' remote access API: as little of it as the suite needs, and what a controller does when it is not well.

Facts: https://www.jenkins.io/doc/book/using/remote-access-api/ and https://www.jenkins.io/doc/book/security/csrf-protection/.
No message of an error holds the token.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import httpx

#: Statuses of a controller (or the proxy before it) that is starting. Jenkins says 503 itself ("getting ready to work"): nothing was
#: carried out. A proxy says 502 and 504, also when it has lost or given up an answer: whether a POST was carried out is then not known.
_NOT_YET = 503
_STARTING = frozenset({502, _NOT_YET, 504})
_JSON = {"Accept": "application/json"}


class ControllerError(Exception):
    """The controller did not do what it was asked; the text is for people."""


class Unreachable(ControllerError):
    """No answer within the patience."""


class Unsure(ControllerError):
    """A POST got no answer: it may have been carried out or not, so it is not repeated."""


class WrongCredentials(ControllerError):
    """401, or a login page: user or token are wrong."""


class Forbidden(ControllerError):
    """403 with a crumb: this user may not do that."""


class Gone(ControllerError):
    """404: there is no such thing (any more), or this user may not see it."""


class NotJenkins(ControllerError):
    """An answer that Jenkins does not give: HTML where JSON is due, a redirect to elsewhere."""


class Text(NamedTuple):
    """A piece of a build's log: text as bytes, where the next piece begins, whether there will be one."""

    content: bytes
    size: int
    more: bool


def job_path(full_name: str) -> str:
    """``a/b`` → ``/job/a/job/b``."""
    return "".join(f"/job/{quote(part, safe='')}" for part in full_name.split("/"))


class Client:
    """Requests to one controller. A controller that restarts in between is waited for, up to ``patience`` seconds for each request."""

    def __init__(
        self,
        url: str,
        user: str = "",
        token: str = "",
        *,
        patience: float = 300.0,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``waiting`` is called once for each request that waits for the controller, with the reason."""
        self.url = url.rstrip("/")
        self._patience = patience
        self._sleep = sleep
        self._waiting = waiting
        self._crumb: dict[str, str] | None = None
        # trust_env: a proxy is honoured as everywhere. Redirects are not followed: the token goes to no other place.
        self._http = httpx.Client(auth=(user, token) if user else None, timeout=timeout, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get_json(self, path: str, **query: str) -> Any:
        """The JSON at ``path`` (without ``/api/json``), as far as ``tree`` asks for it."""
        return self._json(f"{path}/api/json", query)

    def get_plain_json(self, path: str) -> Any:
        """The JSON at exactly this path: what plugins answer outside of ``api/json``."""
        return self._json(path, {})

    def _json(self, path: str, query: dict[str, str]) -> Any:
        answer = self._request("GET", path, params=query, headers=_JSON)
        try:
            return answer.json()
        except ValueError:
            raise NotJenkins(f"{self.url}{path} answers {_kind(answer)} instead of JSON. Is JENKINS_URL right?") from None

    def version(self) -> str:
        """The version of Jenkins, from its X-Jenkins header. Raises :exc:`NotJenkins` if it does not say that it is Jenkins."""
        answer = self._request("GET", "/api/json", params={"tree": "mode"}, headers=_JSON)
        version = str(answer.headers.get("X-Jenkins", ""))
        if not version:
            raise NotJenkins(f"{self.url} answers {_kind(answer)} without an X-Jenkins header. Is JENKINS_URL right?")
        return version

    def get_bytes(self, path: str) -> bytes:
        """What is at ``path``."""
        return self._request("GET", path).content

    def log_piece(self, build: str, start: int, kind: str = "progressiveText") -> Text:
        """A build's log from byte ``start`` on."""
        answer = self._request("GET", f"{build}/logText/{kind}", params={"start": str(start)})
        size = answer.headers.get("X-Text-Size", "")
        if not size.isdigit():
            raise NotJenkins(f"{self.url}{build}/logText/{kind} answers {_kind(answer)} without X-Text-Size.")
        return Text(answer.content, int(size), answer.headers.get("X-More-Data", "") == "true")

    def post(self, path: str, *, xml: str | None = None, form: dict[str, str] | None = None, **query: str) -> httpx.Response:
        """POST with a crumb; a body of XML or form fields. A redirect is an answer: Jenkins shows a browser where to go next."""
        body: dict[str, Any] = {"data": form} if form else {}
        headers: dict[str, str] = {}
        if xml is not None:
            body = {"content": xml.encode()}
            headers = {"Content-Type": "application/xml; charset=utf-8"}
        for last in (False, True):
            try:
                return self._request("POST", path, params=query, headers={**headers, **self._crumb_header()}, **body)
            except _NoCrumb as refusal:
                self._crumb = None  # the session that it belonged to ended with a restart
                if last:
                    raise Forbidden(str(refusal)) from None
        raise AssertionError("unreachable")

    def _crumb_header(self) -> dict[str, str]:
        """The header for CSRF protection; none if that is turned off (404)."""
        if self._crumb is None:
            try:
                issued = self.get_json("/crumbIssuer")
                self._crumb = {issued["crumbRequestField"]: issued["crumb"]}
            except Gone:
                self._crumb = {}
        return self._crumb

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        waited, pause, tries = 0.0, 0.25, 0
        began = time.monotonic()
        while True:
            may_be_done = False
            try:
                answer = self._http.request(method, self.url + path, **more)
                if answer.status_code not in _STARTING:
                    return self._judged(method, path, answer)
                problem = f"it answers {answer.status_code}"
                may_be_done = answer.status_code != _NOT_YET
            except httpx.TransportError as error:
                problem = str(error) or type(error).__name__
                may_be_done = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
                if "CERTIFICATE_VERIFY_FAILED" in problem:  # waiting does not fix that
                    raise Unreachable(f"{self.url}: {problem} Set SSL_CERT_FILE to a file with its authority's certificate.") from None
            if may_be_done and method != "GET":
                raise Unsure(f"POST {self.url}{path} got no answer ({problem}); whether it was carried out is not known.")
            waited = time.monotonic() - began
            tries += 1
            if tries == 1:
                self._waiting(f"Waiting for {self.url}: {problem}")
            if waited >= self._patience:
                self._patience /= 10  # the tidying that comes asks several times
                raise Unreachable(f"{self.url} cannot be reached since {waited:.0f} s: {problem}.")
            self._sleep(min(pause, max(0.0, self._patience - waited)))
            pause = min(pause * 2, 5.0)

    def _judged(self, method: str, path: str, answer: httpx.Response) -> httpx.Response:
        status = answer.status_code
        what = f"{method} {self.url}{path}"
        if status == 401:
            raise WrongCredentials(f"{what} answers 401: JENKINS_USER or JENKINS_TOKEN is wrong, or missing.")
        if status == 403:
            if "No valid crumb" in answer.text:  # hudson.security.csrf.CrumbFilter; "crumb" alone is on every page
                raise _NoCrumb(f"{what} answers 403: {_reason(answer)}.")
            raise Forbidden(f"{what} answers 403: {_reason(answer)}.")
        if status == 404:
            raise Gone(f"{what} answers 404.")
        if 300 <= status < 400:
            self._judge_redirect(method, what, answer)
        elif status >= 400:
            raise ControllerError(f"{what} answers {status}: {_reason(answer)}.")
        return answer

    def _judge_redirect(self, method: str, what: str, answer: httpx.Response) -> None:
        """A POST that was carried out leads to a page of Jenkins; all other redirects lead astray."""
        target = answer.headers.get("Location", "")
        path = urlsplit(target).path
        if "securityRealm/commenceLogin" in path or path.endswith("/login"):
            raise WrongCredentials(f"{what} leads to the login page: set JENKINS_USER and JENKINS_TOKEN.")
        if method == "GET":
            raise NotJenkins(
                f"{what} redirects to {target}: set JENKINS_URL to where Jenkins is. Tokens are not sent to a redirect target."
            )


class _NoCrumb(Forbidden):
    """403 for want of a valid crumb."""


def _kind(answer: httpx.Response) -> str:
    return str(answer.headers.get("Content-Type", "no content type")).partition(";")[0]


def _reason(answer: httpx.Response) -> str:
    """What Jenkins says on an error page, in one line: its X-Error header, else the page's own words."""
    markup = re.compile(r"<(script|style|head)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
    said = answer.headers.get("X-Error") or markup.sub(" ", answer.text)
    return " ".join(str(said).split())[:200] or "without a reason"
