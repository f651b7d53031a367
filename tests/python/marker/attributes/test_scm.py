"""``scm.*``: from Jenkins' variables, else from a real git repository; never two commits mixed, never a password."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from last9_markers.core.clock import SystemClock
from last9_markers.fake_server import FakeLast9
from last9_markers.marker.attributes import scm
from last9_markers.marker.attributes.git import LIMIT_SECONDS, Commit, GitCheckout, git_program
from support import MINIMAL_ENV, attributes_of, make_request, run_marker

URL = "https://github.com/acme/payments-api.git"


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Bob Builder", "-c", "user.email=bob@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, env=MINIMAL_ENV, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit on branch ``release``, and a remote whose URL holds a password; it is the working directory."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "-q")
    _git(folder, "checkout", "-q", "-b", "release")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    _git(folder, "remote", "add", "origin", "https://robot:hunter22@github.com/acme/payments-api.git")
    monkeypatch.chdir(folder)
    return folder


def _scm(labels: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name.startswith("scm.")}


def test_no_repository_and_no_variables(last9: FakeLast9) -> None:
    """If nothing is known of a commit nothing is said of one, without a warning."""
    ran = run_marker(make_request(), last9.refresh_token, git=True)
    assert ran.answer.warnings == []
    assert _scm(last9.received()[0]["attributes"]) == {}


def test_facts_from_the_repository(last9: FakeLast9, repository: Path) -> None:
    """Where Jenkins says nothing, git in the workspace does, without the password in the remote's URL."""
    labels = attributes_of(last9, make_request(), git=True)
    assert _scm(labels) == {
        "scm.commit_sha": _git(repository, "rev-parse", "HEAD"),
        "scm.branch": "release",
        "scm.url": URL,
        "scm.author": "Bob Builder",
    }
    assert "hunter22" not in str(labels)


def test_the_environment_wins(last9: FakeLast9, repository: Path) -> None:
    """Jenkins' word counts before git's, and git fills what Jenkins leaves open on the same commit."""
    commit = _git(repository, "rev-parse", "HEAD")
    labels = attributes_of(last9, make_request(), git=True, environ={"GIT_COMMIT": commit, "GIT_BRANCH": "origin/main"})
    assert _scm(labels) == {
        "scm.commit_sha": commit,
        "scm.branch": "origin/main",
        "scm.url": URL,
        "scm.author": "Bob Builder",
    }


def test_a_borrowed_node_is_not_asked(last9: FakeLast9, repository: Path) -> None:
    """On a node taken for the marker alone the workspace may hold an older checkout: only what Jenkins itself says is sent."""
    labels = attributes_of(last9, make_request(borrowedNode=True), git=True, environ={"GIT_URL": URL})
    assert _scm(labels) == {"scm.url": URL}


def test_a_borrowed_node_is_not_the_builds(last9: FakeLast9) -> None:
    """A node taken for the marker alone is not where anything was deployed from: neither its marker nor a kept one names it."""
    earlier = make_request(window=None, options={"eventName": "scale"})
    request = make_request(borrowedNode=True, pending=[json.dumps(earlier)])
    ran = run_marker(request, last9.refresh_token, environ={"NODE_NAME": "borrowed", "JOB_NAME": "job"})
    assert ran.pending == []
    assert [event["attributes"]["jenkins.job_name"] for event in last9.received()] == ["job", "job"]
    assert not [event for event in last9.received() if "jenkins.node_name" in event["attributes"]]


def test_facts_of_two_commits_are_never_mixed(last9: FakeLast9, repository: Path) -> None:
    """The author and branch of one commit beside the hash of another would be a lie: all that is sent is of what is checked out."""
    environ = {"GIT_COMMIT": "a" * 40, "GIT_BRANCH": "other", "GIT_AUTHOR_NAME": "Robot"}
    ran = run_marker(make_request(), last9.refresh_token, git=True, environ=environ)
    assert _scm(last9.received()[0]["attributes"]) == {
        "scm.commit_sha": _git(repository, "rev-parse", "HEAD"),
        "scm.branch": "release",
        "scm.url": URL,
        "scm.author": "Bob Builder",
    }
    assert ran.answer.warnings == []


@pytest.mark.parametrize("debug", ["", "true"])
def test_another_repository_is_not_sent(last9: FakeLast9, repository: Path, debug: str) -> None:
    """If the variables speak of another repository than the workspace holds, nothing of theirs is sent; only ``LAST9_DEBUG`` says so."""
    url = "https://jenkins:hunter33@github.com/acme/shared-library.git"
    environ = {"GIT_COMMIT": "b" * 40, "GIT_URL": url, "GIT_BRANCH": "v1.0.0", "GIT_AUTHOR_NAME": "Robot", "LAST9_DEBUG": debug}
    ran = run_marker(make_request(), last9.refresh_token, git=True, environ=environ)
    assert ran.answer.warnings == []
    assert ("https://github.com/acme/shared-library.git" in ran.log) == bool(debug)
    labels = _scm(last9.received()[0]["attributes"])
    assert (labels["scm.url"], labels["scm.branch"], labels["scm.author"]) == (URL, "release", "Bob Builder")
    assert "hunter" not in ran.log + ran.answer.line() + str(last9.received())


def test_detached_head_has_no_branch(last9: FakeLast9, repository: Path) -> None:
    """Where a commit is checked out that no other ref points to, there is a commit and no branch."""
    _git(repository, "checkout", "-q", "--detach")
    labels = attributes_of(last9, make_request(), git=True)
    assert "scm.branch" not in labels
    assert labels["scm.author"] == "Bob Builder"


@pytest.mark.parametrize(
    ("refs", "named", "branch"),
    [
        (["refs/remotes/origin/main", "refs/remotes/origin/HEAD"], None, "main"),
        (["refs/remotes/origin/feature/a-b"], None, "feature/a-b"),
        (["refs/remotes/origin/main", "refs/remotes/origin/release"], None, None),
        (["refs/remotes/origin/main", "refs/remotes/origin/release"], "release", "release"),
        (["refs/tags/v1"], None, "v1"),
        (["refs/tags/v1", "refs/tags/v2"], "v2", "v2"),
        (["refs/tags/v1", "refs/remotes/origin/main"], None, "main"),
        (["refs/remotes/origin/PR-7"], "PR-7", "PR-7"),
        ([], "PR-7", "PR-7"),  # a pull request merged locally: no ref points to that merge
        (["refs/remotes/origin/tooling"], "main", "tooling"),  # a repository other than the job's
        (["refs/remotes/origin/one", "refs/remotes/origin/two"], "main", None),
    ],
)
def test_branch_of_a_detached_head(last9: FakeLast9, repository: Path, refs: list[str], named: str | None, branch: str | None) -> None:
    """Jenkins checks commits out, not branches: the job's own name for it is used, else the one ref that points there."""
    _git(repository, "checkout", "-q", "--detach")
    _git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    for ref in refs:
        _git(repository, "update-ref", ref, "HEAD")
    labels = attributes_of(last9, make_request(), git=True, environ={"BRANCH_NAME": named or ""})
    assert labels.get("scm.branch") == branch


def test_a_deploy_without_checkout_knows_its_branch(last9: FakeLast9) -> None:
    """In a multibranch job the branch is known without a repository."""
    assert _scm(attributes_of(last9, make_request(), git=True, environ={"BRANCH_NAME": "main"})) == {"scm.branch": "main"}


def test_a_workspace_of_another_user(last9: FakeLast9, repository: Path) -> None:
    """Containers run under another user than the checkout: a git that refuses such a repository still answers us."""
    foreign = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    refused = subprocess.run(["git", "log", "-1"], cwd=repository, env={**MINIMAL_ENV, **foreign}, capture_output=True, check=False)
    assert b"dubious ownership" in refused.stderr
    assert attributes_of(last9, make_request(), git=True, environ=foreign)["scm.branch"] == "release"


def test_a_repository_above_the_workspace_is_not_deployed(last9: FakeLast9, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jenkins' home may be kept in git; a workspace in it without a repository of its own knows no commit."""
    workspace = repository / "workspace" / "job"
    workspace.mkdir(parents=True)
    monkeypatch.chdir(workspace)
    assert _scm(attributes_of(last9, make_request(), git=True, environ={"WORKSPACE": str(workspace)})) == {}
    assert "scm.commit_sha" in attributes_of(last9, make_request(), git=True, environ={"WORKSPACE": str(repository)})


def test_no_process_where_there_is_nothing_to_ask(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository git is not started; a plain marker of Jenkins' own checkout starts one, and asks nothing about history."""
    started: list[list[str]] = []

    def start(arguments: list[str], **_: object) -> None:
        started.append(arguments)
        raise OSError

    monkeypatch.setattr("last9_markers.marker.attributes.git.subprocess.Popen", start)
    attributes_of(last9, make_request(), git=True, environ={"GIT_PREVIOUS_SUCCESSFUL_COMMIT": "d" * 40})
    assert started == []
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    attributes_of(last9, make_request(), git=True, environ={"GIT_BRANCH": "main", "GIT_URL": URL, "GIT_COMMIT": "c" * 40})
    assert ["log" in arguments for arguments in started] == [True]


def test_a_workspace_that_is_gone(last9: FakeLast9, repository: Path) -> None:
    """A deploy that removes the folder it runs in still gets its marker."""
    gone = repository / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    for request in (make_request(folder=str(gone)), make_request(step="send", folder=None)):
        ran = run_marker({"folder": None, **request}, last9.refresh_token, git=True)
        assert ran.answer.delivered
        assert _scm(last9.received()[-1]["attributes"]) == {}


def test_only_the_steps_folder_is_asked(last9: FakeLast9, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine runs in a folder of its own, perhaps within another repository; the checkout in the step's folder is the deployed one."""
    other = tmp_path / "slot"
    other.mkdir()
    _git(other, "init", "-q")
    _git(other, "commit", "-q", "--allow-empty", "-m", "not deployed")
    monkeypatch.chdir(other)
    environ = {"WORKSPACE": str(other)}
    labels = attributes_of(last9, make_request(folder=str(repository)), git=True, environ=environ)
    assert labels["scm.commit_sha"] == _git(repository, "rev-parse", "HEAD")
    assert _scm(attributes_of(last9, make_request(folder=str(tmp_path)), git=True, environ=environ)) == {}
    assert _scm(attributes_of(last9, {"folder": None, **make_request()}, git=True, environ=environ)) == {}


def test_a_shells_own_folder_is_asked(last9: FakeLast9, repository: Path) -> None:
    """On the command line no step has a folder: the current one is meant."""
    labels = attributes_of(last9, {"folder": None, **make_request(step="send")}, git=True)
    assert labels["scm.commit_sha"] == _git(repository, "rev-parse", "HEAD")


def test_an_author_of_many_megabytes_is_not_read(last9: FakeLast9, repository: Path, tmp_path: Path) -> None:
    """Anyone who can push chooses a name: 64 kB of git's answer are read, the event holds 1 kB, and the commit is still known."""
    people = f"author {'A' * 40_000_000} <a@example.com> 1 +0000\ncommitter C <c@example.com> 1 +0000"
    raw = f"tree {_git(repository, 'write-tree')}\n{people}\n\nx\n"
    (tmp_path / "commit").write_text(raw, encoding="utf-8")
    commit = _git(repository, "hash-object", "-t", "commit", "-w", "--literally", str(tmp_path / "commit"))
    _git(repository, "update-ref", "HEAD", commit)
    tracemalloc.start()
    ran = run_marker(make_request(), last9.refresh_token, git=True)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    labels = _scm(last9.received()[0]["attributes"])
    assert labels["scm.commit_sha"] == commit
    assert labels["scm.author"] == "A" * 1024
    assert "cut to 1,024 bytes each: scm.author" in ran.log
    assert most < 20_000_000


def test_an_answer_that_was_cut_is_no_answer(last9: FakeLast9, repository: Path) -> None:
    """Of a list that is longer than what is read the last name may be half a name: none of it is used."""
    for number in range(700):
        _git(repository, "config", f"remote.r{number}.url", "https://example.com/" + "x" * 100)
    labels = attributes_of(last9, make_request(), git=True)
    assert "scm.url" not in labels
    assert labels["scm.branch"] == "release"


def test_no_thread_for_git(last9: FakeLast9, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no thread can be started, git's facts are left out, and no git stays behind."""

    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "last9-git":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ran = run_marker(make_request(), last9.refresh_token, git=True)
    assert ran.answer.delivered
    assert _scm(last9.received()[0]["attributes"]) == {}


def test_repository_without_a_commit(last9: FakeLast9, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that is empty knows nothing, and that is not a failure."""
    empty = tmp_path / "empty"
    empty.mkdir()
    _git(empty, "init", "-q")
    monkeypatch.chdir(empty)
    ran = run_marker(make_request(), last9.refresh_token, git=True)
    assert ran.answer.warnings == []
    assert _scm(last9.received()[0]["attributes"]) == {}


def test_no_git_at_all(last9: FakeLast9, repository: Path) -> None:
    """An agent without git sends what the environment holds."""
    ran = run_marker(make_request(), last9.refresh_token, git=True, environ={"PATH": "/nowhere", "GIT_COMMIT": "c" * 40})
    assert ran.answer.delivered
    assert ran.answer.warnings == []
    assert _scm(last9.received()[0]["attributes"]) == {"scm.commit_sha": "c" * 40}


@pytest.mark.skipif(os.name == "nt", reason="needs an executable script")
def test_a_git_that_hangs_is_left_behind(last9: FakeLast9, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that never answers costs its facts and two seconds in all, not the marker, for any question."""
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "git"
    script.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    script.chmod(0o755)
    asked: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(arguments: list[str], **more: Any) -> subprocess.Popen[bytes]:
        asked.append(popen(arguments, **more))
        return asked[-1]

    monkeypatch.setattr("last9_markers.marker.attributes.git.subprocess.Popen", start)
    monkeypatch.setattr("last9_markers.marker.attributes.git.LIMIT_SECONDS", LIMIT_SECONDS)
    environ = {"PATH": f"{tools}:{os.environ['PATH']}", "GIT_BRANCH": "main", "GIT_PREVIOUS_SUCCESSFUL_COMMIT": "d" * 40}
    began = time.monotonic()
    ran = run_marker(make_request(), last9.refresh_token, git=True, environ=environ, clock=SystemClock())
    assert ran.answer.delivered
    assert ran.answer.warnings == []
    assert time.monotonic() - began < 30  # one of the four alone would take 60
    assert _scm(last9.received()[0]["attributes"]) == {"scm.branch": "main", "scm.previous_commit_sha": "d" * 40}
    assert len(asked) == 4
    assert [child.wait(30) for child in asked] == [-9] * 4


@pytest.mark.parametrize(("budget", "limit"), [(15, 2.0), (1, 0.2)])
def test_git_leaves_room_for_the_marker(last9: FakeLast9, monkeypatch: pytest.MonkeyPatch, budget: int, limit: float) -> None:
    """A git that hangs takes two seconds at most, and never more than half of what a short limit leaves for the work (0.4 of 1 s)."""
    monkeypatch.setattr("last9_markers.marker.attributes.git.LIMIT_SECONDS", LIMIT_SECONDS)
    limits = []

    class Measured(GitCheckout):
        def head(self) -> Commit | None:
            limits.append(self._budget.seconds)
            return super().head()

    monkeypatch.setattr("last9_markers.runner.send_marker.GitCheckout", Measured)
    attributes_of(last9, make_request(limitSeconds=budget))
    assert limits == [limit]


@pytest.mark.skipif(os.name == "nt", reason="needs an executable script")
def test_git_sees_neither_token_nor_settings(last9: FakeLast9, repository: Path, tmp_path: Path) -> None:
    """No child process gets the engine's own variables."""
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "git"
    seen = tmp_path / "seen"
    program = f"import os; open({str(seen)!r}, 'a').write(repr(dict(os.environ)))"  # not by shebang: the path may hold a blank
    script.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(program)}\n", encoding="utf-8")
    script.chmod(0o755)
    environ = {"PATH": str(tools), "LAST9_SPECIAL": "x", "LAST9_REFRESH_TOKEN": last9.refresh_token, "SEEN": "yes"}
    attributes_of(last9, make_request(), git=True, environ=environ)
    told = seen.read_text(encoding="utf-8")
    assert "'SEEN': 'yes'" in told
    assert "LAST9_" not in told
    assert last9.refresh_token not in told


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:pass@host.example/x.git", "https://host.example/x.git"),
        ("https://ghp_abcdef@github.com/x.git", "https://github.com/x.git"),
        ("https://user:p@ss@host.example/x.git", "https://host.example/x.git"),
        ("ssh://git:pw@host.example:22/x", "ssh://host.example:22/x"),
        ("git@github.com:acme/x.git", "git@github.com:acme/x.git"),
        ("https://host.example/a@b", "https://host.example/a@b"),
        ("/srv/git/x.git", "/srv/git/x.git"),
        (None, None),
        ("", None),
    ],
)
def test_url_credentials_are_stripped(url: str | None, clean: str | None) -> None:
    """No user and no password of a URL is sent; the user of an scp-like address is part of it."""
    assert scm.without_credentials(url) == clean


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://github.com/acme/x.git", "git@github.com:acme/x", True),
        ("https://GitHub.com/acme/x/", "ssh://git@github.com:22/acme/x.git", True),
        ("https://github.com/acme/x", "https://github.com/acme/y", False),
        ("https://github.com/acme/x", "https://gitlab.com/acme/x", False),
    ],
)
def test_same_repository(one: str, other: str, same: bool) -> None:
    """Two spellings of one repository are not a reason for a warning, two repositories are."""
    assert scm.same_repository(one, other) is same


#: Settings of a repository that name a program, or that let git run one by itself.
_PROGRAMS = {
    "alias.log": "!{program}",
    "alias.config": "!{program}",
    "core.askPass": "{program}",
    "core.editor": "{program}",
    "core.fsmonitor": "{program}",
    "core.hooksPath": "{folder}",
    "core.pager": "{program}",
    "core.sshCommand": "{program}",
    "credential.helper": "!{program}",
    "diff.external": "{program}",
    "diff.any.textconv": "{program}",
    "filter.any.smudge": "{program}",
    "gpg.program": "{program}",
    "log.showSignature": "true",
    "pager.log": "{program}",
    "pager.config": "{program}",
    # a partial clone, which fetches what it lacks through any program
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "origin",
    "remote.origin.promisor": "true",
    "remote.origin.url": "ext::{program} %S",
    "remote.origin.uploadpack": "{program}",
    "protocol.allow": "always",
    "protocol.ext.allow": "always",
    "protocol.file.allow": "always",
}


@pytest.mark.skipif(os.name == "nt", reason="needs an executable script")
def test_a_repository_runs_no_program(last9: FakeLast9, repository: Path, tmp_path: Path) -> None:
    """No program of a workspace's git settings runs for a marker, not even with a git that cannot disable fetching."""
    tools = tmp_path / "tools"
    tools.mkdir()
    ran = tmp_path / "ran"
    program, git = tools / "program", tools / "git"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {shlex.quote(str(ran))}\n', encoding="utf-8")
    # As git was before 2.39.4.
    git.write_text(f'#!/bin/sh\nunset GIT_NO_LAZY_FETCH\nPATH={shlex.quote(MINIMAL_ENV["PATH"])} exec git "$@"\n', encoding="utf-8")
    for script in (program, git):
        script.chmod(0o755)
    signed = _git(repository, "cat-file", "commit", "HEAD").replace("\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n\n", 1)
    (tmp_path / "signed").write_text(f"{signed}\n", encoding="utf-8")
    commit = _git(repository, "hash-object", "-w", "-t", "commit", str(tmp_path / "signed"))
    _git(repository, "update-ref", "HEAD", commit)
    (repository / ".gitattributes").write_text("* diff=any filter=any\n", encoding="utf-8")
    for name, value in _PROGRAMS.items():
        _git(repository, "config", name, value.format(program=program, folder=tools))
    missing = "d" * 40
    environ = {"GIT_DIR": ".git", "PATH": MINIMAL_ENV["PATH"]}
    for question in (["log", "-1"], ["log", f"{missing}..HEAD"]):  # it would run them for anybody else
        subprocess.run([str(git), *question], cwd=repository, env={**MINIMAL_ENV, **environ}, capture_output=True, check=False)
    assert len(ran.read_text(encoding="utf-8").splitlines()) > 1
    ran.unlink()
    request = make_request(options={"previousCommit": missing})
    for path in (str(tools), MINIMAL_ENV["PATH"]):
        labels = attributes_of(last9, request, git=True, environ={"PATH": path})
        assert (labels["scm.commit_sha"], labels["deployment.kind"]) == (commit, "unknown")
    assert not ran.exists()


def test_windows_is_told_which_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first git.exe of PATH by its whole path, and never one that merely lies in the workspace, for Windows looks there first."""
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "first one", "second"):
        (tmp_path / folder).mkdir()
    for place in ("git.exe", "first one/git.exe", "second/git.exe"):
        (tmp_path / place).touch()
    path = f';.;second;{tmp_path / "empty"};"{tmp_path / "first one"}";{tmp_path / "second"}'
    assert git_program(path, windows=True) == str(tmp_path / "first one" / "git.exe")
    for none in ("", ".", "second", str(tmp_path / "empty")):
        with pytest.raises(FileNotFoundError):
            git_program(none, windows=True)
    assert git_program(path, windows=False) == "git"


def test_odd_settings_of_remotes(last9: FakeLast9, repository: Path) -> None:
    """A remote with several URLs is where git fetches from, its first; a URL of two lines does not speak for another remote."""
    _git(repository, "config", "--add", "remote.origin.url", "https://mirror.example/x.git")
    _git(repository, "config", "--add", "remote.two words.url", "https://one.example/x\nremote.origin.url https://two.example/x")
    assert attributes_of(last9, make_request(), git=True)["scm.url"] == URL
    _git(repository, "config", "--remove-section", "remote.origin")
    _git(repository, "config", "remote.two words.url", "https://one.example/x")
    assert attributes_of(last9, make_request(), git=True)["scm.url"] == "https://one.example/x"


@pytest.mark.parametrize("branch", ["it's-\"quo`ted$(x)", "fête/日本", "a" * 200, "-x\u2028y"])
def test_branches_of_any_name(last9: FakeLast9, repository: Path, branch: str) -> None:
    """A branch is sent as it is named, checked out or detached."""
    _git(repository, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    _git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    assert attributes_of(last9, make_request(), git=True)["scm.branch"] == branch
    _git(repository, "checkout", "-q", "--detach")
    _git(repository, "update-ref", f"refs/remotes/origin/{branch}", "HEAD")
    assert attributes_of(last9, make_request(), git=True)["scm.branch"] == branch
