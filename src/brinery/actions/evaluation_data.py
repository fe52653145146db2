"""The data that a model is evaluated on: read, named, and parted from its target."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brinery.actions.submission import Submission
from brinery.errors import ColumnMismatch, DataRequired, TargetMissing
from brinery.records.version import DataFingerprint
from brinery.specs.names import nearest
from brinery.store import tables


@dataclass(frozen=True)
class EvaluationData:
    """The data, and the same without its target as the model's process takes it."""

    frame: pd.DataFrame
    inputs: pd.DataFrame
    fingerprint: DataFingerprint


def read_data(
    given: Path | pd.DataFrame, *, target: str | None, separator: str | None
) -> EvaluationData:
    """Return the data, with and without the target.

    Raises:
        DataError: it cannot be read, or the target is not one of its columns.
    """
    if isinstance(given, pd.DataFrame):
        name = "dataframe"
        frame = given.rename(columns=str).reset_index(drop=True)
    else:
        name = given.name
        frame = tables.read_table(given, separator=separator)
    if target is not None and target not in frame.columns:
        near = nearest(target, frame.columns)
        raise TargetMissing(
            f"the target '{target}' is not a column of {name}",
            hint=f"did you mean --target {near}?"
            if near
            else f"its columns are {', '.join(frame.columns[:20])}; if there is one, say --sep",
        )
    return EvaluationData(
        frame=frame,
        inputs=frame if target is None else frame.drop(columns=target),
        fingerprint=DataFingerprint(
            name=name,
            rows=len(frame),
            columns=tuple(frame.columns),
            sha256=tables.fingerprint(frame),
            target=target,
        ),
    )


def required(asked: Submission, name: str) -> DataRequired:
    """Return the error for a model that predicts and comes without data.

    Args:
        asked: what was asked.
        name: of the model, for the message.
    """
    return DataRequired(
        f"{name} can be asked for predictions, and comes without data to ask it about",
        hint=f"brinery import {shlex.quote(asked.model)} --name {asked.name} --data FILE",
    )


def check_weights(column: pd.Series, name: str) -> None:
    """Return only where a column's values are numbers from 0.

    Raises:
        ColumnMismatch: one is not; the message names the first such row.
    """
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = numbers.isna() | (numbers < 0)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise ColumnMismatch(
            f"--weights {name}: row {row + 1} holds {column.iloc[row]}",
            hint="weights are numbers from 0; a row of weight 0 does not count",
        )


def data_line(data: EvaluationData) -> str:
    """Return how much of it there is."""
    return f"{data.fingerprint.name}: {len(data.frame):,} rows, {data.frame.shape[1]} columns"
