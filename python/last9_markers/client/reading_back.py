"""Last9's calls that read metrics back (docs/last9-api.md, "Reading events back"): data sources, samples, label values, suggestions.

They were read in the source of Last9's own tools and never tried on a live Last9. So each answer must have its known form;
anything else raises :exc:`Unreadable`. Its text is never quoted: an answer may repeat the request, which holds the user and the
password of the store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from last9_markers.client.api import AccessToken
from last9_markers.client.transport import HttpConnection, Response
from last9_markers.core.clock import Budget
from last9_markers.core.errors import RateLimited, ServerError, Unreadable
from last9_markers.core.formats import epoch_seconds
from last9_markers.core.redaction import Redactor

#: What one question may take: a store that has to look through very many series may never answer.
QUESTION_SECONDS = 10.0
#: Bytes of the longest answer that is read: some ten thousand names. A longer one is refused unread.
LONGEST_ANSWER = 1024 * 1024


class DataSource:
    """A metrics store of the organization. ``secrets`` go into the body of a query and nowhere else: no ``repr`` shows them."""

    def __init__(self, name: str, *, is_default: bool, secrets: Mapping[str, str]) -> None:
        self.name = name
        self.is_default = is_default
        self.secrets = secrets

    def __repr__(self) -> str:
        return f"DataSource({self.name!r})"


class Sample(NamedTuple):
    """A series by its labels, and the moment of its newest sample in epoch seconds, ``None`` if it could not be read."""

    labels: dict[str, str]
    moment: float | None


class Last9Reader:
    """Reads from one organization. Methods raise :exc:`Unreadable`, or what :meth:`HttpConnection.request` raises."""

    def __init__(
        self, connection: HttpConnection, organization: str, access_token: AccessToken, budget: Budget, redactor: Redactor
    ) -> None:
        """``organization`` is a checked slug; ``budget`` the connection's own."""
        self._connection = connection
        self._budget = budget
        self._path = f"/api/v4/organizations/{organization}"
        self._headers = {"Content-Type": "application/json", "X-LAST9-API-TOKEN": f"Bearer {access_token.text}"}
        self._redactor = redactor

    def data_sources(self) -> list[DataSource]:
        """The metrics stores; from here on the redactor hides their users and passwords from every text."""
        found = _list(self._ask("GET", "datasources"))
        # All of them first: a name that is shown may hold another one's password.
        for entry in found:
            self._hide(_object(entry.get("properties")) if isinstance(entry, dict) else {})
        sources = [_data_source(entry) for entry in found if isinstance(entry, dict)]
        return [source for source in sources if source is not None]

    def newest_samples(self, source: DataSource, selector: str, end: float, window: float) -> list[Sample]:
        """The series that a selector picks, with the newest sample of each. ``end`` in epoch seconds, ``window`` in seconds."""
        # timestamp() returns the sample's own time; the times of a range query are those of its steps.
        query = {"query": f"timestamp({selector})", "timestamp": int(end), "window": int(window)}
        found = [_object(series) for series in _list(self._ask("POST", "prom_query", {**query, **source.secrets}))]
        return [Sample(_labels(series.get("metric")), _last_value(series.get("values"))) for series in found]

    def label_values(self, source: DataSource, label: str, selector: str, end: float, window: float) -> list[str]:
        """The values of a label among the series that the selector picks, in order, each once."""
        query = {"label": label, "matches": [selector], "timestamp": int(end), "window": int(window)}
        found = _list(self._ask("POST", "prom_label_values", {**query, **source.secrets}))
        return sorted({value for value in found if isinstance(value, str) and value})

    def suggestions(self, source: DataSource, text: str, kind: str) -> list[str]:
        """What Last9 would complete the text to; ``kind`` is ``service`` or ``environment``."""
        found = self._ask("POST", "suggest", {"q": text, "type": kind, **source.secrets})
        if not isinstance(found, dict):
            raise Unreadable("form")
        names = [_object(suggestion).get("name") for suggestion in _list(found.get("suggestions"))]
        return [name for name in names if isinstance(name, str) and name]

    def _hide(self, properties: Mapping[str, Any]) -> None:
        user, password = (_text(properties.get(name)) for name in ("username", "password"))
        # The pair as well: that is what a Basic header holds, in base64, and it is long enough even if its parts are not.
        for secret in (user, password, f"{user}:{password}"):
            self._redactor.hide(secret)

    def _ask(self, method: str, call: str, question: Mapping[str, Any] | None = None) -> Any:
        content = b"" if question is None else json.dumps(question).encode()
        with self._budget.within(QUESTION_SECONDS, once=True):
            response = self._connection.request(method, f"{self._path}/{call}", self._headers, content, longest=LONGEST_ANSWER)
        _raise_unless_success(response)
        if response.body is None:
            raise Unreadable("long")
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError):
            raise Unreadable("page" if response.body.lstrip()[:1] == b"<" else "form") from None


def _raise_unless_success(response: Response) -> None:
    status = response.status
    if 200 <= status < 300:
        return
    if status == 429:
        raise RateLimited
    if status >= 500 or status == 408:
        raise ServerError(str(status))
    said = (response.body or b"")[:2000].lower()
    # A bad access token answers 400 and speaks of a token (observed with events).
    if status in (401, 403) or (status == 400 and b"token" in said):
        raise Unreadable("forbidden", str(status))
    raise Unreadable("missing" if status in (404, 405) else "refused", str(status))


def _data_source(entry: Mapping[str, Any]) -> DataSource | None:
    name, properties = _text(entry.get("name")), _object(entry.get("properties"))
    if not name:
        return None
    secrets = {
        "read_url": _text(entry.get("url")),
        "username": _text(properties.get("username")),
        "password": _text(properties.get("password")),
    }
    return DataSource(name, is_default=entry.get("is_default") is True, secrets=secrets)


def _list(found: Any) -> list[Any]:
    # A Go server writes an empty list as null.
    if not isinstance(found, list) and found is not None:
        raise Unreadable("form")
    return found or []


def _object(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _labels(metric: Any) -> dict[str, str]:
    return {name: value for name, value in _object(metric).items() if isinstance(value, str)}


def _last_value(values: Any) -> float | None:
    last = values[-1] if isinstance(values, list) and values else None
    if not isinstance(last, list) or len(last) != 2:
        return None
    try:
        return epoch_seconds(float(last[1]))
    except (TypeError, ValueError):
        return None
