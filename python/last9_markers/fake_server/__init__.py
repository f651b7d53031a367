"""A fake Last9: a real HTTP server on this machine that enforces the API's rules and fails on order.

For tests and for trying things out::

    with FakeLast9(organizations=("acme",)) as last9:
        ...  # last9.url, last9.refresh_token
        last9.order([{"on": "event", "times": 2, "status": 503}])
        last9.received(), last9.requests()
"""

from last9_markers.fake_server.server import FakeLast9

__all__ = ["FakeLast9"]
