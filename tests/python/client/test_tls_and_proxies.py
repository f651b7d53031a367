"""TLS and proxies as agents in companies meet them: a private CA, a proxy with and without a password, settings gone wrong."""

from __future__ import annotations

import base64
import select
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from check.check_support import check, found
from last9_markers.client import transport
from last9_markers.core.errors import CertificateRefused, NetworkError
from last9_markers.fake_server import FakeLast9
from last9_markers.messages import failures
from last9_markers.request.token import Claims
from support import Loopback, field, make_request, patience, run_marker, run_step

CERTIFICATES = Path(__file__).parents[1] / "certificates"
CA = str(CERTIFICATES / "ca.pem")
#: Its name in a folder of hashed certificates: `openssl x509 -hash -noout`.
CA_HASHED = "1f73082a.0"


@pytest.fixture
def secure() -> Iterator[FakeLast9]:
    """A fake Last9 over TLS; a private CA has signed its certificate."""
    with FakeLast9(certificate=(str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key"))) as fake_last9:
        yield fake_last9


def deliver(last9: FakeLast9, folder: Path, **environ: str) -> Any:
    """One marker through a real process."""
    return run_step(make_request(), last9.refresh_token, folder, environ=environ)


@pytest.mark.parametrize("variable", ["LAST9_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_private_ca_is_trusted_where_it_is_named(variable: str, secure: FakeLast9, tmp_path: Path) -> None:
    """Each of the usual variables adds a CA, and exchange and event share one TLS connection."""
    done = deliver(secure, tmp_path, **{variable: CA})
    assert done.answer["delivered"] is True, done.stderr
    assert {entry["connection"] for entry in secure.requests()} == {1}


@pytest.mark.parametrize("place", ["certifi", "a file of the system", "what Python takes for the system's", "a folder of the system"])
def test_a_ca_is_trusted_wherever_roots_lie(place: str, secure: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """System's and certifi's roots add up: a CA that is in one of the places alone is enough, with no variable set for the engine."""
    if place == "certifi":
        monkeypatch.setattr("certifi.contents", lambda: Path(CA).read_text("ascii"))
    elif place == "a file of the system":
        monkeypatch.setattr("last9_markers.client.tls._SYSTEM_FILES", (CA,))
    elif place == "a folder of the system":
        shutil.copy(CA, tmp_path / CA_HASHED)
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(openssl_capath=str(tmp_path)))
    else:
        monkeypatch.setenv("SSL_CERT_FILE", CA)  # OpenSSL reads it by itself; what the engine is given has it not
    ran = run_marker(make_request(), secure.refresh_token)
    assert ran.answer.delivered, ran.log
    assert ran.answer.warnings == []


def test_an_unknown_ca_is_refused_and_the_setting_named(secure: FakeLast9, tmp_path: Path) -> None:
    """Without the private CA nothing is sent, and the warning names the variable that would help; it is not tried four times."""
    done = deliver(secure, tmp_path)
    assert done.answer["delivered"] is False
    (warning,) = done.answer["warnings"]
    assert "LAST9_CA_BUNDLE" in warning
    assert secure.requests() == []
    assert done.seconds < 2.5 + patience()


def test_a_ca_file_that_is_not_there_is_left_out(secure: FakeLast9, tmp_path: Path) -> None:
    """A missing SSL_CERT_FILE is a warning of its own; the marker goes with the roots that remain."""
    done = deliver(secure, tmp_path, SSL_CERT_FILE="/no/such/file.pem", LAST9_CA_BUNDLE=CA)
    assert done.answer["delivered"] is True, done.stderr
    (warning,) = done.answer["warnings"]
    assert "SSL_CERT_FILE" in warning
    assert "/no/such/file.pem" in warning


def test_a_ca_file_that_holds_no_certificate_is_left_out(secure: FakeLast9, tmp_path: Path) -> None:
    """A file of something else is a warning, not a crash."""
    other = tmp_path / "notes.txt"
    other.write_text("no certificate")
    done = deliver(secure, tmp_path, LAST9_CA_BUNDLE=str(other), REQUESTS_CA_BUNDLE=CA)
    assert done.answer["delivered"] is True, done.stderr
    assert "LAST9_CA_BUNDLE" in done.answer["warnings"][0]


def test_a_handshake_that_is_cut_is_tried_again_and_told(tmp_path: Path) -> None:
    """A server that hangs up during the TLS handshake is a network failure: retried, then one warning."""
    with Loopback(lambda peer: peer.recv(10) and None) as server:
        wanted = make_request(
            options={"timeoutSeconds": "4"},
            connection={"apiBaseUrl": field(f"https://127.0.0.1:{server.port}"), "orgSlug": field("acme")},
        )
        done = run_step(wanted, "opaque-refresh-token", tmp_path)
        assert server.connections > 1
    assert done.answer["delivered"] is False
    assert len(done.answer["warnings"]) == 1
    assert "TLS handshake" in done.answer["warnings"][0] or "closed the connection early" in done.answer["warnings"][0]


def _refused_by(server: Loopback, folder: Path, **environ: str) -> str:
    """The one warning of a marker that goes to that port over TLS."""
    fields = {"apiBaseUrl": field(f"https://127.0.0.1:{server.port}"), "orgSlug": field("acme")}
    wanted = make_request(options={"timeoutSeconds": "3"}, connection=fields)
    done = run_step(wanted, "opaque-refresh-token", folder, environ=environ)
    assert done.answer["delivered"] is False
    assert done.answer["pending"]
    (warning,) = done.answer["warnings"]
    return str(warning)


def _speaks_tls(*certificate: str) -> Loopback:
    """A server that leaves it to its peer to find fault."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(*certificate)
    return Loopback(lambda peer: context.wrap_socket(peer, server_side=True).close())


def test_a_weak_key_is_told_in_openssls_words(tmp_path: Path) -> None:
    """A key that the agent's OpenSSL finds too weak is not blamed on a CA that is missing: another CA would not help."""
    weak = str(CERTIFICATES / "weak.pem")
    with _speaks_tls(weak) as server:
        warning = _refused_by(server, tmp_path, LAST9_CA_BUNDLE=weak)
    assert "the certificate of 127.0.0.1 is not trusted (EE certificate key too weak)" in warning
    assert "such a weak certificate" in warning
    assert "LAST9_CA_BUNDLE" not in warning


def test_what_is_no_tls_is_told_in_openssls_words(last9: FakeLast9, tmp_path: Path) -> None:
    """Plain http behind an https address is the commonest of all: OpenSSL's reason is quoted, and the port named as what to look at."""
    with Loopback(lambda peer: peer.recv(9) and peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        warning = _refused_by(server, tmp_path)
    assert "the TLS handshake with 127.0.0.1 failed (wrong version number). The server does not use TLS" in warning


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("MinProtocol = TLSv1.3\nCiphersuites =", "no ciphers available"),
        ("MinProtocol = TLSv1.1\nMaxProtocol = TLSv1.1", "no protocols available"),
    ],
)
def test_an_openssl_that_allows_nothing_is_quoted(policy: str, words: str, tmp_path: Path) -> None:
    """What the agent's own configuration forbids is reported as such, in a marker and under the right heading of the connection test."""
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text(f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{policy}\n")
    environ = {"OPENSSL_CONF": str(configuration), "LAST9_CA_BUNDLE": CA}
    with _speaks_tls(str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key")) as server:
        warning = _refused_by(server, tmp_path, **environ)
        fields = {"apiBaseUrl": field(f"https://127.0.0.1:{server.port}"), "orgSlug": field("acme")}
        done = check(None, tmp_path, token="opaque-refresh-token", environ=environ, connection=fields)
    assert f"the TLS handshake with 127.0.0.1 failed ({words}). The agent's OpenSSL and the server" in warning
    assert found(done)["tls"][0] == "failed"
    assert f"({words})" in found(done)["tls"][1]
    assert found(done)["connection"] == ("warning", "skipped: tls failed. Fix that first.")


def test_a_handshake_without_an_answer_is_told_as_one(tmp_path: Path) -> None:
    """A peer that takes the connection and is silent then is not a firewall that drops packets."""
    with Loopback(lambda peer: peer.recv(65536) and peer.recv(65536)) as server:
        warning = _refused_by(server, tmp_path)
    assert "the TLS handshake with 127.0.0.1 failed (no answer in time)." in warning


def test_a_connection_that_is_cut_later_is_no_handshake() -> None:
    """OpenSSL's complaint about an end without a word means a cut connection, once the handshake is done."""
    error = httpx.ReadError("x")
    error.__cause__ = ssl.SSLEOFError(8, "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:2427)")
    failure = transport.map_exception(error)
    assert isinstance(failure, NetworkError)
    assert failure.kind == "cut"


def test_an_openssl_that_cannot_begin_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python's own default ciphers are forbidden there is no TLS at all: a failure like any other, not a defect of ours."""

    def forbidden(*_: object) -> None:
        raise ssl.SSLError("No cipher can be selected.")

    monkeypatch.setattr("last9_markers.client.tls.ssl.SSLContext", forbidden)
    request = make_request(connection={"orgSlug": field("acme"), "apiBaseUrl": field("https://app.last9.io")})
    ran = run_marker(request, "opaque-refresh-token")
    (warning,) = ran.answer.warnings
    assert "the TLS handshake with app.last9.io failed (No cipher can be selected.). The agent's OpenSSL" in warning
    assert ran.answer.pending


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("self-signed certificate in certificate chain", "set LAST9_CA_BUNDLE"),
        ("unable to get local issuer certificate", "set LAST9_CA_BUNDLE"),
        ("certificate has expired", "Check the agent's clock"),
        ("certificate is not yet valid", "Check the agent's clock"),
        ("Hostname mismatch, certificate is not valid for 'app.last9.io'.", "Check apiBaseUrl, and the proxies"),
        ("CA signature digest algorithm too weak", "such a weak certificate"),
    ],
)
def test_the_remedy_follows_from_what_is_wrong_with_a_certificate(said: str, remedy: str) -> None:
    """Another CA helps against an unknown issuer alone."""
    about = failures.FailureContext("id", "acme", "app.last9.io", 15, Claims(), 0)
    assert remedy in failures.explain(CertificateRefused(said), about)


def test_plain_http_to_another_host_is_never_spoken(tmp_path: Path) -> None:
    """A token does not cross a network in the clear."""
    wanted = make_request(connection={"apiBaseUrl": field("http://last9.example.com")})
    done = run_step(wanted, "opaque-refresh-token", tmp_path)
    assert done.answer["delivered"] is False
    assert "plain http" in done.answer["warnings"][0]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_proxy_is_used(variable: str, secure: FakeLast9, tmp_path: Path) -> None:
    """https goes through the proxy, by CONNECT, so that the proxy sees neither token nor marker."""
    with ForwardingProxy() as proxy:
        done = deliver(secure, tmp_path, **{variable: proxy.url, "LAST9_CA_BUNDLE": CA})
        assert done.answer["delivered"] is True, done.stderr
        assert proxy.connects == [secure.url[len("https://") :]]
        assert secure.refresh_token.encode() not in proxy.seen


@pytest.mark.parametrize("listed", ["127.0.0.1", "*", "localhost,127.0.0.1", "[::1],127.0.0.1", "localhost; 127.0.0.0/8"])
def test_no_proxy_is_kept_to(listed: str, secure: FakeLast9, tmp_path: Path) -> None:
    """What NO_PROXY lists is reached directly, and entries that httpx would choke on do no harm."""
    with ForwardingProxy() as proxy:
        done = deliver(secure, tmp_path, HTTPS_PROXY=proxy.url, NO_PROXY=listed, LAST9_CA_BUNDLE=CA)
        assert done.answer["delivered"] is True, done.stderr
        assert proxy.connects == []


def test_user_and_password_for_the_proxy(secure: FakeLast9, tmp_path: Path) -> None:
    """User and password, escaped in the variable, reach the proxy unescaped, and no one else."""
    with ForwardingProxy(user="jenkins", password="p@ss/w0rd!") as proxy:
        address = proxy.url.replace("http://", "http://jenkins:p%40ss%2Fw0rd!@")
        done = deliver(secure, tmp_path, HTTPS_PROXY=address, LAST9_CA_BUNDLE=CA)
        assert done.answer["delivered"] is True, done.stderr


def test_a_wrong_password_is_told_without_it(secure: FakeLast9, tmp_path: Path) -> None:
    """A proxy that refuses is named with the setting, its password is not, and nothing goes around it."""
    with ForwardingProxy(user="jenkins", password="right-password") as proxy:
        address = proxy.url.replace("http://", "http://jenkins:wrong-password@")
        done = deliver(secure, tmp_path, HTTPS_PROXY=address, LAST9_CA_BUNDLE=CA)
    assert done.answer["delivered"] is False
    (warning,) = done.answer["warnings"]
    assert "HTTPS_PROXY" in warning
    said = done.stdout + done.stderr
    for spelling in ("wrong-password", base64.b64encode(b"jenkins:wrong-password").decode()):
        assert spelling not in said
    assert secure.requests() == []


def test_a_proxy_that_is_down_is_named(secure: FakeLast9, tmp_path: Path) -> None:
    """It is the proxy that refuses, not Last9, and the warning says so."""
    done = deliver(secure, tmp_path, HTTPS_PROXY="http://127.0.0.1:1", LAST9_CA_BUNDLE=CA, LAST9_TIMEOUT_SECONDS="3")
    assert done.answer["delivered"] is False
    assert "the proxy 127.0.0.1:1 refused the connection. Check HTTPS_PROXY" in done.answer["warnings"][0]


def test_a_proxy_whose_name_is_unknown_is_named(tmp_path: Path) -> None:
    """Behind a proxy it is the proxy's name that this machine must resolve: Last9's is not blamed."""
    where = {"apiBaseUrl": field("https://app.last9.io"), "orgSlug": field("acme")}
    wanted = make_request(connection=where, options={"timeoutSeconds": "3"})
    done = run_step(wanted, "opaque-refresh-token", tmp_path, environ={"HTTPS_PROXY": "no-such-proxy.invalid:1"})
    (warning,) = done.answer["warnings"]
    assert "the proxy no-such-proxy.invalid:1 cannot be resolved (" in warning
    assert "). Check HTTPS_PROXY" in warning


@pytest.mark.parametrize("value", ["socks5://user:sesame-opens@127.0.0.1:1080", "http://[::1", "http://host:99999", "ftp://proxy"])
def test_a_proxy_that_cannot_be_used_is_left_out(value: str, secure: FakeLast9, tmp_path: Path) -> None:
    """A variable that makes httpx raise is one warning, without its password, and the marker still goes."""
    done = deliver(secure, tmp_path, ALL_PROXY=value, LAST9_CA_BUNDLE=CA)
    assert done.answer["delivered"] is True, done.stderr
    (warning,) = done.answer["warnings"]
    assert "ALL_PROXY" in warning
    assert "sesame" not in done.stdout + done.stderr


def test_loopback_over_plain_http_never_goes_through_a_proxy(last9: FakeLast9, tmp_path: Path) -> None:
    """A proxy's own loopback is another machine."""
    with ForwardingProxy() as proxy:
        done = deliver(last9, tmp_path, HTTP_PROXY=proxy.url, HTTPS_PROXY=proxy.url, ALL_PROXY=proxy.url)
        assert done.answer["delivered"] is True, done.stderr
        assert proxy.connects == []


class ForwardingProxy(Loopback):
    """An HTTP proxy that knows CONNECT, and asks for a password if it has one."""

    def __init__(self, user: str = "", password: str = "") -> None:
        super().__init__(self._forward)
        self.url = f"http://127.0.0.1:{self.port}"
        self._wanted = base64.b64encode(f"{user}:{password}".encode()) if user else b""
        self.connects: list[str] = []
        self.seen = b""

    def __enter__(self) -> ForwardingProxy:
        super().__enter__()
        return self

    def _forward(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        if self._wanted and self._wanted not in head:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        address = head.split()[1].decode()
        self.connects.append(address)
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._pump(client, server)

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            for ready in select.select([client, server], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                self.seen += data
                (server if ready is client else client).sendall(data)
