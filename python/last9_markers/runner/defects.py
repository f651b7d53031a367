"""The warning about an unexpected exception."""

from __future__ import annotations

import os

from last9_markers.core.log import BuildLog
from last9_markers.messages import progress


def engine_failed(error: BaseException, log: BuildLog) -> str:
    """The warning for an unexpected exception: its type and place; the traceback only with debugging."""
    import traceback

    if log.debugging:
        log.debug("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    return progress.engine_failed(error, place)
