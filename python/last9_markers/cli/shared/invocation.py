"""One call of the program: the request and the context made from its arguments and environment."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

from last9_markers.cli.shared.options import CONNECTION_FIELDS, PASSED_ON, in_shell_terms
from last9_markers.core import safe_files
from last9_markers.core.clock import Clock, SystemClock
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.marker.attributes import allowlists
from last9_markers.messages import cli as cli_messages
from last9_markers.request import contract
from last9_markers.request.context import Context
from last9_markers.request.token import VARIABLE
from last9_markers.request.variables import Variables

#: The engine's modules, and a `step` that is started for a delivery, read this.
DEBUG = "LAST9_DEBUG"
#: The build-user-vars plugin's variable: core has none for who started a Freestyle build.
BUILD_USER = "BUILD_USER_ID"


class Window(NamedTuple):
    """The window that a marker belongs to. ``started_at_ms``: epoch milliseconds."""

    id: str
    started_at_ms: int


class Invocation:
    """Arguments and environment, read once. From here on the token is in no environment any more."""

    def __init__(self, given: Mapping[str, Any], environ: MutableMapping[str, str], clock: Clock | None = None) -> None:
        """``given`` is what :mod:`.parsing` found, by option name. The token is taken out of ``environ``."""
        self.given = given
        self.token = environ.pop(VARIABLE, None)
        self.clock = clock or SystemClock()
        self.log = CliLog(quiet=bool(given.get("quiet")))
        self.log.redactor.hide(self.token)
        if given.get("debug") is not None:
            environ[DEBUG] = str(bool(given["debug"])).lower()
        self.environ = environ
        self._read_token_file(given.get("tokenFile"))

    def option(self, name: str, otherwise: str = "") -> str:
        """A text option as it counts: trimmed, blank is not given."""
        return (self.given.get(name) or "").strip() or otherwise

    def now_ms(self) -> int:
        """The moment, in epoch milliseconds."""
        return int(self.clock.wall() * 1000)

    def context(self) -> Context:
        """What a marker takes from the outside."""
        return Context(self.environ, self.token, self.clock, self.log)

    def request(
        self,
        step: str,
        *,
        timestamp_ms: int,
        options: Mapping[str, Any] | None = None,
        window: Window | None = None,
        build: Mapping[str, Any] | None = None,
        limit_seconds: float | None = None,
        after_abort: bool = False,
        pending: Sequence[contract.Kept] = (),
        outages: Mapping[str, Any] | None = None,
        keeps_pending: bool = True,
    ) -> str:
        """The request that the library would have written: a JSON text. ``options`` go over the given ones."""
        found: dict[str, Any] = {
            "contract": contract.CONTRACT,
            "step": step,
            "timestampMs": timestamp_ms,
            "options": {**self._options(), **(options or {})},
            "build": {**self._build(), **(build or {})},
            "parameters": self._parameters(),
            "pending": [kept._asdict() for kept in pending],
        }
        if not keeps_pending:
            found["keepsPending"] = False
        if window is not None:
            found["window"] = {"id": window.id, "startedAtMs": window.started_at_ms}
        if limit_seconds is not None:
            found["limitSeconds"] = limit_seconds
        if after_abort:
            found["afterAbort"] = True
        if outages:
            found["outages"] = dict(outages)
        return json.dumps(found)

    def _options(self) -> dict[str, Any]:
        options = {name: self.given[name] for name in PASSED_ON if name in self.given}
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in options.items()}

    def _build(self) -> dict[str, Any]:
        user = self.environ.get(BUILD_USER, "").strip()
        return {"causes": json.dumps([{"userId": user}])} if user else {}

    def _parameters(self) -> dict[str, str]:
        """The build parameters that we know of: those that an option calls one.

        A Freestyle build's parameters are variables of its environment, and cannot be distinguished from others there.
        """
        variables = Variables(self.environ)
        listed = allowlists.split(self.option("paramAllowlist") or variables.get("LAST9_PARAM_ALLOWLIST"))
        named = (self.option(field + "Param") for field in CONNECTION_FIELDS)
        return {name: variables.get(name, "") for name in (*listed, *named) if name}

    def _read_token_file(self, path: str | None) -> None:
        if path is None:
            return
        self.token = None
        try:
            # Secrets that are mounted into containers are links.
            content = safe_files.read(path, _LONGEST_TOKEN, own=True, links=True)
            self.token = content.decode("utf-8", "replace").rstrip("\r\n")
        except (OSError, ValueError) as error:
            self.log.warning(cli_messages.token_file_unreadable(path, getattr(error, "strerror", None) or type(error).__name__))
        self.log.redactor.hide(self.token)


#: Refresh tokens have some hundred characters: if the option names another file by mistake, it must not be sent.
_LONGEST_TOKEN = 16384


class CliLog(BuildLog):
    """The log of a command: on stderr, options called as the command line calls them."""

    def __init__(self, *, quiet: bool = False) -> None:
        # A shell may have closed it (2>&-).
        super().__init__(sys.stderr or io.StringIO(), Redactor())
        self._quiet = quiet

    def info(self, text: str) -> None:
        """Write one line, unless only warnings are wanted."""
        if not self._quiet or text.startswith("WARNING: "):
            super().info(text)

    def warning(self, text: str) -> None:
        """Write one ``WARNING`` line, unless it has been written before."""
        super().warning(in_shell_terms(text))

    def complain(self, text: str) -> None:
        """What a shell would say, in a shell's form."""
        self.show(f"last9-markers: {self.redactor.clean(text)}\n")

    def show(self, text: str) -> None:
        """A text that is ready to be shown, quiet or not."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
