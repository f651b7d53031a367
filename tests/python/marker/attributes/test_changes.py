"""What changed: a table of real git repositories and the attributes sent, and what no guess is made of."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from repositories import Repository
from support import STARTED_MS, ManualClock, attributes_of, make_request, run_marker

ALICE = "Alice Example <alice@example.com>"
COMPARE = "https://github.com/acme/payments-api/compare"
#: What is looked at in each row; anything else of a marker is other tests' business.
LOOKED_AT = ("deployment.kind", "scm.commit_count", "scm.author_count", "scm.branch", "scm.author")

Situation = Callable[[Repository], str]


def _forward(repository: Repository) -> str:
    previous = repository.commit("one")
    repository.commit("two")
    repository.commit("three", ALICE)
    repository.commit("four")
    return previous


def _merge(repository: Repository) -> str:
    previous = repository.commit("one")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit("two", ALICE)
    repository.commit("three", ALICE)
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    return previous


def _revert(repository: Repository) -> str:
    repository.commit("one")
    (repository.folder / "file").write_text("x", encoding="utf-8")
    repository.git("add", "file")
    previous = repository.commit("two")
    repository.git("revert", "--no-edit", "HEAD")
    return previous


def _rollback(repository: Repository) -> str:
    repository.commit("one")
    repository.git("tag", "-a", "-m", "release", "v1")
    repository.commit("two", ALICE)
    previous = repository.commit("three", ALICE)
    repository.git("checkout", "-q", "v1")
    return previous


def _redeploy(repository: Repository) -> str:
    repository.commit("one")
    return repository.commit("two")


def _redeploy_shortened(repository: Repository) -> str:
    return repository.commit("one")[:9].upper()


def _force_push(repository: Repository) -> str:
    repository.commit("one")
    previous = repository.commit("two")
    repository.git("commit", "-q", "--amend", "--allow-empty", "-m", "two, better")
    return previous


def _other_line(repository: Repository) -> str:
    previous = repository.commit("one")
    repository.git("checkout", "-q", "--orphan", "fresh")
    repository.commit("a new beginning")
    return previous


def _tag(repository: Repository) -> str:
    previous = repository.commit("one")
    repository.git("tag", "v1")
    repository.commit("two", ALICE)
    repository.git("tag", "-a", "-m", "release", "v2")
    repository.git("checkout", "-q", "v2")
    return previous


def _shallow(repository: Repository, depth: int = 1) -> str:
    previous = repository.commit("one")
    repository.commit("two")
    repository.git("clone", "-q", "--depth", str(depth), f"file://{repository.folder}", str(repository.folder.with_name("shallow")))
    repository.folder = repository.folder.with_name("shallow")
    return previous


def _shallow_but_there(repository: Repository) -> str:
    repository.commit("zero")
    return _shallow(repository, depth=2)


def _shallow_redeploy(repository: Repository) -> str:
    _shallow(repository)
    return repository.head()


def _empty(repository: Repository) -> str:
    return "a" * 40


def _not_there(repository: Repository) -> str:
    repository.commit("one")
    return "a" * 40


def _same_person_twice(repository: Repository) -> str:
    (repository.folder / ".mailmap").write_text("Alice Example <alice@example.com> <alice@home.example>\n", encoding="utf-8")
    repository.git("add", ".mailmap")
    previous = repository.commit("one")
    repository.commit("two", ALICE)
    repository.commit("three", "Alice <alice@home.example>")
    return previous


def _worktree(repository: Repository) -> str:
    previous = repository.commit("one")
    repository.commit("two")
    repository.git("worktree", "add", "-q", "-b", "hotfix", str(repository.folder.with_name("worktree")))
    repository.folder = repository.folder.with_name("worktree")
    return previous


def _submodule(repository: Repository) -> str:
    part = Repository(repository.folder.with_name("part"))
    previous = part.commit("one", ALICE)
    part.commit("two", ALICE)
    repository.commit("whole")
    repository.git("submodule", "add", "-q", str(part.folder), "part")
    repository.folder = repository.folder / "part"
    return previous


def _subfolder(repository: Repository) -> str:
    previous = _forward(repository)
    (repository.folder / "deploy" / "scripts").mkdir(parents=True)
    repository.folder = repository.folder / "deploy" / "scripts"
    return previous


def _replaced(repository: Repository) -> str:
    previous = _forward(repository)
    repository.git("replace", "--graft", "HEAD~1", previous)  # a history with one commit less
    return previous


def _grafted(repository: Repository) -> str:
    previous = _forward(repository)
    graft = f"{repository.git('rev-parse', 'HEAD~1')} {previous}\n"
    (repository.folder / ".git" / "info" / "grafts").write_text(graft, encoding="utf-8")
    return previous


def _partial_clone(repository: Repository) -> str:
    """A clone without files and folders: history is all there."""
    previous = _forward(repository)
    repository.git("config", "uploadpack.allowFilter", "true")
    place = repository.folder.with_name("partial")
    repository.git("clone", "-q", "--no-checkout", "--filter=tree:0", f"file://{repository.folder}", str(place))
    repository.folder = place
    return previous


def _odd_addresses(repository: Repository) -> str:
    previous = repository.commit("one")
    repository.commit("two", "Alice <alice smith >at example.com>")
    repository.commit("three", "Alice <alice jones\u2028>at example.com>")
    return previous


TABLE = [
    # situation           kind        commits authors branch     author of this commit
    (_forward, "forward", "3", "2", "main", "Bob Builder"),
    (_merge, "forward", "3", "2", "main", "Bob Builder"),
    (_revert, "forward", "1", "1", "main", "Bob Builder"),
    (_rollback, "rollback", "2", "1", "v1", "Bob Builder"),
    (_redeploy, "redeploy", "0", "0", "main", "Bob Builder"),
    (_redeploy_shortened, "redeploy", "0", "0", "main", "Bob Builder"),
    (_force_push, "unknown", None, None, "main", "Bob Builder"),
    (_other_line, "unknown", None, None, "fresh", "Bob Builder"),
    (_tag, "forward", "1", "1", "v2", "Alice Example"),
    (_shallow, "unknown", None, None, "main", "Bob Builder"),
    (_shallow_but_there, "unknown", None, None, "main", "Bob Builder"),
    (_shallow_redeploy, "redeploy", "0", "0", "main", "Bob Builder"),
    (_empty, "unknown", None, None, None, None),
    (_not_there, "unknown", None, None, "main", "Bob Builder"),
    (_same_person_twice, "forward", "2", "1", "main", "Alice"),
    (_worktree, "forward", "1", "1", "hotfix", "Bob Builder"),
    (_submodule, "forward", "1", "1", "main", "Alice Example"),
    (_subfolder, "forward", "3", "2", "main", "Bob Builder"),
    (_replaced, "forward", "3", "2", "main", "Bob Builder"),
    (_grafted, "forward", "3", "2", "main", "Bob Builder"),
    (_partial_clone, "forward", "3", "2", "main", "Bob Builder"),
    (_odd_addresses, "forward", "2", "2", "main", "Alice"),
]


@pytest.mark.parametrize("row", TABLE, ids=[str(row[0].__name__).strip("_") for row in TABLE])
def test_the_kind_of_deployment(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: tuple[Any, ...]) -> None:
    """Each history gives exactly its kind and counts; where the history does not tell, it is unknown and nothing is counted."""
    situation, *expected = row
    repository = Repository(tmp_path / "workspace")
    previous = situation(repository)
    monkeypatch.chdir(repository.folder)
    request = make_request(options={"previousCommit": previous})
    ran = run_marker(request, last9.refresh_token, git=True, environ={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    labels = last9.received()[0]["attributes"]
    assert ran.answer.warnings == []
    assert [labels.get(name) for name in LOOKED_AT] == expected
    assert labels["scm.previous_commit_sha"].startswith(previous.lower())
    assert "hunter22" not in str(labels)


@pytest.mark.parametrize(
    ("situation", "link"),
    [(_forward, "{previous}...{current}"), (_rollback, "{current}...{previous}"), (_force_push, "{previous}...{current}")],
)
def test_a_link_to_the_comparison(
    last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, situation: Situation, link: str
) -> None:
    """The link shows what came; for a rollback, what went away, for the other way round a forge shows an empty page."""
    repository = Repository(tmp_path / "workspace")
    previous = situation(repository)
    monkeypatch.chdir(repository.folder)
    labels = attributes_of(last9, make_request(options={"previousCommit": previous}), git=True)
    assert labels["scm.compare_url"] == f"{COMPARE}/" + link.format(previous=previous, current=repository.head())


def test_nothing_to_link_to(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same commit again has no comparison, and a first deployment none of these attributes at all."""
    repository = Repository(tmp_path / "workspace")
    previous = _redeploy(repository)
    monkeypatch.chdir(repository.folder)
    assert "scm.compare_url" not in attributes_of(last9, make_request(options={"previousCommit": previous}), git=True)
    first = attributes_of(last9, make_request(), git=True)
    assert not {"deployment.kind", "scm.previous_commit_sha", "scm.commit_count", "scm.author_count", "scm.compare_url"} & set(first)


def test_jenkins_knows_the_previous_commit(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the option it is the commit of the job's last successful build, compared with what is checked out."""
    repository = Repository(tmp_path / "workspace")
    first = _forward(repository)
    environ = {"GIT_PREVIOUS_SUCCESSFUL_COMMIT": f"{first}\n", "GIT_COMMIT": repository.git("rev-parse", "HEAD")}
    monkeypatch.chdir(repository.folder)
    assert attributes_of(last9, make_request(), git=True, environ=environ)["scm.commit_count"] == "3"
    option = make_request(options={"previousCommit": repository.git("rev-parse", "HEAD~2")})
    labels = attributes_of(last9, option, git=True, environ=environ)
    assert (labels["scm.commit_count"], labels["deployment.kind"]) == ("2", "forward")


def test_the_comparison_is_with_what_is_deployed(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the build has committed on top of what it deploys, its own commit is not counted."""
    repository = Repository(tmp_path / "workspace")
    first = _forward(repository)
    monkeypatch.chdir(repository.folder)
    began_s = 1789984800  # when all of them were committed
    request = make_request(options={"previousCommit": first}, build={"startTimeMs": STARTED_MS - 5000})
    clock = ManualClock()
    monkeypatch.setattr(clock, "wall", lambda: began_s + 5.0)
    environ = {"GIT_COMMIT": repository.git("rev-parse", "HEAD~1")}
    labels = attributes_of(last9, request, git=True, environ=environ, clock=clock)
    assert (labels["scm.commit_sha"], labels["scm.commit_count"]) == (environ["GIT_COMMIT"], "2")


def test_a_commit_that_jenkins_names_and_nobody_has(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a checkout of this build nothing is compared: an older build's history says nothing about the commit in the variables."""
    repository = Repository(tmp_path / "workspace")
    environ = {"GIT_PREVIOUS_SUCCESSFUL_COMMIT": _forward(repository), "GIT_COMMIT": "c" * 40}
    monkeypatch.chdir(repository.folder)
    for name in ("HEAD", "FETCH_HEAD"):
        (repository.folder / ".git" / name).touch()
        os.utime(repository.folder / ".git" / name, (1, 1))
    labels = attributes_of(last9, make_request(), git=True, environ=environ)
    assert labels["scm.commit_sha"] == "c" * 40
    assert labels["deployment.kind"] == "unknown"
    assert "scm.commit_count" not in labels


HOSTILE = ["--output=pwned", "HEAD", "-c", "main..HEAD", "$(touch pwned)", "deadbee; touch pwned", "a" * 65, "abc"]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_a_hash_reaches_git(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A text that is not a hash never becomes an argument: for the option there is a warning, a variable is ignored."""
    monkeypatch.setattr("last9_markers.marker.attributes.scm.Deployed._is_since_the_build_began", lambda *_: True)
    repository = Repository(tmp_path / "workspace")
    repository.commit("one")
    monkeypatch.chdir(repository.folder)
    ran = run_marker(make_request(options={"previousCommit": text}), last9.refresh_token, git=True)
    (warning,) = ran.answer.warnings
    assert "previousCommit" in warning
    assert "hexadecimal" in warning
    variables = {"GIT_PREVIOUS_SUCCESSFUL_COMMIT": text}
    assert "deployment.kind" not in attributes_of(last9, make_request(), git=True, environ=variables)
    variables = {"GIT_PREVIOUS_SUCCESSFUL_COMMIT": repository.head(), "GIT_COMMIT": text}
    assert attributes_of(last9, make_request(), git=True, environ=variables)["scm.commit_sha"] == repository.head()
    assert sorted(path.name for path in repository.folder.iterdir()) == [".git"]


def test_a_kept_marker_is_not_compared_with_anothers_previous_commit(
    last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that got no answer goes along with the next marker, whose questions to git are not its own."""
    repository = Repository(tmp_path / "workspace")
    previous = _forward(repository)
    monkeypatch.chdir(repository.folder)
    kept = make_request(options={"previousCommit": repository.git("rev-parse", "HEAD~2")}, pending=None)
    request = make_request("stop", options={"previousCommit": previous}, pending=[json.dumps(kept)])
    run_marker(request, last9.refresh_token, git=True)
    kinds = [event["attributes"]["deployment.kind"] for event in last9.received()]
    assert kinds == ["unknown", "forward"]


def test_version(last9: FakeLast9) -> None:
    """``version:`` is a label, as text."""
    labels = attributes_of(last9, make_request(options={"version": " 1.10 "}))
    assert labels["version"] == "1.10"
