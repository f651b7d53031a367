"""What the engine works in: the agent's environment, the clock, the log, the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from last9_markers.clock import Clock
from last9_markers.contract import Request
from last9_markers.journal import Journal
from last9_markers.starters import cleaned
from last9_markers.values import is_yes
from last9_markers.variables import Variables
from last9_markers.wording import log
from last9_markers.wording import routing as wording

if TYPE_CHECKING:
    import httpx

#: Set to ``true`` it makes the engine tell each attempt.
DEBUG_VARIABLE = "LAST9_DEBUG"


class Surroundings(NamedTuple):
    """Everything a marker takes from the outside. ``token`` is no longer in ``environ``; ``transport`` is the network."""

    environ: Mapping[str, str]
    token: str | None
    clock: Clock
    journal: Journal
    transport: httpx.BaseTransport | None = None

    def of(self, request: Request) -> Surroundings:
        """The same for one request: variables are looked up regardless of case, and what a starter of builds may have set to be believed
        (certificates, proxies) is left out with a warning.

        From now on neither the token nor a password parameter is in any text; only then may ``LAST9_DEBUG`` make it talk.
        """
        self.journal.redactor.hide(self.token)
        environ = Variables(self.environ)
        for name in request.secret_parameters:
            self.journal.redactor.hide(environ.get(name))
        self.journal.debugging = is_yes(environ.get(DEBUG_VARIABLE))
        if self.journal.debugging:
            self.journal.debug(log.begun(request.step, len(request.pending)))
        environ, ignored = cleaned(request, environ)
        if ignored:
            self.journal.warn(wording.client_setting_ignored(ignored))
        return self._replace(environ=environ)
