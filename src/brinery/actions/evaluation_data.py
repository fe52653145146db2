"""The data that a model is evaluated on: read, named, and parted from its target."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import pandas as pd

from brinery.actions.submission import Submission
from brinery.errors import DataRequired, TargetMissing
from brinery.records.version import DataFingerprint
from brinery.specs.names import nearest
from brinery.store import tables


@dataclass(frozen=True)
class EvaluationData:
    """The data, and the same without its target as the model's process takes it."""

    frame: pd.DataFrame
    inputs: pd.DataFrame
    fingerprint: DataFingerprint


def read_data(asked: Submission) -> EvaluationData | None:
    """Return the data, with and without the target; None where none is given.

    Raises:
        DataError: it cannot be read, or the target is not one of its columns.
    """
    if asked.data is None:
        return None
    if isinstance(asked.data, pd.DataFrame):
        name = "dataframe"
        frame = asked.data.rename(columns=str).reset_index(drop=True)
    else:
        name = asked.data.name
        frame = tables.read_table(asked.data, separator=asked.separator)
    if asked.target is not None and asked.target not in frame.columns:
        near = nearest(asked.target, frame.columns)
        raise TargetMissing(
            f"the target '{asked.target}' is not a column of {name}",
            hint=f"did you mean --target {near}?"
            if near
            else f"its columns are {', '.join(frame.columns[:20])}; if there is one, say --sep",
        )
    return EvaluationData(
        frame=frame,
        inputs=frame if asked.target is None else frame.drop(columns=asked.target),
        fingerprint=DataFingerprint(
            name=name,
            rows=len(frame),
            columns=tuple(frame.columns),
            sha256=tables.fingerprint(frame),
            target=asked.target,
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


def data_line(data: EvaluationData) -> str:
    """Return how much of it there is."""
    return f"{data.fingerprint.name}: {len(data.frame):,} rows, {data.frame.shape[1]} columns"
