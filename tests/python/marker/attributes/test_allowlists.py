"""``env_*`` and ``build_param_*``: what was allowed is sent, what is secret never."""

from __future__ import annotations

import pytest
from last9_markers.fake_server import FakeLast9
from support import attributes_of, make_request, run_marker


def test_allowlisted_names_become_labels(last9: FakeLast9) -> None:
    """Allowed variables and parameters arrive under lower-cased names in ``[a-z0-9_]``; nothing else of the environment does."""
    request = make_request(
        parameters={"VERSION": "1.2.3", "Größe": "xl", "OTHER": "x"},
        options={"envAllowlist": ["DEPLOY_REGION", "my-Var.x"], "paramAllowlist": "VERSION, Größe"},
    )
    environ = {"DEPLOY_REGION": "eu-1", "my-Var.x": "v", "OTHER": "not allowed"}
    labels = attributes_of(last9, request, environ=environ)
    assert {name: value for name, value in labels.items() if name.startswith(("env_", "build_param_"))} == {
        "env_deploy_region": "eu-1",
        "env_my_var_x": "v",
        "build_param_version": "1.2.3",
        "build_param_gr__e": "xl",
    }
    assert "not allowed" not in labels.values()


def test_what_is_not_set_is_left_out(last9: FakeLast9) -> None:
    """An allowed variable that is not there, or blank, makes no label."""
    labels = attributes_of(last9, make_request(options={"envAllowlist": "NOT_SET,EMPTY"}), environ={"EMPTY": ""})
    assert not [name for name in labels if name.startswith("env_")]


@pytest.mark.parametrize("spelling", ["DB_PASSWORD", "db_password", "Db_Password"])
def test_a_password_parameter_is_never_sent(last9: FakeLast9, spelling: str) -> None:
    """Neither as parameter nor as the variable that Jenkins makes of it, even if an allowlist names it."""
    request = make_request(
        secretParameters=["DB_PASSWORD"],
        options={"envAllowlist": spelling, "paramAllowlist": [spelling]},
        parameters={spelling: "never-to-be-seen"},
    )
    environ = {"DB_PASSWORD": "never-to-be-seen", spelling: "never-to-be-seen"}
    labels = attributes_of(last9, request, environ=environ)
    assert "never-to-be-seen" not in str(labels)
    assert not [name for name in labels if "password" in name]


def test_a_password_in_another_value_is_hidden(last9: FakeLast9) -> None:
    """A secret parameter that someone put into an attribute arrives as ``****``, and is nowhere in the log either."""
    options = {"customAttributes": {"note": "with never-to-be-seen inside"}, "never-to-be-seen": "x"}
    request = make_request("start", secretParameters=["DB_PASSWORD"], options=options)
    ran = run_marker(request, last9.refresh_token, environ={"DB_PASSWORD": "never-to-be-seen"})
    assert last9.received()[0]["attributes"]["note"] == "with **** inside"
    assert "never-to-be-seen" not in ran.log + ran.answer.line()


@pytest.mark.parametrize("name", ["LAST9_REFRESH_TOKEN", "last9_refresh_token"])
def test_the_refresh_token_is_never_an_attribute(last9: FakeLast9, name: str) -> None:
    """Not by its own variable, and not by another one that holds the same text."""
    request = make_request(options={"envAllowlist": [name, "COPY"], "paramAllowlist": [name]}, parameters={name: last9.refresh_token})
    environ = {name: last9.refresh_token, "COPY": f"x{last9.refresh_token}y"}
    labels = attributes_of(last9, request, environ=environ)
    assert last9.refresh_token not in str(labels)
    assert labels["env_copy"] == "x****y"
    assert "env_last9_refresh_token" not in labels
    assert "build_param_last9_refresh_token" not in labels


def test_custom_attribute_wins_over_an_allowlisted_one(last9: FakeLast9) -> None:
    """What the step says counts before what the environment happens to hold."""
    request = make_request("start", options={"envAllowlist": "REGION", "customAttributes": {"env_region": "mine"}})
    assert attributes_of(last9, request, environ={"REGION": "theirs"})["env_region"] == "mine"
