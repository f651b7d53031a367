"""What the controller is: versions, plugins, agents, and whether it has the library; by its API and by one pipeline."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from controller.client import Client, ControllerError
from controller.rows import Row

#: What the rows use, beyond core: a word of a Jenkinsfile → the plugin that brings it.
NEEDS = {
    r"^pipeline \{": "pipeline-model-definition",
    r"^\s*input\b": "pipeline-input-step",
    r"\bbuild '": "pipeline-build-step",
    r"\b(sh|bat) ['(]": "workflow-durable-task-step",
    r"\b(echo|sleep|timeout|retry|node|error|dir|withEnv)\b": "workflow-basic-steps",
    r"last9|Last9": "credentials-binding",
}
#: Needed by every row; git: to fetch the library.
ALWAYS = ("workflow-job", "workflow-cps", "pipeline-groovy-lib", "plain-credentials", "git")

PREFIX = "LAST9-TESTS "
#: It prints only names of variables, because values may be secret.
_PIPELINE = r"""
String found = 'configured'
try {
  library 'last9'
} catch (hudson.AbortException none) {
  found = none.message
}
echo "PREFIXlibrary=${found}"
node {
  sh '''set +x
say() { echo "PREFIX$1=$2"; }
say node "$NODE_NAME"
say system "$(uname -srm)"
say java "$(java -version 2>&1 | head -n 1)"
say python "$(python3 -c 'import sys, ssl; print(".".join(map(str, sys.version_info[:3])))' 2>/dev/null)"
say curl "$(curl --version 2>/dev/null | head -n 1)"
say last9 "$(python3 -c 'import urllib.request as u; u.urlopen("URL/received", timeout=10); print("reached")' 2>&1 | tail -n 1)"
say variables "$(env | sed -n 's/^\\(LAST9_[A-Za-z0-9_]*\\)=.*/\\1/p' | sort | tr '\\n' ' ')"
'''
}
""".lstrip().replace("PREFIX", PREFIX)


def pipeline(url: str) -> str:
    """A Jenkinsfile that says of the controller what its API does not; it runs before any row. ``url``: the fake Last9's."""
    return _PIPELINE.replace("URL", url)


class Agent(NamedTuple):
    """One agent, as the controller lists it. Its own name is one of its labels."""

    name: str
    executors: int
    offline: bool
    labels: frozenset[str]

    def __str__(self) -> str:
        return f"{self.name} ({self.executors} executors{', offline' if self.offline else ''})"


class Facts(NamedTuple):
    """What is known of a controller. ``plugins`` and ``agents`` are ``None`` if this user may not read them."""

    jenkins: str
    plugins: dict[str, str] | None
    agents: list[Agent] | None
    said: dict[str, str]

    @property
    def has_library(self) -> bool:
        """A library named ``last9`` is configured."""
        return self.said.get("library") == "configured"

    def lines(self) -> list[str]:
        """For people."""
        plugins = self.plugins
        wanted = [*ALWAYS, *dict.fromkeys(NEEDS.values()), "cloudbees-folder", "pipeline-rest-api"]
        told = "not readable for this user" if plugins is None else ", ".join(f"{name} {plugins.get(name, 'MISSING')}" for name in wanted)
        return [
            f"Jenkins {self.jenkins}; agents: {', '.join(map(str, self.agents or [])) or 'none that this user sees'}",
            f"Plugins: {told}",
            *(f"On the agent: {name} {value}" for name, value in self.said.items() if name not in ("library", "last9", "variables")),
        ]

    def lacks(self, row: Row) -> str | None:
        """What a row needs and the controller has not, as a reason; ``None``: nothing, as far as this user may see."""
        return self._lacking_agent(row.said("agent")) or self._lacking_plugins(row.jenkinsfile)

    def _lacking_agent(self, labels: list[str]) -> str | None:
        if self.agents is None:
            return None
        there = frozenset[str]().union(*(agent.labels for agent in self.agents if agent.executors and not agent.offline))
        missing = [label for label in labels if label not in there]
        return f"the controller has no agent labelled '{missing[0]}' that is online" if missing else None

    def _lacking_plugins(self, jenkinsfile: str) -> str | None:
        if self.plugins is None:
            return None
        needed = [*ALWAYS, *(plugin for word, plugin in NEEDS.items() if re.search(word, jenkinsfile, re.MULTILINE))]
        missing = [plugin for plugin in needed if plugin not in self.plugins]
        return f"the controller has no plugin {', '.join(missing)}" if missing else None


def unfit(said: dict[str, str]) -> str | None:
    """Why no row can be asked of this controller; ``None``: it will do."""
    python = tuple(int(part) for part in re.findall(r"\d+", said.get("python", "")))
    if python < (3, 9):
        return f"the agent {said.get('node', '')} has no Python 3.9 or newer with ssl (found: {said.get('python') or 'none'})"
    if said.get("last9") != "reached":
        return f"the agent {said.get('node', '')} does not reach the fake Last9 on this machine's loopback ({said.get('last9', '')})"
    harmless = re.compile(r"LAST9_(PYTHON|CA_BUNDLE|DEBUG|TESTS_.*)")
    leading = [name for name in said.get("variables", "").split() if not harmless.fullmatch(name)]
    if leading:
        return f"the controller sets {', '.join(leading)} for every build, so markers would not go to the fake Last9 as the rows expect"
    return None


def said_by(console: list[str]) -> dict[str, str]:
    """What the pipeline has said: name → text."""
    return dict(line[len(PREFIX) :].split("=", 1) for line in console if line.startswith(PREFIX) and "=" in line)


def ask(client: Client) -> tuple[str, dict[str, str] | None, list[Agent] | None]:
    """Version, active plugins and agents, by the API."""
    version = client.version()
    try:
        listed = client.get_json("/pluginManager", tree="plugins[shortName,version,active]")["plugins"]
        plugins: dict[str, str] | None = {plugin["shortName"]: plugin["version"] for plugin in listed if plugin["active"]}
    except ControllerError:
        plugins = None
    try:
        listed = client.get_json("/computer", tree="computer[displayName,offline,numExecutors,assignedLabels[name]]")["computer"]
        agents: list[Agent] | None = [_agent(computer) for computer in listed]
    except ControllerError:
        agents = None
    return version, plugins, agents


def _agent(computer: dict[str, Any]) -> Agent:
    labels = frozenset(label["name"] for label in computer["assignedLabels"])
    return Agent(computer["displayName"], computer["numExecutors"], computer["offline"], labels)
