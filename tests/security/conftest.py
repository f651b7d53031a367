"""Attacks that got through once, and others of their kind. The fixtures are those of the engine's tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("fixtures_of_the_engine", Path(__file__).parents[1] / "python" / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_FIXTURES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_FIXTURES)

clean_environment = _FIXTURES.clean_environment
last9 = _FIXTURES.last9
clock = _FIXTURES.clock
