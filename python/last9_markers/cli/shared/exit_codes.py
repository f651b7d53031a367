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
    (f"{DONE}", "send", "done; also if the marker could not be delivered (a build does not fail for that) or the result asked for none"),
    (f"{DONE}", "window", "the command's own; also if a marker could not be delivered"),
    (f"{DONE}", "check", "nothing has failed"),
    (f"{DONE}", "report", "the page is written"),
    (f"{FAILED}", "send", "the marker was not delivered, and --fail-on-error is given"),
    (f"{FAILED}", "window", "the command's own; or a marker was not delivered, --fail-on-error is given, and the command ended with 0"),
    (f"{FAILED}", "check", "something has failed"),
    (f"{FAILED}", "report", "there is no page"),
    (
        f"{USAGE}",
        "all",
        "the arguments cannot be read; nothing was done (window: the command was not run, because it could not be identified)",
    ),
    (f"{CANNOT_RUN}", "all", "this Python cannot run the program: it is older than 3.9, or has no ssl or zlib"),
    (f"{CANNOT_EXECUTE}", "window", "the command was found but cannot be executed"),
    (f"{NOT_FOUND}", "window", "the command was not found"),
    (f"{SIGNALLED}+n", "window", "the command was ended by signal n, or signal n came before it began"),
    ("any other", "window", "the command's own"),
)


def of_signal(number: int) -> int:
    """The exit code that a shell gives to what a signal has ended."""
    return SIGNALLED + number


def of_child(returncode: int) -> int:
    """The same of a process, from what `subprocess` calls its return code: minus the signal that has ended it, if one has."""
    return returncode if returncode >= 0 else of_signal(-returncode)
