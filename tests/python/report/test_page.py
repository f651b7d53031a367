"""The page in a browser, under the very header with which Jenkins serves it: nothing is blocked, and everything stands where it should."""

from __future__ import annotations

import html.parser
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from last9_markers.report import formatting
from playwright.sync_api import Browser, Page
from report import builds

pytestmark = pytest.mark.needs("chromium")

Served = Callable[[str, list[str]], tuple[str, Path]]

BUILDS = {
    "none": [],
    "one": builds.one(),
    "five": builds.five(),
    "forty": builds.many(40),
    "three-hundred": builds.many(300),
    "hostile": builds.hostile(),
}
WIDTHS = (1280, 390)
#: Every bar with the boxes of what is drawn for it, as the browser has laid them out.
_DRAWN = """() => [...document.querySelectorAll('.lane > svg')].map(plot => ({
    plot: plot.getBoundingClientRect().toJSON(),
    bars: [...plot.querySelectorAll('.bar')].map(bar => ({
        number: Number(bar.dataset.number),
        rect: bar.querySelector('rect')?.getBoundingClientRect().toJSON(),
        sign: bar.querySelector('.to > use').getBoundingClientRect().toJSON(),
        labels: [...bar.querySelectorAll('text')].filter(text => text.getClientRects().length && getComputedStyle(text).display != 'none')
            .map(text => ({inside: text.matches('.inside'), box: text.getBoundingClientRect().toJSON()})),
    })),
}))"""


#: Where every element stands and how it looks. Two screenshots would differ by a pixel now and then, and not say where.
_LOOKS = """() => [...document.querySelectorAll('*')].map(element => {
    const {x, y, width, height} = element.getBoundingClientRect(), style = getComputedStyle(element);
    return [element.tagName, x, y, width, height, style.display, style.color, style.backgroundColor, style.fill, style.font].join(' ');
})"""


class Box(NamedTuple):
    """Something's place on the screen."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, found: dict[str, float]) -> Box:
        """From what the browser says."""
        return cls(*(found[side] for side in ("left", "top", "right", "bottom")))

    def meets(self, other: Box) -> bool:
        """Whether the two cover a common place of more than half a pixel."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > 0.5 and min(self.bottom, other.bottom) - max(self.top, other.top) > 0.5


def _open(browser: Browser, url: str, width: int, **context: Any) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900}, **context)
    page.set_default_timeout(120_000)  # a machine under load is slow, and nothing is waited for in vain
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"failed: {request.url}"))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto(url)
    return page, said


@pytest.mark.parametrize("name", BUILDS)
def test_jenkins_shows_all_of_it(browser: Browser, served: Served, name: str) -> None:
    """Under Jenkins' header nothing is blocked or run, and each element looks as it does without; the page never scrolls sideways."""
    host, _ = served(name, BUILDS[name])
    for width in WIDTHS:
        page, said = _open(browser, f"{host}/jenkins/{name}/last9-deployments.html", width)
        plain, _ = _open(browser, f"{host}/plain/{name}/last9-deployments.html", width)
        assert page.evaluate(_LOOKS) == plain.evaluate(_LOOKS)
        assert page.evaluate("document.styleSheets.length") == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.title() == "Deployments of payments-api/main #42"
        assert said == []
        page.close()
        plain.close()


@pytest.mark.parametrize("name", ["one", "five", "forty", "three-hundred", "hostile"])
def test_bars_stand_where_the_times_say(browser: Browser, served: Served, name: str) -> None:
    """Each bar begins and ends where its times are on the axis, as the JSON beside it has them; none hides another, none its words."""
    host, folder = served(name, BUILDS[name])
    found = json.loads((folder / "last9-deployments.json").read_text(encoding="utf-8"))
    for width in WIDTHS:
        page, _ = _open(browser, f"{host}/jenkins/{name}/last9-deployments.html", width)
        from_ms, to_ms = (float(page.locator("figure").get_attribute(edge) or 0) for edge in ("data-from", "data-to"))
        lanes = page.evaluate(_DRAWN)
        assert sorted(bar["number"] for lane in lanes for bar in lane["bars"]) == list(range(1, len(found["deployments"]) + 1))
        for lane in lanes:
            plot = Box.of(lane["plot"])
            for bar in lane["bars"]:
                deployment = found["deployments"][bar["number"] - 1]
                ends_at = _ms(deployment.get("stop") or found["madeAt"])
                right = plot.left + (ends_at - from_ms) / (to_ms - from_ms) * (plot.right - plot.left)
                sign = Box.of(bar["sign"])
                assert abs((sign.left + sign.right) / 2 - right) < 2.5
                assert (bar["rect"] is None) == ("start" not in deployment)
                if bar["rect"] is not None:
                    left = plot.left + (_ms(deployment["start"]) - from_ms) / (to_ms - from_ms) * (plot.right - plot.left)
                    assert abs(bar["rect"]["left"] - left) < 0.6
                    assert abs(bar["rect"]["right"] - right) < 0.6
            _check_nothing_is_hidden(lane["bars"], plot)
        page.close()


def _check_nothing_is_hidden(bars: list[dict[str, Any]], plot: Box) -> None:
    drawn = [[Box.of(box) for box in (bar["rect"], bar["sign"]) if box] for bar in bars]
    words = [(number, label["inside"], Box.of(label["box"])) for number, bar in enumerate(bars) for label in bar["labels"]]
    for number, boxes in enumerate(drawn):
        for other in drawn[number + 1 :]:
            assert not any(box.meets(against) for box in boxes for against in other)
    for place, (number, inside, box) in enumerate(words):
        assert plot.left - 1 <= box.left < box.right <= plot.right + 1
        assert not any(box.meets(other) for _, _, other in words[place + 1 :])
        for other, boxes in enumerate(drawn):
            hidden = [against for against in boxes if box.meets(against)]
            assert hidden == ([boxes[0]] if inside and other == number else [])


def _ms(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


@pytest.mark.parametrize("name", ["none", "one", "five", "forty", pytest.param("three-hundred", marks=pytest.mark.endurance), "hostile"])
def test_axe_finds_nothing(browser: Browser, served: Served, name: str) -> None:
    """axe-core has no complaint: names, table, contrast, landmarks; wide and narrow, light and dark.

    Jenkins' header lets no script run, axe's neither: so it looks at the very same files served without it.
    """
    host, _ = served(name, BUILDS[name])
    for width, scheme in ((1280, "light"), (390, "dark")):
        page, _ = _open(browser, f"{host}/plain/{name}/last9-deployments.html", width, color_scheme=scheme)
        found = Axe().run(page).response
        assert [(violation["id"], [node["html"][:200] for node in violation["nodes"]]) for violation in found["violations"]] == []
        assert len(found["passes"]) > 10
        page.close()


def test_readable_without_the_stylesheet(browser: Browser, served: Served) -> None:
    """Where the stylesheet does not load, words, table and bars are there, in colours that can be read."""
    host, _ = served("five", BUILDS["five"])
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.set_default_timeout(120_000)
        page.route("**/*.css", lambda route: route.abort())
        page.goto(f"{host}/plain/five/last9-deployments.html")
        text = page.locator("body").inner_text()
        for words in (
            "5 deployments",
            "1 failed",
            "ledger-worker",
            "rollback, 3 commits by 3 people",
            "stop late",
            "queued",
            "Duration",
        ):
            assert words in text
        lanes = page.evaluate(_DRAWN)
        assert all(bar["rect"] is None or bar["rect"]["width"] > 20 for lane in lanes for bar in lane["bars"])
        assert not page.locator("text.narrow").first.is_visible()
        assert Axe().run(page, options={"runOnly": ["color-contrast", "image-alt", "svg-img-alt", "list"]}).response["violations"] == []
        page.close()


def test_the_axis_stays_in_sight(browser: Browser, served: Served) -> None:
    """Far down in a long timeline the hours still stand above the bars."""
    host, _ = served(
        "wide", [record for number in range(60) for record in builds.window(builds.NOON_MS, builds.NOON_MS + 9000, f"s{number}")]
    )
    for width in WIDTHS:
        page, _ = _open(browser, f"{host}/jenkins/wide/last9-deployments.html", width)
        page.locator(".lane").nth(30).evaluate("lane => lane.scrollIntoView({block: 'center'})")
        assert Box.of(page.locator(".axis").first.evaluate("axis => axis.getBoundingClientRect().toJSON()")).top == 0
        page.close()


def test_times_stand_below_each_other(browser: Browser, served: Served) -> None:
    """On a phone, where a window over midnight takes two lines, both begin in the column of values; on a wide page it takes one."""
    records = builds.window(builds.NOON_MS, builds.NOON_MS + 36_000_000)
    host, _ = served(
        "midnight", [*records, *builds.window(builds.NOON_MS, None, "refused", fates=("refused", "sent"), facts=builds.commit(0))]
    )
    for width, lines in ((1280, 1), (320, 2)):
        page, _ = _open(browser, f"{host}/jenkins/midnight/last9-deployments.html", width)
        times = page.locator("tbody tr").first.locator("time")
        tops = {times.nth(number).evaluate("time => time.getBoundingClientRect().top") for number in range(2)}
        lefts = {times.nth(number).evaluate("time => time.getBoundingClientRect().left") for number in range(2)}
        assert len(tops) == lines
        assert len(lefts) == (1 if lines == 2 else 2)
        page.close()


def test_print(browser: Browser, served: Served) -> None:
    """On paper the page is light, fits the width, and says what it says on the screen."""
    host, _ = served("forty", BUILDS["forty"])
    page, _ = _open(browser, f"{host}/jenkins/forty/last9-deployments.html", 720, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert page.evaluate("getComputedStyle(document.querySelector('.bar.success')).color") == "rgb(0, 117, 92)"
    assert page.locator("thead th").last.is_visible()
    for lane in page.evaluate(_DRAWN):
        _check_nothing_is_hidden(lane["bars"], Box.of(lane["plot"]))
    page.close()


class _Elements(html.parser.HTMLParser):
    """All start tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


_ELEMENTS = """
html head meta title link body svg defs g use circle path rect line text main header footer section figure figcaption p h1 h2 ul ol li
a span bdi table thead tbody tr th td time details summary dl div dt dd
"""


@pytest.mark.parametrize("name", BUILDS)
def test_nothing_but_what_is_meant(served: Served, name: str) -> None:
    """No script, no style within, no handler, no target; links lead to http(s), to a neighbour file or into the page; names stay text."""
    _, folder = served(name, BUILDS[name])
    elements = _Elements((folder / "last9-deployments.html").read_text(encoding="utf-8")).found
    assert {tag for tag, _ in elements} <= set(_ELEMENTS.split())
    for tag, attributes in elements:
        assert not [given for given in attributes if given.startswith("on") or given in ("style", "target", "src", "xlink:href")]
        link = attributes.get("href")
        assert link is None or formatting.http_link(link) or link.startswith("#") or (folder / link).is_file(), link
        assert tag != "a" or link
    assert len({attributes["id"] for _, attributes in elements if "id" in attributes}) == len([1 for _, found in elements if "id" in found])


def test_hostile_names_are_shown(browser: Browser, served: Served) -> None:
    """Markup, quotes, directions, control characters and 300 letters are to be read as they are, in the timeline and in the table."""
    host, folder = served("hostile", BUILDS["hostile"])
    page, said = _open(browser, f"{host}/jenkins/hostile/last9-deployments.html", 390)
    shown = page.locator("tbody th .service").all_text_contents()
    lanes = page.locator(".lane .service").all_text_contents()
    for name in builds.HOSTILE:
        assert formatting.visible(name) in shown
        assert formatting.visible(name) in lanes
    found = json.loads((folder / "last9-deployments.json").read_text(encoding="utf-8"))
    assert {deployment["service"] for deployment in found["deployments"]} >= set(builds.HOSTILE)
    heights = page.evaluate("[...document.querySelectorAll('.lane')].map(lane => lane.getBoundingClientRect().height)")
    assert max(heights) < 140
    assert said == []
    page.close()
