"""Attributes that the command finds out: lines ``KEY=VALUE`` in the file that ``LAST9_ATTRIBUTES_FILE`` names are sent with the stop."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import MutableMapping

from last9_markers.cli.shared.invocation import CliLog
from last9_markers.core import safe_files
from last9_markers.marker.attributes import ties_windows
from last9_markers.marker.attributes.importance import OF_THE_EVENT
from last9_markers.messages import cli as cli_messages

#: Where the command finds the file, and the window's id, as both markers have it.
VARIABLE = "LAST9_ATTRIBUTES_FILE"
ID_VARIABLE = "LAST9_DEPLOYMENT_ID"
#: As much as an event holds.
_LARGEST = 64 * 1024


class AttributesFile:
    """An empty file of our own while the command runs."""

    def __init__(self, log: CliLog) -> None:
        self._log = log
        self._path: str | None = None

    def offer(self, environ: MutableMapping[str, str], window_id: str) -> None:
        """Make the file, and name it and the window to the command. Without a place for files the command still runs."""
        environ[ID_VARIABLE] = window_id
        environ.pop(VARIABLE, None)  # that of a window around us is not ours to hand on
        try:
            descriptor, path = tempfile.mkstemp(prefix="last9-attributes-")
            os.close(descriptor)
        except OSError as error:
            self._log.warning(cli_messages.no_attributes_file(error.strerror or type(error).__name__))
            return
        self._path = environ[VARIABLE] = path

    def read(self) -> dict[str, str]:
        """What the command has written, the last of two equal names; a line that is not an attribute is a warning; the others are used."""
        if self._path is None:
            return {}
        try:
            content = safe_files.read(self._path, _LARGEST, own=True).decode("utf-8", "replace")
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._log.warning(cli_messages.attributes_file_unreadable(error.strerror or type(error).__name__))
            return {}
        found = {}
        wrong = 0
        # Not splitlines(): a value may hold what Unicode takes for the end of a line.
        for line in content.replace("\r\n", "\n").split("\n"):
            name, sign, value = line.partition("=")
            if sign and (ties_windows(name.strip()) or name.strip() in OF_THE_EVENT):
                self._log.warning(cli_messages.attributes_file_reserved(name.strip()))
            elif sign and name.strip():
                found[name.strip()] = value
            elif line.strip():
                wrong += 1
        if wrong:
            self._log.warning(cli_messages.attributes_file_lines(wrong))
        return found

    def remove(self) -> None:
        """Leave nothing behind."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            self._path = None
