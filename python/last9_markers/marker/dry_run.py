"""A dry run: shows the marker and its destination. It sends nothing, and needs no token."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import NamedTuple

from last9_markers.core.errors import OrganizationUnknown
from last9_markers.core.log import BuildLog
from last9_markers.marker import event
from last9_markers.messages import progress
from last9_markers.request.contract import Json
from last9_markers.request.destination import BaseUrl, ConnectionField, Destination, resolve, resolve_base_url
from last9_markers.request.token import Claims


class Place(NamedTuple):
    """The line about its destination. ``destination`` is ``None`` if no organization is known."""

    base_url: BaseUrl
    destination: Destination | None


def place(connection: Mapping[str, ConnectionField], claims: Claims) -> Place:
    """Where these settings would send a marker. Raises a :exc:`~last9_markers.core.errors.ConfigurationError` if that is nowhere."""
    destination = None
    with contextlib.suppress(OrganizationUnknown):
        destination = resolve(connection, claims)
    return Place(resolve_base_url(connection.get("apiBaseUrl"), claims), destination)


def show(composed: event.Event, place: Place, log: BuildLog) -> dict[str, Json]:
    """Show it in the log. Returns the answer's ``dryRun``."""
    log.info(progress.dry_run(place.destination))
    log.info(event.readable(composed))
    organization = place.destination.organization if place.destination else None
    return {"organization": organization, "apiBaseUrl": place.base_url.text, "event": composed}
