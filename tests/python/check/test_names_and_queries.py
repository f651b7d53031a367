"""The names that are proposed, and the queries that are asked and shown."""

from __future__ import annotations

import pytest
from last9_markers.check import queries
from last9_markers.check.nearest import MOST_CANDIDATES, nearest


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        ("payments-api", ["checkout", "payments_api"], ["payments_api"]),
        ("payments-api", ["PAYMENTS-API", "payments.api"], ["PAYMENTS-API", "payments.api"]),
        ("payments-api", ["payment-api", "payments api", "billing"], ["payments api", "payment-api"]),
        ("payments-api", ["a-payments-api", "b-payments-api", "c-payments-api", "d-payments-api"], 3),
        ("production", ["prod", "staging"], ["prod"]),
        ("prod", ["production", "staging"], ["production"]),
        ("production", ["p", "pr"], []),
        ("production", [], []),
        ("production", ["production"], []),
        ("", ["production"], []),
        ("ünïcode", ["Ünïcode"], ["Ünïcode"]),
    ],
)
def test_nearest(wanted: str, known: list[str], expected: list[str] | int) -> None:
    """Case, dashes, underscores and dots make no difference, nor does an abbreviation; three at most, and never the name itself."""
    found = nearest(wanted, known)
    assert (len(found) if isinstance(expected, int) else found) == expected


def test_very_many_names_are_not_all_compared() -> None:
    """A hundred thousand names cost no more than the first few thousand."""
    assert nearest("payments-api", [*(f"x{number}" for number in range(MOST_CANDIDATES)), "payments_api"]) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("payments-api", 'm{service="payments-api"}'),
        ('a"b\\c', 'm{service="a\\"b\\\\c"}'),
        ("a\nb", 'm{service="a\\nb"}'),
        ('"} or vector(1) or m{x="', 'm{service="\\"} or vector(1) or m{x=\\""}'),
        ("größe", 'm{service="größe"}'),
    ],
)
def test_values_stay_values(value: str, expected: str) -> None:
    """No name of a service gets out of its quotes in a query."""
    assert queries.selector("m", ("service", "=", value)) == expected


def test_a_dotted_label_is_quoted() -> None:
    """A name with a dot is quoted, as PromQL wants it."""
    assert queries.selector("", ("deployment.id", "!=", "")) == '{"deployment.id"!=""}'


def test_markers_are_left_out_of_metrics() -> None:
    """What looks a name up among metrics never counts markers as such."""
    assert queries.metrics_with("env", "prod", ("service", "api")) == '{service="api",env="prod",__name__!="last9_change_events"}'
    assert queries.metrics_with("env") == '{env!="",__name__!="last9_change_events"}'
