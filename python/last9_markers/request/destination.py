"""Where a marker goes: organization and API, and whether the token may go there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from last9_markers.core.errors import BaseUrlUnusable, HostNotAllowed, OrganizationUnknown, OrganizationUnusable
from last9_markers.request.token import Claims

#: ``last9-api.md``: the base of Last9's own deployments, and the default one.
DEFAULT_BASE_URL = "https://app.last9.io"
LAST9_DOMAIN = ".last9.io"
DEFAULT_CREDENTIAL_ID = "last9-refresh-token"
EXCHANGE_PATH = "/api/v4/oauth/access_token"

#: A host name's limits (RFC 1035): no URL library and no resolver takes more. The rest of a base URL is as long as people write it.
_LONGEST_LABEL, _LONGEST_HOST, _LONGEST_URL = 63, 253, 1000

_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,99})")
_BASE = re.compile(
    r"""(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://
        (?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])
        (?::(?P<port>[0-9]{1,5}))?
        (?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/*""",
    re.VERBOSE,
)
#: What people paste, and what the token's ``aud`` may end in; the API paths begin with it anyway.
_API_SUFFIX = re.compile(r"/api(?:/v4)?$")


def event_path(organization: str) -> str:
    """The path of the change events of an organization, which is a checked slug."""
    return f"/api/v4/organizations/{organization}/change_events"


class ConnectionField(NamedTuple):
    """One resolved connection field. ``from_starter``: a person who only starts builds may have chosen the value.

    ``trusted`` are the values of levels that this person cannot set.
    """

    value: str
    source: str
    from_starter: bool = False
    trusted: tuple[str, ...] = ()


class BaseUrl(NamedTuple):
    """A base URL that the token may be sent to as far as its form goes: https, or plain http to this machine."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What tells one server from another."""
        return self.scheme, self.host, self.port

    @property
    def text(self) -> str:
        """The URL without a trailing slash, its default port left out."""
        default = {"https": 443, "http": 80}[self.scheme]
        return f"{self.scheme}://{self.host}{'' if self.port == default else f':{self.port}'}{self.path}"


class Destination(NamedTuple):
    """One organization at one API, with the credential that opens it."""

    credential_id: str
    organization: str
    base_url: BaseUrl

    def key(self) -> tuple[str, str, str]:
        """What must be equal before a marker that was kept may go along."""
        return self.credential_id, self.organization, self.base_url.text


def host_of(text: str) -> str | None:
    """The host that a base URL names, ``None`` if it is not usable."""
    try:
        return read_base_url(text).host
    except BaseUrlUnusable:
        return None


def resolve(connection: Mapping[str, ConnectionField], claims: Claims) -> Destination:
    """Where these settings send a marker; what they leave open the token's claims fill, then the built-in defaults.

    Raises one of the :exc:`ConfigurationError` errors.
    """
    base_url = resolve_base_url(connection.get("apiBaseUrl"), claims)
    return Destination(credential_id(connection), resolve_organization(connection.get("orgSlug"), claims), base_url)


def credential_id(connection: Mapping[str, ConnectionField]) -> str:
    """The id of the credential that was bound."""
    field = connection.get("credentialId")
    return field.value if field else DEFAULT_CREDENTIAL_ID


def resolve_organization(field: ConnectionField | None, claims: Claims) -> str:
    """The organization slug; nothing but a slug gets into the URL."""
    slug = field.value if field else claims.organization
    if not slug:
        raise OrganizationUnknown
    if not _SLUG.fullmatch(slug):
        raise OrganizationUnusable(slug)
    return slug


def resolve_base_url(field: ConnectionField | None, claims: Claims) -> BaseUrl:
    """The API's base URL. One that a starter of builds may have chosen must be Last9's, the token's own, or also set by another person."""
    named = list(_usable(claims.api_urls))
    if field is None:
        return named[0] if named else read_base_url(DEFAULT_BASE_URL)
    base_url = read_base_url(field.value)
    if field.from_starter and not _may_have_the_token(base_url, [*named, *_usable(field.trusted)]):
        raise HostNotAllowed(base_url.host)
    return base_url


def read_base_url(text: str) -> BaseUrl:
    """Read a base URL, with or without its scheme. Raises :exc:`BaseUrlUnusable` on anything but an https URL of a plain host.

    User information, queries, dots and escapes in the path are refused: they are ways to make a URL look like another.
    """
    if "://" not in text:
        text = f"https://{text}"
    found = _BASE.fullmatch(text) if len(text) <= _LONGEST_URL else None
    if found is None:
        raise BaseUrlUnusable("form")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or {"https": 443, "http": 80}[scheme])
    if not _is_host(host) or not 0 < port < 65536:
        raise BaseUrlUnusable("form")
    if scheme == "http" and not is_loopback(host):
        raise BaseUrlUnusable("http")
    return BaseUrl(scheme, host, port, _API_SUFFIX.sub("", found["path"]))


def _is_host(host: str) -> bool:
    """Whether every URL library and resolver takes what has a host's letters already."""
    if host.startswith("["):
        return ":" in host and _is_address(host[1:-1])
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        return False
    if labels[-1].isdigit():
        return _is_address(host)  # no top-level domain is a number: this is meant for an address
    try:
        return all(label.encode("ascii").decode("idna") for label in labels if label.startswith("xn--"))
    except UnicodeError:
        return False


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: the only place where plain http keeps a secret."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def named_elsewhere(base_url: BaseUrl, claims: Claims) -> str | None:
    """The API that the token names, if it is another server than this one."""
    named = list(_usable(claims.api_urls))
    return None if not named or _is_one_of(base_url, named) else named[0].text


def _may_have_the_token(chosen: BaseUrl, known: Iterable[BaseUrl]) -> bool:
    if chosen.host.endswith(LAST9_DOMAIN):
        return True
    return _is_one_of(chosen, known)


def _is_one_of(base_url: BaseUrl, others: Iterable[BaseUrl]) -> bool:
    return any(base_url.origin == other.origin for other in others)


def _usable(urls: Iterable[str]) -> Iterable[BaseUrl]:
    for url in urls:
        try:
            base_url = read_base_url(url)
        except BaseUrlUnusable:
            continue
        # An audience may be a single word; only one that names a host is used.
        if "." in base_url.host or is_loopback(base_url.host):
            yield base_url
