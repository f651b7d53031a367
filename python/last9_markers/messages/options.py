"""What was given and cannot be used: in the request, among the options and attributes, in the agent's environment."""

from __future__ import annotations

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
    return f"no marker: serviceName is missing. Name the service as your APM does: {call}."


def bad_event_state(given: str) -> str:
    """``eventState`` is neither."""
    return f"no marker: eventState is '{given}', but must be 'start' or 'stop' (the default)."


def bad_switch(name: str, given: str, instead: str) -> str:
    """A yes/no option is neither."""
    return f"{name} is '{given}', but must be true or false: {instead}."


def bad_outcome(given: str) -> str:
    """``outcome`` is none of the five."""
    return f"outcome is '{given}', but must be 'success', 'failure', 'unstable', 'aborted' or 'timeout': the build's result counts."


def outcome_without_end(step: str) -> str:
    """``outcome`` where nothing has ended, or where the block itself tells."""
    if step == "withLast9Deployment":
        return "outcome is ignored: the block's own end tells it. Leave it out, or send start and stop with last9DeploymentMarker."
    return "outcome is ignored on a start, where nothing has ended yet. Give it to the stop."


def bad_attribute_names(given: str, default: str) -> str:
    """``attributeNames`` is not one of the three."""
    return f"attributeNames is '{given}', but must be 'both', 'dotted' or 'underscore': '{default}' counts."


def bad_timeout(given: str, default: float) -> str:
    """``timeoutSeconds`` is no time."""
    return f"timeoutSeconds is '{given}', but must be a number of seconds above 0: {default:g} counts."


def bad_previous_commit(given: str) -> str:
    """``previousCommit`` is no hash."""
    return f"previousCommit is '{given[:60]}', ignored: give the hash of the commit that was deployed before, 7 to 40 hexadecimal digits."


def unknown_option(name: str, nearest: str | None, *, configured: bool = False) -> str:
    """A misspelt option, of the step itself or of ``last9Config``."""
    place = " in last9Config" if configured else ""
    advice = f"did you mean '{nearest}'?" if nearest else "see the step's help for the options there are."
    return f"unknown option '{name}'{place}, ignored: {advice}"


# -- attributes ----------------------------------------------------------------------------------------------------------------


def custom_attributes_no_map() -> str:
    """``customAttributes`` is not a map."""
    return "customAttributes is not a map, ignored. Write customAttributes: [team: 'payments']."


def attribute_without_name() -> str:
    """A blank key."""
    return "customAttributes has an entry without a name, ignored. Give it one."


def attribute_not_settable(name: str) -> str:
    """The two attributes that tie a window together."""
    return f"customAttributes cannot set '{name}', which ties a start to its stop: ignored. Choose another name."


def source_failed(name: str, error: Exception) -> str:
    """A source of attributes broke."""
    return f"the {name} attributes are missing ({type(error).__name__}: {error}). The marker goes without them; please report this."


def other_repository(url: str, theirs: str, ours: str) -> str:
    """``GIT_*`` speaks of another repository than the workspace holds."""
    return (
        f"scm attributes are those of {url} at {theirs[:12]} (GIT_URL, GIT_COMMIT), but the workspace holds another repository at "
        f"{ours[:12]}. If that is what is deployed, set GIT_URL, GIT_COMMIT and GIT_BRANCH with withEnv from what checkout returns."
    )


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


def pending_unreadable() -> str:
    """Something that was kept is no marker."""
    return "a marker kept from before cannot be read and is dropped. The library's Groovy code and its bundle must come from one version."
