"""Gates: what a version must hold before it may take the champion's place.

    [gates.default]
    require = ["parity", "schema-compatible", "no-dangerous-globals", "report"]
    allow = ["added-column income"]

    [[gates.default.rule]]
    metric = "roc_auc"
    versus = "champion"
    better_by = 0.0
    confidence = 0.95

    [[gates.default.rule]]
    subpopulations = ["job", "marital"]
    metric = "recall"
    max_drop = 0.05

    [[gates.default.rule]]
    latency_p99_ms = 5
    versus = "champion"
    max_ratio = 1.5

They stand in brinery.toml or in a file of their own. They are read and checked here, and nothing is
known of a model yet; what a rule says in words, and why, is here too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from brinery.errors import InvalidGate, NotFound
from brinery.specs.changes import ChangeKind
from brinery.specs.gate_rules import CONFIDENCE, Rule
from brinery.specs.metrics import HEADLINE
from brinery.specs.names import nearest

DEFAULT: Final = "default"
_HINT: Final = "docs/how-to/gate.md shows how gates are written"
_EVERY: Final = "*"


class Requirement(StrEnum):
    """What must be known of a version, whatever its figures are."""

    PARITY = "parity"
    SCHEMA_COMPATIBLE = "schema-compatible"
    NO_DANGEROUS_GLOBALS = "no-dangerous-globals"
    REPORT = "report"

    @property
    def explained(self) -> str:
        """Return what is asked for, in a sentence."""
        return _REQUIRED[self]


_REQUIRED: Final[Mapping[Requirement, str]] = {
    Requirement.PARITY: "The registered model answers exactly as the file that was imported.",
    Requirement.SCHEMA_COMPATIBLE: "What calls the champion can call the version: no column more "
    "is required, no class or column is gone, no type changed; `allow` lists the exceptions.",
    Requirement.NO_DANGEROUS_GLOBALS: "The scan of the file found no name that runs programs.",
    Requirement.REPORT: "The version was evaluated whole, and its report is kept.",
}


class Gate(BaseModel):
    """What a version must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", description="of the gate")
    require: tuple[Requirement, ...] = Field((), description="what must be known of a version")
    allow: tuple[str, ...] = Field((), description="changes of the schema that do not block")
    rule: tuple[Rule, ...] = Field((), description="what its figures must hold")

    @field_validator("require", mode="before")
    @classmethod
    def _are_requirements(cls, given: object) -> object:
        names = [one.value for one in Requirement]
        for one in given if isinstance(given, list | tuple) else ():
            if one not in names:
                near = nearest(str(one), names)
                told = f"did you mean {near}?" if near else f"there are {', '.join(names)}"
                raise ValueError(f"has {one!r}, which nothing is known of: {told}")
        return given

    @field_validator("allow")
    @classmethod
    def _are_changes(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        kinds = [kind.value for kind in ChangeKind]
        for one in given:
            kind, _, name = one.partition(" ")
            if kind not in kinds:
                near = nearest(kind, kinds)
                told = f"did you mean {near}?" if near else f"there are {', '.join(kinds)}"
                raise ValueError(f"has {one!r}, which is no kind of change: {told}")
            if not name.strip():
                raise ValueError(f"has {one!r} without a name: write '{kind} NAME' or '{kind} *'")
        return given

    @model_validator(mode="after")
    def _asks_for_something(self) -> Gate:
        if not self.require and not self.rule:
            raise ValueError("asks for nothing: give it require or a rule")
        return self

    def allows(self, kind: ChangeKind, name: str) -> bool:
        """Return whether a change of the schema does not block."""
        return bool({f"{kind} {name}", f"{kind} {_EVERY}"} & set(self.allow))

    @property
    def confidence(self) -> float | None:
        """Return the lowest level that a rule asks for, 0 to 1; None where nothing is tested."""
        return min((rule.sure for rule in self.rule if rule.sure is not None), default=None)


def parse(tables: object, *, where: str) -> tuple[dict[str, Gate], list[str]]:
    """Return the gates of a `gates` table by name, and every fault of them.

    Args:
        tables: as TOML has them.
        where: the file, for what a fault says.
    """
    if not isinstance(tables, Mapping):
        return {}, [f"{where}: gates is a table of gates: [gates.default]"]
    found: dict[str, Gate] = {}
    faults: list[str] = []
    for name, table in tables.items():
        try:
            found[name] = _gate(name, table)
        except ValidationError as error:
            at = f"{where}: gates.{name}"
            faults += [_fault(one, at) for one in error.errors()]
    return found, faults


def read(file: Path) -> dict[str, Gate]:
    """Return the gates that a TOML file declares, by name.

    They stand under `[gates.NAME]` as in brinery.toml; or the file is one gate, named as it is.

    Raises:
        InvalidGate: every fault at once, each with its key.
    """
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidGate(
            f"{file} cannot be read: {error.strerror}", hint=f"ls -l {file} shows what is there"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidGate(
            f"{file} is not valid TOML: {error}", hint=one_key_a_line(file) or _HINT
        ) from None
    if "gates" in declared:
        found, faults = parse(declared["gates"], where=str(file))
    else:
        found, faults = {}, []
        try:
            found = {file.stem: _gate(file.stem, declared)}
        except ValidationError as error:
            faults = [_fault(one, f"{file}: ") for one in error.errors()]
    if faults:
        raise InvalidGate("; ".join(faults), hint=_HINT)
    if not found:
        raise InvalidGate(f"{file} declares no gate", hint=_HINT)
    return found


def one_key_a_line(file: Path) -> str:
    """Return what to do about a file that parts its keys by semicolons; empty where none does."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'|#.*", "", file.read_text(encoding="utf-8", errors="replace"))
    return "give each key a line of its own: TOML knows no ';'" if ";" in bare else ""


def chosen(asked: str | None, declared: Mapping[str, Gate]) -> Gate:
    """Return the gate that is asked for.

    Args:
        asked: the name of one that is declared; a file, or `FILE:NAME`; the default when None.
        declared: the gates of the settings, by name; the built-in default need not be among them.

    Raises:
        InvalidGate: the file declares none as it must, or several, and which is not said.
        NotFound: there is no such gate, or file.
    """
    known = {DEFAULT: BUILT_IN, **declared}
    name = DEFAULT if asked is None else asked
    if name in known:
        return known[name]
    file, _, wanted = name.rpartition(":") if not name.endswith(".toml") else (name, "", "")
    if not (file.endswith(".toml") or Path(name).is_file()):
        near = nearest(name, known)
        raise NotFound(
            f"there is no gate '{name}'",
            hint=f"did you mean --gate {near}?"
            if near
            else f"there are {', '.join(sorted(known))}; or name a file: --gate gate.toml",
        )
    path = Path(file or name)
    if not path.is_file():
        raise NotFound(f"there is no file {path}", hint="name a gate of brinery.toml, or a file")
    return _of_file(path, wanted, read(path))


def _of_file(path: Path, wanted: str, found: Mapping[str, Gate]) -> Gate:
    name = wanted or (next(iter(found)) if len(found) == 1 else DEFAULT)
    if name in found:
        return found[name]
    names = ", ".join(found)
    near = nearest(name, found) if wanted else None
    if wanted:
        hint = f"did you mean --gate {path}:{near}?" if near else f"it declares {names}"
        raise NotFound(f"{path} declares no gate '{wanted}'", hint=hint)
    raise InvalidGate(
        f"{path} declares {names}, and which is meant is not said",
        hint=f"--gate {path}:{next(iter(found))}",
    )


def _gate(name: str, table: object) -> Gate:
    given = dict(table) if isinstance(table, Mapping) else table
    if isinstance(given, dict):
        # A gate is called as its table is; a key of that name would be another gate's.
        given = {("name " if key == "name" else key): value for key, value in given.items()}
        given["name"] = name
    return Gate.model_validate(given)


def _fault(fault: Any, at: str) -> str:
    """Return what is wrong, with its key."""
    place: tuple[str | int, ...] = tuple(fault["loc"])
    parts = [f"[{one + 1}]" if isinstance(one, int) else f".{one.strip()}" for one in place]
    path = "".join(parts)
    where = f"{at}{path.lstrip('.')}" if at.endswith(" ") else f"{at}{path}"
    where = where.removesuffix(": ")
    if fault["type"] == "extra_forbidden":
        fields = Rule.model_fields if "rule" in place[:-1] else set(Gate.model_fields) - {"name"}
        near = nearest(str(place[-1]), fields)
        return f"{where} is not known" + (f": did you mean {near}?" if near else "")
    if fault["type"] == "value_error":
        return f"{where} {fault['ctx']['error']}"
    return f"{where}: {fault['msg'].lower().replace('tuple', 'list')}"


# Better, rather than not much worse: models that are each a little worse than the one before would
# otherwise follow each other down, one margin at a time.
BUILT_IN: Final = Gate(
    name=DEFAULT,
    require=(
        Requirement.PARITY,
        Requirement.SCHEMA_COMPATIBLE,
        Requirement.NO_DANGEROUS_GLOBALS,
    ),
    rule=(Rule(metric=HEADLINE, versus="champion", better_by=0.0, confidence=CONFIDENCE),),
)
