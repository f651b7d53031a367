"""The figures as tables for people: all of them on the terminal and in build/benchmark.md, the short ones in docs/performance.md."""

from __future__ import annotations

from typing import Any, NamedTuple

TITLES = {
    "bare": "`python3 -I -S -c pass`",
    "shell": "`sh -c true`",
    "urllib": "urllib script, the same two requests",
    "curl": "two curl calls from a shell",
    "warm": "**engine, warm**",
    "cold": "**engine, cold** (node's first marker)",
    "zip": "engine as a plain zip application",
    "launched_warm": "**launcher and engine, warm**, in a git checkout",
    "launched_cold": "**launcher and engine, cold**, in a git checkout",
}


class Target(NamedTuple):
    """A promise: the left must be at most so many times the right (or, without a right, so much by itself)."""

    left: str
    right: str | None
    most: float
    measure: str


#: Ratios, since machines differ; and what Jenkins' polls of 0.25 s charge for.
TARGETS = (
    Target("warm", "urllib", 1.45, "wall_ms"),
    Target("warm", "zip", 0.45, "wall_ms"),
    Target("cold", "zip", 1.0, "wall_ms"),
    Target("warm", None, 26, "memory_mb"),
    Target("cold", None, 26, "memory_mb"),
    Target("launched_warm", None, 240, "wall_ms"),
    Target("launched_cold", None, 500, "wall_ms"),
)
BUSY = 1.0
_UNITS = {"wall_ms": "ms", "memory_mb": "MB", "cpu_ms": "ms"}

Rows = dict[str, dict[str, float]]


def main_table(rows: Rows) -> str:
    """One interpreter's figures over one protocol."""
    text = "| | wall ms | CPU ms | × urllib (wall) | × urllib (CPU) | peak MB |\n|---|---:|---:|---:|---:|---:|\n"
    for name, row in rows.items():
        text += (
            f"| {TITLES[name]} | {row['wall_ms']:.0f} | {row['cpu_ms']:.0f} | {_ratio(rows, name, 'urllib', 'wall_ms')} "
            f"| {_ratio(rows, name, 'urllib', 'cpu_ms')} | {row['memory_mb']:.0f} |\n"
        )
    return text


def targets_table(rows: Rows, *, busy: bool) -> str:
    """What is promised and what was measured; the ratios by processor time beside, which other load disturbs less."""
    text = "| target | limit | measured | by CPU time | |\n|---|---:|---:|---:|---|\n"
    for target in TARGETS:
        if target.left not in rows or (target.right and target.right not in rows):
            continue
        value = _value(rows, target, target.measure)
        unit = "" if target.right else f" {_UNITS[target.measure]}"
        by_cpu = f"{_value(rows, target, 'cpu_ms'):.2f}" if target.right else ""
        shown = f"{value:.2f}" if target.right else f"{value:.0f}{unit}"
        what = f"{target.left} ÷ {target.right}" if target.right else f"{target.left.replace('_', ' ')}, {target.measure.split('_')[0]}"
        text += f"| {what} | {target.most:g}{unit} | {shown} | {by_cpu} | {_verdict(value, target, busy)} |\n"
    return text


def pythons_table(pythons: dict[str, Any]) -> str:
    """All interpreters, over plain HTTP: milliseconds of wall time and the ratios."""
    text = "| CPython | urllib ms | warm ms | cold ms | zip ms | warm ÷ urllib | warm ÷ zip | cold ÷ zip | warm peak MB |\n"
    text += "|---|" + "---:|" * 8 + "\n"
    for version, protocols in pythons.items():
        rows = protocols["http"]
        wall = " | ".join(f"{rows[name]['wall_ms']:.0f}" for name in ("urllib", "warm", "cold", "zip"))
        pairs = (("warm", "urllib"), ("warm", "zip"), ("cold", "zip"))
        ratios = " | ".join(_ratio(rows, *pair, "wall_ms") for pair in pairs)
        text += f"| {version} | {wall} | {ratios} | {rows['warm']['memory_mb']:.0f} |\n"
    return text


def imports_table(profile: dict[str, tuple[int, float]]) -> str:
    """Where the loading time goes."""
    text = "| loaded for a warm marker | modules | ms in them |\n|---|---:|---:|\n"
    for group, (count, spent) in profile.items():
        text += f"| {group} | {count} | {spent:.1f} |\n"
    return text


def sizes_table(sizes: dict[str, int]) -> str:
    """What each part of the bundle contributes to it."""
    text = "| in the bundle | kB |\n|---|---:|\n"
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        text += f"| {name} | {size / 1000:.1f} |\n"
    return text + f"| **all** | **{sum(sizes.values()) / 1000:.1f}** |\n"


def page(found: dict[str, Any]) -> str:
    """The part for the docs: machine and date, the main interpreter over plain HTTP, the targets."""
    main, machine = found["main"], found["machine"]
    rows = found["pythons"][main]["http"]
    busy = machine["load"] > BUSY
    parts = [
        f"Measured on {found['date']}: {machine['processor']}, {machine['cores']} cores, {machine['system']}, load before "
        f"{machine['load']:.1f}; medians of {found['rounds']} interleaved rounds."
        + (" **The machine was busy with other work: CPU time tells more than wall time.**\n" if busy else "\n"),
        f"CPython {main}, plain HTTP:\n\n{main_table(rows)}",
        targets_table(rows, busy=busy),
    ]
    return "\n".join(parts)


def whole(found: dict[str, Any]) -> str:
    """All tables: the page's, TLS, the other interpreters, where the time goes, what the bundle consists of."""
    main = found["main"]
    protocols = found["pythons"][main]
    busy = found["machine"]["load"] > BUSY
    parts = [
        page(found),
        f"### CPython {main}, TLS\n\n{main_table(protocols['tls'])}",
        targets_table(protocols["tls"], busy=busy),
        f"### Every CPython at hand\n\n{pythons_table(found['pythons'])}",
        f"### Where the time goes\n\n{imports_table(found['imports'])}",
        f"### Size\n\n{sizes_table(found['sizes'])}",
    ]
    return "\n".join(parts)


def _verdict(value: float, target: Target, busy: bool) -> str:
    if value <= target.most:
        return "met"
    # A time alone says nothing if others had the processor for most of it.
    return "not judged, busy" if busy and not target.right else "**not met**"


def _value(rows: Rows, target: Target, measure: str) -> float:
    return rows[target.left][measure] / (rows[target.right][measure] if target.right else 1)


def _ratio(rows: Rows, left: str, right: str, measure: str) -> str:
    return f"{rows[left][measure] / rows[right][measure]:.2f}"
