"""Why the connection options cannot be used: each text is the reason in a line that begins with "no marker was sent"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from last9_markers.messages import options

CONFIG = "last9Config"

#: What was given in place of a name → the message and the remedy.
MISFITS = {
    "null": options.MISFITS["null"],
    "list": ("is a list, but must be one name.", "Give one."),
    "map": ("is a map, but must be one name.", "Give one."),
    "long": ("is too long for a name.", "Correct it."),
}


def no_text(named: str, wrong: str) -> str:
    """A list, a map, the text ``null`` or a very long text in place of a name."""
    return f"{named} {' '.join(MISFITS[wrong])}"


def password_parameter(option: str, name: str) -> str:
    """A password's value would stand in addresses, requests and the log."""
    return f"{option} names the password parameter '{name}', whose value must not be shown. Use a text parameter."


def ambiguous(spellings: Iterable[str]) -> str:
    """Variables that Jenkins does not tell apart."""
    return (
        f"the variables {' and '.join(spellings)} have different values, and Jenkins ignores the case of their names. Remove one: "
        "it may be a build parameter, whose value is chosen by the person who starts the build."
    )


def unknown_profile(name: str, known: Sequence[str], from_shell: bool) -> str:
    """A routing profile that is not defined."""
    place = "LAST9_ROUTING_PROFILES" if from_shell else "last9Config(routingProfiles: [...]) or LAST9_ROUTING_PROFILES"
    return f"routing profile '{name}' is not defined (known: {', '.join(known) or 'none'}). Define it in {place}, or correct its name."


def profile_defined_twice(name: str, places: Iterable[str]) -> str:
    """It is not clear which of the two is meant."""
    return f"routing profile '{name}' is defined twice ({' and '.join(dict.fromkeys(places))}). Remove one definition."


def profile_no_map(name: str, place: str, from_shell: bool) -> str:
    """A profile that is a text, a list or null."""
    example = '{"orgSlug": "acme"}' if from_shell or place != CONFIG else "[orgSlug: 'acme']"
    return f"routing profile '{name}' in {place} is not a map of connection fields. Write it as {example}."


def profile_field(name: str, field: str, fields: Iterable[str]) -> str:
    """A misspelt field."""
    return f"routing profile '{name}' has an unknown field '{field}'. Its fields are {', '.join(map(repr, fields))}."


def profiles_unreadable(from_shell: bool) -> str:
    """``LAST9_ROUTING_PROFILES`` cannot be read."""
    place = "Correct it" if from_shell else "Ask the administrator to correct it"
    return f'LAST9_ROUTING_PROFILES is not a JSON object. {place}: {{"acme": {{"orgSlug": "acme"}}}}.'


def configured_profiles_no_map() -> str:
    """``routingProfiles`` of ``last9Config``."""
    return "routingProfiles in last9Config is not a map. Write routingProfiles: [acme: [orgSlug: 'acme']]."


def another_credential(profile: str, wanted: str, bound: str) -> str:
    """Groovy and the engine have read different profiles."""
    return (
        f"routing profile '{profile}' names credential '{wanted}', but the credential that is bound is '{bound}'. Set "
        "LAST9_ROUTING_PROFILES and LAST9_ROUTING_PROFILE in Jenkins, and not on the agent."
    )


def client_setting_ignored(names: Sequence[str]) -> str:
    """Certificates and proxies decide which server is trusted as Last9."""
    verb = "is" if len(names) == 1 else "are"
    return f"{', '.join(names)} {verb} ignored: a build parameter has that name, and could lead the token to another machine. Rename it."
