"""A model that lives in another process: the handle that every room above uses."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self, TypeVar

import msgspec
import pyarrow as pa

from brinery import errors
from brinery.flavors import messages, tables
from brinery.pickles.child import ChildProcess
from brinery.records.description import Description
from brinery.records.scores import Scores

DEFAULT_TIMEOUT_S = 600.0
_LISTED = 10

_R = TypeVar("_R", bound=messages.Reply)


def start_process(*, timeout_s: float, modules: tuple[str, ...] = ()) -> ChildProcess:
    """Return a process that a model can be loaded in later, and that imports meanwhile.

    Args:
        timeout_s: for each answer.
        modules: top-level modules that the model is known to need.
    """
    return ChildProcess("brinery.flavors.host", *modules, timeout_s=timeout_s)


class ModelProcess:
    """A loaded model, in a process of its own.

    One request is answered at a time; threads wait for each other. Use it as a context manager,
    or close it.

    Args:
        path: a pickle or joblib file.
        timeout_s: for each answer.
        started: a process to load it in; a new one when None. It becomes this object's own.

    Raises:
        ModelFileError: it cannot be loaded; the subclass says why.
        ModelProcessDied, ModelProcessTimeout: the process ended, or did not answer.
    """

    def __init__(
        self,
        path: Path,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        started: ChildProcess | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._child = started or start_process(timeout_s=timeout_s)
        try:
            loaded, _ = self._ask(messages.Load(str(path.resolve())), messages.Loaded)
        except BaseException:
            self._child.close()
            raise
        self.description: Description = loaded.description
        self.warnings: tuple[str, ...] = loaded.warnings

    @property
    def alive(self) -> bool:
        """Return whether the process runs."""
        return self._child.alive

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._child.pid

    def score(self, table: pa.Table) -> Scores:
        """Return the model's answers for the columns it takes, which the table must have.

        Args:
            table: (n_rows, ≥ n_features); a null is a missing value.

        Raises:
            PredictionRefused: the model raised; the error names the row, and what is missing in it.
        """
        try:
            return self._scored(table)
        except errors.PredictionRefused as error:
            row = self._refused_row(table)
            hint = error.hint if row is None else self._missing(table, row) or error.hint
            raise errors.PredictionRefused(error.reason, hint=hint, row=row) from None

    def _scored(self, table: pa.Table) -> Scores:
        request = messages.Score(self._columns(table), self._named)
        _, payload = self._ask(request, messages.Scored, tables.pack(table))
        return tables.unpack_scores(payload, self.description.classes)

    def _refused_row(self, table: pa.Table) -> int | None:
        """Return the first row, from 0, on which the model raises; None where it does on all.

        The table is one that the model refused. Halving finds a refused row in log2(n_rows) calls.
        """
        start, stop = 0, table.num_rows
        while stop - start > 1:
            middle = (start + stop) // 2
            if self._refuses(table.slice(start, middle - start)):
                stop = middle
            else:
                start = middle
        every = start == 0 and table.num_rows > 1 and self._refuses(table.slice(stop))
        return None if every else start

    def _refuses(self, table: pa.Table) -> bool:
        try:
            self._scored(table)
        except errors.PredictionRefused:
            return True
        return False

    def _missing(self, table: pa.Table, row: int) -> str:
        """Return a hint that names the columns without a value in a row, if there are any."""
        there = table.slice(row, 1).select(list(self._columns(table)))
        pairs = zip(there.column_names, there.columns, strict=True)
        empty = [name for name, column in pairs if column.null_count]
        names = ", ".join(empty[:_LISTED]) + (", …" if len(empty) > _LISTED else "")
        return f"that row has no value in {names}: fill it in or leave the row out" if empty else ""

    def may_be_missing(self, row: pa.Table) -> tuple[str, ...]:
        """Return the columns of a one-row table whose value the model does without."""
        request = messages.ProbeMissing(self._columns(row), self._named)
        columns, _ = self._ask(request, messages.Columns, tables.pack(row))
        return columns.names

    def packages(self, modules: tuple[str, ...]) -> dict[str, str]:
        """Return the distributions that the model uses, with their versions.

        Args:
            modules: the top-level modules that its pickle names.
        """
        packages, _ = self._ask(messages.ListPackages(modules), messages.Packages)
        return packages.versions

    def rewrite(self, path: Path) -> None:
        """Write the model as a plain pickle."""
        self._ask(messages.Rewrite(str(path)), messages.Written)

    def close(self) -> None:
        """End the process."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _named(self) -> bool:
        return self.description.feature_names is not None

    def _columns(self, table: pa.Table) -> tuple[str, ...]:
        return self.description.feature_names or tuple(table.column_names)

    def _ask(
        self, request: messages.Request, expected: type[_R], payload: bytes | memoryview = b""
    ) -> tuple[_R, memoryview]:
        with self._lock:
            header, body = self._child.ask(messages.encode(request), payload)
        try:
            reply = messages.REPLIES.decode(header)
        except msgspec.DecodeError as error:
            raise errors.Fault(f"the model's process answered what is no reply: {error}") from None
        if isinstance(reply, messages.Failed):
            raise _error(reply)
        if not isinstance(reply, expected):
            raise errors.Fault(f"the model's process answered {type(reply).__name__}")
        return reply, body


def _error(failed: messages.Failed) -> errors.BrineryError:
    """Return the error that a reply names."""
    kind = getattr(errors, failed.error, None)
    if isinstance(kind, type) and issubclass(kind, errors.BrineryError):
        return kind(failed.message, hint=failed.hint)
    return errors.Fault(failed.message, hint=failed.hint)
