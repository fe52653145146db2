"""The values of one job file, where each stands, and what was set from outside; and their check.

A `Source` knows no meaning: it has values, lines, faults and notes. `checked` makes a model of a
part of it, as far as that goes: what is at fault is told and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import Struct, field

from brinery.errors import InvalidJob
from brinery.specs import part_reader, yaml_file
from brinery.specs.names import nearest
from brinery.specs.parts import Part
from brinery.specs.yaml_file import Dialect, Place, Refusal

_REFUSAL: Final = Refusal(InvalidJob, "docs/how-to/job.md shows how a job is written")
_SET: Final = 0
_ROUNDS: Final = 20
_KEY: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

_Part = TypeVar("_Part", bound=Part)


class Findings(Struct):
    """What was found while a job and all it names were read.

    Attributes:
        faults: each `file:line path: what is wrong`, in the order of files and lines.
        notes: each likewise: what is accepted and means nothing, or something else, here.
        files: what was read, and links that were followed, absolute.
    """

    faults: list[tuple[str, int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def told(self) -> list[str]:
        """Return the faults as lines, each once; those of a file by its lines."""
        order = {name: at for at, name in enumerate(dict.fromkeys(one[0] for one in self.faults))}
        sorted_faults = sorted(self.faults, key=lambda one: (order[one[0]], one[1]))
        return list(dict.fromkeys(_line(*one) for one in sorted_faults))

    def raise_if_any(self) -> None:
        """Raise what was found.

        Raises:
            InvalidJob: with every fault, a line each.
        """
        lines = self.told()
        if len(lines) == 1:
            raise _REFUSAL.of(lines[0])
        if lines:
            raise _REFUSAL.of("\n".join((f"{len(lines)} faults", *lines)))


def _line(name: str, line: int, text: str) -> str:
    return f"{name}:{line} {text}" if line else f"--set {text}"


class Source(Struct):
    """One file.

    Attributes:
        name: as it is told in messages.
        folder: absolute, that its relative paths begin in.
        stated: its values.
        lines: the line of each, from 1; 0 where it was set from outside.
        found: where faults and notes go.
        prefix: what its places begin with in messages; of a component that is written in place.
    """

    name: str
    folder: Path
    stated: dict[str, Any]
    lines: dict[Place, int]
    found: Findings
    prefix: Place = ()

    def line(self, place: Place) -> int:
        """Return the line of a value, or of the nearest that is about it."""
        known = (*self.prefix, *place)
        while known not in self.lines and known:
            known = known[:-1]
        return self.lines.get(known, 1)

    def at(self, place: Place) -> str:
        """Return where a value stands: `pipeline.yml:31`."""
        line = self.line(place)
        return f"{self.name}:{line}" if line else f"{self.name} (--set)"

    def fault(self, place: Place, text: str) -> None:
        """Keep what is wrong with a value."""
        told = (*self.prefix, *place)
        said = f"{dotted(told)}: {text}" if told else text
        self.found.faults.append((self.name, self.line(place), said))

    def note(self, place: Place, text: str) -> None:
        """Keep what is accepted and means nothing, or something else, here."""
        told = (*self.prefix, *place)
        said = f"{dotted(told)}: {text}" if told else text
        line = _line(self.name, self.line(place), said)
        if line not in self.found.notes:
            self.found.notes.append(line)

    def within(self, place: Place, stated: dict[str, Any]) -> Source:
        """Return a part of it as a source of its own."""
        return Source(
            self.name, self.folder, stated, self.lines, self.found, (*self.prefix, *place)
        )

    def checked(
        self, model: type[_Part], stated: object, *, place: Place = (), lenient: bool | None = None
    ) -> _Part:
        """Return values as a model has them; what is at fault is told and absent.

        Args:
            model: what they are read as.
            stated: the values.
            place: where they stand.
            lenient: whether unknown fields are noted at any depth, and no faults; as their own
                models say when None.
        """
        if not isinstance(stated, dict):
            self.fault(place, f"is {_kind(stated)}, where keys and values are expected")
            return model()
        made, unknown = part_reader.read(model, stated), list[Place]()
        if made is None:
            made = self._right(model, stated, place=place, unknown=unknown)
        for where in unknown:
            self._unknown(where, made, place, lenient=lenient)
        for where, text in _empty(made, stated, ()):
            self.fault((*place, *where), text)
        return made

    def _right(
        self, model: type[_Part], stated: dict[str, Any], *, place: Place, unknown: list[Place]
    ) -> _Part:
        """Return what is right of values; what is not is told, or kept as unknown."""
        # Pydantic takes as long to import as a small job to plan, and most files are right.
        models = import_module("brinery.specs.part_models")
        left = stated
        for _ in range(_ROUNDS):
            made: _Part
            made, faults = models.read(model, left)
            if not faults:
                return made
            left = self._pruned(left, faults, place=place, unknown=unknown)
        return model()

    def _pruned(
        self,
        stated: dict[str, Any],
        faults: list[Any],
        *,
        place: Place,
        unknown: list[Place],
    ) -> Any:
        """Return the values without those that are at fault, which are told or kept as unknown."""
        left: Any = stated
        gone: set[Place] = set()
        for each in reversed(faults):
            where = _found_at(each["loc"], stated)
            if any(where[:depth] in gone for depth in range(len(where) + 1)):
                continue
            gone.add(where)
            left = _without(left, where)
            if each["type"] == "extra_forbidden":
                unknown.append(where)
            else:
                self.fault((*place, *where), _told(each))
        return left

    def _unknown(self, where: Place, made: Part, place: Place, *, lenient: bool | None) -> None:
        owner: Any = made
        for key in where[:-1]:
            held: Any = owner
            owner = held[key] if isinstance(owner, (dict, list)) else getattr(owner, str(key))
        known = owner.fields.values() if isinstance(owner, Part) else ()
        near = nearest(str(where[-1]), [one.key for one in known])
        said = f" (did you mean {near}?)" if near else ""
        own = bool(getattr(owner, "lenient", False))
        # What is strict is strict where it is declared; what it holds decides for itself.
        if lenient or (own and not (lenient is False and len(where) == 1)):
            self.note((*place, *where), f"is not known here, and means nothing{said}")
            return
        self.fault((*place, *where), f"is not known{said}")


class Spot(NamedTuple):
    """A value of a file, and where faults of it are told.

    Attributes:
        source: the file.
        place: of the value in it.
    """

    source: Source
    place: Place = ()

    def at(self, *keys: str | int) -> Spot:
        """Return the spot of a value within."""
        return Spot(self.source, (*self.place, *keys))

    def fault(self, text: str) -> None:
        """Keep what is wrong with it."""
        self.source.fault(self.place, text)

    def note(self, text: str) -> None:
        """Keep what is accepted of it and means nothing, or something else, here."""
        self.source.note(self.place, text)


def read(file: Path, *, found: Findings, name: str = "", sets: Sequence[str] = ()) -> Source:
    """Return the values of a file, those that are set from outside among them.

    Args:
        file: of at most a megabyte.
        found: where its faults and notes go.
        name: that it is told by; the path when empty.
        sets: each `a.b.c=value`; a value is read as in the file, `x[0].y` is about the first of x.

    Raises:
        InvalidJob: it cannot be read, is no YAML, or declares nothing.
    """
    shown = name or str(file)
    stated, document = yaml_file.values(file, refusal=_REFUSAL, dialect=Dialect.FOREIGN)
    folder = file.parent.resolve()
    found.files.append(file.absolute())
    if stated is None:
        raise _REFUSAL.of(f"{shown} is empty")
    if not isinstance(stated, dict):
        raise _REFUSAL.of(f"{shown}:1 is {_kind(stated)}, where keys and values are expected")
    source = Source(shown, folder, stated, document.lines, found)
    for line, text in document.faults:
        found.faults.append((shown, line, text))
    for each in sets:
        _set(source, each)
    return source


def _set(source: Source, given: str) -> None:
    """Set one value from outside."""
    path, equals, text = given.partition("=")
    keys = [int(at) if at else key for key, at in _KEY.findall(path)]
    if not equals or not keys or isinstance(keys[0], int):
        source.found.faults.append((source.name, _SET, f"{given}: is not KEY.KEY=VALUE"))
        return
    holder: Any = source.stated
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if isinstance(holder, list) and isinstance(key, int):
            if key > len(holder):
                source.found.faults.append(
                    (source.name, _SET, f"{path}: there are {len(holder)} values before [{key}]")
                )
                return
            if key == len(holder):
                holder.append(None)
        elif not isinstance(holder, dict):
            said = dotted(tuple(keys[:depth]))
            source.found.faults.append(
                (source.name, _SET, f"{path}: {said} is {_kind(holder)}, and has nothing within")
            )
            return
        else:
            key = str(key)  # noqa: PLW2901 - a key that is a number
            holder.setdefault(key, None)
        if last:
            holder[key] = yaml_file.value(text)
            _mark(source, tuple(keys), holder[key])
        else:
            if holder[key] is None:
                after = keys[depth + 1]
                holder[key] = [] if isinstance(after, int) else {}
                source.lines[tuple(keys[: depth + 1])] = _SET
            holder = holder[key]


def _mark(source: Source, place: Place, stated: object) -> None:
    source.lines[place] = _SET
    inner: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(stated, dict):
        inner = iter(stated.items())
    elif isinstance(stated, list):
        inner = iter(enumerate(stated))
    for key, value in inner:
        _mark(source, (*place, key), value)


def dotted(place: Place) -> str:
    """Return a place as it is read: `jobs.train.inputs.rate`, `values[0]`."""
    parts = [f"[{one}]" if isinstance(one, int) else f".{one}" for one in place]
    return "".join(parts).removeprefix(".")


def _kind(stated: object) -> str:
    if stated is None:
        return "empty"
    if isinstance(stated, list):
        return "a list"
    if isinstance(stated, dict):
        return "a mapping"
    return f"the value {stated!r}"


def _found_at(loc: tuple[int | str, ...], stated: Any) -> Place:
    """Return the place that a fault of Pydantic is about.

    What Pydantic adds to a place, such as the name of one of several types, stands in no file.
    """
    place: list[str | int] = []
    held: Any = stated
    for one in loc:
        known = range(len(held)) if isinstance(held, list) else held
        if isinstance(held, (dict, list)) and one in known:
            inner: Any = held
            held = inner[one]
            place.append(one)
    return tuple(place)


def _told(fault: Any) -> str:  # noqa: PLR0911 - one for each kind
    """Return what is wrong, of a fault of Pydantic."""
    given, kind = fault["input"], fault["type"]
    if given is None:
        return "is empty"
    match kind:
        case "literal_error":
            known = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
            near = nearest(str(given), known)
            said = f" (did you mean {near}?)" if near else ""
            return f"{given!r} is none of {', '.join(sorted(known))}{said}"
        case "value_error":
            return str(fault["ctx"]["error"])
        case "string_type":
            quoted = isinstance(given, (int, float))
            hint = f': write it in quotes, "{given}"' if quoted else ""
            return f"is {_kind(given)}, where a text is expected{hint}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"is {_kind(given)}, where keys and values are expected"
        case "list_type":
            return f"is {_kind(given)}, where a list is expected"
        case "bool_type" | "bool_parsing":
            return f"is neither true nor false: {given!r}"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"is no whole number: {given!r}"
        case "float_type" | "float_parsing":
            return f"is no number: {given!r}"
    return str(fault["msg"]).lower()


def _empty(made: Part, stated: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield what must be there and is not, and what is there without a value."""
    for name in made.needed:
        if name not in stated:
            yield place, f"{name} is missing"
    for name, (key, _) in made.fields.items():
        if key not in stated:
            continue
        inner, value = stated[key], getattr(made, name)
        if inner is None and key not in made.nullable:
            yield (*place, key), "is empty"
        elif isinstance(value, Part):
            yield from _empty(value, inner, (*place, key))
        elif isinstance(value, dict):
            for one, part in value.items():
                if isinstance(part, Part):
                    yield from _empty(part, inner[one], (*place, key, one))


def _without(stated: Any, place: Place) -> Any:
    """Return values without the one at a place."""
    if not place:
        return {}
    key, *rest = place
    if isinstance(stated, list):
        kept = list(stated)
        if rest:
            kept[int(key)] = _without(kept[int(key)], tuple(rest))
        else:
            del kept[int(key)]
        return kept
    if rest:
        return {**stated, key: _without(stated[key], tuple(rest))}
    return {name: one for name, one in stated.items() if name != key}
