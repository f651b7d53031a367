"""Measure one marker as a whole process, cold and warm, against what it could be compared with (`make benchmark`).

docs/performance.md explains the method; `make benchmark-docs` measures and writes the figures there.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import glob
import json
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from benchmarking import figures, imports, scenarios
from benchmarking.processes import Failed, Sample, measure, weigh

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs/performance.md"
RESULT = ROOT / "build/benchmark.json"
FIGURES = re.compile(r"(<!-- figures[^>]*-->\n).*(<!-- end of figures -->\n)", re.DOTALL)
PROMISED = ("3.9", "3.10", "3.11", "3.12", "3.13")
EVERYTHING = ("bare", "shell", "urllib", "curl", "warm", "cold", "zip", "launched_warm", "launched_cold")
WEIGHED = 3  # runs for the peak memory, which hardly differs from run to run
COMPARED = ("bare", "urllib", "warm", "cold", "zip")


def main() -> int:
    """Measure, print, save; 1 if something could not be measured."""
    options = _options()
    result: Path = options.result.resolve()
    if options.given:
        found = json.loads(result.read_text("utf-8"))
    else:
        try:
            found = _measure_all(options.rounds, options.python)
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        result.parent.mkdir(exist_ok=True)
        result.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    text = figures.whole(found)
    print(text)
    tables = result.with_suffix(".md")
    tables.write_text(text, "utf-8")
    print(f"As JSON: {result}; the tables: {tables}")
    if options.write_docs:
        shown = figures.page(found)
        DOCS.write_text(FIGURES.sub(lambda kept: f"{kept[1]}{shown}{kept[2]}", DOCS.read_text("utf-8")), "utf-8")
        print(f"Written: {DOCS.relative_to(ROOT)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="how often everything is run, in turn (default: 40)")
    parser.add_argument("--python", action="append", help="an interpreter; the first gets the full tables (default: each at hand)")
    parser.add_argument("--result", type=Path, default=RESULT, help="where the figures go as JSON (default: build/benchmark.json)")
    parser.add_argument("--given", action="store_true", help="measure nothing: take the figures from there")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/performance.md")
    return parser.parse_args()


def _measure_all(rounds: int, chosen: list[str] | None) -> dict[str, Any]:
    pythons = _pythons(chosen)
    main = next(iter(pythons))
    load = os.getloadavg()[0]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for version, python in pythons.items():
            everything = {"http": EVERYTHING, "tls": EVERYTHING} if version == main else {"http": COMPARED}
            found[version] = {
                protocol: _measure(python, Path(folder, version, protocol), names, rounds, tls=protocol == "tls")
                for protocol, names in everything.items()
            }
        profile = _import_profile(pythons[main], Path(folder, "imports"))
    return {
        "date": datetime.date.today().isoformat(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()}",
            "load": load,
        },
        "rounds": rounds,
        "main": main,
        "pythons": {version: found[version] for version in sorted(found, key=lambda version: [int(part) for part in version.split(".")])},
        "imports": profile,
        "sizes": _sizes(),
    }


def _measure(python: str, folder: Path, names: tuple[str, ...], rounds: int, *, tls: bool) -> dict[str, dict[str, float]]:
    """Everything in turn, in another order each round, so that other load on the machine affects all equally."""
    last9 = scenarios.FakeLast9(python, tls=tls)
    agent = scenarios.Agent(folder, python, last9)
    runs = scenarios.of(agent, names)
    samples: dict[str, list[Sample]] = {name: [] for name in runs}
    try:
        agent.run = weigh
        memory = {name: statistics.median(run() for _ in range(WEIGHED)) for name, run in runs.items()}
        agent.run = measure
        shuffled = random.Random(9)
        for number in range(rounds):
            for name in shuffled.sample(list(runs), len(runs)):
                samples[name].append(runs[name]())
            print(f"\r{python} {'TLS' if tls else 'HTTP'} {number + 1}/{rounds} ", end="", file=sys.stderr, flush=True)
    finally:
        last9.close()
        print(file=sys.stderr)
    return {
        name: {
            "wall_ms": 1000 * statistics.median(sample.wall for sample in of),
            "cpu_ms": 1000 * statistics.median(sample.cpu for sample in of),
            "memory_mb": memory[name],
        }
        for name, of in samples.items()
    }


def _import_profile(python: str, folder: Path) -> dict[str, tuple[int, float]]:
    last9 = scenarios.FakeLast9(python, tls=True)
    try:
        return imports.profile(scenarios.Agent(folder, python, last9).import_profile())
    finally:
        last9.close()


def _sizes() -> dict[str, int]:
    """Bytes of the bundle by package; the engine, the licences and the zip's own lists by themselves."""
    sizes: dict[str, int] = collections.Counter()
    with zipfile.ZipFile(scenarios.BUNDLE) as opened:
        for entry in opened.infolist():
            sizes[entry.filename.split("/")[0] if "/" in entry.filename else "start, manifest, SBOM"] += entry.compress_size
    sizes["zip's own lists"] = scenarios.BUNDLE.stat().st_size - sum(sizes.values())
    return dict(sizes)


def _pythons(chosen: list[str] | None) -> dict[str, str]:
    """Full version → interpreter, the one that `python3` is first."""
    on_path = [shutil.which(name) or "" for name in ("python3", *(f"python{version}" for version in PROMISED))]
    paths = chosen or [*on_path, *sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python")))]
    probe = "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.executable)"
    found: dict[str, str] = {}
    for path in filter(None, paths):
        done = subprocess.run([path, "-I", "-S", "-c", probe], capture_output=True, text=True, check=False)
        version, _, executable = done.stdout.strip().partition(" ")
        minor = version.rpartition(".")[0]
        if minor in PROMISED and minor not in [known.rpartition(".")[0] for known in found]:
            found[version] = executable
    if not found:
        raise Failed(f"no CPython {PROMISED[0]} to {PROMISED[-1]} was found: name one with --python")
    return found


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
