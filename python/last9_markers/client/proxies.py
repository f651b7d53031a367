"""The proxy between the agent and Last9, from the variables that every tool reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from last9_markers.client.lean_httpx import httpx
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.request.destination import BaseUrl

#: Values of a proxy variable that mean: no proxy.
_NO_PROXY_AT_ALL = ("none", "direct")


class Proxy(NamedTuple):
    """A usable proxy; ``shown`` is its host and port, for the log, ``variable`` what named it."""

    url: httpx.URL
    shown: str
    variable: str


class Exemption(NamedTuple):
    """Why a set proxy is not used: ``entry`` of ``variable``, as it was written."""

    variable: str
    entry: str


def choose(base_url: BaseUrl, environ: Mapping[str, str], log: BuildLog) -> Proxy | None:
    """The proxy for that base URL, or ``None``. One that cannot be used is a warning, and the marker goes without it.

    Plain http goes to this machine only and never through a proxy: there, this machine would be another.
    """
    named = _named(base_url, environ)
    return _read(*named, log) if named is not None and exemption(base_url, environ) is None else None


def exemption(base_url: BaseUrl, environ: Mapping[str, str]) -> Exemption | None:
    """What takes that base URL out of the proxy that is set: an entry of ``NO_PROXY``, or that the proxy's value says "none"."""
    named = _named(base_url, environ)
    if named is None:
        return None
    if named[1].lower().rstrip(":/") in _NO_PROXY_AT_ALL:
        return Exemption(*named)
    variable = "no_proxy" if environ.get("no_proxy") else "NO_PROXY"
    listed = environ.get(variable, "")
    if not listed:
        return None
    from last9_markers.client.no_proxy import deciding_entry

    entry = deciding_entry(listed, base_url.host, base_url.port)
    return Exemption(variable, entry) if entry else None


def _named(base_url: BaseUrl, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The first variable that names a proxy, and its value."""
    if base_url.scheme != "https":
        return None
    values = ((variable, environ.get(variable, "").strip()) for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"))
    return next((named for named in values if named[1]), None)


def _read(variable: str, value: str, log: BuildLog) -> Proxy | None:
    _hide_credentials(value, log)
    try:
        url = httpx.URL(value if "://" in value else f"http://{value}")
    except (httpx.InvalidURL, ValueError):
        log.warning(option_messages.proxy_unusable(variable, "it is not a URL"))
        return None
    if not 0 < (url.port or 80) < 65536:
        log.warning(option_messages.proxy_unusable(variable, "its port is none"))
        return None
    if url.scheme not in ("http", "https") or not url.host:
        log.warning(option_messages.proxy_unusable(variable, f"a {url.scheme} proxy is not supported" if url.host else "it names no host"))
        return None
    return Proxy(url, url.netloc.decode("ascii", "replace"), variable)


def _hide_credentials(value: str, log: BuildLog) -> None:
    user_information = value.rpartition("@")[0].rpartition("://")[2] or value.rpartition("@")[0]
    _, _, password = user_information.partition(":")
    for secret in {user_information, unquote(user_information), password, unquote(password)}:
        log.redactor.hide(secret)
