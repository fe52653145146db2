"""The program of the child process: holds one model, answers frames, ends when its parent does.

It says nothing on its standard output that anyone reads, and it never sends a pickle.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, assert_never

import numpy as np
import pandas as pd
import pyarrow as pa

from brinery import errors
from brinery.flavors import environment, messages, tables
from brinery.flavors.interface import Flavor
from brinery.flavors.scikit_learn import ScikitLearn
from brinery.pickles.frames import Channel, ChannelClosed
from brinery.pickles.unpickle import enter_child, rewrite, unpickle
from brinery.records.description import ColumnUse

_FLAVORS: tuple[Flavor, ...] = (ScikitLearn(),)
_MAX_REASON = 300

# Of the search for columns that may be missing: how many are tried in one table, how many that are
# treated alike are too few to judge by a sample, and how many make one.
_AT_ONCE = 256
_FEW = 100
_SAMPLED = 8


class Host:
    """One model and its flavor."""

    def __init__(self) -> None:
        self._model: Any = None
        self._flavor: Flavor | None = None
        self._uses: dict[str, ColumnUse] = {}

    def answer(
        self, request: messages.Request, payload: memoryview
    ) -> tuple[messages.Reply, memoryview]:
        """Return the reply to a request, with its payload."""
        nothing = memoryview(b"")
        match request:
            case messages.Load():
                return self._load(Path(request.path)), nothing
            case messages.Score():
                return messages.Scored(), self._score(_frame(tables.unpack(payload), request))
            case messages.ProbeMissing():
                frame = _frame(tables.unpack(payload), request)
                return messages.Columns(self._may_be_missing(frame, request.columns)), nothing
            case messages.ListPackages():
                loaded = environment.imported_modules()
                return messages.Packages(
                    environment.used_packages(request.modules, loaded)
                ), nothing
            case messages.Rewrite():
                rewrite(self._model, Path(request.path))
                return messages.Written(), nothing
            case _ as unreachable:
                assert_never(unreachable)

    def _load(self, path: Path) -> messages.Loaded:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self._model = unpickle(path)
            except Exception as error:  # noqa: BLE001 - a model file may raise anything
                raise _load_error(path, error) from None
        self._flavor = next((flavor for flavor in _FLAVORS if flavor.sniff(self._model)), None)
        if self._flavor is None:
            what = type(self._model)
            raise errors.NotAModel(
                f"{path.name} holds a {what.__module__}.{what.__qualname__}, which cannot predict",
                hint="pickle the fitted estimator or pipeline itself",
            )
        try:
            description = self._flavor.describe(self._model)
        except Exception as error:  # noqa: BLE001 - a model may raise anything
            raise errors.NotAModel(
                f"{path.name} cannot be described: {_reason(error)}",
                hint="fit the model before it is pickled",
            ) from None
        self._uses = description.columns
        return messages.Loaded(description, tuple(dict.fromkeys(str(w.message) for w in caught)))

    def _score(self, frame: Any) -> memoryview:
        """Return the packed scores of a frame or an array."""
        if self._flavor is None:
            raise errors.NotAModel("no model is loaded")
        try:
            return tables.pack_scores(self._flavor.score(self._model, frame))
        except errors.BrineryError:
            raise
        except Exception as error:  # noqa: BLE001 - a model may raise anything
            raise errors.PredictionRefused(
                f"the model raised {_reason(error)}",
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
        except errors.PredictionRefused:
            if len(columns) == 1:
                return ()
        else:
            return columns
        middle = len(columns) // 2
        return self._without(row, columns[:middle], named=named) + self._without(
            row, columns[middle:], named=named
        )


def _holed(row: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a row for each column, in which that column's value is missing.

    No other column changes its type: a model may make text of whole numbers.
    """
    rows = row.iloc[[0] * len(columns)].reset_index(drop=True)
    holed = rows[list(columns)].mask(np.eye(len(columns), dtype=bool))
    return pd.concat([rows.drop(columns=holed.columns), holed], axis="columns")[row.columns]


def _frame(table: pa.Table, request: messages.Score | messages.ProbeMissing) -> Any:
    """Return what the model is given: a frame, or an array where it was fitted without names."""
    frame = table.select(list(request.columns)).to_pandas()
    for name in frame.columns:
        if frame[name].dtype == object:
            frame[name] = frame[name].where(frame[name].notna(), float("nan"))
    # Row by row, as a caller's own array lies: sums in another order end in other last digits.
    return frame if request.named else np.ascontiguousarray(frame.to_numpy())


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:_MAX_REASON]}"


def _load_error(path: Path, error: Exception) -> errors.ModelFileError:
    match error:
        case ModuleNotFoundError():
            return errors.LibraryMissing(
                f"{path.name} needs the module '{error.name}', which is not installed",
                hint="install what it was made with, or put the module's folder on PYTHONPATH",
            )
        case AttributeError() if "Can't get attribute" in str(error) or isinstance(
            error.obj, ModuleType
        ):
            return errors.ClassNotImportable(
                f"{path.name} names a class that is not where it says: {error}",
                hint="install the version of the library that wrote it",
            )
        case _:
            return errors.ModelLoadFailed(
                f"{path.name} could not be loaded: {_reason(error)}",
                hint="load it once where it was made, and pickle it again",
            )


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
        reply, body = _answered(host, header, payload)
        try:
            channel.send(messages.encode(reply), body)
        except ChannelClosed:
            os._exit(0)


def _end_with_parent(channel: Channel) -> NoReturn:
    """End this process once the parent's end is closed, in the middle of a request too."""
    channel.wait_closed()
    os._exit(0)


def _answered(host: Host, header: bytes, payload: memoryview) -> tuple[messages.Reply, memoryview]:
    try:
        return host.answer(messages.REQUESTS.decode(header), payload)
    except errors.BrineryError as error:
        failed = error
    except Exception as error:  # noqa: BLE001 - one request that cannot be met is not the last
        failed = errors.Fault(f"the model's process could not answer: {_reason(error)}")
    return _failed(failed), memoryview(b"")


def _failed(error: errors.BrineryError) -> messages.Failed:
    return messages.Failed(type(error).__name__, error.message, error.hint)


def _prepare(modules: list[str]) -> None:
    """Import what a model will need, while there is nothing to answer; loading tells what fails."""
    for module in modules:
        with suppress(Exception):
            import_module(module)


if __name__ == "__main__":
    enter_child()
    _prepare(sys.argv[3:])
    serve(Channel(int(sys.argv[1]), int(sys.argv[2])))
