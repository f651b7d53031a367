"""Connects to the first of a name's addresses that answers (RFC 8305, "Happy Eyeballs").

One dead address, such as a dead IPv6 route, delays a connection by a quarter of a second; without this, the whole attempt would fail.
Resolution stays a blocking call: nothing interrupts the C library, and the watchdog ends the process if it hangs.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from last9_markers.client.lean_httpx import SyncStream, httpcore

#: RFC 8305, section 5, "Connection Attempt Delay": how long an address has before the next one is tried beside it.
DELAY_SECONDS = 0.25

#: What a connect that does not block answers while it is under way; the last is Windows'.
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK))


class Address(NamedTuple):
    """One address to connect to, as :func:`socket.getaddrinfo` gives it."""

    family: int
    protocol: int
    sockaddr: tuple[Any, ...]

    @property
    def text(self) -> str:
        """The address without its port."""
        return str(self.sockaddr[0])


class NotConnected(OSError):
    """No address took the connection. ``outcomes``: address → its error, ``None`` for one that was silent until the time was over."""

    def __init__(self, host: str, outcomes: dict[str, OSError | None]) -> None:
        super().__init__(f"{host}: " + ", ".join(f"{address}: {error or 'no answer'}" for address, error in outcomes.items()))
        self.host = host
        self.outcomes = outcomes

    @property
    def timed_out(self) -> bool:
        """Whether any address was silent."""
        return None in self.outcomes.values()

    @property
    def refused(self) -> bool:
        """Whether any address refused."""
        return any(isinstance(error, ConnectionRefusedError) for error in self.outcomes.values())


class RacingBackend(httpcore.SyncBackend):
    """httpcore's network backend, but for how it connects.

    ``resolving`` is the name that is being looked up, ``silent`` every address that was overtaken by another: those go last from then on.
    """

    def __init__(self) -> None:
        self.resolving: str | None = None
        self.silent: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect within ``timeout`` seconds, counted from when the name is resolved. ``local_address`` has no use here.

        Raises httpcore's ``ConnectTimeout`` or ``ConnectError`` from the :exc:`NotConnected` or ``socket.gaierror`` that it stands for.
        """
        try:
            self.resolving = host
            found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
            self.resolving = None
            addresses = interleaved([Address(family, protocol, address) for family, _, protocol, _, address in found])
            addresses.sort(key=lambda address: address.text in self.silent)
            race = Race(host, addresses, timeout, list(socket_options or ()))
            connected = race.run()
        except NotConnected as error:
            raise (httpcore.ConnectTimeout if error.timed_out else httpcore.ConnectError)(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        finally:
            self.resolving = None
        self.silent += [address for address in race.overtaken if address not in self.silent]
        connected.setblocking(True)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SyncStream(connected)


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """The addresses in their order, families in turn (RFC 8305, section 4), each once."""
    preferred = [address for address in addresses if address.family == addresses[0].family]
    others = [address for address in addresses if address.family != addresses[0].family]
    in_turn = (address for pair in zip_longest(preferred, others) for address in pair if address is not None)
    return list(dict.fromkeys(in_turn))


class Race:
    """Connects to one address after the other, a delay apart, until one answers. One that fails lets the next begin at once."""

    def __init__(self, host: str, addresses: Iterable[Address], seconds: float | None, options: Sequence[Any] = ()) -> None:
        self._host = host
        self._waiting = deque(addresses)
        self._seconds = seconds
        self._options = options
        self._outcomes: dict[str, OSError | None] = {}
        self._selector = selectors.DefaultSelector()
        #: The addresses that had not answered when another one did.
        self.overtaken: list[str] = []

    def run(self) -> socket.socket:
        """The first connection that comes about, which does not block. Raises :exc:`NotConnected`."""
        try:
            return self._run()
        finally:
            for key in list(self._selector.get_map().values()):
                self._drop(key.fileobj)
            self._selector.close()

    def _run(self) -> socket.socket:
        ends = float("inf") if self._seconds is None else time.monotonic() + self._seconds
        next_at = 0.0
        while self._waiting or self._selector.get_map():
            now = time.monotonic()
            if self._waiting and now >= next_at:
                next_at = now + DELAY_SECONDS if self._begin(self._waiting.popleft()) else 0.0
                continue
            until = min(ends, next_at) if self._waiting else ends
            # Looked at once more after the end: a machine that stood still may have the answer by now.
            ready = self._selector.select(None if until == float("inf") else max(0.0, until - now))
            for key, _ in ready:
                error = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # type: ignore[union-attr]
                if not error:
                    return self._won(key)
                self._outcomes[key.data] = _error(error)
                self._drop(key.fileobj)
                next_at = 0.0
            if not ready and now >= ends:
                break
        silent = {key.data: None for key in self._selector.get_map().values()}
        raise NotConnected(self._host, {**silent, **self._outcomes})

    def _begin(self, address: Address) -> bool:
        """Start to connect to that address. False if that has failed already."""
        connecting: socket.socket | None = None
        try:
            connecting = socket.socket(address.family, socket.SOCK_STREAM, address.protocol)
            connecting.setblocking(False)
            for option in self._options:
                connecting.setsockopt(*option)
            code = connecting.connect_ex(address.sockaddr)
            if code not in _UNDER_WAY:
                raise _error(code)
        except OSError as error:
            self._outcomes[address.text] = error
            if connecting is not None:
                connecting.close()
            return False
        self._selector.register(connecting, selectors.EVENT_WRITE, address.text)
        return True

    def _won(self, winner: selectors.SelectorKey) -> socket.socket:
        self._selector.unregister(winner.fileobj)
        self.overtaken = [key.data for key in self._selector.get_map().values()]
        assert isinstance(winner.fileobj, socket.socket)
        return winner.fileobj

    def _drop(self, connecting: Any) -> None:
        self._selector.unregister(connecting)
        connecting.close()


def _error(code: int) -> OSError:
    # OSError of a number makes the subclass that stands for it.
    return OSError(code, os.strerror(code))
