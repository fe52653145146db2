from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from brinery.pickles.scanner import scan
from brinery.records.scan import TIMES, Node, ScanReport, Verdict

FRAME = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0] * 5, "job": ["a", "b", "a", "c"] * 5})
Y = np.array(["no", "yes", "no", "yes"] * 5)
X = FRAME[["age"]].to_numpy()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.pkl"


def scanned(file: Path, model: Any, *, joined: bool = False, protocol: int = 5) -> ScanReport:
    if joined:
        joblib.dump(model, file)
    else:
        file.write_bytes(pickle.dumps(model, protocol=protocol))
    return scan(file)


def drawn(node: Node | None) -> Any:
    """A tree as nested lists of short names, labels before them."""
    assert node is not None
    name = node.name.rpartition(".")[2]
    name = f"{node.label}: {name}" if node.label else name
    return [name, *map(drawn, node.parts)] if node.parts else name


def encoder() -> ColumnTransformer:
    return ColumnTransformer(
        [("num", StandardScaler(), ["age"]), ("cat", OneHotEncoder(), ["job"])], remainder="drop"
    )


MODELS: dict[str, tuple[Any, Any]] = {
    "pipeline": (
        Pipeline([("prep", encoder()), ("clf", LogisticRegression())]),
        [
            "Pipeline",
            ["prep: ColumnTransformer", "num: StandardScaler", "cat: OneHotEncoder"],
            "clf: LogisticRegression",
        ],
    ),
    "forest": (
        make_pipeline(encoder(), RandomForestClassifier(7)),
        [
            "Pipeline",
            ["columntransformer: ColumnTransformer", "num: StandardScaler", "cat: OneHotEncoder"],
            [
                "randomforestclassifier: RandomForestClassifier",
                f"{TIMES} 7: DecisionTreeClassifier",
            ],
        ],
    ),
    "search": (
        GridSearchCV(make_pipeline(encoder(), LogisticRegression()), {}, cv=2),
        [
            "GridSearchCV",
            [
                "Pipeline",
                [
                    "columntransformer: ColumnTransformer",
                    "num: StandardScaler",
                    "cat: OneHotEncoder",
                ],
                "logisticregression: LogisticRegression",
            ],
        ],
    ),
}

ARRAYS: dict[str, tuple[Any, Any]] = {
    "boosting": (
        GradientBoostingClassifier(n_estimators=5),
        ["GradientBoostingClassifier", f"{TIMES} 5: DecisionTreeRegressor"],
    ),
    "ada": (
        AdaBoostClassifier(n_estimators=1),
        ["AdaBoostClassifier", "DecisionTreeClassifier"],
    ),
    "stacking": (
        StackingClassifier([("a", LogisticRegression())], LogisticRegression(), cv=2),
        ["StackingClassifier", "LogisticRegression", "LogisticRegression"],
    ),
    "voting": (
        VotingClassifier([("a", LogisticRegression()), ("b", RandomForestClassifier(2))]),
        [
            "VotingClassifier",
            "LogisticRegression",
            ["RandomForestClassifier", f"{TIMES} 2: DecisionTreeClassifier"],
        ],
    ),
    "one-vs-rest": (
        OneVsRestClassifier(LogisticRegression()),
        ["OneVsRestClassifier", "LogisticRegression"],
    ),
    "union": (
        make_pipeline(FeatureUnion([("s", StandardScaler())]), LogisticRegression()),
        [
            "Pipeline",
            ["featureunion: FeatureUnion", "s: StandardScaler"],
            "logisticregression: LogisticRegression",
        ],
    ),
}


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_trees_of_frames(file: Path, name: str, *, joined: bool) -> None:
    """The classes of a model, its columns and its labels are read, from pickle and joblib."""
    model, expected = MODELS[name]
    report = scanned(file, model.fit(FRAME, Y), joined=joined)
    assert report.verdict is Verdict.SAFE
    assert drawn(report.tree) == expected
    assert report.feature_names == ("age", "job")
    assert report.classes == ("no", "yes")


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("name", ARRAYS)
def test_trees_of_arrays(file: Path, name: str, *, joined: bool) -> None:
    """Ensembles are counted, and what was fitted on an array has no columns."""
    model, expected = ARRAYS[name]
    report = scanned(file, model.fit(X, Y), joined=joined)
    assert report.verdict is Verdict.SAFE
    assert drawn(report.tree) == expected
    assert report.feature_names is None
    assert report.classes == ("no", "yes")


class Dummies(BaseEstimator):  # type: ignore[misc]
    """A step of a user's own, which does not keep the names that it was fitted on."""

    def fit(self, *_: Any) -> Dummies:
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        return pd.get_dummies(frame, columns=["job"])


def test_columns_made_within(file: Path) -> None:
    """The columns of a pipeline are those of its first step, not what a step makes for the next."""
    own = make_pipeline(Dummies(), StandardScaler(), LogisticRegression()).fit(FRAME, Y)
    assert "job_a" in own[1].feature_names_in_
    assert scanned(file, own).feature_names is None
    theirs = FunctionTransformer(pd.get_dummies, kw_args={"columns": ["job"]})
    model = make_pipeline(theirs, StandardScaler(), LogisticRegression())
    for fitted in (model.fit(FRAME, Y), GridSearchCV(model, {}, cv=2).fit(FRAME, Y)):
        assert scanned(file, fitted).feature_names == ("age", "job")
        assert scanned(file, fitted).classes == ("no", "yes")


def test_columns_that_an_encoder_makes(file: Path) -> None:
    """What an encoder makes of its rows is no column of theirs: `c=x` is in no table."""
    rows = [{"a": 1.0, "c": "x"}, {"a": 2.0, "c": "y"}]
    model = make_pipeline(DictVectorizer(), LogisticRegression()).fit(rows, [0, 1])
    assert list(model[0].feature_names_) == ["a", "c=x", "c=y"]
    assert scanned(file, model).feature_names is None
    state = pickle.dumps({"feature_names": ["job_1", "job_2"]}, protocol=2)[2:-1]
    encoder = b"ccategory_encoders.binary\nBinaryEncoder\n)\x81"
    file.write_bytes(b"\x80\x02" + encoder + state + b"b.")
    assert scan(file).feature_names is None


@pytest.mark.parametrize("protocol", range(6))
def test_facts_of_every_protocol(file: Path, protocol: int) -> None:
    """Columns and labels are read out of every protocol, though each writes arrays its own way."""
    model = make_pipeline(encoder(), LogisticRegression()).fit(FRAME, Y)
    report = scanned(file, model, protocol=protocol)
    assert report.feature_names == ("age", "job")
    assert report.classes == ("no", "yes")
    assert report.tree is not None


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1], ("0", "1")),
        ([-1, 1], ("-1", "1")),
        ([False, True], ("False", "True")),
        (["é", "long label"], ("long label", "é")),
        (np.array([3, 7], dtype="int8"), ("3", "7")),
        (np.array([3, 7], dtype=">i4"), ("3", "7")),
        (np.array(["x", "y"], dtype=object), ("x", "y")),
    ],
)
@pytest.mark.parametrize("joined", [False, True])
def test_labels_of_every_type(file: Path, labels: Any, expected: Any, *, joined: bool) -> None:
    """Labels of numbers, truths and text are read, whatever their type in the array."""
    if expected is None:
        pytest.skip("scikit-learn takes no such labels")
    model = LogisticRegression().fit(
        [[0.0], [1.0]] * 4, np.array(list(labels) * 4).astype(np.asarray(labels).dtype)
    )
    assert scanned(file, model, joined=joined).classes == expected


def test_a_regressor_has_no_labels(file: Path) -> None:
    """What tells nothing apart has no classes."""
    model = TransformedTargetRegressor(LinearRegression()).fit(X, X[:, 0])
    report = scanned(file, model)
    assert report.classes is None
    assert drawn(report.tree)[:2] == ["TransformedTargetRegressor", "LinearRegression"]


@pytest.mark.parametrize(
    ("protocol", "python"), [(0, ""), (2, ""), (3, "≥ 3.0"), (4, "≥ 3.4"), (5, "≥ 3.8")]
)
def test_python_by_protocol(file: Path, protocol: int, python: str) -> None:
    """A protocol tells since when a Python can have written it."""
    assert scanned(file, LogisticRegression(), protocol=protocol).python == python


def code(count: int, body: bytes) -> bytes:
    """A pickle of a code object as cloudpickle writes it, with so many arguments."""
    arguments: list[Any] = [0] * count
    names, instructions = (7, 5) if count == 15 else (8, 6)
    arguments[names], arguments[instructions] = ("os", "system"), body
    held = pickle.dumps(tuple(arguments), protocol=5)[2:-1]
    head = b"\x80\x05ccloudpickle.cloudpickle\n_builtin_type\n\x8c\x08CodeType\x85R"
    frame = held.startswith(b"\x95")
    return head + (held[9:] if frame else held) + b"R."


@pytest.mark.parametrize(
    ("count", "body", "python"),
    [
        (15, b"d\x00S\x00", "3.6 or 3.7"),
        (16, b"d\x00S\x00", "3.8 to 3.10"),
        (18, b"\x97\x00d\x00S\x00", "3.11 or 3.12"),
        (18, b"\x95\x00g\x00", "3.13"),
        (18, b"\x02\x00\x95\x00", "3.13"),
        (18, b"d\x00", "≥ 3.11"),
        (4, b"", ""),
    ],
)
def test_python_by_code(file: Path, count: int, body: bytes, python: str) -> None:
    """Code tells which Python wrote it, by how many arguments make it and how it begins."""
    if count == 4:
        file.write_bytes(b"\x80\x02ctypes\nCodeType\n(I1\nI2\ntR.")
    else:
        file.write_bytes(code(count, body))
    report = scan(file)
    assert report.python == python
    if count != 4:
        assert "its code names os, system" in report.findings[0].reason


def test_code_of_this_python(file: Path) -> None:
    """The names that pickled code uses are told, so that a person can judge it."""

    def act(value: Any) -> Any:
        import shutil  # noqa: PLC0415 - what the code names

        return shutil.rmtree(value)

    held = io.BytesIO()
    cloudpickle.dump(act, held)
    file.write_bytes(held.getvalue())
    report = scan(file)
    assert report.verdict is Verdict.NEEDS_TRUST
    reasons = [one.reason for one in report.findings]
    assert sum("its code names shutil, rmtree" in reason for reason in reasons) == 1


def test_facts_that_are_lies(file: Path) -> None:
    """What a pickle says of itself may be anything: facts are read or left out, never a crash."""
    lies: list[Any] = [1, "x", None, [[[[]]]], {"a": 1}, ("x", 1), [1, "a"], b"x", -1]
    names = ("steps", "estimators_", "transformers_", "classes_", "feature_names_in_")
    for lie in lies:
        state = dict.fromkeys([*names, "_sklearn_version", "best_estimator_"], lie)
        held = pickle.dumps(state, protocol=2)[2:-1]
        file.write_bytes(b"\x80\x02csklearn.pipeline\nPipeline\n)\x81" + held + b"b.")
        report = scan(file)
        assert report.outermost == "sklearn.pipeline.Pipeline"
        assert all(isinstance(name, str) for name in report.feature_names or ())


def test_a_model_within_itself(file: Path) -> None:
    """A model that holds itself, or itself in every part, has a tree that ends."""
    model = Pipeline([("a", StandardScaler())])
    model.steps = [(f"step{place}", model) for place in range(50)]
    report = scanned(file, model)
    assert report.tree is not None

    def count(node: Node) -> int:
        return 1 + sum(map(count, node.parts))

    assert count(report.tree) <= 500


def test_versions_that_are_no_versions(file: Path) -> None:
    """A version that could break a terminal, or is no text, is left out."""
    for stated in ("\x1b[2J", "é", "1" * 1000, "", 5):
        held = pickle.dumps({"_sklearn_version": stated}, protocol=2)[2:-1]
        file.write_bytes(b"\x80\x02csklearn.pipeline\nPipeline\n)\x81" + held + b"b.")
        assert scan(file).versions == {}
