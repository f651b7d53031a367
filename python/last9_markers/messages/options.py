"""What was given and cannot be used: in the request, among the options and attributes, in the agent's environment."""

from __future__ import annotations

from collections.abc import Sequence

# -- the request ---------------------------------------------------------------------------------------------------------------


def request_unreadable(detail: str) -> str:
    """The two halves do not understand each other."""
    return (
        f"the engine cannot read the library's request ({detail}). The library's Groovy code and its bundle must come from one "
        "version: check the version that @Library names, and customAttributes for extreme nesting."
    )


def request_missing(detail: str) -> str:
    """The request file is not there."""
    return f"the engine cannot open the library's request ({detail}). Check that the agent's temporary workspace can be read."


def service_name_missing(step: str, *, from_shell: bool) -> str:
    """``serviceName`` is not given."""
    call = f"{step or 'last9DeploymentMarker'}(serviceName: 'payments-api', …)"
    if from_shell:
        call = f"last9-markers {step} --service-name payments-api …"
    return f"serviceName is required. Use the service name of your metrics: {call}."


def no_marker(service: str | None, step: str, state: str, reasons: Sequence[str]) -> str:
    """Why the options make no marker: which one, or whose if it has no name, and the reasons."""
    which = f"for {service}" if service else f"by {step or 'last9DeploymentMarker'}"
    return f"no marker was sent {which} ({state}): {' Also: '.join(reasons)}"


#: What stands where one text is wanted → what is said of it, and what to do if there is no marker without it.
MISFITS = {
    "null": ("is null: the variable or parameter that it is taken from is not set.", "Set it, or leave the option out."),
    "list": ("is a list, but must be one text.", "Call the step once for each."),
    "map": ("is a map, but must be one text.", "Give it a name."),
}


def no_text(name: str, wrong: str) -> str:
    """An optional option that is a list, a map, or the text ``null``."""
    return f"{name} {MISFITS[wrong][0]} It is ignored."


def no_marker_of(name: str, wrong: str, *, required: bool = False) -> str:
    """The same of an option that says which marker this is. ``required``: it cannot be left out."""
    cause, remedy = MISFITS[wrong]
    return f"{name} {cause} {'Set it.' if required and wrong == 'null' else remedy}"


def option_of_config(name: str) -> str:
    """An option that only ``last9Config`` has."""
    return f"{name} is ignored: give it to last9Config, before the first marker."


def bad_event_state(given: str) -> str:
    """``eventState`` is neither."""
    return f"eventState must be 'start' or 'stop' (the default), not '{given}'."


def bad_switch(name: str, given: str, instead: str = "") -> str:
    """A yes/no option is neither."""
    return f"{name} must be true or false, not '{given}'{f'; {instead}' if instead else ''}."


def bad_outcome(given: str) -> str:
    """``outcome`` is none of the five."""
    return f"outcome must be 'success', 'failure', 'unstable', 'aborted' or 'timeout', not '{given}'; using the build's result."


def outcome_without_end(step: str) -> str:
    """``outcome`` where nothing has ended, or where the block itself tells."""
    if step == "withLast9Deployment":
        return "outcome is ignored: the block's own end tells it. Leave it out, or send start and stop with last9DeploymentMarker."
    return "outcome is ignored on a start marker. Set it on the stop."


def bad_attribute_names(given: str, default: str) -> str:
    """``attributeNames`` is neither."""
    return f"attributeNames must be 'dotted' or 'underscore', not '{given}'; using '{default}'."


def bad_timeout(given: str, default: float) -> str:
    """``timeoutSeconds`` is no time."""
    return f"timeoutSeconds must be a number of seconds above 0, not '{given}'; using {default:g}."


def scm_directory_without_repository(folder: str) -> str:
    """``scmDirectory`` names a folder that is not there, or not in a repository."""
    return (
        f"scmDirectory leads to {folder}, where there is no git repository: commit and branch are left out. Name the folder of the "
        "checkout, relative to the folder of the step."
    )


def bad_previous_commit(given: str) -> str:
    """``previousCommit`` is no hash."""
    return f"previousCommit is '{given[:60]}', ignored: give the hash of the commit that was deployed before, 7 to 40 hexadecimal digits."


def unknown_option(name: str, nearest: str | None, *, configured: bool = False) -> str:
    """A misspelt option, of the step itself or of ``last9Config``."""
    place = " in last9Config" if configured else ""
    advice = f"did you mean '{nearest}'?" if nearest else "see the step's help for the options there are."
    return f"unknown option '{name}'{place}, ignored: {advice}"


def password_not_sent(name: str) -> str:
    """An allowlist names a password parameter."""
    return f"'{name}' is a password parameter and is not sent. Remove it from the allowlist."


# -- attributes ----------------------------------------------------------------------------------------------------------------


def custom_attributes_no_map() -> str:
    """``customAttributes`` is not a map."""
    return "customAttributes is not a map, ignored. Write customAttributes: [team: 'payments']."


def attribute_without_name() -> str:
    """A blank key."""
    return "customAttributes has an entry without a name, ignored. Give it one."


def attributes_cut(names: list[str], most: int) -> str:
    """Values that nobody reads, or names."""
    return f"cut to {most:,} bytes each: {_some(names)}."


def message_cut(most: int) -> str:
    """Nobody reads a longer one in a list of events."""
    return f"message is longer than {most} characters; using its beginning."


def no_room_for(names: list[str], most: int) -> str:
    """More labels than a series may have."""
    return f"a marker has at most {most} labels, so these are left out: {_some(names)}. Name fewer attributes; the first ones count."


def _some(names: list[str]) -> str:
    shown = [name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…" for name in names[:_MOST_SHOWN]]
    return ", ".join(shown) + (", …" if len(names) > _MOST_SHOWN else "")


_LONGEST_SHOWN, _MOST_SHOWN = 60, 10


def option_cut(name: str, most: int) -> str:
    """A name or a text that is longer than anybody would read."""
    return f"{name} is longer than {most:,} bytes; using its beginning."


def attribute_not_settable(name: str) -> str:
    """The two attributes that tie a window together."""
    return f"customAttributes cannot set '{name}', which ties a start to its stop: ignored. Choose another name."


def attribute_of_the_event(name: str) -> str:
    """A label that the series has by itself."""
    return f"customAttributes cannot set '{name}', which every marker has already: ignored. Choose another name."


def source_failed(name: str, error: Exception) -> str:
    """A source of attributes broke."""
    return f"the {name} attributes are missing ({type(error).__name__}: {error}). The marker goes without them; please report this."


# -- settings of the agent -----------------------------------------------------------------------------------------------------


def token_with_blanks() -> str:
    """The secret was pasted with a line break."""
    return "the refresh token has blanks or a line break around it; they were cut off. Save the credential again without them."


def proxy_unusable(variable: str, reason: str) -> str:
    """A proxy variable that cannot be used."""
    return f"{variable} is left out: {reason}. Set it to http://host:port (a password's special characters as %XX), or unset it."


def ca_unusable(variable: str, path: str, reason: str) -> str:
    """A CA bundle that cannot be used."""
    return f"{variable} is left out: {path} cannot be read as PEM certificates ({reason}). Correct the path or unset it."


def ca_damaged(variable: str, path: str, count: int) -> str:
    """Certificates of a bundle or a folder that cannot be read, while others can; "" if there is none."""
    if not count:
        return ""
    which = "1 certificate is" if count == 1 else f"{count} certificates are"
    return f"{which} damaged in {path} ({variable}), and left out. Replace the file; the others in it count."


def ca_folder_empty(variable: str, path: str) -> str:
    """A folder of CA certificates without any."""
    return f"{variable} adds nothing: there is no PEM certificate in {path}. Correct the path or unset it."


def pending_unreadable(label: str) -> str:
    """Something that was kept is no marker."""
    return f"{label}, kept from before, cannot be read and is dropped. The library's Groovy code and its bundle must come from one version."
