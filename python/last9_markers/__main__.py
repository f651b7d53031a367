"""``python -m last9_markers``."""

from last9_markers.cli.main import run

run()
