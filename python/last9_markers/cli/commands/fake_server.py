"""``fake-server``: run the fake Last9 until it is interrupted."""

from __future__ import annotations

import argparse
import contextlib
import json
import os

from last9_markers.fake_server.server import FakeLast9

#: JSON array of further refresh tokens to accept: an argument would show them to every process.
VARIABLE = "LAST9_FAKE_SERVER_REFRESH_TOKENS"

_PATHS = """\
Its first line on stdout is JSON: url, refreshToken, orgSlug. Besides Last9's own addresses it knows

  GET /received    the markers it took; DELETE forgets them
  GET /requests    every request, with its status
  POST /faults     break down: {"status": 503, "times": 2}, {"delay": 20}, {"drop": "before"}; DELETE is well again.
                   Reading back: {"on": "read", "late": 20}, {"on": "read", "underscores": true},
                   {"on": "read", "label_limit": 30}, {"on": "read", "status": 403}
  POST /series     have metrics of a service: {"service_name": "payments-api", "deployment_environment": "production"};
                   DELETE forgets them
"""


def main(arguments: list[str]) -> int:
    """Serve. The first line on stdout is JSON: ``url``, ``refreshToken``, ``orgSlug``."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        further = json.loads(os.environ.get(VARIABLE) or "[]")
    except ValueError:
        further = None
    if not isinstance(further, list) or not all(isinstance(token, str) for token in further):
        print(f"{VARIABLE} must be a JSON array of texts")
        return 2
    try:
        fake_last9 = FakeLast9(
            port=options.port,
            organizations=tuple(options.organization or ["acme"]),
            refresh_tokens=(*options.refresh_token, *further),
            certificate=tuple(options.tls) if options.tls else None,
        )
    except (OSError, OverflowError) as error:  # taken, not allowed, no such port; no PEM files
        parser.error(f"cannot serve on port {options.port}{' with these --tls files' if options.tls else ''}: {error}")
    first = {"url": fake_last9.url, "refreshToken": fake_last9.refresh_token, "orgSlug": fake_last9.org_slug}
    with contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(first), flush=True)
        fake_last9.serve_forever()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="last9-markers fake-server",
        description="A fake Last9 on 127.0.0.1, to try markers against. It holds them to Last9's rules and keeps them in memory.",
        epilog=_PATHS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--organization", nargs="+", metavar="SLUG", help="known organizations (default: acme; '*': any)")
    parser.add_argument("--refresh-token", nargs="+", default=[], metavar="TOKEN", help="further refresh tokens to accept")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="PEM files: serve https")
    return parser
