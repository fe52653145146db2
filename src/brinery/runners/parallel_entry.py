"""One worker of a parallel step: takes mini-batches out of a folder and calls the user's `run`.

Started as a script, by the step's own Python, which has nothing of ours: the standard library, and
pandas where the data is a table. The folder has

* `task.json`: the script, its arguments, how tables are read;
* `queue/N.json`: mini-batches that nobody works on; a worker takes one by renaming it to
* `taken/N.json.WORKER`: written again at each try, so that its time tells when the try began;
* `done/N.json` and `done/N.txt`: what it came to, and its rows; whole, or not there at all;
* `sent/N.json.WORKER`: put aside for a worker that was thought not to see this folder;
* `workers/WORKER.json`: why a worker could not begin;
* `workers/WORKER.late`: where a worker was when its time was over, if nobody else watches that.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import inspect
import io
import json
import logging
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NamedTuple

NOT_BEGUN = 97
_ENCODINGS = {
    "utf8": "utf-8",
    "utf8bom": "utf-8-sig",
    "utf16": "utf-16",
    "iso88591": "latin-1",
    "latin1": "latin-1",
    "windows1252": "cp1252",
    "ascii": "ascii",
}


class Context:
    """What a script's `run` may ask about its mini-batch.

    Attributes:
        minibatch_index: from 0.
        partition_key_value: partition key to its value.
    """

    def __init__(self, index: int, keys: dict[str, str]) -> None:
        self.minibatch_index = index
        self.partition_key_value = keys


class Outcome(NamedTuple):
    """What one try of a mini-batch came to.

    Attributes:
        items: files or rows that it had.
        rows: that `run` returned, as lines without their ends.
        error: what was raised, one line; empty where nothing was.
    """

    items: int
    rows: list[str]
    error: str


def main(folder: Path, worker: str) -> int:
    """Work until the folder has no mini-batches; return 97 where the script could not begin."""
    task = json.loads((folder / "task.json").read_text("utf-8"))
    logging.basicConfig(level=task["logging_level"])
    try:
        module = _script(Path(task["entry"]).absolute(), task["arguments"])
        if not callable(getattr(module, "run", None)):
            raise AttributeError("the script has no function run(mini_batch)")  # noqa: TRY004, TRY301
        if callable(getattr(module, "init", None)):
            module.init()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told, whatever it is
        traceback.print_exc()
        _write(folder / "workers" / f"{worker}.json", json.dumps({"error": _told(error)}))
        return NOT_BEGUN
    reader = Reader(task["table"])
    watch = Watch(folder / "workers" / f"{worker}.late", task.get("timeout_s"))
    for each in (folder / "sent").glob(f"*.{worker}"):
        each.rename(folder / "queue" / each.name.rpartition(".")[0])
    while names := sorted(each.name for each in (folder / "queue").glob("*.json")):
        for name in names:
            taken = folder / "taken" / f"{name}.{worker}"
            try:
                (folder / "queue" / name).rename(taken)
            except FileNotFoundError:
                continue
            _work(taken, folder / "done" / name, module=module, reader=reader, watch=watch)
    if callable(getattr(module, "shutdown", None)):
        module.shutdown()
    return 0


class Watch:
    """Ends this process when a try takes too long, whatever it is at."""

    def __init__(self, file: Path, timeout_s: float | None) -> None:
        """Watch nothing yet.

        Args:
            file: that says where it was then.
            timeout_s: for a try; None where somebody else watches it.
        """
        self._when = None if timeout_s is None else (timeout_s, file.open("w"))

    def begin(self) -> None:
        """Begin a try."""
        if self._when is not None:
            timeout_s, file = self._when
            faulthandler.dump_traceback_later(timeout_s, file=file, exit=True)

    def end(self) -> None:
        """End a try."""
        if self._when is not None:
            faulthandler.cancel_dump_traceback_later()


def _script(entry: Path, arguments: list[str]) -> Any:
    """Return the user's module, imported as if it had been started with its arguments."""
    sys.argv = [str(entry), *arguments]
    # Python put our own folder first.
    sys.path[0] = str(entry.parent)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(1, str(Path.cwd()))
    spec = importlib.util.spec_from_file_location(entry.stem, entry)
    if spec is None or spec.loader is None or not entry.is_file():
        raise FileNotFoundError(f"{entry.name} is no Python script of the step's code")
    module = importlib.util.module_from_spec(spec)
    # What it pickles, or starts processes with, is found by the module's name.
    sys.modules[entry.stem] = module
    spec.loader.exec_module(module)
    return module


def _work(taken: Path, done: Path, *, module: Any, reader: Reader, watch: Watch) -> None:
    """Work on one mini-batch until it succeeds or may not be tried again."""
    batch = json.loads(taken.read_text("utf-8"))
    began = time.monotonic()
    while True:
        batch["tries"] += 1
        _write(taken, json.dumps(batch), durable=False)
        watch.begin()
        outcome = _tried(batch, module=module, reader=reader)
        watch.end()
        if not outcome.error or batch["tries"] > batch["retries"]:
            break
        sys.stderr.write(f"mini-batch {batch['index']} is tried again: {outcome.error}\n")
    _write(done.with_suffix(".txt"), "".join(f"{row}\n" for row in outcome.rows))
    result = {
        "index": batch["index"],
        "items": outcome.items,
        "rows": len(outcome.rows),
        "error": outcome.error,
        "tries": batch["tries"],
        "seconds": time.monotonic() - began,
    }
    _write(done, json.dumps(result))
    taken.unlink()


def _tried(batch: dict[str, Any], *, module: Any, reader: Reader) -> Outcome:
    items = len(batch["parts"])
    try:
        data = reader.read(batch["parts"])
        items = len(data)
        if not items:
            return Outcome(0, [], "")
        if _takes_context(module.run):
            answer = module.run(data, Context(batch["index"], batch["keys"]))
        else:
            answer = module.run(data)
        return Outcome(items, _rows(answer), "")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told, whatever it is
        traceback.print_exc()
        return Outcome(items, [], _told(error))


def _takes_context(function: Any) -> bool:
    """Return whether a function takes a second argument by its place."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    places = sum(each.kind in kinds for each in parameters)
    return places > 1 or any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters)


def _rows(answer: Any) -> list[str]:
    """Return what a script's `run` returned as lines: a table's fields with spaces between."""
    if answer is None or isinstance(answer, (str, bytes, int, float, dict)):
        raise TypeError(f"run() returned {type(answer).__name__}: it must be a DataFrame or a list")
    if hasattr(answer, "to_csv") and hasattr(answer, "columns"):
        text = io.StringIO()
        answer.to_csv(text, sep=" ", header=False, index=False)
        # A field may hold the end of a line, between quotes; what is counted are rows.
        lines = text.getvalue().splitlines()
        return lines if len(lines) == len(answer) else [_line(row) for row in answer.to_numpy()]
    return [_line(row) for row in answer]


def _line(row: Any) -> str:
    if not isinstance(row, (str, bytes, dict)) and hasattr(row, "__iter__"):
        return " ".join(_line(each) for each in row)
    return " ".join(str(row).splitlines())


class Reader:
    """Mini-batches as a script is given them: paths, or a DataFrame."""

    def __init__(self, table: dict[str, Any] | None) -> None:
        """Read nothing yet.

        Args:
            table: how files are read; None where the script is given their paths.
        """
        self._table = table
        self._last: tuple[str, Any] = ("", None)
        self._names: list[str] | None = None

    def read(self, parts: list[dict[str, Any]]) -> Any:
        """Return a list of paths, or one DataFrame of all parts."""
        if self._table is None:
            return [part["path"] for part in parts]
        import pandas as pd  # noqa: PLC0415 - only tables need it

        frames = [self._part(part) for part in parts]
        return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]

    def _part(self, part: dict[str, Any]) -> Any:
        table = self._table or {}
        frame = self._file(part["path"])
        begin = len(frame) * part["share"] // part["shares"]
        end = len(frame) * (part["share"] + 1) // part["shares"]
        frame = frame.iloc[begin:end].reset_index(drop=True)
        for name, value in part["columns"].items():
            frame[name] = _moment(value) if name in table["times"] else value
        for action, columns in table["columns"]:
            missing = [name for name in columns if name not in frame.columns]
            if missing:
                raise KeyError(f"{part['path']} has no column {', '.join(missing)}")
            frame = frame.drop(columns=columns) if action == "drop" else frame[columns]
        return frame

    def _file(self, path: str) -> Any:
        """Return all rows of a file; the last one is kept, because its shares follow each other."""
        if self._last[0] != path:
            self._last = (path, self._whole(path))
        return self._last[1]

    def _whole(self, path: str) -> Any:
        import pandas as pd  # noqa: PLC0415

        table = self._table or {}
        settings = table["settings"]
        if table["reader"] == "parquet":
            frame = pd.read_parquet(path)
        elif table["reader"] == "json_lines":
            frame = self._json_lines(path, settings)
        else:
            frame = self._delimited(path, settings)
        if settings.get("include_path_column"):
            frame.insert(0, "Path", path)
        return frame

    def _json_lines(self, path: str, settings: dict[str, Any]) -> Any:
        import pandas as pd  # noqa: PLC0415

        rows = []
        with open(path, encoding=_ENCODINGS[settings["encoding"]]) as stream:  # noqa: PTH123
            for line in stream:
                try:
                    rows += [json.loads(line)] if line.strip() else []
                except ValueError:
                    if settings["invalid_lines"] == "error":
                        raise
        return pd.DataFrame(rows)

    def _delimited(self, path: str, settings: dict[str, Any]) -> Any:
        import pandas as pd  # noqa: PLC0415

        first = (self._table or {})["first"]
        options: dict[str, Any] = {
            "sep": settings["delimiter"],
            "encoding": _ENCODINGS[settings["encoding"]],
            "header": 0,
        }
        if not settings["infer_column_types"]:
            options["dtype"] = str
        if settings["empty_as_string"]:
            options["keep_default_na"] = False
        if settings["header"] == "no_header":
            options["header"] = None
        elif settings["header"] == "from_first_file" and path != first:
            if self._names is None:
                self._names = list(pd.read_csv(first, nrows=0, **options).columns)
            options.update(header=None, names=self._names)
        frame = pd.read_csv(path, **options)
        if settings["header"] == "no_header":
            frame.columns = [f"Column{at + 1}" for at in range(frame.shape[1])]
        return frame


def _moment(text: str) -> Any:
    import pandas as pd  # noqa: PLC0415

    return pd.Timestamp(text)


def _told(error: BaseException) -> str:
    """Return an error as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _write(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a file so that it is whole or not there, also after the power failed."""
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    with begun.open("w", encoding="utf-8") as stream:
        stream.write(text)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    begun.replace(path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
