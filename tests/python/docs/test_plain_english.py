"""Plain English, as CONTRIBUTING.md asks for it: ten turns of phrase that are in no page, message, help text or comment."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

#: A turn of phrase → what to write instead.
BANNED = {
    r"\b(who|whom|what|which|where)(so)?ever\b": "name the person or the thing: a person who, any, each, all that",
    r"\b(nobody|somebody)\b": "name who it is: someone, no one, another process, a person who only starts builds",
    r"(?<!there )\b(is|are|was|were) no (?!longer\b|more\b|later\b|one\b)": "is not a …",
    r"\bwhere (there (is|are|was|were)|none|nothing|no|not|neither|one)\b": "if, when",
    r"\b(shall|mends?|mended|amiss)\b": "must, should, fix, wrong",
    r"\bcounts (as|if|instead|with)\b|[:;,] [^.:;,|]{1,40}(?<!the)(?<!no) counts[.;,|)]": "is used, is taken as",
    r"\b(is|are|was|were|be|been) told\b|\b(fates?|errands?)\b|\b(last|own) word\b": "is logged, is known, result, request, decides",
    r", for (it|they|there|nothing|that|this|these|those) (is|are|was|were|has|have|had|would|may|can|cannot|will|must|does)\b": (
        "because, since"
    ),
    r"\bundelivered\b|\bkept from before\b": "queued (for users), pending (in code)",
    r"\bstand-?ins?\b": "fake server, fake Last9; imitation for a class of Jenkins",
}
#: Texts of other people, and recordings of a real Jenkins.
NOT_OURS = re.compile(r"^(THIRD-PARTY-LICENSES\.md|LICENSE|requirements.*|tests/pipeline/recordings/.*|tests/plugin-names/.*)$")


def _files(*patterns: str) -> list[Path]:
    names = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if not NOT_OURS.match(name)]


#: The number of a line, and its text.
Passage = tuple[int, str]


def _without_code(line: str) -> str:
    """A line without names of options, variables and the like: they may be any word."""
    return re.sub(r"(`+)[^`]+\1|\{@code [^}]*\}", "", line)


def _pages(text: str) -> Iterator[Passage]:
    """The lines of a page or a help text, without its blocks of code."""
    in_code = False
    for number, line in enumerate(text.splitlines(), 1):
        in_code ^= line.lstrip().startswith("```")
        if not in_code:
            yield number, line


def _python(text: str) -> Iterator[Passage]:
    """Comments, and the texts that are sentences: docstrings, messages, help."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node, clean=False)
            if docstring is not None:
                first = node.body[0].lineno
                yield from ((first + offset, line) for offset, line in enumerate(docstring.splitlines()))


def _sentences(text: str) -> Iterator[Passage]:
    """The literals of a module of messages/."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _braces(text: str) -> Iterator[Passage]:
    """The comments of Groovy, Java and CSS."""
    for found in re.finditer(r"/\*.*?\*/|(?<![:\"'\w])//[^\n]*", text, re.DOTALL):
        first = text.count("\n", 0, found.start()) + 1
        yield from ((first + offset, line) for offset, line in enumerate(found.group().splitlines()))


def _hashes(text: str) -> Iterator[Passage]:
    """The comments of shell scripts, YAML and the Makefile, and its help."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.search(r"(?:^|\s)(#.*)", line)
        if found:
            yield number, found.group(1)


KINDS = {
    "pages and help": (("*.md", "vars/*.txt", "tests/pipeline/src/test/resources/**/*.txt"), _pages),
    "Python": (("*.py",), _python),
    "messages": (("python/last9_markers/messages/*.py", "python/last9_markers/cli/shared/options.py"), _sentences),
    "Groovy and Java": (("*.groovy", "*.java", "*.Jenkinsfile", "*.css"), _braces),
    "scripts": (("*.sh", "*.yaml", "*.yml", "*.toml", "Makefile", ".ci/*", "examples/freestyle/last9-markers", "*/Dockerfile"), _hashes),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phrase", BANNED)
def test_plain_english(phrase: str, kind: str) -> None:
    """None of the ten turns of phrase that make a reader stumble comes back; the failure names each place and what to write instead."""
    patterns, passages = KINDS[kind]
    banned = re.compile(phrase, re.IGNORECASE)
    files = _files(*patterns)
    assert files
    hits = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in files
        if file != Path(__file__)
        for number, line in passages(file.read_text("utf-8"))
        if banned.search(_without_code(line))
    ]
    assert not hits, f"write: {BANNED[phrase]}\n" + "\n".join(hits)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("pages and help", "Whoever starts a build\n```\nwhoever\n```\n"),
        ("Python", '"""Whoever reads."""\nx = "whoever"\n'),
        ("Python", "x = 1  # whoever\n"),
        ("messages", 'x = f"whoever {1}"\n'),
        ("Groovy and Java", "/** Whoever. */ String x = 'http://whoever'\n"),
        ("Groovy and Java", "int x // whoever\n"),
        ("scripts", "x=1 # whoever\n"),
    ],
)
def test_the_search_finds(kind: str, text: str) -> None:
    """A phrase is found once in each kind of text, and not in code, addresses or examples."""
    banned = re.compile(next(iter(BANNED)), re.IGNORECASE)
    assert len([line for _, line in KINDS[kind][1](text) if banned.search(line)]) == 1
