"""What a package knows of its model: `model.json`, which lies beside the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from brinery.records.artifact import Artifact
from brinery.records.signature import Signature
from brinery.scorers.rows import Rows

FILE = "model.json"


class Facts(Struct, frozen=True, kw_only=True):
    """A packaged version.

    Attributes:
        model: name of the registered model.
        version: its number.
        sha256: of the file that it was imported from.
        created_by: what made the package, such as `brinery 0.1.0`.
        created: when the version was registered, in ISO 8601.
        engine: `scorer` or `library`: who answers.
        engine_file: the file within the package that it reads; its digest is `engine_sha256`.
        engine_sha256: of that file's bytes.
        type: what the model predicts, such as `binary`.
        outline: its class, with those of its steps.
        key: what an answer is called.
        probabilities: whether an answer to one row has them, too.
        aliases: other names of columns, as clients may write them, to the columns.
        signature: what it takes, with an example that was made up.
        classes: in the model's order; empty where it has none.
        metrics: of its evaluation.
        feature_names: the columns it was fitted on; None where it was fitted without.
        artifact: how its file is loaded.
        rows: what answers single rows of numbers without numpy; None where nothing does.
    """

    model: str
    version: int
    sha256: str
    created_by: str
    created: str
    engine: str
    engine_file: str
    engine_sha256: str
    type: str
    outline: str
    key: str
    artifact: Artifact
    signature: Signature
    probabilities: bool = False
    aliases: dict[str, str] = {}
    classes: tuple[Any, ...] = ()
    metrics: dict[str, float] = {}
    feature_names: Any = None
    rows: Rows | None = None

    @property
    def reference(self) -> str:
        """Return `name@number`."""
        return f"{self.model}@{self.version}"


def read(folder: Path) -> Facts:
    """Return the facts of the package whose code lies in a folder."""
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Facts)
