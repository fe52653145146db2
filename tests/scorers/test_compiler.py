"""What no node stands for: the library itself is asked for it, and that is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.scorers.agreement import agrees, inputs_of

from brinery import scorers
from brinery.records.signature import ColumnType
from brinery.scorers import bundle
from brinery.scorers.child import write
from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined
from brinery.scorers.interface import Unsupported
from brinery.scorers.plan import Input


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step of a user's own."""

    def fit(self, _: Any, __: Any = None) -> Doubled:
        return self

    def transform(self, x: Any) -> Any:
        return np.asarray(x) * 2


class Shy(StandardScaler):  # type: ignore[misc]
    """A scaler that a user has changed: what it does is not known."""

    def transform(self, x: Any, copy: bool | None = None) -> Any:  # noqa: FBT001
        return super().transform(x, copy) + 1


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).normal(size=(100, 3)), columns=list("abc"))


@pytest.fixture(scope="module")
def target(frame: pd.DataFrame) -> Any:
    return (frame["a"] > frame["b"]).to_numpy()


def test_a_step_that_is_not_known_is_asked_itself(frame: pd.DataFrame, target: Any) -> None:
    """Alone: what is before and behind it is compiled, and the answers are the library's."""
    model = make_pipeline(StandardScaler(), Doubled(), LogisticRegression()).fit(frame, target)
    scorer = compile_model(model, inputs_of(frame))
    assert scorer.fallbacks == ("Doubled: Doubled is not known",)
    agrees(model, frame, scorer=scorer)


def test_a_subclass_is_not_its_base(frame: pd.DataFrame, target: Any) -> None:
    """Nothing is guessed of a class that somebody derived from a known one."""
    model = make_pipeline(Shy(), LogisticRegression()).fit(frame, target)
    scorer = compile_model(model, inputs_of(frame))
    assert len(scorer.fallbacks) == 1
    agrees(model, frame, scorer=scorer)


def test_a_model_that_is_not_known_is_asked_itself(frame: pd.DataFrame, target: Any) -> None:
    """Behind steps that are compiled."""
    model = make_pipeline(StandardScaler(), KNeighborsClassifier()).fit(frame, target)
    scorer = compile_model(model, inputs_of(frame))
    assert [reason.partition(":")[0] for reason in scorer.fallbacks] == ["KNeighborsClassifier"]
    agrees(model, frame, scorer=scorer)


def test_a_model_that_is_used_as_a_step_is_asked_alone(frame: pd.DataFrame, target: Any) -> None:
    """What is not known of it is asked to transform, and the model behind it is compiled."""
    clusters = KMeans(3, random_state=0, n_init=1)
    model = make_pipeline(clusters, LogisticRegression()).fit(frame, target)
    scorer = compile_model(model, inputs_of(frame))
    assert [reason.partition(":")[0] for reason in scorer.fallbacks] == ["KMeans"]
    agrees(model, frame, scorer=scorer)


def test_a_sparse_step_that_says_a_column_twice_is_left_to_the_library(target: Any) -> None:
    """Which adds the values up; no row here has a column twice."""
    given = np.random.default_rng(0).normal(size=(100, 2))
    model = make_pipeline(FunctionTransformer(_twice), LogisticRegression()).fit(given, target)
    scorer = compile_model(model, [Input("a", ColumnType.NUMBER), Input("b", ColumnType.NUMBER)])
    with pytest.raises(Declined, match="twice"):
        scorer.score({"a": [1.0], "b": [2.0]})


def _twice(table: Any) -> Any:
    rows = np.repeat(np.arange(len(table)), 2)
    values = np.asarray(table).ravel()
    starts = np.arange(0, 2 * len(table) + 1, 2)
    return csr_matrix((values, np.zeros(len(rows), dtype=np.int32), starts), (len(table), 1))


def test_a_model_of_which_nothing_is_known(frame: pd.DataFrame, target: Any) -> None:
    """Has no scorer: its library is as quick."""
    with pytest.raises(Unsupported, match="KNeighborsClassifier is not known"):
        compile_model(KNeighborsClassifier().fit(frame, target), inputs_of(frame))


def test_a_scorer_that_asks_the_library_is_no_file(
    frame: pd.DataFrame, target: Any, tmp_path: Path
) -> None:
    """It needs the model, and a file holds data only; the reason is told instead."""
    model = make_pipeline(StandardScaler(), Doubled(), LogisticRegression()).fit(frame, target)
    with pytest.raises(TypeError, match="is no data"):
        bundle.write(compile_model(model, inputs_of(frame)).plan, tmp_path / "scorer")
    columns = [(name, ColumnType.NUMBER.value) for name in frame.columns]
    reason = write(model, columns, classes=(False, True), path=tmp_path / "scorer")
    assert reason == "Doubled: Doubled is not known"


def test_an_estimator_that_lacks_what_is_read(frame: pd.DataFrame, target: Any) -> None:
    """Of a version that nobody knew, say, is asked itself too."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, target)
    del model[0].scale_
    with pytest.raises(AttributeError):
        model.predict(frame)
    (reason,) = compile_model(model, inputs_of(frame)).fallbacks
    assert reason.startswith("StandardScaler: it could not be read: AttributeError")


def test_the_room_offers_compile(frame: pd.DataFrame, target: Any) -> None:
    """`scorers.compile` is the way in."""
    scorer = scorers.compile(LogisticRegression().fit(frame, target), inputs_of(frame))
    assert isinstance(scorer, scorers.Scorer)
