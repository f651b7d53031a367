"""Whole processes: how long one takes, what processor time it and its children use, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

# From a small process: a child's peak begins with what the process that started it holds.
_WEIGH = """
import os, resource, sys
code = os.spawnvp(os.P_WAIT, sys.argv[1], sys.argv[1:])
print("\\n%d" % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


class Sample(NamedTuple):
    """One run: seconds on the wall clock and of processor time."""

    wall: float
    cpu: float


class Failed(Exception):
    """A measured command did not do what it was measured for."""


def measure(command: list[str], environ: Mapping[str, str], folder: Path, expected: int = 0) -> Sample:
    """Run a command from start to exit. Raises :exc:`Failed` unless it exits with the code ``expected``."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=dict(environ), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    printed = process.stdout.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(process.pid, 0)  # and not wait(): only this tells what the one child used
    wall = time.perf_counter() - began
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != expected:
        raise Failed(f"{' '.join(command)}\nended with {process.returncode} and said:\n{printed}")
    return Sample(wall, usage.ru_utime + usage.ru_stime)


def weigh(command: list[str], environ: Mapping[str, str], folder: Path, expected: int = 0) -> float:
    """The same, for the peak memory in MB of the biggest process of the run; at least that of a bare interpreter."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _WEIGH, *command], env=dict(environ), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != expected:
        raise Failed(f"{' '.join(command)}\nended with {done.returncode} and said:\n{done.stdout}{done.stderr}")
    return int(done.stdout.splitlines()[-1]) / 1024
