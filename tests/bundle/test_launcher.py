"""run.sh: finds an interpreter that serves, says what it tried, ends with its own codes, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from agents import ANSWERED, BUNDLE, FIRST, NO_BUNDLE, NO_INTERPRETER, ROOT, SHA256, SHELLS, Agent, Done, program, promised, pythons

PYTHON = pythons()[promised()[0]]
SH = str(shutil.which("sh"))
LIKE_27 = 'echo "Unknown option: -I" >&2; echo "usage: python [option] ..." >&2; exit 2'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH of its own, empty at first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def launch(agent: Agent, path: Path, **environ: str) -> Done:
    """Run the launcher with nothing on PATH but that folder."""
    return agent.launch([SH], PATH=str(path), **environ)


def refused(done: Done) -> str:
    """Check the launcher's own answer and return its one warning."""
    assert done.code == NO_INTERPRETER, done
    (warning,) = done.answer["warnings"]
    expected = {"noEngine": True, "curl": "no", "delivered": False, "accepted": True, "deploymentId": None, "failBuild": None}
    assert done.answer == {"last9Answer": 2, **expected, "warnings": [warning]}
    assert done.stderr == "", "the library says it, as it knows the marker"
    assert "Install Python 3.9 or newer" in warning
    assert "LAST9_PYTHON" in warning
    assert "install curl" in warning
    return str(warning)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_window_arrives_through_the_launcher(shell: list[str], agent: Agent) -> None:
    """In each shell, run as Jenkins runs it, both markers arrive, nothing but the log is printed, and no run leaves a file."""
    first = agent.launch(shell)
    second = agent.launch(shell, "stop", bring=False)
    assert [first.code, second.code] == [ANSWERED, ANSWERED]
    assert [first.delivered, second.delivered] == [True, True]
    assert [event["event_state"] for event in agent.last9.received()] == ["start", "stop"]
    assert agent.left_over() == []
    assert {item.name[:5] for item in agent.folder.iterdir()} == {"last9", "code-", "run-0"}
    assert list(agent.workspace.iterdir()) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_no_python_in_any_shell(shell: list[str], agent: Agent) -> None:
    """Each shell writes the launcher's own answer, with any content, without any other program."""
    shell = [str(shutil.which(shell[0])), *shell[1:]]
    request = agent.request()
    process = agent.start_launcher(shell, request, PATH="/no where", LAST9_PYTHON='/a"b\\c\n[Last9] WARNING: forged\t`id`$(id)')
    stdout, stderr = process.communicate(timeout=60)
    done = agent.done(process.returncode, stdout, stderr, request)
    assert agent.left_over() == []
    assert '/a"b\\c?[Last9] WARNING: forged?`id`$(id) (not found)' in refused(done)


def test_a_missing_bundle_is_asked_for(agent: Agent) -> None:
    """Without a bundle the status is 78, nothing is said and nothing sent; the same request goes out once the bundle has come."""
    request = agent.request()
    asked = agent.launch(["sh"], bring=False, request=request)
    assert (asked.code, asked.stdout, asked.stderr, asked.written) == (NO_BUNDLE, "", "", None)
    assert request.exists()
    assert agent.last9.requests() == []
    assert agent.launch(["sh"], request=request).delivered
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    assert agent.left_over() == []


def test_no_python_at_all(agent: Agent, path: Path) -> None:
    """Without any interpreter there is one warning that names what was tried and the remedy, a whole answer, and no request left."""
    assert "Tried: python3 (not found), python (not found). " in refused(launch(agent, path))
    assert agent.left_over() == []
    assert agent.last9.received() == []


def test_no_python_keeps_old_answers(agent: Agent, path: Path) -> None:
    """If there is no Python, the launcher removes the answers that are older than a day: no engine ever comes by to tidy up."""
    old, new = (agent.slot / f"answer-{letter * 36}.json" for letter in "ab")
    for answer in (old, new):
        answer.write_text("{}", "utf-8")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    refused(launch(agent, path))
    assert agent.left_over() == [new.name]


def test_interpreters_that_do_not_serve_are_passed_over_quietly(agent: Agent, path: Path) -> None:
    """Python 2.7's usage text, a broken installation and one that lacks modules leave no trace where a later candidate serves."""
    program(path / "python3", LIKE_27)
    program(path / "python", "echo 'Fatal Python error' >&2; exit 1")
    program(path / "python3.13", "exit 97")
    (path / "python3.9").symlink_to(PYTHON)
    assert launch(agent, path).delivered


def test_each_interpreter_is_told_with_its_reason(agent: Agent, path: Path) -> None:
    """If no candidate serves, the warning says of each why not."""
    program(path / "python3", LIKE_27)
    program(path / "python", "exit 5")
    (path / "python3.14").write_text("no program\n")
    (path / "python3.14").chmod(0o755)
    program(path / "python3.12", "kill -SEGV $$")
    warning = refused(launch(agent, path))
    assert f"Tried: {path}/python3 (too old), {path}/python (exit code 5), {path}/python3.14 (" in warning
    assert f"{path}/python3.12 (exit code 139)" in warning


OLD = [version for version in pythons() if version in ("2.7", "3.6", "3.7", "3.8")]
if OLD:  # else no such test, instead of one that is skipped

    @pytest.mark.parametrize("version", OLD)
    def test_real_old_interpreters(version: str, agent: Agent, path: Path) -> None:
        """What real old Pythons print and return is taken for "next candidate", too."""
        (path / "python3").symlink_to(pythons()[version])
        expected = "too old" if version == "2.7" else f"Python {version} is too old"
        assert f"{path}/python3 ({expected})" in refused(launch(agent, path))
        (path / "python").symlink_to(PYTHON)
        assert launch(agent, path).delivered


@pytest.mark.parametrize("module", ["json", "email", "http", "unicodedata", "_ssl", "zlib"])
def test_an_interpreter_that_lacks_a_module(module: str, agent: Agent, path: Path) -> None:
    """Of a cut-down Python (Debian's python3-minimal) the warning names what it lacks and the package that brings it; the bundle stays."""
    agent.place_bundle()
    hiding = (
        "import sys\\n"
        f"class Hide:\\n    def find_spec(self, name, path=None, target=None):\\n        if name == {module!r}: raise ImportError(name)\\n"
        f"sys.meta_path.insert(0, Hide())\\nsys.modules.pop({module!r}, None)\\n"
    )
    body = f"""while [ "$1" != -c ]; do shift; done; code=$(printf "{hiding}"); shift; first=$1; shift
exec '{PYTHON}' -I -S -c "$code
$first" "$@"
"""
    program(path / "python3", body)
    (path / "printf").symlink_to("/usr/bin/printf")
    warning = refused(launch(agent, path))
    assert f"{path}/python3 (it lacks the module {module})" in warning
    assert "python3-minimal lacks modules" in warning
    assert agent.bundle.exists()
    (path / "python").symlink_to(PYTHON)
    assert launch(agent, path).delivered


def test_an_engine_that_breaks_later_is_not_run_again(agent: Agent, path: Path) -> None:
    """Once the request was read, a marker may be on its way: no other interpreter is tried, and the log says what ended the engine."""
    trace = path.parent / "trace"
    program(path / "python3", f'echo ran >>"{trace}"; while [ "$1" != --request ]; do shift; done; /bin/rm "$2"; exit 7')
    program(path / "python", f'echo ran >>"{trace}"')
    done = launch(agent, path)
    assert (done.code, done.stdout, done.written) == (7, "", None)
    assert (
        done.stderr
        == "[Last9] WARNING: the engine ended with exit code 7, so it is not known whether Last9 has this marker. See the lines above.\n"
    )
    assert trace.read_text("utf-8") == "ran\n"


def test_an_engine_that_pretends_success_is_no_success(agent: Agent, path: Path) -> None:
    """An engine that ends with 0 after it has read the request: Jenkins would take 0 for success, so the status is another."""
    program(path / "python3", 'while [ "$1" != --request ]; do shift; done; /bin/rm "$2"; exit 0')
    assert launch(agent, path).code == 70


@pytest.mark.parametrize(
    "name", ["py thon", "it's", 'double"quote', "back\\slash", "$(touch pwned)", "`touch pwned`", "Zürich ✓", "%s%n", "-c"]
)
def test_last9_python_is_data(name: str, agent: Agent, path: Path, tmp_path: Path) -> None:
    """LAST9_PYTHON may hold any character: it names the interpreter if there is one, else it is reported as it is; nothing in it is run."""
    interpreter = tmp_path / "any where" / name
    interpreter.parent.mkdir()
    assert str(interpreter) + " (not found), python3 (not found)" in refused(launch(agent, path, LAST9_PYTHON=str(interpreter)))
    interpreter.symlink_to(PYTHON)
    assert launch(agent, path, LAST9_PYTHON=str(interpreter)).delivered
    assert list(tmp_path.rglob("pwned")) == []


def test_last9_python_that_fails_is_named(agent: Agent, path: Path) -> None:
    """Where another interpreter serves instead, the marker goes, and one line says that and why LAST9_PYTHON was not used."""
    (path / "python3").symlink_to(PYTHON)
    for value, reason in (("/no/python", "not found"), ("venv/bin/python", "a relative path"), ("python3.77", "not found")):
        done = launch(agent, path, LAST9_PYTHON=value)
        assert done.answer["delivered"] is True
        assert f"[Last9] WARNING: LAST9_PYTHON is ignored: {value} ({reason}).\n" in done.stderr


def test_last9_python_of_a_starter_is_not_run(agent: Agent, path: Path) -> None:
    """Where a build parameter may have set LAST9_PYTHON, it is not run, and one line says so."""
    program(path / "theirs", f': >"{path.parent}/trace"')
    (path / "python3").symlink_to(PYTHON)
    done = launch(agent, path, LAST9_PYTHON=str(path / "theirs"), chosen="no")
    assert done.answer["delivered"] is True
    assert "[Last9] WARNING: LAST9_PYTHON is ignored: a build parameter may have set it.\n" in done.stderr
    assert not (path.parent / "trace").exists()


def test_last9_python_comes_first(agent: Agent, path: Path) -> None:
    """If LAST9_PYTHON serves, nothing else is started; a bare name is looked up on PATH."""
    program(path / "python3", f'echo ran >"{path.parent}/trace"; exit 97')
    (path / "chosen").symlink_to(PYTHON)
    assert launch(agent, path, LAST9_PYTHON=PYTHON).delivered
    assert launch(agent, path, LAST9_PYTHON="chosen").delivered
    assert not (path.parent / "trace").exists()


def test_the_newest_interpreter_first(agent: Agent, path: Path) -> None:
    """After `python3` and `python`, the newest of all versions on PATH, in any folder, is asked first."""
    second = path.parent / "second"
    second.mkdir()
    for where, name in ((path, "python3.9"), (second, "python3.14"), (path, "python3.10"), (path, "python")):
        program(where / name, f'echo {name} >>"{path.parent}/trace"; exit 5')
    warning = refused(agent.launch([SH], PATH=f"{path}:{second}"))
    assert (path.parent / "trace").read_text("utf-8").split() == ["python", "python3.14", "python3.10", "python3.9"]
    assert f"{second}/python3.14 (exit code 5)" in warning


@pytest.mark.parametrize("where", ["inside", "link", "dots", "relative", "empty"])
def test_a_checkout_chooses_no_interpreter(where: str, agent: Agent, path: Path, tmp_path: Path) -> None:
    """What lies in the workspace, or in a folder that PATH names by a relative path, is not run, however PATH comes to name it."""
    program(agent.workspace / "python3", f': >"{tmp_path}/trace"; exit 97')
    program(agent.slot / "python3", f': >"{tmp_path}/trace"; exit 97')
    (tmp_path / "link").symlink_to(agent.workspace)
    folder = {
        "inside": str(agent.workspace),
        "link": str(tmp_path / "link"),
        "dots": f"{path}/../{agent.workspace.name}",
        "relative": ".",
        "empty": "",
    }[where]
    (path / "python").symlink_to(PYTHON)
    assert agent.launch([SH], PATH=f"{folder}:{path}").delivered
    assert not (tmp_path / "trace").exists()
    agent.slot.joinpath("python3").unlink()


def test_a_checkout_chooses_no_interpreter_from_afar(agent: Agent, path: Path, tmp_path: Path) -> None:
    """The same if our folder is not the one beside the workspace, since WORKSPACE_TMP names another place."""
    (tmp_path / "elsewhere").mkdir()
    program(tmp_path / "elsewhere" / "python3", f': >"{tmp_path}/trace"; exit 97')
    (path / "python").symlink_to(PYTHON)
    folders = f"{tmp_path}/elsewhere:{path}"
    assert agent.launch([SH], PATH=folders, WORKSPACE=str(tmp_path / "elsewhere")).delivered
    assert not (tmp_path / "trace").exists()
    for name in ("/", "relative", ""):  # a variable of the pipeline's own
        assert agent.launch([SH], PATH=str(path), WORKSPACE=name).delivered


def test_pyenv_is_not_asked_from_the_workspace(agent: Agent, path: Path) -> None:
    """A wrapper that picks a version by what lies around the current folder (pyenv) finds nothing of the checkout's there."""
    (agent.workspace / ".python-version").write_text("3.8.18\n")
    body = f"""folder=$PWD
while [ -n "$folder" ]; do [ ! -f "$folder/.python-version" ] || exit 97; folder=${{folder%/*}}; done
exec '{PYTHON}' "$@"
"""
    program(path / "python3", body)
    assert launch(agent, path).delivered


@pytest.mark.parametrize("said", ["activating an environment\\n", "environment ready ", '{"last9Answer":2,"delivered":false}\\n'])
def test_what_an_interpreter_prints_means_nothing(said: str, agent: Agent, path: Path) -> None:
    """A wrapper around Python may print what it likes, with or without a line break: the answer is in a file, the log free of it."""
    program(path / "python", f"printf '{said}'; printf '{said}' >&2\nexec '{PYTHON}' \"$@\"")
    assert agent.launch(["bash"], LAST9_PYTHON=str(path / "python")).delivered
    assert len(agent.last9.received()) == 1


def end_as_jenkins_does(pid: int) -> None:
    """SIGTERM from the leaves of the process tree upwards, and each is waited for, as the recorded process killer does it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the end of its child was its own
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
            end_as_jenkins_does(int(child))
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} did not end")


@pytest.mark.parametrize("shell", SHELLS)
def test_an_abort_leaves_no_process_and_is_no_success(shell: list[str], agent: Agent) -> None:
    """Jenkins ends the engine first: no shell then starts another interpreter or ends with 0, and nothing outlives it."""
    agent.last9.order(delay=600)
    request = agent.request()
    process = agent.start_launcher(shell, request, seconds="300.0", LAST9_PYTHON=PYTHON, LAST9_TIMEOUT_SECONDS="300")
    assert process.stderr
    line = process.stderr.readline()
    while not line.startswith("[Last9] Sending deployment marker"):  # the log is live
        line = process.stderr.readline()
    assert process.poll() is None
    end_as_jenkins_does(process.pid)
    process.communicate(timeout=60)
    assert process.returncode in (143, -15)
    assert agent.last9.received() == []
    assert running(request) == []


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("signal_name", "code"), [("TERM", 143), ("KILL", 137), ("INT", 130), ("HUP", 129)])
def test_whoever_ends_the_engine_ends_the_launcher(shell: list[str], signal_name: str, code: int, agent: Agent, path: Path) -> None:
    """In each shell: a status that is not a success, no other interpreter, no marker, and no answer that anyone could take for one."""
    program(path / "python3", f"kill -{signal_name} $$")
    program(path / "python", f': >"{path.parent}/trace"')
    done = agent.launch([str(shutil.which(shell[0])), *shell[1:]], PATH=str(path))
    assert (done.code, done.written) == (code, None)
    assert not (path.parent / "trace").exists()
    assert agent.last9.requests() == []


def test_an_abort_before_the_engine_is_loaded(agent: Agent, path: Path) -> None:
    """An abort that meets the interpreter before it has read the request ends the search: no later candidate sends a marker."""
    program(path / "python3", f"trap 'exit 143' TERM\n: >'{path.parent}/ready'\nwhile :; do /bin/sleep 0.05; done")
    (path / "python").symlink_to(PYTHON)
    request = agent.request()
    process = agent.start_launcher([SH], request, PATH=str(path))
    while not (path.parent / "ready").exists():
        time.sleep(0.01)
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split():
        os.kill(int(child), signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert agent.last9.requests() == []


def running(request: Path) -> list[str]:
    """The command lines of processes that have to do with this request."""
    identity = request.stem[len("request-") :]
    lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
    return [line.decode("utf-8", "replace") for line in lines if identity.encode() in line]


@pytest.mark.parametrize("command", ["step", "window"])
def test_the_interval_timer_is_a_last_resort(command: str, tmp_path: Path) -> None:
    """If anything hangs, the process ends by the timer's default action, without Python having a say, also if SIGALRM was ignored."""
    import hashlib
    import zipfile

    bundle = tmp_path / "bundle"
    with zipfile.ZipFile(bundle, "w") as opened:
        opened.writestr("last9_loading.py", "import time\ndef run(*_):\n    while True:\n        time.sleep(600)\n")
    words = [PYTHON, "-I", "-S", "-c", FIRST, str(bundle), hashlib.sha256(bundle.read_bytes()).hexdigest(), "-", "0.5", "2", command]
    done = subprocess.run(["sh", "-c", "trap '' ALRM; exec \"$@\"", "sh", *words], check=False, timeout=60)
    assert done.returncode == -signal.SIGALRM


@pytest.mark.parametrize("shell", SHELLS)
def test_a_hanging_engine_is_told(shell: list[str], agent: Agent, path: Path) -> None:
    """The launcher says what its timer has ended, and passes the status on, with any shell's numbers of signals."""
    program(path / "python3", "kill -ALRM $$")
    done = agent.launch([str(shutil.which(shell[0])), *shell[1:]], PATH=str(path), seconds="9.5")
    assert done.code == 142
    assert done.stderr == "[Last9] WARNING: the engine was ended after 9.5 seconds, because it still ran. Check the agent.\n"


def test_no_file_and_no_argument_holds_the_token(agent: Agent, tmp_path: Path, path: Path) -> None:
    """Neither token nor anything made of it is written anywhere or shown in arguments, whether Last9 answers or not."""
    program(path / "python3", f'echo "$@" >>"{tmp_path}/arguments"; exec \'{PYTHON}\' "$@"')
    assert launch(agent, path).delivered
    agent.last9.order(status=500, times=100)
    assert launch(agent, path, LAST9_TIMEOUT_SECONDS="1").answer["delivered"] is False
    secret = agent.last9.token.encode()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [file for file in files if secret in file.read_bytes()] == []


def test_the_launchers_hold_their_places_only() -> None:
    """The library replaces five marks; each launcher has them all, begins as it must, is plain ASCII and has no shebang."""
    shell = (ROOT / "resources" / "last9" / "run.sh").read_bytes()
    batch = (ROOT / "resources" / "last9" / "run.bat").read_bytes()
    assert shell.startswith(b"{ set +xe; } 2>/dev/null\n")
    assert batch.startswith(b"@echo off\r\n")
    assert batch.count(b"\n") == batch.count(b"\r\n")
    for text in (shell.decode("ascii"), batch.decode("ascii")):
        marks = {part for part in text.split("@")[1:] if part.isupper()}
        assert marks == {"REQUEST", "BUNDLE", "CODE", "SECONDS", "PYTHON"}


def test_the_first_program_is_short_and_everywhere_the_same() -> None:
    """Root of trust: at most 2 kB, the same text in run.sh, run.bat and the Freestyle launcher."""
    import base64

    assert 1000 < len(FIRST) <= 2048
    assert f"first='{FIRST}'\n" in (ROOT / "resources/last9/run.sh").read_text("ascii")
    assert f"first='{FIRST}'\n" in (ROOT / "examples/freestyle/last9-markers").read_text("utf-8")
    batch = (ROOT / "resources/last9/run.bat").read_text("ascii")
    assert base64.b64decode(batch.split('set "LAST9_FIRST=')[1].split('"')[0]).decode("ascii") == FIRST


def test_the_batch_launchers_answer_is_json() -> None:
    """What run.bat writes without a Python is the contract's answer, once cmd has put its one variable in."""
    lines = (ROOT / "resources" / "last9" / "run.bat").read_text("ascii").splitlines()
    (answer,) = [line.split(" echo ", 1)[1] for line in lines if 'echo {"last9Answer"' in line]
    (warning,) = [line.split("=", 1)[1].rstrip('"') for line in lines if line.startswith('set "LAST9_WARNING=this agent')]
    assert not set(warning.replace("%LAST9_TRIED:~2%", "")) & set('&|<>^%!"')
    assert json.loads(answer.replace("%LAST9_WARNING%", warning))["noEngine"] is True


def test_the_name_that_groovy_knows_is_the_bundles() -> None:
    """The library places the bundle under the hash in Bundle.groovy, the Freestyle launcher runs no other: both are the committed one's."""
    assert f"'{SHA256}'" in (ROOT / "src" / "org" / "last9" / "Bundle.groovy").read_text("utf-8")
    assert f"sha256={SHA256}\n" in (ROOT / "examples" / "freestyle" / "last9-markers").read_text("utf-8")
