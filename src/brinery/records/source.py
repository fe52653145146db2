"""Where a model was found, and what was declared of it beside its own bytes."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from brinery.records.requirements import Requirements
from brinery.records.scan import Finding


class ModelSource(Struct, frozen=True, kw_only=True):
    """What the user's word for a model means: files to scan and to import.

    Attributes:
        path: of the file or folder that is the model.
        name: as it was given: a path, a URI or `module:name`.
        format: `callable` or `mlflow` where that is known beforehand; empty where the scan tells.
        code: a folder of modules that the model brings, checked and copied; None where there is
            none.
        code_sha256: of that folder; empty where there is none.
        vouched: names that the user vouched for by naming them in the command.
        findings: what it asks for beside what its scan finds: the modules that it brings.
        requirements: what an MLflow folder says it needs; empty elsewhere.
        columns: its inputs' names, where an MLflow signature states them.
        notes: what is worth a warning.
    """

    path: Path
    name: str
    format: str = ""
    code: Path | None = None
    code_sha256: str = ""
    vouched: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    requirements: Requirements = Requirements()
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
