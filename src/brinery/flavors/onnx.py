"""ONNX: a graph of standard operators, run by onnxruntime on the processor.

The runtime tells inputs and outputs; the classes lie in the graph, whose bytes are read here
without the onnx package. Tensors in other files and operators of other libraries are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from brinery.errors import LibraryMissing, ModelLoadFailed, PredictionRefused
from brinery.flavors import answers, graphs
from brinery.flavors.interface import Flavor, Given, Source
from brinery.flavors.protobuf import messages, numbers, texts
from brinery.records.description import ColumnUse
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Scalar

# Numbers of fields in onnx.proto.
_GRAPH, _FUNCTIONS, _FUNCTION_NODE = 7, 25, 7
_NODE, _INITIALIZER, _SPARSE, _SPARSE_TENSORS = 1, 5, 15, (1, 2)
_OPERATOR, _ATTRIBUTE, _DOMAIN = 4, 5, 7
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS = 5, 6, 10, 11
_TENSOR_NAME, _LOCATION = 8, 14

_EXTERNAL = 1
_MAX_DEPTH = 20
_TABLE = 2
# Of the operators that come with the runtime.
_DOMAINS = (
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft",
    "com.microsoft.nchwc",
)
_LABELS = {"tensor(string)", "tensor(int64)", "tensor(int32)", "tensor(bool)"}
_FLOATS = {"tensor(float)", "tensor(double)"}
_MAPS = "seq(map("
# Rows that a graph is tried with: how large their numbers are, and how far probabilities may be
# from a sum of 1.
_SCALES = (0.0, 0.1, 1.0, 3.0, 10.0, 100.0)
_ROUNDING = 1e-3
_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
_COLUMN_TYPES = {
    "tensor(float)": ColumnType.NUMBER,
    "tensor(double)": ColumnType.NUMBER,
    "tensor(int64)": ColumnType.INTEGER,
    "tensor(int32)": ColumnType.INTEGER,
    "tensor(bool)": ColumnType.BOOLEAN,
    "tensor(string)": ColumnType.STRING,
}


class Port(NamedTuple):
    """An input or output of a graph.

    Attributes:
        name: its name.
        type: such as `tensor(float)`.
        shape: of each axis the size, or a name or None where it is free.
    """

    name: str
    type: str
    shape: tuple[Any, ...]


class Graph(NamedTuple):
    """A loaded graph.

    Attributes:
        session: that runs it.
        inputs: each a column, or one the whole table.
        outputs: in the graph's order.
        classes: that its classifier names; empty where it is none.
        label: index of the output with a label per row; None where there is none.
        likely: index of the output with a probability per class; None where there is none.
    """

    session: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    classes: tuple[Scalar, ...]
    label: Optional[int]
    likely: Optional[int]


class Onnx(Flavor):
    """The flavor of ONNX files.

    Several inputs are columns by name; one input is a table without names. A label beside
    probabilities, with or without a ZipMap, is a classifier's answer, and a label beside margins
    that of a classifier without probabilities; one column of numbers is a regression's; a table of
    probabilities alone has classes that nobody named.
    """

    name = "onnx"
    module = "onnxruntime"
    formats = ("onnx",)

    def sniff(self, model: Any) -> bool:
        """Return whether the object is what `load` made."""
        return isinstance(model, Graph)

    def load(self, source: Source) -> Graph:
        """Return the graph of a file, ready to run.

        Raises:
            LibraryMissing: onnxruntime is not installed.
            ModelLoadFailed: it refers to other files or to operators of other libraries.
        """
        try:
            import onnxruntime
        except ImportError:
            raise LibraryMissing(
                f"{source.path.name} is an ONNX file, and onnxruntime is not installed",
                hint="pip install 'brinery[onnx]'",
            ) from None
        data = source.path.read_bytes()
        graph = next(messages(memoryview(data), _GRAPH), memoryview(b""))
        nodes = _checked(memoryview(data), graph, file=source.path.name)
        options = onnxruntime.SessionOptions()
        # Rows are answered faster by one thread; and a confined process may not start many.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            data, sess_options=options, providers=["CPUExecutionProvider"]
        )
        return _read(session, graph, nodes)

    def outline(self, model: Graph) -> str:
        """Return the graph's inputs and outputs."""
        takes, gives = (
            ", ".join(f"{port.name} {port.type.removeprefix('tensor')}" for port in ports[:5])
            for ports in (model.inputs, model.outputs)
        )
        return f"ONNX graph: {takes}{', …' if len(model.inputs) > 5 else ''} → {gives}"  # noqa: PLR2004 - as many as fit on a line

    def type(self, model: Graph) -> PredictionType:
        """Return what its outputs tell."""
        if model.classes:
            return answers.type_of(model.classes)
        only = model.outputs[0]
        if len(model.outputs) == 1 and only.type in _FLOATS:
            several = len(only.shape) == _TABLE and only.shape[1] not in (1, None)
            return PredictionType.OTHER if several else PredictionType.REGRESSION
        return PredictionType.OTHER

    def classes(self, model: Graph) -> tuple[Scalar, ...]:
        """Return the classes that its classifier names."""
        return model.classes

    def gives_probabilities(self, model: Graph) -> bool:
        """Return whether it answers probabilities, not margins."""
        return model.likely is not None

    def feature_names(self, model: Graph) -> Optional[tuple[str, ...]]:
        """Return the names of its inputs where they are columns."""
        return None if len(model.inputs) == 1 else tuple(port.name for port in model.inputs)

    def n_features(self, model: Graph) -> Optional[int]:
        """Return how many columns it takes; None where the graph leaves it free."""
        if len(model.inputs) > 1:
            return len(model.inputs)
        shape = model.inputs[0].shape
        return shape[1] if len(shape) == _TABLE and isinstance(shape[1], int) else None

    def signature(self, model: Graph) -> dict[str, ColumnUse]:
        """Return the types of its columns."""
        if len(model.inputs) == 1:
            return {}
        return {port.name: ColumnUse(type=_COLUMN_TYPES.get(port.type)) for port in model.inputs}

    def score(self, model: Graph, given: Given) -> Scores:
        """Return its answers.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: its inputs are no table, or a value is none that they take.
        """
        rows = len(given)
        outputs = model.session.run(None, _feed(model, given))
        if not model.classes:
            alone = len(outputs) == 1 and not self.several
            return answers.scores(outputs[0], rows=rows, nameless=alone)
        found = None if model.likely is None else _table(outputs[model.likely], model.classes)
        if model.label is None:
            return answers.of_probabilities(found, rows=rows, classes=model.classes)
        labels = np.asarray(outputs[model.label])
        if labels.shape == (1, rows):  # some converters write them as one row
            labels = labels[0]
        return answers.scores(labels, rows=rows, classes=model.classes, probabilities=found)


def _read(session: Any, graph: memoryview, nodes: list[memoryview]) -> Graph:
    """Return a loaded graph with what its outputs mean."""
    inputs = tuple(Port(p.name, p.type, tuple(p.shape)) for p in session.get_inputs())
    outputs = tuple(Port(p.name, p.type, tuple(p.shape)) for p in session.get_outputs())
    label = next((at for at, port in enumerate(outputs) if port.type in _LABELS), None)
    named = outputs[label].name if label is not None else None
    classes = graphs.classes(graph, nodes, label=named)
    made = Graph(session, inputs, outputs, classes, label, likely=None)
    tried = _tried(made) if classes else None
    if tried and label is not None and not set(np.ravel(tried[label]).tolist()) <= set(classes):
        classes = ()  # they are those of a classifier within another
    for at, port in enumerate(outputs if classes else ()):
        if not port.type.startswith(_MAPS) and not _may_be_likely(port, len(classes)):
            continue
        table = _table(tried[at], classes) if tried else None
        if _are_likely(table, told=graphs.likely(graph, port.name), n_classes=len(classes)):
            return made._replace(classes=classes, likely=at)
    return made._replace(classes=() if label is None else classes)


def _may_be_likely(port: Port, n_classes: int) -> bool:
    """Return whether an output has the form of a table of probabilities."""
    columns = port.shape[1] if len(port.shape) == _TABLE else 0
    return port.type in _FLOATS and (not isinstance(columns, int) or columns == n_classes)


def _are_likely(
    table: Optional[npt.NDArray[np.float64]], *, told: Optional[bool], n_classes: int
) -> bool:
    """Return whether an output holds probabilities, and not a classifier's margins.

    Args:
        table: (n_rows, n_classes) what it gave to the rows that it was tried with, if anything.
        told: what the graph says of it; None where it does not.
        n_classes: how many columns probabilities would have.
    """
    if told is False or table is None:
        return told is not False
    if table.shape[1:] != (n_classes,):
        return False
    there = table[np.isfinite(table).all(axis=1)]
    if not ((there >= -_ROUNDING) & (there <= 1 + _ROUNDING)).all():
        return False
    return bool(told) or bool((abs(there.sum(axis=1) - 1) <= _ROUNDING).all())


def _table(output: Any, classes: tuple[Scalar, ...]) -> npt.NDArray[np.float64]:
    """Return what an output holds of each class, a column each; NaN where it lacks one."""
    if isinstance(output, list):
        output = [[row.get(label, np.nan) for label in classes] for row in output]
    return np.asarray(output, dtype=np.float64)


def _tried(model: Graph) -> Optional[list[Any]]:
    """Return what a graph answers to rows of numbers of every size; None where it takes none."""
    widths = [port.shape[1] if len(port.shape) == _TABLE else 0 for port in model.inputs]
    columns = sum(width if isinstance(width, int) else 1 for width in widths)
    draw = np.random.default_rng(0).standard_normal((len(_SCALES), 5, columns))
    rows = (draw * np.reshape(_SCALES, (-1, 1, 1))).reshape(-1, columns)
    frame = pd.DataFrame(rows, columns=None if len(model.inputs) == 1 else _names(model))
    for port in model.inputs if len(model.inputs) > 1 else ():
        if port.type == "tensor(string)":
            frame[port.name] = "a"
    try:
        given = frame.to_numpy() if len(model.inputs) == 1 else frame
        return list(model.session.run(None, _feed(model, given)))
    except Exception:  # noqa: BLE001 - the graph's words for a row that it does not take
        return None


def _names(model: Graph) -> list[str]:
    return [port.name for port in model.inputs]


def _feed(model: Graph, given: Given) -> dict[str, npt.NDArray[Any]]:
    """Return what each input is given.

    Raises:
        PredictionRefused: an input is no table or column, or a value is none that it takes.
    """
    for port in model.inputs:
        width = port.shape[1] if len(port.shape) == _TABLE else 0
        if len(port.shape) != _TABLE or (len(model.inputs) > 1 and width not in (1, None)):
            raise PredictionRefused(
                f"the graph's input '{port.name}' is of shape {list(port.shape)}",
                hint="give each column an input of shape [None, 1], or all one of [None, n]",
            )
    if len(model.inputs) == 1:
        only = model.inputs[0]
        return {only.name: _typed(np.asarray(given), only)}
    frame = pd.DataFrame(given)
    return {
        port.name: _typed(frame[port.name].to_numpy().reshape(-1, 1), port) for port in model.inputs
    }


def _typed(values: npt.NDArray[Any], port: Port) -> npt.NDArray[Any]:
    """Return values as an input takes them.

    Raises:
        PredictionRefused: one is missing where a missing value cannot be said, or none of its type.
    """
    dtype = _DTYPES.get(port.type)
    if dtype is None:
        raise PredictionRefused(f"the graph's input '{port.name}' takes {port.type}")
    if dtype not in (np.float32, np.float64) and pd.isna(values).any():
        raise PredictionRefused(
            f"the graph's input '{port.name}' takes {port.type}, and a value is missing",
            hint="fill it in, or leave its row out",
        )
    if dtype is np.object_:
        return np.array([[str(cell) for cell in row] for row in values], dtype=object)
    try:
        return np.ascontiguousarray(values, dtype=dtype)
    except (TypeError, ValueError):
        raise PredictionRefused(
            f"the graph's input '{port.name}' takes {port.type}, and is given text",
            hint="compare the data's columns and types with the graph's inputs",
        ) from None


def _checked(model: memoryview, graph: memoryview, *, file: str) -> list[memoryview]:
    """Return every node of a model, those within others among them.

    Raises:
        ModelLoadFailed: a tensor lies in another file, or a node asks for another library.
    """
    nodes = list(_nodes(graph, file=file))
    for function in messages(model, _FUNCTIONS):
        nodes += messages(function, _FUNCTION_NODE)
    local = {domain for function in messages(model, _FUNCTIONS) for domain in texts(function, 10)}
    for node in nodes:
        domain = next(iter(texts(node, _DOMAIN)), "")
        if domain not in _DOMAINS and domain not in local:
            operator = next(iter(texts(node, _OPERATOR)), "")
            raise ModelLoadFailed(
                f"{file} asks for the operator {domain}.{operator}, which is not ONNX's own",
                hint="export it with standard operators only",
            )
    return nodes


def _nodes(graph: memoryview, *, file: str, depth: int = 0) -> Iterator[memoryview]:
    """Yield the nodes of a graph and of those within, and refuse tensors of other files."""
    if depth > _MAX_DEPTH:
        raise ModelLoadFailed(f"{file} nests more than {_MAX_DEPTH} graphs")
    for sparse in messages(graph, _SPARSE):
        _refuse_external(sparse, *_SPARSE_TENSORS, file=file)
    _refuse_external(graph, _INITIALIZER, file=file)
    for node in messages(graph, _NODE):
        yield node
        for attribute in messages(node, _ATTRIBUTE):
            _refuse_external(attribute, _TENSOR, _TENSORS, file=file)
            for number in (_SUBGRAPH, _SUBGRAPHS):
                for within in messages(attribute, number):
                    yield from _nodes(within, file=file, depth=depth + 1)


def _refuse_external(holder: memoryview, *at: int, file: str) -> None:
    """Raise where a tensor of a message's fields lies in another file."""
    for tensor in (tensor for number in at for tensor in messages(holder, number)):
        if _EXTERNAL in numbers(tensor, _LOCATION):
            name = next(iter(texts(tensor, _TENSOR_NAME)), "")
            raise ModelLoadFailed(
                f"{file} keeps the tensor '{name}' in another file",
                hint="keep its tensors within: onnx.save(model, path, save_as_external_data=False)",
            )
