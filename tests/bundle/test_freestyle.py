"""The Freestyle jobs of examples/, step by step as Jenkins runs them, with the committed bundle and a real server.

Their XML is held to the plugins' names in tests/python/docs/test_set_up_as_code.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from agents import BUNDLE, MINIMAL_ENV, ROOT, SHA256, SHELLS, Last9, program, promised, pythons
from freestyle import Job

FREESTYLE = ROOT / "examples" / "freestyle"
ONE_STEP = "window-around-one-step"
ALL_STEPS = "window-over-all-steps"
MARKER = "marker-after-build.post-build-script"
CORE_ALONE = "marker-after-build.core-alone"

MakeJob = Callable[[str], Job]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What install.sh makes of the committed bundle: /opt/last9 on an agent."""
    folder = tmp_path_factory.mktemp("opt") / "last9"
    subprocess.run(["sh", FREESTYLE / "install.sh", BUNDLE, SHA256, folder], check=True, env=MINIMAL_ENV)
    return folder


@pytest.fixture
def job(tmp_path: Path, last9: Last9, tools: Path) -> MakeJob:
    """Makes the job of an example."""
    return lambda name: Job(FREESTYLE / f"{name}.config.xml", tmp_path, last9, tools)


def told(events: list[dict[str, Any]]) -> list[str]:
    """State, service, environment and outcome of each event."""
    return [
        " ".join([event["event_state"], *(event["attributes"].get(name, "-") for name in ("service", "env", "deployment.outcome"))])
        for event in events
    ]


def ids(events: list[dict[str, Any]]) -> set[str]:
    """The windows that the events belong to."""
    return {event["attributes"].get("deployment.id", "none") for event in events}


def assert_silent(job: Job, console: str) -> None:
    """The token is nowhere: not in the log, not in a file."""
    token = job.credentials["last9-refresh-token"]
    assert token not in console
    for folder, _, names in os.walk(job.workspace.parent):
        for name in names:
            assert token.encode() not in Path(folder, name).read_bytes(), name


START = "start payments-api production -"
STOP = "stop payments-api production"

#: Example, what the deployment does, result of the build, markers in order.
TABLE = [
    (ONE_STEP, "exit 0", "SUCCESS", [START, f"{STOP} success"]),
    (ONE_STEP, "exit 3", "FAILURE", [START, f"{STOP} failure"]),
    (ALL_STEPS, "exit 0", "SUCCESS", [START, f"{STOP} success"]),
    (ALL_STEPS, "exit 3", "FAILURE", [START, f"{STOP} failure"]),
    (MARKER, "exit 0", "SUCCESS", [f"{STOP} success"]),
    (MARKER, "exit 3", "FAILURE", [f"{STOP} failure"]),
]


@pytest.mark.parametrize(("example", "deploy", "result", "markers"), TABLE)
def test_a_job_sends_its_markers_and_ends_as_its_deployment_did(
    job: MakeJob, last9: Last9, example: str, deploy: str, result: str, markers: list[str]
) -> None:
    """Each example sends what its comment promises, in one window, and the build's result is that of the deployment alone."""
    this = job(example)
    this.deploys_with(f"echo deploying; {deploy}")
    build = this.build()
    events = last9.received()
    assert build.result == result, build.console
    assert told(events) == markers, build.console
    assert len(ids(events)) == 1
    assert ("none" in ids(events)) == (example == MARKER)
    assert events[-1]["attributes"]["jenkins.job_name"] == "payments/deploy"
    assert "[Last9] WARNING" not in build.console
    assert "deploying" in build.console
    assert_silent(this, build.console)


@pytest.mark.parametrize("example", [ONE_STEP, ALL_STEPS, MARKER])
@pytest.mark.parametrize(("deploy", "result", "code"), [("exit 0", "SUCCESS", 0), ("exit 3", "FAILURE", 3)])
def test_last9_being_down_changes_no_build(job: MakeJob, last9: Last9, example: str, deploy: str, result: str, code: int) -> None:
    """With any answer of Last9, the deployment runs and decides the build's result."""
    last9.order(status=500, times=1000)
    this = job(example)
    this.environment["LAST9_TIMEOUT_SECONDS"] = "1"
    this.deploys_with(f"echo deploying; {deploy}")
    build = this.build()
    assert build.result == result, build.console
    assert code in build.steps
    assert last9.received() == []
    assert "deploying" in build.console
    assert "[Last9] WARNING: deployment (stop) for payments-api was not delivered" in build.console
    assert_silent(this, build.console)


@pytest.mark.parametrize(("example", "outcome"), [(ONE_STEP, "aborted"), (ALL_STEPS, "aborted")])
def test_an_aborted_build_closes_its_window(job: MakeJob, last9: Last9, example: str, outcome: str) -> None:
    """A person presses stop: Jenkins ends the children first, and the stop is sent all the same."""
    this = job(example)
    this.deploys_with("echo deploying; : > started; exec sleep 60")
    build = this.build(abort=_when_there(this.workspace / "started")) if example == ONE_STEP else _abort_the_second_step(this)
    events = last9.received()
    assert build.result == "ABORTED"
    assert told(events) == [START, f"{STOP} {outcome}"], build.console
    assert len(ids(events)) == 1


@pytest.mark.parametrize("example", [ONE_STEP, ALL_STEPS, MARKER])
def test_an_agent_without_the_program_deploys_all_the_same(tmp_path: Path, last9: Last9, example: str) -> None:
    """What is not installed costs the marker, never the deployment."""
    this = Job(FREESTYLE / f"{example}.config.xml", tmp_path, last9, tmp_path / "not-there")
    this.deploys_with("echo deploying")
    build = this.build()
    assert build.result == "SUCCESS", build.console
    assert "deploying" in build.console
    assert last9.received() == []


@pytest.mark.parametrize(("deploy", "result", "triggered"), [("exit 0", "SUCCESS", True), ("exit 3", "FAILURE", True)])
def test_core_alone_triggers_the_marker_job(job: MakeJob, last9: Last9, deploy: str, result: str, triggered: bool) -> None:
    """With core alone the job triggers the Pipeline job, after a failure too, and needs neither token nor Python itself."""
    this = job(CORE_ALONE)
    this.deploys_with(deploy)
    build = this.build()
    assert (build.result, build.triggered == ["deploy-payments-api-marker"]) == (result, triggered)
    assert this._bound() == {}


def test_core_alone_triggers_nothing_after_an_abort(job: MakeJob) -> None:
    """As the documentation says: an aborted build is worse than the threshold."""
    this = job(CORE_ALONE)
    this.deploys_with(": > started; exec sleep 60")
    build = this.build(abort=_when_there(this.workspace / "started"))
    assert (build.result, build.triggered) == ("ABORTED", [])


# -- the launcher and its installation ----------------------------------------------------------------------------------------


def _launch(tools: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(tools / "last9-markers"), *arguments]
    return subprocess.run(command, env={**MINIMAL_ENV, **environ}, capture_output=True, text=True, check=False, timeout=60)


def test_the_launcher_passes_over_what_cannot_run_the_bundle(tools: Path, tmp_path: Path) -> None:
    """An interpreter that is too old, or none at all, is left out for one that serves; a LAST9_PYTHON that does not is named."""
    program(tmp_path / "python3", "exit 97")
    program(tmp_path / "python", f'exec {pythons()[promised()[-1]]} "$@"')
    done = _launch(tools, "--version", PATH=f"{tmp_path}:/usr/bin:/bin", LAST9_PYTHON="/no/such/python")
    assert (done.returncode, done.stderr) == (0, "[Last9] WARNING: LAST9_PYTHON is ignored: /no/such/python (not found).\n")
    assert done.stdout.startswith("last9-markers ")


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (("window", "--service-name", "payments api", "--", "sh", "-c", 'echo "$1"; exit 7', "-", "a  b"), 7, "a  b\n"),
    (("window", "--", "/no/such/command"), 127, ""),
    (("window", "--service-name", "x", "--"), 2, ""),
    (("window", "--service-name", "x"), 2, ""),
    (("window", "--service-name", "x", "echo", "not run"), 2, ""),
    (("window", "--fail-on-error", "--", "sh", "-c", "echo run"), 1, "run\n"),
    (("window", "--fail-on-error", "--", "sh", "-c", "exit 7"), 7, ""),
    (("window", "--service-name", "x", "--", "sh", "-c", "exit 0", "--fail-on-error"), 0, ""),
    (("send", "--service-name", "x"), 0, ""),
    (("send", "--service-name", "x", "--fail-on-error"), 1, ""),
    (("send", "--fail-on-error", "--service-name", "x", "--no-fail-on-error"), 0, ""),
    (("check",), 97, ""),
])  # fmt: skip
def test_without_python_the_command_runs_alone(tools: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """No Python: one warning, and the command behind `--` runs as if we were not there, with its own exit code.

    If the command cannot be identified, nothing runs, and that is not a success.
    """
    for name in ("python3", "python"):
        program(tmp_path / name, "exit 97")
    for tool in ("sh", "env"):
        (tmp_path / tool).symlink_to(f"/bin/{tool}")
    done = _launch(tools, *arguments, PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (code, said)
    assert "[Last9] WARNING: no deployment marker was sent: no Python here can run" in done.stderr


def test_a_program_that_is_no_python_is_left_out(tools: Path, tmp_path: Path) -> None:
    """A python3 that ends with 0 and does nothing: the command still runs, and is not taken for done."""
    for name in ("python3", "python"):
        program(tmp_path / name, "exit 0")
    done = _launch(tools, "window", "--service-name", "x", "--", "/bin/sh", "-c", "echo deployed; exit 7", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (7, "deployed\n")
    assert f"{tmp_path}/python3 (exit code 0)" in done.stderr


def _is_running(pid: str) -> bool:
    """Not if it has ended and only waits to be collected."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell.id != "zsh"])  # which is nowhere /bin/sh
def test_a_python_that_never_ends_is_left_out(tools: Path, tmp_path: Path, shell: list[str]) -> None:
    """A wrapper called python3 that waits for ever: after 15 s the command runs, and neither the wrapper nor our clock stays."""
    program(tmp_path / "python3", f"echo $$ >> {tmp_path}/pids; exec /bin/sleep 600")
    program(tmp_path / "sleep", f'case $1 in 15) set -- 1 ;; esac; echo $$ >> {tmp_path}/pids; exec /bin/sleep "$@"')
    command = [
        str(shutil.which(shell[0])),
        *shell[1:],
        str(tools / "last9-markers"),
        "window",
        "--service-name",
        "x",
        "--",
        "/bin/sh",
        "-c",
        "echo deployed; exit 7",
    ]
    done = subprocess.run(command, env={**MINIMAL_ENV, "PATH": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (7, "deployed\n")
    assert f"{tmp_path}/python3 (killed, or not ended within 15 s)" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    pids = (tmp_path / "pids").read_text("utf-8").split()
    assert len(pids) == (1 if shell == ["ksh"] else 2)  # which has a sleep of its own
    assert not any(_is_running(pid) for pid in pids)


def test_our_clock_does_not_outlive_the_trial(tools: Path, tmp_path: Path) -> None:
    """An interpreter that serves ends the clock of its trial: nothing of ours is left when the command begins."""
    program(tmp_path / "sleep", f'echo $$ >> {tmp_path}/pids; exec /bin/sleep "$@"')
    done = _launch(tools, "--version", PATH=f"{tmp_path}:/usr/bin:/bin", LAST9_PYTHON=pythons()[promised()[-1]])
    assert done.returncode == 0
    pids = (tmp_path / "pids").read_text("utf-8").split() if (tmp_path / "pids").exists() else []
    assert not any(_is_running(pid) for pid in pids)


def test_a_damaged_bundle_is_as_good_as_no_python(tools: Path, tmp_path: Path) -> None:
    """Half a download must not end a deployment."""
    (tmp_path / "last9-markers.pyz").write_bytes(BUNDLE.read_bytes()[:20000])
    done = _launch(tools, "window", "--service-name", "x", "--", "echo", "deployed", LAST9_BUNDLE=str(tmp_path / "last9-markers.pyz"))
    assert (done.returncode, done.stdout) == (0, "deployed\n")
    assert "[Last9] WARNING" in done.stderr


SHOW = ("sh", "-c", 'printf "%s|%s" "${LAST9_REFRESH_TOKEN-none}" "$PWD"')


def _harmed(kind: str, path: Path, tools: Path) -> dict[str, str]:
    """The variables of a launch where Python or the bundle is not what it should be."""
    bundle = path / "bundle"
    if kind == "no python":
        return {"PATH": str(path)}
    makers: dict[str, Callable[[], object]] = {
        "no bundle": lambda: None,
        "a byte": lambda: bundle.write_bytes((tools / "last9-markers.pyz").read_bytes()[:-1] + b"x"),
        "fifo": lambda: os.mkfifo(bundle),
        "folder": bundle.mkdir,
        "link": lambda: bundle.symlink_to(tools / "last9-markers.pyz"),
        "device": lambda: bundle.symlink_to("/dev/zero"),
    }
    makers[kind]()
    return {"LAST9_BUNDLE": str(bundle)}


@pytest.mark.parametrize("kind", ["no python", "no bundle", "a byte", "fifo", "folder", "link", "device"])
def test_without_the_engine_the_command_does_not_get_the_token(kind: str, tools: Path, tmp_path: Path) -> None:
    """What runs alone gets what it would get from the engine: the token only with --pass-token, and not for a word of the command's."""
    (tmp_path / "sh").symlink_to("/bin/sh")
    environ = {**_harmed(kind, tmp_path, tools), "LAST9_REFRESH_TOKEN": "the-secret"}
    for options, expected in (((), "none"), (("--pass-token",), "the-secret"), (("--pass-token", "--no-pass-token"), "none")):
        done = _launch(tools, "window", "--service-name", "x", *options, "--", *SHOW, "--pass-token", **environ)
        assert (done.returncode, done.stdout) == (0, f"{expected}|{os.getcwd()}"), done.stderr
        assert done.stderr.count("[Last9] WARNING: no deployment marker was sent: ") == 1
        assert "the-secret" not in done.stderr
        if kind not in ("no python", "no bundle"):
            assert f"{tmp_path}/bundle is not the bundle that belongs to {tools}/last9-markers" in done.stderr


@pytest.mark.parametrize("where", ["inside", "below", "relative", "empty", "version file"])
def test_a_checkout_chooses_no_interpreter(where: str, tools: Path, tmp_path: Path) -> None:
    """Programs in the workspace or in relative folders of PATH are not run, nor does a .python-version count; the command runs there."""
    workspace = tmp_path / "workspace"
    below = workspace / "tools"
    below.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    for folder in (workspace, below):
        program(folder / "python3", f': >"{tmp_path}/trace"; exit 97')
    looking = 'folder=$PWD; while [ -n "$folder" ]; do [ ! -f "$folder/.python-version" ] || exit 97; folder=${folder%/*}; done'
    program(outside / "python3", f'{looking}\nexec {pythons()[promised()[-1]]} "$@"')
    (workspace / ".python-version").write_text("3.8.18\n")
    first = {"inside": str(workspace), "below": str(below), "relative": "tools", "empty": "", "version file": "/nowhere"}[where]
    environ = {"PATH": f"{first}:{outside}:/usr/bin:/bin", "WORKSPACE": str(workspace), "LAST9_DRY_RUN": "true"}
    command = ["/bin/sh", str(tools / "last9-markers"), "window", "--service-name", "x", "--", *SHOW]
    done = subprocess.run(command, env=environ, cwd=workspace, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"none|{workspace}"), done.stderr
    assert "WARNING" not in done.stderr
    assert not (tmp_path / "trace").exists()


def test_an_exported_cd_chooses_no_interpreter(tools: Path, tmp_path: Path) -> None:
    """If bash has inherited an exported `cd` that prints its folder, a checkout still chooses no program, and nothing is printed."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    program(workspace / "python3", f': >"{tmp_path}/trace"; exit 97')
    environ = {
        "PATH": f"{workspace}:{Path(pythons()[promised()[-1]]).parent}:/usr/bin:/bin",
        "WORKSPACE": str(workspace),
        "LAST9_DRY_RUN": "true",
        "BASH_FUNC_cd%%": '() { builtin cd "$@" && echo "now in $PWD"; }',
    }
    command = ["bash", str(tools / "last9-markers"), "window", "--service-name", "x", "--", "/bin/echo", "deployed"]
    done = subprocess.run(command, env=environ, cwd=workspace, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "deployed\n"), done.stderr
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("value", "reason"), [("/no/python", "not found"), ("venv/bin/python", "a relative path"), ("python3.77", "not found")]
)
def test_last9_python_that_does_not_serve_is_named(value: str, reason: str, tools: Path) -> None:
    """Another interpreter serves, and one line says why it was not that one."""
    done = _launch(tools, "--version", LAST9_PYTHON=value)
    assert (done.returncode, done.stderr) == (0, f"[Last9] WARNING: LAST9_PYTHON is ignored: {value} ({reason}).\n")


def test_the_launcher_finds_the_bundle_of_its_checkout() -> None:
    """In a checkout of the repository nothing needs to be installed."""
    done = _launch(FREESTYLE, "--version")
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_installed_that_was_not_asked_for(tmp_path: Path) -> None:
    """A bundle of another hash is refused, and what was there before stays; nothing is left aside."""
    target = tmp_path / "opt"
    target.mkdir()
    (target / "last9-markers.pyz").write_text("the old one", "utf-8")
    other = tmp_path / "other.pyz"
    other.write_bytes(BUNDLE.read_bytes() + b"\n")
    done = subprocess.run(
        ["sh", FREESTYLE / "install.sh", other, SHA256, target], capture_output=True, text=True, check=False, env=MINIMAL_ENV
    )
    assert done.returncode == 1
    assert f"is not the bundle with SHA-256 {SHA256}: nothing was installed" in done.stderr
    assert [path.name for path in target.iterdir()] == ["last9-markers.pyz"]
    assert (target / "last9-markers.pyz").read_text("utf-8") == "the old one"


def _when_there(path: Path) -> Callable[[], None]:
    def wait() -> None:
        deadline = time.monotonic() + 60
        while not path.exists():
            assert time.monotonic() < deadline, f"{path} did not come"
            time.sleep(0.01)

    return wait


def _abort_the_second_step(job: Job) -> Any:
    """The start is the first step: stop is pressed in the one after it."""
    waits = [None, _when_there(job.workspace / "started")]
    run = job._run

    def abort_second(command: str, environ: dict[str, str], done: Any, abort: Any = None) -> None:
        run(command, environ, done, waits[1] if len(done.steps) == 1 else None)

    job._run = abort_second  # type: ignore[method-assign]
    return job.build()
