"""The place of the suite's jobs on the controller: a folder (or a prefix, without folders), with a credential in it.

At the end, everything that was made is removed, also after an error; the rest is named.
"""

from __future__ import annotations

import contextlib
import functools
import re
import uuid
from collections.abc import Callable
from types import TracebackType
from xml.sax.saxutils import escape

from controller.builds import Build
from controller.client import Client, ControllerError, Gone, Unreachable, Unsure, WrongCredentials, job_path

CREDENTIAL = "last9-refresh-token"
_PREFIX = "last9-tests-"

#: The names in these are held to the plugins' own: tests/plugin-names/controller.txt.
FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>"
_JOB = """\
<?xml version='1.1' encoding='UTF-8'?>
<flow-definition>
  <description>Made by the tests of the Last9 library, which remove it</description>
  <properties>{properties}</properties>
  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">
    <script>{script}</script>
    <sandbox>true</sandbox>
  </definition>
</flow-definition>
"""
_PARAMETER = """
    <hudson.model.ParametersDefinitionProperty>
      <parameterDefinitions>
        <hudson.model.BooleanParameterDefinition>
          <name>{name}</name>
          <defaultValue>false</defaultValue>
        </hudson.model.BooleanParameterDefinition>
      </parameterDefinitions>
    </hudson.model.ParametersDefinitionProperty>"""
ABORT_PREVIOUS = """
    <org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty>
      <abortPrevious>true</abortPrevious>
    </org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty>"""
_CREDENTIAL = """\
<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>
  <scope>GLOBAL</scope>
  <id>{id}</id>
  <description>Made by the tests of the Last9 library, which remove it</description>
  <secret>{secret}</secret>
</org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>
"""
_SYSTEM = "/credentials/store/system/domain/_"


def job_xml(script: str, *, parameters: tuple[str, ...] = (), abort_previous: bool = False) -> str:
    """The config.xml of a sandboxed Pipeline job. ``parameters`` are check boxes."""
    properties = "".join(_PARAMETER.format(name=escape(name)) for name in parameters) + (ABORT_PREVIOUS if abort_previous else "")
    return _JOB.format(properties=properties, script=escape(script))


def credential_xml(secret: str) -> str:
    """A *Secret text* credential with the library's default id."""
    return _CREDENTIAL.format(id=CREDENTIAL, secret=escape(secret))


class Workplace:
    """A context manager. ``no_credential`` says why there is no credential; ``None`` if there is one."""

    def __init__(self, client: Client, secret: str) -> None:
        self._client = client
        self._secret = secret
        self.name = f"{_PREFIX}{uuid.uuid4().hex[:8]}"
        self.folder: str | None = None
        self.no_credential: str | None = None
        self._made: list[str] = []
        self._made_credential = False
        #: What is left on the controller, for people to remove.
        self.left: list[str] = []

    def __enter__(self) -> Workplace:
        try:
            self._make_folder()
            self._make_credential()
        except BaseException:
            self.clear()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.clear()

    def earlier(self) -> list[str]:
        """What runs of the suite that could not tidy up have left; it may also be of one that is under way elsewhere."""
        listed = self._client.get_json("", tree="jobs[name]").get("jobs", [])
        return [job["name"] for job in listed if job["name"].startswith(_PREFIX) and not job["name"].startswith(self.name)]

    def job(self, name: str) -> str:
        """The full name of a job of ours."""
        short = re.sub(r"[^A-Za-z0-9-]+", "-", name)
        return f"{self.folder}/{short}" if self.folder else f"{self.name}-{short}"

    def make(self, name: str, xml: str) -> str:
        """Create a job; its full name."""
        full = self.job(name)
        where = job_path(self.folder) if self.folder else ""
        self._made.append(full)
        self._client.post(f"{where}/createItem", xml=xml, name=full.rsplit("/", 1)[-1])
        return full

    def remove(self, full: str) -> None:
        """Delete a job with its builds."""
        self._delete(f"{job_path(full)}/doDelete")
        if full in self._made:
            self._made.remove(full)

    def clear(self) -> None:
        """Stop what runs, delete what was made. Never raises what the controller says; ``left`` has it, also if it is interrupted."""
        kind = "folder" if self.folder else "job"
        removals: dict[str, Callable[[], object]] = {
            f"{kind} {full}": functools.partial(self.remove, full) for full in ([self.folder] if self.folder else self._made)
        }
        if self._made_credential and not self.folder:
            removals[f"credential {CREDENTIAL}"] = lambda: self._delete(f"{_SYSTEM}/credential/{CREDENTIAL}/doDelete")
        try:
            self.end_what_runs()
            for what in list(removals):
                self._try(what, removals[what])
                del removals[what]
        except KeyboardInterrupt:
            self.left += [f"{what} (interrupted)" for what in removals]
            raise
        self._made_credential = False
        self.folder = None
        self._made.clear()

    def end_what_runs(self) -> None:
        """End all builds of ours that are under way. The controller is asked which: one may have begun whose start we were not told of."""
        for job in self._made:
            self._try(f"builds of {job}", functools.partial(self._end_builds, job))

    def _end_builds(self, job: str) -> None:
        with contextlib.suppress(Gone):
            for build in self._client.get_json(job_path(job), tree="builds[number,building]")["builds"]:
                if build["building"]:
                    Build(self._client, job, build["number"]).end()

    def _delete(self, path: str) -> None:
        """Delete it, if it is there. Without an answer once more: to delete twice does no harm."""
        with contextlib.suppress(Gone):
            try:
                self._client.post(path)
            except Unsure:
                self._client.post(path)

    def _try(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except ControllerError as error:
            self.left.append(f"{what} ({error})")

    def _make_folder(self) -> None:
        self.folder = self.name  # before it is asked for: it is removed even if an interruption comes between
        try:
            self._client.post("/createItem", xml=FOLDER, name=self.name)
        except (WrongCredentials, Unreachable):
            self.folder = None
            raise
        except ControllerError:  # no folders here, or not for us; or it was made, and the answer was lost
            self.folder = self.name if self._is_there(self.name) else None

    def _make_credential(self) -> None:
        """In the folder, where it masks one of the same id; in the system store if there is none yet."""
        store = f"{job_path(self.folder)}/credentials/store/folder/domain/_" if self.folder else _SYSTEM
        try:
            if not self.folder and self._is_credential_there():
                self.no_credential = f"the controller has a credential '{CREDENTIAL}' of its own and no folder for ours"
                return
            self._made_credential = True  # before it is asked for, as with the folder; no one else's is there
            self._client.post(f"{store}/createCredentials", xml=credential_xml(self._secret))
        except ControllerError as refusal:
            self._made_credential = self._made_credential and isinstance(refusal, Unsure)
            self.no_credential = f"a credential cannot be created: {refusal}"

    def _is_credential_there(self) -> bool:
        try:
            self._client.get_json(f"{_SYSTEM}/credential/{CREDENTIAL}", tree="id")
        except Gone:
            return False
        return True

    def _is_there(self, name: str) -> bool:
        try:
            self._client.get_json(job_path(name), tree="name")
        except Unreachable:
            raise
        except ControllerError:
            return False
        return True
