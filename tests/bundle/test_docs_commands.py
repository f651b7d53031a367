"""Every `sh` block of the documentation is run, in a checkout, with the committed bundle."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from agents import MINIMAL_ENV, ROOT, SHA256, Last9, program

DOCS = ("administration", "command-line", "freestyle", "security", "troubleshooting", "moving-from-the-plugin")
BLOCKS = [
    (name, block) for name in DOCS for block in re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / f"{name}.md").read_text("utf-8"), re.DOTALL)
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout to type commands in, with a deployment in it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("docs", "examples", "resources", "src"):
        (folder / name).symlink_to(ROOT / name)
    program(folder / "deploy.sh", "echo deployed")
    return folder


def test_all_blocks_are_found() -> None:
    """The reading of the documents has found what we know of."""
    assert [name for name, _ in BLOCKS] == ["command-line", "command-line", "command-line", "freestyle", "freestyle", "security"]


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[f"{name}-{index}" for index, (name, _) in enumerate(BLOCKS)])
def test_a_block_can_be_typed(checkout: Path, tmp_path: Path, last9: Last9, name: str, block: str) -> None:
    """Each line does what the document says, with no warning and no complaint."""
    installed = tmp_path / "opt"
    environ = {
        **MINIMAL_ENV,
        "PATH": f"{ROOT / 'examples' / 'freestyle'}:{MINIMAL_ENV['PATH']}",
        "LAST9_REFRESH_TOKEN": last9.token,
        "LAST9_API_BASE_URL": last9.url,
        "LAST9_TIMEOUT_SECONDS": "60",
    }
    script = block.replace("/opt/last9", str(installed)).replace("http://127.0.0.1:8099", last9.url).replace("try-me", last9.token)
    done = subprocess.run(["sh", "-e", "-c", script], cwd=checkout, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    if name == "security":
        assert done.stdout.count(SHA256) == 2, "the bundle's hash and the library's"
        assert "licen" in done.stdout.lower()
        assert '"bomFormat": "CycloneDX"' in done.stdout
    elif "window" in block:
        assert "deployed" in done.stdout
        assert [event["event_state"] for event in last9.received()] == ["start", "stop"]
    else:
        assert done.stdout.startswith("last9-markers ")
        assert (installed / "last9-markers.pyz").exists()
