"""The program of the child process: holds one model, answers frames, ends when its parent does.

It says nothing on its standard output that anyone reads, and it never sends a pickle.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Optional, Protocol, Union

import numpy as np
import pandas as pd
import pyarrow as pa

from brinery import errors
from brinery.flavors import environment, exports, imports, loading, messages, tables, threads
from brinery.flavors.interface import Flavor, Given
from brinery.pickles import attempts, confinement, refusals, semaphores
from brinery.pickles.frames import Channel, ChannelClosed
from brinery.pickles.unpickle import enter_child, rewrite
from brinery.records.description import ColumnUse, Unscored
from brinery.records.scores import Scores

# Of the search for columns that may be missing: how many are tried in one table, how many that are
# treated alike are too few to judge by a sample, and how many make one.
_AT_ONCE = 256
_FEW = 100
_SAMPLED = 8

# What Python itself does not show, for it is for those who write libraries.
_FOR_DEVELOPERS = (
    DeprecationWarning,
    ImportWarning,
    PendingDeprecationWarning,
    ResourceWarning,
)


class Within(Protocol):
    """A scorer that lives here, for it asks the library for some steps."""

    steps: tuple[str, ...]

    def score(self, table: pa.Table) -> Optional[Scores]:
        """Return the answers for a table; None where it leaves them to the library."""


class Host:
    """One model and its flavor."""

    def __init__(self) -> None:
        self._model: Any = None
        self._flavor: Flavor | None = None
        self._uses: dict[str, ColumnUse] = {}
        self._unscored: Optional[Unscored] = None
        self._frame: Optional[bool] = None
        self._several = False
        self._scorer: Optional[Within] = None
        self._before = environment.imported_modules()

    def answer(
        self, request: messages.Request, payload: memoryview
    ) -> tuple[messages.Reply, memoryview]:
        """Return the reply to a request, with its payload."""
        nothing = memoryview(b"")
        if isinstance(request, messages.Load):
            try:
                return self._load(request), nothing
            finally:
                # What is there by now stays: the collector looks at what requests leave.
                gc.freeze()
                gc.enable()
        if isinstance(request, messages.Score):
            return self._scored(payload, request)
        if isinstance(request, messages.ProbeMissing):
            given = self._given(payload, request)
            return messages.Columns(self._may_be_missing(given, request.columns)), nothing
        if isinstance(request, messages.ListPackages):
            return messages.Packages(
                self._packages(request.modules), *environment.python()
            ), nothing
        if isinstance(request, (messages.Compile, messages.Accelerate)):
            return self._compiler(request), nothing
        self._write(request)
        return messages.Written(), nothing

    def _write(self, request: messages.Export | messages.Rewrite) -> None:
        if isinstance(request, messages.Rewrite):
            rewrite(self._model, Path(request.path))
        else:
            exports.export(self._model, self._flavor.name if self._flavor else "", asked=request)

    def _load(self, request: messages.Load) -> messages.Loaded:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for category in _FOR_DEVELOPERS:
                warnings.simplefilter("ignore", category)
            self._model, self._flavor = loading.load(request)
            description = loading.describe(self._model, self._flavor, file=Path(request.path).name)
        self._uses, self._unscored = description.columns, description.unscored
        wanted = loading.wants_frame(self._model, self._flavor)
        self._frame = request.frame if wanted is None else wanted
        said = tuple(dict.fromkeys(str(w.message) for w in caught))
        return messages.Loaded(description, said, self._flavor.name)

    def _compiler(self, request: Union[messages.Compile, messages.Accelerate]) -> messages.Reply:
        if isinstance(request, messages.Compile):
            return self._compiled(request)
        return self._accelerated(request)

    def _compiled(self, request: messages.Compile) -> messages.Compiled:
        """Return why nothing was written, if nothing was, by the compiler of a room above."""
        classes = () if self._flavor is None else self._flavor.classes(self._model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiler = import_module(request.compiler)
            reason = compiler.write(
                self._model, request.columns, classes=classes, path=Path(request.path)
            )
        return messages.Compiled(reason)

    def _accelerated(self, request: messages.Accelerate) -> messages.Accelerated:
        """Return of which steps the library is asked by the scorer that answers from now on."""
        classes = () if self._flavor is None else self._flavor.classes(self._model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiler = import_module(request.compiler)
            made: Union[Within, str] = compiler.within(
                self._model, request.columns, classes=classes
            )
        if isinstance(made, str):
            return messages.Accelerated(made)
        if request.steps is not None and request.steps != made.steps:
            return messages.Accelerated("its steps are not those that were compared")
        self._scorer = made
        return messages.Accelerated(steps=made.steps)

    def _packages(self, modules: tuple[str, ...]) -> dict[str, str]:
        """Return the distributions that the model uses, with their versions."""
        needed = () if self._flavor is None else self._flavor.environment(self._model)
        carries = environment.CARRIERS.intersection(modules)
        carried = imports.of_carried(self._model) if carries else frozenset()
        loaded = environment.imported_modules()
        return environment.used_packages((*modules, *needed, *carried), loaded, before=self._before)

    def _given(self, payload: memoryview, request: messages.Score | messages.ProbeMissing) -> Given:
        """Return what the model is given: a frame, or an array where it was fitted without names.

        A flavor may want a frame all the same, and one that cannot tell is tried with a frame.
        """
        self._several = request.several
        frame: pd.DataFrame = tables.unpack(payload).select(list(request.columns)).to_pandas()
        for name in frame.columns:
            if frame[name].dtype == object:
                frame[name] = frame[name].where(frame[name].notna(), float("nan"))
        return _array(frame) if self._frame is False and not request.named else frame

    def _scored(
        self, payload: memoryview, request: messages.Score
    ) -> tuple[messages.Scored, memoryview]:
        """Return the scores; what the model wants is settled by the first table that it answers."""
        if self._scorer is not None and request.by is not messages.By.LIBRARY:
            found = self._scorer.score(tables.unpack(payload))
            if found is not None:
                return messages.Scored(), tables.pack_scores(found)
        if request.by is messages.By.SCORER:
            return messages.Scored(declined=True), memoryview(b"")
        given = self._given(payload, request)
        if request.named or self._frame is not None:
            return messages.Scored(), self._score(given)
        try:
            scores, frame = self._score(given), True
        except errors.PredictionRefused as refused:
            try:
                scores, frame = self._score(_array(given)), False
            except errors.PredictionRefused:
                raise refused from None
        self._frame = frame
        return messages.Scored(frame), scores

    def _score(self, frame: Any) -> memoryview:
        """Return the packed scores of a frame or an array."""
        if self._flavor is None:
            raise errors.NotAModel("no model is loaded")
        if self._unscored is not None:
            raise errors.PredictionRefused(self._unscored.reason, hint=self._unscored.instead)
        self._flavor.several = self._several
        try:
            return tables.pack_scores(self._flavor.score(self._model, frame))
        except errors.BrineryError:
            raise
        except Exception as error:  # noqa: BLE001 - a model may raise anything
            raise errors.PredictionRefused(
                f"the model raised {refusals.reason(error)}",
                hint="compare the data's columns and types with those the model was fitted on",
            ) from None

    def _may_be_missing(self, frame: Any, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns whose value the model does without.

        Many columns that the model treats alike are taken as refused when a few spread over them
        are: a model that fills in no value would else be asked of each.
        """
        row = pd.DataFrame(frame, columns=list(columns))
        named = isinstance(frame, pd.DataFrame)
        found: set[str] = set()
        for alike in self._alike(columns):
            spread = alike[:: max(1, len(alike) // _SAMPLED)][:_SAMPLED]
            if len(alike) <= _FEW or any(
                self._without(row, (name,), named=named) for name in spread
            ):
                for start in range(0, len(alike), _AT_ONCE):
                    found.update(self._without(row, alike[start : start + _AT_ONCE], named=named))
        return tuple(name for name in columns if name in found)

    def _alike(self, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return the columns in groups of those that the model's steps treat alike."""
        groups: dict[tuple[bool, ...], list[str]] = {}
        for name in columns:
            use = self._uses.get(name, ColumnUse())
            groups.setdefault((use.used, use.missing, use.categories is None), []).append(name)
        return [tuple(group) for group in groups.values()]

    def _without(
        self, row: pd.DataFrame, columns: tuple[str, ...], *, named: bool
    ) -> tuple[str, ...]:
        """Return those of some columns whose value the model does without in this row.

        All are tried in one table, a row for each; when that is refused, each half of them.
        """
        holed = _holed(row, columns)
        try:
            self._score(holed if named else holed.to_numpy())
        except (errors.PredictionRefused, errors.NotAModel):
            if len(columns) == 1:
                return ()
        else:
            return columns
        middle = len(columns) // 2
        return self._without(row, columns[:middle], named=named) + self._without(
            row, columns[middle:], named=named
        )


def _array(frame: Any) -> Any:
    """Return the values of a frame.

    Row by row, as a caller's own array lies: sums in another order end in other last digits.
    """
    return np.ascontiguousarray(frame.to_numpy())


def _holed(row: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a row for each column, in which that column's value is missing.

    No other column changes its type: a model may make text of whole numbers.
    """
    rows = row.iloc[[0] * len(columns)].reset_index(drop=True)
    holed = rows[list(columns)].mask(np.eye(len(columns), dtype=bool))
    return pd.concat([rows.drop(columns=holed.columns), holed], axis="columns")[row.columns]


def serve(channel: Channel) -> NoReturn:
    """Answer frames until the parent closes its end, then end the process."""
    # Ctrl-C is for the parent, which may have answers to wait for.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(channel,), daemon=True).start()
    host = Host()
    while True:
        try:
            header, payload = channel.receive()
        except ChannelClosed:
            os._exit(0)
        answer, body = _answered(host, header, payload)
        try:
            channel.send(messages.encode(answer), body)
        except ChannelClosed:
            os._exit(0)


def _end_with_parent(channel: Channel) -> NoReturn:
    """End this process once the parent's end is closed, in the middle of a request too."""
    channel.wait_closed()
    os._exit(0)


def _answered(host: Host, header: bytes, payload: memoryview) -> tuple[messages.Answer, memoryview]:
    question = messages.QUESTIONS.decode(header)
    reply: messages.Reply
    body = memoryview(b"")
    if isinstance(question.request, messages.Load):
        confinement.close_in()
    try:
        reply, body = host.answer(question.request, payload)
        tried = attempts.taken()
    except Exception as error:  # noqa: BLE001 - one request that cannot be met is not the last
        tried = attempts.taken()
        reply = _failed(error, tried)
    return messages.Answer(question.number, reply, tried), body


def _failed(error: Exception, tried: tuple[str, ...]) -> messages.Failed:
    failed = refusals.explained(error, tried)
    if failed is None and isinstance(error, errors.BrineryError):
        failed = error
    if failed is None:
        failed = errors.Fault(f"the model's process could not answer: {refusals.reason(error)}")
    return messages.Failed(type(failed).__name__, failed.message, failed.hint)


def _prepare(modules: list[str]) -> None:
    """Import what a model will need, while there is nothing to answer; loading tells what fails."""
    semaphores.install()
    threads.prefer()
    for module in modules:
        with suppress(Exception):
            import_module(module)


if __name__ == "__main__":
    enter_child()
    _prepare(sys.argv[3:])
    serve(Channel(int(sys.argv[1]), int(sys.argv[2])))
