"""Hostile files of joblib and of skops: known names, and what these readers do with them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.pickles.malicious import (
    BUILD,
    FALSE,
    NONE,
    POP,
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
    text,
    touch,
)
from tests.pickles.misused import WRAPPER, dtype, evil, told

Node = dict[str, Any]

# Types that numpy knows by a letter, and how many of them take as many bytes as a pickle's opcode
# of bytes and its length.
LETTERS = {"d": 2, "f": 4, "l": 2, "q": 2, "g": 1, "i": 4, "?": 16, "e": 8}


def hidden(marker: str, wrapper: bytes, head: bytes, count: int) -> bytes:
    """A joblib file with a pickle after an array, which lies in bytes if the array is shorter."""
    inside = b"\xff" * count + evil(marker)
    return proto(4) + wrapper + head + raw(inside) + POP + STOP


def joined(marker: str) -> dict[str, bytes]:
    """Arrays that joblib takes for longer than they look."""
    array = stacked("numpy", "ndarray")
    found = {
        f"letter {letter}": hidden(
            marker,
            new(WRAPPER)
            + told(count, call(stacked("numpy", "dtype"), text(letter), FALSE, TRUE))
            + BUILD,
            b"\x01\xff",
            11,
        )
        for letter, count in LETTERS.items()
    }
    state = keyed(
        subclass=array,
        shape=many(number(1)),
        order=text("C"),
        dtype=dtype("u1"),
        allow_mmap=FALSE,
    )
    given = (NONE, many(number(1)), text("C"), dtype("u1"))
    called = call(WRAPPER, *given) + state + BUILD
    instance = b"(" + WRAPPER + b"".join(given) + b"o" + state + BUILD
    return {
        **found,
        "constructor": hidden(marker, called, b"\x10", 12),
        "constructor by OBJ": hidden(marker, instance, b"\x10", 12),
    }


def node(loader: str, module: str, name: str, **more: Any) -> Node:
    """A node of skops."""
    return {"__loader__": loader, "__module__": module, "__class__": name, **more}


def plain(value: Any, **more: Any) -> Node:
    """A node of a plain value."""
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True, **more)


def several(*items: Node, kind: str = "tuple", **more: Any) -> Node:
    """A node of a tuple, or of a list."""
    return node(f"{kind.title()}Node", "builtins", kind, content=list(items), **more)


def table(items: dict[str, Node], types: list[Node] | None = None, **more: Any) -> Node:
    """A node of a dictionary, whose keys are text if nothing else is said."""
    keys = types or [node("TypeNode", "builtins", "str") for _ in items]
    held = {"content": items, "key_types": several(*keys, kind="list"), **more}
    return {**node("DictNode", "builtins", "dict"), **held}


def archive(schema: Node) -> bytes:
    """A skops file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as files:
        whole = {**schema, "protocol": 2, "_skops_version": "0.16.0"}
        files.writestr("schema.json", json.dumps(whole))
    return held.getvalue()


def schemas(marker: str) -> dict[str, Node]:
    """Nodes that run a command."""
    command = f"import os\nos.system({touch(marker)!r})\n"
    state = table({"_parse_arg_template": plain(command)}, __id__=5)
    norm = ("scipy.stats._continuous_distns", "norm_gen")
    system = node("TypeNode", "posix", "system", __id__=77)
    decoy = node("TypeNode", "builtins", "str", __id__=77)
    words = [touch(marker)]
    return {
        "a state": node("ObjectNode", *norm, content=state),
        "a type of another number": {
            "junk": plain(1, __id__=77),
            **table({words[0]: plain(1)}, [system]),
        },
        "a type that is there twice": {"junk": decoy, **table({words[0]: plain(1)}, [system])},
        "a state that is there twice": node(
            "ObjectNode", *norm, junk=table({"a": plain(1)}, __id__=5), content=state
        ),
    }


def reached(_: str) -> dict[str, Node]:
    """Nodes that call what no honest file has called, or with what none gives it."""
    booster = ("lightgbm.basic", "Booster")
    arguments = several(plain(None), plain(None), plain("/etc/hostname"))
    range_ = node("ConstructorFromReduceNode", "builtins", "range", content=several(plain(2**28)))
    pair: Node = several(__id__=1)
    for place in range(2, 42):
        pair = several(
            pair, node("CachedNode", "builtins", "tuple", __id__=place - 1), __id__=place
        )
    tree = "tree\nversion=v4\n\nTree=0\nnum_leaves=400000000\nleaf_value=1 2\n"
    kept = node("FunctionNode", "sklearn.utils.validation", "check_array")
    key = table(
        {"a": plain(1)},
        [
            node(
                "PartialNode",
                "functools",
                "partial",
                content={
                    "func": kept,
                    "args": several(),
                    "kwds": table({}),
                    "namespace": plain(None),
                },
            )
        ],
    )
    return {
        "a loss": node("LossNode", *booster, __reduce__={"args": arguments}, content=table({})),
        "a list": node("ListNode", *booster, content=[]),
        "a set": node("SetNode", *booster, content=[]),
        "a dictionary": {**table({}), "__module__": booster[0], "__class__": booster[1]},
        "an array": node("NdArrayNode", *booster, type="numpy", file="a.npy"),
        "random numbers": node("RandomStateNode", *booster, content=several()),
        "a node of tomorrow": node("TomorrowNode", *booster),
        "a key": table({"a": plain(1)}, [node("TypeNode", *booster)]),
        "a key that is made": key,
        "a key's type that is none": table({"a": plain(1)}, [plain("str")]),
        "no types of keys": node("DictNode", "builtins", "dict", content={}),
        "a default": node(
            "DefaultDictNode",
            "collections",
            "defaultdict",
            content={"main": table({}), "default_factory": node("TypeNode", *booster)},
        ),
        "a set of a range": node(
            "ConstructorFromReduceNode", "builtins", "set", content=several(range_)
        ),
        "bytes": node(
            "ConstructorFromReduceNode", "builtins", "bytearray", content=several(plain(6 * 10**9))
        ),
        "a number": node(
            "ConstructorFromReduceNode",
            "fractions",
            "Fraction",
            content=several(plain("1e9999999999")),
        ),
        "a tuple hashed": node("SetNode", "builtins", "set", content=[pair]),
        "an array of pairs": node(
            "NdArrayNode",
            "numpy",
            "ndarray",
            type="json",
            content=[pair],
            shape=several(plain(1), plain(1)),
        ),
        "a model": node("ObjectNode", *booster, content=table({"_handle": plain(tree)})),
        "a method's place": node(
            "ObjectNode",
            "sklearn.linear_model._base",
            "LinearRegression",
            content=table({"__setstate__": kept}),
        ),
        "within itself": several(several(__id__=8), __id__=8),
        "a number that is none": several(plain(1, __id__="9")),
    }


def samples() -> Iterator[Sample]:
    """Give all of them."""
    for name in joined(""):
        yield Sample(
            f"joblib {name}",
            "known names misused",
            partial(_joined, name),
            loader="joblib",
            suffix=".joblib",
        )
    refused = "skops gives up, leaves no mark, or takes all memory"
    for maker, loader, why in ((schemas, "skops", ""), (reached, "", refused)):
        for name in maker(""):
            yield Sample(
                f"skops {name}",
                "known names misused",
                partial(_skops, maker, name),
                loader=loader,
                refused=why,
                suffix=".skops",
            )


def _joined(name: str, marker: str) -> bytes:
    return joined(marker)[name]


def _skops(maker: Callable[[str], dict[str, Node]], name: str, marker: str) -> bytes:
    return archive(maker(marker)[name])
