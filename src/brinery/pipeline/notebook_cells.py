"""The cells of a notebook, or of a script with `# %%` marks, as plain Python.

What only IPython understands (`%matplotlib inline`, `!pip install`, `df?`) becomes a comment.
Only where a statement may begin is it looked for: a `%` that goes on with an expression, or stands
in a text, is Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from brinery.errors import InvalidNotebook

MARK: Final = "# brinery: "
KEPT: Final = "#| "

_OLDEST: Final = 4
_BODY_MAGICS: Final = {"time", "timeit", "capture", "prun", "memit", "mprun", "snakeviz"}
_CELL_MAGIC: Final = re.compile(r"%%(\w+)")
_MAGIC_LINE: Final = re.compile(r"\s*(?:%{1,2}[A-Za-z_]|!|\?{1,2}[A-Za-z_])|\s*[\w.%]+\?{1,2}\s*$")
_MAGIC_VALUE: Final = re.compile(r"\s*[A-Za-z_][\w., ]*=\s*(?:!|%[A-Za-z_])")
_SHELL: Final = re.compile(r"\s*get_ipython\(\)\.(?:run_line_magic|run_cell_magic|system|magic)\(")
_TIMED: Final = re.compile(r"\s*%time\s+(\S.*)")
_SCRIPT_MARK: Final = re.compile(r"# (?:%%|In\[[\d ]*\]:)")
_TOKEN: Final = re.compile(
    r"""(?P<long>[rRbBuUfF]{0,2}(?:'''|\"\"\"))|(?P<short>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"|(?P<comment>\#.*)|(?P<open>[(\[{])|(?P<close>[)\]}])"
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    Attributes:
        number: from 1, over all cells.
        code: whether it is code; otherwise it is prose.
        text: of it.
    """

    number: int
    code: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """The cells, and the Python that they were written for.

    Attributes:
        cells: in order.
        python: such as `3.11.4`; empty where it is not said.
    """

    cells: tuple[Cell, ...]
    python: str = ""


def read(text: str, name: str) -> Notebook:
    """Return what a notebook or a script holds.

    Args:
        text: of the file.
        name: of the file; `.ipynb` is a notebook, all else a script.

    Raises:
        InvalidNotebook: it is no notebook, an old one, or one of another language.
    """
    return _notebook(text, name) if name.endswith(".ipynb") else Notebook(cells=_script_cells(text))


def _notebook(text: str, name: str) -> Notebook:
    try:
        found: Any = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidNotebook(f"{name} is no notebook: {error}") from None
    if not isinstance(found, dict) or "nbformat" not in found:
        raise InvalidNotebook(f"{name} is no notebook: it has no nbformat")
    if found["nbformat"] != _OLDEST or not isinstance(found.get("cells"), list):
        raise InvalidNotebook(
            f"{name} is a notebook of format {found['nbformat']}; format {_OLDEST} is read",
            hint=f"jupyter nbconvert --to notebook --nbformat 4 {name}",
        )
    about = found.get("metadata") or {}
    language = (about.get("kernelspec") or {}).get("language", "python")
    told = about.get("language_info") or {}
    if "python" not in {str(language).lower(), str(told.get("name", "")).lower()}:
        raise InvalidNotebook(f"{name} is a notebook of {language}: only Python is converted")
    cells = tuple(
        Cell(
            number=number,
            code=cell.get("cell_type") == "code",
            text=_joined(cell.get("source", "")),
        )
        for number, cell in enumerate(found["cells"], 1)
        if isinstance(cell, dict) and cell.get("cell_type") in {"code", "markdown"}
    )
    return Notebook(cells=cells, python=str(told.get("version", "")))


def _joined(source: object) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _script_cells(text: str) -> tuple[Cell, ...]:
    """Return the cells of a script; all of it is one where it has no marks."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if _SCRIPT_MARK.match(line):
            parts.append([])
        else:
            parts[-1].append(line)
    texts = ["\n".join(lines).strip("\n") for lines in parts]
    return tuple(
        Cell(number=number, code=True, text=one)
        for number, one in enumerate((one for one in texts if one.strip()), 1)
    )


def plain(cell: Cell) -> Cell:
    """Return a cell of code without what only IPython understands; that stands in comments."""
    lines = cell.text.rstrip().splitlines()
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return replace(cell, text="")
    magic = _CELL_MAGIC.match(lines[first])
    if magic is not None and magic.group(1) not in _BODY_MAGICS:
        return replace(cell, text="\n".join(commented(lines, "magic", number=cell.number)))
    return replace(cell, text="\n".join(_without_magic(lines, cell.number)))


def _without_magic(lines: list[str], number: int) -> Iterator[str]:
    within = _Within()
    continued = ""
    for line in lines:
        begins = within.at_start
        if continued or (begins and _is_magic(line)):
            yield from _magic(line, number, first=not continued)
            continued = line if line.endswith("\\") else ""
            continue
        within.read(line)
        yield line


def _is_magic(line: str) -> bool:
    return any(kind.match(line) for kind in (_MAGIC_LINE, _MAGIC_VALUE, _SHELL))


def _magic(line: str, number: int, *, first: bool) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip())]
    if first:
        # A block must not become empty.
        yield from [f"{indent}pass"] if indent else []
        yield f"{indent}{MARK}magic (cell {number})"
    yield f"{indent}{KEPT}{line.strip()}"
    timed = _TIMED.match(line)
    if timed is not None:
        yield f"{indent}{timed.group(1)}"


def commented(lines: list[str], rule: str, *, number: int) -> list[str]:
    """Return lines as a comment that `restored` undoes; they keep the indent of the first."""
    filled = [line for line in lines if line.strip()]
    indent = min((line[: len(line) - len(line.lstrip())] for line in filled), key=len, default="")
    body = [f"{indent}{KEPT}{line[len(indent) :]}".rstrip() for line in lines]
    return [f"{indent}{MARK}{rule} (cell {number})", *body]


class _Within:
    """Whether the next line begins a statement: no bracket, text or continued line is open."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""
        self._continued = False

    @property
    def at_start(self) -> bool:
        return not (self._depth or self._quote or self._continued)

    def read(self, line: str) -> None:
        at = 0
        self._continued = False
        while at < len(line):
            if self._quote:
                end = _end_of_text(line, self._quote, at)
                if end < 0:
                    return
                at, self._quote = end, ""
                continue
            found = _TOKEN.search(line, at)
            if found is None or found["comment"] is not None:
                break
            at = found.end()
            if found["long"] is not None:
                self._quote = found["long"][-3:]
            self._depth += (found["open"] is not None) - (found["close"] is not None)
        commented_out = at < len(line) and "#" in line[at:]
        self._continued = line.endswith("\\") and not commented_out


def _end_of_text(line: str, quote: str, begin: int) -> int:
    at = begin
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    return -1
