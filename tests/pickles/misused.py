"""Names that are known safe, given what turns them into something else.

A maker of objects is given another class, an array is told to be shorter than it is, an attribute
is set that stands before a method: what they ask for is harmless, and what they do is not.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial

from tests.pickles.malicious import (
    BUILD,
    EMPTY_DICT,
    EMPTY_TUPLE,
    FALSE,
    NONE,
    STOP,
    TRUE,
    Sample,
    call,
    keyed,
    many,
    new,
    number,
    proto,
    raw,
    stacked,
    system,
    text,
    touch,
    whole,
)

NORM = stacked("scipy.stats._continuous_distns", "norm_gen")
PARTIAL = stacked("functools", "partial")
WRAPPER = stacked("joblib.numpy_pickle", "NumpyArrayWrapper")
IDLE = b"N0" * 15_000
LINEAR = stacked("sklearn.linear_model._base", "LinearRegression")


def dtype(kind: str, state: bytes | None = None) -> bytes:
    """An array's type, with a state that numpy writes for it."""
    minus = number(-1)
    written = many(number(3), text("<"), NONE, NONE, NONE, minus, minus, number(0))
    return call(stacked("numpy", "dtype"), text(kind), FALSE, TRUE) + (state or written) + BUILD


def told(count: int, kind: bytes, alignment: bytes = number(16), more: bytes = b"") -> bytes:
    """What joblib tells of an array."""
    held = keyed(
        subclass=stacked("numpy", "ndarray"),
        shape=many(number(count)),
        order=text("C"),
        dtype=kind,
        allow_mmap=FALSE,
        numpy_array_alignment_bytes=alignment,
    )
    return held[:-1] + more + b"u"


def behind(pickled: bytes, hidden: bytes, size: int) -> bytes:
    """A pickle with another one in the bytes that follow it, and its own end after them."""
    return proto(4) + pickled + hidden.ljust(size, b"\0") + STOP


def evil(marker: str) -> bytes:
    """A pickle that leaves a mark, to be hidden."""
    return system(marker) + STOP


def made(*function: str) -> bytes:
    return stacked(*function)


def distributions(marker: str) -> dict[str, bytes]:
    """A distribution, which runs text of its state, made by what makes objects of any class."""
    state = keyed(_parse_arg_template=text(f"import os; os.system({touch(marker)!r})\n"))
    makers = {
        "newObj": call(made("sklearn.neighbors._kd_tree", "newObj"), NORM),
        "_new_Index": call(made("pandas.core.indexes.base", "_new_Index"), NORM, EMPTY_DICT),
        "bit_generator": call(made("numpy.random._pickle", "__bit_generator_ctor"), NORM),
        "partial": call(call(made("copyreg", "__newobj__"), PARTIAL, NORM)),
    }
    return {name: whole(maker, state, BUILD) for name, maker in makers.items()}


def arrays(marker: str) -> dict[str, bytes]:
    """Arrays that joblib takes for shorter ones than are told, so that what follows is run."""
    hidden, here = evil(marker), new(WRAPPER)
    one, minus = number(1), number(-1)
    text_key = new(stacked("builtins", "str"), text("shape")) + many(number(0))
    odd_size = many(
        *(number(3), text("|"), NONE, NONE, NONE),
        *(new(stacked("builtins", "int"), text("1")), one, number(0)),
    )
    short = many(one, text("|"), NONE, NONE, one, one)
    doubles, none = dtype("f8"), NONE
    array = many(one, many(one), doubles, FALSE, raw(bytes(8)))
    boxed = raw(b"\0" * 95 + proto(4) + hidden)
    pops = b"N0" * 50 + boxed + b"0"
    bytes_ = dtype("u1", many(number(3), text("|"), NONE, NONE, NONE, minus, minus, number(0)))
    partial = call(
        call(PARTIAL, WRAPPER, made("numpy", "ndarray"), many(number(200)), text("C")),
        *(bytes_, FALSE, NONE),
    )
    return {
        "a key that is made": behind(
            here + told(100, doubles, more=text_key) + BUILD, b"\x01\xff" + hidden, 802
        ),
        "a size that is made": behind(
            here + told(1, dtype("V1000", odd_size)) + BUILD, b"\x01\xff\0" + hidden, 1002
        ),
        "a state that is short": behind(
            here + told(1, dtype("V1000", short)) + BUILD, b"\x01\xff\0" + hidden, 1002
        ),
        "a wrapper by newObj": whole(
            call(made("sklearn.neighbors._kd_tree", "newObj"), WRAPPER),
            *(told(200, bytes_, none), BUILD, pops),
        ),
        "a wrapper by partial": whole(partial, EMPTY_DICT, BUILD, pops),
        "patience": behind(here + told(10_000, doubles, none) + BUILD, IDLE + hidden, 80_000),
        "told twice": behind(
            here + told(10_000, doubles, none) + BUILD + bytes(80_000) + array + BUILD,
            IDLE + hidden,
            80_000,
        ),
        "its own method": behind(
            here + told(10_000, doubles, none, text("read") + stacked("builtins", "slice")) + BUILD,
            IDLE + hidden,
            80_000,
        ),
    }


def attributes(_: str) -> dict[str, bytes]:
    """Attributes that stand before what the pickle machine calls, and calls of listed names."""
    scorer = new(stacked("sklearn.metrics._scorer", "_Scorer"))
    keeps = call(PARTIAL, scorer, NONE, text("a-path"))
    append = keyed(append=stacked("sklearn.utils.validation", "check_array"))
    odd_key = b"}" + new(stacked("builtins", "str"), text("__setstate__")) + keeps + b"s"
    return {
        "__setstate__": whole(new(LINEAR), keyed(__setstate__=keeps), BUILD, EMPTY_DICT, BUILD),
        "append": whole(new(LINEAR), append, BUILD, text("x"), b"a"),
        "a name that is made": whole(new(LINEAR), odd_key, BUILD, EMPTY_DICT, BUILD),
        "slots": whole(new(LINEAR), many(NONE, keyed(extend=keeps)), BUILD),
        "another method": whole(scorer, keyed(_response_method=text("save_model")), BUILD),
        "other methods": whole(
            scorer, keyed(_response_method=many(text("predict"), text("fit"))), BUILD
        ),
        "default": whole(call(stacked("collections", "defaultdict"), keeps)),
        "generator": whole(
            call(made("numpy.random._pickle", "__generator_ctor"), text("x"), LINEAR)
        ),
        "base": whole(
            call(made("copyreg", "_reconstructor"), LINEAR, stacked("pandas", "Index"), NONE)
        ),
        "keyword": whole(LINEAR, EMPTY_TUPLE, keyed(x=NORM), b"\x92"),
        "codec": whole(call(stacked("_codecs", "encode"), text("x"), text("uu"))),
    }


def endless(_: str) -> dict[str, bytes]:
    """Small pickles that take for ever, or all memory, to load."""
    huge = b"\x8a\x08" + struct.pack("<q", 10**17)
    large = b"\x8a\x06" + (10**11).to_bytes(6, "little")
    long = call(stacked("builtins", "range"), huge)
    array = stacked("builtins", "bytearray")
    return {
        "a number": whole(call(stacked("fractions", "Fraction"), text("1e99999999999"))),
        "a range": whole(call(stacked("collections", "deque"), long, number(1))),
        "bytes": whole(call(stacked("copyreg", "_reconstructor"), array, array, large)),
        "bytes again": whole(call(stacked("copyreg", "__newobj__"), array, large)),
    }


def samples() -> Iterator[Sample]:
    """Give all of them."""
    written: tuple[tuple[Callable[[str], dict[str, bytes]], str, str], ...] = (
        (distributions, "pickle", ""),
        (arrays, "joblib", ""),
        (attributes, "pickle", "it leaves no mark"),
        (endless, "", "it goes on for ever"),
    )
    for family, loader, refused in written:
        for name in family(""):
            yield Sample(
                f"{family.__name__} {name}",
                "known names misused",
                partial(_one, family, name),
                loader="pickle" if name == "patience" else loader,
                refused=refused,
            )


def _one(family: Callable[[str], dict[str, bytes]], name: str, marker: str) -> bytes:
    return family(marker)[name]
