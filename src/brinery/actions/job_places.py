"""What is known of values and places once a job has its name: when a step starts."""

from __future__ import annotations

import os

import msgspec

from brinery.actions.job_rooms import JobRooms
from brinery.errors import DataFileMissing
from brinery.records.plan import Data, DataType, Plan
from brinery.specs.expressions import references, render


def filled(text: str, *, job: str, plan: Plan) -> str:
    """Return a text with what is known of the job: `${{name}}` is the job's."""
    if "${{" not in text:
        return text
    scope = {"name": job, "default_datastore": plan.datastore}
    known = all(".".join(each.path) in scope for each in references(text))
    return render(text, scope) if known else text


def located(data: Data, rooms: JobRooms, *, job: str, plan: Plan) -> str:
    """Return the absolute path at which data lie.

    Raises:
        UserError: there is nothing, or nothing leads there.
    """
    if "${{" not in data.uri:
        return rooms.data.resolve(data)
    data = msgspec.structs.replace(data, uri=filled(data.uri, job=job, plan=plan))
    try:
        return rooms.data.resolve(data)
    except DataFileMissing:
        if data.type is DataType.FILE:
            raise
        # A place that is named after the job is an empty one before a step writes there.
        path = rooms.data.destination(data.uri)
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 - a text
        return path
