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
    """A word that belongs to no option."""
    return f"'{word}' belongs to no option. Put a value with blanks into quotes."


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


def unknown_profile(name: str, known: list[str]) -> str:
    """A routing profile that is nowhere defined."""
    return (
        f"no marker: routing profile '{name}' is not defined (known: {', '.join(known) or 'none'}). Define it in LAST9_ROUTING_PROFILES, "
        "or correct its name."
    )


def profiles_unreadable() -> str:
    """``LAST9_ROUTING_PROFILES`` is not what it should be."""
    return 'no marker: LAST9_ROUTING_PROFILES is not a JSON object. Correct it where it is set: {"acme": {"orgSlug": "acme"}}.'


def token_file_unreadable(path: str, reason: str) -> str:
    """``--token-file`` names no readable file."""
    return f"the token file {path} cannot be read ({reason}). Correct --token-file, or bind the token to LAST9_REFRESH_TOKEN."
