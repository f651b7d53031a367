"""The documentation against the code: links, options, variables, attributes, exit codes. test_troubleshooting.py has the warnings."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from last9_markers.cli.shared.options import INDIRECT, OF_COMMAND
from last9_markers.request.options import KNOWN
from support import engine

ROOT = Path(__file__).resolve().parents[3]
DOCS = sorted(
    ROOT / name
    for name in subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    if not name.startswith("tests/pipeline/recordings/")
)
README = ROOT / "README.md"
OPTIONS = ROOT / "docs" / "options.md"
ATTRIBUTES = ROOT / "docs" / "attributes.md"
VARIABLES = ROOT / "docs" / "environment-variables.md"


def _slugs(markdown: str) -> set[str]:
    """The anchors that a Markdown file's headings make."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_resolves(document: Path) -> None:
    """A link within the repository leads to a file that is there, and to a heading in it."""
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), f"{document.name}: {target}"
        if anchor:
            assert anchor in _slugs(file.read_text("utf-8")), f"{document.name}: {target}"


# -- options and variables -----------------------------------------------------------------------------------------------------

PLAIN_OPTIONS = {name for name in KNOWN if not name.endswith(("Param", "EnvVar"))}


def _code() -> str:
    sources = [*(ROOT / "src").rglob("*.groovy"), *(ROOT / "python").rglob("*.py"), *(ROOT / "resources").rglob("run.*")]
    return "".join(file.read_text("utf-8") for file in sources)


def _of_one_step() -> set[str]:
    """What only one step understands (``sendTestEvent``): named in that step's code, and to markers an unknown option."""
    code = _code()
    return {name for name in _in_the_help() - PLAIN_OPTIONS if re.search(rf"""["'.]{name}\b""", code)}


def _in_the_help() -> set[str]:
    """The options that the help pages of the steps describe, the indirect ones left out."""
    found: set[str] = set()
    for file in (ROOT / "vars").glob("*.txt"):
        for term in re.findall(r"^ {4}(\w+(?:, \w+)*) {2,}\S", file.read_text("utf-8"), re.MULTILINE):
            found.update(term.split(", "))
    return {name for name in found if not name.endswith(("Param", "EnvVar"))}


def _documented_options() -> set[str]:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", OPTIONS.read_text("utf-8"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_option_has_a_row_on_its_page() -> None:
    """docs/options.md and the engine know the same options."""
    assert _documented_options() >= PLAIN_OPTIONS


def test_every_row_of_the_options_page_is_an_option() -> None:
    """No option in docs/options.md that the engine would call unknown."""
    assert _documented_options() <= PLAIN_OPTIONS | _of_one_step()


def test_the_readme_shows_only_real_options() -> None:
    """The copyable block of the README holds no option that the engine would call unknown."""
    block = README.read_text("utf-8").split("## Common options")[1].split("```")[1]
    shown = set(re.findall(r"^    (\w+):", block, re.MULTILINE))
    assert len(shown) > 5
    assert shown <= PLAIN_OPTIONS


def test_the_steps_help_and_the_engine_know_the_same_options() -> None:
    """Each option is in the help page of a step, and the help names none that nothing reads."""
    assert _in_the_help() >= PLAIN_OPTIONS
    assert _in_the_help() <= PLAIN_OPTIONS | _of_one_step()


def test_every_variable_in_the_docs_is_read_somewhere() -> None:
    """Documentation names no LAST9_* variable that nothing reads."""
    read = set(re.findall(r"LAST9_[A-Z0-9_]+", _code())) | {"LAST9_BUNDLE"}
    for document in DOCS:
        for name in set(re.findall(r"\bLAST9_[A-Z0-9_]*[A-Z0-9]\b", document.read_text("utf-8"))):
            assert name in read, f"{document.name}: {name}"


def test_every_variable_of_the_steps_is_on_its_page() -> None:
    """docs/environment-variables.md has a row for each variable that sets an option, and for those that the agent reads."""
    rows = re.findall(r"^\| (.*?) \|", VARIABLES.read_text("utf-8"), re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(LAST9_[A-Z_]+)`", row)}
    snake = {name: "LAST9_" + re.sub(r"([A-Z])", r"_\1", name).upper() for name in PLAIN_OPTIONS}
    read = {variable for variable in snake.values() if f'"{variable}"' in _code() or f"'{variable}'" in _code()}
    assert len(read) > 8
    assert described >= read | {"LAST9_PYTHON", "LAST9_CA_BUNDLE", "LAST9_DEBUG"}


def test_the_security_page_names_every_variable_that_is_read() -> None:
    """docs/security.md says what the engine reads, and that there is nothing else: no variable is left out."""
    no_variables = {"NOT_BUILT", "USE_CLIENT_DEFAULT"}
    handed_to_git = {"LC_ALL", "LC_CTYPE"}
    page = (ROOT / "docs" / "security.md").read_text("utf-8").split("## What it sends")[0]
    sources = [file for file in (ROOT / "python").rglob("*.py") if "fake-server" not in file.parts]
    read = {name for file in sources for name in re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', file.read_text("utf-8"))}
    for name in read - no_variables - handed_to_git:
        # Flags of open() besides.
        assert f"`{name}`" in page or name.startswith(("LAST9_", "GIT_", "O_")), name


def test_every_make_target_in_the_docs_exists() -> None:
    """`make something` in a document can be typed."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {target for document in DOCS for target in re.findall(r"`make ([a-z][a-z-]*)", document.read_text("utf-8"))}
    assert len(named) > 5
    assert named <= targets


def test_the_attributes_page_and_the_engine_know_the_same_attributes() -> None:
    """Every automatic attribute is described, and none that is not sent."""
    code = "".join(file.read_text("utf-8") for file in (ROOT / "python" / "last9_markers" / "marker" / "attributes").glob("*.py"))
    sent = set(re.findall(r'"((?:scm|jenkins|deployment)\.[a-z_]+)"', code))
    table = ATTRIBUTES.read_text("utf-8").split("## All of them")[1].split("\n\n## ")[0]
    described = set(
        re.findall(r"`((?:scm|jenkins|deployment)\.[a-z_]+)`", "".join(row.split("|")[1] for row in table.splitlines() if "|" in row))
    )
    assert len(sent) > 15
    assert described == sent


# -- command line --------------------------------------------------------------------------------------------------------------

COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
FLAGS = {option.long: option.name for groups in OF_COMMAND.values() for group in groups for option in group.options}


def test_every_option_of_the_command_line_is_described() -> None:
    """An option is either the step's of the same name, and in docs/options.md, or has a row in docs/command-line.md."""
    for flag, name in FLAGS.items():
        assert name in _documented_options() or f"`{flag}" in COMMAND_LINE, f"docs/command-line.md needs a row for {flag}"


def test_no_option_is_described_that_there_is_not() -> None:
    """Every `--option` in the documents for shells is one of the program's."""
    documents = [
        COMMAND_LINE,
        (ROOT / "docs" / "freestyle.md").read_text("utf-8"),
        (ROOT / "docs" / "moving-from-the-plugin.md").read_text("utf-8"),
    ]
    known = {*FLAGS, *(flag.replace("--", "--no-", 1) for flag in FLAGS), *(option.long for option in INDIRECT), "--help", "--version"}
    known |= set(re.findall(r"--[a-z-]+", engine(["fake-server", "--help"]).stdout))
    for flag in {flag for text in documents for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+\b(?!-)", text)}:
        assert flag in known, flag


def test_help_pages_are_plain_text() -> None:
    """Jenkins' default markup formatter shows tags as text: a help page is laid out by its line breaks."""
    for file in (ROOT / "vars").glob("*.txt"):
        text = file.read_text("utf-8")
        assert not re.search(r"<\w|&\w+;", text), file
        assert max(map(len, text.splitlines())) <= 140, file
    assert len(_in_the_help()) > 20
