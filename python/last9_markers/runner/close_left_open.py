"""Closes windows of earlier builds with another credential than that of the build's own marker, and sends nothing else."""

from __future__ import annotations

import io

from last9_markers.core.errors import DeliveryError, TokenMissing, TokenUnusable
from last9_markers.core.log import BuildLog
from last9_markers.marker.left_open import Judge, Leftovers
from last9_markers.messages import failures
from last9_markers.request import routing, time_limits
from last9_markers.request.context import Context
from last9_markers.request.contract import Answer, Json, Request
from last9_markers.request.destination import ConnectionField, credential_id
from last9_markers.request.options import read_settings
from last9_markers.request.token import Claims, read_token
from last9_markers.runner import closings


class ClosingHandler:
    """The run that an answer's ``closeWith`` asked for, with that credential's token. It harms nothing: what fails stays open."""

    def __init__(self, request: Request, context: Context) -> None:
        """From here on time runs. What is wrong with the build's settings its marker has said."""
        silent = BuildLog(io.StringIO(), context.log.redactor)
        self._request = request
        self._context = context._replace(log=silent).of(request)._replace(log=context.log)
        self._settings = read_settings(request, self._context.environ, silent)
        self.budget = time_limits.budget_of(request, self._settings.timeout_seconds, context.clock)
        self._leftovers = Leftovers(request.left_open)

    def run(self) -> Answer:
        """Close them, unless this build does not name that credential after all."""
        bound = self._request.credential
        urls = routing.used_with(bound.value, self._request, self._context.environ) if bound is not None else None
        if bound is not None and urls is not None:
            url = ConnectionField("", "option", trusted=urls)
            self._close(routing.Routing({"credentialId": ConnectionField(*bound), "apiBaseUrl": url}))
        return self._answer()

    def abort(self, failure: DeliveryError | str) -> Answer:
        """What has been done until then. Only a defect of ours, a finished text, is worth a line."""
        if isinstance(failure, str):
            self._context.log.warning(failure)
        return self._answer()

    def _close(self, own: routing.Routing) -> None:
        context, request = self._context, self._request
        claims, text, problem = Claims(), "", None
        try:
            text, claims = read_token(context.token, context.log)
        except (TokenMissing, TokenUnusable) as found:
            problem = found
        about = failures.FailureContext(
            credential_id(own.fields), None, None, time_limits.SHORT_SECONDS, claims, context.clock.wall(), once=True
        )
        judge = Judge(request, own, claims, context.environ, self._settings, context.log)
        now_ms = request.now_ms or request.timestamp_ms or int(context.clock.wall() * 1000)
        if problem is None:
            with closings.Carriers({}, text, context, self.budget) as carriers:
                closings.Closings(judge, self.budget, context.log, carriers.to).run(self._leftovers, now_ms, lambda: about)
            return
        for left in self._leftovers.open():  # the first one speaks for all
            judge.prepare(left, now_ms)
            judge.refuse(left, failures.explain(problem, about))
            return

    def _answer(self) -> Answer:
        self._leftovers.tell(self._context.log)
        more: dict[str, Json] = {
            "records": self._leftovers.records(self._context.environ.get("BUILD_NUMBER")),
            "leftOpen": self._leftovers.fields(),
            "outages": dict(self._request.outages),
        }
        closed = any(self._leftovers.delivered())
        given = {name: value for name, value in more.items() if value}
        return Answer(closed, True, None, self._context.log.warnings, None, None, given)
