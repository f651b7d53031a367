"""The command: started as a shell would start it, with our own terminal, streams and process group."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping

from last9_markers.cli.shared import exit_codes
from last9_markers.cli.window.signals import Signals

#: How much of a file tells a script from a program for another machine.
_HEAD_BYTES = 512


class CannotStart(Exception):
    """``code`` is what a shell would exit with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def start(words: list[str], environ: Mapping[str, str], signals: Signals) -> subprocess.Popen[bytes]:
    """Start it, without a shell between. Raises :exc:`CannotStart`.

    A file that is executable but names no interpreter is a shell script, as ``execvp`` has it. Every descriptor is passed on, not the
    first three alone: a jobserver of ``make`` or ``<(…)`` of bash may be among them.
    """
    try:
        return _start(words, environ, signals)
    except OSError as error:
        path = _found(words[0], environ) if error.errno == errno.ENOEXEC else None
        if path is None or not _is_text(path):
            raise CannotStart(_code(error), error.strerror or type(error).__name__) from None
    except (ValueError, subprocess.SubprocessError) as error:
        raise CannotStart(exit_codes.CANNOT_EXECUTE, str(error)) from None
    try:
        return _start(["/bin/sh", path, *words[1:]], environ, signals)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise CannotStart(exit_codes.CANNOT_EXECUTE, str(error)) from None


def _start(words: list[str], environ: Mapping[str, str], signals: Signals) -> subprocess.Popen[bytes]:
    if os.name == "nt":
        return subprocess.Popen(words, env=dict(environ), close_fds=False)
    return subprocess.Popen(words, env=dict(environ), close_fds=False, preexec_fn=signals.restore)


def _code(error: OSError) -> int:
    return exit_codes.NOT_FOUND if error.errno in (errno.ENOENT, errno.ENOTDIR) else exit_codes.CANNOT_EXECUTE


def _found(name: str, environ: Mapping[str, str]) -> str | None:
    import shutil

    return name if os.sep in name else shutil.which(name, path=environ.get("PATH"))


def _is_text(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"\0" not in file.read(_HEAD_BYTES)
    except OSError:
        return False
