"""Where the token may go, and where it must not."""

from __future__ import annotations

import pytest
from last9_markers.core.errors import BaseUrlUnusable, HostNotAllowed, OrganizationUnknown, OrganizationUnusable
from last9_markers.request.destination import ConnectionField, read_base_url, resolve_base_url, resolve_organization
from last9_markers.request.token import Claims


def chosen(url: str, *trusted: str) -> ConnectionField:
    """A base URL that the person who started the build has chosen."""
    return ConnectionField(url, "parameter", True, trusted)


@pytest.mark.parametrize(
    "url",
    [
        "http://app.last9.io",
        "http://10.0.0.1:8080",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://app.last9.io",
        "https://",
        "https://user@app.last9.io",
        "https://user:password@app.last9.io",
        "https://app.last9.io@evil.example.com",
        "https://app.last9.io\\@evil.example.com",
        "https://app.last9.io/../..",
        "https://app.last9.io/%2e%2e/x",
        "https://app.last9.io/?x=1",
        "https://app.last9.io/#x",
        "https://app.last9.io/a;b",
        "https://app.last9.io:0",
        "https://app.last9.io:65536",
        "https://app..last9.io",
        "https://app.last9.io\r\nX-Evil: 1",
        "https://app.last9.io\n",
        "https://app.last9.io\x00",
        "https://\u0430pp.last9.io",  # a Cyrillic a
        "https://[::1",
        "https://[x]",
        "javascript:alert(1)",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    """Plain http off this machine, user information, path tricks, control characters and look-alikes are not base URLs."""
    with pytest.raises(BaseUrlUnusable):
        read_base_url(url)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://app.last9.io", "https://app.last9.io"),
        ("https://app.last9.io/", "https://app.last9.io"),
        ("HTTPS://App.Last9.IO:443", "https://app.last9.io"),
        ("app.last9.io", "https://app.last9.io"),
        ("app.last9.io/api", "https://app.last9.io"),
        ("https://app.last9.io/api/v4/", "https://app.last9.io"),
        ("https://gateway.example.com:8443/last9", "https://gateway.example.com:8443/last9"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.9.9.9:8080", "http://127.9.9.9:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_urls_as_people_write_them(url: str, read: str) -> None:
    """With and without scheme, trailing slash and the API's own path, a URL comes to the same base."""
    assert read_base_url(url).text == read


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com",
        "https://last9.io.evil.example.com",
        "https://evillast9.io",
        "https://app.last9.io.",
        "http://127.0.0.1:9999",
        "https://trusted.example.com:8443",
        "http://localhost:8080",
    ],
)
def test_a_host_that_a_parameter_chose_gets_no_token(url: str) -> None:
    """A person who may start a build cannot send the token elsewhere: not to a look-alike, another port, or this machine."""
    with pytest.raises((HostNotAllowed, BaseUrlUnusable)):
        resolve_base_url(chosen(url, "https://trusted.example.com", "http://127.0.0.1:8080"), Claims(api_urls=("https://own.example.com",)))


@pytest.mark.parametrize(
    "url",
    [
        "https://app.last9.io",
        "https://app-eu.last9.io",
        "https://own.example.com/api",
        "https://trusted.example.com",
        "http://127.0.0.1:8080/",
    ],
)
def test_a_host_that_a_parameter_may_choose(url: str) -> None:
    """Last9's own hosts, the token's own, and those that a trusted person has set."""
    trusted = chosen(url, "https://trusted.example.com/", "http://127.0.0.1:8080")
    assert resolve_base_url(trusted, Claims(api_urls=("own.example.com",))).host in url


def test_a_host_that_no_parameter_chose_is_free() -> None:
    """An administrator or a Jenkinsfile may name any https host."""
    assert resolve_base_url(ConnectionField("https://gateway.example.com", "global"), Claims()).text == "https://gateway.example.com"


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ((), "https://app.last9.io"),
        (("last9",), "https://app.last9.io"),
        (("api", "https://otlp.example.com/api"), "https://otlp.example.com"),
        (("http://plain.example.com", "own.example.com"), "https://own.example.com"),
    ],
)
def test_the_default_comes_from_the_token(audience: tuple[str, ...], expected: str) -> None:
    """Without a setting the token's audience says where the API is, then Last9's own address; a single word is not a host."""
    assert resolve_base_url(None, Claims(api_urls=audience)).text == expected


@pytest.mark.parametrize("slug", ["..", "../acme", "a/b", "a?b", "a%2fb", "a b", "a\nb", "-acme", "ä", "a" * 101, "a;b", "a\\b"])
def test_slugs_that_are_refused(slug: str) -> None:
    """Nothing gets into the path of a URL but a slug."""
    with pytest.raises(OrganizationUnusable):
        resolve_organization(ConnectionField(slug, "option"), Claims())


def test_the_organization_comes_from_settings_then_token() -> None:
    """A setting wins over the token's claim; with neither the organization is unknown."""
    assert resolve_organization(ConnectionField("acme", "option"), Claims(organization="globex")) == "acme"
    assert resolve_organization(None, Claims(organization="globex")) == "globex"
    with pytest.raises(OrganizationUnknown):
        resolve_organization(None, Claims())
