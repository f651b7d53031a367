"""Every exit code of ``last9-markers``, in one table: the commands return these, the help and docs/command-line.md show it."""

from __future__ import annotations

DONE = 0
FAILED = 1
USAGE = 2
CANNOT_RUN = 97
CANNOT_EXECUTE = 126
NOT_FOUND = 127
SIGNALLED = 128

#: Exit code as it is written → which commands have it → what it means.
TABLE = (
    (
        f"{DONE}",
        "all",
        "done; also where a marker could not be delivered (a deployment does not fail for that) or the result asked for none",
    ),
    (
        f"{FAILED}",
        "all",
        "a marker was not delivered, and --fail-on-error is given (window: and the command itself succeeded); check: something is amiss; "
        "report: there is none",
    ),
    (f"{USAGE}", "all", "the arguments cannot be read; nothing was sent (window: and there is no telling what to run)"),
    (f"{CANNOT_RUN}", "all", "this Python cannot run the program: it is older than 3.9, or has no ssl or zlib"),
    (f"{CANNOT_EXECUTE}", "window", "the command was found but cannot be executed"),
    (f"{NOT_FOUND}", "window", "the command was not found"),
    (f"{SIGNALLED}+n", "window", "the command was ended by signal n, or signal n came before it began"),
    ("any other", "window", "the command's own"),
)


def of_signal(number: int) -> int:
    """The exit code that a shell gives to what a signal has ended."""
    return SIGNALLED + number
