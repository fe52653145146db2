"""What no step of a job may write to: what others left, environments, and the data that it reads.

The runner holds it as far as the system lets it: as root on Linux by mounts that are read-only for
steps alone. Elsewhere a step that altered its own input is told of, once it is over.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from brinery.actions.job_rooms import JobRooms
from brinery.records.plan import Data, Joined, Plan, Step, Value

# Of an input that a step may write to: it is given the place itself.
_DIRECT: Final = "direct"
_AT_MOST: Final = 1000


def protected(rooms: JobRooms, plan: Plan) -> list[str]:
    """Return the absolute files and folders that no step of a job may write to.

    Args:
        rooms: of the workspace.
        plan: of the job; its inputs on this machine are among them, but for those of mode `direct`.
    """
    workspace = rooms.workspace
    workspace.environments.mkdir(parents=True, exist_ok=True)
    own = [rooms.outputs.folder, workspace.environments, workspace.assets, workspace.cache / "data"]
    inputs = {data.uri: data.mode for step in plan.steps for data in _read(step.inputs.values())}
    written = [uri for uri, mode in inputs.items() if mode == _DIRECT]
    if not any(uri.startswith("azureml:") for uri in written):
        own.append(workspace.datastores)
    # A step needs these, whatever lies in them.
    needed = [str(workspace.state), tempfile.gettempdir(), str(Path.home())]
    found = [
        uri
        for uri in inputs
        if uri.startswith("/")
        and os.path.exists(uri)  # noqa: PTH110 - a text
        and not any(_within(one, uri) for one in (*written, *needed))
        and not any(_within(uri, one) for one in written)
    ]
    return [*(str(folder) for folder in own if folder.is_dir()), *found[:_AT_MOST]]


def altered(
    rooms: JobRooms, step: Step, *, told: Mapping[str, str], before: Mapping[str, str]
) -> str:
    """Return what is told of inputs that are otherwise than when a step began; empty for none.

    Args:
        rooms: of the workspace.
        step: that is over.
        told: the path of each of its inputs.
        before: BLAKE3 of each as the step began.
    """
    for name, value in step.inputs.items():
        if not isinstance(value, Data) or value.mode == _DIRECT or name not in before:
            continue
        seen, _ = rooms.fingerprints.look(told[name])
        if seen.content != before[name]:
            return f"its input {name} changed while it ran: {told[name]}"
    return ""


def _read(values: Iterable[Value]) -> Iterable[Data]:
    for value in values:
        if isinstance(value, Data):
            yield value
        elif isinstance(value, Joined):
            yield from _read(value.parts)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
