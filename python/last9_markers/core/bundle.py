"""The bundle that this process runs from, if it runs from one."""

from __future__ import annotations

import sys
from typing import Any


def running() -> Any:
    """The ``last9_loading.Bundle`` that holds this process's code in memory; ``None`` in a checkout or an installation."""
    return getattr(sys.modules.get("last9_loading"), "BUNDLE", None)
