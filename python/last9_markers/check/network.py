"""Checks the way to Last9: proxy, name, connection, certificate, and the server's clock."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from last9_markers.check.findings import CapturedLog, Findings
from last9_markers.client import proxies
from last9_markers.client.api import http_date
from last9_markers.client.proxies import Proxy
from last9_markers.client.transport import ProbeResult
from last9_markers.core.clock import Clock
from last9_markers.core.errors import CertificateRefused, DeliveryError, NetworkError, ProxyRefused
from last9_markers.core.redaction import Redactor
from last9_markers.messages import check as check_messages
from last9_markers.messages import failures
from last9_markers.request.destination import BaseUrl

#: A clock that is further off than this makes a difference on a dashboard.
LARGEST_SKEW_SECONDS = 30.0
#: How long a step may have waited for an agent before its time is held against the controller's clock.
LONGEST_WAIT_SECONDS = 300.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


def look_at_proxy(findings: Findings, base_url: BaseUrl, environ: Mapping[str, str], redactor: Redactor) -> Proxy | None:
    """Which proxy the variables choose for that host, and the variables that cannot be used."""
    captured = CapturedLog(redactor)
    proxy = proxies.choose(base_url, environ, captured)
    for warning in captured.warnings:
        findings.warn("proxy", warning)
    if proxy is not None:
        findings.ok("proxy", check_messages.proxy(proxy.shown, proxy.variable))
    elif not captured.warnings:
        findings.ok("proxy", check_messages.no_proxy(base_url.host, proxies.exemption(base_url, environ)))
    return proxy


def nearest(base_url: BaseUrl, proxy: Proxy | None) -> tuple[str, int]:
    """The host and the port that this machine connects to: the proxy's if there is one; it resolves Last9's name."""
    if proxy is not None:
        return proxy.url.host, proxy.url.port or _DEFAULT_PORTS[proxy.url.scheme]
    return base_url.host.strip("[]"), base_url.port


def look_at_name(findings: Findings, base_url: BaseUrl, proxy: Proxy | None, too_late: Callable[[], str | None]) -> None:
    """Whether the name that this machine has to resolve has an address. ``too_late`` says what is to be said if that took too long."""
    host, port = nearest(base_url, proxy)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        findings.fail("dns", check_messages.name_unknown(host, getattr(error, "strerror", None) or "no such name", proxy is not None))
        return
    late = too_late()
    if late is not None:
        findings.fail("dns", late)
        return
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    findings.ok("dns", check_messages.name_known(host, addresses, base_url.host if proxy is not None else None))


def culprit(failure: DeliveryError, *, proxied: bool) -> str:
    """Which check a failed connection belongs to: if it is ``proxied``, this machine reaches only the proxy."""
    if isinstance(failure, CertificateRefused) or (isinstance(failure, NetworkError) and failure.kind == "tls"):
        return "tls"
    of_proxy = ("proxy", *failures.PROXY) if proxied else ("proxy",)
    if isinstance(failure, ProxyRefused) or (isinstance(failure, NetworkError) and failure.kind in of_proxy):
        return "proxy"
    return "connection"


def look_at_certificate(findings: Findings, probe_result: ProbeResult, base_url: BaseUrl, warnings: list[str]) -> None:
    """Whose certificate it was that was trusted, and the settings for CAs that cannot be used (``warnings``)."""
    for warning in warnings:
        findings.warn("tls", warning)
    if base_url.scheme != "https":
        findings.ok("tls", check_messages.no_tls())
    else:
        found = probe_result.certificate or {}
        findings.ok(
            "tls",
            check_messages.certificate(_name(found.get("subject")), _name(found.get("issuer")), found.get("notAfter"), probe_result.tls),
        )


def look_at_clocks(findings: Findings, probe_result: ProbeResult, clock: Clock, called_ms: int | None, running_seconds: float) -> None:
    """The agent's clock and the one that markers go by, against the server's.

    ``called_ms``: when the step was called, by the controller; ``running_seconds``: since the engine started. The controller's can only
    be too late by more than a step may wait for an agent.
    """
    there = http_date(probe_result.headers.get("Date", ""))
    if there is None:
        findings.warn("clock", check_messages.clock_unproven())
        return
    agent = clock.wall() - there
    controller = called_ms / 1000 - (there - running_seconds) if called_ms is not None else 0.0
    if abs(agent) > LARGEST_SKEW_SECONDS:
        findings.warn("clock", check_messages.agent_clock_off(agent))
    if controller > LARGEST_SKEW_SECONDS or controller < -LONGEST_WAIT_SECONDS:
        findings.warn("clock", check_messages.controller_clock_off(controller))
    if not findings.has("clock"):
        findings.ok("clock", check_messages.clock(agent))


def _name(found: Any) -> str | None:
    """The common name in a distinguished name as :mod:`ssl` gives it, or the organization if there is none."""
    parts = {key: value for relative in found or () for key, value in relative}
    return parts.get("commonName") or parts.get("organizationName")
