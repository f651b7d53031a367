"""Where a marker goes: organization and API, and whether the token may go there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from last9_markers.core.errors import BaseUrlUnusable, HostNotAllowed, OrganizationUnknown, OrganizationUnusable
from last9_markers.request.contract import ConnectionField
from last9_markers.request.token import Claims

#: ``last9-api.md``: the base of Last9's own deployments, and the default one.
DEFAULT_BASE_URL = "https://app.last9.io"
LAST9_DOMAIN = ".last9.io"
DEFAULT_CREDENTIAL_ID = "last9-refresh-token"
EXCHANGE_PATH = "/api/v4/oauth/access_token"

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
    """The API's base URL. One that a build parameter chose must be Last9's, the token's own, or set by somebody trusted too."""
    named = list(_usable(claims.api_urls))
    if field is None:
        return named[0] if named else read_base_url(DEFAULT_BASE_URL)
    base_url = read_base_url(field.value)
    if field.from_parameter and not _may_have_the_token(base_url, [*named, *_usable(field.trusted)]):
        raise HostNotAllowed(base_url.host)
    return base_url


def read_base_url(text: str) -> BaseUrl:
    """Read a base URL, with or without its scheme. Raises :exc:`BaseUrlUnusable` on anything but an https URL of a plain host.

    User information, queries, dots and escapes in the path are refused: they are ways to make a URL look like another.
    """
    if "://" not in text:
        text = f"https://{text}"
    found = _BASE.fullmatch(text)
    if found is None:
        raise BaseUrlUnusable("form")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            raise BaseUrlUnusable("form") from None
    port = int(found["port"] or {"https": 443, "http": 80}[scheme])
    if ".." in host or not 0 < port < 65536:
        raise BaseUrlUnusable("form")
    if scheme == "http" and not is_loopback(host):
        raise BaseUrlUnusable("http")
    return BaseUrl(scheme, host, port, _API_SUFFIX.sub("", found["path"]))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: the only place where plain http keeps a secret."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def named_elsewhere(base_url: BaseUrl, claims: Claims) -> str | None:
    """The API that the token names for itself, where that is another server than this one."""
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
        # An audience may be a mere word; only what names a host is one.
        if "." in base_url.host or is_loopback(base_url.host):
            yield base_url
