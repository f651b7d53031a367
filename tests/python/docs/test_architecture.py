"""The layers of the library's Groovy classes, as docs/architecture.md lists them."""

from __future__ import annotations

import re

from support import ROOT

CLASSES = {path.stem: path.read_text("utf-8") for path in (ROOT / "src/org/last9").glob("*.groovy")}
NO_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'", re.DOTALL)
#: A map for the pipeline and its window: one thing in two classes, for no class that is a map can have a field in the sandbox.
ONE_THING = {("Deployment", "DeploymentAttributes"), ("DeploymentAttributes", "Deployment")}


def _layers() -> list[list[str]]:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = page.split("## The library's layers\n")[1].split("\n## ")[0]
    return [re.findall(r"`(\w+)`", line) for line in section.splitlines() if line.startswith("- ")]


def _used_by(name: str) -> set[str]:
    code = NO_CODE.sub("", CLASSES[name])
    return {other for other in CLASSES if other != name and re.search(rf"\b{other}\b", code)}


def test_each_class_has_its_layer() -> None:
    """A new class is put somewhere, once; a class that is gone leaves the list."""
    assert sorted(name for layer in _layers() for name in layer) == sorted(CLASSES)


def test_no_class_uses_one_of_a_higher_layer() -> None:
    """A person who reads a layer needs to know only those below it."""
    height = {name: -number for number, layer in enumerate(_layers()) for name in layer}
    assert [(name, used) for name in CLASSES for used in _used_by(name) if height[used] > height[name]] == []


def test_no_classes_use_each_other() -> None:
    """There is no circle of classes, however long."""
    edges = {name: {used for used in _used_by(name) if (name, used) not in ONE_THING} for name in CLASSES}
    while leaves := {name for name, used in edges.items() if not used & edges.keys()}:
        edges = {name: used for name, used in edges.items() if name not in leaves}
    assert sorted(edges) == []
