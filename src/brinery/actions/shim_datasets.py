"""What scripts ask about datasets; see `gateway`. Rows do not come by here: their files are named.

A script reads the files itself, and writes into a folder that it is given, which is then committed:
other readers see the rows of before until they see all that were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from brinery.actions import datasets
from brinery.actions.datasets import Write
from brinery.actions.gateway import Desk, Method
from brinery.records.dataset import Dataset
from brinery.records.flow import UseKind


def _listed(desk: Desk, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the datasets of a project."""
    return [_facts(one) for one in datasets.datasets(desk.data, desk.project(asked["project"]))]


def _shown(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a dataset, with its columns."""
    return _facts(_dataset(desk, asked))


def _location(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the rows of a dataset are read, and how.

    With `readable`, the formats that the script can read; csv is made of rows in any other.
    """
    found = _dataset(desk, asked)
    where = datasets.location(desk.data, found)
    if asked.get("used", True):
        desk.used(datasets.use_of(where, kind=UseKind.READ))
    told: dict[str, Any] = msgspec.to_builtins(where)
    if found.current and not found.external:
        told["copy"] = str(datasets.copy_place(desk.data, found))
    if str(where.format) not in asked.get("readable", (str(where.format),)) and where.paths:
        name = f"{found.full_name}-{where.version}.csv"
        target = desk.data.workspace.cache / "tables" / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f"part-{id(found)}-{name}")
            datasets.export_dataset(desk.data, found, target=part)
            part.replace(target)
        told |= {"paths": [str(target)], "format": "csv", "separator": ","}
    return told


def _stage(desk: Desk, asked: Mapping[str, Any]) -> str:
    """Return a new, empty folder for the files of a writer."""
    project = desk.project(asked.get("project", ""))
    return str(datasets.stage(desk.data, asked["name"], project_key=project))


def _commit(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Make what was staged the rows of a dataset."""
    done = datasets.commit(
        desk.data,
        asked["name"],
        staged=Path(asked["staged"]),
        write=Write(
            columns=asked.get("columns", ()),
            append=bool(asked.get("append", False)),
            separator=asked.get("separator", ""),
            run=desk.task.job,
        ),
        project_key=desk.project(asked.get("project", "")),
    )
    desk.used(datasets.use_of(done, kind=UseKind.WRITTEN))
    return _facts(done)


def _discard(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Take away what was staged and is not to be committed."""
    desk.data.versions.discard(Path(asked["staged"]))


def _set_schema(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dataset another schema; it is made where it was not there."""
    project = desk.project(asked.get("project", ""))
    done = datasets.set_schema(
        desk.data, asked["name"], columns=asked["columns"], project_key=project
    )
    return _facts(done)


def _create(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Make an empty dataset."""
    project = desk.project(asked.get("project", ""))
    return _facts(datasets.create_dataset(desk.data, asked["name"], project_key=project))


def _delete(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Remove a dataset with its rows."""
    datasets.delete_dataset(desk.data, _dataset(desk, asked))


def _dataset(desk: Desk, asked: Mapping[str, Any]) -> Dataset:
    project = desk.project(asked.get("project", ""))
    return datasets.dataset(desk.data, asked["name"], project_key=project)


def _facts(found: Dataset) -> dict[str, Any]:
    content = found.content
    return {
        "name": found.name,
        "project": found.project,
        "full_name": found.full_name,
        "columns": msgspec.to_builtins(found.columns),
        "format": str(found.format),
        "uri": found.uri,
        "table": found.table,
        "external": found.external,
        "version": found.current,
        "rows": content.rows if content else None,
        "size_bytes": content.size_bytes if content else 0,
        "modified_ms": int(content.created.timestamp() * 1000) if content else 0,
        "description": found.description,
    }


METHODS: Final[Mapping[str, Method]] = {
    "list": _listed,
    "show": _shown,
    "location": _location,
    "stage": _stage,
    "commit": _commit,
    "discard": _discard,
    "set_schema": _set_schema,
    "create": _create,
    "delete": _delete,
}
