"""skops' schema.json: every type it names, and how each would be made.

The list of trusted types that may lie in such a file is never read: ours is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from brinery.pickles import facts
from brinery.pickles.bounds import Broken
from brinery.pickles.evidence import Evidence
from brinery.pickles.inert import Inert
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
_CALLS = ("ConstructorFromReduceNode", "PartialNode", "ReduceNode")


def read(content: bytes, evidence: Evidence) -> None:
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
    held = _Nodes(evidence).made(schema, 0)
    facts.describe(held, evidence)


class _Nodes:
    """Turns the nodes of a schema into stand-ins, noting the names on the way."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
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
        known = node.get("__id__")
        if isinstance(known, int) and known in self._made and len(node) <= 4:  # noqa: PLR2004 - a reference has no content
            return self._made[known]
        value = self._value(node, str(node["__loader__"])[:_MAX_NAME], depth)
        if isinstance(known, int):
            self._made[known] = value
        return value

    def _value(self, node: dict[str, Any], loader: str, depth: int) -> Any:
        if loader == "JsonNode":
            return _json(node.get("content"))
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
        if loader == "TupleNode" and isinstance(content, list):
            return tuple(content)
        if loader in ("DictNode", "ListNode", "SetNode") or (
            loader == "NdArrayNode" and node.get("type") == "json"
        ):
            return content if content is not None else {}
        made = Inert(asked)
        made.build(content)
        made.extend([one for key, one in inner.items() if key != "content"])
        version = made.attributes.get("_sklearn_version")
        if isinstance(version, str):
            self._evidence.version("scikit-learn", version)
        return made

    def _named(self, node: dict[str, Any], loader: str) -> Global:
        """Return the type that a node names, and note it."""
        content = node.get("content")
        asked = _global(node.get("__module__"), node.get("__class__"))
        self._ask(asked, loader)
        if loader in _CALLS:
            self._evidence.ask(asked, "REDUCE")
        if loader in _GADGETS:
            self._evidence.doubt(asked, _GADGETS[loader], verdict=Verdict.DANGEROUS)
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
