"""The rows: examples and shapes with their expectations, from the files that the runner's tests read."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = ROOT / "tests" / "library" / "src" / "test" / "resources"
SHAPES = RESOURCES / "shapes"


def read_words(text: str) -> dict[str, str]:
    """What the words of a head mean: ``shapes/words.txt``, NAME = VALUE lines."""
    pairs = (line.split(" = ", 1) for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {name.strip(): value for name, value in pairs}


WORDS = read_words((SHAPES / "words.txt").read_text("utf-8"))
_HEAD = re.compile(WORDS["head"])
_DOES = re.compile(WORDS["does"])


class Happening(NamedTuple):
    """One thing that is done to a build: ``stop``, ``slow``, ``job`` and so on, and when."""

    what: str
    #: A text of the log after which it happens; ``None``: from the start, or during a step.
    after: str | None = None
    #: ``("sh", 2)``: while the second ``sh`` runs.
    during: tuple[str, int] | None = None
    #: ``job``: the other job's name and result.
    job: tuple[str, str] | None = None


class Row(NamedTuple):
    """One Jenkinsfile and what must come of it. ``head``: word → what the head says, in order."""

    #: ``shapes/loop``, ``examples/08-smoke-test, a dry run``: what ``ONLY`` is matched against.
    name: str
    jenkinsfile: str
    head: dict[str, list[str]]

    def said(self, word: str) -> list[str]:
        """What the head says under that word."""
        return self.head.get(word, [])

    @property
    def happenings(self) -> list[Happening]:
        """What is done to the build, in this order."""
        return [read_happening(text) for text in self.said("does")]

    @property
    def parameters(self) -> dict[str, str]:
        """The build parameters that are given: name → text."""
        return dict(text.split("=", 1) for text in self.said("parameter"))


def read_head(name: str, lines: list[str]) -> dict[str, list[str]]:
    """The words of a head. Raises ``ValueError`` on one that does not exist: a misspelt expectation would hold nothing."""
    head: dict[str, list[str]] = {}
    for line in lines:
        match = _HEAD.fullmatch(line)
        if match:
            if match[1] not in WORDS["words"].split():
                raise ValueError(f"{name}: there is no word '{match[1]}' in the head of a row")
            head.setdefault(match[1], []).append(match[2].strip())
    return head


def read_happening(text: str) -> Happening:
    """One ``does:`` line. Raises ``ValueError`` if it is unknown."""
    match = _DOES.fullmatch(text)
    if match is None:
        raise ValueError(f"a row cannot do this: {text}")
    pressed, after, step, number, fault, fault_after, well_after, job, result = match.groups()
    if pressed:
        return Happening(pressed, after=after, during=(step, int(number)) if step else None)
    if fault:
        return Happening(fault, after=fault_after)
    if job:
        return Happening("job", job=(job, result))
    return Happening("well", after=well_after)


def read_shape(path: Path) -> Row:
    """A shape: the head is the comment that the Jenkinsfile begins with."""
    text = path.read_text("utf-8")
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line)
    name = f"shapes/{path.name.replace('.Jenkinsfile', '')}"
    return Row(name, text, read_head(name, lines))


def read_examples(text: str, folder: Path) -> list[Row]:
    """The rows of ``examples.txt``; their Jenkinsfiles lie in ``folder``."""
    rows = []
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        title, *lines = part.splitlines()
        name = f"examples/{title.strip()}"
        file = folder / f"{title.split(',')[0].strip()}.Jenkinsfile"
        rows.append(Row(name, file.read_text("utf-8"), read_head(name, [f"// {line}" for line in lines])))
    return rows


def all_rows() -> list[Row]:
    """Every row, examples first."""
    examples = read_examples((RESOURCES / "examples.txt").read_text("utf-8"), ROOT / "examples")
    return examples + [read_shape(path) for path in sorted(SHAPES.glob("*.Jenkinsfile"))]


def chosen(rows: list[Row], only: str) -> list[Row]:
    """The rows that ``ONLY`` names: patterns as the shell has them, separated by blanks or commas; none given: all."""
    patterns = _patterns(only) or ["*"]
    return [row for row in rows if any(_fits(row, pattern) for pattern in patterns)]


def strays(rows: list[Row], only: str) -> list[str]:
    """The patterns of ``ONLY`` that fit no row: misspelt ones, with which less would be asked than was meant."""
    return [pattern for pattern in _patterns(only) if not any(_fits(row, pattern) for row in rows)]


def _patterns(only: str) -> list[str]:
    return only.replace(",", " ").split()


def _fits(row: Row, pattern: str) -> bool:
    return fnmatch.fnmatchcase(row.name, f"{pattern}*")
