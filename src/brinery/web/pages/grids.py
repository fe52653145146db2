"""Tables that are sorted, filtered and cut into pages by the server, and downloaded as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from brinery.charts.words import ago
from brinery.web.pages.frame import clock
from brinery.web.pages.tokens import url

PER_PAGE: Final = 50
MOST_AS_CSV: Final = 100_000
_MOST_PER_PAGE: Final = 500
_LONGEST: Final = 200
_AT_ONCE: Final = 500
# What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# A number, and its interval, which is none.
_NUMBER: Final = re.compile(r"[-+][\d.,]+(e[-+]?\d+)?( [\w .,()%-]*)?")

_Row = TypeVar("_Row")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        name: in the URL that sorts by it.
        title: over it.
        number: whether its cells are numbers, and stand on the right.
        sortable: whether one can sort by it.
    """

    name: str
    title: str
    number: bool = False
    sortable: bool = True


# Boxes to be ticked, for a form on the page; a file has none.
TICKS: Final = Column(name="choice", title="", sortable=False)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What stands at a place of a table.

    Attributes:
        text: that is read.
        href: where it leads; nowhere where it is empty.
        kind: `good`, `bad`, `warning`, `quiet`, `code` or nothing.
        title: shown when it is pointed at.
        choice: of a box to be ticked, for a form on the page: its field and its value; the text
            then says what is chosen.
        plain: what stands in a file, where that is not the text.
    """

    text: str
    href: str = ""
    kind: str = ""
    title: str = ""
    choice: tuple[str, str] | None = None
    plain: str = ""


def moment(at: datetime | None) -> Cell:
    """Return a time as how long ago it was; in a file it is the time itself, in UTC."""
    if at is None:
        return Cell(text="")
    return Cell(text=ago(at), title=f"{clock(at)} UTC", plain=clock(at))


def count(many: int) -> Cell:
    """Return a number of things, its thousands apart; not in a file."""
    return Cell(text=f"{many:,}", plain=str(many))


class Rows(Protocol):
    """Rows of cells, one for each column."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[Sequence[Cell]]:
        """Return them in turn."""


class Made(Generic[_Row]):
    """Rows whose cells are made as they are read, some at a time.

    Args:
        items: that the rows are about.
        cells: some of them to their rows.
    """

    def __init__(
        self,
        items: Sequence[_Row],
        cells: Callable[[Sequence[_Row]], Iterable[Sequence[Cell]]],
    ) -> None:
        self._items = items
        self._cells = cells

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Sequence[Cell]]:
        for start in range(0, len(self._items), _AT_ONCE):
            yield from self._cells(self._items[start : start + _AT_ONCE])


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a URL asks of a table.

    Attributes:
        path: of the page.
        search: words that are looked for.
        sort: name of the column it is sorted by.
        descending: whether the largest comes first.
        page: which, from 1.
        per_page: rows of each.
        others: further parameters of the page, which its links keep.
    """

    path: str
    search: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 1
    per_page: int = PER_PAGE
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def offset(self) -> int:
        """Return how many rows stand before this page's."""
        return (self.page - 1) * self.per_page

    def at(self, page: int) -> str:
        """Return the URL of another page of the table."""
        return replace(self, page=page).url()

    def by(self, column: str) -> str:
        """Return the URL of the same table by a column; by the same again, the other way round."""
        turned = self.sort == column and not self.descending
        return replace(self, sort=column, descending=turned, page=1).url()

    def url(self, **others: str) -> str:
        """Return its own URL."""
        return url(
            self.path,
            {
                **self.others,
                "q": self.search,
                "sort": f"-{self.sort}" if self.descending and self.sort else self.sort,
                "page": "" if self.page == 1 else str(self.page),
                "per": "" if self.per_page == PER_PAGE else str(self.per_page),
                **others,
            },
        )


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A page of a table.

    Attributes:
        name: of it, in the page and in the file that is downloaded.
        columns: of it.
        rows: of cells, one for each column.
        total: how many rows there are on all its pages, as far as they were counted.
        asked: what it answers.
        open_ended: whether there are more than were counted.
        empty: what is said where there are none, and the command that makes the first.
    """

    name: str
    columns: Sequence[Column]
    rows: Rows
    total: int
    asked: Asked
    open_ended: bool = False
    empty: str = ""

    @property
    def pages(self) -> int:
        """Return how many pages there are; one at least."""
        return max(1, -(-self.total // self.asked.per_page))

    @property
    def as_file(self) -> str:
        """Return what is said of the file of it."""
        return f"All rows that match, {MOST_AS_CSV:,} at most"

    @property
    def first(self) -> int:
        """Return the number of its first row, from 1; 0 where there is none."""
        return self.asked.offset + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Return the number of its last row."""
        return self.asked.offset + len(self.rows) if self.rows else 0


def asked_of(
    request: Request, columns: Sequence[Column], *, sort: str = "", others: Iterable[str] = ()
) -> Asked:
    """Return what a request asks of a table; what makes no sense is not listened to.

    A file is asked for whole, whatever page is looked at: `MOST_AS_CSV` rows at most.

    Args:
        request: whose URL says it.
        columns: of the table.
        sort: column it is sorted by where nothing is said; `-` before it for the largest first.
        others: names of further parameters of the page.
    """
    query = request.query_params
    names = {one.name for one in columns if one.sortable}
    told, whole = query.get("sort", sort), wants_csv(request)
    if told.removeprefix("-") not in names:
        told = sort
    return Asked(
        path=request.url.path,
        search=query.get("q", "")[:_LONGEST].strip(),
        sort=told.removeprefix("-"),
        descending=told.startswith("-"),
        page=1 if whole else _number(query.get("page"), 1, most=10**6),
        per_page=MOST_AS_CSV if whole else _number(query.get("per"), PER_PAGE, most=_MOST_PER_PAGE),
        others={name: query[name] for name in others if query.get(name)},
    )


def shown(rows: Sequence[_Row], asked: Asked, *, keys: Mapping[str, Any]) -> list[_Row]:
    """Return the rows of the page that is asked for, of a list that is all in memory.

    Args:
        rows: all that match.
        asked: what the URL says.
        keys: name of a column to a function of a row, which gives what is compared; rows for which
            it gives None come last.
    """
    key = keys.get(asked.sort)
    if key is None:
        ordered = list(rows)
    else:
        there = [row for row in rows if key(row) is not None]
        there.sort(key=key, reverse=asked.descending)
        ordered = there + [row for row in rows if key(row) is None]
    return ordered[asked.offset : asked.offset + asked.per_page]


def wants_csv(request: Request) -> bool:
    """Return whether a table is to be downloaded, and not shown."""
    return request.query_params.get("format") == "csv"


def as_csv(grid: Grid, rows: Iterable[Sequence[Cell]] | None = None) -> Response:
    """Return a table as a file, told as it is made; no cell of it is taken for a formula.

    Args:
        grid: the table.
        rows: of the file, where those of the table are a page of them only.
    """
    return StreamingResponse(
        _lines(grid.columns, grid.rows if rows is None else rows),
        media_type="text/csv",
        headers={
            "content-disposition": f'attachment; filename="{grid.name}.csv"',
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
        },
    )


def fetched(
    fetch: Callable[[int, int], Sequence[_Row]], *, key: Callable[[_Row], Hashable]
) -> Iterator[_Row]:
    """Return what a store gives some at a time, each once: `MOST_AS_CSV` at most.

    Args:
        fetch: how many are left out, and how many are wanted, to those.
        key: by which one is known: where another comes meanwhile, the last is given again.
    """
    told: set[Hashable] = set()
    for offset in range(0, MOST_AS_CSV, _AT_ONCE):
        found = fetch(offset, _AT_ONCE)
        if not found:
            return
        yield from (one for one in found if key(one) not in told)
        told.update(key(one) for one in found)


def _lines(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Return the lines of a file, some at a time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    kept = [at for at, column in enumerate(columns) if column != TICKS]
    writer.writerow([columns[at].title for at in kept])
    for number, row in enumerate(rows, 1):
        writer.writerow([_harmless(row[at], columns[at]) for at in kept])
        if not number % _AT_ONCE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _harmless(cell: Cell, column: Column) -> str:
    text = cell.plain or cell.text
    if not text.startswith(_FORMULA) or (column.number and _NUMBER.fullmatch(text)):
        return text
    return f"'{text}"


def _number(text: str | None, default: int, *, most: int) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > len(str(most)):
        return default
    return min(max(int(text), 1), most)
