"""That files were scored: how far it is, what it made, and what a run leaves to be resumed by."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct


class DataFile(Struct, frozen=True, kw_only=True):
    """A file of the data, as it was when the run began.

    Attributes:
        path: absolute.
        size_bytes: of it.
        modified_ns: when it was last written, since 1970.
    """

    path: str
    size_bytes: int
    modified_ns: int


class BatchRun(Struct, frozen=True, kw_only=True):
    """What a run scores, and with what: a run that is asked for the same goes on with it.

    Attributes:
        version: which, `name@number`.
        model_sha256: digest of its model.
        scorer_sha256: digest of its scorer; empty where its library answers.
        data: the files, in order.
        keep: the columns that are kept.
        separator: of csv files; None where it is found.
        format: of the parts.
        part_rows: most rows of a part.
        stopped_at: path of the file at which it was stopped by an error; empty where it was not.
        finished: whether every row is scored.
    """

    version: str
    model_sha256: str
    scorer_sha256: str
    data: tuple[DataFile, ...]
    keep: tuple[str, ...]
    separator: Optional[str]
    format: str
    part_rows: int
    stopped_at: str = ""
    finished: bool = False


class Part(Struct, frozen=True, kw_only=True):
    """Rows of one data file, scored and written.

    Attributes:
        file: place of the data file among those of the run.
        start: its first row in that file, from 0.
        rows: count; 0 where the data file ends at the start.
        name: of the part's file.
        size_bytes: of the part's file.
        sha256: of the values that were scored and kept.
    """

    file: int
    start: int
    rows: int = 0
    name: str = ""
    size_bytes: int = 0
    sha256: str = ""


class BatchProgress(Struct, frozen=True, kw_only=True):
    """How far a run is.

    Attributes:
        rows: scored by now, those of an earlier run not counted.
        seconds: since the first row was read.
        done: how much of the data is scored, from 0 to 1, by an earlier run too.
        left_s: seconds that the rest will take; None where that cannot be told yet.
    """

    rows: int
    seconds: float
    done: float
    left_s: Optional[float] = None

    @property
    def rows_per_s(self) -> float:
        """Return how many rows are scored in a second."""
        return self.rows / self.seconds if self.seconds else 0.0


class ScoredFiles(Struct, frozen=True, kw_only=True):
    """What a run has made.

    Attributes:
        version: which, `name@number`.
        output: the file or folder; empty where it is standard output.
        files: how many data files there were.
        rows: scored in this run.
        resumed_rows: scored in an earlier one.
        library_rows: of those of this run, answered by the model's library.
        parts: names of the files in the folder, in the order of the data; none for a single file.
        seconds: since the first row was read.
        attempts: what the model tried and was refused, such as `open /etc/passwd`.
    """

    version: str
    output: str
    files: int
    rows: int
    resumed_rows: int
    library_rows: int
    parts: tuple[str, ...]
    seconds: float
    attempts: tuple[str, ...] = ()
