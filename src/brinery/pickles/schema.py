"""skops' schema.json: every type it names, how each would be made, and what it would be given.

The list of trusted types that may lie in such a file is never read: ours is. What skops calls, or
gives a state, is judged as what a pickle calls, or gives a state, is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import msgspec

from brinery.pickles import attributes, costs, dtypes, facts, uses
from brinery.pickles.bounds import Broken
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import Inert
from brinery.pickles.natives import LIGHTGBM_MAGIC, lightgbm
from brinery.pickles.opcodes import judge
from brinery.pickles.policy import listed
from brinery.records.scan import Global, Verdict

_MAX_DEPTH = 150
_MAX_NAME = 500

# Classes that have a node of their own, which makes nothing else of them.
_OWN_NODES = {
    ("RandomStateNode", Global("numpy.random.mtrand", "RandomState")),
    ("RandomGeneratorNode", Global("numpy.random._generator", "Generator")),
    *(
        ("RandomGeneratorNode", Global("numpy.random", name))
        for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
    ),
}

# How skops' nodes reach what no type in the file names, and what that is.
_GADGETS = {
    "MethodNode": "a method of an object is taken",
    "OperatorFuncNode": "a function of the module operator is made",
    "JoblibNode": "a pickle is loaded with joblib",
}
_PARTIAL = Global("functools", "partial")
_STORED = "a function is stored with arguments to call it with"

# The nodes that call their class, and the classes for which each of them is there.
_CALLS = {
    "ConstructorFromReduceNode": "",
    "DefaultDictNode": "",
    "DictNode": r"builtins\.dict|sklearn\.utils(\._bunch)?\.Bunch",
    "ListNode": r"builtins\.list",
    "LossNode": "",
    "NdArrayNode": r"numpy\.(ndarray|bool_?|str_|(u?int|float|complex|datetime|timedelta)\d+)",
    "QuantileForestNode": "",
    "RandomGeneratorNode": r"numpy\.random\._generator\.Generator",
    "RandomStateNode": r"numpy\.random\.mtrand\.RandomState",
    "ReduceNode": "",
    "SetNode": r"builtins\.set",
    "TreeNode": "",
    "TupleNode": r"builtins\.tuple",
}
_CALLS_NONE = {
    *("BytearrayNode", "BytesNode", "DTypeNode", "FunctionNode", "MaskedArrayNode", "ObjectNode"),
    *("PartialNode", "SliceNode", "SparseMatrixNode", "TypeNode", "_DictWithDeprecatedKeysNode"),
    *_GADGETS,
}
_GIVE_STATES = {"LossNode", "ObjectNode", "QuantileForestNode", "ReduceNode", "TreeNode"}

# What the keys of a dictionary are made of text with.
_KEY_TYPES = re.compile(r"builtins\.(bool|float|int|str)|numpy\.(bool_?|str_|(u?int|float)\d+)")

# What two nodes of one number may differ in: it tells where the same lies.
_PLACES = ("__id__", "file")

# Gives the values of a small array in a member of the archive; None where there is none.
ReadArray = Callable[[str], tuple[Any, ...] | None]


def read(content: bytes, evidence: Evidence, *, array: ReadArray = lambda _: None) -> None:
    """Note every type that a skops schema names, and the model's own facts.

    Raises:
        Broken: it is no JSON, or nested too deep.
    """
    try:
        schema = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Broken("its schema is not JSON, or is nested too deep") from None
    version = schema.get("_skops_version") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or "__loader__" not in schema:
        raise Broken("its schema is none of skops'")
    if isinstance(version, str):
        evidence.version("skops", version)
    held = _Nodes(evidence, array).made(schema, 0)
    attributes.settle(evidence)
    facts.describe(held, evidence)


class _Nodes:
    """Turns the nodes of a schema into stand-ins, noting the names on the way."""

    def __init__(self, evidence: Evidence, array: ReadArray) -> None:
        self._evidence = evidence
        self._array = array
        self._known: dict[int, dict[str, Any]] = {}
        self._made: dict[int, Any] = {}

    def made(self, node: Any, depth: int) -> Any:
        """Return the stand-in for a node, or the plain value it holds."""
        if depth > _MAX_DEPTH:
            raise Broken("its schema is nested too deep")
        if isinstance(node, list):
            return [self.made(one, depth + 1) for one in node]
        if not isinstance(node, dict):
            return node
        if "__loader__" not in node:
            return {key: self.made(one, depth + 1) for key, one in node.items()}
        number = node.get("__id__")
        if number is not None and type(number) is not int:
            raise Broken("an object of it has a number that is none")
        if number in self._known:
            return self._again(node, number, depth)
        if number is not None:
            self._known[number] = node
        value = self._value(node, str(node["__loader__"])[:_MAX_NAME], depth)
        if number is not None:
            self._made[number] = value
        return value

    def _again(self, node: dict[str, Any], number: int, depth: int) -> Any:
        """Return the stand-in for a node that was there before: skops reads the first only.

        Which is the first, skops and a reader may see otherwise: they are to be the same.
        """
        known = self._known[number]
        if node["__loader__"] != "CachedNode" and node is not known:
            same = _placeless(node) == _placeless(known)
            if not same:
                self._evidence.problem("two different objects of it have one number")
                self._value(node, str(node["__loader__"])[:_MAX_NAME], depth)
        if number not in self._made:
            raise Broken("an object of it lies within itself")
        return self._made[number]

    def _value(self, node: dict[str, Any], loader: str, depth: int) -> Any:
        if loader == "JsonNode":
            return self._json(node.get("content"))
        asked = self._named(node, loader)
        inner = {
            key: self.made(one, depth + 1)
            for key, one in node.items()
            if isinstance(one, dict | list)
        }
        content = inner.get("content")
        if loader == "PartialNode" and not _keeps_listed(asked, node.get("content"), content):
            self._evidence.doubt(asked, _STORED, verdict=Verdict.DANGEROUS)
        if loader == "TypeNode":
            return asked
        made = self._called(asked, inner, loader) if loader in _CALLS else Inert(asked)
        if loader == "DictNode":
            self._keys(asked, content, inner.get("key_types"))
        if loader == "TupleNode" and isinstance(content, list):
            return tuple(content)
        if loader in ("DictNode", "ListNode", "SetNode") or (
            loader == "NdArrayNode" and node.get("type") == "json"
        ):
            return content if content is not None else {}
        if loader == "NdArrayNode" and isinstance(node.get("file"), str):
            made.array = partial(self._array, node["file"])
        self._built(made, content, loader)
        made.extend([one for key, one in inner.items() if key != "content"])
        return made

    def _json(self, content: Any) -> Any:
        """Return what a node holds as JSON, having read it if it is a model of LightGBM's."""
        value = _json(content)
        text = value.encode("utf-8", "replace") if isinstance(value, str) else b""
        if LIGHTGBM_MAGIC.match(text):
            lightgbm(BytesIO(text), self._evidence)
        return value

    def _built(self, made: Inert, content: Any, loader: str) -> None:
        """Give an object its state, having noted what is wrong with it."""
        if content is not None and loader in _GIVE_STATES:
            dtypes.note_state(made, content, evidence=self._evidence)
        made.build(content)
        if loader == "PartialNode" and isinstance(content, dict):
            content = content.get("namespace")
        elif loader not in _GIVE_STATES:
            return
        if content is not None:
            costs.of_state(content, self._evidence)
            judge(made, content, evidence=self._evidence)
        version = made.attributes.get("_sklearn_version")
        if isinstance(version, str):
            self._evidence.version("scikit-learn", version)

    def _named(self, node: dict[str, Any], loader: str) -> Global:
        """Return the type that a node names, and note it."""
        content = node.get("content")
        asked = _global(node.get("__module__"), node.get("__class__"))
        self._ask(asked, loader)
        if loader in _GADGETS:
            self._evidence.doubt(asked, _GADGETS[loader], verdict=Verdict.DANGEROUS)
        elif loader not in _CALLS and loader not in _CALLS_NONE:
            self._evidence.doubt(asked, "what its node does with it is not known")
        if isinstance(content, dict):
            if loader == "FunctionNode" and "function" in content:
                asked = _global(content.get("module_path"), content["function"])
                self._evidence.ask(asked, loader)
            if loader == "MethodNode":
                method = _global(asked.module, f"{asked.name}.{content.get('func')}")
                self._evidence.ask(method, loader)
            if loader == "RandomGeneratorNode":
                self._ask(_global("numpy.random", _bit_generator(content)), loader)
        return asked

    def _ask(self, asked: Global, loader: str) -> None:
        self._evidence.ask(asked, loader)
        if (loader, asked) in _OWN_NODES:
            self._evidence.vouch(asked)

    def _called(self, asked: Global, inner: dict[str, Any], loader: str) -> Inert:
        """Return the stand-in for what a node's class makes, having judged that as a call."""
        given = _given(inner, loader)
        if given is None:
            raise Broken(f"it is not told what {asked} is called with")
        if loader == "SetNode":
            costs.of_hashing(given[0], self._evidence)
        if re.fullmatch(_CALLS[loader], str(asked)):
            costs.of_arguments(asked, given, evidence=self._evidence)
            return Inert(asked, given)
        how = "NEWOBJ" if loader == "TupleNode" else "REDUCE"
        return uses.call(asked, given, how=how, evidence=self._evidence)

    def _keys(self, asked: Global, content: Any, types: Any) -> None:
        """Note what the keys of a dictionary are made with, and what is odd about its items."""
        if not isinstance(content, dict) or not isinstance(types, list):
            raise Broken("a dictionary of it does not tell its items and the types of its keys")
        if words := attributes.strange_items(asked, content.items()):
            self._evidence.doubt(asked, words)
        for made_with, key in zip(types, content, strict=False):
            if isinstance(made_with, Inert):
                self._evidence.doubt(made_with.origin, "what it makes is called in turn")
            elif not isinstance(made_with, Global):
                raise Broken("the keys of a dictionary of it are made with what is no type")
            elif not _KEY_TYPES.fullmatch(str(made_with)):
                uses.call(made_with, (key,), how="REDUCE", evidence=self._evidence)


def _given(inner: dict[str, Any], loader: str) -> tuple[Any, ...] | None:
    """Return what a node calls its class with; None where that cannot be told."""
    given = inner.get("content")
    if loader in ("DictNode", "NdArrayNode", "RandomGeneratorNode", "RandomStateNode"):
        return () if given is None else (given,)
    if loader == "DefaultDictNode":
        return (given.get("default_factory"),) if isinstance(given, dict) else None
    if loader in ("ListNode", "SetNode"):
        return (given,) if isinstance(given, list) else None
    if loader not in ("ConstructorFromReduceNode", "TupleNode"):
        reduced = inner.get("__reduce__")
        given = reduced.get("args") if isinstance(reduced, dict) else None
    return tuple(given) if isinstance(given, list | tuple) else None


def _placeless(node: Any) -> Any:
    """Return what a node holds without where it lies, to be compared with another."""
    if isinstance(node, list):
        return [_placeless(one) for one in node]
    if isinstance(node, dict):
        return {key: _placeless(one) for key, one in node.items() if key not in _PLACES}
    return node


def _keeps_listed(asked: Global, content: Any, made: Any) -> bool:
    """Return whether a partial keeps a function by its own name, which is known safe.

    Args:
        asked: the type of the partial.
        content: of its node.
        made: the stand-ins for that; what stands for a function may be one from before.
    """
    if not isinstance(content, dict) or not isinstance(made, dict) or "__loader__" in content:
        return False
    function = content.get("func")
    if asked != _PARTIAL or not isinstance(function, dict) or "content" in function:
        return False
    name = _global(function.get("__module__"), function.get("__class__"))
    kept = made.get("func")
    return (
        function.get("__loader__") == "FunctionNode"
        and isinstance(kept, Inert)
        and kept.origin == name
        and kept.state is None
        and listed(name) is not None
        and not attributes.is_class(name)
    )


def _global(module: Any, name: Any) -> Global:
    """Return a name that can be shown."""
    shown = []
    for part in (module, name):
        text = part if isinstance(part, str) and part else "?"
        shown.append((text if text.isprintable() else ascii(text)[1:-1])[:_MAX_NAME])
    return Global(*shown)


def _bit_generator(content: dict[str, Any]) -> Any:
    """Return the name of the class that a random generator takes its bits from."""
    try:
        return _json(content["bit_generator"]["content"]["bit_generator"]["content"])
    except (KeyError, TypeError):
        return None


def _json(content: Any) -> Any:
    """Return the value that a node holds as text of its own."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError, TypeError):
        return None
