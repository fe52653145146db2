"""A model that lives in another process: the handle that every room above uses."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import msgspec
import pyarrow as pa

from brinery import errors
from brinery.flavors import messages, naming, received, tables
from brinery.pickles import digest
from brinery.pickles.child import ChildProcess
from brinery.pickles.limits import Limits
from brinery.records.artifact import Artifact
from brinery.records.description import Description
from brinery.records.sandbox import Sandbox
from brinery.records.scores import Scores
from brinery.records.signature import Scalar
from brinery.records.version import Environment

DEFAULT_TIMEOUT_S = 600.0
_LISTED = 10
_REWRITTEN = "model.pkl"
_MAX_SCORER_BYTES = 2 << 30
_MOST_ATTEMPTS = 100

_R = TypeVar("_R", bound=messages.Reply)


def start_process(
    *,
    timeout_s: float,
    modules: tuple[str, ...] = (),
    limits: Limits | None = None,
    python: Path | None = None,
) -> ChildProcess:
    """Return a process that a model can be loaded in later, and that imports meanwhile.

    Args:
        timeout_s: for each answer.
        modules: top-level modules that the model is known to need.
        limits: what it may use.
        python: the interpreter; this one when None.
    """
    return ChildProcess(
        "brinery.flavors.host", *modules, timeout_s=timeout_s, limits=limits, python=python
    )


class _Declined(Exception):
    """The scorer leaves rows to the library."""


class ModelProcess:
    """A loaded model, in a process of its own.

    One request is answered at a time; threads wait for each other. Use it as a context manager,
    or close it.

    Args:
        path: a model file or folder.
        artifact: how it becomes a model.
        code: the folder of the user's own modules, where the artifact has some.
        timeout_s: for each answer.
        started: a process to load it in; a new one when None. It becomes this object's own.
        limits: what a new one may use.
        python: the interpreter of a new one; this one when None.

    Raises:
        ModelFileError: it cannot be loaded; the subclass says why.
        ModelConfined: it tried what its sandbox forbids, and could not be loaded without.
        SandboxUnavailable: the limits require a layer that is not in force.
        ModelProcessDied, ModelProcessTimeout: the process ended, or did not answer.
    """

    def __init__(
        self,
        path: Path,
        *,
        artifact: Artifact,
        code: Path | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        started: ChildProcess | None = None,
        limits: Limits | None = None,
        python: Path | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._attempts: dict[str, None] = {}
        self._child = started or start_process(timeout_s=timeout_s, limits=limits, python=python)
        try:
            self.sandbox: Sandbox = self._child.sandbox
            loaded, _ = self._ask(
                _admitted(path, artifact, code=code, inbox=self._child.inbox), messages.Loaded
            )
        except BaseException:
            self._child.close()
            raise
        self._own_classes = loaded.description.classes
        self.description: Description = naming.describe(loaded.description, artifact)
        self.warnings: tuple[str, ...] = received.said(loaded.warnings)
        self.artifact = msgspec.structs.replace(artifact, flavor=loaded.flavor)

    def settle(
        self,
        *,
        classes: tuple[Scalar, ...] = (),
        labels: bool = False,
        outputs: tuple[str, ...] = (),
    ) -> None:
        """Have answers carry names that the model does not tell, in its order.

        Args:
            classes: the names of its classes.
            labels: whether its answers are those and nothing else.
            outputs: the names of the several values that it answers each row with.
        """
        self.artifact = msgspec.structs.replace(
            self.artifact, classes=classes, labels=labels, outputs=outputs
        )
        self.description = naming.describe(self.description, self.artifact)

    @property
    def attempts(self) -> tuple[str, ...]:
        """Return what the model tried so far and was refused, such as `open /etc/passwd`.

        It is the model's own process that tells: a hostile one may keep silent.
        """
        return tuple(self._attempts)

    @property
    def alive(self) -> bool:
        """Return whether the process runs."""
        return self._child.alive

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._child.pid

    def score(self, table: pa.Table, *, library: bool = False) -> Scores:
        """Return the model's answers for the columns it takes, which the table must have.

        Args:
            table: (n_rows, ≥ n_features); a null is a missing value.
            library: whether its library is asked, also where it was accelerated.

        Raises:
            PredictionRefused: the model raised; the error names the row, and what is missing in it.
        """
        by = messages.By.LIBRARY if library else messages.By.EITHER
        try:
            return self._scored(table, by)
        except errors.PredictionRefused as error:
            row = _first_refused(table, partial(_refuses, self._scored))
            hint = error.hint
            if row is not None and not _refuses(self._scored, table.slice(row, 1)):
                row = None  # it is the number of rows that was refused
            if row is not None:
                there = table.slice(row, 1).select(list(self._columns(table)))
                hint = _missing(there) or hint
            raise errors.PredictionRefused(error.reason, hint=hint, row=row) from None

    def accelerate(
        self,
        compiler: str,
        *,
        columns: tuple[tuple[str, str], ...],
        steps: tuple[str, ...] | None = None,
    ) -> messages.Accelerated:
        """Have a scorer within the process answer, and return why none does, if none does.

        Args:
            compiler: the module that makes it, in the process.
            columns: name and type of the inputs, in the model's order.
            steps: those that the library is known to be asked for; None where that is asked.
        """
        request = messages.Accelerate(compiler, columns, steps)
        told, _ = self._ask(request, messages.Accelerated)
        return messages.Accelerated("".join(received.said((told.reason,))), told.steps)

    def accelerated(self, table: pa.Table) -> Scores | None:
        """Return the answers of the scorer within; None where it leaves them to the library."""
        try:
            return self._scored(table, messages.By.SCORER)
        except _Declined:
            return None

    def _scored(self, table: pa.Table, by: messages.By = messages.By.LIBRARY) -> Scores:
        request = messages.Score(
            self._columns(table), self._named, several=bool(self.artifact.outputs), by=by
        )
        rows, classes = table.num_rows, self._own_classes
        most_bytes = received.most_bytes(rows, len(classes))
        told, payload = self._ask(
            request, messages.Scored, tables.pack(table), most_bytes=most_bytes
        )
        if told.declined and by is messages.By.SCORER:
            raise _Declined
        if told.frame is not None:
            self.artifact = msgspec.structs.replace(self.artifact, frame=told.frame)
        try:
            answered = received.check_scores(payload, rows=rows, classes=len(classes))
            scores = tables.unpack_scores(answered, classes)
        except received.Unfit as error:
            self._child.close()
            raise errors.Fault(f"the model's process answered what is no answer: {error}") from None
        return naming.given(scores, self.artifact)

    def may_be_missing(self, row: pa.Table) -> tuple[str, ...]:
        """Return the columns of a one-row table whose value the model does without."""
        request = messages.ProbeMissing(
            self._columns(row), self._named, several=bool(self.artifact.outputs)
        )
        columns, _ = self._ask(request, messages.Columns, tables.pack(row))
        return columns.names

    def environment(
        self, modules: tuple[str, ...], built: Environment | None = None
    ) -> Environment:
        """Return what the model was loaded and scored with; asked once it has predicted.

        Args:
            modules: the top-level modules that its pickle names.
            built: the environment that the process runs in, where that was built for it.
        """
        found, _ = self._ask(messages.ListPackages(modules), messages.Packages)
        return Environment(
            python=found.python,
            platform=found.platform,
            libc=found.libc,
            packages=found.versions,
            built=built is not None and built.built,
            lock=() if built is None else built.lock,
        )

    def rewrite(self, path: Path) -> None:
        """Write the model as a plain pickle, to a path where nothing is."""
        self._ask(messages.Rewrite(str(self._child.outbox / _REWRITTEN)), messages.Written)
        self._child.take(_REWRITTEN, path)

    def export(
        self, path: Path, *, to: str, columns: tuple[tuple[str, str], ...], named: bool
    ) -> None:
        """Write the model in another format, to a path where nothing is.

        Args:
            path: of the file.
            to: as `messages.Export` has it.
            columns: name and type of the inputs, in the model's order.
            named: whether the model's steps tell its columns apart by name.

        Raises:
            NotExportable: the format cannot hold the model.
            LibraryMissing: what writes the format is not installed.
        """
        written = str(self._child.outbox / path.name)
        request = messages.Export(path=written, to=to, columns=columns, named=named)
        self._ask(request, messages.Written)
        self._child.take(path.name, path)

    def compile(self, path: Path, *, compiler: str, columns: tuple[tuple[str, str], ...]) -> str:
        """Write what a scorer needs of the model, to a path where nothing is.

        Args:
            path: of the file.
            compiler: the module that does it, in the process.
            columns: name and type of the inputs, in the model's order.

        Returns:
            Why nothing was written; empty where the file is there.
        """
        written = str(self._child.outbox / path.name)
        compiled, _ = self._ask(messages.Compile(written, compiler, columns), messages.Compiled)
        if not compiled.reason:
            self._child.take(path.name, path, most_bytes=_MAX_SCORER_BYTES)
        return "".join(received.said((compiled.reason,)))

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
        self,
        request: messages.Request,
        expected: type[_R],
        payload: bytes | memoryview = b"",
        *,
        most_bytes: int = 0,
    ) -> tuple[_R, memoryview]:
        """Return the reply to a request, of the type that is expected, and its payload.

        What is no such reply ends the process: whatever it sends after that is as little one.
        """
        number = secrets.randbits(63)
        question = messages.encode(messages.Question(number, request))
        with self._lock:
            header, body = self._child.ask(question, payload, most_bytes=most_bytes)
            try:
                answer = received.answer(header, number)
            except received.Unfit as error:
                self._child.close()
                raise errors.Fault(
                    f"the model's process answered what is no reply: {error}"
                ) from None
            for attempt in received.said(answer.attempts):
                if len(self._attempts) < _MOST_ATTEMPTS:
                    self._attempts[attempt] = None
        if isinstance(answer.reply, messages.Failed):
            raise received.error(answer.reply)
        if not isinstance(answer.reply, expected):
            self._child.close()
            raise errors.Fault(f"the model's process answered {type(answer.reply).__name__}")
        return answer.reply, body


def _admitted(path: Path, artifact: Artifact, *, code: Path | None, inbox: Path) -> messages.Load:
    """Return the order to load a copy of a model that no one else writes to."""
    digest.copy(path, inbox / path.name, sha256=artifact.sha256)
    folders = []
    if code is not None:
        digest.copy(code, inbox / "code", sha256=artifact.code_sha256)
        folders.append(str(inbox / "code"))
    return messages.Load(
        path=str(inbox / path.name),
        format=artifact.format,
        flavor=artifact.flavor,
        globals=artifact.globals,
        code=tuple(folders),
        frame=artifact.frame,
    )


def _refuses(score: Callable[[pa.Table], Scores], table: pa.Table) -> bool:
    try:
        score(table)
    except errors.PredictionRefused:
        return True
    return False


def _missing(row: pa.Table) -> str:
    """Return a hint that names the columns without a value in a row, if there are any."""
    pairs = zip(row.column_names, row.columns, strict=True)
    empty = [name for name, column in pairs if column.null_count]
    names = ", ".join(empty[:_LISTED]) + (", …" if len(empty) > _LISTED else "")
    return f"that row has no value in {names}: fill it in or leave the row out" if empty else ""


def _first_refused(table: pa.Table, refuses: Callable[[pa.Table], bool]) -> int | None:
    """Return the first row, from 0, on which a model raises; None where it does on all.

    The table is one that the model refused. Halving finds a refused row in log2(n_rows) calls.
    """
    start, stop = 0, table.num_rows
    while stop - start > 1:
        middle = (start + stop) // 2
        if refuses(table.slice(start, middle - start)):
            stop = middle
        else:
            start = middle
    every = start == 0 and table.num_rows > 1 and refuses(table.slice(stop))
    return None if every else start
