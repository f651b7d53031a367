"""Where a marker goes and with which credential: each field is resolved separately, and the first level that has it wins.

literal → build parameter → named variable → routing profile → ``last9Config`` (literal, parameter, variable) → ``LAST9_*`` variable. The
refresh token's claims and the defaults come after these, in :mod:`last9_markers.request.destination`.

One resolver for Pipelines and for the command line. The library resolves profile and credential before the agent is involved, because it
has to bind the credential. It uses the same rule; the examples are in ``tests/contract/``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from last9_markers.core.limits import cut
from last9_markers.messages import routing as routing_messages
from last9_markers.request.contract import SHELL_COMMANDS, Choice, Request
from last9_markers.request.destination import DEFAULT_CREDENTIAL_ID, ConnectionField, host_of
from last9_markers.request.starters import Starter
from last9_markers.request.values import as_text, misfit, names
from last9_markers.request.variables import Variables

PROFILES = "LAST9_ROUTING_PROFILES"
#: Where the library keeps what ``last9Config`` said: a build parameter of that name would be taken for it.
CONFIG = "LAST9_CONFIG"

#: Field → the administrator's variable. The profile comes first, since it is a level of the others.
VARIABLES = {
    "routingProfile": "LAST9_ROUTING_PROFILE",
    "orgSlug": "LAST9_ORG_SLUG",
    "credentialId": "LAST9_CREDENTIAL_ID",
    "apiBaseUrl": "LAST9_API_BASE_URL",
    "dataSourceName": "LAST9_DATA_SOURCE_NAME",
}
PROFILE_FIELDS = tuple(name for name in VARIABLES if name != "routingProfile")


class Routing(NamedTuple):
    """The resolved fields, and the ``problems`` because of which nothing may be sent: reasons without a label."""

    fields: Mapping[str, ConnectionField]
    problems: tuple[str, ...] = ()

    @property
    def data_source_name(self) -> str | None:
        """The metrics cluster, if one is named."""
        field = self.fields.get("dataSourceName")
        return field.value if field else None


def resolve(request: Request, environ: Mapping[str, str]) -> Routing:
    """Resolve the connection fields of a request in that environment. Never fails: what is wrong is among the problems."""
    resolver = _Resolver(request, Variables(environ))
    return resolver.run()


def used_with(credential: str, request: Request, environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """The base URLs to which this build's settings and routing profiles send with that credential; ``None`` if none of them names it.

    Neither a credential nor a base URL counts that a person who only starts builds may have chosen.
    """
    resolver = _Resolver(request, Variables(environ))
    if resolver.is_a_starters(credential):
        return None
    # What the step itself names is bound already. No profile is in use but the one that is looked at.
    variables = {name: value for name, value in environ.items() if name.upper() != VARIABLES["routingProfile"]}
    config = {name: value for name, value in request.config.items() if name == "routingProfiles" or not name.startswith("routingProfile")}
    plain = request._replace(options={}, config=config, profile=None, credential=None)
    ways = [plain, plain._replace(config={})]
    ways += [plain._replace(profile=Choice(name, "option")) for name in resolver.profiles()]
    urls: list[str] | None = None
    for way in ways:
        fields, problems = resolve(way, variables)
        found, url = fields["credentialId"], fields.get("apiBaseUrl")
        if found.value != credential or found.source == "default" or found.from_starter or problems:
            continue
        urls = [*(urls or []), *([url.value] if url is not None and not url.from_starter else [])]
    return None if urls is None else tuple(urls)


class _Level(NamedTuple):
    """A value as one level gives it. ``named`` is how the level is called in a problem."""

    value: Any
    source: str
    named: str
    from_starter: bool = False
    rivals: tuple[str, ...] = ()


class _Resolver:
    def __init__(self, request: Request, environ: Variables) -> None:
        self._request = request
        self._environ = environ
        self._starter = Starter(request, environ)
        self._config_is_a_starters = self._starter.may_have_set(CONFIG)
        self._profile: Mapping[str, Any] = {}
        self._profile_name = ""
        self._profile_is_a_starters = False
        self.problems: list[str] = []

    def run(self) -> Routing:
        fields: dict[str, ConnectionField] = {}
        for name in VARIABLES:
            field = self._field(name)
            if field is not None:
                fields[name] = field
            if name == "routingProfile":
                self._choose_profile(field, fields)
        self._settle_credential(fields)
        return Routing(fields, tuple(dict.fromkeys(self.problems)))

    def is_a_starters(self, name: str) -> bool:
        """Whether a person who only starts builds may have chosen that name."""
        return self._starter.may_have_chosen(name)

    def profiles(self) -> set[str]:
        """The names of all profiles."""
        return {name for name, _, _ in self._definitions()}

    # -- a field ---------------------------------------------------------------------------------------------------------------

    def _field(self, name: str) -> ConnectionField | None:
        levels = [level for level in self._levels(name) if level.value is not None]
        if not levels:
            return None
        first = levels[0]
        wrong = misfit(first.value) or _too_long(first.value)
        if wrong is not None:
            self.problems.append(routing_messages.no_text(first.named, wrong))
            return None
        if first.rivals and name == "apiBaseUrl":
            self.problems.append(routing_messages.ambiguous(first.rivals))
            return None
        trusted: tuple[str, ...] = ()
        chosen = first.from_starter
        if name == "apiBaseUrl":
            chosen = chosen or self._is_a_starters_host(first.value)
            trusted = tuple(str(as_text(level.value)) for level in levels if self._is_trusted(level))
        return ConnectionField(str(as_text(first.value)), first.source, chosen, trusted)

    def _is_trusted(self, level: _Level) -> bool:
        named_by_one = not level.from_starter and not level.rivals and misfit(level.value) is None
        return named_by_one and not self._is_a_starters_host(level.value)

    def _is_a_starters_host(self, value: Any) -> bool:
        host = host_of(as_text(value) or "")
        return host is not None and self._starter.may_have_chosen(host)

    def _levels(self, name: str) -> Iterator[_Level]:
        """Every level that could have a value for the field, best first; blank is none."""
        request = self._request
        yield from self._given(request.options, name, "option", "", shared=False)
        if name in self._profile:
            value = _unless_blank(self._profile[name])
            yield _Level(value, "profile", f"{name} of the routing profile '{self._profile_name}'", self._profile_is_a_starters)
        yield from self._given(request.config, name, "config", " in last9Config", shared=self._config_is_a_starters)
        yield self._variable(VARIABLES[name], "global", shared=False)

    def _given(self, given: Mapping[str, Any], name: str, source: str, place: str, *, shared: bool) -> Iterator[_Level]:
        """A field as literal, as a build parameter's name, as a variable's name; ``shared``: the person who starts the build may set it."""
        yield _Level(_unless_blank(given.get(name)), source, name + place, shared)
        parameter = self._name(given, name + "Param", place)
        if parameter:
            value = names(self._request.parameters, parameter)
            yield _Level(_unless_blank(value), "parameter", f"{name} (from the build parameter {parameter})", True)
        variable = self._name(given, name + "EnvVar", place)
        if variable:
            yield self._variable(variable, "environment", shared=shared)

    def _name(self, given: Mapping[str, Any], option: str, place: str) -> str | None:
        """The name of a parameter or variable that an option gives, unless nothing may be read under it."""
        value = _unless_blank(given.get(option))
        if value is None:
            return None
        wrong = misfit(value)
        if wrong is not None:
            self.problems.append(routing_messages.no_text(option + place, wrong))
            return None
        name = str(as_text(value))
        if names(dict.fromkeys(self._request.secret_parameters, ""), name) is not None:
            self.problems.append(routing_messages.password_parameter(option + place, name))
            return None
        return name

    def _variable(self, name: str, source: str, *, shared: bool) -> _Level:
        value = self._environ.get(name)
        if value is None:
            value = names(self._request.environment, name)
        chosen = shared or self._starter.may_have_set(name)
        return _Level(_unless_blank(value), source, f"the variable {name}", chosen, tuple(self._environ.rivals(name)))

    # -- the profile -----------------------------------------------------------------------------------------------------------

    def _choose_profile(self, field: ConnectionField | None, fields: dict[str, ConnectionField]) -> None:
        asked = self._request.profile
        if asked is not None:  # by this one the library has bound the credential
            fields["routingProfile"] = ConnectionField(asked.value, asked.source)
        chosen = fields.get("routingProfile")
        if chosen is None:
            return
        self._profile_name = chosen.value
        found = self._definitions()
        mine = [definition for definition in found if definition[0] == chosen.value]
        if not mine:
            known = sorted({name for name, _, _ in found})
            self.problems.append(routing_messages.unknown_profile(chosen.value, known, self._from_shell))
        elif len(mine) > 1:
            self.problems.append(routing_messages.profile_defined_twice(chosen.value, [place for _, _, place in mine]))
        else:
            self._read_profile(*mine[0])

    def _read_profile(self, name: str, profile: Any, place: str) -> None:
        """A profile with a mistake in it is none: what it means to say would be taken from another team's settings."""
        if not isinstance(profile, dict):
            self.problems.append(routing_messages.profile_no_map(name, place, self._from_shell))
            return
        for field in profile:
            if field not in PROFILE_FIELDS:
                self.problems.append(routing_messages.profile_field(name, field, PROFILE_FIELDS))
        self._profile = profile
        self._profile_is_a_starters = (
            self._config_is_a_starters if place == routing_messages.CONFIG else self._starter.may_have_set(PROFILES)
        )

    def _definitions(self) -> list[tuple[str, Any, str]]:
        """Every definition of a profile: its trimmed name, what it says, and where."""
        found: list[tuple[str, Any, str]] = []
        configured = self._request.config.get("routingProfiles")
        if isinstance(configured, dict):
            found += [(name.strip(), profile, routing_messages.CONFIG) for name, profile in configured.items()]
        elif configured is not None:
            self.problems.append(routing_messages.configured_profiles_no_map())
        text = self._environ.get(PROFILES, "").strip()
        if self._environ.rivals(PROFILES):
            self.problems.append(routing_messages.ambiguous(self._environ.rivals(PROFILES)))
        elif text:
            try:
                pairs = json.loads(text, object_pairs_hook=_Pairs)
                if not isinstance(pairs, _Pairs):
                    raise ValueError
                found += [(name.strip(), _as_map(profile), PROFILES) for name, profile in pairs]
            except (ValueError, RecursionError):  # newer versions of Python read what is nested deeper than they can walk
                self.problems.append(routing_messages.profiles_unreadable(self._from_shell))
        return found

    # -- the credential --------------------------------------------------------------------------------------------------------

    def _settle_credential(self, fields: dict[str, ConnectionField]) -> None:
        """The bound credential is the one whose token there is; a profile that means another one must not be served with it."""
        bound = self._request.credential
        read = fields.get("credentialId")
        if bound is not None:
            if read is not None and read.source == "profile" and read.value != bound.value:
                self.problems.append(routing_messages.another_credential(self._profile_name, read.value, bound.value))
            fields["credentialId"] = ConnectionField(bound.value, bound.source)
        elif read is None:
            fields["credentialId"] = ConnectionField(DEFAULT_CREDENTIAL_ID, "default")

    @property
    def _from_shell(self) -> bool:
        return self._request.step in SHELL_COMMANDS


class _Pairs(list[tuple[str, Any]]):
    """A JSON object whose names may come twice."""


def _as_map(value: Any) -> Any:
    return {name: _as_map(inner) for name, inner in value} if isinstance(value, _Pairs) else value


def _too_long(value: Any) -> str | None:
    text = as_text(value) or ""
    return "long" if text != cut(text) else None


def _unless_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value
