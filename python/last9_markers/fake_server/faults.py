"""Faults on order: which request meets which, and how often.

A fault is a JSON object. ``on`` (``exchange``, ``event``, ``read`` or one of the calls that read, ``any``; default ``any``), ``about`` (a
text that the request's body has), ``times`` (absent: for ever) and ``every`` (only each n-th of those) select the requests.
The other keys say what happens, in any combination:

=========================  ==========================================================================================
``status``, ``headers``,   this answer instead of the right one; with a status other than 2xx nothing is kept. ``body``
``body``                   alone replaces the text of the right answer
``delay``                  seconds before the answer
``drop``                   ``before``: the connection is cut without an answer, nothing is kept; ``headers``, ``body``: it
                           is cut in the middle of the answer's headers or body, after the request was carried out
``drip``                   seconds between single bytes of the answer
``size``                   the answer's body is that many bytes long
``access_token_lifetime``  seconds that the access token of this exchange is good for
``rate_per_second``        this many requests a second are served, the others get 429
``late``                   reading back: the events of the last this many seconds are hidden
``underscores``            reading back: dots in labels' names have become underscores
``label_limit``            reading back: a series with more labels than that has been dropped
``arrival_time``           reading back: the sample has the moment at which it arrived
=========================  ==========================================================================================

An order with a wrong key or value is refused as a whole, with the reason: a fault with another effect than intended would let a test pass
wrongly.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from last9_markers.fake_server.readings import CALLS

Fault = dict[str, Any]


def _whole(least: int, most: float = math.inf) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(least: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value < math.inf


def _one_of(*values: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _headers(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in (*value, *value.values()))


#: Key → what its value must be, in words and as a test.
KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "on": (f"'exchange', 'event', 'read', {', '.join(map(repr, CALLS))} or 'any'", _one_of("exchange", "event", "read", *CALLS, "any")),
    "about": ("a text", _is_text),
    "times": ("a whole number", _whole(0)),
    "every": ("a whole number from 1", _whole(1)),
    "status": ("a whole number from 200 to 599", _whole(200, 599)),
    "headers": ("an object of texts", _headers),
    "body": ("a text", _is_text),
    "delay": ("seconds", _number(0)),
    "drop": ("'before', 'headers' or 'body'", _one_of("before", "headers", "body")),
    "drip": ("seconds", _number(0)),
    "size": ("a whole number of bytes", _whole(0)),
    "access_token_lifetime": ("seconds", _number(-math.inf)),
    "rate_per_second": ("a whole number", _whole(0)),
    "late": ("seconds", _number(0)),
    "underscores": ("true or false", _is_switch),
    "label_limit": ("a whole number", _whole(0)),
    "arrival_time": ("true or false", _is_switch),
}


class FaultOrders:
    """The faults that are still to come. The first that fits a request meets it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._served: list[float] = []

    def order(self, faults: Any) -> None:
        """Add faults, all or none. Raises ``ValueError`` on what is none."""
        ordered = faults if isinstance(faults, list) else [faults]
        for fault in ordered:
            _check(fault)
        with self._lock:
            self._faults += [dict(fault) for fault in ordered if fault.get("times", 1) > 0]

    def cancel(self) -> None:
        """Be well again."""
        with self._lock:
            self._faults.clear()

    def meet(self, kind: str, body: str = "") -> Fault:
        """The fault that a request of this kind (``exchange``, ``event``, or a call that reads) and body meets; empty if none."""
        kinds = (kind, "read", "any") if kind in CALLS else (kind, "any")
        with self._lock:
            for fault in self._faults:
                if fault.get("on", "any") in kinds and fault.get("about", "") in body and self._has_its_turn(fault):
                    return self._used(fault)
        return {}

    def _has_its_turn(self, fault: Fault) -> bool:
        turn = fault["turn"] = fault.get("turn", 0) + 1
        return bool(turn % fault.get("every", 1) == 0)

    def _used(self, fault: Fault) -> Fault:
        if "times" in fault:
            fault["times"] -= 1
            if fault["times"] <= 0:
                self._faults.remove(fault)
        if "rate_per_second" not in fault:
            return fault
        now = time.monotonic()
        self._served = [moment for moment in self._served if now - moment < 1.0]
        if len(self._served) >= fault["rate_per_second"]:
            return {"status": 429, **{key: fault[key] for key in ("headers", "body", "delay") if key in fault}}
        self._served.append(now)
        return {}


def _check(fault: Any) -> None:
    if not isinstance(fault, dict) or set(fault) - set(KEYS):
        raise ValueError(f"a fault is an object of {', '.join(sorted(KEYS))}")
    for key, value in fault.items():
        words, fits = KEYS[key]
        if not fits(value):
            raise ValueError(f"{key} must be {words}, not {value!r}")
