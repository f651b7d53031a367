"""docs/queries.md: every query can be parsed, is there in both spellings, and names only labels that markers have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "queries.md").read_text("utf-8")
QUERIES = re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL)
TABLE = (ROOT / "docs" / "attributes.md").read_text("utf-8").split("## All of them")[1].split("\n\n## ")[0]
ATTRIBUTES = {name for row in TABLE.splitlines() if row.startswith("| `") for name in re.findall(r"`([a-z_.]+)`", row.split("|")[1])}
#: What the event itself brings (docs/last9-api.md).
OF_THE_EVENT = {"event_name", "event_state"}

AGGREGATIONS = {"count", "sum", "min", "max", "avg", "topk", "bottomk"}
#: Function → what its argument must be.
FUNCTIONS = {"last_over_time": "range", "max_over_time": "range", "min_over_time": "range", "timestamp": "instant", "time": None}
OPERATORS = {"unless": 1, "and": 1, "or": 0, ">": 2, "<": 2, "==": 2, "-": 3, "+": 3, "/": 4, "*": 4}
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|=~|!~|!=|==|[a-zA-Z_][a-zA-Z0-9_]*|\d+(?:\.\d+)?|[(){},=<>+*/-])')


class Parser:
    """The part of PromQL's grammar that the page uses; notes the labels. Raises ``AssertionError`` at anything else."""

    def __init__(self, query: str) -> None:
        self.labels: set[str] = set()
        self.tokens: list[str] = []
        place = 0
        while query[place:].strip():
            found = _TOKEN.match(query, place)
            assert found, f"not a token: {query[place:]!r}"
            self.tokens.append(found[1])
            place = found.end()

    def parse(self) -> str:
        """What the whole query is: ``scalar`` or ``instant``."""
        kind = self.expression(0)
        assert not self.tokens, f"left over: {self.tokens}"
        return kind

    def peek(self) -> str:
        """The next token, empty at the end."""
        return self.tokens[0] if self.tokens else ""

    def take(self, *wanted: str) -> str:
        """The next token, which must be one of these if any are given."""
        assert self.tokens, f"ends too early, expected {wanted}"
        token = self.tokens.pop(0)
        assert not wanted or token in wanted, f"{token} in place of {wanted}"
        return token

    def expression(self, lowest: int) -> str:
        """Operands between operators, by their precedence."""
        kind = self.operand()
        while OPERATORS.get(self.peek(), -1) >= lowest:
            operator = self.take()
            if self.peek() in ("on", "ignoring"):
                self.take()
                self.names()
            right = self.expression(OPERATORS[operator] + 1)
            assert "range" not in (kind, right), "a range as an operand"
            assert OPERATORS[operator] > 1 or (kind, right) == ("instant", "instant"), f"{operator} between scalars"
            kind = "scalar" if (kind, right) == ("scalar", "scalar") else "instant"
        return kind

    def operand(self) -> str:
        """A number, parentheses, a call, or a selector; perhaps with a range."""
        token = self.take()
        if token == "(":
            kind = self.expression(0)
            self.take(")")
        elif token[0].isdigit():
            kind = "scalar"
        elif token in AGGREGATIONS:
            kind = self.aggregation(token)
        elif token in FUNCTIONS:
            kind = self.call(token)
        else:
            assert token == "last9_change_events", f"not a metric of ours: {token}"
            self.matchers()
            kind = "instant"
        if self.peek().startswith("["):
            assert kind == "instant"
            window = self.take()
            assert re.fullmatch(r"\[\d+[smhdw](:\d+[smhdw])?\]", window), window
            assert (":" in window) == (token != "last9_change_events"), f"a subquery needs a step, a selector has none: {window}"
            kind = "range"
        return kind

    def aggregation(self, name: str) -> str:
        """``by (names)`` and its argument; ``topk`` has a number before."""
        self.take("by")
        self.names()
        self.take("(")
        if name.endswith("k"):
            assert self.expression(0) == "scalar"
            self.take(",")
        assert self.expression(0) == "instant"
        self.take(")")
        return "instant"

    def call(self, name: str) -> str:
        """A function and its argument."""
        self.take("(")
        if FUNCTIONS[name] is not None:
            assert self.expression(0) == FUNCTIONS[name], name
        self.take(")")
        return "scalar" if name == "time" else "instant"

    def names(self) -> None:
        """Labels in parentheses."""
        self.take("(")
        while True:
            self.label()
            if self.take(",", ")") == ")":
                return

    def matchers(self) -> None:
        """``{name="value", …}``."""
        self.take("{")
        while True:
            self.label()
            self.take("=", "!=", "=~", "!~")
            assert self.take().startswith('"')
            if self.take(",", "}") == "}":
                return

    def label(self) -> None:
        """A name, in quotes if it has a dot."""
        token = self.take()
        name = token.strip('"')
        assert token == name if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) else token == f'"{name}"', token
        self.labels.add(name)


def _labels(query: str) -> set[str]:
    parser = Parser(query)
    parser.parse()
    return parser.labels


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_can_be_parsed(query: str) -> None:
    """Parentheses, ranges, aggregations and operators are where PromQL wants them."""
    assert Parser(query).parse() == "instant"


@pytest.mark.parametrize(("dotted", "underscore"), list(zip(QUERIES[::2], QUERIES[1::2])))
def test_every_query_is_there_in_both_spellings(dotted: str, underscore: str) -> None:
    """The second of each pair is the first with underscores, and nothing else differs."""
    assert re.sub(r'"([a-z_]+(?:\.[a-z_]+)+)"', lambda name: name[1].replace(".", "_"), dotted) == underscore
    assert dotted != underscore


@pytest.mark.parametrize("query", QUERIES)
def test_every_label_is_one_that_markers_have(query: str) -> None:
    """No query selects or groups by a label that docs/attributes.md does not list."""
    known = ATTRIBUTES | OF_THE_EVENT
    assert _labels(query) <= known | {name.replace(".", "_") for name in known}


def test_the_page_has_what_it_promises() -> None:
    """A section each: open windows, durations, failure rate, last deployments, an alert; two spellings in each."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert [section.count("```promql") for section in sections] == [2] * 5
    assert len(ATTRIBUTES) > 20


@pytest.mark.parametrize("step", re.findall(r"\[\d+\w:(\d+)m\]", PAGE))
def test_no_step_is_longer_than_a_sample_is_seen(step: str) -> None:
    """A subquery with a step of five minutes or more would miss samples."""
    assert int(step) < 5


@pytest.mark.parametrize(
    "broken",
    [
        'count by (service) (last9_change_events{a="b"}',
        'last_over_time(last9_change_events{event_name="x"})',
        'count by (deployment.id) (last9_change_events{event_name="x"})',
        'max_over_time(timestamp(last9_change_events{event_name="x"})[1d])',
        'last9_change_events{event_name="x"} unless 5',
        'last9_change_events{event_name="x",}',
        "",
    ],
)
def test_the_parser_finds_mistakes(broken: str) -> None:
    """Text that is not PromQL is not taken for PromQL."""
    with pytest.raises(AssertionError):
        Parser(broken).parse()
