"""What is said if an interpreter cannot even load the program. Imports nothing."""

from __future__ import annotations


def not_loaded(python: str, problem: str) -> str:
    """Part of its standard library is there and fails when it is imported."""
    return f"{python} cannot load the program ({problem}). Repair that Python, or set LAST9_PYTHON to the path of another one."
