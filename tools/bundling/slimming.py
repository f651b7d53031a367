"""Takes comments and docstrings out of the engine's own source: a third of its size in the bundle, and useless on an agent.

Line by line it stays the same, so that a warning's `file:line` is that of the checkout. Dependencies are shipped as released.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

Span = tuple[int, int, int, int]


def slim(source: bytes) -> bytes:
    """The same code without its comments and docstrings, every statement on the line where it was."""
    text = source.decode("utf-8")
    lines = text.rstrip("\n").split("\n")
    # From the end, so that what is still to come stays where it is.
    for first, start, last, end in sorted([*_docstrings(text), *_comments(text)], reverse=True):
        if first == last and lines[first - 1][start] == "#":
            lines[first - 1] = lines[first - 1][:start].rstrip()
            continue
        before, after = lines[first - 1][:start], lines[last - 1][end:]
        middle = ['"""'] + [""] * (last - first - 1) + ['"""'] if last > first else ['""']
        middle[0] = before + middle[0]
        middle[-1] += after
        lines[first - 1 : last] = middle
    return ("\n".join(lines) + "\n").encode("utf-8")


def _docstrings(text: str) -> Iterator[Span]:
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if ast.get_docstring(node, clean=False) is None:
            continue
        found = node.body[0]
        last, end = found.end_lineno or found.lineno, found.end_col_offset or 0
        # ast counts columns in bytes.
        yield found.lineno, found.col_offset, last, len(lines[last - 1].encode()[:end].decode())


def _comments(text: str) -> Iterator[Span]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.start[1], token.end[0], token.end[1]
