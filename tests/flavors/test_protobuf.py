from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto

from brinery.flavors.protobuf import fields, messages, numbers, texts


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.text(max_size=20)))
def test_as_its_library_writes_it(whole: list[int], words: list[str]) -> None:
    """Numbers and texts are those that the library wrote."""
    attribute = AttributeProto(name="labels", ints=whole, strings=[w.encode() for w in words])
    message = memoryview(attribute.SerializeToString())
    assert texts(message, 1) == ["labels"]
    assert numbers(message, 8) == whole
    assert texts(message, 9) == words


def test_packed_numbers() -> None:
    """Numbers that are packed into one field are read as those that are not."""
    tensor = TensorProto(dims=[2], int64_data=[-1, 300], raw_data=b"raw")
    message = memoryview(tensor.SerializeToString())
    assert numbers(message, 7) == [-1, 300]
    assert [bytes(value) for value in messages(message, 9)] == [b"raw"]


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Bytes of any kind end in fields or in an error."""
    try:
        for number, _ in fields(memoryview(data)):
            assert number >= 0
    except ValueError:
        pass


@pytest.mark.parametrize("cut", [b"\x0a\x05ab", b"\x08\xff", b"\x0b", b"\x08" + b"\xff" * 11])
def test_cut_off(cut: bytes) -> None:
    """What is cut off is refused."""
    with pytest.raises(ValueError, match=r"cut off|kind"):
        list(fields(memoryview(cut)))
