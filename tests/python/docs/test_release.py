"""`make release`: every file of a release names the version, and anyone who downloads it can check it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import release  # noqa: E402 - a tool of the repository, no installed module

VERSION = release.version(ROOT)


def _git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A committed checkout that can be released as this version."""
    root = tmp_path / "checkout"
    for name in ("README.md", "docs", "examples", "resources/last9", "python/last9_markers/__init__.py"):
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    (root / "CHANGELOG.md").write_text(f"# Changes\n\n## {VERSION} (2026-12-01)\n### Added\n- All of it.\n", "utf-8")
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    _git(root, "commit", "-qm", "all")
    return root


def test_a_checkout_that_agrees_with_itself_can_be_released(checkout: Path) -> None:
    """Version, changelog, docs, examples and bundle name one version: nothing speaks against it."""
    assert list(release.problems(checkout, VERSION)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("CHANGELOG.md", "(2026-12-01)", "(unreleased)", "CHANGELOG.md must begin"),
        ("CHANGELOG.md", VERSION, "0.9.9", "CHANGELOG.md must begin"),
        ("examples/jcasc/jenkins.yaml", f"v{VERSION}", "v0.9.0", "examples/jcasc/jenkins.yaml names v0.9.0"),
    ],
)
def test_a_file_that_names_another_version_is_named(checkout: Path, file: str, old: str, new: str, complaint: str) -> None:
    """One file that was forgotten stops the release, and the message says which."""
    path = checkout / file
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    _git(checkout, "commit", "-qam", "changed")
    (problem,) = release.problems(checkout, VERSION)
    assert problem.startswith(complaint)


def test_a_bundle_of_another_version_is_not_released(checkout: Path) -> None:
    """The bundle is what people run: if it says another version, it must be rebuilt first."""
    found = list(release.problems(checkout, "9.9.9"))
    assert any("the committed bundle says" in problem for problem in found)


def test_uncommitted_changes_and_an_existing_tag_stop_it(checkout: Path) -> None:
    """A tag must hold what was checked, and no tag ever moves."""
    _git(checkout, "tag", f"v{VERSION}")
    (checkout / "README.md").write_text(f"default version `v{VERSION}`", "utf-8")
    first, second = release.problems(checkout, VERSION)
    assert "uncommitted" in first
    assert "is there already" in second


def test_checksum_and_sbom_lie_beside_the_bundle(checkout: Path, tmp_path: Path) -> None:
    """Anyone who downloads the bundle can check it with sha256sum, and read what is in it."""
    bundle, checksum, sbom = release.write_files(checkout, tmp_path / "out")
    assert checksum.read_text("ascii") == f"{hashlib.sha256(bundle.read_bytes()).hexdigest()}  {bundle.name}\n"
    assert bundle.read_bytes() == (ROOT / "resources/last9/last9-markers.pyz").read_bytes()
    assert json.loads(sbom.read_bytes())["bomFormat"] == "CycloneDX"
