"""Where the outputs of an ONNX graph come from, read from its bytes without the onnx package.

A classifier's node names its classes, and says whether it makes probabilities of its margins.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Optional

from brinery.flavors.protobuf import messages, numbers, texts
from brinery.records.signature import Scalar

# Numbers of fields in onnx.proto.
_NODE, _INITIALIZER = 1, 5
_INPUTS, _OUTPUTS, _OPERATOR, _ATTRIBUTE = 1, 2, 4, 5
_NAME, _STRING, _INTS, _STRINGS = 1, 4, 8, 9
_TYPE, _INT32_DATA, _STRING_DATA, _INT64_DATA, _TENSOR_NAME, _RAW_DATA = 2, 5, 6, 7, 8, 9
_INT32, _INT64, _TEXT = 6, 7, 8

_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_LOOKED_UP = "ArrayFeatureExtractor"
# What leaves the meaning of its first input as it is.
_PASS_ON = {
    *("Cast", "Flatten", "Identity", "Normalizer", "Reshape", "Squeeze", "Transpose", "Unsqueeze"),
    "ZipMap",
}
_MAX_STEPS = 50
_LIKELY = {"LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"}
_NONE = "NONE"


def classes(
    graph: memoryview, nodes: Iterable[memoryview], *, label: Optional[str]
) -> tuple[Scalar, ...]:
    """Return the classes of a graph's answer; none where no classifier is found.

    Args:
        graph: the message.
        nodes: all of its nodes, those within others among them.
        label: the output with the labels. Where what it comes from names no classes, the last node
            that names some does.
    """
    origin = _origin(graph, label) if label is not None else None
    if origin is not None and (told := _named(graph, origin)):
        return told
    found: tuple[Scalar, ...] = ()
    for node in nodes:
        found = _named(graph, node) or found
    return found


def likely(graph: memoryview, output: str) -> Optional[bool]:
    """Return whether an output holds probabilities: not where it holds a classifier's margins.

    None where the graph does not tell: an ensemble's trees may hold either, and what arithmetic
    makes is not followed.
    """
    node = _origin(graph, output)
    if node is None:
        return None
    operator, told = _operator(node), _attributes(node)
    if operator in {"Softmax", "Sigmoid"}:
        return True
    if operator == "LogSoftmax":
        return False
    if operator not in {"LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier"}:
        return None
    after = next(iter(texts(told.get("post_transform", memoryview(b"")), _STRING)), _NONE)
    if after in _LIKELY or (operator == "SVMClassifier" and "prob_a" in told):
        return True
    return None if operator == "TreeEnsembleClassifier" or after != _NONE else False


def _origin(graph: memoryview, output: str) -> Optional[memoryview]:
    """Return the node whose meaning an output has; None where it is no node's."""
    made = {name: node for node in messages(graph, _NODE) for name in texts(node, _OUTPUTS)}
    for _ in range(_MAX_STEPS):
        node = made.get(output)
        if node is None or _operator(node) not in _PASS_ON:
            return node
        output = next(iter(texts(node, _INPUTS)), "")
    return None


def _operator(node: memoryview) -> str:
    return next(iter(texts(node, _OPERATOR)), "")


def _attributes(node: memoryview) -> Mapping[str, memoryview]:
    """Return a node's attributes by name."""
    return {
        next(iter(texts(attribute, _NAME)), ""): attribute
        for attribute in messages(node, _ATTRIBUTE)
    }


def _named(graph: memoryview, node: memoryview) -> tuple[Scalar, ...]:
    """Return the classes that a node names; none where it names none."""
    if _operator(node) == _LOOKED_UP:
        # A network's label is looked up by index in a constant.
        return _constant(graph, next(iter(texts(node, _INPUTS)), ""))
    told = _attributes(node)
    for name in _LABELS:
        if name in told:
            found: list[Scalar] = [*texts(told[name], _STRINGS), *numbers(told[name], _INTS)]
            if found:
                return tuple(found)
    return ()


def _constant(graph: memoryview, name: str) -> tuple[Scalar, ...]:
    """Return the labels that a constant of a graph holds; none where it is no such constant."""
    for tensor in messages(graph, _INITIALIZER):
        if texts(tensor, _TENSOR_NAME) != [name]:
            continue
        kind, raw = numbers(tensor, _TYPE), next(messages(tensor, _RAW_DATA), memoryview(b""))
        if kind == [_TEXT]:
            return tuple(texts(tensor, _STRING_DATA))
        if kind == [_INT64]:
            return (*numbers(tensor, _INT64_DATA), *(n for (n,) in struct.iter_unpack("<q", raw)))
        if kind == [_INT32]:
            return (*numbers(tensor, _INT32_DATA), *(n for (n,) in struct.iter_unpack("<i", raw)))
    return ()
