"""``deliver``: what ``window`` starts for each of its markers. A request on stdin, the answer to a descriptor, the log on stderr."""

from __future__ import annotations

import os
import sys

from last9_markers.cli.shared.invocation import CliLog
from last9_markers.messages import cli as cli_messages
from last9_markers.runner.serve import serve


def main(arguments: list[str]) -> int:
    """Deliver one marker, as ``step`` does, but say it in a shell's terms; ``--quiet`` says warnings alone.

    ``--answer-to N`` is the descriptor that takes the answer; stdout, the default, may also hold output of the interpreter.
    """
    words = list(arguments)
    target = int(words[words.index("--answer-to") + 1]) if "--answer-to" in words else 1

    def write(line: bytes) -> None:
        with os.fdopen(target, "wb", closefd=target != 1) as stream:
            stream.write(line)

    log = CliLog(quiet="--quiet" in words)
    return serve(lambda: sys.stdin.buffer.read().decode("utf-8", "replace"), log, write, cli_messages.window_process_gone)
