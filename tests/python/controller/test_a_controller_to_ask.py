"""What tests/controller/ says to Jenkins without one at hand: every name is the plugins' own, and every plugin is in plugins.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from controller import probe, workplace
from controller.rows import ROOT, all_rows

HERE = ROOT / "tests" / "controller"
TABLES = ROOT / "tests" / "plugin-names"
#: The plugins that only the set-up and COST=1 need.
BESIDES = {"configuration-as-code", "command-launcher", "credentials", "cloudbees-folder", "pipeline-rest-api"}


def rows(table: str) -> dict[str, str]:
    """Name → plugin that it was read from."""
    lines = (line.split(" | ") for line in (TABLES / table).read_text("utf-8").splitlines() if not line.startswith("#"))
    found = {name.strip(): source.split(":")[0] for name, source in lines}
    assert all(re.fullmatch(r"[a-z-]+", plugin) for plugin in found.values())
    return found


def plugins() -> dict[str, str]:
    """plugins.txt: name → version."""
    lines = (HERE / "plugins.txt").read_text("utf-8").splitlines()
    return dict(line.split(":") for line in lines if not line.startswith("#"))


def paths(node: Any, prefix: str = "") -> Iterator[str]:
    """Every path of a YAML document, without list positions."""
    for item in node if isinstance(node, list) else [node]:
        for key, value in item.items() if isinstance(item, dict) else ():
            path = f"{prefix}.{key}" if prefix else str(key)
            yield path
            yield from paths(value, path)


def set_up() -> Any:
    """jenkins.yaml."""
    return yaml.safe_load((HERE / "jenkins.yaml").read_text("utf-8"))


def test_every_jcasc_name_is_the_plugins_own() -> None:
    """Each key is in a table with the place where it was read, none of the suite's own is there for nothing, its plugin is installed."""
    used = set(paths(set_up()))
    known, own = rows("jcasc.txt"), rows("controller-jcasc.txt")
    assert used <= set(known) | set(own)
    assert used - set(known) == set(own)
    assert {{**known, **own}[path] for path in used} - {"core"} <= set(plugins())


def test_every_element_that_is_posted_is_a_field_of_its_class() -> None:
    """Folders, jobs and credentials are written in names that Jenkins reads, from plugins that are installed."""
    job = workplace.job_xml("echo 'a < b'", parameters=("SEND",), abort_previous=True)
    posted = [workplace.FOLDER, job, workplace.credential_xml("s<3")]
    roots = [ElementTree.fromstring(text) for text in posted]
    used = {f"{parent.tag}/{child.tag}" for root in roots for parent in root.iter() for child in parent} | {root.tag for root in roots}
    table = rows("controller-xml.txt")
    assert used == set(table)
    assert set(table.values()) - {"core"} <= set(plugins())
    assert roots[1].findtext("definition/script") == "echo 'a < b'"
    assert roots[1].findtext("definition/sandbox") == "true"
    assert roots[2].findtext("secret") == "s<3"


def test_the_plugins_are_those_that_the_rows_need() -> None:
    """plugins.txt is pinned and complete: no row lacks anything there, and nothing in it is superfluous."""
    installed = plugins()
    assert set(installed) == {*probe.ALWAYS, *probe.NEEDS.values(), *BESIDES}
    assert all(re.fullmatch(r"\d[\w.-]*", version) for version in installed.values())
    labels = frozenset(
        yaml.safe_load((HERE / "jenkins.yaml").read_text("utf-8"))["jenkins"]["nodes"][0]["permanent"]["labelString"].split()
    )
    facts = probe.Facts("2", installed, [probe.Agent("second", 2, False, labels)], {})
    assert [(row.name, facts.lacks(row)) for row in all_rows() if facts.lacks(row)] == []


@pytest.mark.parametrize("plugin", ["pipeline-input-step", "pipeline-build-step", "pipeline-model-definition"])
def test_a_missing_plugin_is_noticed_by_the_rows_that_use_it(plugin: str) -> None:
    """Each step's plugin is missed by some rows and not by all."""
    facts = probe.Facts("2", {name: version for name, version in plugins().items() if name != plugin}, None, {})
    lacking = [row.name for row in all_rows() if facts.lacks(row)]
    assert 0 < len(lacking) < len(all_rows())


def test_the_set_up_holds_no_secret_and_nothing_for_every_build() -> None:
    """Secrets are variables, and none of these is one that the library reads in every build: the suite would refuse that controller."""
    text = (HERE / "jenkins.yaml").read_text("utf-8")
    secrets = re.findall(r"(?:password|secret): (.*)", text)
    assert secrets
    assert all(re.fullmatch(r'"\$\{LAST9_TESTS_\w+\}"', secret) for secret in secrets)
    fit = {"python": "3.11", "last9": "reached"}
    assert probe.unfit({**fit, "variables": ""}) is None
    workflow = yaml.safe_load((HERE / "workflow.yml").read_text("utf-8"))
    handed_over = set(re.findall(r"--env (\w+)", str(workflow)))
    assert handed_over == set(re.findall(r"\$\{(\w+)\}", text))
    assert probe.unfit({**fit, "variables": " ".join(handed_over)}) is None


def test_the_workflow_runs_the_suite() -> None:
    """The workflow builds this folder's image, starts it where it reaches the suite, and runs `make controller` with rights to read."""
    workflow = yaml.safe_load((HERE / "workflow.yml").read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    commands = "\n".join(step.get("run", "") for step in workflow["jobs"]["controller"]["steps"])
    assert "docker build --tag last9-tests-jenkins tests/controller" in commands
    assert "--network host" in commands
    assert "make controller JENKINS_URL=http://127.0.0.1:8080 JENKINS_USER=tests\n" in commands
    assert "JENKINS_TOKEN=" not in commands.replace('echo "JENKINS_TOKEN=$LAST9_TESTS_PASSWORD" >>"$GITHUB_ENV"', "")


def test_the_untried_is_called_untried() -> None:
    """The set-up says that it has not been run yet."""
    assert "untried" in (HERE / "README.md").read_text("utf-8").lower()


def test_the_image_is_pinned_to_the_line_of_its_plugins() -> None:
    """Pinned plugins on an image that moves are not pinned: the image is a release of the line that `plugins.txt` was made for."""
    (image,) = re.findall(r"^FROM (.*)", (HERE / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    (line,) = re.findall(r"bom-(\d\.\d+)\.x", (HERE / "plugins.txt").read_text("utf-8"))
    assert re.fullmatch(rf"jenkins/jenkins:{re.escape(line)}\.\d+-lts-jdk\d+", image)


def test_the_second_agent_is_waited_for() -> None:
    """Agents come up after Jenkins does: asked too early, the row that needs the second one is not run, and no one sees it."""
    (agent,) = set_up()["jenkins"]["nodes"]
    assert "until curl" in agent["permanent"]["launcher"]["command"]["command"]  # Jenkins starts it before it listens
    workflow = (HERE / "workflow.yml").read_text("utf-8")
    wait = workflow.index("/computer/second/api/json")
    assert r"\"offline\":false" in workflow
    assert wait < workflow.index("make controller")
