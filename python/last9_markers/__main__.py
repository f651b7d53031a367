"""``python -m last9_markers``."""

import sys

from last9_markers.cli import main

sys.exit(main(sys.argv[1:]))
