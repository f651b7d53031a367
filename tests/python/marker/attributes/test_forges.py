"""Where a repository can be looked at: links that lead somewhere, or none."""

from __future__ import annotations

import pytest
from last9_markers.marker.attributes import forges

OLD, NEW = "1" * 40, "2" * 40


@pytest.mark.parametrize(
    ("url", "commit", "comparison"),
    [
        ("https://github.com/acme/x.git", "https://github.com/acme/x/commit/{new}", "https://github.com/acme/x/compare/{old}...{new}"),
        ("git@github.com:acme/x.git", "https://github.com/acme/x/commit/{new}", "https://github.com/acme/x/compare/{old}...{new}"),
        ("ssh://git@GitHub.example.com:22/acme/x/", "https://github.example.com/acme/x/commit/{new}", None),
        ("ssh://git@ssh.github.com:443/acme/x.git", "https://github.com/acme/x/commit/{new}", None),
        ("ssh://git@altssh.gitlab.com:443/a/x.git", "https://gitlab.com/a/x/-/commit/{new}", None),
        ("ssh://git@altssh.bitbucket.org:443/acme/x.git", "https://bitbucket.org/acme/x/commits/{new}", None),
        ("https://gitlab.com/a/b/c.git", "https://gitlab.com/a/b/c/-/commit/{new}", "https://gitlab.com/a/b/c/-/compare/{old}...{new}"),
        ("http://gitlab.corp:8080/a/x", "http://gitlab.corp:8080/a/x/-/commit/{new}", None),
        (
            "git@bitbucket.org:acme/x.git",
            "https://bitbucket.org/acme/x/commits/{new}",
            "https://bitbucket.org/acme/x/branches/compare/{new}%0D{old}",
        ),
        (
            "https://bitbucket.corp/scm/PAY/x.git",
            "https://bitbucket.corp/projects/PAY/repos/x/commits/{new}",
            "https://bitbucket.corp/projects/PAY/repos/x/compare/commits?sourceBranch={new}&targetBranch={old}",
        ),
        ("ssh://git@stash.corp:7999/~bob/x.git", "https://stash.corp/users/bob/repos/x/commits/{new}", None),
        ("https://git.corp/scm/PAY/x.git", "https://git.corp/projects/PAY/repos/x/commits/{new}", None),
    ],
)
def test_pages_of_a_forge(url: str, commit: str, comparison: str | None) -> None:
    """GitHub, GitLab and Bitbucket, self-hosted and over ssh too, have their own addresses for a commit and a comparison."""
    forge = forges.of(url)
    assert forge is not None
    assert forge.commit(NEW) == commit.format(new=NEW)
    assert comparison is None or forge.compare(OLD, NEW) == comparison.format(old=OLD, new=NEW)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://git.example.com/acme/x.git",
        "/srv/git/github.com/x.git",
        "file:///srv/github.com/x",
        "javascript:alert(1)//github.com/x/y",
        "https://github.com/acme/x?y=<script>",
        'https://github.com/acme/"onload=x/',
        "https://github.com",
        "https://github.com/",
        "https://github.com/acme",
        "C:\\git\\github",
        "https://[::1]/github/x",
        "https://user@github.com/acme/x",
    ],
)
def test_no_link_is_guessed(url: str | None) -> None:
    """A host that does not say what it runs, and anything that is not a plain repository URL, gives no link."""
    assert forges.of(url) is None
