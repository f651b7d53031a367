"""The commands of ``last9-markers``. Each loads only what it needs: ``step`` runs before and after every deploy."""

from __future__ import annotations

import contextlib
import io
import os
import sys

_USAGE = """\
usage: last9-markers COMMAND …

  send      send one deployment marker
  demo      show a start and a stop travelling to a stand-in for Last9 on this machine
  standin   run that stand-in
  step      what the Jenkins library calls: step --request FILE

last9-markers COMMAND --help tells more. last9-markers --version
"""


def main(argv: list[str]) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A console that lacks a character gets its escape, not a traceback; stderr does so by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    command, arguments = (argv[0], argv[1:]) if argv else ("--help", [])
    if command == "step" and len(arguments) == 2 and arguments[0] == "--request":
        from last9_markers import step

        code = step.main(arguments[1])
        for stream in (sys.stdout, sys.stderr):
            # Where nobody listens any more there is nobody to tell.
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        # Everything is said. Taking the interpreter down in good order would cost as much time again as loading half of httpx.
        os._exit(code)
    if command == "send":
        from last9_markers import send

        return send.main(arguments)
    if command == "standin":
        from last9_markers.standin import command as standin

        return standin.main(arguments)
    if command == "demo":
        from last9_markers import demo

        return demo.main(arguments)
    if command == "--version":
        from last9_markers import __version__

        print(f"last9-markers {__version__}")
        return 0
    asked = command in ("--help", "-h", "help")
    print(_USAGE, end="", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


def run() -> None:
    """The program ``last9-markers``: :func:`main` on the arguments it was started with."""
    sys.exit(main(sys.argv[1:]))
