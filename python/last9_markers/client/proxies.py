"""Which proxy stands between the agent and Last9, by the variables that every tool reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from last9_markers.client.lean_httpx import httpx
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.request.destination import BaseUrl


class Proxy(NamedTuple):
    """A usable proxy; ``shown`` is its host and port, for the log, ``variable`` what named it."""

    url: httpx.URL
    shown: str
    variable: str


def choose(base_url: BaseUrl, environ: Mapping[str, str], log: BuildLog) -> Proxy | None:
    """The proxy for that base URL, or ``None``. One that cannot be used is a warning, and the marker goes without it.

    Plain http goes to this machine only and never through a proxy: there, this machine would be another.
    """
    if base_url.scheme != "https":
        return None
    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        value = environ.get(variable, "").strip()
        if value:
            return None if _bypassed(base_url, environ) else _read(variable, value, log)
    return None


def _bypassed(base_url: BaseUrl, environ: Mapping[str, str]) -> bool:
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if not listed:
        return False
    # Loaded only here: it brings 8 ms of http.client and email along. Public, but missing in typeshed.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    host = f"{base_url.host}:{base_url.port}"
    # The standard library's reading of the list (suffixes, ports, `*`); an IPv6 address may be written with and without brackets.
    without_brackets = listed.replace("[", "").replace("]", "")
    return bool(proxy_bypass_environment(host, {"no": listed})) or base_url.host.strip("[]") in without_brackets.split(",")


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
