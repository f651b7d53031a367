"""The report out of the committed bundle: its templates and the part of jinja2 that is shipped are enough, on every Python."""

from __future__ import annotations

import json
import uuid

import pytest
from agents import Agent, promised, pythons


@pytest.mark.parametrize("version", promised())
def test_the_bundle_writes_the_report(version: str, agent: Agent) -> None:
    """From start to page: what two markers' answers bring becomes four files, compiled and from the code file, and no token is needed."""
    records = [text for state in ("start", "stop") for text in agent.step(pythons()[version], state).answer["records"]]
    agent.code = "-"
    for _ in range(2):
        identity = str(uuid.uuid4())
        request = {"contract": 2, "step": "last9DeploymentReport", "timestampMs": 1790000090000, "options": {}}
        path = agent.slot / f"request-{identity}.json"
        path.write_text(json.dumps({**request, "report": {"id": identity, "records": records}}), "utf-8")
        environ = agent.environ({"LAST9_CACHE_DIR": str(agent.folder)})
        del environ["LAST9_REFRESH_TOKEN"]
        answer = agent.step(pythons()[version], request=path, env=environ).answer
        assert answer["warnings"] == []
        assert answer["headline"] == "1 deployment: 1 failed"
        written = agent.folder / f"report-{identity}"
        assert answer["directory"] == str(written)
        assert sorted(path.name for path in written.iterdir()) == sorted(answer["files"])
        assert "payments-api" in (written / "last9-deployments.html").read_text("utf-8")
        assert agent.code != "-"
    assert agent.left_over() == []
