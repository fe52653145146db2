"""A scorer's file: read as it was written, shared by its readers, refused where it is forged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load_file

from brinery.errors import CorruptModel, ModelFileChanged
from brinery.pickles.digest import digest
from brinery.records.signature import ColumnType
from brinery.scorers import bundle
from brinery.scorers.composition import Choice, Piped
from brinery.scorers.linear import LinearClassifier, Sums
from brinery.scorers.multiclass import OneAgainstOne
from brinery.scorers.plan import Input, Plan
from brinery.scorers.responses import Response
from brinery.scorers.rows import Link


def plan_of(weights: Any = ((1.0, 2.0),)) -> Plan:
    sums = Sums(weights=np.array(weights), intercepts=np.array([0.5]))
    model = LinearClassifier(sums=sums, link=Link.LOGISTIC)
    return Plan(
        inputs=(Input("a", ColumnType.NUMBER), Input("þ", ColumnType.NUMBER)),
        model=Piped(Choice(np.array([1, 0]), 2), model),
        classes=("no", "yes"),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "scorer.safetensors"
    bundle.write(plan_of(), file)
    return file


def test_what_is_written_is_read(path: Path) -> None:
    """Nodes, arrays, names and classes come back as they were."""
    found = bundle.read(path)
    assert found.inputs == plan_of().inputs
    assert found.classes == ("no", "yes")
    assert isinstance(found.model, Piped)
    assert isinstance(found.model.model, LinearClassifier)
    np.testing.assert_array_equal(found.model.model.sums.weights, [[1.0, 2.0]])


def test_it_is_a_safetensors_file(path: Path) -> None:
    """Any tool that reads safetensors reads its arrays."""
    arrays = load_file(path)
    assert sorted(arrays) == ["0", "1", "2", "plan"]
    assert {array.dtype.kind for array in arrays.values()} == {"f", "i", "u"}


def test_the_same_plan_is_the_same_bytes(path: Path, tmp_path: Path) -> None:
    """So that a digest of the file is one of the scorer."""
    bundle.write(bundle.read(path), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def sums_of(plan: Plan) -> Sums:
    assert isinstance(plan.model, Piped)
    assert isinstance(plan.model.model, LinearClassifier)
    return plan.model.model.sums


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A scorer of two megabytes."""
    file = tmp_path / "large.safetensors"
    bundle.write(plan_of(np.ones((1, 250_000))), file)
    return file


def test_the_arrays_of_a_large_file_are_where_it_is_mapped(large: Path) -> None:
    """They cannot be written to, and are no copies: processes share them."""
    plan = bundle.read(large)
    weights = sums_of(plan).weights
    assert not weights.flags.owndata
    assert not weights.flags.writeable
    (line,) = [
        line for line in Path("/proc/self/maps").read_text().splitlines() if large.name in line
    ]
    begin, end = (int(place, 16) for place in line.split()[0].split("-"))
    assert begin <= weights.ctypes.data < end
    assert line.split()[1] == "r--s"


def test_a_small_file_is_copied(path: Path) -> None:
    """What is then done to the file, in place or not, changes nothing."""
    plan = bundle.read(path)
    path.write_bytes(b"")
    assert not sums_of(plan).weights.flags.writeable
    np.testing.assert_array_equal(sums_of(plan).weights, [[1.0, 2.0]])


def test_another_file_in_its_place_changes_nothing(large: Path, tmp_path: Path) -> None:
    """What is mapped is the file whose digest was checked, also when its name is another's."""
    plan = bundle.read(large, sha256=digest(large))
    other = tmp_path / "other"
    other.write_bytes(b"")
    other.replace(large)
    assert sums_of(plan).weights.sum() == 250_000


@pytest.mark.parametrize("name", ["path", "large"])
def test_other_bytes_than_meant_are_refused(name: str, request: pytest.FixtureRequest) -> None:
    """The digest is one of the very bytes that are read."""
    file: Path = request.getfixturevalue(name)
    meant = digest(file)
    content = bytearray(file.read_bytes())
    bundle.read(file, sha256=meant)
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelFileChanged, match="not the file that was compared"):
        bundle.read(file, sha256=meant)


def test_missing_values_within_arrays_are_kept(tmp_path: Path) -> None:
    """NaN and infinity are values like others."""
    odd = ((np.nan, -np.inf),)
    bundle.write(plan_of(odd), tmp_path / "odd")
    model = bundle.read(tmp_path / "odd").model
    assert isinstance(model, Piped)
    assert isinstance(model.model, LinearClassifier)
    np.testing.assert_array_equal(model.model.sums.weights, odd)


def header(path: Path) -> tuple[dict[str, Any], bytes]:
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def rewritten(path: Path, entries: dict[str, Any], body: bytes) -> Path:
    encoded = json.dumps(entries).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + body)
    return path


@pytest.mark.parametrize(
    "offsets", [[0, 1 << 40], [-16, 0], [16, 0], [0, 15]], ids=["long", "before", "back", "odd"]
)
def test_an_array_outside_of_the_file_is_refused(path: Path, offsets: list[int]) -> None:
    """Whatever the header says, nothing beyond the file is read."""
    entries, body = header(path)
    entries["0"]["data_offsets"] = offsets
    with pytest.raises(CorruptModel):
        bundle.read(rewritten(path, entries, body))


def test_shapes_that_lie_are_refused(path: Path) -> None:
    """A shape has as many values as there are bytes for."""
    entries, body = header(path)
    for shape in ([1 << 40, 1 << 40], [-1, -2], [3, 1]):
        entries["0"]["shape"] = shape
        with pytest.raises(CorruptModel):
            bundle.read(rewritten(path, entries, body))


@pytest.mark.parametrize("length", [0, 7, 8, 100, 2000])
def test_a_file_that_was_cut_is_refused(path: Path, length: int) -> None:
    """Wherever it was cut."""
    path.write_bytes(path.read_bytes()[: min(length, path.stat().st_size - 1)])
    with pytest.raises(CorruptModel):
        bundle.read(path)


def test_no_other_byte_does_worse_than_be_refused(path: Path) -> None:
    """A file with any one byte changed is read or refused, and nothing else happens."""
    raw = path.read_bytes()
    for place in range(len(raw)):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :])
        try:
            bundle.read(path)
        except CorruptModel:
            continue


def test_a_node_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    """A step is no model, and what is no node is none."""
    plan = plan_of()
    forged = Plan(inputs=plan.inputs, model=Choice(np.array([0]), 1), classes=())  # type: ignore[arg-type]
    bundle.write(forged, tmp_path / "forged")
    with pytest.raises(CorruptModel, match="Choice is no model"):
        bundle.read(tmp_path / "forged")


def test_a_choice_of_columns_that_are_not_there_is_refused() -> None:
    """The places of columns are checked before any is read."""
    with pytest.raises(ValueError, match="not there"):
        Choice(np.array([0, 2]), 2)


def test_arrays_that_share_their_bytes_are_refused(path: Path) -> None:
    """Many nodes of one large array would be larger than the file."""
    entries, body = header(path)
    entries["9"] = entries["0"]
    with pytest.raises(CorruptModel, match="as large as"):
        bundle.read(rewritten(path, entries, body))


def test_an_array_of_two_nodes_is_refused(path: Path) -> None:
    """Each is one node's own."""
    entries, body = header(path)
    shared = body.replace(
        msgspec.msgpack.encode({"array": 1}), msgspec.msgpack.encode({"array": 2})
    )
    assert shared != body
    with pytest.raises(CorruptModel, match="'2'"):
        bundle.read(rewritten(path, entries, shared))


def test_an_empty_array_is_no_larger_than_the_file(tmp_path: Path) -> None:
    """It would make large tables of empty ones."""
    bundle.write(plan_of(np.zeros((1, 0))), tmp_path / "empty")
    bundle.read(tmp_path / "empty")
    entries, body = header(tmp_path / "empty")
    name = next(name for name, entry in entries.items() if entry["shape"] == [1, 0])
    entries[name]["shape"] = [1 << 31, 0]
    with pytest.raises(CorruptModel, match="outside"):
        bundle.read(rewritten(tmp_path / "empty", entries, body))


def test_models_that_ask_each_other_twice_are_refused(tmp_path: Path) -> None:
    """Forty within each other would be asked a trillion times."""
    model = plan_of().model
    for _ in range(40):
        model = OneAgainstOne(
            members=(model,),
            response=Response.DECISION,
            threshold=0.0,
            n_classes=2,
            n_features=2,
        )
    bundle.write(Plan(inputs=plan_of().inputs, model=model), tmp_path / "pairs")
    with pytest.raises(CorruptModel, match="too many others"):
        bundle.read(tmp_path / "pairs")
