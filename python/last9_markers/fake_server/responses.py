"""Writes an answer to the socket, with the ordered faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from last9_markers.fake_server.faults import Fault

_CHUNK = 64 * 1024


def write_answer(handler: BaseHTTPRequestHandler, status: int, text: str, fault: Fault) -> None:
    """Send the answer in one piece, or as the fault wants it: cut, dripping, oversized."""
    content = text.encode()
    size = fault.get("size", len(content))
    head = _head(handler, status, size, fault)
    drop = fault.get("drop")
    try:
        if drop == "headers":
            _send(handler, head[: len(head) // 2], fault)
        elif drop == "body":
            _send(handler, head + content[: len(content) // 2], fault)
        elif "size" in fault and size > _CHUNK:
            _send(handler, head, fault)
            for piece in _padding(size):
                handler.wfile.write(piece)
        else:
            _send(handler, head + content.ljust(size)[:size], fault)
    except OSError:
        handler.close_connection = True
    if drop:
        handler.close_connection = True


def _head(handler: BaseHTTPRequestHandler, status: int, size: int, fault: Fault) -> bytes:
    headers = {
        "Date": formatdate(usegmt=True),
        "Content-Type": "application/json",
        "Content-Length": str(size),
        **fault.get("headers", {}),
    }
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    if headers.get("Connection", "").lower() == "close":
        handler.close_connection = True
    return "\r\n".join(lines).encode("latin-1", "replace")


def _send(handler: BaseHTTPRequestHandler, data: bytes, fault: Fault) -> None:
    if "drip" not in fault:
        handler.wfile.write(data)
        return
    for position in range(len(data)):
        handler.wfile.write(data[position : position + 1])
        time.sleep(fault["drip"])


def _padding(size: int) -> Iterator[bytes]:
    while size > 0:
        yield b" " * min(size, _CHUNK)
        size -= _CHUNK
