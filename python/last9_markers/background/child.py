"""The process in the background: delivers one start within its own budget, writes what became of it, and ends."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Mapping

from last9_markers import pending
from last9_markers.background.launching import Order
from last9_markers.background.statefile import Fate, StateFile
from last9_markers.clock import Budget, SystemClock
from last9_markers.credentials import Claims, RefreshToken, read_token
from last9_markers.destination import Destination, read_base_url
from last9_markers.errors import BudgetSpent, EventRefused, NotDelivered
from last9_markers.event import encode
from last9_markers.journal import Journal
from last9_markers.redaction import Redactor
from last9_markers.watchdog import Watchdog
from last9_markers.wording import failures

#: How often it looks whether anybody still waits for it.
LOOK_SECONDS = 0.1

#: Settings that name files: the process does not stay in the folder that they may be relative to.
_PATHS = ("LAST9_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR")


class Child:
    """Delivers the marker of one state file. :meth:`run` returns when its fate is written; a watchdog ends the process otherwise."""

    def __init__(self, state: StateFile, order: Order, environ: Mapping[str, str]) -> None:
        """The budget begins here."""
        self._state = state
        self._order = order
        self._environ = _with_absolute_paths(environ, order.directory)
        self._clock = SystemClock()
        self._budget = Budget.of(order.timeout_seconds, self._clock)
        self._journal = Journal(io.StringIO(), Redactor())
        self._journal.redactor.hide(order.token)
        for name in order.secret_parameters:
            self._journal.redactor.hide(environ.get(name))
        self._claims = Claims()
        self._destination: Destination | None = None
        self._via: str | None = None
        self._telling = threading.Lock()

    def run(self) -> None:
        """Deliver it, or learn why not."""
        watchdog = Watchdog(self._budget.remaining(), lambda: self._tell(self._failed(BudgetSpent())))
        threading.Thread(target=self._look, name="last9-wanted", daemon=True).start()
        try:
            self._deliver()
            fate = Fate(delivered=True)
        except NotDelivered as failure:
            fate = self._failed(failure)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not be silent
            from last9_markers.commands.step import engine_failed

            fate = Fate(delivered=False, reason=self._journal.redactor.clean(engine_failed(error, self._journal)))
        self._tell(fate)
        watchdog.call_off()

    def _deliver(self) -> None:
        # All that could be needed is loaded before the first request: the files it comes from may be removed at any time.
        import certifi  # noqa: F401

        from last9_markers import api, delivery, retry, transport  # noqa: F401

        token, outgoing = self._read()
        destination = self._destination
        assert destination is not None
        connection = transport.Connection(destination.base_url, self._environ, self._budget, self._journal)
        self._via = connection.via
        last9 = api.Last9(connection, self._clock, self._journal.redactor)
        delivery.Delivery(last9, token.text, destination, self._budget, self._journal).deliver(outgoing)

    def _read(self) -> tuple[RefreshToken, pending.Outgoing]:
        text = self._state.text()
        kept = pending.read(text)
        token = read_token(self._order.token, self._journal)
        self._claims = token.claims
        self._destination = Destination(kept["credentialId"], kept["organization"], read_base_url(kept["apiBaseUrl"]))
        outgoing = pending.Outgoing(text)
        outgoing.event = encode(kept["event"])
        return token, outgoing

    def _look(self) -> None:
        """End the process as soon as nobody waits for it: its state file was removed with the workspace, or the stop has recalled it."""
        while True:
            time.sleep(LOOK_SECONDS)
            with self._telling:
                if not self._state.is_wanted():
                    os._exit(0)

    def _tell(self, fate: Fate) -> None:
        # Kept for ever: what is written after that is no recall, and the first word is the last one.
        self._telling.acquire()
        self._state.tell(fate._replace(warnings=tuple(self._journal.warnings)))

    def _failed(self, failure: NotDelivered) -> Fate:
        destination = self._destination
        about = failures.Circumstances(
            credential_id=destination.credential_id if destination else "",
            organization=destination.organization if destination else None,
            host=destination.base_url.host if destination else None,
            timeout_seconds=self._order.timeout_seconds,
            claims=self._claims,
            now=self._clock.wall(),
            via=self._via,
        )
        reason = failures.not_delivered(self._order.label, failure, about)
        return Fate(delivered=False, refused=isinstance(failure, EventRefused), reason=self._journal.redactor.clean(reason))


def _with_absolute_paths(environ: Mapping[str, str], directory: str) -> dict[str, str]:
    absolute = dict(environ)
    for name in _PATHS:
        if absolute.get(name):
            parts = [part.strip() for part in absolute[name].split(os.pathsep)] if name == "SSL_CERT_DIR" else [absolute[name].strip()]
            absolute[name] = os.pathsep.join(os.path.join(directory, part) for part in parts if part)
    return absolute
