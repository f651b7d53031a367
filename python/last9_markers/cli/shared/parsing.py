"""Reads arguments by the table of options. For a misspelt option it names the nearest one."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from last9_markers.cli.shared import exit_codes
from last9_markers.cli.shared.options import CONNECTION, INDIRECT, Group, Option
from last9_markers.core.redaction import Redactor
from last9_markers.messages import cli as cli_messages
from last9_markers.request.token import VARIABLE

_WIDTH = 116


class Parsed(NamedTuple):
    """The parsed arguments: option name → value, if given. ``rest``: the arguments after the options.

    ``problems`` are finished texts; they are empty unless :meth:`Parser.read` was asked to go on.
    """

    given: dict[str, Any]
    rest: list[str]
    problems: list[str]


class Parser:
    """The arguments of one command."""

    def __init__(self, command: str, summary: str, groups: Iterable[Group], *, examples: str = "", usage: str = "[options]") -> None:
        """``examples`` and the exit codes end the help; ``usage`` is what the first line shows after the command's name."""
        self.program = f"last9-markers {command}"
        self._groups = tuple(groups)
        options = [option for group in self._groups for option in group.options]
        self._hidden = INDIRECT if CONNECTION in self._groups else ()
        self.options = (*options, *self._hidden)
        self._arguments = _Arguments(
            prog=self.program,
            usage=f"{self.program} {usage}",
            description=summary,
            epilog=_epilog(command, examples, variables=CONNECTION in self._groups),
            formatter_class=_Layout,
            allow_abbrev=False,
            add_help=False,
        )
        for group in self._groups:
            heading = self._arguments.add_argument_group(group.title)
            for option in group.options:
                _add(heading, option, help_text(option))
        for option in self._hidden:
            _add(self._arguments, option, argparse.SUPPRESS)
        self._arguments.add_argument("-h", "--help", action="store_true", help=argparse.SUPPRESS)

    def parse(self, arguments: list[str]) -> dict[str, Any]:
        """The given options. Ends the process: with 0 after ``--help``, with 2 and the usage if something cannot be read."""
        parsed = self.read(arguments)
        problems = [*parsed.problems, *(cli_messages.stray_argument(word) for word in parsed.rest)]
        if problems:
            self.refuse(problems[0])
        return parsed.given

    def read(self, arguments: list[str]) -> Parsed:
        """The given options that can be read. Ends the process only after ``--help``."""
        words = list(arguments)
        problems = []
        while True:
            try:
                found, rest = self._arguments.parse_known_args(words)
                break
            except _Unreadable as error:
                problems.append(error.text)
                kept = [word for word in words if word.partition("=")[0] != error.flag]
                if kept == words:
                    found, rest = argparse.Namespace(help=False), []
                    break
                words = kept
        given = {name: value for name, value in vars(found).items() if value is not None}
        if given.pop("help"):
            self._arguments.print_help()
            raise SystemExit(exit_codes.DONE)
        if isinstance(given.get("customAttributes"), list):
            given["customAttributes"] = _pairs(given["customAttributes"], problems)
        unknown = [word for word in rest if word.startswith("-") and word != "-"]
        problems += [cli_messages.unknown_option(word.partition("=")[0], self.nearest(word)) for word in unknown]
        return Parsed(given, [word for word in rest if word not in unknown], problems)

    def split(self, arguments: list[str]) -> tuple[list[str], list[str]]:
        """Our options, and the command after them, without the ``--`` between.

        Without a ``--`` the command begins at the first word that is neither an option nor an option's value; after an unknown
        option the command cannot be identified, and there is none.
        """
        if "--" in arguments:
            place = arguments.index("--")
            return arguments[:place], arguments[place + 1 :]
        with_value = {option.long for option in self.options if option.value}
        switches = {
            "-h",
            "--help",
            *(flag for option in self.options if not option.value for flag in (option.long, f"--no-{option.long[2:]}")),
        }
        place = 0
        while place < len(arguments) and arguments[place].startswith("-"):
            flag, equals, _ = arguments[place].partition("=")
            if flag not in with_value and flag not in switches:
                return arguments, []
            place += 2 if flag in with_value and not equals else 1
        return arguments[:place], arguments[place:]

    def nearest(self, word: str) -> str | None:
        """The option that was meant, if one is near."""
        import difflib

        known = [*(option.long for option in self.options), *(f"--no-{option.long[2:]}" for option in self.options if not option.value)]
        folded = "--" + word.partition("=")[0].strip("-").replace("_", "-").lower()
        near = difflib.get_close_matches(folded, [*known, "--help"], n=1, cutoff=0.6)
        return near[0] if near else None

    def refuse(self, problem: str) -> NoReturn:
        """Say on stderr what is wrong and how to use the command, and end the process with 2."""
        # The token may be in the wrong place.
        redactor = Redactor()
        redactor.hide(os.environ.get(VARIABLE))
        print(
            f"{self.program}: {redactor.clean(problem)}\n\n{self._arguments.format_usage()}{cli_messages.MORE_HELP.format(self.program)}",
            file=sys.stderr,
        )
        raise SystemExit(exit_codes.USAGE)

    def help(self) -> str:
        """The whole help text."""
        return self._arguments.format_help()


def help_text(option: Option) -> str:
    """An option's line in the help: its meaning, and its default."""
    instead = " or ".join(part for part in (f"${option.variable}" if option.variable else "", option.default) if part)
    return option.help + (f" (default: {instead})" if instead else "")


class _Unreadable(Exception):
    """argparse could not go on because of ``flag``."""

    def __init__(self, flag: str, text: str) -> None:
        super().__init__(text)
        self.flag = flag
        self.text = text


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # "argument --service-name: expected one argument", in all versions of Python there are.
        _, _, rest = message.partition("argument ")
        flag, _, reason = rest.partition(": ")
        flag = flag.partition("/")[0].partition(",")[0].strip()
        raise _Unreadable(flag, cli_messages.value_missing(flag) if "expected one" in reason else f"{flag}: {reason}" if flag else message)


class _Layout(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=36, width=_WIDTH)


def _add(to: argparse._ActionsContainer, option: Option, text: str) -> None:
    text = text.replace("%", "%%") if text != argparse.SUPPRESS else text
    if not option.value:
        to.add_argument(option.long, dest=option.name, action="store_true", default=None, help=text)
        to.add_argument(f"--no-{option.long[2:]}", dest=option.name, action="store_false", default=None, help=argparse.SUPPRESS)
    elif option.repeatable:
        to.add_argument(option.long, dest=option.name, action="append", metavar=option.value, help=text)
    else:
        to.add_argument(option.long, dest=option.name, metavar=option.value, help=text)


def _pairs(given: list[str], problems: list[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key.strip():
            pairs[key.strip()] = value
        else:
            problems.append(cli_messages.no_pair(text))
    return pairs


def _epilog(command: str, examples: str, *, variables: bool) -> str:
    parts = [cli_messages.INDIRECT_FIELDS, cli_messages.VARIABLES] if variables else []
    if examples:
        parts.append("examples:\n" + "\n".join(f"  {line}".rstrip() for line in examples.strip("\n").splitlines()))
    codes = [(code, meaning) for code, commands, meaning in exit_codes.TABLE if commands in ("all", command)]
    lines = (textwrap.wrap(f"  {code:<10} {meaning}", _WIDTH, subsequent_indent=" " * 13) for code, meaning in codes)
    parts.append("exit codes:\n" + "\n".join(line for wrapped in lines for line in wrapped))
    return "\n\n".join(parts)
