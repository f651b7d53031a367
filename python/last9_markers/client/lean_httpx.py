"""httpx for one marker: loaded without the parts that a marker never uses. Loading them would take longer than all the rest.

Two thirds of httpx's loading time are a cookie jar, authentication schemes, the asynchronous half, multipart forms, logging, and what
these bring along from the standard library (``urllib.request``, ``http.client``, ``email``, ``inspect``). A marker is two requests
through httpx's transport. So while httpx and httpcore load, and only then, placeholders replace those modules. No file of theirs is
changed; the tests compare the table below with them. If httpx is loaded already, it is used as it is.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

#: Module → the names that are taken from it while the rest loads. Each is an empty class in its place.
LEFT_OUT = {
    "http.cookiejar": ("Cookie", "CookieJar"),
    "httpcore._api": ("request", "stream"),
    "httpcore._async": (
        "AsyncConnectionInterface",
        "AsyncConnectionPool",
        "AsyncHTTP11Connection",
        "AsyncHTTP2Connection",
        "AsyncHTTPConnection",
        "AsyncHTTPProxy",
        "AsyncSOCKSProxy",
    ),
    "httpcore._backends.mock": ("AsyncMockBackend", "AsyncMockStream", "MockBackend", "MockStream"),
    "httpx._api": ("delete", "get", "head", "options", "patch", "post", "put", "request", "stream"),
    "httpx._auth": ("Auth", "BasicAuth", "DigestAuth", "NetRCAuth"),
    "httpx._client": ("AsyncClient", "Client", "USE_CLIENT_DEFAULT"),
    "httpx._transports.asgi": ("ASGITransport",),
    "httpx._transports.mock": ("MockTransport",),
    "httpx._transports.wsgi": ("WSGITransport",),
    "pathlib": ("Path",),
    "urllib.request": ("Request", "getproxies"),
}
#: Used by their full names, inside of functions: each loads in earnest when something is asked of it.
DEFERRED = ("certifi", "datetime", "email.message", "idna", "inspect", "mimetypes")

#: What httpx and httpcore try to load and can do without.
ABSENT = ("anyio", "brotli", "brotlicffi", "httpx._main", "trio", "zstandard")


class Deferred(ModuleType):
    """Stands for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        """Load the module and take the name from it."""
        if name.startswith("__") and name != "__path__":  # the import system's own questions, but for one: is it a package?
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class Silent:
    """A logger that drops its log: httpcore's would hold headers."""

    def __init__(self, name: str) -> None:
        self.name = name

    def isEnabledFor(self, _level: int) -> bool:
        """Never."""
        return False


def _placeholders() -> Iterator[ModuleType]:
    for name, names in LEFT_OUT.items():
        module = ModuleType(name)
        vars(module).update({taken: type(taken, (), {}) for taken in names}, __all__=names)
        yield module
    yield from map(Deferred, DEFERRED)
    logging = ModuleType("logging")
    vars(logging).update(getLogger=Silent, DEBUG=10, Logger=Silent)
    yield logging


@contextmanager
def _without_the_rest() -> Iterator[None]:
    """Put placeholders in the places of modules that are not loaded yet; later imports get the real modules."""
    placed = {module.__name__: module for module in _placeholders() if module.__name__ not in sys.modules}
    absent = [name for name in ABSENT if name not in sys.modules]
    sys.modules.update(placed)
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: the import fails at once
    # What dataclasses asks of inspect for h11's classes: a docstring for one that has none, and (Python 3.13) their annotations.
    questions = {"signature": str, "get_annotations": lambda of: dict(vars(of).get("__annotations__", {}))}
    if "inspect" in placed:
        vars(placed["inspect"]).update(questions)
    for name in placed.keys() & {"email.message", "urllib.request"}:
        parent, _, child = name.rpartition(".")
        # `import email.message` finds the module loaded, and so does not set this.
        setattr(importlib.import_module(parent), child, placed[name])
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        for name, module in placed.items():
            # certifi stays deferred: httpx imports it again for every transport, needed or not, and it costs 10 ms.
            if sys.modules.get(name) is module and name != "certifi":
                del sys.modules[name]
        for question in questions if "inspect" in placed else ():
            del vars(placed["inspect"])[question]


def _load() -> ModuleType:
    if "httpx" not in sys.modules:
        with _without_the_rest():
            importlib.import_module("httpcore")
            importlib.import_module("httpx")
    return sys.modules["httpx"]


if TYPE_CHECKING:
    import httpcore
    import httpx
    from httpcore._backends.sync import SyncStream
else:
    httpx = _load()
    httpcore = importlib.import_module("httpcore")
    #: What httpcore's own backend makes of a connected socket; it has no public name.
    SyncStream = importlib.import_module("httpcore._backends.sync").SyncStream

__all__ = ["SyncStream", "httpcore", "httpx"]
