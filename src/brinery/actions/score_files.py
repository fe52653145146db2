"""Score files: a registered version on data of any size, in blocks, to a file or to parts.

One thread reads, some score, the first one writes; between them wait no more blocks than there are
threads, so that memory is bounded whatever the data. Answers are written in the order of the data.
A folder of parts is resumed: what its journal tells of is not scored again.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Unpack

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from brinery.actions.answering import Answering
from brinery.actions.batch_plan import (
    BatchAsked,
    BatchOptions,
    BatchPlan,
    located,
    plan,
)
from brinery.actions.resume import PART_ROWS, all_there, by_file, changed_files, run_of
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import (
    BrineryError,
    ColumnMismatch,
    Fault,
    PredictionRefused,
    UserError,
)
from brinery.flavors import answer_columns
from brinery.flavors import tables as packed
from brinery.records.batch import BatchProgress, Part, ScoredFiles
from brinery.records.scores import Scores
from brinery.records.version import Version
from brinery.registry.interface import askable, resolve
from brinery.specs.reference import Reference
from brinery.store.datasets import Block
from brinery.store.parts import PartFolder, Whole, run_in
from brinery.store.tables import TableFormat

Done = Mapping[int, list[Part]]
Steps = Generator[BatchProgress, None, ScoredFiles]


def score_files(
    reference: str,
    *,
    data: Folder,
    output: Folder,
    workspace: Folder | None = None,
    on_progress: Callable[[BatchProgress], None] | None = None,
    **options: Unpack[BatchOptions],
) -> ScoredFiles:
    """Return what was made of data files by scoring them; memory is bounded whatever their size.

    Args:
        reference: which version.
        data: a csv, Parquet, Arrow or JSON lines file, a folder of them, or a pattern.
        output: a file; or a folder, which exists or ends in `/`, of parts. A run to a folder that
            was killed goes on where it was when it is asked for again.
        workspace: its folder; the nearest upwards when None.
        on_progress: called after each block of rows.
        options: `keep`, `sep`, `output_format`, `batch_rows`, `part_rows`, `workers` and
            `overwrite`, as `brinery predict` has them.

    Raises:
        UserError: the subclass says what is wrong; with the files' schemas, before a row is scored.
    """
    asked = BatchAsked.of(reference, data=data, output=output, options=options)
    steps = score_steps(open_rooms(workspace), asked)
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            result: ScoredFiles = end.value
            return result
        if on_progress is not None:
            on_progress(progress)


def score_steps(rooms: Rooms, asked: BatchAsked, *, stream: IO[bytes] | None = None) -> Steps:
    """Yield how far scoring files is, and return what was made.

    Args:
        rooms: of the workspace.
        asked: the version, the data, the output and how.
        stream: standard output, where the scores go if no output is named.

    Raises:
        UserError: the subclass says what is wrong; with the files' schemas, before a row is scored.
    """
    version = resolve(rooms.registry, Reference.parse(asked.reference))
    found = plan(asked, askable(version))
    if found.target.path is None or not found.target.folder:
        target = found.target.path or stream or sys.stdout.buffer
        return (yield from _to_one(rooms, version, asked=asked, found=found, target=target))
    return (yield from _to_parts(rooms, version, asked=asked, found=found))


def _to_one(
    rooms: Rooms, version: Version, *, asked: BatchAsked, found: BatchPlan, target: Path | IO[bytes]
) -> Steps:
    """Score to one file, which is there once it is complete, or to a stream."""
    workers = asked.workers or os.cpu_count() or 1
    with Answering(rooms, version, workers=workers) as answering:
        whole = Whole(target, found.target.form)
        sink = _OneSink(whole)
        job = _Job(found, answering, workers=workers, sink=sink, part_rows=PART_ROWS)
        try:
            yield from job.run({})
            whole.done()
        except _AtFault as fault:
            raise fault.error from None
        finally:
            whole.discard()
        return job.result(version.reference)


def _to_parts(rooms: Rooms, version: Version, *, asked: BatchAsked, found: BatchPlan) -> Steps:
    """Score to a folder of parts, or go on with it."""
    path = found.target.path or Path()
    before = run_in(path)
    run = run_of(version, asked, found=found, before=None if asked.overwrite else before)
    resumes = before is not None and not asked.overwrite
    changed = changed_files(before, run, path=path) if before is not None and resumes else set()
    workers = asked.workers or os.cpu_count() or 1
    with ExitStack() as stack:
        folder = stack.enter_context(PartFolder(path, found.target.form))
        kept = folder.parts() if resumes else []
        if (
            before is not None
            and before.finished
            and not changed
            and all_there(kept, len(found.files))
        ):
            return _already(version, kept, found=found)
        answering = stack.enter_context(Answering(rooms, version, workers=workers))
        sink = _PartSink(folder, part_rows=run.part_rows)
        job = _Job(found, answering, workers=workers, sink=sink, part_rows=run.part_rows)
        held = by_file(kept)
        held.update({place: job.unchanged(place, held.get(place, [])) for place in changed})
        kept = [part for parts in held.values() for part in parts]
        folder.begin(run, kept)
        sink.schema = _schema_of(path, kept, found.target.form)
        try:
            yield from job.run(held)
        except _AtFault as fault:
            stopped = str(found.files[fault.file].path.resolve())
            folder.state(msgspec.structs.replace(run, stopped_at=stopped))
            raise fault.error from None
        finally:
            sink.discard()
        folder.state(msgspec.structs.replace(run, finished=True))
        names = sorted(part.name for part in folder.parts() if part.name)
        return job.result(version.reference, parts=tuple(names))


@dataclass(frozen=True)
class _Piece:
    """Rows of a file that lie in one part, to be scored; none where the file ends."""

    file: int
    start: int
    read: float
    block: Block | None = None


@dataclass(frozen=True)
class _Scored:
    """Rows of a file, their kept columns and their answers; none where the file ends."""

    file: int
    start: int
    read: float
    table: pa.Table | None = None
    sha256: bytes = b""


class _AtFault(Exception):
    """A mistake of the user's in one of the files."""

    def __init__(self, file: int, error: UserError) -> None:
        super().__init__(error.message)
        self.file = file
        self.error = error


class _Reading:
    """Pieces as they are read; a fault in a file ends them, and is kept.

    Attributes:
        fault: what ended them; None where they came to their end.
    """

    def __init__(self, pieces: Iterator[_Piece]) -> None:
        self._pieces = pieces
        self.fault: _AtFault | None = None

    def __iter__(self) -> Iterator[_Piece]:
        try:
            yield from self._pieces
        except _AtFault as fault:
            self.fault = fault


class _OneSink:
    """Writes all rows to one file."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self.schema: pa.Schema | None = None

    def take(self, scored: _Scored) -> None:
        if scored.table is not None:
            self._whole.write(scored.table)


class _PartSink:
    """Writes rows to the parts that they lie in."""

    def __init__(self, folder: PartFolder, *, part_rows: int) -> None:
        self._folder = folder
        self._part_rows = part_rows
        self._open: tuple[Part, Whole] | None = None
        self._content = hashlib.sha256()
        self.schema: pa.Schema | None = None

    def take(self, scored: _Scored) -> None:
        end = Part(file=scored.file, start=scored.start)
        if scored.table is None:
            self._complete()
            self._folder.add(end)
            return
        if self._open is None:
            self._content = hashlib.sha256()
            self._open = end, self._folder.new(end)
        part, whole = self._open
        if scored.start != part.start + part.rows:
            raise Fault(f"row {scored.start} does not follow the rows before it")
        whole.write(scored.table)
        self._content.update(scored.sha256)
        part = msgspec.structs.replace(part, rows=part.rows + scored.table.num_rows)
        self._open = part, whole
        if (part.start + part.rows) % self._part_rows == 0:
            self._complete()

    def _complete(self) -> None:
        if self._open is None:
            return
        part, whole = self._open
        size, sha256 = whole.done(), self._content.hexdigest()
        self._open = None
        named = self._folder.name(part)
        self._folder.add(msgspec.structs.replace(part, name=named, size_bytes=size, sha256=sha256))

    def discard(self) -> None:
        """Leave nothing of a part that is not complete."""
        if self._open is not None:
            self._open[1].discard()


class _Job:
    """Reads, scores and writes."""

    def __init__(
        self,
        found: BatchPlan,
        answering: Answering,
        *,
        workers: int,
        sink: _OneSink | _PartSink,
        part_rows: int,
    ) -> None:
        self._plan, self._answering = found, answering
        self._workers, self._sink, self._part_rows = workers, sink, part_rows
        self._rows = self._resumed = 0
        self._began = time.monotonic()

    def run(self, done: Done) -> Iterator[BatchProgress]:
        """Yield how far it is, after each block that is written.

        Args:
            done: the parts that are not scored again, by file.

        Raises:
            _AtFault: something is wrong in a file; what comes before it is written.
        """
        sizes = [file.size_bytes for file in self._plan.files]
        first: tuple[float, float] | None = None
        self._resumed = sum(part.rows for parts in done.values() for part in parts)
        self._began = time.monotonic()
        for scored in self._in_order(self._pieces(done)):
            table = scored.table
            if table is not None:
                if self._sink.schema is None:
                    self._sink.schema = table.schema
                scored = self._as_before(scored, self._sink.schema)  # noqa: PLW2901
                self._rows += table.num_rows
            self._sink.take(scored)
            at = (sum(sizes[: scored.file]) + scored.read * sizes[scored.file]) / sum(sizes)
            seconds = time.monotonic() - self._began
            # What an earlier run did took no time of this one.
            first = first or (at, seconds)
            rate = (at - first[0]) / (seconds - first[1]) if seconds > first[1] else 0.0
            left = (1 - at) / rate if rate > 0 else None
            yield BatchProgress(rows=self._rows, seconds=seconds, done=at, left_s=left)

    def result(self, version: str, *, parts: tuple[str, ...] = ()) -> ScoredFiles:
        """Return what was made."""
        target = self._plan.target.path
        return ScoredFiles(
            version=version,
            output="" if target is None else str(target),
            files=len(self._plan.files),
            rows=self._rows,
            resumed_rows=self._resumed,
            library_rows=self._answering.library_rows,
            parts=parts,
            seconds=time.monotonic() - self._began,
            attempts=self._answering.attempts,
        )

    def unchanged(self, place: int, parts: list[Part]) -> list[Part]:
        """Return those parts of a file that changed whose rows are still what they were."""
        ranges = {part.start: part for part in parts if part.rows}
        contents = {start: hashlib.sha256() for start in ranges}
        rows = dict.fromkeys(ranges, 0)
        try:
            for piece in self._cut(place, start=0, done=parts):
                start = _covering(parts, piece.start)
                if piece.block is not None and start is not None:
                    fitting = self._answering.fit(piece.block, first_row=piece.start)
                    contents[start].update(_digest(fitting, self._kept(piece.block)))
                    rows[start] += len(piece.block)
        except (UserError, _AtFault):
            pass  # what lies behind is scored again
        return [
            part
            for start, part in ranges.items()
            if rows[start] == part.rows and contents[start].hexdigest() == part.sha256
        ]

    def _pieces(self, done: Done) -> Iterator[_Piece]:
        """Yield the rows that are to be scored, file by file."""
        for place in range(len(self._plan.files)):
            parts = done.get(place, [])
            rows = {part.start: part.rows for part in parts}
            end = 0
            while rows.get(end):
                end += rows[end]
            if rows.get(end) == 0:
                continue  # it was read to its end
            for piece in self._cut(place, start=end, done=parts):
                if piece.block is None or _covering(parts, piece.start) is None:
                    yield piece

    def _cut(self, place: int, *, start: int, done: list[Part]) -> Iterator[_Piece]:
        """Yield the blocks of a file, each within one part, and what says that the file ends.

        Args:
            place: of the file.
            start: its first row, from 0.
            done: the parts that are there; no block lies across an end of one.
        """
        file, size, most = self._plan.files[place], self._plan.batch_rows, self._part_rows
        ends = sorted({end for part in done for end in (part.start, part.start + part.rows)})
        try:
            for block, read in file.blocks(self._plan.wanted, size, start=start):
                taken = 0
                while taken < len(block):
                    following = bisect_right(ends, start)
                    stop = min([start - start % most + most, *ends[following : following + 1]])
                    rows = _rows(block, taken, stop - start)
                    yield _Piece(place, start, read, rows)
                    start, taken = start + len(rows), taken + len(rows)
        except UserError as error:
            raise _AtFault(place, error) from None
        yield _Piece(place, start, 1.0)

    def _in_order(self, pieces: Iterator[_Piece]) -> Iterator[_Scored]:
        """Yield the answers of pieces in their order, while the next ones are scored.

        Of a fault in a file, what comes before it is yielded first.
        """
        window: deque[Future[_Scored]] = deque()
        reading = _Reading(pieces)
        with ThreadPoolExecutor(self._workers) as pool:
            try:
                for piece in reading:
                    window.append(pool.submit(self._score, piece))
                    if len(window) > self._workers + 1:
                        yield window.popleft().result()
                while window:
                    yield window.popleft().result()
                if reading.fault is not None:
                    raise reading.fault
            finally:
                for waiting in window:
                    waiting.cancel()

    def _score(self, piece: _Piece) -> _Scored:
        if piece.block is None:
            return _Scored(piece.file, piece.start, piece.read)
        try:
            fitting = self._answering.fit(piece.block, first_row=piece.start)
            kept = self._kept(piece.block)
            table = _answers(kept, self._answering.score(fitting))
            digest = _digest(fitting, kept) if isinstance(self._sink, _PartSink) else b""
        except UserError as error:
            told = self._located(error, piece)
            raise _AtFault(piece.file, told) from None
        return _Scored(piece.file, piece.start, piece.read, table, digest)

    def _located(self, error: UserError, piece: _Piece) -> UserError:
        found: BrineryError = located(
            error, self._plan.files[piece.file].path, first_row=piece.start
        )
        assert isinstance(found, UserError)  # noqa: S101 - for the type checker
        return found

    def _kept(self, block: Block) -> pa.Table:
        """Return the columns of a block that go before the answers, of the types that they have."""
        columns: dict[str, pa.Array | pa.ChunkedArray] = {}
        for name, kind in self._plan.keep.items():
            try:
                if isinstance(block, pd.DataFrame):
                    columns[name] = pa.array(block[name], from_pandas=True).cast(kind)
                else:
                    columns[name] = block.column(name).cast(kind)
            except (pa.ArrowException, TypeError, ValueError):
                raise ColumnMismatch(
                    f"--keep {name}: it is {kind} in the first rows, and something else here",
                    hint="leave it out, or write the data as Parquet",
                ) from None
        return pa.table(columns)

    def _as_before(self, scored: _Scored, schema: pa.Schema) -> _Scored:
        """Return rows with the types of those before: a block may be answered in smaller ones."""
        table = scored.table
        if table is None or table.schema.equals(schema):
            return scored
        try:
            alike = table.cast(schema)
        except (pa.ArrowException, ValueError):
            pairs = zip(table.schema.types, schema.types, strict=True)
            now, then = next((now, then) for now, then in pairs if now != then)
            told = f"the model answers {now} from row {scored.start + 1:,} on, and {then} before"
            raise _AtFault(scored.file, PredictionRefused(told)) from None
        return _Scored(scored.file, scored.start, scored.read, alike, scored.sha256)


def _rows(block: Block, start: int, count: int) -> Block:
    """Return some rows of a block, no more than there are."""
    if isinstance(block, pd.DataFrame):
        return block.iloc[start : start + count]
    return block.slice(start, count)


def _covering(parts: list[Part], row: int) -> int | None:
    """Return the start of the part that a row lies in; None where it lies in none."""
    inside = (part.start for part in parts if part.start <= row < part.start + part.rows)
    return next(inside, None)


def _answers(kept: pa.Table, scores: Scores) -> pa.Table:
    named = dict(zip(kept.column_names, kept.columns, strict=True))
    return pa.table({**named, **answer_columns.columns(scores)})


def _digest(fitting: pa.Table, kept: pa.Table) -> bytes:
    """Return the sha256 of the values that were scored, and of those that were kept."""
    content = hashlib.sha256(packed.pack(fitting))
    if kept.num_columns:
        content.update(packed.pack(kept))
    return content.digest()


def _already(version: Version, kept: list[Part], *, found: BatchPlan) -> ScoredFiles:
    """Return that a run was finished before."""
    return ScoredFiles(
        version=version.reference,
        output=str(found.target.path),
        files=len(found.files),
        rows=0,
        resumed_rows=sum(part.rows for part in kept),
        library_rows=0,
        parts=tuple(sorted(part.name for part in kept if part.name)),
        seconds=0.0,
    )


def _schema_of(path: Path, kept: list[Part], form: TableFormat) -> pa.Schema | None:
    """Return the columns of the parts that are there; None where there are none that state it."""
    name = next((part.name for part in kept if part.name), None)
    if name is None or form is not TableFormat.PARQUET:
        return None
    schema: pa.Schema = pq.read_schema(path / name)
    return schema
