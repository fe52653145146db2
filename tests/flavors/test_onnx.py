from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from tests.flavors.loaded import amount, check_answers, frame, numbers, opened, target

from brinery.errors import ModelLoadFailed, PredictionRefused
from brinery.flavors.interface import Source
from brinery.flavors.onnx import Graph, Onnx
from brinery.records.evaluation import PredictionType
from brinery.records.signature import ColumnType

FLAVOR = Onnx()


def texts() -> pd.DataFrame:
    """Return the inputs with the category as text, and no gap."""
    return numbers().assign(job=frame()["job"].astype(str).astype(object))


def pipeline(labels: Any) -> Any:
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["age", "balance"]),
            ("texts", OneHotEncoder(), ["job"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(texts(), labels)


def by_column(model: Any, **options: Any) -> Any:
    types = [
        ("age", FloatTensorType([None, 1])),
        ("balance", FloatTensorType([None, 1])),
        ("job", StringTensorType([None, 1])),
    ]
    return convert_sklearn(model, initial_types=types, **options)


def narrow() -> Any:
    return numbers().to_numpy(np.float32)


def session(graph: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )


def loaded(graph: Any, folder: Path) -> Graph:
    path = folder / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    return FLAVOR.load(Source(path=path, format="onnx"))


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), ("a", "b", "c")], ids=str)
def test_classifier_by_column(tmp_path: Path, labels: tuple[Any, ...], *, zipmap: bool) -> None:
    """A graph with an input per column takes them by name, with a ZipMap or without."""
    graph = by_column(pipeline(target(*labels)), options={"zipmap": zipmap})
    path = tmp_path / "graph.bin"
    path.write_bytes(graph.SerializeToString())
    given = texts()
    feed = {
        "age": given[["age"]].to_numpy(np.float32),
        "balance": given[["balance"]].to_numpy(np.float32),
        "job": given[["job"]].to_numpy(object),
    }
    predicted, found = session(graph).run(None, feed)
    if zipmap:
        found = [[row[label] for label in labels] for row in found]
    with opened(path) as process:
        described = process.description
        assert process.artifact.format == "onnx"
        assert process.artifact.flavor == described.framework == "onnx"
        assert described.framework_version == onnxruntime.__version__
        assert described.classes == labels
        assert described.feature_names == ("age", "balance", "job")
        assert described.columns["age"].type is ColumnType.NUMBER
        assert described.columns["job"].type is ColumnType.STRING
        check_answers(process, given, predictions=predicted, probabilities=found)


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(3, random_state=0),
        MLPClassifier((3,), solver="lbfgs", random_state=0),
    ],
    ids=str,
)
def test_classifier_of_one_table(tmp_path: Path, model: Any) -> None:
    """A graph with one input takes a table without names; its classes are found in the graph."""
    graph = to_onnx(
        model.fit(narrow(), target("no", "yes")), narrow()[:1], options={"zipmap": False}
    )
    found, scores = loaded(graph, tmp_path), session(graph).run(None, {"X": narrow()})
    described = FLAVOR.describe(found)
    assert described.feature_names is None
    assert described.n_features == 2
    assert described.classes == ("no", "yes")
    answered = FLAVOR.score(found, numbers().to_numpy())
    assert answered.predictions.tolist() == scores[0].tolist()
    assert answered.probabilities is not None
    assert answered.probabilities.tolist() == scores[1].astype(np.float64).tolist()


MARGINS: dict[str, Any] = {
    "linear-svc": LinearSVC(random_state=0),
    "svc": SVC(),
    "ridge": RidgeClassifier(),
    "hinge": SGDClassifier(random_state=0),
    "one-against-all": OneVsRestClassifier(LinearSVC(random_state=0)),
}


@pytest.mark.filterwarnings("ignore:Attribute `prob:FutureWarning")
@pytest.mark.parametrize("labels", [("no", "yes"), (3, 4, 5)], ids=str)
@pytest.mark.parametrize("name", list(MARGINS))
def test_margins_are_no_probabilities(tmp_path: Path, name: str, labels: tuple[Any, ...]) -> None:
    """A graph that another program wrote gives margins beside its label: it has classes alone."""
    model = MARGINS[name].fit(narrow(), target(*labels))
    graph = to_onnx(model, narrow()[:1])
    found = loaded(graph, tmp_path)
    described = FLAVOR.describe(found)
    assert (described.classes, described.gives_probabilities) == (labels, False)
    assert described.type is (
        PredictionType.BINARY if len(labels) == 2 else PredictionType.MULTICLASS
    )
    scores = FLAVOR.score(found, numbers().to_numpy())
    assert scores.probabilities is None
    expected = session(graph).run(None, {"X": narrow()})[0]
    assert scores.predictions.tolist() == expected.tolist()


PROBABLE: dict[str, Any] = {
    "calibrated": CalibratedClassifierCV(LinearSVC(random_state=0), cv=2),
    "svc": CalibratedClassifierCV(SVC(), cv=2, ensemble=False),
    "each-class-alone": OneVsRestClassifier(LogisticRegression()),
    "forest": RandomForestClassifier(3, random_state=0),
    "boosted": GradientBoostingClassifier(n_estimators=3, random_state=0),
    "neighbours": KNeighborsClassifier(),
    "bayes": GaussianNB(),
}


@pytest.mark.filterwarnings("ignore:Attribute `prob:FutureWarning")
@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("name", list(PROBABLE))
def test_probabilities_are_kept(tmp_path: Path, name: str, *, zipmap: bool) -> None:
    """Probabilities are known as such, whether the graph says so or its values show it."""
    model = PROBABLE[name].fit(narrow(), target("a", "b", "c"))
    graph = to_onnx(model, narrow()[:1], options={"zipmap": zipmap})
    found = loaded(graph, tmp_path)
    assert FLAVOR.describe(found).gives_probabilities
    scores = FLAVOR.score(found, numbers().to_numpy())
    predicted, table = session(graph).run(None, {"X": narrow()})
    if zipmap:
        table = np.array([[row[label] for label in "abc"] for row in table], dtype=np.float32)
    assert scores.predictions.tolist() == predicted.tolist()
    assert scores.probabilities is not None
    assert scores.probabilities.tolist() == table.astype(np.float64).tolist()


def test_margins_of_trees_are_told_by_their_values(tmp_path: Path) -> None:
    """An ensemble of trees says the same of margins and probabilities: its values tell them."""
    graph = to_onnx(
        GradientBoostingClassifier(n_estimators=3, random_state=0).fit(
            narrow(), target("a", "b", "c")
        ),
        narrow()[:1],
        options={"zipmap": False},
    )
    (node,) = [node for node in graph.graph.node if node.op_type == "TreeEnsembleClassifier"]
    (told,) = [one for one in node.attribute if one.name == "post_transform"]
    told.s = b"NONE"
    found = loaded(graph, tmp_path)
    assert not FLAVOR.describe(found).gives_probabilities
    assert FLAVOR.describe(found).classes == ("a", "b", "c")


def test_probabilities_without_a_label(tmp_path: Path) -> None:
    """A graph whose label was cut off answers the likeliest of the classes that it names."""
    model = LogisticRegression().fit(narrow(), target("a", "b", "c"))
    graph = to_onnx(model, narrow()[:1], options={"zipmap": False})
    del graph.graph.output[0]
    scores = FLAVOR.score(loaded(graph, tmp_path), numbers().to_numpy())
    assert scores.predictions.tolist() == model.predict(narrow()).tolist()
    assert scores.classes == ("a", "b", "c")


def test_labels_in_one_row(tmp_path: Path) -> None:
    """Labels that a converter gives as one row are a label for each."""
    model = QuadraticDiscriminantAnalysis().fit(narrow(), target("no", "yes"))
    found = loaded(to_onnx(model, narrow()[:1], options={"zipmap": False}), tmp_path)
    scores = FLAVOR.score(found, numbers().to_numpy())
    assert scores.predictions.tolist() == model.predict(narrow()).tolist()


def test_regression(tmp_path: Path) -> None:
    """One column of numbers is a regression."""
    graph = to_onnx(LinearRegression().fit(narrow(), amount()), narrow()[:1])
    path = tmp_path / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    with opened(path) as process:
        assert process.description.type is PredictionType.REGRESSION
        assert "ONNX graph: X (float) → variable (float)" in process.description.outline
        expected = session(graph).run(None, {"X": narrow()})[0]
        check_answers(process, numbers(), predictions=expected)


def test_clusters_are_other(tmp_path: Path) -> None:
    """Labels beside numbers that are of no classes are neither classes nor a regression."""
    graph = to_onnx(KMeans(3, n_init=1, random_state=0).fit(narrow()), narrow()[:1])
    found = loaded(graph, tmp_path)
    assert FLAVOR.describe(found).type is PredictionType.OTHER
    expected = session(graph).run(None, {"X": narrow()})[0]
    assert FLAVOR.score(found, narrow()).predictions.tolist() == expected.tolist()


def network(outputs: int, *, operator: str = "Softmax", domain: str = "") -> Any:
    """Return a graph of one layer: numbers in, so many numbers out."""
    weights = np.arange(2 * outputs, dtype=np.float32).reshape(2, outputs) / 100
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["X", "w"], ["m"]),
            helper.make_node(operator, ["m"], ["out"], domain=domain),
        ],
        "network",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, outputs])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    opsets = [helper.make_opsetid("", 17)] + [helper.make_opsetid(domain, 1)] * bool(domain)
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def test_nameless_probabilities(tmp_path: Path) -> None:
    """A table of probabilities alone is of classes that nobody named."""
    found = loaded(network(3), tmp_path)
    assert FLAVOR.describe(found).type is PredictionType.OTHER
    scores = FLAVOR.score(found, numbers().to_numpy())
    assert scores.classes == ()
    assert scores.probabilities is not None
    assert scores.probabilities.shape == (120, 3)


def test_several_outputs(tmp_path: Path) -> None:
    """Several numbers that are no probabilities are as many outputs."""
    scores = FLAVOR.score(loaded(network(3, operator="Identity"), tmp_path), narrow())
    assert scores.outputs == ("output_0", "output_1", "output_2")
    assert scores.probabilities is None


def test_operators_of_other_libraries(tmp_path: Path) -> None:
    """An operator that needs another library is refused by name, before anything runs."""
    graph = network(3, operator="Backdoor", domain="evil.ops")
    with pytest.raises(ModelLoadFailed, match=r"asks for the operator evil\.ops\.Backdoor"):
        loaded(graph, tmp_path)


@pytest.mark.parametrize("nested", [True, False])
def test_tensors_in_other_files(tmp_path: Path, *, nested: bool) -> None:
    """A tensor that lies in another file is refused, in a graph within a node too."""
    graph = network(3)
    tensor = graph.graph.initializer[0]
    if nested:
        inner = network(3).graph
        branches = {"then_branch": inner, "else_branch": network(3).graph}
        graph.graph.node.append(helper.make_node("If", ["c"], ["o"], **branches))
        tensor = graph.graph.node[-1].attribute[0].g.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    with pytest.raises(ModelLoadFailed, match="keeps the tensor 'w' in another file"):
        loaded(graph, tmp_path)


def test_missing_text(tmp_path: Path) -> None:
    """A text that is missing is refused: the graph has no word for it."""
    found = loaded(by_column(pipeline(target("no", "yes"))), tmp_path)
    given = texts()
    given.loc[2, "job"] = None
    with pytest.raises(PredictionRefused, match=r"'job' takes tensor\(string\), and a value is"):
        FLAVOR.score(found, given)
    with pytest.raises(PredictionRefused, match="is given text"):
        FLAVOR.score(found, texts().assign(age="old"))


def test_no_table(tmp_path: Path) -> None:
    """A graph of pictures is refused in words: a row of a table is none."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["X"], ["out"])],
        "pictures",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 3, 8, 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, 3, 8, 8])],
    )
    opsets = [helper.make_opsetid("", 17)]
    found = loaded(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path)
    with pytest.raises(PredictionRefused, match=r"of shape \[None, 3, 8, 8\]"):
        FLAVOR.score(found, narrow())
