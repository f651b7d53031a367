"""May a person who only starts builds have set this? The only place that decides it.

A starter sets build parameters, and Jenkins makes an environment variable of each. Its environment ignores case: a parameter ``target``
is what a Jenkinsfile reads as ``env.TARGET``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from last9_markers.request.contract import Request
from last9_markers.request.variables import Variables, folded

#: The library cuts a parameter's value here. What stands behind the cut is only known if the agent's environment has it, too.
LONGEST_VALUE = 2000

#: They decide which server is trusted as Last9, and which machine the token passes.
TRUST = ("LAST9_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
PROXIES = ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

#: Where a host ends in a text that is part of a URL.
_AFTER_A_HOST = re.compile(r"[^A-Za-z0-9.\-\[\]]")


class Starter:
    """The person who starts the build of one request: the names and values that this person may have chosen."""

    def __init__(self, request: Request, environ: Variables) -> None:
        self._names = {folded(name) for name in (*request.parameters, *request.secret_parameters)}
        self._values = list(_values(request, environ))
        #: Whether the end of some value is not known.
        self._unknown = any(
            len(value) >= LONGEST_VALUE and not environ.get(name, "").startswith(value) for name, value in request.parameters.items()
        )

    def may_have_set(self, variable: str) -> bool:
        """Whether that person may have set a variable of that name: a build parameter has the name, in upper or lower case."""
        return folded(variable) in self._names

    def may_have_chosen(self, host: str) -> bool:
        """Whether a host may have come from a parameter's value, as in ``apiBaseUrl: params.API`` or ``"https://api${params.DOMAIN}"``."""
        host = host.lower().strip("[]")
        return self._unknown or any(host in value or host.endswith(_beginning(value)) for value in self._values)


class Cleaned(NamedTuple):
    """An environment without the certificates and proxies that a starter may have set, and the removed names."""

    environ: dict[str, str]
    ignored: tuple[str, ...]


def cleaned(request: Request, environ: Mapping[str, str]) -> Cleaned:
    """The environment for a client that holds the token: no certificate and no proxy of a starter's choice."""
    variables = Variables.of(environ)
    starter = Starter(request, variables)
    names = {folded(name) for name in (*TRUST, *PROXIES) if starter.may_have_set(name)}
    ignored = sorted(name for name in variables if folded(name) in names and variables[name].strip())
    return Cleaned({name: value for name, value in variables.items() if folded(name) not in names}, tuple(ignored))


def _values(request: Request, environ: Variables) -> Iterator[str]:
    for name in (*request.parameters, *request.secret_parameters):
        for value in {request.parameters.get(name, ""), environ.get(name, "")}:
            if value.strip():
                yield value.strip().lower()


def _beginning(value: str) -> str | tuple[()]:
    """What of a value stays in the host, if the value was put behind the host's beginning. If nothing does: what no text ends with."""
    return _AFTER_A_HOST.split(value, maxsplit=1)[0] or ()
