"""The compression of a body."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pytest

from brinery.serve import coding
from brinery.serve.problems import Problem

TEXT = b'{"a": 1}' * 1000
CODECS = {
    "gzip": gzip.compress,
    "zstd": lambda content: pa.compress(content, "zstd", asbytes=True),
}
codecs = pytest.mark.parametrize("name", CODECS)


def decoded(name: str, content: bytes, limit: int = 100_000) -> bytes:
    decode = coding.decoder(name)
    assert decode is not None
    return decode(content, limit)


@codecs
def test_a_body_is_what_it_was(name: str) -> None:
    """What was compressed comes out as it went in, nothing and much alike."""
    for content in (TEXT, b""):
        assert decoded(name, CODECS[name](content)) == content


def test_several_members_are_one_body() -> None:
    """A gzip file may be several, one after the other."""
    assert decoded("x-gzip", gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"


@codecs
def test_what_becomes_too_large_is_refused_on_the_way(name: str) -> None:
    """A small body that holds a vast one is not taken out of it."""
    with pytest.raises(Problem, match="larger than") as refused:
        decoded(name, CODECS[name](b"0" * 50_000_000), limit=1000)
    assert refused.value.status == 413


@codecs
@pytest.mark.parametrize("damage", ["cut", "other"])
def test_what_is_damaged_is_refused(name: str, damage: str) -> None:
    """And said to be so."""
    content = CODECS[name](TEXT)
    with pytest.raises(Problem, match="is not what") as refused:
        decoded(name, content[: len(content) // 2] if damage == "cut" else TEXT)
    assert refused.value.status == 400


def test_plain_bodies_have_nothing_taken_off() -> None:
    """And what is not known is refused with what is."""
    assert coding.decoder("") is coding.decoder("Identity") is None
    with pytest.raises(Problem, match="deflate") as refused:
        coding.decoder("deflate")
    assert ("accept-encoding", "gzip, zstd, identity") in refused.value.headers()
