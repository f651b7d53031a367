"""Fetches the wheels that the bundle is made of, and holds every file of theirs against the wheel's own RECORD."""

from __future__ import annotations

import base64
import csv
import email
import email.message
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

# Fixed, for every Python that builds the bundle: pip also checks that each wheel allows the oldest Python we promise.
_TARGET = ("--python-version=3.9", "--implementation=cp", "--platform=manylinux2014_x86_64", "--only-binary=:all:")
_REQUIREMENT = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})")
# For packages whose metadata names no SPDX id. From each project's own licence file.
_SPDX = {"jinja2": "BSD-3-Clause"}


class BundleError(Exception):
    """The bundle cannot be built, or is not what it should be; the text says why."""


@dataclass(frozen=True)
class Wheel:
    """One dependency: its files as released, each checked against RECORD."""

    name: str
    version: str
    sha256: str
    metadata: email.message.Message
    files: dict[str, bytes]

    @property
    def spdx(self) -> str:
        """The licence's SPDX id."""
        value = self.metadata["License-Expression"] or self.metadata["License"] or _SPDX.get(self.name)
        if not value:
            raise BundleError(f"{self.name} names no licence: look it up and add it to _SPDX")
        return str(value)

    @property
    def licences(self) -> dict[str, bytes]:
        """The licence files, by their bare names."""
        found = {
            path.rsplit("/", 1)[-1]: data
            for path, data in self.files.items()
            if ".dist-info/" in path and re.search(r"LICEN[CS]E|COPYING|NOTICE", path.rsplit("/", 1)[-1])
        }
        if not found:
            raise BundleError(f"the wheel of {self.name} has no licence file")
        return found

    @property
    def home(self) -> str:
        """The project's page, as its metadata gives it."""
        urls = [str(value).split(", ", 1) for value in self.metadata.get_all("Project-URL", [])]
        by_label = {label.lower(): url for label, url in urls}
        for label in ("homepage", "source", "source code", "github"):
            if label in by_label:
                return by_label[label]
        return str(self.metadata["Home-page"] or next(iter(by_label.values()), ""))


def fetch(requirements: Path, cache: Path) -> list[Wheel]:
    """Return the required wheels; those that `cache` lacks are downloaded by pip, which checks their hashes."""
    pins = [_pin(line) for line in requirements.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    cached = _hashes(cache)
    if any(pin["sha256"] not in cached for pin in pins):
        _download(requirements, cache)
        cached = _hashes(cache)
    return [read_wheel(cached[pin["sha256"]].read_bytes(), pin["name"], pin["version"]) for pin in pins]


def read_wheel(data: bytes, name: str, version: str) -> Wheel:
    """Read a wheel and check each of its files."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    records = [path for path in files if re.fullmatch(r"[^/]+\.dist-info/RECORD", path)]
    if len(records) != 1:
        raise BundleError(f"the wheel of {name} has no RECORD")
    _check_record(name, files, records[0])
    metadata = email.message_from_bytes(files[records[0].replace("RECORD", "METADATA")])
    if (str(metadata["Name"]).lower(), metadata["Version"]) != (name, version):
        raise BundleError(f"the wheel for {name} {version} calls itself {metadata['Name']} {metadata['Version']}")
    return Wheel(name, version, hashlib.sha256(data).hexdigest(), metadata, files)


def _check_record(name: str, files: dict[str, bytes], record: str) -> None:
    """Every file is listed with its hash, and every listed file is there."""
    listed = {row[0]: row[1] for row in csv.reader(io.StringIO(files[record].decode("utf-8"))) if row}
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")
        if path != record and listed.get(path) != f"sha256={digest}":
            raise BundleError(f"{path} of {name} is not what the wheel's RECORD says")
    missing = set(listed) - set(files)
    if missing:
        raise BundleError(f"the wheel of {name} lacks {', '.join(sorted(missing))}")


def _pin(line: str) -> dict[str, str]:
    match = _REQUIREMENT.fullmatch(line)
    if not match:
        raise BundleError(f"requirements-bundle.txt: cannot read {line!r}; wanted NAME==VERSION --hash=sha256:HASH")
    return match.groupdict()


def _hashes(cache: Path) -> dict[str, Path]:
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(cache.glob("*.whl"))}


def _download(requirements: Path, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *_TARGET]
    done = subprocess.run([*command, f"--dest={cache}", f"--requirement={requirements}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BundleError(f"pip could not download what requirements-bundle.txt names:\n{done.stderr.strip()}")
