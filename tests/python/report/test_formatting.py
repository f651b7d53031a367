"""Names made harmless, durations, links, and the words that are made of them."""

from __future__ import annotations

import pytest
from last9_markers.core import formats
from last9_markers.marker import records
from last9_markers.report import formatting, markdown, timeline, wording
from last9_markers.report.reading import read
from report.builds import HOSTILE, NOON_MS, commit, five, hostile, window
from report.conftest import report


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (50, "50 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (12_345, "12.3 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min"),
        (63_400, "1 min 3 s"),
        (3_599_600, "1 h"),
        (7_500_000, "2 h 5 min"),
        (86_399_999, "1 d"),
        (273_600_000, "3 d 4 h"),
    ],
)
def test_duration(milliseconds: int, text: str) -> None:
    """A duration is as exact as anybody wants to know, and never says 60 seconds."""
    assert formats.duration(milliseconds) == text


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/x/compare/1...2",
        "http://jenkins:8080/job/a%20b/42/",
        "https://bitbucket.org/a/b/branches/compare/2%0D1",
        "http://[::1]:8080/",
    ],
)
def test_links(url: str) -> None:
    """A plain http(s) address is a link."""
    assert formatting.http_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/job/1",
        "https://user:pass@host/",
        "https://user@host/",
        "https://host\\@evil/",
        "https://host/<script>",
        'https://host/"onload=x',
        "https://host/\nSet-Cookie: x",
        "https://host/ x",
        " https://host/",
        "https://",
        "https://höst/",
        "ftp://host/",
    ],
)
def test_no_links(url: str | None) -> None:
    """Anything else is shown as text, or not at all."""
    assert formatting.http_link(url) is None


def test_control_characters_are_seen() -> None:
    """What would be invisible or turn the line around is shown as a sign; other scripts stay as they are."""
    assert formatting.visible("a\x00b\nc\x1b\x7f\x9b") == "a␀b␊c␛␡‹U+009B›"
    assert formatting.visible("\u202egnp\u202c") == "‹U+202E›gnp‹U+202C›"
    assert formatting.visible("שלום 🚀 Zürich") == "שלום 🚀 Zürich"
    assert formatting.visible("half \ud83d").encode()


def test_long_names_are_cut() -> None:
    """300 characters are shown, of more the first 299 and a sign; Markdown and a bar's title keep to that, and what follows stays."""
    assert formatting.shown("x" * 300) == "x" * 300
    assert formatting.shown("x" * 10_000) == "x" * 299 + "…"
    (deployment,) = read(window(NOON_MS, NOON_MS + 1, "s" * 10_000, environment="e" * 10_000)).deployments
    assert wording.bar_title(deployment, day=False).endswith("e…) · success · 14:02:10 – 14:02:10 UTC · 1 ms")
    assert len(wording.bar_title(deployment, day=False)) < 700
    assert len(markdown.render(report(window(NOON_MS, NOON_MS + 1, "s" * 10_000, environment="e" * 10_000)))) < 1000


def test_a_bars_title_tells_the_day_where_there_are_two() -> None:
    """Over midnight the hour alone does not say when."""
    (lane,) = timeline.lay_out(read(window(NOON_MS, NOON_MS + 36_000_000)).deployments, NOON_MS).lanes
    assert "· 24 Nov 14:02:10 – 25 Nov 00:02:10 UTC" in lane.bars[0].title
    (lane,) = timeline.lay_out(read(window(NOON_MS, NOON_MS + 60_000)).deployments, NOON_MS).lanes
    assert "· 14:02:10 – 14:03:10 UTC" in lane.bars[0].title


def test_markdown_of_hostile_names() -> None:
    """No name makes markup, a link, a mention or another table cell; each row has its seven cells."""
    lines = markdown.render(report(hostile())).splitlines()
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert len(rows) == len(HOSTILE) + 1
    for row in rows:
        assert row.replace("\\|", "").count("|") == 8
        assert "<" not in row
        assert "](j" not in row
        assert "`" not in row.replace("\\`", "")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("@acme/owners", "@&#8203;acme/owners"),
        ("www.evil.example", "www\\.evil.example"),
        ("WWW.evil.example", "WWW\\.evil.example"),
        ("https://evil.example", "https\\://evil.example"),
        ("2.14.0", "2.14.0"),
        ("&#64;acme", "&amp;\\#64;acme"),
    ],
)
def test_markdown_calls_nobody(name: str, written: str) -> None:
    """Where a forge makes a mention or a link of plain words, none comes of a name; a version stays as it is."""
    assert formatting.markdown(name) == written


def test_a_window_that_a_later_build_closed() -> None:
    """The summary calls it unknown, and says which build has left it open and which one has closed it."""
    labels = {"service_name": "payments-api", "deployment.id": "a", "deployment.outcome": "unknown"}
    event = {"event_name": "deployment", "event_state": "stop", "timestamp": formats.iso8601(NOON_MS), "attributes": labels}
    text = markdown.render(report([records.of_closed(event, 41, "42", None)]))
    assert "| unknown (left open by build \\#41, closed by build \\#42) |" in text


def test_headline_stands_first_and_holds_no_name() -> None:
    """The first line can go into a build's description, which may be shown as markup: it has counts only."""
    assert markdown.render(report(hostile())).splitlines()[0] == "13 deployments: 12 succeeded, 1 without a known outcome"
    text = markdown.render(report(five(), ["something is missing"]))
    assert text.startswith("5 deployments: 1 succeeded, 1 unstable, 1 failed, 1 timed out, 1 still running\n")
    assert "> something is missing" in text
    assert "[payments-api/main \\#42](https://jenkins.example.com/job/payments-api/job/main/42/)" in text
    assert markdown.render(report([])).startswith("no deployments\n")


@pytest.mark.parametrize(("number", "words"), [(0, "forward, 1 commit by 1 person"), (3, "same commit again"), (4, "change unknown")])
def test_change_in_words(number: int, words: str) -> None:
    """What changed is reported by kind and size; if there is nothing to count, no count is reported."""
    (deployment,) = read(window(NOON_MS, NOON_MS + 1, facts=commit(number))).deployments
    assert wording.change(deployment) == words


@pytest.mark.parametrize(
    ("length_ms", "labels"),
    [
        (0, "14:02:06 14:02:08 14:02:10 14:02:12 14:02:14"),
        (300, "14:02:06 14:02:08 14:02:10 14:02:12 14:02:14"),
        (63_400, "14:02:10 14:02:20 14:02:30 14:02:40 14:02:50 14:03:00 14:03:10"),
        (600_000, "14:02 14:04 14:06 14:08 14:10 14:12"),
        (7_200_000, "14:00 14:15 14:30 14:45 15:00 15:15 15:30 15:45 16:00"),
        (86_400_000, "15:00 18:00 21:00 25 Nov 03:00 06:00 09:00 12:00"),
        (30_000_000_000, "3 Dec 14 Jan 25 Feb 8 Apr 20 May 1 Jul 12 Aug 23 Sep 4 Nov"),
    ],
)
def test_the_axis_has_sensible_times(length_ms: int, labels: str) -> None:
    """For every span a handful of round times, in days if the span is days."""
    deployments = read(window(NOON_MS, NOON_MS + length_ms)).deployments
    assert " ".join(tick.label for tick in timeline.lay_out(deployments, NOON_MS).ticks) == labels
