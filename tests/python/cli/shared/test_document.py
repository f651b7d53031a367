"""docs/command-line.md: its tables are the code's, and so are the numbers in its prose."""

from __future__ import annotations

import subprocess
import sys

import pytest
from last9_markers.cli.shared.options import OF_COMMAND
from last9_markers.cli.shared.parsing import Parser
from last9_markers.cli.shared.state import MOST_PENDING, MOST_WINDOWS
from last9_markers.cli.window import abort
from support import ROOT

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_the_tables_are_the_codes() -> None:
    """An option or an exit code that changed without `make docs` is found."""
    done = subprocess.run(
        [sys.executable, "tools/command_line_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_page_of_yesterday_is_noticed() -> None:
    """The check can fail: a table that lacks its last row is not what the code says."""
    sys.path.insert(0, str(ROOT / "tools"))
    from command_line_docs import render

    row = "| any other | window | the command's own |\n"
    assert row in PAGE
    assert render(PAGE.replace(row, "")) == PAGE


def test_the_numbers_in_the_prose() -> None:
    """Time limits and bounds are those of the code."""
    assert f"{abort.GRACE_SECONDS:g} s after the\nsignal, all within {abort.LAST_SECONDS:g} s" in PAGE
    assert f"At most {MOST_PENDING} queued markers and {MOST_WINDOWS} open\nwindows" in PAGE


@pytest.mark.parametrize("command", OF_COMMAND)
def test_the_page_has_what_the_help_has(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every option of every command's help stands on the page, and the other way round none is there that no command knows."""
    options = Parser(command, "", OF_COMMAND[command]).options
    shown = [option for group in OF_COMMAND[command] for option in group.options]
    assert {option.long for option in shown} <= {option.long for option in options}
    for option in shown:
        assert f"| `{option.long}{' ' + option.value if option.value else ''}` |" in PAGE
