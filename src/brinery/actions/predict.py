"""Predict: score a table with a registered version, outside any server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import pandas as pd
import pyarrow as pa

from brinery.actions.answering import Answering
from brinery.actions.progress import attempt_line
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import ColumnMismatch, ColumnMissing
from brinery.flavors import answer_columns
from brinery.records.scores import Scores
from brinery.records.version import Candidate, Version
from brinery.registry.interface import askable, resolve
from brinery.specs.names import nearest
from brinery.specs.reference import Reference
from brinery.store import tables
from brinery.store.frames import Data, given


class LoadedModel:
    """A registered version, ready to score: by its scorer, or loaded in a process of its own.

    Use it as a context manager, or close it; what is forgotten ends with this process.

    Attributes:
        version: which it is.
    """

    def __init__(self, rooms: Rooms, version: Version) -> None:
        self.version = version
        self._answering = Answering(rooms, version)
        self.candidate: Candidate = self._answering.candidate

    def predict(self, data: pd.DataFrame) -> Scores:
        """Return the model's answers, one per row.

        Args:
            data: (n_rows, ≥ n_features) the columns of the signature, in any order; others are
                left out.

        Raises:
            ColumnMissing, ColumnMismatch: the data does not fit the signature.
            PredictionRefused: the model raised on it.
        """
        return self._answering.score(self._answering.fit(data))

    @property
    def attempts(self) -> tuple[str, ...]:
        """Return what it tried so far and was refused, such as `open /etc/passwd`."""
        return self._answering.attempts

    def close(self) -> None:
        """End the model's process."""
        self._answering.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load(reference: str, *, workspace: Folder | None = None) -> LoadedModel:
    """Return a registered version, loaded.

    Raises:
        NotFound: there is no such version.
        NotServable: it was not imported by Brinery, or cannot be asked for predictions.
    """
    rooms = open_rooms(workspace)
    return LoadedModel(rooms, resolve(rooms.registry, Reference.parse(reference)))


def predict(
    reference: str,
    *,
    data: Data,
    sep: str | None = None,
    keep: Sequence[str] = (),
    output: Folder | None = None,
    workspace: Folder | None = None,
    warn: Callable[[str], None] | None = None,
) -> pa.Table:
    """Return the predictions for a table, and write them where an output is named.

    Args:
        reference: which version.
        data: (n_rows, ≥ n_features) a csv, Parquet or JSON lines file, or a data frame.
        sep: of a csv file; found in its first lines when None.
        keep: columns of the data to put before the predictions.
        output: a file to write, in the format of its ending.
        workspace: its folder; the nearest upwards when None.
        warn: is given a line for everything that the model tried and was refused.

    Returns:
        (n_rows, len(keep) + 1 + n_classes): the kept columns, `prediction`, and for a classifier
        with probabilities `probability_<class>`.

    Raises:
        UserError: the subclass says what is wrong with the reference, the data or the output.
    """
    if output is not None:
        tables.output_format(Path(output))
    rooms = open_rooms(workspace)
    version = resolve(rooms.registry, Reference.parse(reference))
    candidate = askable(version)
    found = given(data)
    frame = found if isinstance(found, pd.DataFrame) else tables.read_table(found, separator=sep)
    for name in keep:
        if name not in frame.columns:
            near = nearest(name, frame.columns)
            raise ColumnMissing(
                f"--keep {name}: the data has no column '{name}'",
                hint=f"did you mean --keep {near}?"
                if near
                else f"its columns are {', '.join(map(str, frame.columns[:20]))}",
            )
    _check_kept(keep, candidate)
    with LoadedModel(rooms, version) as model:
        scores = model.predict(frame)
        if warn is not None:
            for attempt in model.attempts:
                warn(attempt_line(attempt))
    table = _table(frame[list(keep)], scores)
    if output is not None:
        tables.write_table(table, Path(output))
    return table


def _check_kept(keep: Sequence[str], candidate: Candidate) -> None:
    """Raise where a column that is to be kept is called as one of the several values of a row."""
    names = {output.name for output in candidate.signature.outputs}
    taken = [name for name in keep if name in names]
    if taken:
        raise ColumnMismatch(
            f"--keep {taken[0]}: the model's own answer has a column '{taken[0]}'",
            hint=f"leave --keep {taken[0]} out, or copy that column in the data to another name",
        )


def _table(kept: pd.DataFrame, scores: Scores) -> pa.Table:
    before = tables.to_arrow(kept)
    named = dict(zip(before.column_names, before.columns, strict=True))
    return pa.table({**named, **answer_columns.columns(scores)})
