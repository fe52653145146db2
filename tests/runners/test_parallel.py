from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.runners.benches import Elsewhere, PlainBench, run

from brinery.actions.job_carrier import JobCarrier
from brinery.pipeline.mini_batches import MiniBatch, Part
from brinery.records.mini_batch import Batches
from brinery.records.plan import DataType, Output, Parallel, Step
from brinery.runners import parallel, parallel_entry
from brinery.runners.batch_folder import BatchFolder
from brinery.runners.interface import Outcome, Shared
from brinery.store.shelf import Shelf

COUNTING = """
import os, sys, time
calls = []
def init():
    calls.append("init")
def run(mini_batch, context):
    with open(os.environ["TOLD"], "a") as stream:
        stream.write(f"{context.minibatch_index} {os.getpid()} {len(calls)} {sys.argv[1:]}\\n")
    return [f"{os.path.basename(path)} {open(path).read()}" for path in mini_batch]
"""


class Ran:
    """A parallel step over files or a table, and what became of it."""

    def __init__(
        self, folder: Path, script: str, *, files: dict[str, str], elsewhere: bool = False
    ) -> None:
        self.folder = folder
        self.elsewhere = elsewhere
        self.data = folder / "data"
        self.told = folder / "told.txt"
        code = folder / "code"
        for path, text in {
            **{str(self.data / name): text for name, text in files.items()},
            str(code / "score.py"): script,
        }.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text)

    def run(
        self, declared: Parallel, *, cores: int = 2, table: bool = False, lose: int = 0
    ) -> Outcome:
        step = Step(
            name="predict",
            code=str(self.folder / "code"),
            types={"data": DataType.TABLE if table else DataType.FOLDER},
            outputs={"rows": Output(type=DataType.FILE)},
            parallel=declared,
        )
        inputs = {"data": str(self.data), "rate": "3"}
        bench = PlainBench(
            step, self.folder / "step", inputs=inputs, told=str(self.told), cores=cores
        )
        if not self.elsewhere:
            return run(parallel.drive, bench)
        shelf = Shelf(str(self.folder / "shelf"), environ={})
        carrier = JobCarrier(shelf, fingerprints=self.folder / "prints", table={})
        return run(parallel.drive, bench, Elsewhere(carrier, lose=lose))

    @property
    def rows(self) -> list[str]:
        return (self.folder / "step" / "making" / "rows").read_text().splitlines()

    @property
    def calls(self) -> list[str]:
        return self.told.read_text().splitlines()

    @property
    def batches(self) -> Batches:
        content = (self.folder / "step" / parallel.FILE).read_bytes()
        return msgspec.json.decode(content, type=Batches)


@pytest.fixture(params=[False, True], ids=["here", "elsewhere"])
def elsewhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Whether workers run where nothing is seen of the step's folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    there: bool = request.param
    return there


def _numbered(count: int) -> dict[str, str]:
    return {f"{at:02d}.txt": str(at) for at in range(count)}


def _declared(**more: object) -> Parallel:
    return msgspec.convert(
        {"data": "data", "entry": "score.py", "append_to": "rows", "retries": 0, **more}, Parallel
    )


def test_files(tmp_path: Path, *, elsewhere: bool) -> None:
    """Rows are those of all files in order; each worker is begun once and told its arguments."""
    ran = Ran(tmp_path, COUNTING, files=_numbered(10), elsewhere=elsewhere)
    arguments = "--rate ${{inputs.rate}} $[[--absent ${{inputs.absent}}]] --error_threshold 0"
    outcome = ran.run(_declared(batch_size=3, arguments=arguments))
    assert outcome.error == ""
    assert outcome.usage.cpu_s > 0
    assert ran.rows == [f"{at:02d}.txt {at}" for at in range(10)]
    indices, processes, begun, *_ = zip(*(line.split(" ", 3) for line in ran.calls), strict=True)
    assert sorted(indices) == ["0", "1", "2", "3"]
    # Elsewhere, a worker's share is half of what is fair.
    assert len({*processes}) <= (4 if elsewhere else 2)
    assert {*begun} == {"1"}
    assert "['--rate', '3', '--error_threshold', '0']" in ran.calls[0]
    assert ran.batches.rows == ran.batches.items == 10


def test_again(tmp_path: Path) -> None:
    """What is done is not done again when a step that failed is begun again; what failed is."""
    script = COUNTING.replace(
        "    return", "    if context.minibatch_index == 2: os.kill(os.getpid(), 9)\n    return"
    )
    ran = Ran(tmp_path, script, files=_numbered(4))
    declared = _declared(batch_size=1, batch_errors=0)
    outcome = ran.run(declared, cores=1)
    assert "1 of 4 mini-batches failed, 0 may (mini_batch_error_threshold)" in outcome.error
    assert "mini-batch 2: its worker died: signal 9" in outcome.error
    first = [line.split()[0] for line in ran.calls]
    (tmp_path / "code" / "unused.txt").write_text("no code")
    ran.told.unlink()
    assert ran.run(msgspec.structs.replace(declared, batch_errors=-1), cores=1).error == ""
    again = [line.split()[0] for line in ran.calls]
    assert sorted({*first, *again}) == ["0", "1", "2", "3"]
    assert {*first} & {*again} <= {"2", "3"}
    assert ran.rows == [f"{at:02d}.txt {at}" for at in (0, 1, 3)]


FAILURES = {
    "raise ValueError('bad   row')": "ValueError: bad row",
    "time.sleep(60)": "took longer than 6 s",
    "sys.exit(3)": "SystemExit: 3",
    "os._exit(3)": "its worker died: exit status 3",
    "return mini_batch[1:]": "run() returned 0 rows for 1 inputs",
    "return None": "TypeError: run() returned NoneType: it must be a DataFrame or a list",
}


def test_failures(tmp_path: Path, *, elsewhere: bool) -> None:
    """A mini-batch fails by an error, by its time, with its worker, or by too few rows."""
    failing = "".join(
        f"    if context.minibatch_index == {at}: {body}\n" for at, body in enumerate(FAILURES)
    )
    ran = Ran(
        tmp_path,
        COUNTING.replace("    return", f"{failing}    return"),
        files=_numbered(8),
        elsewhere=elsewhere,
    )
    assert ran.run(_declared(batch_size=1, timeout_s=6)).error == ""
    assert ran.rows == ["06.txt 6", "07.txt 7"]
    told = enumerate(FAILURES.values())
    assert ran.batches.failures == tuple(f"mini-batch {at}: {why}" for at, why in told)
    assert (ran.batches.failed, ran.batches.failed_items) == (6, 6)


def test_retries(tmp_path: Path, *, elsewhere: bool) -> None:
    """A mini-batch that fails at first is tried again, by the same worker or by the next one."""
    script = COUNTING.replace(
        "    return [",
        """    told = open(os.environ["TOLD"]).readlines()
    tries = sum(line.startswith(f"{context.minibatch_index} ") for line in told)
    if context.minibatch_index == 0 and tries < 3:
        raise ValueError("not yet")
    if context.minibatch_index == 1 and tries < 3:
        os._exit(1)
    if context.minibatch_index == 2 and tries < 2:
        time.sleep(60)
    return [""",
    )
    ran = Ran(tmp_path, script, files=_numbered(3), elsewhere=elsewhere)
    assert ran.run(_declared(batch_size=1, retries=2, timeout_s=6, batch_errors=0)).error == ""
    assert ran.rows == ["00.txt 0", "01.txt 1", "02.txt 2"]
    tries = [sum(line.startswith(f"{at} ") for line in ran.calls) for at in range(3)]
    assert tries == [3, 3, 2]


@pytest.mark.parametrize(
    ("script", "arguments", "why"),
    [
        ("def init(): raise OSError('no model')\ndef run(b): return b", "", "OSError: no model"),
        ("import nowhere", "", "ModuleNotFoundError: No module named 'nowhere'"),
        ("x = 1", "", "the script has no function run(mini_batch)"),
        ("def run(b): return []", "--error_threshold 1", "2 files or rows failed, 1 may"),
        ("def run(b): raise OSError", "--allowed_failed_percent 10", "10 % may"),
        ("def run(b): return b", "--error_threshold many", "invalid int value: 'many'"),
    ],
)
def test_failed(tmp_path: Path, script: str, arguments: str, why: str) -> None:
    """A step fails where its script cannot begin, or more fails than its arguments let."""
    ran = Ran(tmp_path, script, files=_numbered(2))
    outcome = ran.run(_declared(arguments=arguments))
    assert why in outcome.error
    assert outcome.exit_status == 1


def _table(ran: Ran, text: str) -> None:
    (ran.data / "MLTable").write_text(text)


TABLE = """
import pandas as pd
def run(mini_batch):
    assert isinstance(mini_batch, pd.DataFrame), mini_batch
    mini_batch["size"] = len(mini_batch)
    return mini_batch
"""


def _lines(begin: int, end: int) -> str:
    return "".join(f"{at};a b;{at / 2}\n" for at in range(begin, end))


def test_table(tmp_path: Path, *, elsewhere: bool) -> None:
    """A table's rows come in parts of about the size that is asked for, each once and in order."""
    files = {
        "one.csv": f"id;text;half\n{_lines(0, 600)}",
        "two.csv": f"id;text;half\n{_lines(600, 650)}",
    }
    ran = Ran(tmp_path, TABLE, files=files, elsewhere=elsewhere)
    _table(
        ran,
        "paths:\n  - pattern: ./*.csv\ntransformations:\n"
        "  - read_delimited: {delimiter: ';', encoding: ascii, header: all_files_same_headers}\n"
        "  - drop_columns: [half]\n",
    )
    assert ran.run(_declared(batch_size=2048), table=True).error == ""
    rows = [row.rsplit(" ", 1) for row in ran.rows]
    assert [row for row, _ in rows] == [f'{at} "a b"' for at in range(650)]
    size = len(files["one.csv"])
    assert ran.batches.batches == -(-size // 2048) + 1
    assert {int(count) for _, count in rows[:600]} <= {150, 600 // -(-size // 2048), 120, 121}


def test_partitions(tmp_path: Path, *, elsewhere: bool) -> None:
    """Each combination of keys is one mini-batch, and what stands in paths is in its columns."""
    script = """
def run(mini_batch, context):
    keys = context.partition_key_value
    day = mini_batch["day"].iloc[0]
    store = mini_batch["store"].iloc[0]
    return [f"{keys['store']} {day:%d.%m.%Y} {store} {x}" for x in mini_batch["x"]]
"""
    files = {
        f"{store}/{day}/part{part}.csv": f"x\n{part}\n"
        for store in ("north", "south")
        for day in ("2024/01/31", "2024/02/01")
        for part in (1, 2)
    }
    ran = Ran(tmp_path, script, files=files, elsewhere=elsewhere)
    _table(
        ran,
        "type: mltable\npaths:\n  - folder: ./\ntransformations:\n  - read_delimited:\n"
        "  - extract_columns_from_partition_format:\n"
        "      partition_format: '/{store}/{day:yyyy/MM/dd}/*.csv'\n",
    )
    assert ran.run(_declared(partition_keys=["store"], batch_errors=0), table=True).error == ""
    assert ran.batches.batches == 2
    assert [row.split()[0] for row in ran.rows] == ["north"] * 4 + ["south"] * 4
    assert ran.rows[0] == "north 31.01.2024 north 1"
    wrong = ran.run(_declared(partition_keys=["shop"]), table=True)
    assert "partition_keys: shop is no column of the paths, which have store, day" in wrong.error


def test_folder_of_a_table(tmp_path: Path) -> None:
    """A table that nothing reads is a list of its files; so is a folder where one is declared."""
    ran = Ran(tmp_path, COUNTING, files=_numbered(2))
    assert ran.run(_declared(), table=True).error == ""
    _table(ran, "paths:\n  - folder: ./\n")
    assert ran.run(_declared(), table=True).error == ""
    assert ran.rows == ["00.txt 0", "01.txt 1"]


def test_own_results(tmp_path: Path) -> None:
    """A script that keeps its results elsewhere may return nothing: no mini-batch has failed."""
    ran = Ran(tmp_path, "def run(mini_batch): return []", files=_numbered(2))
    assert ran.run(_declared(append_to="", batch_errors=0)).error == ""
    assert (ran.batches.failed, ran.batches.failed_items, ran.batches.rows) == (0, 2, 0)


def test_concurrency(tmp_path: Path) -> None:
    """As many workers run at once as are asked for on all instances, and no more than cores."""
    ran = Ran(tmp_path, COUNTING, files=_numbered(6))
    assert ran.run(_declared(batch_size=1, concurrency=1), cores=2).error == ""
    assert len({line.split()[1] for line in ran.calls}) == 1


WRITING = """
import os, pathlib, sys
def run(mini_batch):
    made = pathlib.Path(sys.argv[1])
    made.mkdir(exist_ok=True)
    for path in map(pathlib.Path, mini_batch):
        (made / path.name).write_text(f"{path.read_text()} {os.getpid()}")
    (pathlib.Path("outputs") / path.name).write_text("seen")
    return mini_batch
"""


def test_what_workers_elsewhere_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each writes beside its rows comes back, and replaces nothing that another wrote."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    ran = Ran(tmp_path, WRITING, files=_numbered(12), elsewhere=True)
    (tmp_path / "code" / "outputs").mkdir()
    (tmp_path / "code" / "outputs" / "03.txt").write_text("as it was")
    arguments = "${{outputs.rows}}"
    assert ran.run(_declared(append_to="", batch_size=1, arguments=arguments)).error == ""
    made = sorted(path.read_text().split() for path in (tmp_path / "step/making/rows").iterdir())
    assert sorted(int(number) for number, _ in made) == [*range(12)]
    assert len({process for _, process in made}) > 2
    left = tmp_path / "step" / "work" / "outputs"
    assert {path.name: path.read_text() for path in left.iterdir()} == dict.fromkeys(
        _numbered(12), "seen"
    )
    assert not [*(tmp_path / "home" / ".cache/brinery/nodes").glob("*/places/*")]


def test_machines_that_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent to a machine that is lost goes to others, but not for ever."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    ran = Ran(tmp_path, COUNTING, files=_numbered(8), elsewhere=True)
    declared = _declared(batch_size=1, batch_errors=0)
    outcome = ran.run(declared, lose=4)
    assert (outcome.error, len(ran.calls)) == ("", 8)
    ran = Ran(tmp_path / "again", COUNTING, files=_numbered(1), elsewhere=True)
    outcome = ran.run(declared, lose=100)
    assert "mini-batch 0: no power" in outcome.error


def test_a_share_that_was_not_needed(tmp_path: Path) -> None:
    """A worker that was thought to be elsewhere, and is not, works on what was put aside for it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "score.py").write_text("def run(mini_batch): return mini_batch")
    folder = BatchFolder(tmp_path / "mini-batches")
    task: dict[str, Any] = {
        "entry": str(tmp_path / "score.py"),
        "arguments": [],
        "logging_level": "INFO",
        "table": None,
    }
    batches = [MiniBatch(index=at, parts=(Part(path=str(at)),)) for at in range(4)]
    folder.fill(batches, task=task, retries=0, stamp="")
    shared = Shared(folder=str(folder.path), worker=7, workers=1, timeout_s=60)
    assert [*folder.share_out(shared).batches] == ["000000.json", "000001.json"]
    assert folder.sent()
    command = [sys.executable, parallel_entry.__file__, str(folder.path), "7"]
    assert subprocess.run(command, check=False).returncode == 0
    assert {each.index for each in folder.done().values()} == {0, 1, 2, 3}
    assert not folder.sent()


def test_rows_without_pandas(tmp_path: Path) -> None:
    """Rows that are lists are written with spaces between, texts as they are."""
    script = "def run(mini_batch): return ['a b', ['c', 1], ('d', 2), 'e\\nf']"
    ran = Ran(tmp_path, script, files=_numbered(4))
    assert ran.run(_declared()).error == ""
    assert ran.rows == ["a b", "c 1", "d 2", "e f"]


def test_nothing(tmp_path: Path, *, elsewhere: bool) -> None:
    """No data is no failure: the output is there and empty."""
    ran = Ran(tmp_path, COUNTING, files={}, elsewhere=elsewhere)
    ran.data.mkdir()
    assert ran.run(_declared()).error == ""
    assert ran.rows == []
    ran.data.rmdir()
    assert "is not there" in ran.run(_declared()).error


def test_task_is_plain(tmp_path: Path) -> None:
    """What workers are told can be read by any Python: it is JSON, without one of our types."""
    ran = Ran(tmp_path, COUNTING, files=_numbered(1))
    ran.run(_declared())
    task = json.loads((tmp_path / "step" / parallel.FOLDER / "task.json").read_text())
    assert task["entry"] == "score.py"
