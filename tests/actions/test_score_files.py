"""Scoring files: the answers of the whole, in bounded blocks, resumed, and refused in time."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from sklearn.neighbors import KNeighborsClassifier

import brinery
from brinery.actions.batch_plan import BatchAsked
from brinery.actions.rooms import open_rooms
from brinery.actions.score_files import score_steps
from brinery.errors import (
    ColumnMismatch,
    ColumnMissing,
    DataError,
    DataFileMissing,
    DataUnreadable,
    OutputTaken,
    OutputUnwritable,
    PredictionRefused,
)
from brinery.records.batch import ScoredFiles
from brinery.store.tables import TableFormat, read_table

BRINERY = Path(sys.executable).parent / "brinery"
ANSWERS = ["prediction", "probability_no", "probability_yes"]

Score = Callable[..., ScoredFiles]


@pytest.fixture
def score(bank_workspace: Path) -> Score:
    """Scores with the demo's champion, in small blocks and parts."""

    def score(data: Path | str, output: Path | str, **options: Any) -> ScoredFiles:
        small = {"batch_rows": 50, "part_rows": 200, "workers": 2, **options}
        return brinery.score_files(
            "bank", data=data, output=output, workspace=bank_workspace, **small
        )

    return score


@pytest.fixture(scope="module")
def whole(bank: Any, bank_workspace: Path) -> pd.DataFrame:
    """The answers for the demo's held-out rows, all at once."""
    table = brinery.predict("bank", data=bank.frame, workspace=bank_workspace)
    found: pd.DataFrame = table.to_pandas()
    return found


@pytest.fixture
def rows(bank: Any, tmp_path: Path) -> Path:
    """The held-out rows as Parquet, with an id of each."""
    path = tmp_path / "rows.parquet"
    bank.frame.drop(columns="y").assign(id=range(len(bank.frame))).to_parquet(path)
    return path


def read(folder: Path) -> pd.DataFrame:
    """Return all parts of a folder, in the order of their names."""
    parts = sorted(folder.glob("part-*.parquet"))
    return pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)


def check_answers(found: pd.DataFrame, whole: pd.DataFrame) -> None:
    """Check that two tables have the same answers."""
    assert found["prediction"].tolist() == whole["prediction"].tolist()
    for name in ANSWERS[1:]:
        assert np.array_equal(found[name], whole[name])


def write_as(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame in the format of a name."""
    if path.name.endswith(".gz"):
        with gzip.open(path, "wt") as stream:
            stream.write(
                frame.to_csv(index=False)
                if ".csv" in path.name
                else frame.to_json(orient="records", lines=True)
            )
    elif path.suffix == ".feather":
        pyarrow.feather.write_feather(frame, path, chunksize=70)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False, sep=";")
    else:
        frame.to_parquet(path, row_group_size=130)


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.csv", "a.csv.gz", "a.feather", "a.jsonl", "a.jsonl.gz"]
)
def test_every_format_in_parts(
    bank: Any, score: Score, whole: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    """Every format is scored in parts as the whole is at once, its rows in their order."""
    write_as(bank.frame.drop(columns=["y", "day"]), tmp_path / name)
    made = score(tmp_path / name, f"{tmp_path}/out/", keep=["age", "job"])
    assert (made.rows, made.resumed_rows, made.files, len(made.parts)) == (905, 0, 1, 5)
    found = read(tmp_path / "out")
    assert list(found.columns) == ["age", "job", *ANSWERS]
    assert found["age"].tolist() == bank.frame["age"].tolist()
    assert found["job"].tolist() == bank.frame["job"].tolist()
    check_answers(found, whole)


@pytest.mark.parametrize("form", list(TableFormat))
def test_every_output(
    score: Score, whole: pd.DataFrame, rows: Path, tmp_path: Path, form: TableFormat
) -> None:
    """A file of every format, and parts of it, hold the answers."""
    score(rows, tmp_path / f"one.{form}", keep=["id"])
    made = score(rows, f"{tmp_path}/parts/", keep=["id"], output_format=form)
    frames = [read_table(tmp_path / f"one.{form}")]
    paths = [tmp_path / "parts" / name for name in made.parts]
    parts = [read_table(path) for path in paths]
    frames.append(pd.concat(parts, ignore_index=True))
    for frame in frames:
        assert frame["id"].tolist() == list(range(905))
        check_answers(frame, whole)


def test_a_folder_and_a_pattern(
    bank: Any, score: Score, whole: pd.DataFrame, tmp_path: Path
) -> None:
    """A folder means the tables in it and below, a pattern what it matches; none is hidden."""
    data = bank.frame.drop(columns="y")
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    write_as(data.iloc[:500], folder / "a.parquet")
    write_as(data.iloc[500:], folder / "b" / "c.csv")
    for other in ("_SUCCESS", ".hidden.csv", "notes.txt"):
        (folder / other).write_text("x")
    made = score(folder, f"{tmp_path}/all/")
    assert (made.files, made.rows) == (2, 905)
    check_answers(read(tmp_path / "all"), whole)
    made = score(f"{folder}/*.parquet", f"{tmp_path}/some/")
    assert (made.files, made.rows) == (1, 500)
    made = score(f"{folder}/**/*.csv", f"{tmp_path}/deep/")
    assert (made.files, made.rows) == (1, 405)


NASTY = {
    "age": ["41", "", "NA", "1e2", " 52", "33", "null", "70", "18"],
    "job": ["", "NA", "retired", '"say ""hi"""', "student", "007", "True", "admin.", "ärztin"],
    "default": ["yes", "no", "", "nan", "YES", "no", "no", "0", "1"],
    "balance": ["-1.5", "0.1", "12345678", "", "3.3333333333333335", "1e-7", "-0", "7", "9"],
}


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_nasty_csv(
    bank: Any, bank_workspace: Path, score: Score, tmp_path: Path, size: int
) -> None:
    """Blocks of any size answer as the whole file: gaps, quotes, words for missing, odd text.

    The first block has no value in some columns; whole numbers have gaps; text looks like numbers,
    truth values and missing ones; there are blank lines and a mark of the byte order.
    """
    lines = []
    for place in range(9):
        row = dict(bank.row)
        row.update({name: values[place] for name, values in NASTY.items()})
        lines.append(",".join(str(value) for value in row.values()) + ",b-00" + str(place))
    lines.insert(4, "")
    path = tmp_path / "nasty.csv"
    head = ",".join([*bank.row, "идент"])
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8-sig")
    frame = read_table(path)
    assert frame["age"].isna().sum() == 3
    whole = brinery.predict("bank", data=frame, workspace=bank_workspace).to_pandas()
    for form in ("parquet", "csv"):
        score(path, tmp_path / f"one.{form}", keep=["идент", "job"], batch_rows=size)
    check_answers(pd.read_parquet(tmp_path / "one.parquet"), whole)
    found = pd.read_csv(tmp_path / "one.csv", dtype=str)
    assert found["идент"].tolist() == [f"b-00{place}" for place in range(9)]
    assert found["prediction"].tolist() == whole["prediction"].tolist()


def test_kept_text_is_as_it_was(bank: Any, score: Score, tmp_path: Path) -> None:
    """A kept column of a csv file that the model does not read is text, letter by letter."""
    ids = ["007", "1e5", "NA", "", "true", "3.10"]
    data = bank.frame.drop(columns="y").iloc[:6].assign(id=ids)
    data.to_csv(tmp_path / "a.csv", index=False)
    score(tmp_path / "a.csv", f"{tmp_path}/out/", keep=["id", "age"], batch_rows=2)
    found = pq.read_table(tmp_path / "out" / "part-00000-00000000000.parquet")
    assert found.column("id").to_pylist() == ["007", "1e5", "NA", None, "true", "3.10"]
    assert found.schema.field("age").type == pa.int64()


def test_columns_that_are_not_read(
    score: Score, whole: pd.DataFrame, rows: Path, tmp_path: Path
) -> None:
    """A column that neither the model nor the user asks for may hold anything."""
    table = pq.read_table(rows).drop_columns(["day", "month"])
    strange = pa.array([[{"a": 1}]] * 905)
    pq.write_table(table.append_column("strange", strange), tmp_path / "b.parquet")
    score(tmp_path / "b.parquet", f"{tmp_path}/out/")
    check_answers(read(tmp_path / "out"), whole)


def test_dictionaries_and_other_widths(
    score: Score, whole: pd.DataFrame, rows: Path, tmp_path: Path
) -> None:
    """Text in dictionaries, large text and narrow numbers are taken as they are."""
    table = pq.read_table(rows)
    place = table.schema.names.index
    table = table.set_column(place("job"), "job", table.column("job").dictionary_encode())
    table = table.set_column(place("age"), "age", table.column("age").cast(pa.int8()))
    text = table.column("marital").cast(pa.large_string())
    table = table.set_column(place("marital"), "marital", text)
    pq.write_table(table, tmp_path / "b.parquet")
    score(tmp_path / "b.parquet", f"{tmp_path}/out/", keep=["job"])
    found = read(tmp_path / "out")
    check_answers(found, whole)
    assert found["job"].tolist() == table.column("job").to_pylist()


def test_memory_is_bounded(bank: Any, score: Score, tmp_path: Path) -> None:
    """However many rows there are, no more are held than a part and a few blocks."""
    for times in (20, 60):
        frame = pd.concat([bank.frame.drop(columns="y")] * times, ignore_index=True)
        path = tmp_path / f"{times}.parquet"
        frame.to_parquet(path, row_group_size=1000)
        before, most = pa.total_allocated_bytes(), [0]
        score(
            path,
            f"{tmp_path}/{times}/",
            batch_rows=1000,
            part_rows=5000,
            on_progress=lambda _, most=most: most.append(pa.total_allocated_bytes()),
        )
        block_bytes = pa.Table.from_pandas(frame).nbytes / (len(frame) / 1000)
        assert max(most) - before < 12 * block_bytes


def stopped_after(workspace: Path, asked: BatchAsked, blocks: int) -> Generator[Any, None, Any]:
    """Return a run that has written some blocks, and stands there."""
    steps = score_steps(open_rooms(workspace), asked)
    list(islice(steps, blocks))
    return steps


def test_resumed(
    score: Score, bank_workspace: Path, whole: pd.DataFrame, rows: Path, tmp_path: Path
) -> None:
    """A run that ended in the middle goes on behind its last part; a finished one does nothing."""
    output = f"{tmp_path}/out/"
    asked = BatchAsked(
        reference="bank", data=rows, output=output, keep=("id",), batch_rows=50, part_rows=200
    )
    steps = stopped_after(bank_workspace, asked, 11)
    with pytest.raises(OutputTaken, match="another run writes"):
        score(rows, output, keep=["id"])
    steps.close()
    before = {path.name: path.stat().st_mtime_ns for path in Path(output).glob("part-*")}
    assert len(before) == 2
    with (Path(output) / "_parts.jsonl").open("a") as journal:
        journal.write('{"file":0,"sta')  # what a killed process may leave
    (Path(output) / ".part-00000-00000000400.parquet.part").write_text("torn")
    made = score(rows, output, keep=["id"])
    assert (made.rows, made.resumed_rows) == (505, 400)
    found = read(tmp_path / "out")
    assert found["id"].tolist() == list(range(905))
    check_answers(found, whole)
    after = {path.name: path.stat().st_mtime_ns for path in Path(output).glob("part-*")}
    assert before.items() <= after.items()
    made = score(rows, output, keep=["id"])
    assert (made.rows, made.resumed_rows, len(made.parts)) == (0, 905, 5)
    assert {path.name: path.stat().st_mtime_ns for path in Path(output).glob("part-*")} == after
    assert not list(Path(output).glob(".*.part"))


def test_a_lost_part_is_scored_again(score: Score, rows: Path, tmp_path: Path) -> None:
    """A part that was removed or cut is scored again, and no other."""
    output = tmp_path / "out"
    score(rows, f"{output}/", keep=["id"])
    (output / "part-00000-00000000200.parquet").unlink()
    (output / "part-00000-00000000800.parquet").write_bytes(b"PAR1")
    made = score(rows, output, keep=["id"])
    assert (made.rows, made.resumed_rows) == (305, 600)
    assert read(output)["id"].tolist() == list(range(905))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"keep": ["age"]}, "--keep id, and --keep age is asked for"),
        ({"output_format": "csv"}, "a run to parquet"),
        ({"part_rows": 100}, "a run of 200 rows a part"),
    ],
)
def test_another_run_is_refused(
    score: Score, rows: Path, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    """What differs from the run that a folder holds is named, and --overwrite replaces it."""
    output = tmp_path / "out"
    score(rows, f"{output}/", keep=["id"])
    options = {"keep": ["id"], **changed}
    with pytest.raises(OutputTaken, match=said) as raised:
        score(rows, output, **options)
    assert "--overwrite" in raised.value.hint
    made = score(rows, output, overwrite=True, **options)
    assert (made.rows, made.resumed_rows) == (905, 0)
    assert sorted(made.parts) == sorted(path.name for path in output.glob("part-*"))


def test_other_data_is_refused(score: Score, rows: Path, tmp_path: Path) -> None:
    """Files that changed, came or went since a run began are other data."""
    output = tmp_path / "out"
    score(rows, f"{output}/", keep=["id"])
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(rows.read_bytes())
    with pytest.raises(OutputTaken, match=r"copy\.parquet is not among them"):
        score(copy, output, keep=["id"])
    os.utime(rows, ns=(1, 1))
    with pytest.raises(OutputTaken, match="has changed since"):
        score(rows, output, keep=["id"])


def test_a_bad_value_stops_and_is_mended(
    bank: Any, score: Score, whole: pd.DataFrame, tmp_path: Path
) -> None:
    """Text deep in a column of numbers stops with file and row; mended, the run goes on there.

    The parts before it are kept, those of other files and those of the file itself; the same
    command scores what is left.
    """
    data = bank.frame.drop(columns="y")
    folder = tmp_path / "in"
    folder.mkdir()
    data.iloc[:300].to_csv(folder / "a.csv", index=False)
    lines = pd.concat([data.iloc[300:]] * 4).to_csv(index=False).splitlines()
    good = lines[2000]
    lines[2000] = "old" + good[2:]
    (folder / "b.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(ColumnMismatch, match=r"b\.csv: column 'age' holds text in row 2000"):
        score(folder, f"{tmp_path}/out/")
    kept = sorted(path.name for path in (tmp_path / "out").glob("part-*"))
    assert len(kept) == 2 + 9, kept
    lines[2000] = good
    (folder / "b.csv").write_text("\n".join(lines) + "\n")
    made = score(folder, f"{tmp_path}/out/")
    assert (made.rows, made.resumed_rows) == (620, 300 + 1800)
    found = read(tmp_path / "out")
    assert len(found) == 300 + 4 * 605
    check_answers(found.iloc[:905], whole)


def test_a_mended_file_that_changed_before(bank: Any, score: Score, tmp_path: Path) -> None:
    """Of a file that was mended, a part whose rows changed too is scored again."""
    data = pd.concat([bank.frame.drop(columns="y")] * 3, ignore_index=True)
    lines = data.to_csv(index=False).splitlines()
    good = lines[2500]
    lines[2500] = "old" + good[2:]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(ColumnMismatch, match="row 2500"):
        score(tmp_path / "a.csv", f"{tmp_path}/out/")
    data.loc[450, "duration"] += 1000
    data.to_csv(tmp_path / "a.csv", index=False)
    made = score(tmp_path / "a.csv", f"{tmp_path}/out/")
    assert (made.rows, made.resumed_rows) == (len(data) - 2200, 2200)
    score(tmp_path / "a.csv", f"{tmp_path}/again/")
    assert read(tmp_path / "out").equals(read(tmp_path / "again"))


def check_refused(kind: type[DataError], said: str, work: Callable[[], Any]) -> None:
    """Check that something is refused in words, with a hint."""
    with pytest.raises(kind, match=said) as raised:
        work()
    assert raised.value.hint


def test_schema_errors_come_first(bank: Any, score: Score, rows: Path, tmp_path: Path) -> None:
    """Whatever is wrong with a later file's columns is found before anything is written."""
    data = bank.frame.drop(columns="y")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.parquet").write_bytes(rows.read_bytes())
    later, output = folder / "b.parquet", f"{tmp_path}/out/"

    def refused(kind: type[DataError], said: str, **options: Any) -> None:
        check_refused(kind, said, lambda: score(folder, output, **options))
        assert not (tmp_path / "out").exists()

    data.rename(columns={"balance": "ballance"}).to_parquet(later)
    refused(ColumnMissing, r"b\.parquet: the model needs a column 'balance'")
    data.assign(age=True).to_parquet(later)
    refused(ColumnMismatch, r"b\.parquet: column 'age' is of type bool")
    data.assign(job=1).to_parquet(later)
    refused(ColumnMismatch, r"b\.parquet: column 'job' is of type int64 where .* takes text")
    data.to_parquet(later)
    refused(ColumnMissing, r"--keep id: the data .*b\.parquet has no column 'id'", keep=["id"])
    data.assign(id="x").to_parquet(later)
    refused(ColumnMismatch, r"--keep id: it is int64 in .*a\.parquet and .*string", keep=["id"])
    later.write_bytes(b"PAR1 and no more")
    refused(DataUnreadable, r"b\.parquet cannot be read")
    later.unlink()
    data.astype({"age": object}).assign(age="old").to_csv(folder / "b.csv", index=False)
    refused(ColumnMismatch, r"b\.csv: column 'age' holds text in row 1")
    (folder / "b.csv").write_text("")
    refused(DataUnreadable, r"b\.csv is empty")
    (folder / "b.csv").unlink()
    refused(ColumnMismatch, "the answers have a column of that name", keep=["prediction"])


def test_data_that_is_not_there(score: Score, rows: Path, tmp_path: Path) -> None:
    """No file, an empty folder, a pattern without a match and files without rows are refused."""
    (tmp_path / "empty").mkdir()
    output = f"{tmp_path}/out/"
    for data, said in (
        (tmp_path / "no.csv", "does not exist"),
        (tmp_path / "empty", "holds no table"),
        (tmp_path / "*.csv", "no file is named like"),
    ):
        check_refused(DataFileMissing, said, lambda data=data: score(data, output))  # type: ignore[misc]
    pq.write_table(pq.read_table(rows).slice(0, 0), tmp_path / "none.parquet")
    check_refused(DataUnreadable, "no rows", lambda: score(tmp_path / "none.parquet", output))


def test_outputs_that_are_refused(score: Score, rows: Path, tmp_path: Path) -> None:
    """Output among the data, of others, without an ending or a folder is refused, and unchanged."""
    check_refused(OutputUnwritable, "among the data", lambda: score(rows, rows))
    check_refused(OutputUnwritable, "among the data", lambda: score(rows, f"{tmp_path}/"))
    check_refused(OutputUnwritable, "among the data", lambda: score(tmp_path, f"{tmp_path}/out/"))
    check_refused(OutputUnwritable, "ending", lambda: score(rows, tmp_path / "scores"))
    check_refused(OutputUnwritable, "cannot be written", lambda: score(rows, tmp_path / "no/a.csv"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    check_refused(
        OutputTaken, "holds thesis.txt", lambda: score(rows, tmp_path / "mine", overwrite=True)
    )
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_file_is_whole_or_not_there(bank: Any, score: Score, tmp_path: Path) -> None:
    """An error in the middle of the data leaves a single file as it was before."""
    data = pd.concat([bank.frame.drop(columns="y")] * 2)
    lines = data.to_csv(index=False).splitlines()
    lines[1500] += ",one,two,many"
    (tmp_path / "a.csv").write_text("\n".join(lines))
    (tmp_path / "s.csv").write_text("old")
    check_refused(
        DataUnreadable, "line 1501", lambda: score(tmp_path / "a.csv", tmp_path / "s.csv", sep=",")
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "s.csv"]
    assert (tmp_path / "s.csv").read_text() == "old"


@pytest.mark.slow
def test_the_library_answers_in_parallel(iris: Path, tmp_path: Path) -> None:
    """A model without a scorer is asked in as many processes as there are workers, in order.

    A row that it refuses is told by file and row.
    """
    frame = pd.read_parquet(iris / "iris.parquet")
    inputs = frame.drop(columns="species")
    model = KNeighborsClassifier().fit(inputs, frame["species"])
    (tmp_path / "near.pkl").write_bytes(pickle.dumps(model))
    version = brinery.import_model(
        tmp_path / "near.pkl", name="near", data=frame, target="species", workspace=tmp_path
    )
    assert version.fast_path is not None
    assert not version.fast_path.used
    made = brinery.score_files(
        "near",
        data=iris / "iris.parquet",
        output=f"{tmp_path}/out/",
        workspace=tmp_path,
        batch_rows=20,
        workers=2,
    )
    assert (made.rows, made.library_rows) == (150, 150)
    found = read(tmp_path / "out")
    assert found["prediction"].tolist() == model.predict(inputs).tolist()
    assert np.array_equal(found["probability_2"], model.predict_proba(inputs)[:, 2])
    inputs.loc[77, "petal_width"] = np.nan
    inputs.to_parquet(tmp_path / "holed.parquet")
    with pytest.raises(PredictionRefused, match=r"holed\.parquet: row 78: "):
        brinery.score_files(
            "near",
            data=tmp_path / "holed.parquet",
            output=tmp_path / "s.csv",
            workspace=tmp_path,
            batch_rows=20,
        )


def test_what_the_scorer_declines(
    bank: Any, score: Score, bank_workspace: Path, tmp_path: Path
) -> None:
    """Rows that the scorer leaves to the library are answered by it, the others of the run not."""
    data = bank.frame.drop(columns="y").astype({"balance": float})
    data.loc[700, "balance"] = 2.0**60
    data.to_parquet(tmp_path / "a.parquet")
    whole = brinery.predict("bank", data=data, workspace=bank_workspace).to_pandas()
    made = score(tmp_path / "a.parquet", f"{tmp_path}/out/")
    assert made.library_rows == 50
    check_answers(read(tmp_path / "out"), whole)


def killed(command: list[str], *, parts: int, folder: Path) -> None:
    """Begin a command, and kill it once its folder has some parts."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and len(list(folder.glob("part-*"))) < parts:
            time.sleep(0.002)
        running.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_killed_and_resumed(
    bank: Any, bank_workspace: Path, own_answers: pd.DataFrame, tmp_path: Path, brinery_command: Any
) -> None:
    """Killed at several moments and resumed, every id is answered once, and as by the pickle."""
    data = pd.concat([bank.frame.drop(columns="y")] * 60, ignore_index=True)
    data["id"] = np.random.default_rng(0).permutation(len(data))
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    data.iloc[:30_000].to_parquet(folder / "a.parquet", row_group_size=7000)
    data.iloc[30_000:].to_csv(folder / "b.csv", index=False)
    arguments = ["--workspace", str(bank_workspace), "predict", "bank", "--data", str(folder)]
    arguments += ["--output", f"{output}/", "--keep", "id"]
    arguments += ["--batch-rows", "500", "--part-rows", "2000"]
    for parts in (0, 1, 5, 16, 20):
        killed([str(BRINERY), *arguments], parts=parts, folder=output)
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}
    done = brinery_command(*arguments, "--format", "json")
    assert done.status == 0, done.err
    made = json.loads(done.out)
    assert made["rows"] + made["resumed_rows"] == len(data)
    assert made["resumed_rows"] >= 2000 * 19
    after = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}
    assert len(before.items() & after.items()) >= len(before) - 1
    found = read(output).astype({"id": int})
    assert sorted(found["id"]) == list(range(len(data)))
    joined = data[["id"]].merge(found, on="id")
    check_answers(joined, pd.concat([own_answers] * 60, ignore_index=True))


@pytest.fixture
def own_answers(bank: Any) -> pd.DataFrame:
    """What the pickle answers for the held-out rows, loaded as its author would."""
    with bank.model.open("rb") as file:
        model = pickle.load(file)  # noqa: S301, TID251 - the peer
    chances = model.predict_proba(bank.frame)
    found = pd.DataFrame(chances, columns=ANSWERS[1:])
    return found.assign(prediction=model.predict(bank.frame))
