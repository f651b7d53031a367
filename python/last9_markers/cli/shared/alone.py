"""What is left to do if this Python cannot load a command: a broken installation, in a way that the launchers' probe does not see.

It needs nothing but what every interpreter has loaded before the first line of a program: ``os`` and ``sys``.
"""

from __future__ import annotations

import os
import sys

from last9_markers.messages import broken_python

#: As in :mod:`.exit_codes`, which is one import more that may fail.
_DONE, _FAILED, _USAGE, _CANNOT_RUN, _CANNOT_EXECUTE, _NOT_FOUND, _SIGNALLED = 0, 1, 2, 97, 126, 127, 128
_TOKEN = "LAST9_REFRESH_TOKEN"  # noqa: S105 - the variable's name


def go_on(command: str, arguments: list[str], error: BaseException) -> int:
    """Say in one line why there is no marker, run the command of a ``window`` all the same, and return the exit code."""
    problem = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    said = broken_python.not_loaded(sys.executable or "this Python", problem)
    # `step`: the launcher goes on to the next interpreter, and decides whether to warn.
    _say(f"[Last9] {said}" if command == "step" else f"[Last9] WARNING: no deployment marker was sent: {said}")
    options, words = _split(arguments)
    fails = _is_on("--fail-on-error", "--no-fail-on-error", options)
    if command == "window":
        return _run(words, fails, passes_token=_is_on("--pass-token", "--no-pass-token", options))
    if command == "send":
        return _FAILED if fails else _DONE
    return _CANNOT_RUN if command != "step" else _FAILED


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _is_on(flag: str, opposite: str, options: list[str]) -> bool:
    """Whether the last of the two that is given is ``flag``."""
    return next((word == flag for word in reversed(options) if word in (flag, opposite)), False)


def _run(words: list[str], fails: bool, *, passes_token: bool) -> int:
    if not words:
        _say("last9-markers window: there is no telling what to run: write -- before the command")
        return _USAGE
    environ = dict(os.environ)
    if not passes_token:
        environ.pop(_TOKEN, None)
    if os.name != "posix":
        import subprocess

        code = subprocess.call(words, env=environ)
    else:
        code = _fork(words, environ)
    return _FAILED if fails and code == _DONE else code


def _fork(words: list[str], environ: dict[str, str]) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        import _signal  # type: ignore[import-not-found] # what signal is made of

        for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, which a program inherits
            _signal.signal(getattr(_signal, name), _signal.SIG_DFL)
        try:
            os.execvpe(words[0], words, environ)  # noqa: S606 - the user's own command
        except OSError as error:
            _say(f"last9-markers window: {words[0]}: {error.strerror}")
            os._exit(_NOT_FOUND if isinstance(error, (FileNotFoundError, NotADirectoryError)) else _CANNOT_EXECUTE)
    status = os.waitpid(child, 0)[1]
    return _SIGNALLED + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _say(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # no one reads it
        pass
