"""``send``: one marker from a shell, without the library."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from typing import Any

from last9_markers.clock import SystemClock
from last9_markers.commands.step import engine_failed
from last9_markers.contract import Answer, ConnectionField, Request
from last9_markers.credentials import VARIABLE
from last9_markers.errors import BudgetSpent
from last9_markers.journal import Journal
from last9_markers.marker import Errand, Surroundings
from last9_markers.redaction import Redactor
from last9_markers.watchdog import Watchdog

#: Connection field → its argument and its environment variable.
_CONNECTION = {
    "orgSlug": ("org_slug", "LAST9_ORG_SLUG"),
    "apiBaseUrl": ("api_base_url", "LAST9_API_BASE_URL"),
    "dataSourceName": ("data_source_name", "LAST9_DATA_SOURCE_NAME"),
}


def main(arguments: list[str]) -> int:
    """Send one marker; the refresh token comes from ``LAST9_REFRESH_TOKEN``.

    Exit code 0, also when the marker was not delivered (a deploy does not fail for that); 1 when it was not and ``--fail-on-error`` is
    given; 2 for arguments that cannot be read.
    """
    token = os.environ.pop(VARIABLE, None)
    given = _parser().parse_args(arguments)
    journal = Journal(sys.stderr, Redactor())
    clock = SystemClock()
    errand = Errand(request_for(vars(given), os.environ, int(clock.wall() * 1000)), Surroundings(os.environ, token, clock, journal))
    watchdog = Watchdog(
        errand.budget.remaining(),
        lambda: errand.broken_off(BudgetSpent()),
        end=lambda _: os._exit(1 if errand.settings.fail_on_error else 0),
    )
    try:
        answer = errand.run()
    except Exception as error:  # noqa: BLE001 - a defect of ours must not fail a deploy
        answer = errand.broken_off(engine_failed(error))
    watchdog.call_off()
    return _exit_code(answer)


def request_for(given: Mapping[str, Any], environ: Mapping[str, str], now_ms: int) -> Request:
    """The request that the library would have written for these arguments and this environment."""
    connection = {}
    for field, (argument, variable) in _CONNECTION.items():
        option, setting = (given.get(argument) or "").strip(), environ.get(variable, "").strip()
        if option or setting:
            connection[field] = ConnectionField(option or setting, "option" if option else "environment")
    options = {
        "serviceName": given.get("service_name"),
        "environment": given.get("environment"),
        "eventState": given.get("event_state"),
        "eventName": given.get("event_name"),
        "dryRun": "true" if given.get("dry_run") else None,
        "failOnError": "true" if given.get("fail_on_error") else None,
    }
    return Request(
        step="send",
        timestamp_ms=now_ms,
        window_id=None,
        window_started_ms=None,
        options={name: value for name, value in options.items() if value is not None},
        connection=connection,
        connection_problems=[],
        build={},
        body=None,
        secret_parameters=[],
        parameters={},
        environment_allowlist=[],
        budget_seconds=None,
        pending=[],
        text="",
    )


def _exit_code(answer: Answer) -> int:
    return 1 if answer.fail_build else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="last9-markers send",
        description="Send one deployment marker. The refresh token comes from the environment variable LAST9_REFRESH_TOKEN.",
    )
    parser.add_argument("--service-name", required=True, help="the service, as your APM names it")
    parser.add_argument("--environment", help="the environment, as your APM names it")
    parser.add_argument("--event-state", help="start or stop (default: stop)")
    parser.add_argument("--event-name", help="default: deployment")
    parser.add_argument("--org-slug", help="organization (default: LAST9_ORG_SLUG, else what the token says)")
    parser.add_argument("--api-base-url", help="default: LAST9_API_BASE_URL, else what the token says, else https://app.last9.io")
    parser.add_argument("--data-source-name", help="default: LAST9_DATA_SOURCE_NAME")
    parser.add_argument("--dry-run", action="store_true", help="show what would be sent; needs no token")
    parser.add_argument("--fail-on-error", action="store_true", help="exit with 1 when the marker was not delivered")
    return parser
