"""The report on the disk: a page, its stylesheet, JSON and Markdown, side by side."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat

from last9_markers.core import safe_files, stale_files
from last9_markers.core.formats import iso8601
from last9_markers.report import markdown, page
from last9_markers.report.page import Report

NAMES = {kind: f"last9-deployments.{kind}" for kind in ("html", "css", "json", "md")}
#: Files that an earlier build's step may have left if its agent went away before the clean-up.
_FOLDER = re.compile(r"report-[0-9a-f-]{36}")


def make_folder(folder: str) -> None:
    """Make a folder whose name is ours alone. Raises ``OSError`` also if a link has that name, which may lead anywhere."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    try:
        os.mkdir(folder)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise


def write(report: Report, folder: str) -> None:
    """Write all four, replacing what an earlier report has left, and no file that a link of that name leads to. Raises ``OSError``."""
    os.makedirs(folder, exist_ok=True)
    contents = {
        "html": page.render(report, NAMES),
        "css": page.stylesheet(),
        "json": as_json(report),
        "md": markdown.render(report),
    }
    for kind, text in contents.items():
        safe_files.replace(os.path.join(folder, NAMES[kind]), text.encode("utf-8"), 0o644)


def hand_over(folder: str) -> None:
    """Give the files to the owner of their folder: the agent, which archives them, may be another user than ours.

    A container often runs as root; no other user could read or remove what root writes for itself. As far as it is possible.
    """
    owner = os.stat(os.path.dirname(folder))
    if not hasattr(os, "chown") or owner.st_uid == os.geteuid():
        return
    for path in (*(os.path.join(folder, name) for name in NAMES.values()), folder):
        with contextlib.suppress(OSError):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def as_json(report: Report) -> str:
    """``last9-deployments.json``: names as they are, escaped to ASCII."""
    found = {
        "version": 1,
        "madeAt": iso8601(report.made_ms),
        "build": {name: value for name, value in report.build._asdict().items() if value},
        "notes": report.notes,
        "deployments": [deployment.as_json() for deployment in report.deployments],
    }
    return json.dumps(found, indent=1) + "\n"


def remove_left_overs(folder: str) -> None:
    """Remove reports of a day ago and more; what cannot be removed stays."""
    for path in stale_files.find(folder, _FOLDER):
        shutil.rmtree(path, ignore_errors=True)
