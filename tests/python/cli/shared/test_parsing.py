"""Arguments: what is read, what is refused, and what is said about a mistake."""

from __future__ import annotations

import pytest
from last9_markers.cli.shared import exit_codes
from last9_markers.cli.shared.options import CONNECTION, INDIRECT, OF_COMMAND, in_shell_terms
from last9_markers.cli.shared.parsing import Parser
from last9_markers.request import options as engine_options

#: Options of the Pipeline steps that a shell has no use for: which node to send from, a map that LAST9_ROUTING_PROFILES holds here,
#: and what to do with the windows of earlier builds, of which a shell knows none.
NOT_IN_A_SHELL = {"agentLabel", "routingProfiles", "closeOpenWindows"}


@pytest.fixture
def parser() -> Parser:
    """The parser of ``send``."""
    return Parser("send", "Send one deployment marker.", OF_COMMAND["send"], examples="last9-markers send")


def test_every_option_of_the_steps_has_its_flag(parser: Parser) -> None:
    """What a Pipeline step understands a shell can say as well."""
    assert {option.name for option in parser.options} >= set(engine_options.KNOWN) - NOT_IN_A_SHELL


def test_flags_are_unlike(parser: Parser) -> None:
    """No two options share a flag, the ``--no-`` twins of the switches included."""
    flags = [option.long for option in parser.options]
    flags += [f"--no-{option.long[2:]}" for option in parser.options if not option.value]
    assert len(set(flags)) == len(flags)


def test_given_and_not_given(parser: Parser) -> None:
    """Only what was given is there: so that a variable can count for the rest."""
    assert parser.parse([]) == {}
    words = ["--service-name", "a b", "--environment=production", "--no-on-success", "--on-failure", "--credential-id=-x"]
    assert parser.parse(words) == {
        "serviceName": "a b",
        "environment": "production",
        "onSuccess": False,
        "onFailure": True,
        "credentialId": "-x",
    }


def test_attributes(parser: Parser) -> None:
    """Keys and values are split at the first equals sign; of two with one key the last is used."""
    words = ["--attribute", "team=a", "--attribute", "query=a=b", "--attribute", "team=b", "--attribute=empty="]
    assert parser.parse(words) == {"customAttributes": {"team": "b", "query": "a=b", "empty": ""}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--servce-name", "x"], "no option '--servce-name': did you mean '--service-name'?"),
        (["--serviceName=x"], "did you mean '--service-name'?"),
        (["--no-onsuccess"], "did you mean '--no-on-success'?"),
        (["--token", "x"], "did you mean '--token-file'?"),
        (["--service_name", "x"], "did you mean '--service-name'?"),
        (["--zzzzzzzz"], "--help lists the options"),
        (["-z"], "no option '-z'"),
        (["--service-name"], "--service-name needs a value"),
        (["--service-name", "--environment", "x"], "--service-name needs a value"),
        (["--service-name", "payments", "api"], "an argument of 3 characters does not belong to an option"),
        (["--attribute", "team"], "--attribute 'team' is not KEY=VALUE"),
        (["--attribute", "=x"], "not KEY=VALUE"),
        (["--dry-run=yes"], "--dry-run: "),
        (["--service", "x"], "did you mean '--service-name'?"),
    ],
)
def test_what_cannot_be_read_is_refused(parser: Parser, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """A mistake ends with code 2 before anything is sent, and the answer names the option that was meant."""
    with pytest.raises(SystemExit) as ended:
        parser.parse(words)
    assert ended.value.code == exit_codes.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err.splitlines()[0]
    assert "usage: last9-markers send [options]" in err


def test_a_token_among_the_arguments_is_not_repeated(
    parser: Parser, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone who puts the secret into an argument by mistake does not find it in the build log as well."""
    monkeypatch.setenv("LAST9_REFRESH_TOKEN", "never-to-be-seen")
    for words in (["never-to-be-seen"], ["eyJhbGciOiJIUzI1NiJ9.eyJvcmciOiJhIn0.c2ln"], ["--attribute", "never-to-be-seen"]):
        with pytest.raises(SystemExit):
            parser.parse(words)
    err = capsys.readouterr().err
    assert "never-to-be-seen" not in err
    assert "eyJ" not in err
    assert err.count("****") == 1


def test_reading_on_past_mistakes(parser: Parser) -> None:
    """If a command must run in any case, the readable options are used and each mistake is reported."""
    words = ["--servce-name", "a", "--environment", "production", "--attribute", "x", "--timeout-seconds"]
    parsed = parser.read(words)
    assert parsed.given == {"environment": "production", "customAttributes": {}}
    assert parsed.rest == ["a"]
    assert len(parsed.problems) == 3


def test_help_teaches(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    """The help goes to stdout and shows every option with its default and its variable, examples, and every exit code."""
    with pytest.raises(SystemExit) as ended:
        parser.parse(["--service-name", "x", "--help"])
    assert ended.value.code == exit_codes.DONE
    out, err = capsys.readouterr()
    assert err == ""
    for group in OF_COMMAND["send"]:
        for option in group.options:
            assert option.long in out
            assert not option.variable or f"${option.variable}" in " ".join(out.split())
    assert "examples:\n  last9-markers send" in out
    for code, _, _ in exit_codes.TABLE:
        assert (f"\n  {code} " in out) == any(c == code and of in ("all", "send") for c, of, _ in exit_codes.TABLE)
    assert max(map(len, out.splitlines())) <= 120


def test_options_of_the_engine_in_shell_terms() -> None:
    """The engine's warnings speak of options as a Pipeline has them; in a shell they must name what can be typed there."""
    said = in_shell_terms("customAttributes: set orgSlug or apiBaseUrlEnvVar for the environment; timeoutSeconds (15 s) and myorgSlug")
    assert said == "--attribute: set --org-slug or --api-base-url-env-var for the environment; --timeout-seconds (15 s) and myorgSlug"


def test_indirect_connection_options(parser: Parser) -> None:
    """Each connection field can also be given by a variable's name, as in the steps; only commands that connect have them."""
    words = [word for option in INDIRECT for word in (option.long, "V")]
    assert parser.parse(words) == {option.name: "V" for option in INDIRECT}
    other = Parser("other", "Something else.", [group for group in OF_COMMAND["send"] if group is not CONNECTION])
    with pytest.raises(SystemExit):
        other.parse(["--org-slug-param", "V"])
