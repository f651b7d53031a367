"""``env_*`` and ``build_param_*``: variables and parameters that the team allows, except secret ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.request.contract import Request
from last9_markers.request.values import NULL, as_text, names
from last9_markers.request.variables import Variables, folded

_NOT_IN_A_LABEL = re.compile(r"[^a-z0-9_]")
#: Never sent, even if an allowlist names it.
_NEVER = {"last9_refresh_token", "last9_fake_server_refresh_tokens"}


def labels(request: Request, environ: Mapping[str, str], log: BuildLog) -> dict[str, str | None]:
    """The allowlisted variables and parameters as labels.

    Jenkins makes an environment variable of every parameter: so a password parameter is left out under either name, with a warning. Case is
    ignored, as Jenkins does it. A value ``null`` is that of a variable which was not set.
    """
    environ = Variables.of(environ)
    secret = {folded(name) for name in request.secret_parameters}
    sources = (
        ("env", named(request, environ, "envAllowlist", "LAST9_ENV_ALLOWLIST"), (environ, request.environment)),
        ("build_param", named(request, environ, "paramAllowlist", "LAST9_PARAM_ALLOWLIST"), (request.parameters,)),
    )
    found: dict[str, str | None] = {}
    for prefix, allowed, places in sources:
        for name in allowed:
            if folded(name) in secret:
                log.warning(option_messages.password_not_sent(name))
            elif folded(name) not in _NEVER:
                values = (names(place, name) for place in places)
                value = next((value for value in values if value is not None), None)
                found.setdefault(f"{prefix}_{_label(name)}", None if as_text(value) == NULL else value)
    return found


def named(request: Request, environ: Mapping[str, str], option: str, variable: str) -> list[str]:
    """The names on an allowlist: a list of texts, or one text with commas between."""
    given = request.option(option)
    return list(split(given if as_text(given) else environ.get(variable)))


def split(given: Any) -> Iterable[str]:
    """The trimmed names of an allowlist, from either form."""
    items = given if isinstance(given, list) else (as_text(given) or "").split(",")
    for item in items:
        name = as_text(item)
        if name is not None and name != NULL:
            yield name


def _label(name: str) -> str:
    return _NOT_IN_A_LABEL.sub("_", name.lower())
