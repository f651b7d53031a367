"""The options of the command line in one table, the source of the parser, the help and docs/command-line.md.

An option that a Pipeline step has too has the step's name in kebab-case. A new option is one row here; its meaning for the engine is
in :mod:`last9_markers.request.options`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from last9_markers.request.options import KNOWN


class Option(NamedTuple):
    """One option.

    ``name`` is its name in the Pipeline steps, or in this program; ``value`` is the placeholder in the help, empty for a switch
    (which has a ``--no-`` twin). ``variable`` is used if the option is not given. ``flag`` is for the few whose name is not the step's.
    """

    name: str
    value: str
    help: str
    default: str = ""
    variable: str = ""
    flag: str = ""
    repeatable: bool = False

    @property
    def long(self) -> str:
        """How it is written: ``--service-name``."""
        return self.flag or "--" + kebab(self.name)


class Group(NamedTuple):
    """Options that belong together, under one heading."""

    title: str
    options: tuple[Option, ...]


def kebab(name: str) -> str:
    """``serviceName`` → ``service-name``."""
    return re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower()


MARKER = Group(
    "the marker",
    (
        Option("serviceName", "NAME", "the service's name in your metrics; required"),
        Option("environment", "NAME", "the environment's name in your metrics; recommended"),
        Option("eventName", "NAME", "decides the marker's colour in Last9", default="deployment"),
        Option("version", "TEXT", "the deployed version, as your users call it", flag="--deployment-version"),
        Option("message", "TEXT", "what people read in a list of events", "made from the others"),
        Option("scmDirectory", "FOLDER", "the checkout that is deployed, from this folder on", "this folder"),
        Option("previousCommit", "COMMIT", "the commit that was deployed before", "", "GIT_PREVIOUS_SUCCESSFUL_COMMIT"),
        Option("customAttributes", "KEY=VALUE", "another attribute; it replaces an automatic one", flag="--attribute", repeatable=True),
    ),
)
SEND = Group(
    "this marker",
    (
        Option("eventState", "STATE", "start or stop", default="stop"),
        Option("result", "RESULT", "the build's result: SUCCESS, UNSTABLE, FAILURE, NOT_BUILT or ABORTED", variable="BUILD_RESULT"),
        Option("outcome", "OUTCOME", "how it ended: success, failure, unstable, aborted or timeout", "the result's"),
        Option("onSuccess", "", "send if the result is SUCCESS", default="on"),
        Option("onFailure", "", "send if the result is FAILURE", default="off"),
        Option("onUnstable", "", "send if the result is UNSTABLE", default="off"),
        Option("onAborted", "", "send if the result is ABORTED or NOT_BUILT", default="off"),
    ),
)
CONNECTION = Group(
    "connection",
    (
        Option("orgSlug", "SLUG", "your organization in Last9's addresses", "the token's", "LAST9_ORG_SLUG"),
        Option("apiBaseUrl", "URL", "address of the API", "the token's, else https://app.last9.io", "LAST9_API_BASE_URL"),
        Option("dataSourceName", "NAME", "metrics cluster", "Last9's own", "LAST9_DATA_SOURCE_NAME"),
        Option("credentialId", "ID", "name of the token in messages and in the state file", "last9-refresh-token", "LAST9_CREDENTIAL_ID"),
        Option("routingProfile", "NAME", "a set of these fields, defined in LAST9_ROUTING_PROFILES (JSON)", "", "LAST9_ROUTING_PROFILE"),
        Option("tokenFile", "FILE", "file with the refresh token", variable="LAST9_REFRESH_TOKEN (the token itself)"),
    ),
)
DELIVERY = Group(
    "delivery",
    (
        Option("attributeNames", "HOW", "spelling of automatic attributes: dotted or underscore", "dotted", "LAST9_ATTRIBUTE_NAMES"),
        Option("timeoutSeconds", "SECONDS", "time limit of one marker, retries included", "10", "LAST9_TIMEOUT_SECONDS"),
        Option("failOnError", "", "exit with 1 if a marker was not delivered", "off"),
        Option("dryRun", "", "show the marker and the equivalent curl, send nothing; needs no token", "off", "LAST9_DRY_RUN"),
        Option("envAllowlist", "NAMES", "variables to send as env_<name>, with commas between", "", "LAST9_ENV_ALLOWLIST"),
        Option("paramAllowlist", "NAMES", "build parameters to send as build_param_<name>; no passwords", "", "LAST9_PARAM_ALLOWLIST"),
        Option("state", "FILE", "file that holds open windows and queued markers between calls"),
    ),
)
CHECK = Group(
    "the test",
    (
        Option(
            "sendTestEvent",
            "",
            "write one event named connection-test, with 30 labels, and read it back; it cannot be deleted",
            default="off",
        ),
        Option("serviceName", "NAME", "check that Last9's metrics have this service; also the event's service", "last9-connection-test"),
        Option("environment", "NAME", "check that Last9's metrics have this environment; also the event's environment"),
        Option("timeoutSeconds", "SECONDS", "time limit of the whole test", "10", "LAST9_TIMEOUT_SECONDS"),
    ),
)
WINDOW = Group(
    "the command",
    (Option("passToken", "", "keep LAST9_REFRESH_TOKEN in the command's environment, so that it can call `send`", "off"),),
)
OUTPUT = Group(
    "output",
    (
        Option("json", "", "one JSON object with the result on stdout", "off"),
        Option("quiet", "", "print warnings only", "off"),
        Option("debug", "", "print details; secrets stay hidden", "off", "LAST9_DEBUG"),
    ),
)

REPORT = Group(
    "the report",
    (
        Option("state", "FILE", "the --state file of send and window; required"),
        Option("output", "DIR", "folder for the files, created if it is missing; required"),
    ),
)

#: The options of each command that calls Last9.
OF_COMMAND = {
    "send": (MARKER, SEND, CONNECTION, DELIVERY, OUTPUT),
    "window": (MARKER, WINDOW, CONNECTION, DELIVERY, OUTPUT),
    "check": (CHECK, CONNECTION, OUTPUT),
    "report": (REPORT, OUTPUT),
}

#: Connection fields can also be given by the name of a build parameter or of a variable, as in the steps: ``--org-slug-param``.
CONNECTION_FIELDS = ("orgSlug", "apiBaseUrl", "dataSourceName", "credentialId", "routingProfile")
SUFFIXES = ("Param", "EnvVar")
INDIRECT = tuple(
    Option(field + suffix, "NAME", f"name of a variable with the value of --{kebab(field)}")
    for field in CONNECTION_FIELDS
    for suffix in SUFFIXES
)

#: Options that go into the request unchanged; the others are used by the command line only.
PASSED_ON = frozenset(KNOWN) | {"sendTestEvent"}

_BY_NAME = {option.name: option.long for group in (MARKER, SEND, CONNECTION, DELIVERY, CHECK) for option in group.options} | {
    option.name: option.long for option in INDIRECT
}
#: Only names that are not plain English words: "environment" in a sentence is not always the option. A name in quotes is something
#: else, such as a field of a routing profile.
_NAMES = re.compile(rf"(?<!['\"])\b({'|'.join(name for name in _BY_NAME if not name.islower())})\b")


def in_shell_terms(text: str) -> str:
    """The engine's warning names options of Pipeline steps. This returns it with the options as they are written in a shell."""
    return _NAMES.sub(lambda found: _BY_NAME[found[0]], text)
