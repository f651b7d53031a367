"""httpx without the parts that a marker never uses: nothing else may notice."""

from __future__ import annotations

import importlib
import subprocess
import sys

import httpx
import pytest
from last9_markers.client import lean_httpx
from support import MINIMAL_ENV, ROOT


def fresh(code: str) -> str:
    """What that code prints in a process that has not loaded httpx."""
    environ = {**MINIMAL_ENV, "PYTHONPATH": f"{ROOT / 'python'}:{':'.join(sys.path)}"}
    done = subprocess.run([sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", lean_httpx.LEFT_OUT)
def test_what_is_left_out_is_there_in_earnest(module: str) -> None:
    """Each name of a placeholder exists in the real module: this test notices a rename upstream."""
    real = importlib.import_module(module)
    assert [name for name in lean_httpx.LEFT_OUT[module] if not hasattr(real, name)] == []


def test_httpx_that_is_loaded_already_is_taken_as_it_is() -> None:
    """If all of httpx is loaded already (as in these tests), nothing is replaced."""
    assert lean_httpx.httpx is httpx
    assert httpx.Client.__module__ == "httpx"
    assert isinstance(httpx.Client(), httpx.Client)


def test_a_marker_loads_no_more_than_it_needs() -> None:
    """What takes most of httpx's loading time is not loaded with it."""
    unwanted = (
        "logging",
        "inspect",
        "urllib.request",
        "http.client",
        "email.message",
        "datetime",
        "idna",
        "certifi",
        "pathlib",
        "asyncio",
        "jinja2",
    )
    loaded = fresh(
        "import sys; before = set(sys.modules)\n"
        "from last9_markers.client import api, delivery, transport\nfrom last9_markers.runner import send_marker, serve\n"
        "from last9_markers.client.lean_httpx import Deferred, httpx\n"
        "httpx.HTTPTransport(verify=False)\n"
        "print(*sorted(name for name, module in sys.modules.items() if name not in before and type(module) is not Deferred))\n"
    ).split()
    assert "httpcore" in loaded
    assert [name for name in loaded if name in unwanted or name.startswith(("httpcore._async", "httpx._client"))] == []


def test_everybody_else_gets_the_real_modules() -> None:
    """The placeholders are gone after httpx is loaded: backoff, for example, gets Python's own logging and asyncio."""
    told = fresh(
        "import importlib, sys\n"
        "from last9_markers.client.lean_httpx import httpx, LEFT_OUT, DEFERRED\n"
        "import backoff\n"
        "for name in (*LEFT_OUT, *DEFERRED, 'logging'):\n"
        "    if not name.startswith('http'):\n"
        "        module = importlib.import_module(name)\n"
        "        assert module.__dict__.get('__file__') or name == 'certifi', name\n"
        "        parent, _, child = name.rpartition('.')\n"
        "        assert not parent or getattr(sys.modules[parent], child) is module, name\n"
        "import urllib.request, http.cookiejar\n"
        "http.cookiejar.CookieJar().add_cookie_header(urllib.request.Request('http://127.0.0.1/'))\n"
        "assert importlib.import_module('certifi').contents() and sys.modules['certifi'].__file__\n"
        "print('real')\n"
    )
    assert told == "real\n"


def test_what_is_deferred_works_when_it_is_needed() -> None:
    """A module that httpx uses inside of a function loads at that moment: here idna, for a host that is not ASCII."""
    told = fresh(
        "import sys\nfrom last9_markers.client.lean_httpx import httpx\n"
        "assert 'idna' not in sys.modules\n"
        "print(httpx.URL('https://b\\u00fccher.example').raw_host.decode(), 'idna' in sys.modules)\n"
    )
    assert told == "xn--bcher-kva.example True\n"
