"""CA certificates as administrators leave them: bundles with a damaged one, folders without hash links, things that are neither."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from check.check_support import check, found
from last9_markers.check.findings import CapturedLog
from last9_markers.client import ca_files
from last9_markers.client.tls import TrustStore
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from support import make_request, run_step

CERTIFICATES = Path(__file__).parents[1] / "certificates"
GOOD = (CERTIFICATES / "ca.pem").read_text("ascii")
WEAK = (CERTIFICATES / "weak.pem").read_text("ascii").partition("-----BEGIN PRIVATE")[0]
LINES = WEAK.strip().splitlines()

#: What becomes of a certificate in a bundle that is put together by hand.
DAMAGED = {
    "letters that are no base64": "\n".join([LINES[0], "!?" + LINES[1], *LINES[2:]]),
    "a line is missing": "\n".join([*LINES[:3], *LINES[4:]]),
    "no certificate in it": f"{LINES[0]}\nbm90IGEgY2VydGlmaWNhdGU=\n{LINES[-1]}",
    "nothing in it": f"{LINES[0]}\n{LINES[-1]}",
    "its end is missing": "\n".join(LINES[:-1]),
    "it is cut in the middle": "\n".join(LINES[: len(LINES) // 2]),
}


@pytest.fixture
def secure() -> Iterator[FakeLast9]:
    """A fake Last9 over TLS; a private CA has signed its certificate."""
    with FakeLast9(certificate=(str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key"))) as fake_last9:
        yield fake_last9


def _subjects(context: ssl.SSLContext) -> list[str]:
    return sorted(dict(part[0] for part in each["subject"])["commonName"] for each in context.get_ca_certs())  # type: ignore[misc]


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_bundle_loses_the_damaged_certificate_alone(damage: str, order: str, tmp_path: Path) -> None:
    """OpenSSL would drop the whole file: here the others in it are used, and how many do not is known."""
    bundle = tmp_path / "bundle.pem"
    parts = [DAMAGED[damage], GOOD] if order == "before" else [GOOD, DAMAGED[damage]]
    bundle.write_text("\n".join(parts), "ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert ca_files.add_file(context, str(bundle)) == 1
    assert "Test CA of last9-markers" in _subjects(context)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        f"Subject: CN=x\n    a comment\n{GOOD}\nand after\n",
        GOOD.replace("\n", "\n  "),
        GOOD.replace(" CERTIFICATE", " X509 CERTIFICATE"),
    ],
    ids=["Windows' line breaks", "a byte order mark", "words around it", "indented", "the old name"],
)
def test_spellings_of_a_good_file(text: str, tmp_path: Path) -> None:
    """What editors and tools make of a PEM file does not cost the certificate."""
    file = tmp_path / "ca.pem"
    file.write_bytes(text.encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert ca_files.add_file(context, str(file)) == 0
    assert _subjects(context) == ["Test CA of last9-markers"]


@pytest.mark.parametrize("text", ["", "nothing", DAMAGED["a line is missing"], (CERTIFICATES / "server.key").read_text("ascii")])
def test_a_file_without_a_certificate_is_an_error(text: str, tmp_path: Path) -> None:
    """If nothing in it can be used, the setting is wrong, and that is not passed over."""
    file = tmp_path / "ca.pem"
    file.write_text(text, "ascii")
    with pytest.raises(ssl.SSLError):
        ca_files.add_file(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), str(file))


@pytest.mark.skipif(os.name == "nt", reason="pipes with a name")
def test_a_pipe_in_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    """What a variable names is opened by name, and may be a trap: reading a pipe would last for ever."""
    pipe = tmp_path / "ca.pem"
    os.mkfifo(pipe)
    log = CapturedLog(Redactor())
    TrustStore({"LAST9_CA_BUNDLE": str(pipe)}, log)
    (warning,) = log.warnings
    assert f"LAST9_CA_BUNDLE is ignored: {pipe} cannot be read as PEM certificates (not a file)" in warning


def test_a_folder_without_hash_links_is_read(tmp_path: Path) -> None:
    """Every certificate in it is used, in files of any name; a pipe, a folder and a broken link cause no wait."""
    (tmp_path / "company.crt").write_text(GOOD, "ascii")
    (tmp_path / "other.txt").write_text(f"{DAMAGED['its end is missing']}\n{WEAK}", "ascii")
    (tmp_path / "folder.pem").mkdir()
    (tmp_path / "broken.pem").symlink_to("nowhere")
    (tmp_path / "binary.der").write_bytes(bytes(range(256)))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert ca_files.add_folder(context, str(tmp_path)) == (2, 1)
    assert _subjects(context) == ["Test CA of last9-markers", "weak key of last9-markers' tests"]


@pytest.mark.parametrize("variable", ["SSL_CERT_DIR", "LAST9_CA_BUNDLE"])
def test_a_marker_with_such_a_folder(variable: str, secure: FakeLast9, tmp_path: Path) -> None:
    """The CA in a folder that no one has run ``openssl rehash`` on is enough, without a word in the log."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "company.pem").write_text(GOOD, "ascii")
    done = run_step(make_request(), secure.refresh_token, tmp_path, environ={variable: str(folder)})
    assert done.answer["delivered"] is True, done.stderr
    assert done.answer["warnings"] == []


def test_what_lies_beside_hash_links_is_read_when_it_is_needed(secure: FakeLast9, tmp_path: Path) -> None:
    """A CA that was added to a folder of hashed ones and not hashed itself is found, after a first refusal."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "company.pem").write_text(GOOD, "ascii")
    (folder / "0123abcd.0").write_text(WEAK, "ascii")
    done = run_step(make_request(), secure.refresh_token, tmp_path, environ={"SSL_CERT_DIR": str(folder)})
    assert done.answer["delivered"] is True, done.stderr


def test_a_marker_with_a_damaged_bundle_goes_and_the_connection_test_tells(secure: FakeLast9, tmp_path: Path) -> None:
    """A harmless fault is not in a build's log; the connection test and LAST9_DEBUG name the file."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(f"{DAMAGED['a line is missing']}\n{GOOD}", "ascii")
    environ = {"LAST9_CA_BUNDLE": str(bundle)}
    done = run_step(make_request(), secure.refresh_token, tmp_path, environ=environ)
    assert done.answer["delivered"] is True, done.stderr
    assert done.answer["warnings"] == []
    debugged = run_step(make_request(), secure.refresh_token, tmp_path, environ={**environ, "LAST9_DEBUG": "true"})
    assert f"1 certificate is damaged in {bundle} (LAST9_CA_BUNDLE)" in debugged.stderr
    tested = check(secure, tmp_path, environ=environ)
    texts = [each["text"] for each in tested.answer["findings"] if each["check"] == "tls" and each["state"] == "warning"]
    assert texts == [f"1 certificate is damaged in {bundle} (LAST9_CA_BUNDLE) and ignored. Replace the file; the others in it are used."]
    assert found(tested)["tls"][0] == "ok"


def test_a_setting_that_is_left_out_is_told_where_the_certificate_fails(secure: FakeLast9, tmp_path: Path) -> None:
    """A CA that is not trusted, and a CA file that cannot be read: the connection test shows both, the one is the other's cause."""
    folder = tmp_path / "empty"
    folder.mkdir()
    tested = check(secure, tmp_path, environ={"LAST9_CA_BUNDLE": "/no/such.pem", "SSL_CERT_DIR": str(folder)})
    texts = [(each["state"], each["text"]) for each in tested.answer["findings"] if each["check"] == "tls"]
    assert [state for state, _ in texts] == ["warning", "warning", "failed"]
    assert "LAST9_CA_BUNDLE is ignored: /no/such.pem" in texts[0][1]
    assert "SSL_CERT_DIR adds nothing" in texts[1][1]
    assert "is not trusted" in texts[2][1]


def test_a_folder_without_any_certificate_is_a_remark(tmp_path: Path) -> None:
    """Images set SSL_CERT_DIR to folders that are empty: no warning on every marker, but a line in the connection test."""
    log = CapturedLog(Redactor())
    roots = TrustStore({"SSL_CERT_DIR": str(tmp_path)}, log)
    assert log.warnings == []
    assert roots.remarks == [f"SSL_CERT_DIR adds nothing: there is no PEM certificate in {tmp_path}. Correct the path or unset it."]
