"""docs/troubleshooting.md against the code: a row for each warning, and no row without a warning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"

#: Texts of messages/ that are not warnings, by module. What is not here needs a row in docs/troubleshooting.md.
NOT_WARNINGS = {
    "check": {
        # findings that are well, and the frame around them
        *("line", "BEGINS", "summary", "fail_build", "interpreter", "bundle", "host", "organization", "organization_proven", "no_proxy"),
        *("proxy", "name_known", "connected", "certificate", "no_tls", "clock", "exchanged", "scope", "scope_proven", "token", "written"),
        "SOURCES",
    },
    # answers to arguments that cannot be read, and the help
    "cli": {
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
    "left_open": {"closed"},
    "report": {"written", "lies_at"},
    # the log's ordinary lines, and additions to others
    "progress": {
        *("sending", "sent_late", "closed_killed", "dry_run", "fail_build", "kept", "SENT", "KEPT_BY_A_SHELL", "STILL_KEPT", "outage"),
        # with LAST9_DEBUG
        *("begun", "going_to", "way", "roots", "attempt", "pause", "folder_of_others", "attributes_left_out"),
        *("no_repository", "another_repository", "checkout_left_over"),
    },
    "failures": {"explain", "addresses"},
    # what is as it should be, the lines around it, and the ends of sentences
    "reading": {
        *("stays", "begins", "unreadable", "by_hand", "data_source", "service_known", "environment_known", "did_you_mean", "events_seen"),
        *("stored", "labels_as_sent", "time_as_sent"),
    },
    # they end what MISFITS says
    "options": {"no_text", "no_marker_of"},
    "routing": {"no_text", "CONFIG"},
}
#: Groovy's literals of some length that are not warnings: what Jenkins says and we compare with; a reason of last resort; the end of
#: every warning about a marker that is kept; the frame around the findings of a connection test.
NOT_SAID = (
    *("Unable to create live FilePath for", "The channel is closing down", "the deployment marker was not delivered"),
    *("Timeout waiting for agent to come back", "doesn't support resume after a restart", "Resume after a restart not supported"),
    "(?s).* completed with status ",
    *(". The marker is queued", "[Last9] Connection test: ", "Last9 connection test failed, and failOnError is set"),
    *(
        "Required context class hudson.FilePath is missing",
        "cannot be resumed after a controller restart",
        "it is not known whether Last9 has",
    ),
)


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


def _messages() -> Iterator[tuple[str, str]]:
    """Every text of messages/ that may be a warning: who says it, and its template."""
    for file in sorted((ROOT / "python" / "last9_markers" / "messages").glob("*.py")):
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
    scripts = (
        ("run.sh", "resources/last9/run.sh"),
        ("run.bat", "resources/last9/run.bat"),
        ("last9-markers", "examples/freestyle/last9-markers"),
    )
    said = re.compile(r"""(?:\bwarn |LAST9_WARNING=|\[Last9\] WARNING: |damage=|named=|reason=)["']?([^"'\n]+ [^"'\n]+)""")
    for name, path in scripts:
        for text in said.findall((ROOT / path).read_text("utf-8")):
            if len(text.split()) >= 4:
                yield name, re.sub(r"%\w+(:~2)?%|@\w+@|\$\{[^}]*\}|\$\w+", "…", text)
    by_curl = (ROOT / "resources" / "last9" / "curl.sh").read_text("ascii")
    for text in ("".join(found) for found in re.findall(r"""finish false (?:"([^"\n]+)"|'([^'\n]+)')""", by_curl)):
        yield "curl.sh", re.sub(r"\$\w+", "…", text.replace("$6: ", "").replace("the exchange of the refresh token failed: ", ""))
    first = (ROOT / "python" / "bundle" / "first.py").read_text("ascii")
    for text in ("it lacks the module ", "%s is damaged"):
        assert text in first
        yield "first.py", text.replace("%s", "last9-markers-….pyz").strip() + " …"


WARNINGS = [(who, _normal(text)) for who, text in [*_messages(), *_groovy(), *_launchers()]]
ROWS = [_normal(text) for text in re.findall(r"^\| `([^`]+)` \|", TROUBLESHOOTING.read_text("utf-8").split("## Why")[1], re.MULTILINE)]


def test_there_is_something_to_compare() -> None:
    """The reading of the code has found the texts that we know of."""
    speakers = {who for who, _ in WARNINGS}
    assert speakers >= {
        "failures.NETWORK",
        "failures._scope_too_low",
        "options.unknown_option",
        "progress.INTERRUPTED",
        "EngineClient",
        "PendingMarkers",
        "run.sh",
        "curl.sh",
        "CurlDestination",
    }
    assert len(WARNINGS) > 70


@pytest.mark.parametrize(("who", "text"), WARNINGS, ids=[f"{who}-{index}" for index, (who, _) in enumerate(WARNINGS)])
def test_every_warning_has_a_row(who: str, text: str) -> None:
    """Each warning of the engine, the library or a launcher is explained in docs/troubleshooting.md."""
    assert any(row in text for row in ROWS), (
        f"docs/troubleshooting.md needs a row for {who}: {text} (or NOT_WARNINGS in this test its name)"
    )


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_a_warning(row: str) -> None:
    """A warning that no longer exists is not explained either."""
    assert any(row in text for _, text in WARNINGS), f"nothing says: {row}"


def test_what_is_excepted_is_there() -> None:
    """A text that was removed or renamed does not stay on the list of exceptions."""
    for module, names in NOT_WARNINGS.items():
        source = (ROOT / "python" / "last9_markers" / "messages" / f"{module}.py").read_text("utf-8")
        for name in names:
            assert re.search(rf"^(def {name}\(|{name}\b)", source, re.MULTILINE), f"{module}.{name}"
