"""What a command learns on its way: the window's id in its environment, and the file to which it writes attributes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from last9_markers.fake_server import FakeLast9
from shell_support import window


def _stop_of(last9: FakeLast9) -> dict[str, str]:
    (stop,) = [event for event in last9.received() if event["event_state"] == "stop"]
    labels: dict[str, str] = stop["attributes"]
    return labels


def test_attributes_go_out_with_the_stop(last9: FakeLast9, tmp_path: Path) -> None:
    """Digest and ticket are known only during a deployment: what is written arrives with the stop, and wins over the command line."""
    script = """
        printf 'image.digest=sha256:ab=cd\\nteam=b\\n\\nticket=first\\nticket=CHG-1\\r\\n' >> "$LAST9_ATTRIBUTES_FILE"
        echo "$LAST9_DEPLOYMENT_ID" > id
    """
    with window(last9, tmp_path, ["--attribute", "team=a", "--attribute", "kept=1"], ["sh", "-c", script]) as running:
        assert running.wait() == 0
    start, _ = last9.received()
    labels = _stop_of(last9)
    assert {name: labels[name] for name in ("image.digest", "team", "ticket", "kept")} == {
        "image.digest": "sha256:ab=cd",
        "team": "b",
        "ticket": "CHG-1",
        "kept": "1",
    }
    assert (start["attributes"]["team"], "ticket" in start["attributes"]) == ("a", False)
    assert (tmp_path / "id").read_text().strip() == labels["deployment.id"]
    assert "WARNING" not in running.log


@pytest.mark.parametrize("name", ["deployment.id", "deployment_window_duration_ms", "event_name"])
def test_what_the_file_cannot_set(last9: FakeLast9, tmp_path: Path, name: str) -> None:
    """A line for what every marker has already is ignored, and the warning names the file, not an option that was never given."""
    with window(last9, tmp_path, [], ["sh", "-c", f'echo "{name}=x" >> "$LAST9_ATTRIBUTES_FILE"']) as running:
        assert running.wait() == 0
    (warning,) = [line for line in running.log.splitlines() if "WARNING" in line]
    assert warning.startswith(f"[Last9] WARNING: LAST9_ATTRIBUTES_FILE cannot set '{name}'")
    assert "--attribute" not in running.log
    start, stop = last9.received()
    assert stop["attributes"]["deployment.id"] == start["attributes"]["deployment.id"]
    assert "x" not in stop["attributes"].values()


def test_a_version_is_in_the_message(last9: FakeLast9, tmp_path: Path) -> None:
    """What the command says of the version is what people read, not only a label; it wins over the command line's."""
    for more in ([], ["--deployment-version", "1"]):
        with window(last9, tmp_path, more, ["sh", "-c", 'echo version=3 >> "$LAST9_ATTRIBUTES_FILE"']) as running:
            assert running.wait() == 0
        stop = last9.received()[-1]["attributes"]
        assert stop["version"] == "3"
        assert stop["message"].startswith("payments-api 3 to production: success")


def test_the_file_is_gone_afterwards(last9: FakeLast9, tmp_path: Path) -> None:
    """Nothing stays behind, and no other user could read it meanwhile."""
    script = 'stat -c %a "$LAST9_ATTRIBUTES_FILE"; echo "$LAST9_ATTRIBUTES_FILE" > where'
    with window(last9, tmp_path, [], ["sh", "-c", script]) as running:
        assert running.wait() == 0
    assert running.out == b"600\n"
    assert not Path((tmp_path / "where").read_text().strip()).exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX traps")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('rm "$F" && mkfifo "$F"', "not a regular file"),
        ('rm "$F" && ln -s /etc/passwd "$F"', "a symbolic link"),
        ('rm "$F" && ln -s /dev/zero "$F"', "a symbolic link"),
        ('rm "$F" && mkdir "$F"', "not a regular file"),
        ('head -c 70000 /dev/zero >> "$F"', "larger than 65536 bytes"),
        ('echo nonsense >> "$F"; echo "=x" >> "$F"', "2 lines in LAST9_ATTRIBUTES_FILE ignored"),
        ('rm "$F"', None),
    ],
)
def test_what_lies_in_its_place_harms_nothing(last9: FakeLast9, tmp_path: Path, script: str, said: str | None) -> None:
    """The command may do anything to the file: the stop is sent, the command's code is kept, and one line says what was wrong."""
    with window(last9, tmp_path, [], ["sh", "-c", f'F="$LAST9_ATTRIBUTES_FILE"; {script}; exit 3']) as running:
        assert running.wait() == 3
    assert _stop_of(last9)["deployment.outcome"] == "failure"
    assert "root:" not in str(last9.received())
    warnings = [line for line in running.log.splitlines() if "WARNING" in line]
    assert len(warnings) == (said is not None)
    assert said is None or said in warnings[0]
