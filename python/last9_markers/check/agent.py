"""The agent's side: the interpreter that runs this, and the bundle that it runs."""

from __future__ import annotations

import os
import platform
import ssl
import sys

import last9_markers
from last9_markers.check.findings import Findings
from last9_markers.core import bundle
from last9_markers.messages import check as check_messages


def look_at_interpreter(findings: Findings) -> None:
    """Which Python and which TLS library. That it can run the engine at all is proven by running."""
    findings.ok("interpreter", check_messages.interpreter(platform.python_version(), sys.executable or "?", ssl.OPENSSL_VERSION))


def look_at_bundle(findings: Findings) -> None:
    """Which bundle runs, and whether compiled code can be kept for the next marker. That it is whole was proven before it ran."""
    running = bundle.running()
    if running is None:
        findings.ok("bundle", check_messages.bundle(last9_markers.__version__, os.path.dirname(os.path.dirname(last9_markers.__file__))))
        return
    folder = os.path.realpath(running.folder or os.path.dirname(running.path))
    if running.folder and not os.access(folder, os.W_OK):
        findings.warn("bundle", check_messages.code_not_kept(folder))
    else:
        findings.ok("bundle", check_messages.bundle(last9_markers.__version__, os.path.join(folder, os.path.basename(running.path))))
