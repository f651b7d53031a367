"""The documentation against the code: links, options, variables, and a row for each warning."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from last9_markers.commandline.options import INDIRECT, OF_COMMAND
from last9_markers.options import KNOWN

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted(
    ROOT / name
    for name in subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    if not name.startswith("tests/pipeline/recordings/")
)
TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
README = ROOT / "README.md"

#: Texts of wording/ that are no warnings, by module. What is not here needs a row in docs/troubleshooting.md.
NOT_WARNINGS = {
    "check": {
        # findings that are well, and the frame around them
        *("line", "BEGINS", "summary", "fail_build", "interpreter", "bundle", "host", "organization", "organization_proven", "no_proxy"),
        *("proxy", "name_known", "connected", "certificate", "no_tls", "clock", "exchanged", "scope", "scope_proven", "token", "written"),
        "SOURCES",
    },
    # answers to arguments that cannot be read, and the help
    "commandline": {
        "unknown_option",
        "stray_argument",
        "value_missing",
        "no_pair",
        "option_missing",
        "not_for_this_result",
        "NO_COMMAND",
        "MORE_HELP",
        "INDIRECT_FIELDS",
        "VARIABLES",
    },
    # the words of the page
    "report": {"OUTCOMES", "FATES", "KINDS", "written", "lies_at", "headline"},
    # the log's ordinary lines, and additions to others
    "background": {"handed_over", "delivered", "unknown", "recalled"},
    "log": {
        *("sending", "sent_late", "dry_run", "fail_build", "kept", "SENT", "KEPT_BY_A_SHELL"),
        # with LAST9_DEBUG
        *("begun", "going_to", "way", "roots", "attempt", "pause"),
    },
    "failures": {"because"},
}
#: Groovy's literals of some length that are no warnings: what Jenkins says and we compare with; a reason of last resort; the end of
#: every warning about a marker that is kept; the frame around the findings of a connection test.
NOT_SAID = (
    *("Unable to create live FilePath for", "The channel is closing down", "the deployment marker was not delivered"),
    *("doesn't support resume after a restart", "Resume after a restart not supported"),
    *(". The marker is kept", "[Last9] Connection test: ", "Last9 connection test failed, and failOnError is set"),
)


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


# -- warnings -----------------------------------------------------------------------------------------------------------------


def _normal(text: str) -> str:
    return re.sub("(?:…)+", "…", text)


def _template(node: ast.AST | None) -> str:
    """The text of an expression, `…` for what differs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (_template(node.left) or "…") + (_template(node.right) or "…")
    return ""


def _of_function(module: str, function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    for node in ast.walk(function):
        text = _template(node.value) if isinstance(node, ast.Return) else ""
        if re.search(r"\w{3}", text):
            yield f"{module}.{function.name}", text


def _wording() -> Iterator[tuple[str, str]]:
    """Every text of wording/ that may be a warning: who says it, and its template."""
    for file in sorted((ROOT / "python" / "last9_markers" / "wording").glob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        tables = {
            name.id
            for node in tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            for name in ast.walk(node)
            if isinstance(name, ast.Name)
        }
        ordinary = NOT_WARNINGS.get(file.stem, set())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name not in ordinary and (not node.name.startswith("_") or node.name in tables):
                yield from _of_function(file.stem, node)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and not node.targets[0].id.startswith("_"):
                name = node.targets[0].id
                texts = [node.value] if isinstance(node.value, ast.Constant) else []
                if isinstance(node.value, ast.Dict):  # kind → (cause, remedy)
                    texts = [value.elts[0] for value in node.value.values if isinstance(value, ast.Tuple)]
                for text in texts:
                    if name not in ordinary and _template(text):
                        yield f"{file.stem}.{name}", re.sub(r"\{\w+\}", "…", _template(text))


_LITERAL = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")


def _groovy() -> Iterator[tuple[str, str]]:
    """Every literal of six words or more in the library's Groovy, sums of literals joined."""
    for file in sorted((ROOT / "src" / "org" / "last9").glob("*.groovy")):
        source = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.DOTALL)
        source = re.sub(r"(?<!:)//[^\n]*", "", source)
        texts: list[str] = []
        end = -1
        for found in _LITERAL.finditer(source):
            text = re.sub(r"\$\{[^}]*\}|\$\w+", "…", found.group()[1:-1]).replace("\\'", "'")
            if end >= 0 and re.fullmatch(r"(\.toString\(\))?\s*\+\s*", source[end : found.start()]):
                texts[-1] += text
            else:
                texts.append(text)
            end = found.end()
        yield from ((file.stem, text) for text in texts if len(text.split()) >= 6 and not text.startswith(NOT_SAID))


def _launchers() -> Iterator[tuple[str, str]]:
    """What the shell scripts say by themselves."""
    launcher = (ROOT / "resources" / "last9" / "run.sh").read_text("utf-8")
    yield "run.sh", re.findall(r'cause="([^"]+)"', launcher)[0]
    windows = (ROOT / "resources" / "last9" / "run.bat").read_text("utf-8")
    yield "run.bat", re.sub(r"%\w+%", "…", re.findall(r'"LAST9_WARNING=([^"]+)"', windows)[0])
    freestyle = (ROOT / "examples" / "freestyle" / "last9-markers").read_text("utf-8")
    yield "examples/freestyle/last9-markers", re.sub(r"\$\w+", "…", re.findall(r"\[Last9\] WARNING: ([^\"]+)", freestyle)[0])


WARNINGS = [(who, _normal(text)) for who, text in [*_wording(), *_groovy(), *_launchers()]]
ROWS = [_normal(text) for text in re.findall(r"^\| `([^`]+)` \|", TROUBLESHOOTING.read_text("utf-8").split("## Why")[1], re.MULTILINE)]


def test_there_is_something_to_compare() -> None:
    """The reading of the code has found the texts that we know of."""
    speakers = {who for who, _ in WARNINGS}
    assert speakers >= {
        "failures.NETWORK",
        "failures._scope_too_low",
        "inputs.unknown_option",
        "log.INTERRUPTED",
        "Courier",
        "Undelivered",
        "run.sh",
    }
    assert len(WARNINGS) > 70


@pytest.mark.parametrize(("who", "text"), WARNINGS, ids=[f"{who}-{index}" for index, (who, _) in enumerate(WARNINGS)])
def test_every_warning_has_a_row(who: str, text: str) -> None:
    """Whatever the engine, the library or a launcher can warn of is explained in docs/troubleshooting.md."""
    assert any(row in text for row in ROWS), (
        f"docs/troubleshooting.md needs a row for {who}: {text} (or NOT_WARNINGS in this test its name)"
    )


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_a_warning(row: str) -> None:
    """What nothing says any more is not explained either."""
    assert any(row in text for _, text in WARNINGS), f"nothing says: {row}"


def test_what_is_excepted_is_there() -> None:
    """A text that was removed or renamed does not stay on the list of exceptions."""
    for module, names in NOT_WARNINGS.items():
        source = (ROOT / "python" / "last9_markers" / "wording" / f"{module}.py").read_text("utf-8")
        for name in names:
            assert re.search(rf"^(def {name}\(|{name}\b)", source, re.MULTILINE), f"{module}.{name}"


# -- options and variables -----------------------------------------------------------------------------------------------------

PLAIN_OPTIONS = {name for name in KNOWN if not name.endswith(("Param", "EnvVar"))}
#: last9Config's alone: described below the README's table.
OF_CONFIG = {"routingProfiles", "envAllowlist", "paramAllowlist"}


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
        for term in re.findall(r"<dt>(.*?)</dt>", file.read_text("utf-8"), re.DOTALL):
            # In brackets are types and values.
            found.update(re.findall(r"<code>(\w+)</code>", re.sub(r"\(.*?\)", "", term, flags=re.DOTALL)))
    return {name for name in found if not name.endswith(("Param", "EnvVar"))}


def _readme_options() -> set[str]:
    table = README.read_text("utf-8").split("## Options")[1].split("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_every_option_has_a_row_in_the_readme() -> None:
    """README and engine know the same options."""
    readme = README.read_text("utf-8")
    assert _readme_options() >= PLAIN_OPTIONS - OF_CONFIG
    assert all(f"`{name}`" in readme for name in OF_CONFIG & set(PLAIN_OPTIONS))


def test_every_row_in_the_readme_is_an_option() -> None:
    """No option in the README that the engine would call unknown."""
    assert _readme_options() <= PLAIN_OPTIONS | _of_one_step()


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


def test_every_setting_of_an_administrator_is_in_the_administrators_table() -> None:
    """What the README lists as read from the environment is explained where administrators look."""
    readme = README.read_text("utf-8").split("**Where connection fields come from.**")[1].split("##")[0]
    named = set(re.findall(r"`(LAST9_[A-Z_]+)`", readme))
    table = (ROOT / "docs" / "administration.md").read_text("utf-8").split("## Settings for everybody")[1].split("##")[0]
    assert len(named) > 12
    assert set(re.findall(r"`(LAST9_[A-Z_]+)`", table)) == named


def test_the_security_page_names_every_variable_that_is_read() -> None:
    """docs/security.md says what the engine reads, and that there is nothing else: no variable is left out."""
    no_variables = {"NOT_BUILT", "O_BINARY", "O_NOFOLLOW", "USE_CLIENT_DEFAULT"}
    handed_to_git = {"LC_ALL", "LC_CTYPE"}
    page = (ROOT / "docs" / "security.md").read_text("utf-8").split("## What it sends")[0]
    sources = [file for file in (ROOT / "python").rglob("*.py") if "standin" not in file.parts]
    read = {name for file in sources for name in re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', file.read_text("utf-8"))}
    for name in read - no_variables - handed_to_git:
        assert f"`{name}`" in page or name.startswith(("LAST9_", "GIT_")), name


def test_every_make_target_in_the_docs_exists() -> None:
    """`make something` in a document can be typed."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {target for document in DOCS for target in re.findall(r"`make ([a-z][a-z-]*)", document.read_text("utf-8"))}
    assert len(named) > 5
    assert named <= targets


def test_the_readme_and_the_engine_know_the_same_attributes() -> None:
    """Every automatic attribute is described, and none that is not sent."""
    code = "".join(file.read_text("utf-8") for file in (ROOT / "python" / "last9_markers" / "attributes").glob("*.py"))
    sent = set(re.findall(r'"((?:scm|jenkins|deployment)\.[a-z_]+)"', code))
    table = README.read_text("utf-8").split("## Attributes")[1].split("\n\n`deployment.outcome`")[0]
    described = set(
        re.findall(r"`((?:scm|jenkins|deployment)\.[a-z_]+)`", "".join(row.split("|")[1] for row in table.splitlines() if "|" in row))
    )
    assert len(sent) > 15
    assert described == sent


# -- command line --------------------------------------------------------------------------------------------------------------

COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
FLAGS = {option.long: option.name for groups in OF_COMMAND.values() for group in groups for option in group.options}


def test_every_option_of_the_command_line_is_described() -> None:
    """An option is either the step's of the same name, and in the README, or has a row in docs/command-line.md."""
    for flag, name in FLAGS.items():
        assert name in _readme_options() | OF_CONFIG or f"`{flag}" in COMMAND_LINE, f"docs/command-line.md needs a row for {flag}"


def test_no_option_is_described_that_there_is_not() -> None:
    """Every `--option` in the documents for shells is one of the program's."""
    documents = [
        COMMAND_LINE,
        (ROOT / "docs" / "freestyle.md").read_text("utf-8"),
        (ROOT / "docs" / "moving-from-the-plugin.md").read_text("utf-8"),
    ]
    known = {*FLAGS, *(flag.replace("--", "--no-", 1) for flag in FLAGS), *(option.long for option in INDIRECT), "--help", "--version"}
    for flag in {flag for text in documents for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+\b(?!-)", text)}:
        assert flag in known, flag
