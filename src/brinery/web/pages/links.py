"""Where the pages of things are: each path is written here once."""

from __future__ import annotations

from urllib.parse import quote


def model(name: str) -> str:
    """Return the path of a model's page."""
    return f"/models/{quote(name, safe='')}"


def version(reference: str) -> str:
    """Return the path of a version's page: of `bank@3`."""
    name, _, number = reference.rpartition("@")
    return f"{model(name)}/versions/{quote(number, safe='')}"


def endpoint(name: str) -> str:
    """Return the path of an endpoint's page."""
    return f"/endpoints/{quote(name, safe='')}"


def job(name: str) -> str:
    """Return the path of a job's page."""
    return f"/jobs/{quote(name, safe='')}"


def loop(name: str) -> str:
    """Return the path of a loop's page."""
    return f"/loops/{quote(name, safe='')}"


def import_(key: str) -> str:
    """Return the path of the page of an import."""
    return f"/import/{quote(key, safe='')}"


def moved(text: str) -> str:
    """Return the page of what an entry of the audit trail names: `bank@3 champion`, `bank@3`."""
    reference = text.rpartition(" ")[0] or text
    name, at, number = reference.rpartition("@")
    return version(reference) if at and name and number.isdigit() else ""
