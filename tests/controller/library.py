"""How a row's Jenkinsfile gets its libraries: as written where the controller has them, else by the ``library`` step from git."""

from __future__ import annotations

from typing import NamedTuple

from controller.rows import RESOURCES, ROOT

LAST9 = "@Library('last9') _"
TEAM = "@Library('team') __"
_TEAM_PATH = f"{(RESOURCES / 'team-library').relative_to(ROOT).as_posix()}/"


class Source(NamedTuple):
    """A git repository that the controller can reach, and what to take of it."""

    url: str
    version: str


class Prepared(NamedTuple):
    """A Jenkinsfile that is ready, and how many ``library`` steps were put into it."""

    jenkinsfile: str
    library_steps: int


def prepared(jenkinsfile: str, source: Source, configured: bool) -> Prepared:
    """``configured``: the controller has a library ``last9``, so that line stays as people write it."""
    changes = {TEAM: _step("team", source, f", libraryPath: '{_TEAM_PATH}'")}
    if not configured:
        changes[LAST9] = _step("last9", source, "")
    steps = 0
    for line, step in changes.items():
        steps += jenkinsfile.count(line)
        jenkinsfile = jenkinsfile.replace(line, step)
    return Prepared(jenkinsfile, steps)


def _step(name: str, source: Source, more: str) -> str:
    scm = f"[$class: 'GitSCMSource', remote: '{_quoted(source.url)}']"
    return f"library identifier: '{name}@{_quoted(source.version)}', changelog: false, retriever: modernSCM(scm: {scm}{more})"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
