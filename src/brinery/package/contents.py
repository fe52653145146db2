"""What a package is made of: the same for every target, which adds its own front door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from brinery.package.runtime.facts import Facts
from brinery.records.package import Target


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a target renders.

    Attributes:
        facts: of the version, as `model.json` has them.
        module: name of the Python package that holds the model.
        code: path within that package to its bytes: the engine, the runtime, the model.
        python: minor version of the Python that it is for.
        pins: `name==version` of each distribution that it needs, sorted.
        requirements: the text of `requirements.txt`.
        compiled: the platform of the compiled part, as a wheel's tag has it; empty where none is.
        proof: rows that were made up, and the registered model's answers to them.
        unproven: why the package was not run; empty where it was.
        layer: path to bytes of what it needs, as it is installed; only for a layered platform.
        tools: the text of `proof/requirements.txt`: what runs it here as its platform does, and is
            part of that platform there; empty where nothing is.
    """

    facts: Facts
    module: str
    code: Mapping[str, bytes]
    python: str
    pins: tuple[str, ...]
    requirements: str
    compiled: str
    proof: Mapping[str, Any]
    unproven: str = ""
    layer: Mapping[str, bytes] = field(default_factory=dict)
    tools: str = ""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a target adds.

    Attributes:
        files: path to bytes.
        start: how it is run to be proven, as `verify.py` reads it.
        deploy: Markdown: how it is deployed, and how callers without a key are kept out.
        ran: what is run to prove it, in words.
        not_run: what only the platform itself can show, in words; empty where nothing is left.
        code: whether the Python package lies in the package's folder.
    """

    files: Mapping[str, bytes]
    start: Mapping[str, Any]
    deploy: str
    ran: str
    not_run: str = ""
    code: bool = True


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A target.

    Attributes:
        target: its name.
        needs: requirements beside the engine's.
        render: what makes its files.
        layered: whether what it needs is part of it.
        tools: requirements that only its proof has: the platform's own program.
        tools_python: the Python that those are for, which is the package's where it may choose;
            empty where there are none.
    """

    target: Target
    needs: tuple[str, ...]
    render: Callable[[Contents], Rendered]
    layered: bool = False
    tools: tuple[str, ...] = ()
    tools_python: str = ""


def text(*lines: str) -> bytes:
    """Return lines as a file."""
    return ("\n".join(lines) + "\n").encode()
