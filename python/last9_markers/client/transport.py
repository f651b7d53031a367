"""One HTTP connection to Last9. Here, foreign errors become ours."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from last9_markers import __version__
from last9_markers.client import proxies
from last9_markers.client.happy_eyeballs import NotConnected, RacingBackend
from last9_markers.client.lean_httpx import httpx
from last9_markers.client.tls import TrustStore
from last9_markers.core.clock import Budget
from last9_markers.core.errors import CertificateRefused, DeadlineExceeded, DeliveryError, NetworkError, ProxyRefused
from last9_markers.core.log import BuildLog
from last9_markers.messages import progress
from last9_markers.request.destination import BaseUrl

#: Last9's answers are a few hundred bytes; nothing that is longer is read to its end.
LONGEST_BODY = 64 * 1024
#: How long the body of an event's success may keep us: it says nothing, but read to its end the connection can be used again.
LINGER_SECONDS = 0.25

T = TypeVar("T")

_HEADERS = {"User-Agent": f"last9-markers/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}


class Response(NamedTuple):
    """An HTTP answer; ``body`` is ``None`` if it was longer than the caller reads, :data:`LONGEST_BODY` unless it says otherwise."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


class ProbeResult(NamedTuple):
    """Who answered: the certificate as :mod:`ssl` reads it and the version of TLS, ``None`` over plain http."""

    status: int
    headers: Mapping[str, str]
    certificate: Mapping[str, Any] | None
    tls: str | None


class HttpConnection:
    """Carries the requests of one marker, over one kept-alive connection as long as the server allows.

    Speaks to httpx's transport, below its client: so no redirect is followed, no cookie is kept, and nothing but what is passed in
    is taken from the environment (the client would raise on proxy and CA variables that it cannot use).
    """

    def __init__(
        self,
        base_url: BaseUrl,
        environ: Mapping[str, str],
        budget: Budget,
        log: BuildLog,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._budget = budget
        self._log = log
        self._base = base_url.text
        self._roots = _roots(environ, log) if base_url.scheme == "https" else None
        proxy = proxies.choose(base_url, environ, log)
        self.via = proxy.shown if proxy else None
        log.debug(progress.way(self.via, proxy.variable if proxy else None, proxies.exemption(base_url, environ)))
        self._network = RacingBackend()
        if transport is None:
            transport = httpx.HTTPTransport(
                verify=self._roots.context if self._roots else False,
                trust_env=False,
                proxy=_with_roots(proxy, self._roots),
            )
            # httpcore's pools take a backend, but httpx does not pass one on.
            transport._pool._network_backend = self._network
        self._transport = transport

    @property
    def silent(self) -> list[str]:
        """The addresses that did not answer in time, while another one did."""
        return self._network.silent

    @property
    def remarks(self) -> list[str]:
        """The faults of the configured CA certificates that stop no marker."""
        return self._roots.remarks if self._roots else []

    def hanging(self) -> DeliveryError:
        """For a watchdog: what the time was spent on that is over now."""
        return NetworkError("resolving") if self._network.resolving else DeadlineExceeded()

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes,
        *,
        body_matters: bool = True,
        longest: int = LONGEST_BODY,
    ) -> Response:
        """Make one request. Raises the error of our tree for a failure below HTTP.

        With ``body_matters=False`` a 2xx is returned without waiting for a body that is late, long or cut off.
        ``longest``: bytes of the body at most.
        """
        read = None if not body_matters else longest
        return self._with_all_roots(lambda: self._logged_attempt(method, path, headers, content, read))

    def probe(self) -> ProbeResult:
        """Ask for the headers of the front page, without a token: any answer proves the way there and back."""
        return self._with_all_roots(self._probe)

    def close(self) -> None:
        """Let the connection go."""
        self._transport.close()

    def _with_all_roots(self, call: Callable[[], T]) -> T:
        while True:
            try:
                return call()
            except CertificateRefused:
                if self._roots is None or not self._roots.complete():
                    raise

    def _logged_attempt(self, method: str, path: str, headers: Mapping[str, str], content: bytes, longest: int | None) -> Response:
        budget = self._budget
        began = budget.clock.monotonic()
        result = "broken off"
        try:
            reply = self._attempt(method, path, headers, content, longest)
            result = str(reply.status)
            return reply
        except DeliveryError as failure:
            result = " ".join(word for word in (type(failure).__name__, getattr(failure, "kind", ""), failure.detail) if word)
            raise
        finally:
            self._log.debug(progress.attempt(method, self._base + path, result, budget.clock.monotonic() - began, budget.remaining()))

    def _attempt(self, method: str, path: str, headers: Mapping[str, str], content: bytes, longest: int | None) -> Response:
        with self._answer(method, path, headers, content) as response:
            if response.is_success and longest is None:
                self._linger(response)
                return Response(response.status_code, response.headers, b"")
            return Response(response.status_code, response.headers, self._body(response, longest or LONGEST_BODY))

    def _probe(self) -> ProbeResult:
        with self._answer("HEAD", "/", {}, b"") as response:
            stream = response.extensions.get("network_stream")
            tls = stream.get_extra_info("ssl_object") if stream is not None else None
            return ProbeResult(response.status_code, response.headers, tls and tls.getpeercert(), tls and tls.version())

    @contextmanager
    def _answer(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> Iterator[httpx.Response]:
        if not self._budget.remaining():
            raise DeadlineExceeded
        extensions = {"timeout": httpx.Timeout(self._budget.attempt_timeout()).as_dict()}
        request = httpx.Request(method, self._base + path, headers={**_HEADERS, **headers}, content=content, extensions=extensions)
        try:
            response = self._transport.handle_request(request)
            response.request = request
        except Exception as error:  # noqa: BLE001 - the border: nothing foreign gets past it
            self._tell(error)
            raise map_exception(error) from None
        try:
            yield response
        except DeliveryError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(error)
            raise map_exception(error) from None
        finally:
            response.close()

    def _tell(self, error: Exception) -> None:
        if self._log.debugging:
            told = dict.fromkeys(f"{type(cause).__name__}: {cause}" for cause in _chain(error))
            self._log.debug(" <- ".join(told))

    def _body(self, response: httpx.Response, longest: int) -> bytes | None:
        read = bytearray()
        for chunk in response.iter_raw():
            read += chunk
            if len(read) > longest:
                return None
            # httpx's own limit is for each chunk: bytes that drip would never reach it.
            if not self._budget.remaining():
                raise NetworkError("answering")
        return bytes(read)

    def _linger(self, response: httpx.Response) -> None:
        clock = self._budget.clock
        until = clock.monotonic() + LINGER_SECONDS
        response.request.extensions["timeout"]["read"] = LINGER_SECONDS
        length = 0
        try:
            for chunk in response.iter_raw():
                length += len(chunk)
                if length > LONGEST_BODY or clock.monotonic() > until:
                    return
        except Exception:  # noqa: BLE001 - Last9 has the event, even if the rest of its answer fails
            return


def map_exception(error: Exception) -> DeliveryError:
    """The error of our tree for an exception of httpx, ssl or the socket. No text of theirs that could hold a header is kept."""
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(cause.verify_message or "certificate verify failed")
        if isinstance(cause, NotConnected):
            return _not_connected(cause)
    if isinstance(error, httpx.ProxyError):
        status = str(error)[:3]
        return NetworkError("proxy") if status.startswith("5") else ProxyRefused(str(error)[:1000])
    return _of_handshake(error, causes) or NetworkError(_kind(error, causes), _resolver_said(causes))


def _not_connected(cause: NotConnected) -> NetworkError:
    from last9_markers.messages import failures

    kind = "connecting" if cause.timed_out else "refused" if cause.refused else "unreachable"
    if cause.refused and list(cause.outcomes) == [cause.host]:
        return NetworkError(kind)  # all is said
    said = {address: None if error is None else str(error.strerror) for address, error in cause.outcomes.items()}
    return NetworkError(kind, failures.addresses(said))


def _of_handshake(error: Exception, causes: list[BaseException]) -> NetworkError | None:
    """The failure if it is TLS that failed: the socket is connected now, so any other failure on the way is the handshake."""
    said = next((openssl_said(cause) for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if isinstance(error, httpx.ConnectError):
        if any(isinstance(cause, (ConnectionResetError, BrokenPipeError)) for cause in causes):
            said = said or "the connection was cut"
    elif isinstance(error, httpx.ConnectTimeout):
        # A handshake that times out is a plain timeout, but for its text.
        late = any("handshake" in str(cause) for cause in causes)
        said = said or ("no answer in time" if late else None)
    elif said is not None and "eof" in said.lower():
        return NetworkError("cut")  # after the handshake: the peer went without a word
    return NetworkError("tls", said) if said is not None else None


def openssl_said(error: ssl.SSLError) -> str:
    """OpenSSL's reason in words, as ``no ciphers available``."""
    reason = getattr(error, "reason", None)
    return reason.replace("_", " ").lower() if reason else str(error.args[-1] if error.args else error)[:200].strip("()', ")


def _resolver_said(causes: list[BaseException]) -> str:
    return next((cause.strerror or "" for cause in causes if isinstance(cause, socket.gaierror)), "")


def _kind(error: Exception, causes: list[BaseException]) -> str:
    by_cause: tuple[tuple[type[Exception], str], ...] = (
        (socket.gaierror, "name"),
        (ConnectionRefusedError, "refused"),
        (ConnectionResetError, "cut"),
        (BrokenPipeError, "cut"),
    )
    for kind, name in by_cause:
        if any(isinstance(cause, kind) for cause in causes):
            return name
    by_type: tuple[tuple[type[Exception], str], ...] = (
        (httpx.ConnectTimeout, "connecting"),
        (httpx.PoolTimeout, "connecting"),
        (httpx.TimeoutException, "answering"),
        (httpx.ConnectError, "unreachable"),
        (httpx.NetworkError, "cut"),
    )
    for kind_of, name in by_type:
        if isinstance(error, kind_of):
            return name
    if isinstance(error, httpx.RemoteProtocolError):
        return "cut" if "disconnected" in str(error) or "closed" in str(error) else "garbled"
    if isinstance(error, UnicodeError):
        return "name"
    return "unreachable"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    # An earlier attempt's exception must not appear here: Python attaches it to any exception that is raised meanwhile.
    while current is not None and id(current) not in seen and not isinstance(current, DeliveryError):
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _with_roots(proxy: proxies.Proxy | None, roots: TrustStore | None) -> httpx.Proxy | None:
    if proxy is None:
        return None
    context = roots.context if roots and proxy.url.scheme == "https" else None
    return httpx.Proxy(proxy.url, ssl_context=context)


def _roots(environ: Mapping[str, str], log: BuildLog) -> TrustStore:
    try:
        return TrustStore(environ, log)
    except (ssl.SSLError, ValueError) as error:
        # The agent's OpenSSL is configured so that it can do no TLS at all.
        raise NetworkError("tls", openssl_said(error) if isinstance(error, ssl.SSLError) else str(error)[:200]) from None
