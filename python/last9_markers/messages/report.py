"""Log lines about the report; the page's own words are in :mod:`last9_markers.report.wording`."""

from __future__ import annotations


def written(headline: str) -> str:
    """The report was written."""
    return f"Deployment report: {headline}"


def cannot_write(reason: str) -> str:
    """The report's files cannot be written."""
    return f"the deployment report was not written ({reason}). Check that the agent's temporary workspace can be written and has room."


def cannot_write_to(folder: str, reason: str) -> str:
    """The same in a shell."""
    return f"the deployment report was not written to {folder} ({reason}). Name a folder with --output that can be written and has room."


def lies_at(path: str) -> str:
    """Where the page is."""
    return f"Open {path} in a browser"


def took_too_long(seconds: float) -> str:
    """The time limit is over."""
    return f"the deployment report was not written: {seconds:g} s were not enough. The agent may be slow; raise timeoutSeconds."


def no_place() -> str:
    """The engine was not told where the temporary workspace is."""
    return "the deployment report was not written: its folder is unknown. The library's Groovy code and bundle must come from one version."


def records_lost() -> str:
    """A controller restart emptied the memory that held the records."""
    return (
        "the controller restarted during this build: deployments from before it are missing from the report. No action is needed; "
        "Last9 has their markers."
    )


def records_dropped(count: int) -> str:
    """There were more records than a build keeps."""
    return f"the report shows the latest markers only; {count} earlier ones are missing. Split the build to see them all."


def records_unreadable(count: int) -> str:
    """Some entries are not records."""
    return (
        f"{count} of the records cannot be read and are missing from the report. Use one version of last9-markers for all steps of a build."
    )
