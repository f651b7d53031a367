"""Reads ``NO_PROXY`` in every form that people and tools use; there is no standard."""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatchcase

#: Commas by convention, blanks as in Ruby and wget, semicolons as in Windows, bars as in Java; quotes come along from env files.
_SEPARATORS = re.compile(r"[\s,;|\"']+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


def deciding_entry(listed: str, host: str, port: int) -> str | None:
    """The first entry of the list that means that host, as it was written; ``None`` if none does. No list makes it raise.

    ``host`` is a name or an address, an IPv6 one with or without brackets. An entry may be a name (which means its subdomains, too), with
    ``.`` or ``*.`` before it, an address, a network (``10.0.0.0/8``; names are not resolved for it), any of these with a port, or hold
    ``*`` anywhere.
    """
    wanted = host.strip("[]").rstrip(".").lower()
    return next((entry for entry in _SEPARATORS.split(listed) if _means(entry.lower(), wanted, port)), None)


def _means(entry: str, host: str, port: int) -> bool:
    entry = _SCHEME.sub("", entry, count=1)
    if "/" in entry:
        network = _network(entry)
        if network is not None:
            address = _address(host)
            return address is not None and address.version == network.version and address in network
        entry = entry.partition("/")[0]  # a URL's path
    name, its_port = _split(entry)
    if its_port and its_port.lstrip("0") != str(port):
        return False
    address = _address(host)
    if address is not None and address == _address(name):
        return True
    suffix = re.sub(r"\A(?:\*?\.)+", "", name).rstrip(".")
    if "*" in suffix:
        # Only the stars of an entry are a pattern.
        return fnmatchcase(host, re.sub(r"[\[?]", lambda found: f"[{found.group()}]", suffix))
    # The end of an address says nothing of it.
    return bool(suffix) and (host == suffix or (address is None and host.endswith(f".{suffix}")))


def _split(entry: str) -> tuple[str, str]:
    """Name or address without brackets, and the port or ""."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest[1:] if rest.startswith(":") else ""
    if entry.count(":") != 1:  # none, or an IPv6 address without brackets
        return entry, ""
    name, _, its_port = entry.partition(":")
    return name, its_port if its_port.isascii() and its_port.isdigit() else ""


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
