"""What only many markers show (`make endurance`): nothing is lost, nothing is left behind, nothing grows."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest
from agents import Agent, promised, pythons

PYTHON = pythons()[promised()[-1]]
KILLS = 100

pytestmark = pytest.mark.endurance


def test_killed_at_a_hundred_random_moments(agent: Agent) -> None:
    """`kill -9` at any moment of a node's first marker never leaves a cache that a later marker would stumble over."""
    agent.place_bundle()
    first = random.Random(20261124)
    for _ in range(KILLS):
        environ = agent.environ({"LAST9_CACHE_DIR": str(agent.folder)})
        command = [PYTHON, "-I", "-S", str(agent.bundle), "step", "--request", str(agent.request())]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ) as process:
            try:
                process.wait(first.uniform(0, 1.0))
            except subprocess.TimeoutExpired:
                process.kill()
        done = agent.step(PYTHON)
        assert done.answer["delivered"] is True
        assert all(line.startswith("[Last9]") for line in done.stderr.splitlines()), done
        (cache,) = agent.caches()
        shutil.rmtree(cache)
