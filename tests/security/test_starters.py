"""A person who only starts builds sets parameters, and nothing else: these cannot redirect the token, or make another server trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from last9_markers.core.errors import ConfigurationError
from last9_markers.fake_server import FakeLast9
from last9_markers.request import routing
from last9_markers.request.contract import parse
from last9_markers.request.destination import resolve_base_url
from last9_markers.request.starters import PROXIES, TRUST
from last9_markers.request.token import Claims
from support import SEND, engine, make_request, run_marker

REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))

EVIL = "https://evil.example.com"
ADMIN = "https://gateway.example.net"
OWN = "https://own.example.org"


def destination(options: Mapping[str, Any], parameters: Mapping[str, str], environ: Mapping[str, str], **changes: Any) -> str | None:
    """The host that the token would be sent to, ``None`` if to none. Jenkins makes a variable of each parameter."""
    request = parse(json.dumps(make_request(options=dict(options), parameters=dict(parameters), **changes)))
    route = routing.resolve(request, {**parameters, **environ})
    if route.problems:
        return None
    try:
        return resolve_base_url(route.fields.get("apiBaseUrl"), Claims(api_urls=(OWN,))).host
    except ConfigurationError:
        return None


PROFILE = {"mine": {"apiBaseUrl": EVIL}}
#: Seen on a real Jenkins, or one step further: options, parameters, what the agent's environment holds besides, further keys.
ATTACKS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, str], dict[str, Any]]] = {
    "parameter": ({"apiBaseUrlParam": "TARGET"}, {"TARGET": EVIL}, {}, {}),
    "variable of a parameter": ({"apiBaseUrlEnvVar": "TARGET"}, {"TARGET": EVIL}, {}, {}),
    "variable of another case": ({"apiBaseUrlEnvVar": "TARGET"}, {"target": EVIL}, {}, {}),
    "parameter and variable of another case": (
        {"apiBaseUrlParam": "target", "apiBaseUrlEnvVar": "TARGET"},
        {"target": EVIL},
        {"TARGET": EVIL},
        {},
    ),
    "global of another case": ({}, {"last9_api_base_url": EVIL}, {}, {}),
    "global": ({}, {"LAST9_API_BASE_URL": EVIL}, {}, {}),
    "global whose name Java takes for the same": ({}, {"LAST9_AP\u0131_BASE_URL": EVIL}, {"LAST9_API_BASE_URL": EVIL}, {}),
    "profiles": ({"routingProfile": "mine"}, {"LAST9_ROUTING_PROFILES": json.dumps(PROFILE)}, {}, {}),
    "profiles of another case": ({"routingProfile": "mine"}, {"Last9_Routing_Profiles": json.dumps(PROFILE)}, {}, {}),
    "config": ({}, {"last9_config": "{}"}, {}, {"config": {"apiBaseUrl": EVIL}}),
    "profiles of a config": ({"routingProfile": "mine"}, {"LAST9_CONFIG": "{}"}, {}, {"config": {"routingProfiles": PROFILE}}),
    "variable of a config": ({}, {"target": EVIL}, {}, {"config": {"apiBaseUrlEnvVar": "TARGET"}}),
    "params in a literal": ({"apiBaseUrl": EVIL}, {"API": EVIL}, {}, {}),
    "params with a path in a literal": ({"apiBaseUrl": "https://evil.example.com/x"}, {"API": "https://EVIL.example.com/x?"}, {}, {}),
    "params in the middle of a literal": ({"apiBaseUrl": "https://evil.example.com/api"}, {"HOST": "evil.example.com"}, {}, {}),
    "the end of a host": ({"apiBaseUrl": "https://app.last9.io.evil.example.com"}, {"SUFFIX": ".evil.example.com/x"}, {}, {}),
    "a domain": ({"apiBaseUrl": "https://last9.evil.example.com"}, {"DOMAIN": "evil.example.com"}, {}, {}),
    "withEnv": ({}, {"API": EVIL}, {"LAST9_API_BASE_URL": EVIL}, {}),
    "params in a profile": ({"routingProfile": "mine"}, {"API": EVIL}, {}, {"config": {"routingProfiles": PROFILE}}),
    "an IPv6 address": ({"apiBaseUrl": "https://[2001:db8::1]"}, {"API": "2001:db8::1"}, {}, {}),
    "a password parameter": ({"apiBaseUrl": EVIL}, {}, {"SECRET": EVIL}, {"secretParameters": ["SECRET"]}),
    "a password parameter's variable": ({}, {}, {"LAST9_API_BASE_URL": EVIL}, {"secretParameters": ["last9_api_base_url"]}),
    "behind the cut of a long value": ({"apiBaseUrl": EVIL}, {"API": " " * 2000}, {"API": " " * 3000 + EVIL}, {}),
    "behind the cut, and out of sight": ({"apiBaseUrl": EVIL}, {"API": "x" * 2000}, {"API": "another value by withEnv"}, {}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_token_to_a_host_of_a_starters_choice(name: str) -> None:
    """If a parameter's value becomes the base URL in any way, the token does not go there."""
    options, parameters, environ, changes = ATTACKS[name]
    assert destination(options, parameters, environ, **changes) is None


@pytest.mark.parametrize("name", ATTACKS)
def test_the_tokens_own_host_is_free(name: str) -> None:
    """A starter may choose a host that the token itself names: a choice is what parameters are for."""
    options, parameters, environ, changes = ATTACKS[name]
    text = (
        json.dumps([options, parameters, environ, changes])
        .replace("evil.example.com", "own.example.org")
        .replace("EVIL.example.com", "own.example.org")
    )
    options, parameters, environ, changes = json.loads(text)
    assert destination(options, parameters, environ, **changes) == "own.example.org" or name in (
        "an IPv6 address",
        "the end of a host",
        "a domain",
    )


@pytest.mark.parametrize(
    ("options", "parameters", "environ"),
    [
        ({"apiBaseUrl": ADMIN}, {"VERSION": "1.2.3", "REGION": "eu", "EMPTY": " "}, {}),
        ({"apiBaseUrlEnvVar": "GATEWAY"}, {"GATE": "x"}, {"GATEWAY": ADMIN}),
        ({}, {"TARGET": "production"}, {"LAST9_API_BASE_URL": ADMIN}),
        ({}, {"NOTES": "y" * 2000}, {"NOTES": "y" * 3000, "LAST9_API_BASE_URL": ADMIN}),
    ],
)
def test_whoever_may_name_a_host_still_does(options: dict[str, Any], parameters: dict[str, str], environ: dict[str, str]) -> None:
    """A gateway that a Jenkinsfile or an administrator names gets the token, with any harmless parameters."""
    assert destination(options, parameters, {**environ}) == "gateway.example.net"


def test_a_variable_does_not_vouch_for_a_parameters_value() -> None:
    """`withEnv(["LAST9_API_BASE_URL=${params.API}"])` looks like an administrator's variable: the same host there proves nothing."""
    assert destination({"apiBaseUrlParam": "API"}, {"API": ADMIN}, {"LAST9_API_BASE_URL": ADMIN}) is None


# -- every place, every case ---------------------------------------------------------------------------------------------------


def _cased(name: str) -> st.SearchStrategy[str]:
    """A name with each letter in either case, or as one that Java takes for it."""
    letters = [
        st.sampled_from(
            sorted({letter.upper(), letter.lower(), *({"I": "\u0131", "S": "\u017f", "K": "\u212a"}.get(letter.upper(), letter))})
        )
        for letter in name
    ]
    return st.tuples(*letters).map("".join)


NAMES = ("TARGET", "LAST9_API_BASE_URL", "LAST9_ROUTING_PROFILES", "LAST9_ROUTING_PROFILE", "LAST9_CONFIG", "LAST9_ORG_SLUG")
NAME = st.sampled_from(NAMES).flatmap(_cased)
HOST = st.sampled_from([EVIL, "evil.example.com", "https://evil.example.com:8443/api", "https://a.evil.example.com", "http://127.0.0.1:9"])
DOCUMENT = HOST.map(lambda host: json.dumps({"mine": {"apiBaseUrl": host}}))
VALUE = HOST | DOCUMENT | st.sampled_from(["mine", "", " ", "TARGET", "x"])


def _like_jenkins(parameters: Mapping[str, str]) -> dict[str, str]:
    """Jenkins' environment: of names that differ in case there is one, spelt as the first, with the value of the last."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in parameters.items():
        key = name.upper().lower()
        found[key] = (found.get(key, (name, ""))[0], value)
    return dict(found.values())


@REPEATABLE
@given(
    parameters=st.dictionaries(NAME, VALUE, max_size=4),
    names=st.dictionaries(
        st.sampled_from(["apiBaseUrlParam", "apiBaseUrlEnvVar", "routingProfileParam", "routingProfileEnvVar"]), NAME, max_size=3
    ),
    in_config=st.dictionaries(st.sampled_from(["apiBaseUrlParam", "apiBaseUrlEnvVar", "routingProfileParam"]), NAME, max_size=2),
    profile=st.none() | st.just("mine"),
    spelling=st.none() | st.sampled_from(NAMES),
    as_literal=st.booleans(),
)
def test_no_combination_leads_the_token_away(
    parameters: dict[str, str],
    names: dict[str, str],
    in_config: dict[str, str],
    profile: str | None,
    spelling: str | None,
    as_literal: bool,
) -> None:
    """A starter controls only values of names: in every place where they are read, the host is Last9's, the token's own, or none."""
    environ = _like_jenkins(parameters)
    if spelling is not None:
        # A global property of that name was there first: the name stays as it was, and the parameter's value takes its place.
        environ = {(spelling if name.upper() == spelling else name): value for name, value in environ.items()}
    options: dict[str, Any] = {**names, **({"routingProfile": profile} if profile else {})}
    if as_literal and parameters:
        options["apiBaseUrl"] = next(iter(parameters.values()))
    request = parse(json.dumps(make_request(options=options, parameters=parameters, config=in_config or None)))
    route = routing.resolve(request, environ)
    if route.problems:
        return
    try:
        host = resolve_base_url(route.fields.get("apiBaseUrl"), Claims(api_urls=(OWN,))).host
    except ConfigurationError:
        return
    assert host == "own.example.org" or host.endswith(".last9.io")


# -- who is believed to be Last9 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*TRUST, *PROXIES])
@pytest.mark.parametrize("case", [str.upper, str.lower, str.title])
def test_no_certificate_and_no_proxy_of_a_starters_choice(last9: FakeLast9, name: str, case: Any) -> None:
    """A parameter called like a proxy's or a CA's variable is ignored, in any case, and the line names it."""
    set_by_starter = case(name)
    ran = run_marker(
        make_request(parameters={set_by_starter: "http://evil.example.com:1"}),
        last9.refresh_token,
        environ={set_by_starter: "http://evil.example.com:1"},
    )
    assert ran.answer.delivered
    (warning,) = ran.answer.warnings
    assert warning.startswith(f"{set_by_starter} is ignored: a build parameter has that name")


def test_an_administrators_proxy_stays(last9: FakeLast9) -> None:
    """What no parameter is called stays as it is: nothing is said, and nothing is taken out."""
    ran = run_marker(make_request(parameters={"PROXY": "x"}), last9.refresh_token, environ={"HTTPS_PROXY": "http://proxy.example.com:1"})
    assert ran.answer.warnings == []


# -- the command line ----------------------------------------------------------------------------------------------------------


def test_variables_that_differ_in_case_alone_name_no_host(last9: FakeLast9, tmp_path: Any) -> None:
    """A Freestyle job's parameters look like any other variable: of two that Jenkins does not tell apart, neither is believed."""
    environ = {
        "LAST9_REFRESH_TOKEN": last9.refresh_token,
        "LAST9_API_BASE_URL": last9.url,
        "last9_api_base_url": "https://evil.example.com",
    }
    done = engine([*SEND, "--fail-on-error"], environ=environ, cwd=tmp_path)
    assert done.code == 1
    assert (
        "no marker was sent for payments-api (stop): the variables LAST9_API_BASE_URL and last9_api_base_url have different values"
        in done.stderr
    )
    assert last9.requests() == []


def test_a_parameter_of_another_case_on_the_command_line(last9: FakeLast9, tmp_path: Any) -> None:
    """An option that calls a variable a build parameter says so of that variable in every case."""
    thief = last9.url.replace("127.0.0.1", "localhost")
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "TARGET": thief}
    done = engine([*SEND, "--api-base-url-env-var", "TARGET", "--data-source-name-param", "target"], environ=environ, cwd=tmp_path)
    assert "a build parameter may have set --api-base-url, so the token is not sent to localhost" in done.stderr
    assert last9.requests() == []
