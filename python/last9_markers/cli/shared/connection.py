"""Where a marker goes, level by level, as docs/decisions/1 and the library's ``Connection`` have it for Pipelines.

For each field the first that is given: option → build parameter → named variable → routing profile → ``LAST9_*`` variable. What the token
says of itself is the engine's last level.

A Freestyle build has its parameters in the environment like everything else, so only ``--…-param`` tells that whoever starts the build
chose a value. ``LAST9_*`` and ``--…-env-var`` are taken for the administrator's: docs/command-line.md warns of parameters of those names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from last9_markers.cli.shared.options import CONNECTION, CONNECTION_FIELDS
from last9_markers.messages import cli as cli_messages
from last9_markers.request.destination import DEFAULT_CREDENTIAL_ID

PROFILES = "LAST9_ROUTING_PROFILES"

#: Connection field → the administrator's variable.
VARIABLES = {option.name: option.variable for option in CONNECTION.options if option.name in CONNECTION_FIELDS}

Field = dict[str, Any]


class ConnectionSettings:
    """The resolved fields, as the contract has them, and the ``problems`` because of which nothing may be sent."""

    def __init__(self, given: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self._given = given
        self._environ = environ
        self._profile: Mapping[str, Any] = {}
        self.problems: list[str] = []
        self.fields: dict[str, Field] = {}
        self._choose_profile()
        for name in CONNECTION_FIELDS:
            levels = self._levels(name)
            if levels:
                self.fields[name] = levels[0]
            if levels and name == "apiBaseUrl":
                self.fields[name] = {**levels[0], "trusted": [level["value"] for level in levels if not level["fromParameter"]]}
        self.fields.setdefault("credentialId", _field(DEFAULT_CREDENTIAL_ID, "default"))

    def _choose_profile(self) -> None:
        levels = self._levels("routingProfile")
        if not levels:
            return
        name = levels[0]["value"]
        profiles = self._profiles()
        profile = profiles.get(name)
        if isinstance(profile, dict):
            self._profile = profile
        else:
            self.problems.append(cli_messages.unknown_profile(name, list(profiles)))

    def _profiles(self) -> Mapping[str, Any]:
        text = self._environ.get(PROFILES, "").strip()
        try:
            profiles = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            profiles = None
        if not isinstance(profiles, dict):
            self.problems.append(cli_messages.profiles_unreadable())
            return {}
        return profiles

    def _levels(self, name: str) -> list[Field]:
        """Every level that has a value for the field, best first."""
        given, environ = self._given, self._environ
        variable = given.get(f"{name}EnvVar") or ""
        levels = [
            _field(given.get(name), "option"),
            _field(environ.get(given.get(f"{name}Param") or ""), "parameter", chosen=True),
            _field(environ.get(variable), "environment", chosen=variable == given.get(f"{name}Param")),
            _field(self._profile.get(name), "profile"),
            _field(environ.get(VARIABLES[name]), "global", chosen=VARIABLES[name] == given.get(f"{name}Param")),
        ]
        return [level for level in levels if level["value"]]


def _field(value: Any, source: str, *, chosen: bool = False) -> Field:
    text = value.strip() if isinstance(value, str) else "" if value is None else json.dumps(value)
    return {"value": text, "source": source, "fromParameter": chosen}
