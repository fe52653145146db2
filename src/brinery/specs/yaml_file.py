"""A YAML file in which the user declares something: its values and their lines.

The text is YAML 1.2, whose `yes` and `no` are texts, without aliases; or, where a sibling says so,
the YAML 1.1 of files that other programs read too. What the values mean is the sibling's that reads
it; the sibling says which error is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from brinery.errors import UserError

_MAX_BYTES: Final = 1_000_000
_MAX_VALUES: Final = 200_000
_TAG: Final = "tag:yaml.org,2002:"

Place = tuple[str | int, ...]
Faults = Iterable[tuple[int, str]]
Plain = str | int | float | bool


class Dialect(StrEnum):
    """Which YAML a text is: ours, or that of files which other programs read too."""

    PLAIN = "1.2 without aliases"
    FOREIGN = "1.1"


class Refusal(NamedTuple):
    """How a file is refused.

    Attributes:
        error: what is raised.
        hint: what to read or do.
    """

    error: type[UserError]
    hint: str

    def of(self, message: str) -> UserError:
        """Return the error."""
        return self.error(message, hint=self.hint)


class Document(NamedTuple):
    """What is noted of a text while its values are read.

    Attributes:
        lines: the line of each value, by its path; from 1.
        faults: each with its line.
    """

    lines: dict[Place, int]
    faults: list[tuple[int, str]]


def values(
    file: Path, *, refusal: Refusal, dialect: Dialect = Dialect.PLAIN
) -> tuple[Any, Document]:
    """Return the values of a YAML file, and what is noted of it.

    Raises:
        UserError: it cannot be read, is no YAML, or more than its dialect has.
    """
    return _parsed(_text(file, refusal), file, refusal=refusal, dialect=dialect)


def value(text: str) -> Any:
    """Return what a text of YAML 1.1 says; the text itself where it is none."""
    try:
        root = yaml.compose(text, _FOREIGN)
        return _Reader({}, [], Dialect.FOREIGN).value(root, ())
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


def _text(file: Path, refusal: Refusal) -> str:
    try:
        with file.open("rb") as stream:
            given = stream.read(_MAX_BYTES + 1)
        text = given.decode("utf-8")
    except OSError as error:
        raise refusal.error(
            f"{file} cannot be read: {error.strerror}", hint=f"ls -l {file} shows what is there"
        ) from None
    except UnicodeDecodeError:
        raise refusal.of(f"{file} is not text in UTF-8") from None
    if len(given) > _MAX_BYTES:
        raise refusal.of(f"{file} is larger than {_MAX_BYTES:,} bytes")
    return text


class _Loader(yaml.SafeLoader):
    """Knows the plain values of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to say so


_Loader.add_implicit_resolver(f"{_TAG}null", re.compile(r"^(?:~|null|Null|NULL|)$"), None)
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:[Tt]rue|[Ff]alse|TRUE|FALSE)$"), None)
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(r"^[-+]?\d{1,18}$"), None)
_Loader.add_implicit_resolver(
    f"{_TAG}float", re.compile(r"^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d{1,3})?$"), None
)


# libyaml reads a pipeline of a thousand steps ten times as fast.
_FOREIGN: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Others would be objects, of Python or of somebody's own.
_TAGS: Final = frozenset(
    {"null", "bool", "int", "float", "str", "timestamp", "value", "merge", "seq", "map"}
)
_NUL: Final = "\0"
_SHOWN: Final = 40
_SCALARS: Final = yaml.constructor.SafeConstructor()


def _parsed(text: str, file: Path, *, refusal: Refusal, dialect: Dialect) -> tuple[Any, Document]:
    """Return the values of a YAML text, and what is noted of it.

    Raises:
        UserError: it is no YAML, or more than plain values.
    """
    reader = _Reader({}, [], dialect)
    try:
        if dialect is Dialect.PLAIN:
            if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, _Loader)):
                raise refusal.of(f"{file} has an alias (*name), which is not read")
            root = yaml.compose(text, _Loader)
        else:
            root = yaml.compose(text, _FOREIGN)
        found = reader.value(root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else f"{file}"
        raise refusal.of(f"{where}: no YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        said = f"the character U+{error.character:04X} is not allowed"
        raise refusal.of(f"{file}:{line}: no YAML: {said}") from None
    except RecursionError:
        raise refusal.of(f"{file} is no YAML: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        raise refusal.of(f"{file} is no YAML: {error}") from None
    return found, Document(reader.lines, reader.faults)


class _Reader:
    """Makes values of the nodes of a text, and notes where they stand."""

    def __init__(
        self, lines: dict[Place, int], faults: list[tuple[int, str]], dialect: Dialect
    ) -> None:
        self.lines = lines
        self.faults = faults
        self._foreign = dialect is Dialect.FOREIGN
        self._left = _MAX_VALUES
        self._open: set[int] = set()

    def value(self, node: Any, path: Place) -> Any:
        """Return the value of a node, and note the lines of what is in it.

        Raises:
            ValueError: an alias stands within what it names, or aliases make too much of a text.
        """
        if node is None:
            return None
        self._left -= 1
        if self._left < 0 or id(node) in self._open:
            raise ValueError("an alias (*name) makes too much of it")
        self.lines[path] = node.start_mark.line + 1
        if self._foreign and node.tag.removeprefix(_TAG) not in _TAGS:
            shown = node.tag.replace(_TAG, "!!")
            self.faults.append((node.start_mark.line + 1, f"the tag {shown} is not read"))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(one, (*path, at)) for at, one in enumerate(node.value)]
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: Any) -> Plain | None:
        """Return a value that is neither a list nor a mapping; one that cannot be is its text."""
        text = str(node.value)
        if not self._foreign:
            return _plain(node.tag, text)
        if _NUL in text:
            said = "has the character U+0000, which no program can be told"
            self.faults.append((node.start_mark.line + 1, f"{_shown(text)} {said}"))
            return text.replace(_NUL, "")
        try:
            return _scalar(node, text)
        except ValueError:
            whole = "whole " if node.tag == f"{_TAG}int" else ""
            said = f"{_shown(text)} is no {whole}number that can be read"
            self.faults.append((node.start_mark.line + 1, said))
            return text

    def _mapping(self, node: Any, path: Place) -> dict[str, Any]:
        lines, found = self.lines, dict[str, Any]()
        merged: dict[str, Any] = {}
        for key, stated in node.value:
            if self._foreign and key.tag == f"{_TAG}merge":
                for name, (line, one) in self._merged(stated, path).items():
                    lines.setdefault((*path, name), line)
                    merged.setdefault(name, one)
                continue
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(
                    (key.start_mark.line + 1, "a key is a text, and neither a list nor a mapping")
                )
                continue
            name = str(key.value).replace(_NUL, "")
            if name != key.value:
                said = "has the character U+0000, and is no key"
                self.faults.append((key.start_mark.line + 1, f"{_shown(key.value)} {said}"))
            if name in found:
                self.faults.append((key.start_mark.line + 1, f"'{name}' is said twice"))
            found[name] = self.value(stated, (*path, name))
            lines[*path, name] = key.start_mark.line + 1
        return merged | found

    def _merged(self, node: Any, path: Place) -> dict[str, tuple[int, Any]]:
        """Return what `<<:` brings: name to line and value; the first mapping wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, tuple[int, Any]] = {}
        for one in nodes:
            brought = self.value(one, path)
            if not isinstance(brought, dict):
                raise ValueError(f"line {node.start_mark.line + 1}: << takes a mapping")  # noqa: TRY004 - of the text
            for name, inner in brought.items():
                found.setdefault(name, (self.lines[*path, name], inner))
        return found


def _shown(text: str) -> str:
    """Return a text for a message: its beginning, where it is long."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _scalar(node: Any, text: str) -> Plain | None:
    """Return a value of YAML 1.1; a date stays the text that it is."""
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return bool(_SCALARS.construct_yaml_bool(node))
        case "int":
            return int(_SCALARS.construct_yaml_int(node))
        case "float":
            return float(_SCALARS.construct_yaml_float(node))
        case _:
            return text


def _plain(tag: str, text: str) -> Plain | None:
    match tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case _:
            return text
