"""``env_*`` and ``build_param_*``: what the team has allowed to be sent, and nothing that is secret."""

from __future__ import annotations

import re
from collections.abc import Mapping

from last9_markers.request.contract import Request

_NOT_IN_A_LABEL = re.compile(r"[^a-z0-9_]")
#: Never sent, whatever an allowlist says.
_NEVER = {"last9_refresh_token", "last9_fake_server_refresh_tokens"}


def labels(request: Request, environ: Mapping[str, str]) -> dict[str, str | None]:
    """The allowlisted variables and parameters as labels.

    Jenkins makes an environment variable of every parameter: so a password parameter is left out under either name. Case is
    ignored there, because Windows ignores it.
    """
    secret = {name.lower() for name in request.secret_parameters} | _NEVER
    found: dict[str, str | None] = {}
    for name in request.environment_allowlist:
        if name.lower() not in secret:
            found.setdefault(f"env_{_label(name)}", environ.get(name))
    for name, value in request.parameters.items():
        if name.lower() not in secret:
            found.setdefault(f"build_param_{_label(name)}", value)
    return found


def _label(name: str) -> str:
    return _NOT_IN_A_LABEL.sub("_", name.lower())
