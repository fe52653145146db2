"""Rooms with versions that nobody has to import, and gates that need no data."""

from __future__ import annotations

from pathlib import Path

from tests.contract.test_registry import PARITY, candidate

from brinery.actions.rooms import Rooms
from brinery.registry.memory import MemoryRegistry
from brinery.specs.gates import Gate, Requirement
from brinery.specs.settings import Settings
from brinery.store.audit import MemoryAudit
from brinery.store.workspace import Workspace

# Of versions that were registered without a report.
PASSES_ALL = Gate(name="default", require=(Requirement.PARITY,))
PASSES_NONE = Gate(name="strict", require=(Requirement.REPORT,))

# The same for a workspace.
GATES = """
[gates.default]
require = ["parity"]

[gates.strict]
require = ["report"]
"""


def rooms_with(folder: Path, name: str, *, versions: int) -> Rooms:
    """Return rooms with versions of a model, none of them promoted.

    Args:
        folder: an empty one.
        name: of the model.
        versions: how many.
    """
    workspace, kept = folder / "workspace", folder / "kept"
    for one in (workspace, kept):
        one.mkdir()
    rooms = Rooms(
        workspace=Workspace(workspace),
        settings=Settings(gates={"default": PASSES_ALL, "strict": PASSES_NONE}),
        registry=MemoryRegistry(kept),
        audit=MemoryAudit(),
    )
    rooms.workspace.prepare()
    file = kept / "model.pkl"
    file.write_bytes(b"a model")
    for _ in range(versions):
        rooms.registry.commit(rooms.registry.stage(candidate(name), file), PARITY)
    return rooms
