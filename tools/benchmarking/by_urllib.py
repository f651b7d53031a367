"""What a person would write by hand: the two requests with the standard library, no retries, no attributes. A baseline."""

import json
import os
import ssl
import sys
import urllib.request
from typing import Any

base = sys.argv[1]
handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
if base.startswith("https"):
    handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=os.environ["LAST9_CA_BUNDLE"])))
opener = urllib.request.build_opener(*handlers)


def call(method: str, path: str, content: Any, **headers: str) -> Any:
    """Make one request and return the JSON of its answer."""
    headers = {"Content-Type": "application/json", **headers}
    # What it is given is the benchmark's own address.
    request = urllib.request.Request(base + path, json.dumps(content).encode(), headers, method=method)  # noqa: S310
    with opener.open(request, timeout=15) as answer:
        return json.load(answer)


token = call("POST", "/api/v4/oauth/access_token", {"refresh_token": os.environ["LAST9_REFRESH_TOKEN"]})["access_token"]
attributes = {"service_name": "payments-api", "deployment_environment": "production"}
event = {"event_name": "deployment", "event_state": "start", "timestamp": "2026-11-24T10:00:00.000Z", "attributes": attributes}
call("PUT", "/api/v4/organizations/acme/change_events", event, **{"X-LAST9-API-TOKEN": f"Bearer {token}"})
print("sent")
