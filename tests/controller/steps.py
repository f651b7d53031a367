"""The steps that a build took, as the line that the heads of the rows know: ``node{ marker sh! marker }``.

They are read from the annotated log (``logText/progressiveHtml``), where workflow-job marks each new flow node (NewNodeConsoleNote):
``<span class="pipeline-new-node" nodeId="5" enclosingId="4">[Pipeline] sh``, with ``startId`` on blocks and bodies (their own id) and ends.
Whether one failed says ``iconColor`` of the node itself (``execution/node/5/api/json``, workflow-api: FlowNode).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from controller.rows import WORDS

_SPAN = re.compile(r'<span class="pipeline-new-node"([^>]*)>\[Pipeline\] ([^<\n]*)')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_BRANCH = re.compile(r"\{ \(Branch: (.*)\)")


class FlowNode(NamedTuple):
    """A step or the body of a block."""

    id: str
    enclosing: str
    #: ``sh``, ``{`` or ``{ (Branch: a)``.
    text: str
    #: A block or a body: something stands in it.
    opens: bool

    @property
    def is_body(self) -> bool:
        """The braces of a block, or one branch of ``parallel``."""
        return self.text.startswith("{")


def flow_nodes(annotated: str) -> list[FlowNode]:
    """The nodes in the order of their ids; ends and the pipeline's own beginning are left out."""
    nodes = []
    for found in _SPAN.finditer(annotated):
        attributes = dict(_ATTRIBUTE.findall(found[1]))
        number, start = attributes["nodeId"], attributes.get("startId", "")
        text = html.unescape(found[2]).strip()
        if text.startswith("}") or text.startswith("//") or text in ("Start of Pipeline", "End of Pipeline"):
            continue
        nodes.append(FlowNode(number, attributes.get("enclosingId", ""), text, start == number))
    return sorted(nodes, key=lambda node: int(node.id))


def line_of_steps(nodes: Iterable[FlowNode], failed: Callable[[FlowNode], bool], without: int = 0) -> str:
    """The line. ``failed`` is asked of plain steps alone.

    The first ``without`` ``library`` steps are left out: the suite has put them there.
    """
    inside: dict[str, list[FlowNode]] = {}
    known = set()
    for node in nodes:
        known.add(node.id)
        inside.setdefault(node.enclosing if node.enclosing in known else "", []).append(node)
    top = inside.get("", [])
    libraries = [node for node in top if node.text == "library"][:without]
    inside[""] = [node for node in top if node not in libraries]
    return shortened(" ".join(_told("", inside, failed)))


def shortened(line: str) -> str:
    """The line with each marker's steps as one word, and waiting as one ``sleep``: Words.java does the same."""
    text = re.sub(WORDS["waiting"], "sleep", line)
    for around in WORDS["around"].split(" | "):
        inside = around.replace("%", WORDS["in-folder"])
        for word in ("marker", "node-marker"):
            text = re.sub(WORDS[word].replace("%", inside), rf"{word}\g<1>", text)
    return text


def _told(block: str, inside: dict[str, list[FlowNode]], failed: Callable[[FlowNode], bool]) -> list[str]:
    """What stands in a block, in order; its branches behind it, by their names."""
    told: list[str] = []
    branches: dict[str, list[str]] = {}
    for node in inside.get(block, []):
        branch = _BRANCH.match(node.text)
        if branch:
            branches[branch[1]] = _told(node.id, inside, failed)
        elif node.is_body:
            told += _told(node.id, inside, failed)
        elif node.opens:
            told.append(f"{_name(node)}{_braces(_told(node.id, inside, failed))}")
        else:
            told.append(f"{_name(node)}{'!' if failed(node) else ''}")
    return told + [f"{name}:{_braces(branches[name])}" for name in sorted(branches)]


def _name(node: FlowNode) -> str:
    """``sh (deploy)`` and ``sh`` are one step: what stands in parentheses is its label."""
    return node.text.split(" ")[0]


def _braces(parts: list[str]) -> str:
    return "{ " + " ".join([*parts, "}"])


def is_failed(step: str, icon_color: str) -> bool:
    """Whether that colour says so. ``unstable`` is yellow by what it is for, not because it failed."""
    return icon_color.partition("_")[0] not in (("blue", "yellow") if step.split(" ")[0] == "unstable" else ("blue",))
