from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.pipeline import mini_batches
from brinery.pipeline.mini_batches import File, MiniBatch

FILES = st.lists(st.integers(0, 5000), max_size=30).map(
    lambda sizes: [File(f"/data/{at:03d}", size) for at, size in enumerate(sizes)]
)


@pytest.mark.parametrize(
    ("text", "size"),
    [("5", 5), ("10kb", 10240), ("10 KB", 10240), ("1.5mb", 1572864), ("1GB", 2**30), ("7b", 7)],
)
def test_sizes(text: str, size: int) -> None:
    """A size is a number of files, or of bytes with a unit of 1,024."""
    assert mini_batches.size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "kb", "ten", "-3", "10 files", "1.2.3kb"])
def test_no_sizes(text: str) -> None:
    """What is no size is refused."""
    with pytest.raises(ValueError, match="is no size"):
        mini_batches.size_bytes(text)


@pytest.mark.parametrize("cut", [mini_batches.by_files, mini_batches.by_bytes])
@given(files=FILES, size=st.integers(0, 4000))
def test_each_row_once(
    cut: Callable[..., tuple[MiniBatch, ...]], files: list[File], size: int
) -> None:
    """Each file is in one mini-batch, or each of its shares is, in the files' order."""
    batches = cut(files, size=size)
    assert [batch.index for batch in batches] == list(range(len(batches)))
    parts = [part for batch in batches for part in batch.parts]
    whole = [(file.path, share) for file in files for share in _shares(parts, file.path)]
    assert [(part.path, part.share) for part in parts] == whole
    assert all(batch.parts for batch in batches)


def _shares(parts: list[mini_batches.Part], path: str) -> range:
    found = {part.shares for part in parts if part.path == path}
    assert len(found) == 1
    return range(found.pop())


@given(files=FILES, size=st.integers(1, 4000))
def test_bytes(files: list[File], size: int) -> None:
    """No mini-batch of a table is larger than was asked for; two that follow would be together."""
    batches = mini_batches.by_bytes(files, size=size)
    sizes = {file.path: file.size_bytes for file in files}
    held = [sum(sizes[part.path] / part.shares for part in batch.parts) for batch in batches]
    assert all(each <= size for each in held)
    for (first, before), (second, after) in zip(
        zip(batches, held, strict=True), zip(batches[1:], held[1:], strict=True), strict=False
    ):
        cut = first.parts[-1].shares > 1 or second.parts[0].shares > 1
        assert cut or before + after > size or before + sizes[second.parts[0].path] > size


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("12")), max_size=20))
def test_keys(columns: list[tuple[str, str]]) -> None:
    """Each combination of keys is one mini-batch with all of its files."""
    files = [
        File(f"/data/{at}", 1, {"a": a, "b": b, "c": str(at)}) for at, (a, b) in enumerate(columns)
    ]
    batches = mini_batches.by_keys(files, keys=["b", "a"])
    assert len(batches) == len({*columns})
    for batch in batches:
        assert list(batch.keys) == ["b", "a"]
        assert {(part.columns["b"], part.columns["a"]) for part in batch.parts} == {
            (batch.keys["b"], batch.keys["a"])
        }
    assert sum(len(batch.parts) for batch in batches) == len(files)
