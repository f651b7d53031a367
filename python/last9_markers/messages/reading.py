"""Texts about what a connection test read back from Last9. ``not proven``: it could not find out; the query to run by hand follows."""

from __future__ import annotations

from collections.abc import Sequence

#: Kind of :exc:`~last9_markers.core.errors.Unreadable` → cause and remedy. ``{status}`` is the answer's status.
UNREADABLE = {
    "forbidden": ("Last9 does not let this token read ({status})", "Markers may still arrive."),
    "missing": ("this Last9 does not have the endpoint ({status})", "Check apiBaseUrl."),
    "refused": ("Last9 rejected the request ({status})", "Its API may have changed."),
    "page": ("an HTML page was returned instead of data", "Check apiBaseUrl and the proxy."),
    "form": ("the answer has an unknown form", "Last9's API may have changed."),
    "long": ("the answer is too long to read", "Your metrics have very many names."),
}

#: The longest name that is quoted, and how many of a list.
_LONGEST_NAME = 80
_MOST_NAMES = 10
_LETTER_BY_LETTER = "Dashboards match the exact name, including case."


def stays(service: str, event_name: str) -> str:
    """Before the test event is written."""
    return f"Sending a test event: event_name '{event_name}', a stop of service '{service}'. It stays: Last9 cannot delete events."


def begins(seconds: float) -> str:
    """Before anything is read."""
    return f"Reading back from Last9 takes up to {seconds:g} s more, because metrics stores hide their newest seconds."


def unproven(reason: str, query: str | None) -> str:
    """Something prevented this check. ``query`` checks it by hand."""
    return f"not proven: {reason}{by_hand(query)}"


def unreadable(kind: str, status: str) -> str:
    """Why an answer proves nothing, and what to do about it."""
    cause, remedy = UNREADABLE[kind]
    return f"{cause.format(status=status)}. {remedy}"


def by_hand(query: str | None) -> str:
    """How to find out without this program."""
    return f" By hand: run {query} in Last9." if query else ""


def server_error(status: str) -> str:
    """A 5xx, also after retries."""
    return f"Last9 returned HTTP {status} and retrying did not help."


def no_answer(seconds: float) -> str:
    """The request hangs."""
    return f"Last9 did not answer a request within {seconds:g} s."


NO_SOURCE = "no data source could be read, see datasource."
NOT_REACHED = "the test did not get that far, see the lines above."
NOT_TRIED = "Last9 did not answer an earlier request."
RATE_LIMITED = "Last9 rate-limited the request (HTTP 429). Try again later."
OVER = "the time limit of reading back is over."


# -- the data source -----------------------------------------------------------------------------------------------------------


def data_source(name: str, others: Sequence[str], *, is_default: bool) -> str:
    """The store in which markers are looked for."""
    more = f"; there {'is' if len(others) == 1 else 'are'} also {_names(others)}" if others else ""
    return f"'{_name(name)}'{' (the default)' if is_default else ''}{more}"


def data_source_unknown(name: str, near: Sequence[str], known: Sequence[str]) -> str:
    """dataSourceName does not name a data source."""
    return f"Last9 lists no data source '{_name(name)}'{did_you_mean(near)} There {_are(known)}. Correct dataSourceName, or leave it out."


def no_data_source() -> str:
    """An organization without metrics."""
    return "not proven: Last9 lists no data source for this organization. Ask your Last9 administrator whether it has metrics."


def no_default(known: Sequence[str]) -> str:
    """There are data sources, but none of them is the default."""
    return f"not proven: none of the data sources is the default one. Set dataSourceName. There {_are(known)}."


# -- service and environment ---------------------------------------------------------------------------------------------------


def name_unusable(option: str) -> str:
    """The value is not a name, so Last9 is not asked for it."""
    return f"not proven: {option} cannot be used. See options."


def service_known(service: str, label: str) -> str:
    """Metrics have exactly this name."""
    return f"Last9's metrics have {label} '{_name(service)}'"


def service_unknown(service: str, near: Sequence[str]) -> str:
    """No metrics of the last day have it."""
    return f"no metrics of the last day belong to a service '{_name(service)}'{did_you_mean(near)} {_LETTER_BY_LETTER}"


def environment_known(environment: str, label: str, service: str | None) -> str:
    """Metrics have exactly this name."""
    return f"{_whose(service)} have {label} '{_name(environment)}'"


def environment_unknown(environment: str, near: Sequence[str], there: Sequence[str], service: str | None) -> str:
    """No metrics of the last day have it. ``there``: the environments that they have, listed if none is near."""
    known = f" There {_are(there)}." if there and not near else ""
    return f"{_whose(service)} of the last day have no environment '{_name(environment)}'{did_you_mean(near)}{known} {_LETTER_BY_LETTER}"


def did_you_mean(near: Sequence[str]) -> str:
    """The end of a sentence about a name that is not known."""
    if not near:
        return "."
    quoted = [f"'{_name(name)}'" for name in near]
    return f": did you mean {' or '.join(filter(None, (', '.join(quoted[:-1]), quoted[-1])))}?"


def events_seen(service: str, event_names: Sequence[str]) -> str:
    """Change events of this service have arrived."""
    return f"change events of '{_name(service)}' in the last day: {_names(event_names)}"


def no_events(service: str, query: str, *, sent: bool) -> str:
    """None can be found, which is normal before the first deployment."""
    normal = "" if sent else " Before the first deployment this is normal; sendTestEvent sends one."
    return f"no change event of '{_name(service)}' in the last day{', not even the test event' if sent else ''}.{normal}{by_hand(query)}"


# -- the test event ------------------------------------------------------------------------------------------------------------


def stored(seconds: float) -> str:
    """The test event can be read."""
    return f"the test event can be read from last9_change_events, {seconds:.0f} s after it was sent"


def not_stored_yet(seconds: float, labels: int, source: str, query: str) -> str:
    """It was accepted, but cannot be found."""
    return (
        f"not proven: the test event was accepted, but cannot be read from '{_name(source)}' after {seconds:.0f} s. It may be late, in "
        f"another data source, or dropped: the store's label limit may be lower than its {labels} labels, which a marker can have as well."
        f"{by_hand(query)}"
    )


def labels_as_sent(number: int) -> str:
    """Nothing is different."""
    return f"all {number} labels came back as they were sent: as many as a marker can have"


def labels_renamed(names: Sequence[str], advice: str) -> str:
    """Dots have become underscores. ``advice`` is how the option is written."""
    return f"dots became underscores: {_names(names)}. Queries need the underscores. Set {advice}."


def labels_missing(names: Sequence[str]) -> str:
    """Sent and not stored."""
    return f"missing after reading back: {_names(names)}. Last9 may keep fewer labels; dashboards cannot match these."


def labels_changed(names: Sequence[str]) -> str:
    """Stored with another value."""
    return f"came back with another value: {_names(names)}. Dashboards match the value that Last9 stored."


def time_as_sent() -> str:
    """The marker has the right time."""
    return "Last9 stored the event's own time"


def time_off(seconds: float) -> str:
    """The marker has another time."""
    way = "after" if seconds > 0 else "before"
    return (
        f"the stored time is {abs(seconds):.0f} s {way} the event's own time. Markers are off by that much. If a clock is wrong, "
        "correct it; Last9 replaces times too far in the past by the time of arrival."
    )


def time_unknown(query: str) -> str:
    """The answer has no time in it."""
    return f"not proven: Last9 did not return the time of the sample.{by_hand(query)}"


def _whose(service: str | None) -> str:
    return f"the metrics of '{_name(service)}'" if service else "Last9's metrics"


def _are(known: Sequence[str]) -> str:
    return f"{'is' if len(known) == 1 else 'are'} {_names(known)}"


def _names(names: Sequence[str]) -> str:
    quoted = ", ".join(f"'{_name(name)}'" for name in names[:_MOST_NAMES])
    return quoted + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _name(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
