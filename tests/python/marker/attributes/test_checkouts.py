"""Which commit is deployed: every shape of checkout on real repositories, and the facts sent at the start and at the stop of a window."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.report.reading import read
from repositories import Repository
from support import STARTED_MS, STOPPED_MS, ManualClock, RunResult, make_request, run_marker

URL = "https://github.com/acme/payments-api.git"
OTHER_URL = "https://github.com/acme/deployment-scripts.git"
ALICE = "Alice Example <alice@example.com>"

#: The build began ten seconds before its window, by the controller's clock; the agent's is an hour fast.
BEGAN_MS = STARTED_MS - 10_000
AGENT_BEGAN = BEGAN_MS / 1000 + 3600
#: Git's commits of the build itself; all others are hours older.
DURING_THE_BUILD = "2026-09-21T15:13:15Z"


class AgentClock(ManualClock):
    """The agent's, at the moment of a marker."""

    def __init__(self, moment_ms: int) -> None:
        super().__init__()
        self._moment_ms = moment_ms

    def wall(self) -> float:
        """Seconds since 1970, an hour fast."""
        return AGENT_BEGAN + (self._moment_ms - BEGAN_MS) / 1000


class Facts(NamedTuple):
    """The ``scm.*`` attributes of a marker."""

    commit: str | None = None
    branch: str | None = None
    url: str | None = None
    author: str | None = None

    def labels(self) -> dict[str, str]:
        """As they are sent."""
        names = ("scm.commit_sha", "scm.branch", "scm.url", "scm.author")
        return {name: value for name, value in zip(names, self) if value is not None}


class Site:
    """A job's workspace and the repository that it checks out: three commits on ``main``, tagged v1 to v3, the second one Alice's."""

    def __init__(self, folder: Path) -> None:
        self.origin = Repository(folder / "origin")
        self.commits = []
        for number, author in enumerate(("Bob Builder <bob@example.com>", ALICE, "Bob Builder <bob@example.com>"), 1):
            self.commits.append(self.origin.commit(f"commit {number}", author))
            self.origin.git("tag", f"v{number}")
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        #: What a shape sets for the marker that follows.
        self.folder = self.workspace
        self.environ: dict[str, str] = {}
        self.options: dict[str, Any] = {}
        self.more: dict[str, Any] = {}

    @property
    def head(self) -> Facts:
        """The newest commit of the branch."""
        return Facts(self.origin.head(), "main", URL, "Bob Builder")

    def checkout(self, place: str = ".", revision: str = "origin/main", seconds: float = 5, *fetch: str) -> Repository:
        """``checkout scm`` as Jenkins does it, so many seconds after the build began: a fetch, and the commit without its branch."""
        found = Repository.at(self.workspace / place)
        found.git("fetch", "-q", "--tags", "--force", *fetch, f"file://{self.origin.folder}", "+refs/heads/*:refs/remotes/origin/*")
        found.git("checkout", "-q", "-f", "--detach", revision)
        self.touched(seconds, found.folder / ".git")
        return found

    def said(self, facts: Facts, **more: str) -> None:
        """What the git plugin puts into the environment of a Declarative build."""
        found = {"GIT_COMMIT": facts.commit, "GIT_BRANCH": facts.branch, "GIT_URL": facts.url}
        self.environ = {**{name: value for name, value in found.items() if value}, **more}

    def touched(self, seconds: float, place: Path) -> None:
        """Set the age of a checkout."""
        for name in ("HEAD", "FETCH_HEAD"):
            if (place / name).exists():
                os.utime(place / name, (AGENT_BEGAN + seconds, AGENT_BEGAN + seconds))


Shape = Callable[[Site], Iterator[Facts]]


def implicit(site: Site) -> Iterator[Facts]:
    """Declarative from SCM."""
    site.checkout()
    facts = site.head._replace(branch="origin/main")
    site.said(facts)
    yield facts
    yield facts


def implicit_of_a_bot(site: Site) -> Iterator[Facts]:
    """GIT_AUTHOR_NAME is set for what the build commits; git knows who wrote what is deployed."""
    site.checkout()
    facts = site.head._replace(branch="origin/main")
    site.said(facts, GIT_AUTHOR_NAME="release-bot")
    yield facts
    yield facts


def scripted(site: Site) -> Iterator[Facts]:
    """``checkout scm`` sets no variable."""
    site.checkout()
    yield site.head
    yield site.head


def scripted_inside_the_block(site: Site) -> Iterator[Facts]:
    """The first build's start has nothing to look at."""
    yield Facts()
    site.checkout(seconds=20)
    yield site.head


def first_build_of_a_multibranch_job(site: Site) -> Iterator[Facts]:
    """The job knows its branch before anything is checked out."""
    site.environ = {"BRANCH_NAME": "main"}
    yield Facts(branch="main")
    site.checkout(seconds=20)
    yield site.head


def leftover(site: Site) -> Iterator[Facts]:
    """The workspace still holds an older build's commit, and this build checks out inside its window."""
    site.checkout(seconds=-600)
    site.origin.commit("commit 4")
    yield Facts()
    site.checkout(seconds=20)
    yield site.head


def leftover_of_a_moment_ago(site: Site) -> Iterator[Facts]:
    """Two seconds may be lost between the two clocks: such a checkout is this build's."""
    site.checkout(seconds=-1.5)
    yield site.head
    site.touched(-2.5, site.workspace / ".git")
    yield Facts()


def leftover_that_was_fetched(site: Site) -> Iterator[Facts]:
    """A checkout of what is there already does not touch HEAD; the fetch before it leaves its own sign."""
    site.checkout(seconds=-600)
    os.utime(site.workspace / ".git" / "FETCH_HEAD", (AGENT_BEGAN + 5, AGENT_BEGAN + 5))
    yield site.head
    yield site.head


def leftover_that_jenkins_names(site: Site) -> Iterator[Facts]:
    """Jenkins says that this is what it has checked out."""
    site.checkout(seconds=-600)
    site.said(site.head)
    yield site.head
    yield site.head


def leftover_and_variables(site: Site) -> Iterator[Facts]:
    """The variables are of this build, the checkout is not: nothing of it fills them up."""
    site.checkout(revision="v1", seconds=-600)
    site.environ = {"GIT_COMMIT": site.commits[2], "GIT_URL": URL}
    yield Facts(site.commits[2], None, URL)
    site.checkout(seconds=20)
    yield site.head


def leftover_and_a_librarys_variables(site: Site) -> Iterator[Facts]:
    """Neither is what is deployed."""
    site.checkout(revision="v1", seconds=-600)
    site.said(Facts("b" * 40, "v1.0.0", OTHER_URL))
    yield Facts()
    site.checkout(seconds=20)
    yield site.head


def leftover_worktree(site: Site) -> Iterator[Facts]:
    """A worktree's HEAD is where its .git file says."""
    main = site.checkout(seconds=5)
    site.folder = site.workspace.with_name("worktree")
    main.git("worktree", "add", "-q", "--detach", str(site.folder), "v1")
    site.touched(-600, site.workspace / ".git" / "worktrees" / "worktree")
    yield Facts()
    site.touched(20, site.workspace / ".git" / "worktrees" / "worktree")
    yield Facts(site.commits[0], "v1", URL, "Bob Builder")


def tag(site: Site) -> Iterator[Facts]:
    """The version is a parameter: the implicit checkout is main, then the build checks out the tag."""
    site.checkout()
    site.said(site.head)
    site.checkout(revision="v2")
    facts = Facts(site.commits[1], "v2", URL, "Alice Example")
    yield facts
    yield facts


def tag_inside_the_block(site: Site) -> Iterator[Facts]:
    """The start cannot know it, the stop does."""
    site.checkout()
    site.said(site.head)
    yield site.head
    site.checkout(revision="v1", seconds=20)
    yield Facts(site.commits[0], "v1", URL, "Bob Builder")


def tag_in_a_multibranch_job(site: Site) -> Iterator[Facts]:
    """What the job is for is not what was checked out since."""
    checkout = site.checkout()
    site.said(site.head, BRANCH_NAME="main")
    site.checkout(revision="v1")
    checkout.git("tag", "-d", "v1")
    facts = Facts(site.commits[0], None, URL, "Bob Builder")
    yield facts
    yield facts


def newer_commit_of_another_line(site: Site) -> Iterator[Facts]:
    """A hotfix that came into being while the build ran, beside what Jenkins names: the build has not made it of that."""
    site.origin.date = DURING_THE_BUILD
    site.origin.git("checkout", "-q", "-b", "hotfix", "v1")
    commit = site.origin.commit("hotfix", ALICE)
    site.origin.git("checkout", "-q", "main")
    site.checkout()
    site.said(site.head)
    site.checkout(revision="origin/hotfix")
    facts = Facts(commit, "hotfix", URL, "Alice Example")
    yield facts
    yield facts


def tag_where_there_are_several_remotes(site: Site) -> Iterator[Facts]:
    """None of them is ``origin``; Jenkins says which one it has fetched from."""
    checkout = site.checkout()
    checkout.git("config", "remote.one.url", URL)
    checkout.git("config", "remote.two.url", OTHER_URL)
    checkout.git("config", "--remove-section", "remote.origin")
    site.said(site.head)
    checkout.git("checkout", "-q", "v2")
    site.touched(6, checkout.folder / ".git")
    facts = Facts(site.commits[1], "v2", URL, "Alice Example")
    yield facts
    yield facts


def second_repository(site: Site) -> Iterator[Facts]:
    """``dir('second') { checkout …; withLast9Deployment … }`` beside the implicit checkout."""
    site.checkout()
    site.said(site.head)
    second = Repository(site.workspace / "second")
    second.git("remote", "set-url", "origin", OTHER_URL)
    commit = second.commit("another", ALICE)
    site.touched(8, second.folder / ".git")
    site.folder = second.folder
    facts = Facts(commit, "main", OTHER_URL, "Alice Example")
    yield facts
    yield facts


def second_repository_by_its_name(site: Site) -> Iterator[Facts]:
    """The same, with the window around all of it. Before the second checkout it is unknown."""
    site.checkout()
    site.said(site.head)
    site.options = {"scmDirectory": "second"}
    yield Facts()
    second = Repository(site.workspace / "second")
    second.git("remote", "set-url", "origin", OTHER_URL)
    commit = second.commit("another", ALICE)
    site.touched(20, second.folder / ".git")
    yield Facts(commit, "main", OTHER_URL, "Alice Example")


def sub_folder(site: Site) -> Iterator[Facts]:
    """``dir('app') { checkout scm }``, and nothing that says so."""
    site.checkout("app")
    yield Facts()
    yield Facts()


def sub_folder_by_its_name(site: Site) -> Iterator[Facts]:
    """The same with ``scmDirectory``; what GIT_DIR says is of something else."""
    site.checkout("app")
    site.options = {"scmDirectory": " app "}
    site.environ = {"GIT_DIR": str(site.origin.folder / ".git")}
    yield site.head
    yield site.head


def sub_folder_of_a_repository(site: Site) -> Iterator[Facts]:
    """One repository, many services: the step runs in a folder of it."""
    site.checkout()
    site.said(site.head)
    site.folder = site.workspace / "services" / "payments"
    site.folder.mkdir(parents=True)
    yield site.head
    site.folder, site.options = site.workspace, {"scmDirectory": "services/payments"}
    yield site.head


def librarys_variables(site: Site) -> Iterator[Facts]:
    """A Jenkins that puts the library's checkout into the environment of a scripted build."""
    site.checkout()
    site.said(Facts("b" * 40, "v1.0.0", OTHER_URL), GIT_AUTHOR_NAME="Library Author")
    yield site.head
    yield site.head


def librarys_variables_in_a_multibranch_job(site: Site) -> Iterator[Facts]:
    """The job's own name for the branch is none of the library's."""
    site.origin.git("branch", "release")
    site.checkout()
    site.said(Facts("b" * 40, "v1.0.0", OTHER_URL), BRANCH_NAME="release")
    yield site.head._replace(branch="release")
    yield site.head._replace(branch="release")


def pull_request(site: Site) -> Iterator[Facts]:
    """Jenkins merges it into its target: that merge is on no forge, and the build is of it all the same."""
    merge = _merged(site)
    site.environ = {"GIT_COMMIT": merge, "GIT_BRANCH": "PR-7", "GIT_URL": URL, "BRANCH_NAME": "PR-7", "CHANGE_ID": "7"}
    yield Facts(merge, "PR-7", URL, "Bob Builder")
    site.environ = {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7"}
    yield Facts(merge, "PR-7", URL, "Bob Builder")


def pull_request_named_by_its_head(site: Site) -> Iterator[Facts]:
    """The merge is a commit that the build has made, on top of what Jenkins names."""
    _merged(site)
    tip = site.origin.git("rev-parse", "pr")
    site.environ = {"GIT_COMMIT": tip, "GIT_BRANCH": "PR-7", "GIT_URL": URL, "BRANCH_NAME": "PR-7", "CHANGE_ID": "7"}
    yield Facts(tip, "PR-7", URL, "Alice Example")
    yield Facts(tip, "PR-7", URL, "Alice Example")


def shallow(site: Site) -> Iterator[Facts]:
    """A clone of one commit."""
    site.checkout(".", "origin/main", 5, "--depth=1")
    site.said(site.head)
    yield site.head
    yield site.head


def shallow_tag(site: Site) -> Iterator[Facts]:
    """Without history, ancestry is unknown: the checked-out commit is used."""
    site.checkout(".", "v1", 5, "--depth=1")
    site.said(site.head)
    facts = Facts(site.commits[0], "v1", URL, "Bob Builder")
    yield facts
    yield facts


def commit_of_the_build(site: Site) -> Iterator[Facts]:
    """The build bumps a version and commits that: deployed is what it was made of."""
    checkout = site.checkout()
    site.said(site.head, GIT_AUTHOR_NAME="release-bot")
    yield site.head
    checkout.date = DURING_THE_BUILD
    checkout.commit("[ci] version 2.14.1", "release-bot <bot@example.com>")
    yield site.head


def commit_of_the_build_in_a_shallow_clone(site: Site) -> Iterator[Facts]:
    """Its one parent is known there, too. The variable is shortened; git knows the whole."""
    checkout = site.checkout(".", "origin/main", 5, "--depth=1")
    checkout.date = DURING_THE_BUILD
    checkout.commit("[ci] version 2.14.1", "release-bot <bot@example.com>")
    site.said(site.head._replace(commit=str(site.head.commit)[:9].upper()))
    yield site.head
    yield site.head


def pulled_by_the_build(site: Site) -> Iterator[Facts]:
    """HEAD descends from what Jenkins names, but was there before the build: it was checked out on purpose."""
    site.checkout()
    site.environ = {"GIT_COMMIT": site.commits[0], "GIT_BRANCH": "origin/old", "GIT_URL": URL}
    yield site.head
    yield site.head


def variables_with_line_breaks(site: Site) -> Iterator[Facts]:
    """``sh(returnStdout: true)`` without ``trim()``, and the branch of a detached HEAD."""
    site.checkout()
    site.environ = {"GIT_COMMIT": f"{site.head.commit}\n", "GIT_BRANCH": "HEAD\n", "GIT_URL": f" {URL}\n"}
    yield site.head
    site.environ = {"GIT_COMMIT": f"{site.head.commit}"[:7], "GIT_BRANCH": " origin/main\r\n"}
    yield site.head._replace(branch="origin/main")


def variables_that_say_nothing(site: Site) -> Iterator[Facts]:
    """Blank, the text ``null``, what is not a hash, and the git plugin's word for no branch."""
    site.checkout()
    site.environ = {"GIT_COMMIT": "null", "GIT_BRANCH": " ", "GIT_URL": "null", "GIT_AUTHOR_NAME": "null", "BRANCH_NAME": "null"}
    yield site.head
    site.environ = {"GIT_COMMIT": "fatal: not a git repository", "GIT_BRANCH": "detached"}
    yield site.head


def variables_in_small_letters(site: Site) -> Iterator[Facts]:
    """Jenkins' environment ignores case."""
    site.checkout()
    site.environ = {"git_commit": str(site.head.commit), "Git_Branch": "origin/main", "git_url": URL}
    yield site.head._replace(branch="origin/main")
    site.environ = {"branch_name": "main"}
    yield site.head


def variables_alone(site: Site) -> Iterator[Facts]:
    """``agent none`` with a folder that holds no repository."""
    site.environ = {"GIT_COMMIT": "C" * 40 + "\n", "GIT_BRANCH": "origin/main", "GIT_URL": "https://bot:hunter22@github.com/acme/x.git"}
    yield Facts("c" * 40, "origin/main", "https://github.com/acme/x.git")
    site.environ["GIT_COMMIT"], site.environ["GIT_AUTHOR_NAME"] = "null", " Bob Builder "
    yield Facts(None, "origin/main", "https://github.com/acme/x.git", "Bob Builder")


def borrowed_node(site: Site) -> Iterator[Facts]:
    """A node that was taken for the marker may hold any checkout."""
    site.checkout("app")
    site.options, site.more = {"scmDirectory": "app"}, {"borrowedNode": True}
    site.environ = {"GIT_COMMIT": "c" * 40}
    yield Facts("c" * 40)
    yield Facts("c" * 40)


def shell(site: Site) -> Iterator[Facts]:
    """On the command line the build's start is unknown: the checked-out commit is used, even if it is old."""
    site.checkout(seconds=-600)
    site.more = {"step": "send", "build": {"startTimeMs": None}}
    yield site.head
    site.environ = {"GIT_COMMIT": site.commits[0]}
    yield site.head


def _merged(site: Site) -> str:
    site.origin.git("checkout", "-q", "-b", "pr", "v2")
    site.origin.commit("change", ALICE)
    site.origin.git("checkout", "-q", "main")
    checkout = site.checkout()
    checkout.git("update-ref", "refs/remotes/origin/PR-7", "refs/remotes/origin/pr")
    checkout.git("update-ref", "-d", "refs/remotes/origin/pr")
    checkout.date = DURING_THE_BUILD
    checkout.git("merge", "-q", "--no-ff", "-m", "Merge", "refs/remotes/origin/PR-7")
    return checkout.head()


SHAPES: list[Shape] = [
    *(implicit, implicit_of_a_bot, scripted, scripted_inside_the_block, first_build_of_a_multibranch_job),
    *(leftover, leftover_of_a_moment_ago, leftover_that_was_fetched, leftover_that_jenkins_names, leftover_and_variables),
    *(leftover_and_a_librarys_variables, leftover_worktree),
    *(tag, tag_inside_the_block, tag_in_a_multibranch_job, newer_commit_of_another_line, tag_where_there_are_several_remotes),
    *(second_repository, second_repository_by_its_name),
    *(sub_folder, sub_folder_by_its_name, sub_folder_of_a_repository),
    *(librarys_variables, librarys_variables_in_a_multibranch_job),
    *(pull_request, pull_request_named_by_its_head),
    *(shallow, shallow_tag),
    *(commit_of_the_build, commit_of_the_build_in_a_shallow_clone, pulled_by_the_build),
    *(variables_with_line_breaks, variables_that_say_nothing, variables_in_small_letters, variables_alone),
    *(borrowed_node, shell),
]


def _send(last9: FakeLast9, site: Site, state: str, **more: Any) -> tuple[RunResult, dict[str, str]]:
    """A marker that arrives, and its attributes."""
    ran = _run(last9, site, state, **more)
    assert ran.answer.delivered, ran.log
    return ran, last9.received()[-1]["attributes"]


def _run(last9: FakeLast9, site: Site, state: str, **more: Any) -> RunResult:
    """One marker of the window, ten seconds after the build began, or seventy."""
    moment_ms = STARTED_MS if state == "start" else STOPPED_MS
    build = {"startTimeMs": BEGAN_MS, **site.more.get("build", {})}
    about = {**site.more, **more, "build": build, "options": {"environment": "production", **site.options, **more.get("options", {})}}
    if not about.get("borrowedNode"):
        about["folder"] = str(site.folder)
    environ = {"WORKSPACE": str(site.workspace), **site.environ}
    return run_marker(make_request(state, **about), last9.refresh_token, git=True, environ=environ, clock=AgentClock(moment_ms))


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.__name__ for shape in SHAPES])
def test_facts_of_every_shape(last9: FakeLast9, tmp_path: Path, shape: Shape) -> None:
    """Each shape of checkout gives exactly these facts at the start and at the stop, no warning, and a line if the two disagree."""
    site = Site(tmp_path)
    situation = shape(site)
    expected = next(situation)
    ran, labels = _send(last9, site, "start")
    assert {name: value for name, value in labels.items() if name.startswith("scm.")} == expected.labels()
    assert ran.answer.warnings == []
    begun, expected = expected.commit, next(situation)
    stopped, labels = _send(last9, site, "stop", outages=ran.answer.more.get("outages"))
    assert {name: value for name, value in labels.items() if name.startswith("scm.")} == expected.labels()
    assert stopped.answer.warnings == []
    disagree = begun is not None and expected.commit is not None and begun != expected.commit
    line = f"the start of this window named commit {begun}"[:48]
    assert (line in stopped.log) == disagree
    assert ("its stop names" in stopped.log) == disagree
    assert "outages" not in stopped.answer.more
    assert "hunter22" not in ran.log + stopped.log + str(last9.received())


def test_a_merge_of_jenkins_is_not_linked_to(last9: FakeLast9, tmp_path: Path) -> None:
    """No forge knows the merge that Jenkins made of a pull request: there is no page of it, and none to compare it on."""
    site = Site(tmp_path)
    facts = next(pull_request(site))
    ran, labels = _send(last9, site, "start", options={"previousCommit": site.commits[0]})
    assert labels["scm.commit_sha"] == facts.commit
    assert labels["deployment.kind"] == "forward"
    assert "scm.compare_url" not in labels
    (deployment,) = read(ran.answer.more["records"]).deployments
    assert deployment.facts["scm.commit_sha"] == facts.commit
    assert (deployment.commit_url, deployment.compare_url) == (None, None)


def test_a_merge_that_a_forge_has_is_linked_to(last9: FakeLast9, tmp_path: Path) -> None:
    """A pull request whose newest commit is a merge of its author's is on the forge; so is any merge outside of a pull request."""
    site = Site(tmp_path)
    next(pull_request(site))
    merge = site.environ["GIT_COMMIT"]
    for change in ({"CHANGE_ID": ""}, {"CHANGE_ID": "7"}):
        site.environ.update(change)
        ran, labels = _send(last9, site, "start", options={"previousCommit": site.commits[0]})
        assert labels["scm.compare_url"].endswith(f"{site.commits[0]}...{merge}")
        (deployment,) = read(ran.answer.more["records"]).deployments
        assert str(deployment.commit_url).endswith(merge)
        reference = site.workspace / ".git" / "refs" / "remotes" / "origin" / "PR-7"
        reference.write_text(f"{merge}\n", encoding="utf-8")


def test_a_kept_marker_of_another_checkout_has_no_facts(last9: FakeLast9, tmp_path: Path) -> None:
    """A request that got no answer goes along with the next marker, of whose checkout it was only if both name the same."""
    site = Site(tmp_path)
    site.checkout("app")
    site.options, commit = {"scmDirectory": "app"}, site.head.commit
    kept = [
        json.dumps(make_request("start", timestampMs=STARTED_MS - number, options={"scmDirectory": place}))
        for number, place in enumerate(("app", "other", None))
    ]
    _send(last9, site, "stop", pending=kept)
    sent = {event["timestamp"]: event["attributes"].get("scm.commit_sha") for event in last9.received()}
    assert [sent[moment] for moment in sorted(sent)] == [None, None, commit, commit]


def test_where_nothing_is_found_the_debug_log_says_what_helps(last9: FakeLast9, tmp_path: Path) -> None:
    """A checkout in a sub-folder gives no facts, and one line with LAST9_DEBUG names the option; without it there is none."""
    site = Site(tmp_path)
    next(sub_folder(site))
    assert "scmDirectory" not in _send(last9, site, "start")[0].log
    site.environ = {"LAST9_DEBUG": "true"}
    assert _send(last9, site, "stop")[0].log.count("scmDirectory") == 1


@pytest.mark.parametrize("directory", ["nowhere", "empty", "a\0b", "a\ud800b"])
def test_a_named_folder_without_a_checkout(last9: FakeLast9, tmp_path: Path, directory: str) -> None:
    """``scmDirectory`` without a repository is a warning at the stop, once; a start may come before the checkout and says nothing."""
    site = Site(tmp_path)
    (site.workspace / "empty").mkdir(parents=True)
    site.options = {"scmDirectory": directory}
    site.checkout("app")
    site.said(site.head)
    assert _send(last9, site, "start")[0].answer.warnings == []
    stopped, labels = _send(last9, site, "stop")
    (warning,) = stopped.answer.warnings
    assert not any(name.startswith("scm.") for name in labels)
    assert warning.startswith(f"scmDirectory leads to {site.workspace}/{directory[:1]}")
    assert "which is not in a git repository" in warning
    site.more = {"borrowedNode": True}
    assert _send(last9, site, "stop")[0].answer.warnings == []


@pytest.mark.parametrize("names", ["dotted", "underscore"])
def test_a_kept_start_disagrees_as_well(last9: FakeLast9, tmp_path: Path, names: str) -> None:
    """Whether the start got through or not, however attributes are spelt: the stop says which commit it had named, and says it once."""
    site = Site(tmp_path)
    situation = tag_inside_the_block(site)
    next(situation)
    site.options = {"attributeNames": names}
    last9.order({"on": "event", "times": 1, "status": 503})
    begun = _run(last9, site, "start", afterAbort=True)
    assert not begun.answer.delivered
    next(situation)
    outages = {name: value for name, value in begun.answer.more["outages"].items() if name.startswith("commitOf:")}
    assert list(outages.values()) == [site.commits[2]]
    stopped, _ = _send(last9, site, "stop", outages=outages)
    assert stopped.log.count(site.commits[2][:12]) == 1


def test_windows_do_not_disturb_each_other(last9: FakeLast9, tmp_path: Path) -> None:
    """Each window's start is its own, of twenty-one the oldest is forgotten, and broken content is not used."""
    site = Site(tmp_path)
    next(scripted(site))
    outages: dict[str, Any] = {"commitOf:spoilt": "no hash", "commitOf:odd": 7, "commitOf:first": "a" * 40}
    for number in range(20):
        ran, _ = _send(last9, site, "start", outages=outages, window={"id": f"w{number}", "startedAtMs": STARTED_MS})
        outages = ran.answer.more["outages"]
    assert sorted(outages) == sorted(f"commitOf:w{number}" for number in range(20))
    site.checkout(revision="v1", seconds=20)
    for number in (7, 7, 19):
        ran, _ = _send(last9, site, "stop", outages=outages, window={"id": f"w{number}", "startedAtMs": STARTED_MS})
        assert ("named commit" in ran.log) == (f"commitOf:w{number}" in outages)
        outages = ran.answer.more["outages"]
    assert len(outages) == 18
