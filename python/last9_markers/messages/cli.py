"""The command line's own texts."""

from __future__ import annotations

MORE_HELP = "Run '{} --help' for details."
INDIRECT_FIELDS = (
    "The connection fields can be taken from a variable too: --org-slug-env-var NAME. If the variable is a build parameter,\n"
    "so that the person who starts the build chooses its value, use --org-slug-param NAME."
)
VARIABLES = (
    "environment variables: those named above, LAST9_ROUTING_PROFILES, and on this machine LAST9_CA_BUNDLE, SSL_CERT_FILE,\n"
    "REQUESTS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY. An option wins over its variable. The token is never an argument: every\n"
    "process on the machine could see it."
)


# -- arguments -----------------------------------------------------------------------------------------------------------------


def unknown_option(flag: str, nearest: str | None) -> str:
    """A misspelt option."""
    return f"there is no option '{flag}': " + (f"did you mean '{nearest}'?" if nearest else "--help lists the options.")


def stray_argument(word: str) -> str:
    """A word that does not belong to an option. The text does not repeat it: it may be the token."""
    return f"an argument of {len(word)} characters does not belong to an option. Put a value with blanks into quotes."


def value_missing(flag: str) -> str:
    """An option at the end of the line, or before another option."""
    return f"{flag} needs a value ({flag}=… if the value begins with a dash)."


def no_pair(text: str) -> str:
    """``--attribute`` without a name or without an equals sign."""
    return f"--attribute '{text}' is not KEY=VALUE."


def option_missing(flag: str) -> str:
    """A required option."""
    return f"{flag} is missing."


# -- warnings ------------------------------------------------------------------------------------------------------------------


def token_file_unreadable(path: str, reason: str) -> str:
    """``--token-file`` names no readable file."""
    return f"the token file {path} cannot be read ({reason}). Correct --token-file, or bind the token to LAST9_REFRESH_TOKEN."


# -- the state file --------------------------------------------------------------------------------------------------------------


def state_foreign(path: str, reason: str) -> str:
    """``--state`` names a file that we did not write."""
    return f"{path} is not a state file: {reason}. It is ignored and left unchanged. Name another file with --state, or remove this one."


def state_of_another_version(path: str, found: str, ours: int) -> str:
    """``--state`` names a file of a newer or older program."""
    return (
        f"the state file {path} is of version {found}, and this program writes version {ours}. It is ignored and left "
        "unchanged. Use one version of last9-markers in a job, or name another file with --state."
    )


def state_unreadable(path: str, reason: str) -> str:
    """The state file cannot be read."""
    return (
        f"the state file {path} cannot be read ({reason}) and is ignored. Make it readable for the build's user, or name another with "
        "--state."
    )


def state_unwritable(path: str, reason: str) -> str:
    """The state file cannot be written: a full disk, a read-only folder."""
    return (
        f"the state file {path} cannot be written ({reason}), so the new state is lost. Free some space, or use --state to name a file "
        "that the build's user may write."
    )


def state_locked(path: str) -> str:
    """Another process holds the lock."""
    return (
        f"the state file {path} is locked by another process; continuing without it. Look for a last9-markers process that hangs on this "
        "machine, or give each build its own state file."
    )


def pending_dropped(count: int, kept: int) -> str:
    """A long outage, or very large markers."""
    return (
        f"the state file is full: it holds the {kept} newest queued markers; {count} older ones were dropped. The warnings above say "
        "why they could not be delivered."
    )


# -- results ---------------------------------------------------------------------------------------------------------------------


def bad_result(given: str, source: str, known: str) -> str:
    """``--result`` or ``BUILD_RESULT`` is not one of Jenkins' results."""
    return f"{source} must be one of {known}, not '{given}'."


def not_for_this_result(result: str, flag: str) -> str:
    """The switches do not ask for a marker with this result."""
    return f"No marker is sent: the result is {result}, and {flag} is off"


def window_stays_open(result: str, flag: str) -> str:
    """The switches prevent this stop."""
    return (
        f"this window stays open at Last9: the result is {result}, and {flag} is off. Add --on-failure --on-unstable --on-aborted to the "
        "stop of a window."
    )


# -- a window around a command ---------------------------------------------------------------------------------------------------

NO_COMMAND = "there is no command: write it after --, as in window --service-name payments-api -- ./deploy.sh"


def goes_on(problem: str) -> str:
    """An option cannot be used. The command still runs."""
    return f"an option is ignored: {problem}"


def cannot_start(word: str, reason: str) -> str:
    """The command cannot be started: what a shell would say."""
    return f"{word}: {reason}"


def delivery_process_failed(label: str, reason: str) -> str:
    """No process can be started."""
    return (
        f"{label} could not be sent: its process could not be started ({reason}). Check this machine's limits of processes and "
        "memory, and whether Python was removed meanwhile."
    )


def no_attributes_file(reason: str) -> str:
    """LAST9_ATTRIBUTES_FILE cannot be created."""
    return f"LAST9_ATTRIBUTES_FILE could not be created ({reason}). Set TMPDIR to a folder that is writable and has room."


def attributes_file_unreadable(reason: str) -> str:
    """LAST9_ATTRIBUTES_FILE is no longer the file that the command was given."""
    return f"LAST9_ATTRIBUTES_FILE is ignored: {reason}. Append lines KEY=VALUE to it, at most 64 kB."


def attributes_file_lines(count: int) -> str:
    """Lines without a name or an equals sign."""
    lines = "1 line" if count == 1 else f"{count} lines"
    return f"{lines} in LAST9_ATTRIBUTES_FILE ignored: not KEY=VALUE. Write one attribute per line."


def attributes_file_reserved(name: str) -> str:
    """A line sets what every marker has by itself."""
    return f"LAST9_ATTRIBUTES_FILE cannot set '{name}', which every marker has already: ignored. Choose another name."


def delivery_process_silent(label: str) -> str:
    """The delivering process ended without an answer."""
    return (
        f"{label} may not have arrived: the process that delivers it was killed, or ran far longer than its time limit. Check what "
        "kills processes on this machine (memory, limits)."
    )


def window_process_gone(reason: str) -> str:
    """The ``window`` process that asked for the delivery was killed meanwhile."""
    return (
        f"the window process of this marker is gone ({reason}), so its result is unknown. Check what kills processes on this machine "
        "(memory, limits). With --state FILE the next marker that uses the file sends what is missing."
    )


def start_lost() -> str:
    """Nothing keeps the start that was not delivered."""
    return (
        "the start of this window was also lost, because there is no state file. With --state FILE, both are sent with the next "
        "marker that uses the file."
    )


def gone_unreadable(path: str) -> str:
    """The state file's entry of such a window cannot be read."""
    return f"the state file {path} holds a window that cannot be read; it was dropped. No action is needed."
