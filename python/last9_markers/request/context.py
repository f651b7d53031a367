"""The engine's surroundings: the agent's environment, the clock, the log, the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from last9_markers.core.clock import Clock
from last9_markers.core.log import BuildLog
from last9_markers.messages import progress
from last9_markers.messages import routing as routing_messages
from last9_markers.request.contract import Request
from last9_markers.request.starters import cleaned
from last9_markers.request.values import is_yes
from last9_markers.request.variables import Variables

if TYPE_CHECKING:
    import httpx

#: Set to ``true`` it makes the engine tell each attempt.
DEBUG_VARIABLE = "LAST9_DEBUG"


class Context(NamedTuple):
    """Everything a marker takes from the outside. ``token`` is no longer in ``environ``; ``transport`` is the network."""

    environ: Mapping[str, str]
    token: str | None
    clock: Clock
    log: BuildLog
    transport: httpx.BaseTransport | None = None

    def of(self, request: Request) -> Context:
        """The same for one request: certificates and proxies that a starter of builds may have set are left out, with a warning.

        From now on neither the token nor a password parameter is in any text; only then may ``LAST9_DEBUG`` make it talk.
        """
        self.log.redactor.hide(self.token)
        environ = Variables(self.environ)
        for name in request.secret_parameters:
            self.log.redactor.hide(environ.get(name))
        self.log.debugging = is_yes(environ.get(DEBUG_VARIABLE))
        if self.log.debugging:
            self.log.debug(progress.begun(request.step, len(request.pending)))
        kept, ignored = cleaned(request, environ)
        if ignored:
            self.log.warning(routing_messages.client_setting_ignored(ignored))
        return self._replace(environ=kept)
