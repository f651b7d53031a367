"""``last9-markers COMMAND …``. Each command loads only what it needs: ``step`` runs before and after every deploy.

This module imports nothing that a broken Python could fail on: a ``window`` runs its command even if any other import raises.
"""

from __future__ import annotations

import io
import os
import sys

#: Command → what the usage says of it. Each is ``main(arguments) -> exit code`` in its module of :mod:`last9_markers.cli.commands`.
COMMANDS = {
    "window": "run a command as a deployment window: start, command, stop",
    "send": "send one deployment marker",
    "check": "test the connection to Last9 and say what to change",
    "demo": "show a start and a stop travelling to a fake Last9 on this machine",
    "report": "write a page of what a state file remembers",
    "fake-server": "run that fake Last9",
    "step": "what the Jenkins library calls: step --request FILE",
    "deliver": "what window calls: a request on stdin",
}
#: ``--serves``: how the launcher of Freestyle jobs learns that an interpreter runs this program. Any other may end with 0.
SERVES = 77
#: What other programs call: the library, and we ourselves.
INTERNAL = ("step", "deliver")
#: They print everything and end at once, with their own exit code: Python's would be 120 if the output has no reader.
_EXIT_FAST = (*INTERNAL, "send", "window", "check")


def main(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A console that lacks a character gets its escape, not a traceback; stderr does so by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    command, arguments = (argv[0], argv[1:]) if argv else ("--help", [])
    if command == "help" and arguments and arguments[0] in COMMANDS:
        command, arguments = arguments[0], ["--help"]
    if command in COMMANDS:
        try:
            code = _run(command, arguments)
        except KeyboardInterrupt:
            code = 130  # as in a shell; the command has printed any details
        if command in _EXIT_FAST:
            _exit_fast(code)
        return code
    if command == "--serves":
        return SERVES
    if command == "--version":
        from last9_markers import __version__

        print(f"last9-markers {__version__}")
        return 0
    asked = command in ("--help", "-h", "help")
    print(_usage() if asked else _unknown(command), file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


def _run(command: str, arguments: list[str]) -> int:
    """A broken Python may raise anything on an import, SystemExit included: no deployment is skipped for that."""
    try:
        import importlib

        loaded = importlib.import_module(f"last9_markers.cli.commands.{command.replace('-', '_')}")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - see above
        from last9_markers.cli.shared import alone

        return alone.go_on(command, arguments, error)
    code: int = loaded.main(arguments)
    return code


def run() -> None:
    """The program ``last9-markers``: :func:`main` on the arguments it was started with."""
    sys.exit(main(sys.argv[1:]))


def _exit_fast(code: int) -> None:
    """Everything is said. Taking the interpreter down in good order would cost as much time again as loading half of httpx."""
    for stream in (sys.stdout, sys.stderr):
        # The reader may be gone, and the stream may be closed.
        try:  # noqa: SIM105 - contextlib would be an import more
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    os._exit(code)


def _usage() -> str:
    lines = "\n".join(f"  {name:<11} {text}" for name, text in COMMANDS.items() if name not in INTERNAL)
    more = "Run 'last9-markers COMMAND --help' for details, 'last9-markers --version' for the version."
    return f"usage: last9-markers COMMAND …\n\n{lines}\n\n{more}\nInternal: {', '.join(INTERNAL)}"


def _unknown(command: str) -> str:
    import difflib

    # The word itself is not repeated: it may be the token.
    near = difflib.get_close_matches(command[:40], COMMANDS, n=1)
    advice = f"did you mean '{near[0]}'?" if near else "the commands are below."
    return f"last9-markers: there is no such command: {advice}\n\n{_usage()}"
