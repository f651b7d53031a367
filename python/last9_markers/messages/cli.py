"""The command line's own texts."""

from __future__ import annotations

MORE_HELP = "'{} --help' tells more."
INDIRECT_FIELDS = (
    "The fields of 'where it goes' can be taken from a variable too: --org-slug-env-var NAME; --org-slug-param NAME where the\n"
    "variable is a build parameter, so that whoever starts the build chooses it."
)
VARIABLES = (
    "environment variables: those named above, LAST9_ROUTING_PROFILES, and on this machine LAST9_CA_BUNDLE, SSL_CERT_FILE,\n"
    "REQUESTS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY. An option wins over its variable. The token is never an argument: every\n"
    "process on the machine could see it."
)


# -- arguments -----------------------------------------------------------------------------------------------------------------


def unknown_option(flag: str, nearest: str | None) -> str:
    """A misspelt option."""
    return f"there is no option '{flag}': " + (f"did you mean '{nearest}'?" if nearest else "--help lists those there are.")


def stray_argument(word: str) -> str:
    """A word that belongs to no option. It is not repeated: somebody may have put the token there."""
    return f"an argument of {len(word)} characters belongs to no option. Put a value with blanks into quotes."


def value_missing(flag: str) -> str:
    """An option at the end of the line, or before another option."""
    return f"{flag} needs a value ({flag}=… where the value begins with a dash)."


def no_pair(text: str) -> str:
    """``--attribute`` without a name or without an equals sign."""
    return f"--attribute '{text}' is no KEY=VALUE."


def option_missing(flag: str) -> str:
    """A required option."""
    return f"{flag} is missing."


# -- warnings ------------------------------------------------------------------------------------------------------------------


def token_file_unreadable(path: str, reason: str) -> str:
    """``--token-file`` names no readable file."""
    return f"the token file {path} cannot be read ({reason}). Correct --token-file, or bind the token to LAST9_REFRESH_TOKEN."


# -- the state file --------------------------------------------------------------------------------------------------------------


def state_foreign(path: str, reason: str) -> str:
    """``--state`` names something that is not ours."""
    return (
        f"{path} is no state file: {reason}. It is left as it is, and nothing of it is used. Name another file with --state, or remove "
        "this one."
    )


def state_of_another_version(path: str, found: str, ours: int) -> str:
    """``--state`` names a file of a newer or older program."""
    return (
        f"the state file {path} is of version {found}, and this program writes version {ours}. It is left as it is, and nothing of it is "
        "used. Use one version of last9-markers in a job, or name another file with --state."
    )


def state_unreadable(path: str, reason: str) -> str:
    """The state file cannot be read."""
    return (
        f"the state file {path} cannot be read ({reason}), so nothing of it is used. Let the build's user read it, or name another with "
        "--state."
    )


def state_unwritable(path: str, reason: str) -> str:
    """The state file cannot be written: a full disk, a read-only folder."""
    return (
        f"the state file {path} cannot be written ({reason}): what should be remembered is lost. Free some space, or name a file with "
        "--state where the build's user may write."
    )


def state_locked(path: str) -> str:
    """Another process keeps the lock."""
    return (
        f"the state file {path} is kept busy by another process: this marker goes without it. Look for a last9-markers that hangs on this "
        "machine, or give each build a state file of its own."
    )


def pending_dropped(count: int, kept: int) -> str:
    """An outage that lasts, or markers of a size that nobody expects."""
    return (
        f"the state file is full: it holds the {kept} newest undelivered markers; {count} older ones are dropped. The warnings before this "
        "one say why Last9 does not get them."
    )


# -- results ---------------------------------------------------------------------------------------------------------------------


def bad_result(given: str, source: str, known: str) -> str:
    """``--result`` or ``BUILD_RESULT`` is none of Jenkins' results."""
    return f"{source} must be one of {known}, not '{given}'."


def not_for_this_result(result: str, flag: str) -> str:
    """A result that the switches do not ask for."""
    return f"No marker is sent: the result is {result}, and {flag} is off"


def window_stays_open(result: str, flag: str) -> str:
    """A stop that the switches hold back."""
    return (
        f"this window stays open at Last9: the result is {result}, and {flag} is off. Give the stop of a window --on-failure --on-unstable "
        "--on-aborted."
    )


# -- a window around a command ---------------------------------------------------------------------------------------------------

NO_COMMAND = "there is no command: write it after --, as in window --service-name payments-api -- ./deploy.sh"


def goes_on(problem: str) -> str:
    """An option that cannot be used: the command runs all the same."""
    return f"an option is ignored: {problem}"


def cannot_start(word: str, reason: str) -> str:
    """The command cannot be started: what a shell would say."""
    return f"{word}: {reason}"


def delivery_process_failed(label: str, reason: str) -> str:
    """No process can be started."""
    return (
        f"{label} could not be sent: no process can be started for it ({reason}). Look for a limit of processes or memory on this "
        "machine, and for a Python that was removed meanwhile."
    )


def no_attributes_file(reason: str) -> str:
    """LAST9_ATTRIBUTES_FILE cannot be made."""
    return f"the command gets no LAST9_ATTRIBUTES_FILE ({reason}): there is no room or no right for a temporary file. Set TMPDIR."


def attributes_file_unreadable(reason: str) -> str:
    """What lies in the place of LAST9_ATTRIBUTES_FILE is not the file that the command was given."""
    return f"what the command has written to LAST9_ATTRIBUTES_FILE is ignored: {reason}. Append lines KEY=VALUE to it, 64 kB at most."


def attributes_file_lines(count: int) -> str:
    """Lines without a name or a sign of equality."""
    lines = "1 line" if count == 1 else f"{count} lines"
    return f"{lines} in LAST9_ATTRIBUTES_FILE ignored: no KEY=VALUE. Write one attribute a line."


def attributes_file_reserved(name: str) -> str:
    """A line sets what every marker has by itself."""
    return f"LAST9_ATTRIBUTES_FILE cannot set '{name}', which every marker has already: ignored. Choose another name."


def delivery_process_silent(label: str) -> str:
    """The delivering process ended without an answer."""
    return (
        f"{label} may not have arrived: the process that delivers it was ended, or took far longer than its time limit. Look for whoever "
        "ends processes on this machine (memory, limits)."
    )


def window_process_gone(reason: str) -> str:
    """The ``window`` process that asked for the delivery was killed meanwhile."""
    return (
        f"the window process of this marker is gone ({reason}), so nobody learns what became of it. Look for whoever ends processes on "
        "this machine (memory, limits). With --state FILE the next marker that uses the file sends what is missing."
    )


def start_lost() -> str:
    """Nobody keeps what Last9 has not got."""
    return (
        "the start of this window is not with Last9 either, and nothing keeps it. With --state FILE both would go out with the next marker "
        "that uses the file."
    )


def gone_unreadable(path: str) -> str:
    """What the state file holds of a window whose process was killed is no window."""
    return f"the state file {path} has a window of a process that is gone, and it cannot be read: it is dropped."
