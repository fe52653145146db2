"""The answers of a model that gives each row several values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
from tests.conftest import stable

from brinery.errors import NotAModel, PredictionRefused
from brinery.flavors import answers, naming, outputs, received, tables
from brinery.flavors.scikit_learn import ScikitLearn
from brinery.records.artifact import Artifact
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType

FRAME = pd.DataFrame(
    {"age": [31.0, 42.0, 57.0], "balance": [1.5, -2.0, 0.0], "job": ["clerk", "nurse", "clerk"]}
)
NUMBERS = FRAME[["age", "balance"]]
MIXED = pd.DataFrame({"n": [1.5, np.nan, 2.0], "t": ["a", None, "c"], "b": [True, False, True]})
FLAVOR = ScikitLearn()


def sent(scores: Scores, *, classes: int = 0) -> Scores:
    """The scores as they are in another process, which checks them."""
    payload = tables.pack_scores(scores)
    return tables.unpack_scores(
        received.check_scores(payload, rows=len(scores), classes=classes), ()
    )


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        (np.arange(6).reshape(3, 2), [[0, 1], [2, 3], [4, 5]]),
        (np.arange(6, dtype=np.float32).reshape(3, 2), [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]),
        ([[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4], [5, 6]]),
        (scipy.sparse.csr_matrix(np.eye(3)[:, :2]), [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),
        (np.array([["a", "b"]] * 3), [["a", "b"]] * 3),
        ([["a", 1], ["b", 2], ["c", 3]], [["a", 1], ["b", 2], ["c", 3]]),
        (np.array([[True, False]] * 3), [[True, False]] * 3),
        (
            np.array([["a", 1.5], [None, np.nan], ["c", 2]], object),
            [["a", 1.5], [None, None], ["c", 2.0]],
        ),
        (
            np.array([[1, 2.5], [None, 3.5], [2, 4.5]], object),
            [[1.0, 2.5], [None, 3.5], [2.0, 4.5]],
        ),
    ],
    ids=stable,
)
def test_tables_of_any_kind(answer: Any, values: list[list[Any]]) -> None:
    """Numbers, text and truth values in any table arrive as they were, a missing one missing."""
    scores = sent(answers.scores(answer, rows=3))
    found = [[None if v != v else v for v in row] for row in scores.predictions.tolist()]  # noqa: PLR0124 - NaN
    assert found == values
    assert scores.outputs == ("output_0", "output_1")
    assert not scores.framed
    assert scores.probabilities is None


def test_a_frame_names_its_columns() -> None:
    """The columns of a frame are the outputs, each of its own type."""
    scores = sent(answers.scores(MIXED, rows=3))
    assert scores.outputs == ("n", "t", "b")
    assert scores.framed
    assert [str(output.type) for output in outputs.described(scores)] == [
        "number",
        "string",
        "boolean",
    ]


def test_numbered_columns_of_a_frame() -> None:
    """A frame without names numbers its columns, as MLflow's server answers them."""
    assert answers.scores(pd.DataFrame(np.eye(3)), rows=3).outputs == ("0", "1", "2")


@pytest.mark.parametrize(
    "names", [["a", "a"], ["a", "b\x1b[2J"], ["a", ""], ["a", "b" * 600]], ids=stable
)
def test_columns_that_name_nothing(names: list[str]) -> None:
    """Names that are told twice, or cannot be shown, are those of no outputs."""
    frame = pd.DataFrame(np.ones((3, 2)), columns=names)
    scores = answers.scores(frame, rows=3)
    assert scores.outputs == ("output_0", "output_1")
    assert not scores.framed


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (StandardScaler().fit(NUMBERS), ("age", "balance")),
        (StandardScaler().fit(NUMBERS.to_numpy()), ("x0", "x1")),
        (make_pipeline(StandardScaler(), PCA(2)).fit(NUMBERS), ("pca0", "pca1")),
        (
            make_column_transformer(
                (MinMaxScaler(), ["age"]),
                (OneHotEncoder(), ["job"]),
                verbose_feature_names_out=False,
            ).fit(FRAME),
            ("age", "job_clerk", "job_nurse"),
        ),
        (
            make_pipeline(FunctionTransformer(np.abs)).fit(NUMBERS.to_numpy()),
            ("output_0", "output_1"),
        ),
    ],
    ids=["scaler", "array", "pipeline", "columns", "function"],
)
def test_a_transformer_names_its_columns(model: Any, names: tuple[str, ...]) -> None:
    """A transformer answers with its columns, called as it calls them where it does."""
    told = FLAVOR.describe(model)
    assert told.transforms
    given: Any = FRAME if "job" in getattr(model, "feature_names_in_", ()) else NUMBERS
    if not hasattr(model, "feature_names_in_"):
        given = NUMBERS.to_numpy()
    scores = FLAVOR.score(model, given)
    made = model.transform(given)
    assert scores.outputs == names
    assert np.array_equal(scores.predictions, made.toarray() if hasattr(made, "toarray") else made)


def test_a_transformer_that_answers_frames() -> None:
    """One whose output is set to pandas answers with a frame."""
    model = StandardScaler().set_output(transform="pandas").fit(NUMBERS)
    assert FLAVOR.score(model, NUMBERS).framed


def test_words() -> None:
    """A text vectoriser answers with a number for every word that it knows."""
    texts = pd.DataFrame({"text": ["good film", "bad film"]})
    scores = FLAVOR.score(TfidfVectorizer().fit(texts["text"]), texts)
    assert scores.outputs == ("bad", "film", "good")


def test_several_labels() -> None:
    """A classifier that gives a row several labels answers each of them, and no probabilities."""
    labels = np.array([[1, 0], [0, 1], [1, 1]])
    model = OneVsRestClassifier(LogisticRegression()).fit(NUMBERS, labels)
    scores = FLAVOR.score(model, NUMBERS)
    assert scores.outputs == ("output_0", "output_1")
    assert scores.predictions.tolist() == labels.tolist()
    assert scores.probabilities is None


def test_more_columns_than_are_supported() -> None:
    """Very wide answers are refused before they are filled out, with what to do."""
    wide = scipy.sparse.csr_matrix((1_000_000, 30_000))
    with pytest.raises(NotAModel, match="with 30,000 values, and at most 10,000") as caught:
        answers.scores(wide, rows=1_000_000)
    assert "max_features" in caught.value.hint


def test_more_values_than_are_supported() -> None:
    """Many rows of a wide answer are refused before they are filled out, with how many may come."""
    wide = scipy.sparse.csr_matrix((1_000_000, 10_000))
    with pytest.raises(PredictionRefused, match="1,000,000 rows of 10,000 values") as caught:
        answers.scores(wide, rows=1_000_000)
    assert caught.value.hint == "give at most 3,355 rows at a time"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([["a", 1], [2, 2], ["c", 3]], "text ('a') for some rows and a number (2) for others"),
        ([[{}, 1]] * 3, "answers a row with a dict"),
        (np.array([["2020-01-02"] * 2] * 3, "datetime64[D]"), "a numpy.datetime64"),
        ([[2**70, 1]] * 3, "that no table holds"),
    ],
    ids=stable,
)
def test_values_that_are_none(answer: Any, said: str) -> None:
    """What is no number, text or truth value, or is of several kinds in one column, is refused."""
    with pytest.raises(PredictionRefused) as caught:
        tables.pack_scores(answers.scores(answer, rows=3))
    assert said in caught.value.message


def known(*names: str) -> Artifact:
    """What is stored of a model whose outputs were called so."""
    return Artifact(flavor="x", format="x", file="x", sha256="", outputs=names)


def test_columns_in_another_order() -> None:
    """A frame whose columns come in another order is put into that of the import."""
    frame = pd.DataFrame({"b": [1.0, 2.0], "a": [3.0, 4.0]})
    scores = naming.given(answers.scores(frame, rows=2), known("a", "b"))
    assert scores.outputs == ("a", "b")
    assert scores.predictions.tolist() == [[3.0, 1.0], [4.0, 2.0]]


def test_what_sums_to_one_by_chance() -> None:
    """A row of outputs that looks like probabilities is outputs still."""
    chance = answers.scores([[0.25, 0.75]], rows=1, nameless=True)
    assert chance.probabilities is not None
    scores = naming.given(chance, known("low", "high"))
    assert scores.predictions.tolist() == [[0.25, 0.75]]
    assert scores.outputs == ("low", "high")
    assert scores.probabilities is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (pd.DataFrame({"a": [1.0], "c": [1.0]}), "2 values, 'c' among them, and was imported with"),
        (np.ones((1, 3)), "with 3 values"),
        (np.ones(1), "with 1 values"),
    ],
    ids=["names", "count", "one"],
)
def test_other_outputs_than_at_import(answer: Any, said: str) -> None:
    """A model that answers with other outputs than it did is refused."""
    with pytest.raises(PredictionRefused, match=said):
        naming.given(answers.scores(answer, rows=1), known("a", "b"))


def test_several_values_where_one_was() -> None:
    """A model of named classes that answers a row with several values is refused."""
    kept = Artifact(flavor="x", format="x", file="x", sha256="", classes=("no", "yes"))
    with pytest.raises(PredictionRefused, match="with 2 values, and answered one"):
        naming.given(answers.scores(np.full((1, 2), 7.0), rows=1), kept)


def test_types() -> None:
    """Each output has the type of its values."""
    scores = Scores(predictions=np.array([[1, 2]]), outputs=("a", "b"))
    assert [output.type for output in outputs.described(scores)] == [ColumnType.INTEGER] * 2
    assert outputs.described(Scores(predictions=np.ones(2))) == ()


@given(
    columns=st.lists(
        st.one_of(
            st.lists(st.floats(allow_nan=False) | st.none(), min_size=3, max_size=3),
            st.lists(st.text(), min_size=3, max_size=3),
            st.lists(st.booleans(), min_size=3, max_size=3),
        ),
        min_size=2,
        max_size=5,
    )
)
def test_there_and_back(columns: list[list[Any]]) -> None:
    """Columns of any plain kinds are the same when they are put together and taken apart."""
    table = np.empty((3, len(columns)), dtype=object)
    for place, column in enumerate(columns):
        table[:, place] = column
    again = outputs.unstacked(outputs.stacked(outputs.unstacked(table)))
    for made, column in zip(again, columns, strict=True):
        assert [None if v != v else v for v in made.tolist()] == column  # noqa: PLR0124 - NaN


def test_every_byte_of_several_values() -> None:
    """Several values for each row, with any byte of them changed, are refused or read."""
    values = np.array([[1.0, "abc"], [2.0, "de"]], dtype=object)
    table = bytes(tables.pack_scores(Scores(predictions=values, outputs=("a", "b"))))
    refused = 0
    for place in range(len(table)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(table)
            changed[place] ^= flip
            try:
                found = received.check_scores(memoryview(changed), rows=2, classes=0)
            except received.Unfit:
                refused += 1
            else:
                assert len(tables.unpack_scores(found, ())) == 2
    received.check_scores(memoryview(table), rows=2, classes=0)
    assert refused > len(table) // 2
