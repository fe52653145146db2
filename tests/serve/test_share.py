"""What a batch was answered is cut into what each request is told."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from tests.serve.conftest import MakeEndpoint

from brinery.records.scores import Scores
from brinery.serve.answers import OwnWriter
from brinery.serve.asked import Asked
from brinery.serve.batch import Batch
from brinery.serve.share import shares, whole

X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
ASKED = Asked(Batch({}, 0, in_columns={}))


@given(counts=st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_each_has_its_own_rows(counts: list[int]) -> None:
    """The parts follow each other, and together they are all."""
    scores = Scores(predictions=np.arange(sum(counts)))
    parts = [one.scores.predictions.tolist() for one in shares(scores, counts)]
    assert [len(part) for part in parts] == counts
    assert [value for part in parts for value in part] == scores.predictions.tolist()


@pytest.mark.parametrize(
    "classes",
    [("no", "yes"), (1, 2), ("é ü", "a/b"), ('a"b', "c\\d"), ("tab\t", "\n"), ("1", 1)],
    ids=repr,
)
def test_a_row_is_written_the_same_alone_and_with_others(
    make_endpoint: MakeEndpoint, classes: tuple[Any, ...]
) -> None:
    """The bytes are those of the document as a whole, whatever the classes are called."""
    endpoint = make_endpoint(LogisticRegression().fit(X, [0, 1, 0, 1]), X)
    chances = np.array([[0.1, 0.9], [1.0, 0.0], [np.nan, 1e-300], [1 / 3, 2 / 3]])
    labels = np.array([*classes, *classes, None], dtype=object)[:-1]
    scores = Scores(predictions=labels, probabilities=chances, classes=classes)
    write = OwnWriter(endpoint)
    rows = [
        {"label": label, "probabilities": dict(zip(map(str, classes), row, strict=True))}
        for label, row in zip(labels.tolist(), chances.tolist(), strict=True)
    ]
    document = {"predictions": rows, "model": "small", "version": 1}
    assert write(ASKED, whole(scores)) == msgspec.json.encode(document)
    parts = [json.loads(write(ASKED, part)) for part in shares(scores, [1, 2, 1])]
    told = [row for part in parts for row in part["predictions"]]
    assert told == json.loads(msgspec.json.encode(rows))
