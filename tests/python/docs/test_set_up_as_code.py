"""The set-up under examples/: it parses, and every name in it is one that the plugin itself gives to that thing.

What cannot be run without Jenkins is held to the plugins' own names: the tables in tests/plugin-names/ say where each was read (plugin,
class). A name that is not in its table fails the test, and so does a row that no example uses.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from last9_markers.request.options import CONNECTION_FIELDS

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"

#: core: hudson.model.Result, with their ordinals.
RESULTS = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")

YAML_FILES = sorted(EXAMPLES.glob("*/*.yaml"))
XML_FILES = sorted(EXAMPLES.glob("*/*.config.xml"))


def names(table: str) -> set[str]:
    """The names in one of the tables; every row has a source."""
    rows = [line.split(" | ") for line in (ROOT / "tests" / "plugin-names" / table).read_text("utf-8").splitlines() if line[0] != "#"]
    assert all(re.match(r"[a-z-]+: \w", source) for _, source in rows)
    return {name.strip() for name, _ in rows}


def paths(node: Any, prefix: str = "") -> Iterator[str]:
    """Every path of a YAML document, without list positions."""
    if isinstance(node, list):
        for item in node:
            yield from paths(item, prefix)
    elif isinstance(node, dict):
        for key, value in node.items():
            path = f"{prefix}.{key}" if prefix else str(key)
            yield path
            yield from paths(value, path)


def pairs(element: ElementTree.Element) -> Iterator[str]:
    """Every parent/child pair of an XML document, and its root."""
    for parent in element.iter():
        for child in parent:
            yield f"{parent.tag}/{child.tag}"
    yield element.tag


def read_yaml(path: Path) -> Any:
    """A YAML file, as configuration-as-code reads it: plain YAML."""
    return yaml.safe_load(path.read_text("utf-8"))


def variables(document: Any) -> dict[str, str]:
    """The global environment variables that a JCasC file sets."""
    found = {}
    for node_property in document["jenkins"].get("globalNodeProperties", []):
        found.update({entry["key"]: entry["value"] for entry in node_property["envVars"]["env"]})
    return found


def test_every_jcasc_name_is_the_plugins_own() -> None:
    """Each key of each JCasC file is one that its plugin reads; none in the table is there for nothing."""
    used = {path for file in YAML_FILES for path in paths(read_yaml(file))}
    assert len(YAML_FILES) == 4
    assert used == names("jcasc.txt")


def test_every_element_of_a_job_is_a_field_of_its_class() -> None:
    """Each element of each config.xml is a field that Jenkins would read back; none in the table is there for nothing."""
    used = {pair for file in XML_FILES for pair in pairs(ElementTree.parse(file).getroot())}
    assert len(XML_FILES) == 4
    assert used == names("config-xml.txt")


@pytest.mark.parametrize("file", XML_FILES, ids=lambda path: path.name)
def test_a_job_names_only_results_that_there_are(file: Path) -> None:
    """A result that does not exist would be skipped in silence; a threshold's parts belong together."""
    root = ElementTree.parse(file).getroot()
    assert {node.text for node in root.iter("string")} <= set(RESULTS)
    for threshold in root.iter("threshold"):
        assert RESULTS[int(threshold.findtext("ordinal") or -1)] == threshold.findtext("name") == "FAILURE"


@pytest.mark.parametrize("file", YAML_FILES, ids=lambda path: path.parent.name)
def test_a_jcasc_file_holds_no_secret(file: Path) -> None:
    """Every secret is a reference that configuration-as-code resolves; variables are texts, as core wants them."""
    document = read_yaml(file)
    stores = document.get("credentials", {"system": {"domainCredentials": []}})["system"]["domainCredentials"]
    for store in stores:
        for credential in store["credentials"]:
            ((kind, fields),) = credential.items()
            secret = fields["secret" if kind == "string" else "password"]
            assert re.fullmatch(r"\$\{[A-Z0-9_]+\}", secret), fields["id"]
    assert all(isinstance(value, str) for value in variables(document).values())


def test_the_global_variables_are_ones_that_are_read() -> None:
    """A misspelt LAST9_* variable would be ignored without a word."""
    readme = (ROOT / "docs" / "environment-variables.md").read_text("utf-8")
    others = {"HTTPS_PROXY", "NO_PROXY"}
    names = {name for file in YAML_FILES for name in variables(read_yaml(file))}
    assert names >= {"LAST9_ROUTING_PROFILES", "LAST9_CA_BUNDLE", "LAST9_TIMEOUT_SECONDS"}
    for name in names - others:
        assert f"`{name}`" in readme, name


def test_the_routing_profiles_are_what_the_engine_reads() -> None:
    """LAST9_ROUTING_PROFILES is a JSON object of objects of connection fields, and names credentials that the file defines."""
    document = read_yaml(EXAMPLES / "several-teams" / "jenkins.yaml")
    profiles = json.loads(variables(document)["LAST9_ROUTING_PROFILES"])
    ids = {credential["string"]["id"] for credential in document["credentials"]["system"]["domainCredentials"][0]["credentials"]}
    assert {profile["credentialId"] for profile in profiles.values()} == ids
    assert all(set(profile) <= set(CONNECTION_FIELDS) for profile in profiles.values())


def test_the_pod_has_a_python_container() -> None:
    """The template's pod and the Jenkinsfile's are YAML, and both bring the container that the markers run in."""
    template = read_yaml(EXAMPLES / "kubernetes" / "jenkins.yaml")["jenkins"]["clouds"][0]["kubernetes"]["templates"][0]["yaml"]
    jenkinsfile = (EXAMPLES / "kubernetes" / "declarative-pod.Jenkinsfile").read_text("utf-8")
    inline = re.search(r"yaml '''(.*?)'''", jenkinsfile, re.DOTALL)
    assert inline is not None
    for text in (template, inline[1]):
        pod = yaml.safe_load(text)
        assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")
        containers = {container["name"]: container for container in pod["spec"]["containers"]}
        assert containers["markers"]["image"].startswith("python:3.")
        # The kubernetes plugin's steps need a container that stays.
        assert all(container["command"] == ["sleep"] for container in containers.values())
    assert set(re.findall(r"container\('(\w+)'\)", jenkinsfile)) == {"markers", "deploy"}


def test_the_image_with_python_installs_it() -> None:
    """The Dockerfile's instructions are a base image and the installation of Python, and its layer leaves no package lists behind."""
    lines = (EXAMPLES / "agent-without-python" / "Dockerfile").read_text("utf-8").splitlines()
    instructions = [line.split(" ", 1) for line in lines if not line.startswith("#")]
    assert [name for name, _ in instructions] == ["FROM", "RUN"]
    assert re.search(r"apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/\*$", instructions[1][1])


@pytest.mark.parametrize(("verify", "code", "mirrored"), [("true", 0, True), ("false", 2, False)])
def test_only_a_verified_version_reaches_the_mirror(tmp_path: Path, verify: str, code: int, mirrored: bool) -> None:
    """mirror.sh pushes the version, as a tag and as main, after `make verify` there; where that fails nothing is pushed."""
    clone, mirror = tmp_path / "clone", tmp_path / "mirror.git"

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet", "--bare", str(mirror))
    git("init", "--quiet", str(clone))
    (clone / "Makefile").write_text(f"verify:\n\t@{verify}\n", "utf-8")
    git("-C", str(clone), "add", "Makefile")
    git("-C", str(clone), "commit", "--quiet", "-m", "One version")
    git("-C", str(clone), "tag", "v1.0.0")
    script = EXAMPLES / "locked-down" / "mirror.sh"
    done = subprocess.run([script, clone, "v1.0.0", mirror], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    refs = git("-C", str(mirror), "for-each-ref", "--format=%(refname)").split()
    assert refs == (["refs/heads/main", "refs/tags/v1.0.0"] if mirrored else [])
    assert (git("-C", str(clone), "rev-parse", "HEAD") in done.stdout) == mirrored


#: What the pipeline runner itself knows: ScenariosTest runs these, so nothing needs to be looked up.
RUN_BY_THE_TESTS = {
    *("pipeline", "agent", "stages", "stage", "steps", "script", "parameters", "string", "choice", "sh", "label"),
    *("withLast9Deployment", "last9DeploymentMarker", "last9Config", "params.ENVIRONMENT", "Library"),
}


def called(jenkinsfile: str) -> set[str]:
    """The steps, directives and properties that a Jenkinsfile names, by the forms in which the examples write them."""
    code = re.sub(r"'''.*?'''", "''", re.sub(r"^//.*$", "", jenkinsfile, flags=re.MULTILINE), flags=re.DOTALL)
    agent = re.search(r"agent \{\n\s+(\w+) \{(.*?)\n        \}", code, re.DOTALL)
    found = set()
    if agent:
        found = {f"agent.{agent[1]}", *(f"agent.{agent[1]}.{option}" for option in re.findall(r"^\s+(\w+) '", agent[2], re.MULTILINE))}
        code = code.replace(agent[0], "")
    code = re.sub(r"'[^'\n]*'", "''", code)
    found |= set(re.findall(r"^\s*(?:@)?(\w+)(?=\s*\(|\s*\{|\s+\w+:|\s+''|$)", code, re.MULTILINE)) - {"_"}
    found |= set(re.findall(r"\b(?:currentBuild|deployed|docker|params)\.\w+", code))
    return found | set(re.findall(r"(?<=\))(\.\w+)(?=\()", code))


def test_every_plugins_step_in_a_jenkinsfile_is_the_plugins_own() -> None:
    """What the runner cannot know (kubernetes, docker, folder properties) is in the table, and the table has nothing else."""
    used = {name for file in EXAMPLES.glob("*/*.Jenkinsfile") for name in called(file.read_text("utf-8"))}
    assert used - RUN_BY_THE_TESTS == names("jenkinsfiles.txt")
