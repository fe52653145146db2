"""Tables: a file has all rows that match, and a page that is not there says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse
from tests.web.pages.conftest import Visitor
from tests.web.pages.made_jobs import plan_of, ran, sweep, write

from brinery.records.job import Status
from brinery.web.pages.grids import (
    MOST_AS_CSV,
    TICKS,
    Asked,
    Cell,
    Column,
    Grid,
    Made,
    as_csv,
    asked_of,
    count,
    fetched,
)

JOBS = 130


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """A visitor of a workspace with more jobs than two pages hold, a sweep among them."""
    folder = tmp_path_factory.mktemp("grids")
    for at in range(JOBS):
        plan = plan_of(["a"], name=f"job-{at:03}")
        write(folder, plan, [ran("a")], status=Status.FAILED if at % 10 == 0 else Status.COMPLETED)
    sweep(folder)
    return Visitor(folder)


def names(jobs: Visitor, query: str) -> list[str]:
    """Return the first cells of a file."""
    lines = jobs.get(f"/jobs?{query}&format=csv").text.splitlines()
    return [line.partition(",")[0] for line in lines[1:]]


@pytest.mark.parametrize("page", ["", "&page=2", "&per=10", "&page=99"])
def test_a_file_has_all_rows_that_match(jobs: Visitor, page: str) -> None:
    """Whatever page is looked at: sorted and filtered as it is, and nothing is left out."""
    made = [f"job-{at:03}" for at in range(JOBS)]
    assert names(jobs, f"q=job-&sort=job{page}") == made
    assert names(jobs, f"q=job-&sort=-job&state=failed{page}") == made[::10][::-1]


def test_a_file_of_trials_is_of_trials(jobs: Visitor) -> None:
    """Beside the trials of a sweep stand its trials, and not the steps of the job."""
    path = "/jobs/sweep?view=trials"
    assert "view=trials&amp;sort=metric&amp;format=csv" in jobs.get(path).text
    lines = jobs.get(f"{path}&format=csv").text.splitlines()
    assert len(lines) == 1 + 6
    assert "2 (best)" in lines[1]


def test_a_page_beyond_the_last_leads_back(jobs: Visitor) -> None:
    """It does not say that there is nothing yet; a filter that lets nothing through says that."""
    beyond = jobs.get("/jobs?page=9").text
    assert "There is no page 9" in beyond
    assert "There is no job yet" not in beyond
    assert 'href="/jobs?sort=-started">The first page' in beyond
    assert "No job is in this state" in jobs.get("/jobs?state=canceled").text


def test_times_in_a_file_are_times(jobs: Visitor) -> None:
    """How long ago it was would be wrong tomorrow."""
    assert ",2026-01-02 03:04:05," in jobs.get("/jobs?q=job-000&format=csv").text


def grid_of(rows: Sequence[Sequence[Cell]]) -> Grid:
    """Return a table of three columns, the first of which is of boxes."""
    columns = (TICKS, Column(name="a", title="A"), Column(name="b", title="B", number=True))
    return Grid(name="g", columns=columns, rows=rows, total=len(rows), asked=Asked(path="/"))


def told(answer: object) -> list[str]:
    """Return the lines of a file."""
    assert isinstance(answer, StreamingResponse)

    async def whole(body: StreamingResponse) -> bytes:
        return b"".join([bytes(part) async for part in body.body_iterator])  # type: ignore[arg-type]

    return asyncio.run(whole(answer)).decode().splitlines()


def test_a_file_has_no_boxes_and_no_formulas() -> None:
    """What a spreadsheet would run is a text there; numbers below zero stay numbers."""
    tick = Cell(text="compare", choice=("versions", "m@1"))
    cells = ("=1+1", "-3"), ("x", "-3"), ("x", "-2+3|' /C calc'!A0"), ("x", "-0.1 (-0.2 to 0.1)")
    lines = told(as_csv(grid_of([[tick, Cell(text=a), Cell(text=b)] for a, b in cells])))
    assert lines == ["A,B", "'=1+1,-3", "x,-3", "x,'-2+3|' /C calc'!A0", "x,-0.1 (-0.2 to 0.1)"]
    assert told(as_csv(grid_of([[tick, Cell(text=""), count(12_345)]])))[1] == ",12345"


def test_a_long_file_is_told_as_it_is_made() -> None:
    """Of a hundred thousand rows, no more than some are made before the first are told."""
    made: list[int] = []

    def cells(some: Sequence[int]) -> list[list[Cell]]:
        made.extend(some)
        return [[Cell(text=""), Cell(text="x"), count(one)] for one in some]

    answer = as_csv(grid_of([]), Made(range(MOST_AS_CSV), cells))
    assert isinstance(answer, StreamingResponse)

    async def first(body: StreamingResponse) -> bytes:
        async for part in body.body_iterator:
            return bytes(part)  # type: ignore[arg-type]
        return b""

    assert asyncio.run(first(answer)).startswith(b"A,B\r\nx,0\r\n")
    assert len(made) < MOST_AS_CSV / 50
    assert len(told(as_csv(grid_of([]), Made(range(MOST_AS_CSV), cells)))) == 1 + MOST_AS_CSV


def test_what_a_store_gives_in_parts_comes_whole_and_once() -> None:
    """One that came meanwhile moves the others on, and none of them is told twice."""
    held = list(range(1200, 0, -1))

    def fetch(offset: int, most: int) -> list[int]:
        if offset:
            held.insert(0, len(held) + 1)
        return held[offset : offset + most]

    assert list(fetched(fetch, key=lambda one: one)) == list(range(1200, 0, -1))


def test_a_file_has_an_end() -> None:
    """However many a store has, it is asked for what a file may have."""
    query = b"format=csv&page=3"
    scope = {"type": "http", "path": "/jobs", "query_string": query, "headers": []}
    asked = asked_of(Request(scope), ())
    assert (asked.page, asked.per_page) == (1, MOST_AS_CSV)
    many = fetched(lambda offset, most: range(offset, offset + most), key=lambda one: one)
    assert sum(1 for _ in many) == MOST_AS_CSV
