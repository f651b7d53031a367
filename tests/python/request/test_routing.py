"""Where a marker goes, level by level, and what makes it go nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.request import routing
from last9_markers.request.contract import parse
from support import make_request, run_marker

#: Nested as deep as `json` reads it, deeper than a recursion in Python gets.
DEEP = '{"a":' * 900 + "1" + "}" * 900
PROFILES = json.dumps(
    {" acme ": {"orgSlug": " profile-org ", "credentialId": " "}, "globex": {"orgSlug": "globex", "credentialId": "globex-token"}}
)

ALL: dict[str, Any] = {
    "options": {"orgSlug": "literal", "orgSlugParam": "P", "orgSlugEnvVar": "V", "routingProfile": "acme"},
    "config": {"orgSlug": "configured", "orgSlugParam": "CP", "orgSlugEnvVar": "CV"},
    "parameters": {"P": "p", "CP": "cp"},
    "environ": {"V": "v", "CV": "cv", "LAST9_ORG_SLUG": "g", "LAST9_ROUTING_PROFILES": PROFILES},
}
#: From the best level to the last: what is taken away to come there, the value then, and who gave it.
LEVELS: list[tuple[str, str, str]] = [
    ("", "literal", "option"),
    ("options.orgSlug", "p", "parameter"),
    ("options.orgSlugParam", "v", "environment"),
    ("options.orgSlugEnvVar", "profile-org", "profile"),
    ("options.routingProfile", "configured", "config"),
    ("config.orgSlug", "cp", "parameter"),
    ("config.orgSlugParam", "cv", "environment"),
    ("config.orgSlugEnvVar", "g", "global"),
]


def resolve(environ: dict[str, str] | None = None, **changes: Any) -> routing.Routing:
    """The routing of a request that says no more than this."""
    request = {**make_request(credential=None), "options": {}, **changes}
    return routing.resolve(parse(json.dumps(request)), environ or {})


@pytest.mark.parametrize("number", range(len(LEVELS)), ids=[level[1] for level in LEVELS])
@pytest.mark.parametrize("instead", [None, " \t"])
def test_levels(number: int, instead: str | None) -> None:
    """Each field comes from the first level that has it, trimmed; blank and null count as not given."""
    given = json.loads(json.dumps(ALL))
    for taken, _, _ in LEVELS[1 : number + 1]:
        part, name = taken.split(".")
        given[part][name] = instead
    environ = given.pop("environ")
    found = resolve({name: value for name, value in environ.items() if value is not None}, **given)
    _, value, source = LEVELS[number]
    assert found.problems == ()
    assert (found.fields["orgSlug"].value, found.fields["orgSlug"].source) == (value, source)


def test_nothing_given() -> None:
    """Without a word the default credential is all there is: the token says the rest."""
    found = resolve()
    assert {name: field.value for name, field in found.fields.items()} == {"credentialId": "last9-refresh-token"}


@pytest.mark.parametrize("spelling", ["LAST9_ORG_SLUG", "last9_org_slug", "Last9_Org_Slug"])
def test_variables_in_any_case(spelling: str) -> None:
    """Jenkins' environment ignores case, so we do."""
    assert resolve({spelling: "acme"}).fields["orgSlug"].value == "acme"


def test_a_number_is_a_name() -> None:
    """A slug of digits alone comes as a number from a Jenkinsfile, and a boolean as its text."""
    assert resolve(options={"orgSlug": 42, "dataSourceName": True}).fields["orgSlug"].value == "42"


@pytest.mark.parametrize(
    ("changes", "environ", "said"),
    [
        ({"options": {"orgSlug": "null"}}, {}, "orgSlug is null: the variable or parameter that it is taken from is not set. Set it"),
        ({"options": {"orgSlug": ["a", "b"]}}, {}, "orgSlug is a list, but must be one name"),
        ({"options": {"apiBaseUrl": {}}}, {}, "apiBaseUrl is a map"),
        ({"options": {"orgSlugParam": ["A"]}}, {}, "orgSlugParam is a list"),
        ({"options": {"orgSlugParam": "P"}, "parameters": {"P": "null"}}, {}, "orgSlug (from the build parameter P) is null"),
        ({"config": {"credentialId": "null"}}, {}, "credentialId in last9Config is null"),
        ({}, {"LAST9_DATA_SOURCE_NAME": "null"}, "the variable LAST9_DATA_SOURCE_NAME is null"),
        ({"options": {"orgSlug": "x" * 1025}}, {}, "orgSlug is too long for a name"),
        ({"options": {"orgSlugParam": "SECRET"}, "secretParameters": ["SECRET"]}, {"SECRET": "s"}, "names the password parameter 'SECRET'"),
        (
            {"options": {"orgSlugEnvVar": "secret"}, "secretParameters": ["SECRET"]},
            {"secret": "s"},
            "names the password parameter 'secret'",
        ),
        ({"options": {"routingProfile": "acmee"}}, {"LAST9_ROUTING_PROFILES": PROFILES}, "'acmee' is not defined (known: acme, globex)"),
        ({"options": {"routingProfile": "acme"}}, {}, "'acme' is not defined (known: none)"),
        ({"options": {"routingProfile": "null"}}, {}, "routingProfile is null"),
        ({"options": {"routingProfile": "a"}}, {"LAST9_ROUTING_PROFILES": "{"}, "LAST9_ROUTING_PROFILES is not a JSON object"),
        ({"options": {"routingProfile": "a"}}, {"LAST9_ROUTING_PROFILES": "[" * 100_000}, "LAST9_ROUTING_PROFILES is not a JSON object"),
        ({"options": {"routingProfile": "a"}}, {"LAST9_ROUTING_PROFILES": DEEP}, "LAST9_ROUTING_PROFILES is not a JSON object"),
        ({"options": {"routingProfile": "a"}, "config": {"routingProfiles": "x"}}, {}, "routingProfiles in last9Config is not a map"),
        (
            {"options": {"routingProfile": "a"}, "config": {"routingProfiles": {"a": 1}}},
            {},
            "'a' in last9Config is not a map of connection",
        ),
        ({"options": {"routingProfile": "a"}}, {"LAST9_ROUTING_PROFILES": '{"a": null}'}, "'a' in LAST9_ROUTING_PROFILES is not a map"),
        ({"options": {"routingProfile": "a"}}, {"LAST9_ROUTING_PROFILES": '{"a": {"orgslug": "x"}}'}, "has an unknown field 'orgslug'"),
        (
            {"options": {"routingProfile": "a"}},
            {"LAST9_ROUTING_PROFILES": '{"a": {"routingProfile": "b"}}'},
            "unknown field 'routingProfile'",
        ),
        (
            {"options": {"routingProfile": "a"}},
            {"LAST9_ROUTING_PROFILES": '{"a": {"orgSlug": []}}'},
            "orgSlug of the routing profile 'a' is a list",
        ),
        (
            {"options": {"routingProfile": "a"}},
            {"LAST9_ROUTING_PROFILES": '{"a": {}, " a": {}}'},
            "is defined twice (LAST9_ROUTING_PROFILES)",
        ),
        ({"options": {"routingProfile": "a"}}, {"LAST9_ROUTING_PROFILES": '{"a": {}, "a": {}}'}, "is defined twice"),
        (
            {"options": {"routingProfile": "acme"}, "config": {"routingProfiles": {"acme": {}}}},
            {"LAST9_ROUTING_PROFILES": PROFILES},
            "is defined twice (last9Config and LAST9_ROUTING_PROFILES)",
        ),
    ],
)
@pytest.mark.parametrize("step", ["last9DeploymentMarker", "send"])
def test_what_makes_no_marker(last9: FakeLast9, step: str, changes: dict[str, Any], environ: dict[str, str], said: str) -> None:
    """What cannot be read is never guessed at, in a Pipeline as in a shell: nothing is sent, and the line says which marker, and why."""
    options = {"serviceName": "payments-api", "apiBaseUrl": last9.url, **changes.get("options", {})}
    ran = run_marker(make_request("stop", body=None, step=step, **{**changes, "options": options}), last9.refresh_token, environ=environ)
    assert not ran.answer.accepted
    assert last9.requests() == []
    assert ran.answer.warnings
    assert all(warning.startswith("no marker was sent for payments-api (stop): ") for warning in ran.answer.warnings)
    assert any(said in warning for warning in ran.answer.warnings)


def test_a_profile_that_is_not_selected_is_not_judged() -> None:
    """One team's mistake costs no other team its markers."""
    environ = {"LAST9_ROUTING_PROFILES": '{"a": 1, "b": {}, "b": {}, "c": {"orgSlug": "c"}}'}
    found = resolve(environ, options={"routingProfile": " c "})
    assert (found.problems, found.fields["orgSlug"].value) == ((), "c")
    assert resolve({"LAST9_ROUTING_PROFILES": "{"}).problems == ()


def test_another_credential_than_the_bound_one() -> None:
    """The token of one team must not carry another team's markers: a profile that names another credential is refused."""
    environ = {"LAST9_ROUTING_PROFILES": PROFILES, "LAST9_ROUTING_PROFILE": "globex"}
    bound = {"value": "last9-refresh-token", "source": "default"}
    (problem,) = resolve(environ, credential=bound).problems
    assert "'globex' names credential 'globex-token', but the credential that is bound is 'last9-refresh-token'" in problem
    found = resolve(environ, credential={"value": "globex-token", "source": "profile"})
    assert (found.problems, found.fields["credentialId"].value) == ((), "globex-token")
    # A literal stands above the profile, for both halves.
    assert resolve(environ, credential={"value": "mine", "source": "option"}, options={"credentialId": "mine"}).problems == ()


def test_the_profile_by_which_the_credential_was_bound() -> None:
    """The library has read the profile's name already: what this agent's environment says besides does not replace it."""
    environ = {"LAST9_ROUTING_PROFILES": PROFILES, "LAST9_ROUTING_PROFILE": "globex"}
    chosen = {"value": "acme", "source": "option"}
    found = resolve(environ, profile=chosen, credential={"value": "last9-refresh-token", "source": "default"})
    assert (found.problems, found.fields["orgSlug"].value) == ((), "profile-org")


def test_a_starter_may_select_a_profile(last9: FakeLast9) -> None:
    """A parameter that selects among an administrator's profiles lets the person who starts a build choose the host."""
    profiles = {"LAST9_ROUTING_PROFILES": json.dumps({"eu": {"apiBaseUrl": last9.url, "orgSlug": "acme"}})}
    token = last9.issue(aud="https://emea.last9.io")
    request = make_request(options={"routingProfileParam": "WHERE"}, parameters={"WHERE": "eu"})
    assert run_marker(request, token, environ=profiles).answer.delivered
