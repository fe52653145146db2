"""The frameworks' own formats, which hold numbers and no code: told by content, read for facts.

XGBoost's JSON and UBJSON, LightGBM's text, CatBoost's cbm and safetensors. Each reader is given a
stream at its first byte and notes what the file says; none of them makes an object of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from brinery.pickles import ubjson
from brinery.pickles.bounds import MAX_JSON_BYTES, MAX_JSON_VALUES, MAX_WHOLE_BYTES, Broken
from brinery.pickles.evidence import Evidence
from brinery.pickles.flatbuffers import Table
from brinery.pickles.streams import CHUNK_BYTES, drain
from brinery.records.scan import Node

LIGHTGBM_MAGIC = re.compile(rb"tree\r?\n(?:version=|num_class=)")
CATBOOST_MAGIC = b"CBM1"
XGBOOST_JSON = re.compile(rb'\s*\{\s*"(?:learner|version)"')

# What LightGBM makes room for in a tree, as these say, and the lists that are as long.
_LIGHTGBM_SIZES = (b"num_leaves", b"num_cat", b"cat_boundaries", b"num_features")
_LIGHTGBM_TOLD = {*_LIGHTGBM_SIZES, b"leaf_value", b"cat_threshold", b"leaf_features"}
_LIGHTGBM_WITHIN = re.compile(rb"(num_leaves|num_cat|num_features|cat_boundaries)=")
_XGBOOST_HEAD = re.compile(rb'\s*\{\s*"learner"\s*:\s*\{\s*"attributes"')
XGBOOST_STATE = b'{"Config":{'  # what XGBoost before 1.6 puts into the pickle of a Booster
_XGBOOST_WANTED = frozenset({"version", "feature_names", "num_class"})
_MAX_MODEL_BYTES = 512 << 20  # of a model in JSON, which is held but not decoded
_MAX_HEADER_BYTES = 100_000_000  # what the safetensors library itself takes
_CATBOOST_RELEASE = re.compile(rb"CatBoost release (\d+\.\d+(?:\.\d+)?)|tags/v(\d+\.\d+(?:\.\d+)?)")
# Numbers of fields in CatBoost's schemas: of its trees, of the lists of their columns (categorical,
# numeric, text, embedded), and of a column's place and name.
_CATBOOST_TREES = 1
_CATBOOST_COLUMNS = {4: (1, 2), 5: (2, 4), 12: (1, 2), 18: (1, 2)}
_MAX_NAME_BYTES = 4096
_READ_AS = {
    "xgboost-json": "xgboost.core.Booster",
    "xgboost-ubj": "xgboost.core.Booster",
    "lightgbm-text": "lightgbm.basic.Booster",
    "catboost": "catboost.core.CatBoost",
    "onnx": "onnx.ModelProto",
    "torch-exported": "torch.export.exported_program.ExportedProgram",
}
_MAX_COLUMNS = 10_000
_VERSION_NUMBERS = 3


# What may be of any size stays as it lies in the document.
_ABSENT = msgspec.Raw(b"null")


class _Learner(Struct):
    feature_names: msgspec.Raw = _ABSENT
    objective: msgspec.Raw = _ABSENT
    gradient_booster: msgspec.Raw = _ABSENT


class _XGBoostVersion(Struct):
    version: msgspec.Raw = _ABSENT


class _XGBoostJson(Struct):
    learner: _Learner
    version: msgspec.Raw = _ABSENT


class _XGBoostState(Struct):
    Config: _XGBoostVersion
    Model: _XGBoostJson


class _Tensor(Struct):
    dtype: msgspec.Raw
    shape: msgspec.Raw
    data_offsets: tuple[int, int]


def xgboost_json(content: bytes, evidence: Evidence) -> bool:
    """Return whether a JSON document is a model of XGBoost's, having noted what it says.

    Raises:
        Broken: it begins as one, and is cut off or damaged.
    """
    try:
        model = msgspec.json.decode(content, type=_XGBoostJson)
    except msgspec.ValidationError:
        return False
    except msgspec.DecodeError as error:
        if _XGBOOST_HEAD.match(content):
            raise Broken(f"its JSON is cut off or damaged: {error}") from None
        return False
    except (UnicodeError, RecursionError):
        return False
    objective, booster = model.learner.objective, model.learner.gradient_booster
    if objective in (_ABSENT, b"{}") and booster == _ABSENT:
        return False
    _xgboost(evidence, [_decoded(model.version)], [_decoded(model.learner.feature_names)])
    return True


def _decoded(raw: msgspec.Raw) -> Any:
    """Return what a part of a JSON document holds; None where it is too much."""
    held = memoryview(raw)
    if held.nbytes > MAX_JSON_BYTES or not _is_modest(held.tobytes()):
        return None
    return msgspec.json.decode(raw)


def read_json(stream: BinaryIO) -> bytes:
    """Return a whole JSON document.

    Raises:
        Broken: it is too large to be read whole.
    """
    content = stream.read(_MAX_MODEL_BYTES + 1)
    if len(content) > _MAX_MODEL_BYTES:
        raise Broken(f"it is JSON of more than {_MAX_MODEL_BYTES:,} bytes, too large to be read")
    return content


def xgboost_state(content: bytes, evidence: Evidence) -> bool:
    """Return whether a JSON document is the state of a Booster, having noted what it says."""
    try:
        state = msgspec.json.decode(content, type=_XGBoostState)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    versions = [_decoded(state.Config.version), _decoded(state.Model.version)]
    _xgboost(evidence, versions, [_decoded(state.Model.learner.feature_names)])
    return True


def xgboost_ubj(stream: BinaryIO, evidence: Evidence) -> None:
    """Note what a UBJSON model of XGBoost's says, whether a file or the buffer of a Booster.

    Raises:
        Broken: it is damaged.
        TooMuch: it is larger than any honest one.
    """
    found = ubjson.Reader(stream, _XGBOOST_WANTED, evidence.budget).read()
    if "version" not in found:
        raise Broken("it is a UBJSON document, and no model of XGBoost's")
    _xgboost(evidence, found["version"], found.get("feature_names", []))


def _xgboost(evidence: Evidence, versions: Iterable[Any], columns: Iterable[Any]) -> None:
    for version in versions:
        numbers = version if isinstance(version, list) else []
        if len(numbers) == _VERSION_NUMBERS and all(isinstance(one, int) for one in numbers):
            evidence.version("xgboost", ".".join(map(str, numbers)))
    for names in columns:
        if not names or not isinstance(names, list) or evidence.feature_names is not None:
            continue
        if all(isinstance(name, str) for name in names):
            evidence.feature_names = tuple(names[:_MAX_COLUMNS])


def lightgbm(stream: BinaryIO, evidence: Evidence) -> None:
    """Note what the first lines of LightGBM's text say, and trees that are no trees."""
    while told := _line(stream).decode("utf-8", "replace").strip():
        name, _, value = told.partition("=")
        if name == "version":
            evidence.version("lightgbm", value.removeprefix("v"))
        elif name == "feature_names" and evidence.feature_names is None:
            columns = value.split(" ")
            if columns and columns != [f"Column_{place}" for place in range(len(columns))]:
                evidence.feature_names = tuple(columns[:_MAX_COLUMNS])
    tree: dict[bytes, bytes] = {}
    while line := _line(stream):
        key, _, numbers = line.strip().partition(b"=")
        if key == b"Tree" or line.startswith(b"end of trees"):
            _check_tree(tree)
            tree = {}
        elif key in _LIGHTGBM_TOLD:
            if key in tree:
                raise Broken(f"a tree of it has two lines of {key.decode()}")
            tree[key] = numbers
        elif _LIGHTGBM_WITHIN.search(line):
            raise Broken("a line of it has the number of a tree's leaves within")
    _check_tree(tree)


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(MAX_WHOLE_BYTES + 1)
    if len(line) > MAX_WHOLE_BYTES:
        raise Broken(f"a line of it has more than {MAX_WHOLE_BYTES:,} bytes")
    return line


def _check_tree(tree: dict[bytes, bytes]) -> None:
    """Make sure that a tree of LightGBM's has the numbers that LightGBM makes room for.

    Raises:
        Broken: it says that it has more.
    """
    try:
        numbers = {
            name: [int(each) for each in tree.get(name, b"").split()] for name in _LIGHTGBM_SIZES
        }
    except ValueError:
        raise Broken("a tree of it has a size that is none") from None
    leaves, kinds, boundaries, features = numbers.values()
    for size, name in (
        (sum(leaves), b"leaf_value"),
        (sum(kinds), b"cat_boundaries"),
        (max(boundaries, default=0), b"cat_threshold"),
        (sum(features), b"leaf_features"),
    ):
        if min((size, *leaves, *kinds, *boundaries, *features)) < 0 or (
            size > len(tree.get(name, b"").split())
        ):
            raise Broken(f"a tree of it says that it has {size:,} numbers of {name.decode()}")


def catboost(stream: BinaryIO, evidence: Evidence) -> None:
    """Note which CatBoost wrote a cbm model, and its columns.

    Raises:
        Broken: it is shorter than it says.
    """
    head = stream.read(8)
    if len(head) < 8:  # noqa: PLR2004 - its mark and its length
        raise Broken("it is cut off: a CatBoost model without its length")
    stated, read, tail = int.from_bytes(head[4:8], "little"), 0, b""
    core = bytearray()
    while part := stream.read(CHUNK_BYTES):
        if stated <= MAX_WHOLE_BYTES and read < stated:
            core += part[: stated - read]
        read += len(part)
        for found in _CATBOOST_RELEASE.finditer(tail + part):
            evidence.version("catboost", (found[1] or found[2]).decode())
        tail = part[-100:]
    if read < stated:
        raise Broken("it is cut off: a CatBoost model shorter than it says")
    if evidence.feature_names is None:
        with suppress(Broken):  # CatBoost checks it before it reads it
            evidence.feature_names = _catboost_columns(memoryview(core))


def _catboost_columns(core: memoryview) -> tuple[str, ...] | None:
    """Return the names of a cbm model's columns in its order; None where they have none.

    Args:
        core: its first part, a flat buffer; empty where it is too large to be held.

    Raises:
        Broken: the buffer is damaged.
    """
    trees = Table.root(core).table(_CATBOOST_TREES)
    if trees is None:
        return None
    named = {
        column.integer(place, default=-1): column.text(name, most=_MAX_NAME_BYTES)
        for field, (place, name) in _CATBOOST_COLUMNS.items()
        for column in trees.tables(field, most=_MAX_COLUMNS)
    }
    columns = [named.get(place, "") for place in range(len(named))]
    if not all(columns) or columns == [str(place) for place in range(len(columns))]:
        return None
    return tuple(columns[:_MAX_COLUMNS]) or None


def safetensors(stream: BinaryIO, evidence: Evidence, *, head: bytes) -> bool:
    """Return whether a file is one of safetensors, having noted what is wrong with it.

    Where it is not, nothing of it was read.

    Args:
        stream: at its first byte.
        evidence: what is told of it.
        head: its first bytes, at least nine.

    Raises:
        Broken: it begins as one, and its header is damaged or too large.
    """
    length = int.from_bytes(head[:8], "little")
    if not (2 <= length <= _MAX_HEADER_BYTES and head[8:9] == b"{"):  # noqa: PLR2004 - "{}"
        return False
    stream.read(8)
    header = stream.read(min(length, MAX_JSON_BYTES + 1))
    check_modest(header)
    try:
        stated = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        stated.pop("__metadata__", None)
        tensors = [msgspec.json.decode(raw, type=_Tensor) for raw in stated.values()]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # A pickle may begin so: what reads on from here would read another than pickle.load does.
        raise Broken("it begins as a safetensors file, and its header is damaged") from None
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
    """Return all of a stream of JSON that is to be decoded.

    Raises:
        Broken: it is too large to be read whole.
    """
    content = stream.read(MAX_JSON_BYTES + 1)
    check_modest(content)
    return content


def check_modest(content: bytes) -> None:
    """Make sure that JSON takes little memory once it is decoded.

    Raises:
        Broken: it has too many bytes, or too many values.
    """
    if len(content) > MAX_JSON_BYTES:
        raise Broken(f"it is larger than {MAX_JSON_BYTES:,} bytes, too large to be read whole")
    if not _is_modest(content):
        raise Broken(f"it has more than {MAX_JSON_VALUES:,} values, too many to be read")


def _is_modest(content: bytes) -> bool:
    """Return whether JSON has few values: each but the first of its kind is behind one of these."""
    values = sum(content.count(mark) for mark in (b",", b"[", b"{"))
    return len(content) <= MAX_JSON_BYTES and values <= MAX_JSON_VALUES
