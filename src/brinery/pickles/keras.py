"""Keras' own archive: what its config.json would import, and whether a layer of it carries code."""

from __future__ import annotations

from typing import Any

import msgspec

from brinery.pickles.bounds import Broken
from brinery.pickles.evidence import Evidence
from brinery.records.scan import Global, Node, Verdict

_MAX_DEPTH = 150
_CODE = ("Lambda", "__lambda__")
_MAX_NAME = 500


def read_config(content: bytes, evidence: Evidence) -> None:
    """Note every class that a model's configuration names.

    Raises:
        Broken: it is no JSON, or nested too deep.
    """
    try:
        config = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Broken("its config.json is not JSON, or is nested too deep") from None
    name = _walk(config, evidence, 0)
    if name is not None:
        evidence.outermost = str(name)
        evidence.tree = Node(name=str(name))


def read_metadata(content: bytes, evidence: Evidence) -> None:
    """Note which Keras wrote a model."""
    try:
        metadata = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        evidence.problem("its metadata.json is not JSON")
        return
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if isinstance(version, str):
        evidence.version("keras", version)


def _walk(value: Any, evidence: Evidence, depth: int) -> Global | None:
    """Return the class that a value is a configuration of, having noted those within."""
    if depth > _MAX_DEPTH:
        raise Broken("its config.json is nested too deep")
    if isinstance(value, list):
        for one in value:
            _walk(one, evidence, depth + 1)
        return None
    if not isinstance(value, dict):
        return None
    asked = None
    kind = value.get("class_name")
    if isinstance(kind, str):
        module = value.get("module")
        asked = Global(_shown(module, "keras"), _shown(kind, "?"))
        evidence.ask(asked, "class_name")
        registered = value.get("registered_name")
        if kind in _CODE:
            why = "it carries Python code, which runs when the model is loaded or used"
            evidence.doubt(asked, why, verdict=Verdict.DANGEROUS)
        elif isinstance(registered, str) and registered and not isinstance(module, str):
            evidence.doubt(
                asked, f"a class of the user's own, registered as {_shown(registered, '?')}"
            )
    for one in value.values():
        _walk(one, evidence, depth + 1)
    return asked


def _shown(text: Any, otherwise: str) -> str:
    if not isinstance(text, str) or not text:
        return otherwise
    return (text if text.isprintable() else ascii(text)[1:-1])[:_MAX_NAME]
