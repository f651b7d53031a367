"""Input that cannot be used: in the request, the options, the attributes and the agent's environment."""

from __future__ import annotations

from collections.abc import Sequence

# -- the request ---------------------------------------------------------------------------------------------------------------


def request_unreadable(detail: str) -> str:
    """The Groovy half and the engine do not match."""
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


#: What was given in place of one text → the message, and the remedy if a marker needs the option.
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
    """``eventState`` has another value."""
    return f"eventState must be 'start' or 'stop' (the default), not '{given}'."


def bad_switch(name: str, given: str, instead: str = "") -> str:
    """A switch has another value."""
    return f"{name} must be true or false, not '{given}'{f'; {instead}' if instead else ''}."


def bad_outcome(given: str) -> str:
    """``outcome`` is not one of the five."""
    return f"outcome must be 'success', 'failure', 'unstable', 'aborted' or 'timeout', not '{given}'; using the build's result."


def outcome_without_end(step: str) -> str:
    """``outcome`` on a start, or on a block, whose own end decides."""
    if step == "withLast9Deployment":
        return "outcome is ignored: the block's own end decides it. Leave it out, or send start and stop with last9DeploymentMarker."
    return "outcome is ignored on a start marker. Set it on the stop."


def bad_attribute_names(given: str, default: str) -> str:
    """``attributeNames`` has another value."""
    return f"attributeNames must be 'dotted' or 'underscore', not '{given}'; using '{default}'."


def bad_timeout(given: str, default: float) -> str:
    """``timeoutSeconds`` is not a time."""
    return f"timeoutSeconds must be a number of seconds above 0, not '{given}'; using {default:g}."


def scm_directory_without_repository(folder: str) -> str:
    """``scmDirectory`` names a folder that is not there, or not in a repository."""
    return (
        f"scmDirectory leads to {folder}, which is not in a git repository: commit and branch are left out. Name the folder of the "
        "checkout, relative to the folder of the step."
    )


def bad_previous_commit(given: str) -> str:
    """``previousCommit`` is not a hash."""
    return f"previousCommit is ignored: '{given[:60]}' is not a commit hash. Give 7 to 40 hexadecimal digits."


def unknown_option(name: str, nearest: str | None, *, configured: bool = False) -> str:
    """A misspelt option, of the step itself or of ``last9Config``."""
    place = " in last9Config" if configured else ""
    advice = f"did you mean '{nearest}'?" if nearest else "the step's help lists the options."
    return f"unknown option '{name}'{place} is ignored: {advice}"


def password_not_sent(name: str) -> str:
    """An allowlist names a password parameter."""
    return f"'{name}' is a password parameter and is not sent. Remove it from the allowlist."


# -- attributes ----------------------------------------------------------------------------------------------------------------


def custom_attributes_no_map() -> str:
    """``customAttributes`` is not a map."""
    return "customAttributes is ignored: it is not a map. Write customAttributes: [team: 'payments']."


def attribute_without_name() -> str:
    """A blank key."""
    return "an entry of customAttributes is ignored: it has no name. Give it one."


def attributes_cut(names: list[str], most: int) -> str:
    """Values or names that are too long."""
    return f"cut to {most:,} bytes each: {_some(names)}."


def message_cut(most: int) -> str:
    """A list of events has no room for a longer one."""
    return f"message is longer than {most} characters; using its beginning."


def no_room_for(names: list[str], most: int) -> str:
    """More labels than a series may have."""
    return f"a marker has at most {most} labels, so these are left out: {_some(names)}. Set fewer attributes; the first ones are sent."


def _some(names: list[str]) -> str:
    shown = [name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…" for name in names[:_MOST_SHOWN]]
    return ", ".join(shown) + (", …" if len(names) > _MOST_SHOWN else "")


_LONGEST_SHOWN, _MOST_SHOWN = 60, 10


def option_cut(name: str, most: int) -> str:
    """A name or a text that is too long."""
    return f"{name} is longer than {most:,} bytes; using its beginning."


def attribute_not_settable(name: str) -> str:
    """The two attributes that tie a window together."""
    return f"customAttributes: '{name}' is ignored: the name is reserved, because it ties a start to its stop. Choose another name."


def attribute_of_the_event(name: str) -> str:
    """A label that the series has by itself."""
    return f"customAttributes: '{name}' is ignored: the name is reserved, because every marker has it. Choose another name."


def source_failed(name: str, error: Exception) -> str:
    """A source of attributes failed."""
    return f"the {name} attributes are missing ({type(error).__name__}: {error}). The marker is sent without them. Please report this."


# -- settings of the agent -----------------------------------------------------------------------------------------------------


def token_with_blanks() -> str:
    """The secret was pasted with a line break."""
    return "the refresh token has blanks or a line break around it; they were removed. Save the credential again without them."


def proxy_unusable(variable: str, reason: str) -> str:
    """A proxy variable that cannot be used."""
    return f"{variable} is ignored: {reason}. Set it to http://host:port (a password's special characters as %XX), or unset it."


def ca_unusable(variable: str, path: str, reason: str) -> str:
    """A CA bundle that cannot be used."""
    return f"{variable} is ignored: {path} cannot be read as PEM certificates ({reason}). Correct the path or unset it."


def ca_damaged(variable: str, path: str, count: int) -> str:
    """Certificates of a bundle or a folder that cannot be read, while others can; "" if there is none."""
    if not count:
        return ""
    which = "1 certificate is" if count == 1 else f"{count} certificates are"
    return f"{which} damaged in {path} ({variable}) and ignored. Replace the file; the others in it are used."


def ca_folder_empty(variable: str, path: str) -> str:
    """A folder of CA certificates without any."""
    return f"{variable} adds nothing: there is no PEM certificate in {path}. Correct the path or unset it."


def pending_unreadable(label: str) -> str:
    """A queued entry is not a marker."""
    return f"{label}, queued earlier, cannot be read and was dropped. The library's Groovy code and its bundle must come from one version."
