"""The frameworks' own formats, which hold numbers and no code: told by content, read for facts.

XGBoost's JSON and UBJSON, LightGBM's text, CatBoost's cbm and safetensors. Each reader is given a
stream at its first byte and notes what the file says; none of them makes an object of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from brinery.pickles import ubjson
from brinery.pickles.bounds import MAX_WHOLE_BYTES, Broken
from brinery.pickles.evidence import Evidence
from brinery.pickles.streams import CHUNK_BYTES, drain
from brinery.records.scan import Node

LIGHTGBM_MAGIC = re.compile(rb"tree\r?\n(?:version=|num_class=)")
CATBOOST_MAGIC = b"CBM1"
XGBOOST_JSON = re.compile(rb'\s*\{\s*"(?:learner|version)"')

XGBOOST_STATE = b'{"Config":{'  # what XGBoost before 1.6 puts into the pickle of a Booster
_XGBOOST_WANTED = frozenset({"version", "feature_names", "num_class"})
_MAX_JSON_BYTES = 1 << 30
_MAX_HEADER_BYTES = 100_000_000  # what the safetensors library itself takes
_CATBOOST_RELEASE = re.compile(rb"CatBoost release (\d+\.\d+(?:\.\d+)?)|tags/v(\d+\.\d+(?:\.\d+)?)")
_READ_AS = {
    "xgboost-json": "xgboost.core.Booster",
    "xgboost-ubj": "xgboost.core.Booster",
    "lightgbm-text": "lightgbm.basic.Booster",
    "catboost": "catboost.core.CatBoost",
    "onnx": "onnx.ModelProto",
}
_MAX_COLUMNS = 10_000
_VERSION_NUMBERS = 3


class _Learner(Struct):
    feature_names: list[str] = []
    objective: dict[str, msgspec.Raw] = {}
    gradient_booster: msgspec.Raw = msgspec.Raw(b"null")


class _XGBoostVersion(Struct):
    version: list[int] = []


class _XGBoostJson(Struct):
    learner: _Learner
    version: list[int] = []


class _XGBoostState(Struct):
    Config: _XGBoostVersion
    Model: _XGBoostJson


class _Tensor(Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def xgboost_json(content: bytes, evidence: Evidence) -> bool:
    """Return whether a JSON document is a model of XGBoost's, having noted what it says."""
    try:
        model = msgspec.json.decode(content, type=_XGBoostJson)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    if not model.learner.objective and model.learner.gradient_booster == b"null":
        return False
    _xgboost(evidence, [model.version], [model.learner.feature_names])
    return True


def read_json(stream: BinaryIO) -> bytes:
    """Return a whole JSON document.

    Raises:
        Broken: it is too large to be read whole.
    """
    content = stream.read(_MAX_JSON_BYTES + 1)
    if len(content) > _MAX_JSON_BYTES:
        raise Broken(f"it is JSON of more than {_MAX_JSON_BYTES:,} bytes, too large to be read")
    return content


def xgboost_state(content: bytes, evidence: Evidence) -> bool:
    """Return whether a JSON document is the state of a Booster, having noted what it says."""
    try:
        state = msgspec.json.decode(content, type=_XGBoostState)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    versions = [state.Config.version, state.Model.version]
    _xgboost(evidence, versions, [state.Model.learner.feature_names])
    return True


def xgboost_ubj(stream: BinaryIO, evidence: Evidence) -> None:
    """Note what a UBJSON model of XGBoost's says, whether a file or the buffer of a Booster.

    Raises:
        Broken: it is damaged.
    """
    found = ubjson.Reader(stream, _XGBOOST_WANTED).read()
    if "version" not in found:
        raise Broken("it is a UBJSON document, and no model of XGBoost's")
    _xgboost(evidence, found["version"], found.get("feature_names", []))


def _xgboost(evidence: Evidence, versions: Iterable[Any], columns: Iterable[Any]) -> None:
    for version in versions:
        numbers = version if isinstance(version, list) else []
        if len(numbers) == _VERSION_NUMBERS and all(isinstance(one, int) for one in numbers):
            evidence.version("xgboost", ".".join(map(str, numbers)))
    for names in columns:
        if names and evidence.feature_names is None and all(isinstance(n, str) for n in names):
            evidence.feature_names = tuple(names[:_MAX_COLUMNS])


def lightgbm(head: bytes, evidence: Evidence) -> None:
    """Note what the first lines of LightGBM's text say; the trees after them are numbers."""
    for line in head.split(b"\n\n", 1)[0].decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("=")
        if name == "version":
            evidence.version("lightgbm", value.strip().removeprefix("v"))
        elif name == "feature_names" and evidence.feature_names is None:
            columns = value.strip().split(" ")
            if columns and columns != [f"Column_{place}" for place in range(len(columns))]:
                evidence.feature_names = tuple(columns[:_MAX_COLUMNS])


def catboost(stream: BinaryIO, evidence: Evidence) -> None:
    """Note which CatBoost wrote a cbm model.

    Raises:
        Broken: it is shorter than it says.
    """
    head = stream.read(8)
    if len(head) < 8:  # noqa: PLR2004 - its mark and its length
        raise Broken("it is cut off: a CatBoost model without its length")
    stated, read, tail = int.from_bytes(head[4:8], "little"), 0, b""
    while part := stream.read(CHUNK_BYTES):
        read += len(part)
        for found in _CATBOOST_RELEASE.finditer(tail + part):
            evidence.version("catboost", (found[1] or found[2]).decode())
        tail = part[-100:]
    if read < stated:
        raise Broken("it is cut off: a CatBoost model shorter than it says")


def safetensors(stream: BinaryIO, evidence: Evidence, *, head: bytes) -> bool:
    """Return whether a file is one of safetensors, having noted what is wrong with it.

    Args:
        stream: at its first byte.
        evidence: what is told of it.
        head: its first bytes, at least nine.
    """
    length = int.from_bytes(head[:8], "little")
    if not (2 <= length <= _MAX_HEADER_BYTES and head[8:9] == b"{"):  # noqa: PLR2004 - "{}"
        return False
    stream.read(8)
    header = stream.read(length)
    try:
        stated = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        stated.pop("__metadata__", None)
        tensors = [msgspec.json.decode(raw, type=_Tensor) for raw in stated.values()]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    data_bytes, end = drain(stream), 0
    for begin, stop in sorted(tensor.data_offsets for tensor in tensors):
        if begin != end or stop < begin:
            evidence.problem("its tensors overlap or leave gaps, as safetensors' own do not")
            break
        end = stop
    if end != data_bytes:
        evidence.problem(f"its tensors take {end:,} bytes, and {data_bytes:,} are there")
    evidence.outermost = "safetensors"
    return True


def note_class(found: str, evidence: Evidence) -> None:
    """Note the class that a framework reads its own format as."""
    name = _READ_AS.get(found)
    if name and not evidence.outermost:
        evidence.outermost = name
        evidence.tree = Node(name=name)


def whole(stream: BinaryIO) -> bytes:
    """Return all of a stream.

    Raises:
        Broken: it is too large to be read whole.
    """
    content = stream.read(MAX_WHOLE_BYTES + 1)
    if len(content) > MAX_WHOLE_BYTES:
        raise Broken(f"it is larger than {MAX_WHOLE_BYTES:,} bytes, too large to be read whole")
    return content
