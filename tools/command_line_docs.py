"""Writes the tables of docs/command-line.md from the code: options, variables, exit codes. `--check` only compares."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

from last9_markers.cli.main import COMMANDS, INTERNAL  # noqa: E402
from last9_markers.cli.shared import exit_codes  # noqa: E402
from last9_markers.cli.shared.options import OF_COMMAND, Group, Option  # noqa: E402

PAGE = ROOT / "docs" / "command-line.md"
_BLOCK = re.compile(r"(<!-- written by tools/command_line_docs\.py: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is as it would be written."""
    before = PAGE.read_text(encoding="utf-8")
    after = render(before)
    if arguments == ["--check"]:
        if after != before:
            print("docs/command-line.md is not what the code says: run make docs", file=sys.stderr)
        return int(after != before)
    PAGE.write_text(after, encoding="utf-8")
    return 0


def render(page: str) -> str:
    """The page with its tables as the code has them. Raises ``KeyError`` if it asks for a table that does not exist."""
    tables = {"commands": _commands(), "options": _options(), "variables": _variables(), "exits": _exits()}
    return _BLOCK.sub(lambda found: found[1] + tables[found[2]] + found[3], page)


def _commands() -> str:
    return _table(("command", "does"), ((f"`{name}`", text) for name, text in COMMANDS.items() if name not in INTERNAL))


def _options() -> str:
    return "\n".join(
        f"**{group.title[0].upper()}{group.title[1:]}** ({', '.join(f'`{name}`' for name in commands)})\n\n"
        + _table(("option", "meaning", "if it is not given"), map(_row, group.options))
        for group, commands in _groups()
    )


def _groups() -> Iterator[tuple[Group, list[str]]]:
    groups = {group.title: group for groups in OF_COMMAND.values() for group in groups}
    for title, group in groups.items():
        yield group, [command for command, theirs in OF_COMMAND.items() if any(their.title == title for their in theirs)]


def _row(option: Option) -> tuple[str, str, str]:
    written = f"`{option.long}{' ' + option.value if option.value else ''}`"
    instead = ", else ".join(part for part in (_named(option.variable), option.default) if part)
    return written, option.help.replace("<", "&lt;") + (" (may be repeated)" if option.repeatable else ""), instead


def _named(variable: str) -> str:
    name, _, more = variable.partition(" ")
    return f"`${name}`" + (f" {more}" if more else "") if name else ""


def _variables() -> str:
    options = [option for groups in OF_COMMAND.values() for group in groups for option in group.options if option.variable]
    named = {option.variable.partition(" ")[0]: f"as `{option.long}`" for option in options}
    rows = {**named, **_OTHERS}
    return _table(("variable", "meaning"), ((f"`{name}`", text) for name, text in sorted(rows.items())))


#: Variables that no option stands for.
_OTHERS = {
    "LAST9_REFRESH_TOKEN": "the refresh token itself",
    "LAST9_ROUTING_PROFILES": 'JSON: profile → fields, as in `{"acme": {"orgSlug": "acme", "credentialId": "acme-token"}}`',
    "LAST9_CA_BUNDLE": "PEM file of CAs to trust besides the system's; also `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`",
    "HTTPS_PROXY": "proxy on the way to Last9; also `NO_PROXY`",
    "BUILD_USER_ID": "who started the build (build user vars plugin): `jenkins.build_user`",
}


def _exits() -> str:
    return _table(("code", "of", "meaning"), ((code, commands, meaning) for code, commands, meaning in exit_codes.TABLE))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    shown = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in (head, *rows)]
    return "".join([shown[0], "|" + "---|" * len(head) + "\n", *shown[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
