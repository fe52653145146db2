"""What a job file declares, in general: a part, its fields, and the marks of what is special there.

A field is declared once, as an annotation with a default. `part_reader` makes parts of values that
are plainly right; `part_models` makes them of all others, or says what is wrong. Annotations are
looked at when a file is read, so the modules that declare parts do not put them off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView, Mapping
from inspect import get_annotations
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    NoReturn,
    Self,
    dataclass_transform,
    get_args,
    get_origin,
)


class Field(NamedTuple):
    """A field of a kind of part.

    Attributes:
        key: its name in files.
        annotation: what it holds.
    """

    key: str
    annotation: Any


class Key:
    """Marks a field that has another name in files.

    Args:
        name: the one there.
    """

    def __init__(self, name: str) -> None:
        self.name = name


class Before:
    """Marks a value that is changed before it is looked at.

    Args:
        change: returns what it is looked at as; raises a ValueError that says what is wrong.
        takes: the types of values that are changed, or refused.
        written: what an editor takes, in words of JSON Schema; empty for what it becomes.
    """

    def __init__(
        self,
        change: Callable[[Any], object],
        takes: tuple[type, ...],
        *,
        written: tuple[str, ...] = (),
    ) -> None:
        self.change = change
        self.takes = takes
        self.written = written


class Tag:
    """Names one of several kinds.

    Args:
        name: begins with `~`, as no key of a file does.
        shown: whether an editor offers it.
    """

    def __init__(self, name: str, *, shown: bool = True) -> None:
        self.name = name
        self.shown = shown


class Chosen:
    """Marks a value that is one of several kinds, each of which has a tag.

    Args:
        by: returns the name of a value's tag.
    """

    def __init__(self, by: Callable[[object], str]) -> None:
        self.by = by


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Part:
    """Something that is declared. It holds what was stated; all else is the default of its class.

    Attributes:
        needed: the fields that must be there.
        lenient: whether an unknown field is noted, and no fault.
        nullable: the fields that may be there and empty.
        fields: all fields by name, those of what it extends first.
    """

    needed: ClassVar[tuple[str, ...]] = ()
    lenient: ClassVar[bool] = False
    nullable: ClassVar[tuple[str, ...]] = ()
    fields: ClassVar[Mapping[str, Field]] = {}

    def __init_subclass__(cls) -> None:
        cls.fields = dict(_declared(cls))

    def __init__(self, **stated: Any) -> None:
        if unknown := stated.keys() - self.fields.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        self.__dict__.update(stated)

    @property
    def stated(self) -> KeysView[str]:
        """Return the names of the fields that were stated, be it without a value."""
        return self.__dict__.keys()

    def but(self, **changes: Any) -> Self:
        """Return the same with other values of some fields."""
        return type(self)(**{**self.__dict__, **changes})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} is not changed: use but()")

    def __hash__(self) -> int:
        return hash((type(self), *sorted(self.__dict__)))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        stated = ", ".join(f"{name}={value!r}" for name, value in sorted(self.__dict__.items()))
        return f"{type(self).__name__}({stated})"


def _declared(kind: type[Part]) -> Iterator[tuple[str, Field]]:
    for base in reversed(kind.__mro__):
        annotations: dict[str, Any] = get_annotations(base) if base is not Part else {}
        for name, annotation in annotations.items():
            origin: Any = get_origin(annotation)
            if origin is ClassVar:
                continue
            marks = get_args(annotation)[1:] if origin is Annotated else ()
            keys = [mark.name for mark in marks if isinstance(mark, Key)]
            yield name, Field(keys[0] if keys else name, annotation)
