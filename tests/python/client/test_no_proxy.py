"""NO_PROXY as people write it, and the words that stand for no proxy at all."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from last9_markers.client.no_proxy import deciding_entry
from last9_markers.client.proxies import Exemption, choose, exemption
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.request.destination import BaseUrl, read_base_url

#: The same examples on every run and every machine.
REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=300)
PROXY = "http://proxy.test:3128"


def _chosen(url: str, **environ: str) -> str | None:
    """The proxy for that URL as the log shows it."""
    found = choose(read_base_url(url), environ, BuildLog(io.StringIO(), Redactor()))
    return found.shown if found else None


@pytest.mark.parametrize(
    ("listed", "host", "entry"),
    [
        ("app.last9.io", "app.last9.io", "app.last9.io"),
        ("last9.io", "app.last9.io", "last9.io"),
        (".last9.io", "app.last9.io", ".last9.io"),
        (".last9.io", "last9.io", ".last9.io"),
        ("*.last9.io", "app.last9.io", "*.last9.io"),
        ("*.last9.io", "last9.io", "*.last9.io"),
        ("*last9.io", "app.last9.io", "*last9.io"),
        ("app.*.io", "app.last9.io", "app.*.io"),
        ("App.Last9.IO", "app.last9.io", "App.Last9.IO"),
        ("app.last9.io.", "app.last9.io", "app.last9.io."),
        ("app.last9.io", "app.last9.io.", "app.last9.io"),
        ("localhost,last9.io", "app.last9.io", "last9.io"),
        ("localhost, last9.io", "app.last9.io", "last9.io"),
        ("localhost last9.io", "app.last9.io", "last9.io"),
        ("localhost\tlast9.io\n", "app.last9.io", "last9.io"),
        ("localhost;last9.io", "app.last9.io", "last9.io"),
        ("localhost|last9.io", "app.last9.io", "last9.io"),
        (",,localhost ,; ,last9.io,", "app.last9.io", "last9.io"),
        ('"localhost,last9.io"', "app.last9.io", "last9.io"),
        ("'last9.io'", "app.last9.io", "last9.io"),
        ("*", "app.last9.io", "*"),
        ("* ", "app.last9.io", "*"),
        ("localhost,*", "app.last9.io", "*"),
        ("*,localhost", "fd00::1", "*"),
        ("https://app.last9.io/", "app.last9.io", "https://app.last9.io/"),
        ("last9.io:443", "app.last9.io", "last9.io:443"),
        ("last9.io:0443", "app.last9.io", "last9.io:0443"),
        (".last9.io:443", "app.last9.io", ".last9.io:443"),
        ("*:443", "app.last9.io", "*:443"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:443", "10.1.2.3", "10.1.2.3:443"),
        ("10.*", "10.1.2.3", "10.*"),
        ("10.0.0.0/8", "10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3/8", "10.200.0.1", "10.1.2.3/8"),
        ("10.0.0.0/255.0.0.0", "10.1.2.3", "10.0.0.0/255.0.0.0"),
        ("0.0.0.0/0", "10.1.2.3", "0.0.0.0/0"),
        ("fd00::1", "[fd00::1]", "fd00::1"),
        (" fd00::1 ", "[fd00::1]", "fd00::1"),
        ("[fd00::1]", "fd00::1", "[fd00::1]"),
        ("[fd00::1]:443", "fd00::1", "[fd00::1]:443"),
        ("FD00:0:0::1", "fd00::1", "FD00:0:0::1"),
        ("fd00::/8", "fd12::1", "fd00::/8"),
        ("[fd00::]/8", "fd12::1", "[fd00::]/8"),
    ],
)
def test_what_takes_a_host_out(listed: str, host: str, entry: str) -> None:
    """Each form that some tool reads is read, and the entry that decided is known as it was written."""
    assert deciding_entry(listed, host, 443) == entry


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        ("", "app.last9.io"),
        (" ,; ", "app.last9.io"),
        ("last9.io", "notlast9.io"),
        ("last9.io", "last9.io.example.com"),
        (".app.last9.io", "last9.io"),
        ("app.last9.i", "app.last9.io"),
        ("last9.io:8443", "app.last9.io"),
        ("*:80", "app.last9.io"),
        ("[fd00::1]:80", "fd00::1"),
        ("fd00::2", "fd00::1"),
        ("10.0.0.0/8", "11.1.2.3"),
        ("10.0.0.0/8", "10.last9.io"),
        ("10.0.0.0/8", "fd00::1"),
        ("fd00::/8", "10.1.2.3"),
        ("0.0.1", "10.0.0.1"),
        (".1", "10.0.0.1"),
        ("a?p.last9.io", "app.last9.io"),
        ("[a]pp.*", "app.last9.io"),
        ("*.", "app.last9.io"),
        (".", "app.last9.io"),
        ("/", "app.last9.io"),
        (":443", "app.last9.io"),
        ("10.0.0.0/99", "10.1.2.3"),
    ],
)
def test_what_does_not(listed: str, host: str) -> None:
    """A likeness is not enough: a host that is not meant goes through the proxy."""
    assert deciding_entry(listed, host, 443) is None


_PIECES = st.sampled_from(
    [*",;| *.:/[]%@'\"\\?!-0", "::", "10.0.0.0", "/8", "/99", "fd00::1", "last9.io", "http://", ":443", "٣", "²", "\0", "\ud800", "%eth0"]
)


@REPEATABLE
@given(
    st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=40),
    st.sampled_from(["https://a.b", "https://10.1.2.3", "https://[fd00::1]"]),
)
def test_no_list_makes_it_raise(listed: str, url: str) -> None:
    """With any text in the variable a marker is sent, with or without a proxy; an entry of the list decides."""
    base_url = read_base_url(url)
    entry = deciding_entry(listed, base_url.host, base_url.port)
    assert entry is None or (entry and entry in listed)
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": listed}
    assert (choose(base_url, environ, BuildLog(io.StringIO(), Redactor())) is None) == (entry is not None)


@REPEATABLE
@given(st.text(max_size=40), st.sampled_from([BaseUrl("https", "a.b", 443, ""), BaseUrl("http", "localhost", 80, "")]))
def test_no_proxy_makes_it_raise(value: str, base_url: BaseUrl) -> None:
    """The same for the variable that names the proxy: a good one, none, or a warning."""
    build_log = BuildLog(io.StringIO(), Redactor())
    assert choose(base_url, {"ALL_PROXY": value}, build_log) is None or not build_log.warnings


def test_a_list_that_is_long_costs_next_to_nothing() -> None:
    """No entry makes a pattern that explodes: this would not end in a lifetime."""
    assert deciding_entry("*a" * 5000 + ",*" * 200 + "b", "a" * 250, 443) == "*"


@pytest.mark.parametrize("value", ["none", "None", "DIRECT", "direct", " direct ", "direct://"])
def test_words_for_no_proxy(value: str) -> None:
    """ "none" and "direct" are not names of hosts, and what decides: another variable's proxy is not taken instead."""
    environ = {"HTTPS_PROXY": value, "ALL_PROXY": PROXY}
    assert _chosen("https://app.last9.io", **environ) is None
    assert exemption(read_base_url("https://app.last9.io"), environ) == Exemption("HTTPS_PROXY", value.strip())


def test_the_small_letters_count_first() -> None:
    """As curl and Python have it; an empty one is none."""
    base_url = read_base_url("https://app.last9.io")
    environ = {"HTTPS_PROXY": PROXY, "no_proxy": "other.test", "NO_PROXY": "last9.io"}
    assert exemption(base_url, environ) is None
    assert exemption(base_url, {**environ, "no_proxy": ""}) == Exemption("NO_PROXY", "last9.io")
    assert exemption(base_url, {"NO_PROXY": "last9.io"}) is None
