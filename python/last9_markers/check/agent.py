"""The agent's side: the interpreter that runs this, and the bundle that it runs."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import ssl
import sys
from collections.abc import Mapping

import last9_markers
from last9_markers.check.findings import Findings
from last9_markers.messages import check as check_messages

#: The name under which the library places the bundle says what must be in it.
_PLACED = re.compile(r"last9-markers-([0-9a-f]{64})\.pyz")


def look_at_interpreter(findings: Findings) -> None:
    """Which Python and which TLS library. That it can run the engine at all is proven by running."""
    findings.ok("interpreter", check_messages.interpreter(platform.python_version(), sys.executable or "?", ssl.OPENSSL_VERSION))


def look_at_bundle(findings: Findings, environ: Mapping[str, str], program: str | None = None) -> None:
    """Whether this is the bundle that the library placed, whole, and whether it could unpack itself.

    ``program`` is the file that the interpreter was started with.
    """
    path = os.path.abspath(program if program is not None else sys.argv[0])
    named = _PLACED.fullmatch(os.path.basename(path))
    if named and _hash(path) not in (None, named[1]):
        findings.fail("bundle", check_messages.bundle_damaged(path))
    elif _runs_from_zip() and environ.get("LAST9_CACHE_DIR"):
        findings.warn("bundle", check_messages.bundle_not_unpacked(environ["LAST9_CACHE_DIR"]))
    else:
        findings.ok("bundle", check_messages.bundle(last9_markers.__version__, os.path.dirname(os.path.dirname(last9_markers.__file__))))


def _runs_from_zip() -> bool:
    return not os.path.isfile(last9_markers.__file__)


def _hash(path: str) -> str | None:
    try:
        with open(path, "rb") as bundle:
            return hashlib.sha256(bundle.read()).hexdigest()
    except OSError:
        return None
