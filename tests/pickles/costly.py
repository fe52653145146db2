"""Small files that take for ever, all memory, or the process itself, to load."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.pickles.malicious import (
    BUILD,
    EMPTY_DICT,
    EMPTY_TUPLE,
    FALSE,
    NONE,
    POP,
    TRUE,
    Sample,
    call,
    keyed,
    listed,
    many,
    new,
    number,
    raw,
    stacked,
    text,
    whole,
)
from tests.pickles.misused import dtype

MANY = 2**28
REFUSED = "it takes for ever, or all memory"


def large(value: int) -> bytes:
    """A number of any size."""
    held = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(held)]) + held


def within(depth: int, *, twice: bool) -> bytes:
    """A tuple of a tuple of a tuple …, or of two of the same."""
    return EMPTY_TUPLE + (b"2\x86" if twice else b"\x85") * depth


def hashed() -> dict[str, bytes]:
    """Values that refer to themselves again and again, hashed and thrown away."""
    deep, wide = within(300_000, twice=False), within(60, twice=True)
    key = EMPTY_DICT + wide
    frozen = stacked("builtins", "frozenset")
    slices = b"h\0(" * 20_000 + NONE + b"tR" * 20_000  # each of the one before: they end deep
    return {
        "a key": whole(key, NONE, b"s", POP, NONE),
        "keys": whole(EMPTY_DICT, b"(", wide, NONE, b"u", POP, NONE),
        "a key of DICT": whole(b"(", wide, NONE, b"d", POP, NONE),
        "a deep key": whole(EMPTY_DICT, deep, NONE, b"s", POP, NONE),
        "a set": whole(b"\x8f(", wide, b"\x90", POP, NONE),
        "a frozenset": whole(b"(", wide, b"\x91", POP, NONE),
        "a call": whole(call(frozen, listed(wide)), POP, NONE),
        "an array": whole(new(stacked("numpy", "matrix"), wide), POP, NONE),
        "slices": whole(stacked("builtins", "slice"), b"\x940", slices, POP, NONE),
    }


def numbers() -> dict[str, bytes]:
    """Numbers that take for ever to work out."""
    fraction, decimal = stacked("fractions", "Fraction"), stacked("decimal", "Decimal")
    made = call(decimal, text("1e999999999"))
    codes = "[\0-\U0010ffff]"
    return {
        "underscores": whole(call(fraction, text("1e9_9_9_9_9_9_9_9_9_9"))),
        "other digits": whole(call(fraction, text("1e" + 10 * "\N{FULLWIDTH DIGIT NINE}"))),
        "of a decimal": whole(call(fraction, made)),
        "an int of a decimal": whole(new(stacked("builtins", "int"), made)),
        "an array of a decimal": whole(new(stacked("numpy", "int64"), made)),
        "a keyword": whole(fraction, EMPTY_TUPLE, keyed(numerator=text("1e9999999999")), b"\x92"),
        "a function's keyword": whole(
            call(
                *(stacked("copyreg", "__newobj_ex__"), fraction, EMPTY_TUPLE),
                keyed(numerator=text("1e9999999999")),
            )
        ),
        "a pattern": whole(call(stacked("re", "_compile"), text(codes * 20_000), number(2))),
        "patterns": whole(
            *(
                call(stacked("re", "_compile"), text(f"{codes * 1000}{place}"), number(2)) + POP
                for place in range(20)
            ),
            NONE,
        ),
        "a pattern in bytes": whole(call(stacked("re", "_compile"), raw(b"(a)" * 9000), number(2))),
    }


def sequences() -> dict[str, bytes]:
    """Ranges that are gone through."""
    through = call(stacked("builtins", "range"), number(MANY))
    index = call(
        stacked("pandas.core.indexes.base", "_new_Index"),
        stacked("pandas", "RangeIndex"),
        keyed(start=number(0), stop=large(2**33), step=number(1)),
    )
    unread = call(stacked("builtins", "range"), new(stacked("builtins", "int"), text("268435456")))
    state = many(number(2), through, NONE)
    return {
        "a set": whole(call(stacked("builtins", "set"), through)),
        "a tuple": whole(new(stacked("builtins", "tuple"), through)),
        "a queue": whole(call(stacked("collections", "deque"), through)),
        "pandas' own": whole(call(stacked("collections", "Counter"), index)),
        "in a list": whole(new(stacked("numpy", "matrix"), listed(through))),
        "in a queue": whole(
            call(stacked("builtins", "set"), call(stacked("collections", "deque"), through))
        ),
        "of a number that is made": whole(call(stacked("builtins", "set"), unread)),
        "in a state": whole(call(stacked("random", "Random")), state, BUILD),
        "many small ones": whole(
            b"(",
            call(stacked("builtins", "range"), number(1_000_000)),
            b"\x940",
            *[stacked("builtins", "tuple") + b"h\x00\x85\x81"] * 400,
            b"t",
        ),
    }


def arrays() -> dict[str, bytes]:
    """Bytes and arrays that are made at once, and all together."""
    array = stacked("builtins", "bytearray")
    objects = call(
        stacked("numpy._core.multiarray", "_reconstruct"),
        *(stacked("numpy", "ndarray"), many(number(0)), raw(b"b")),
    )
    flags = many(number(3), text("|"), NONE, NONE, NONE, number(-1), number(-1), number(63))

    def held(shape: bytes, values: bytes) -> bytes:
        return objects + many(number(1), shape, dtype("O8", flags), FALSE, values) + BUILD

    kept = new(stacked("builtins", "list")) + b"(" + NONE + b"e"
    scalar = stacked("numpy._core.multiarray", "scalar")
    return {
        "forty": whole(listed(*[call(array, number(MANY - 1))] * 40)),
        "of a number that is made": whole(
            call(array, new(stacked("builtins", "int"), text("9" * 11)))
        ),
        "of numpy's number": whole(
            call(array, call(scalar, dtype("i8"), raw(b"\xff" * 7 + b"\x0f")))
        ),
        "by __newobj_ex__": whole(
            call(stacked("copyreg", "__newobj_ex__"), array, many(large(3 * 10**9)), EMPTY_DICT)
        ),
        "of records": whole(new(stacked("numpy", "recarray"), many(large(2**31)), text("O"))),
        "of large items": whole(
            new(
                *(stacked("numpy", "ndarray"), many(number(2**20))),
                new(stacked("numpy", "dtype"), text("(8192,)O")),
            )
        ),
        "one large item": whole(call(scalar, dtype("V2147483647"))),
        "nothing": whole(new(stacked("numpy", "void"), large(2**33))),
        "a masked one": whole(
            call(
                stacked("numpy.ma.core", "_mareconstruct"),
                *(stacked("numpy.ma", "MaskedArray"), stacked("numpy", "ndarray")),
                *(many(large(2**40)), raw(b"b")),
            )
        ),
        "of fewer objects": whole(held(many(number(1_000_000)), listed(NONE))),
        "of an own list": whole(held(many(number(1_000_000)), kept)),
        "of true": whole(held(many(number(1_000_000)), listed(TRUE))),
    }


def trees() -> dict[str, bytes]:
    """Text of LightGBM's that says that a tree is larger than it is."""
    head = "tree\nversion=v4\nnum_class=1\n\n"
    small = "Tree={}\nnum_leaves=2\nnum_cat=0\nleaf_value=1 2\nshrinkage=1\n\n\n"

    def told(*lines: str, before: int = 0) -> bytes:
        trees = "".join(small.format(place) for place in range(before))
        body = "\n".join(("Tree=9", *lines, "shrinkage=1", "", "", "end of trees", ""))
        booster = stacked("lightgbm.basic", "Booster")
        return whole(new(booster), keyed(handle=text(head + trees + body)), BUILD)

    leaves = "num_leaves=400000000"
    return {
        "leaves": told(leaves, "num_cat=0", "leaf_value=1 2"),
        "leaves far behind": told(leaves, "leaf_value=1 2", before=30_000),
        "categories": told("num_leaves=2", "num_cat=400000000", "leaf_value=1 2"),
        "boundaries": told(
            *("num_leaves=2", "num_cat=1", "leaf_value=1 2"),
            *("cat_boundaries=0 400000000", "cat_threshold=1"),
        ),
        "features": told(
            "num_leaves=2", "leaf_value=1 2", "num_features=400000000 1", "leaf_features=1"
        ),
        "told twice": told("num_leaves=2", leaves, "leaf_value=1 2"),
        "within a line": told("num_leaves=2", "leaf_value=1 2", f"split_gain=Tree=1 {leaves}"),
        "less than none": told("num_leaves=-2", "leaf_value=1 2"),
        "no number": told("num_leaves=4e8", "leaf_value=1 2"),
        "other letters": whole(
            new(stacked("lightgbm.basic", "Booster")),
            keyed(handle=text(f"{head}feature_names=列\n\nTree=0\n{leaves}\nleaf_value=1\n")),
            BUILD,
        ),
    }


FAMILIES = (hashed, numbers, sequences, arrays, trees)


def samples() -> Iterator[Sample]:
    """Give all of them."""
    for family in FAMILIES:
        for name in family():
            yield Sample(
                f"{family.__name__} {name}",
                "known names misused",
                partial(_one, family.__name__, name),
                loader="",
                refused=REFUSED,
            )


def _one(family: str, name: str, _: str) -> bytes:
    (found,) = (each for each in FAMILIES if each.__name__ == family)
    return found()[name]
