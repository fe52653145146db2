"""Datasets: made of files, read and written, versioned by content, and refused with reasons."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from tests.actions.project_rooms import rooms_in

import brinery
from brinery.actions import datasets, folders
from brinery.actions.dataset_frames import DatasetReader
from brinery.actions.datasets import RowSource, Write
from brinery.actions.project_rooms import ProjectRooms, open_project_rooms
from brinery.errors import (
    AlreadyThere,
    BrineryError,
    ColumnMissing,
    DataFileMissing,
    DataUnreadable,
    InvalidName,
    InvalidSchema,
    NotFound,
)
from brinery.records.dataset import Dataset, DatasetFormat

CSV = "age;job;rate;when\n30;admin;1.5;2020-01-01\n41;;2.5;2020-01-02\n52;technician;;2020-01-03\n"


@pytest.fixture
def rooms(tmp_path: Path) -> ProjectRooms:
    """The rooms of a workspace of its own, with a csv file beside it."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "bank.csv").write_text(CSV, encoding="utf-8")
    return rooms_in(folder)


def made(rooms: ProjectRooms, name: str = "bank", **source: str | bool | DatasetFormat) -> Dataset:
    path = str(rooms.workspace.root / "bank.csv")
    return datasets.create_dataset(
        rooms,
        name,
        source=RowSource(**{"path": path, "separator": ";", **source}),  # type: ignore[arg-type]
    )


def rows(rooms: ProjectRooms, name: str = "bank") -> pd.DataFrame:
    found = datasets.dataset(rooms, name)
    return DatasetReader(datasets.location(rooms, found)).pandas()


def put(
    rooms: ProjectRooms, frame: pd.DataFrame, name: str = "bank", *, append: bool = False
) -> Dataset:
    staged = datasets.stage(rooms, name)
    frame.to_parquet(staged / "0.parquet")
    return datasets.commit(rooms, name, staged=staged, write=Write(append=append, run="job"))


def test_a_csv_becomes_a_copy_that_reads_as_pandas_reads_it(rooms: ProjectRooms) -> None:
    """Values and types are those of `read_csv`; the file may go, and the rows stay."""
    bank = made(rooms)
    assert bank.content is not None
    assert (bank.content.rows, len(bank.columns), bank.external) == (3, 4, False)
    path = rooms.workspace.root / "bank.csv"
    expected = pd.read_csv(path, sep=";")
    path.unlink()
    pd.testing.assert_frame_equal(rows(rooms), expected)
    assert [str(one.type) for one in bank.columns] == ["bigint", "string", "double", "string"]


@pytest.mark.parametrize("form", ["parquet", "jsonl", "arrow", "csv.gz"])
def test_every_format_is_read(rooms: ProjectRooms, form: str) -> None:
    """A table in any format that is read becomes a dataset of the same rows."""
    path = rooms.workspace.root / f"copy.{form}"
    frame = pd.read_csv(rooms.workspace.root / "bank.csv", sep=";").dropna()
    match form:
        case "parquet":
            frame.to_parquet(path)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "arrow":
            frame.reset_index(drop=True).to_feather(path)
        case _:
            frame.to_csv(path, index=False)
    made(rooms, path=str(path), separator="")
    assert rows(rooms)["age"].tolist() == [30]


def test_a_write_is_a_version_and_an_old_one_can_be_restored(rooms: ProjectRooms) -> None:
    """The rows change at once; the version before stays, is restored, and pruned when asked."""
    first = made(rooms)
    second = put(rooms, pd.DataFrame({"age": [1]}))
    assert [one.run for one in second.versions] == ["", "job"]
    assert rows(rooms)["age"].tolist() == [1]
    back = datasets.restore(rooms, second, version=first.current[:6])
    assert back.columns == first.columns
    assert len(rows(rooms)) == 3
    (gone,) = datasets.prune(rooms, back)
    assert gone.version == second.current
    assert not datasets.holds(rooms, back, version=second.current)
    assert datasets.holds(rooms, datasets.dataset(rooms, "bank"), version=first.current)
    with pytest.raises(NotFound, match="has no version"):
        datasets.restore(rooms, back, version=second.current)


def test_rows_are_appended(rooms: ProjectRooms) -> None:
    """Appended rows come after those that are there, and to a new dataset they are its first."""
    put(rooms, pd.DataFrame({"a": [1]}), "new", append=True)
    put(rooms, pd.DataFrame({"a": [2]}), "new", append=True)
    assert rows(rooms, "new")["a"].tolist() == [1, 2]


def test_appending_at_once_loses_nothing(rooms: ProjectRooms) -> None:
    """Of several who append at once, everybody's rows are there."""
    put(rooms, pd.DataFrame({"a": [0]}), "log")

    def add(number: int) -> None:
        put(rooms, pd.DataFrame({"a": [number]}), "log", append=True)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(1, 5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(rows(rooms, "log")["a"]) == [0, 1, 2, 3, 4]


def test_a_commit_that_fails_leaves_the_old_rows(rooms: ProjectRooms) -> None:
    """What is no table is refused, the rows of before are read, and nothing staged is left."""
    before = made(rooms)
    staged = datasets.stage(rooms, "bank")
    (staged / "0.parquet").write_bytes(b"torn")
    with pytest.raises(DataUnreadable):
        datasets.commit(rooms, "bank", staged=staged)
    assert not staged.exists()
    assert datasets.dataset(rooms, "bank") == before


def test_a_writer_without_pyarrow_stages_csv(rooms: ProjectRooms) -> None:
    """Staged csv is read by the schema that the writer gives."""
    staged = datasets.stage(rooms, "texts")
    (staged / "0.csv").write_text("code,n\n1,1\n2,2\n")
    columns = [{"name": "code", "type": "string"}, {"name": "n", "type": "bigint"}]
    done = datasets.commit(rooms, "texts", staged=staged, write=Write(columns=columns))
    assert [str(one.type) for one in done.columns] == ["string", "bigint"]
    assert rows(rooms, "texts")["code"].tolist() == ["1", "2"]


def test_an_external_file_stays_where_it_is(rooms: ProjectRooms) -> None:
    """It is read in place with its own separator, written in place, and outlives the dataset."""
    bank = made(rooms, external=True)
    assert (bank.format, bank.external, bank.versions) == (DatasetFormat.CSV, True, ())
    assert len(rows(rooms)) == 3
    was = datasets.location(rooms, bank).version
    path = rooms.workspace.root / "bank.csv"
    put(rooms, pd.DataFrame({"age": [7], "job": ["x"]}))
    assert path.read_text(encoding="utf-8").splitlines()[1].replace('"', "") == "7;x"
    assert datasets.location(rooms, bank).version != was
    put(rooms, pd.DataFrame({"age": [8], "job": ["y"]}), append=True)
    assert rows(rooms)["age"].tolist() == [7, 8]
    datasets.delete_dataset(rooms, bank)
    assert path.exists()


def test_a_table_of_a_database_is_a_dataset(rooms: ProjectRooms) -> None:
    """Its columns, rows, missing values and times are read, and it is written in a transaction."""
    uri = f"sqlite:///{rooms.workspace.root / 'data.db'}"
    with sa.create_engine(uri).begin() as connection:
        connection.exec_driver_sql("create table t (a integer, b text, c real, d timestamp)")
        connection.exec_driver_sql(
            "insert into t values (1, 'x', 2.5, '2020-01-01 10:00:00'), (null, null, 1, null)"
        )
    table = made(rooms, "t", path=uri, table="t", separator="")
    kinds = [str(one.type) for one in table.columns]
    assert kinds == ["bigint", "string", "double", "datetimenotz"]
    found = rows(rooms, "t")
    assert found["b"].isna().tolist() == [False, True]
    assert found["d"].iloc[0] == pd.Timestamp("2020-01-01 10:00")
    put(rooms, pd.DataFrame({"a": [5], "b": ["z"], "c": [0.5], "d": [None]}), "t", append=True)
    assert rows(rooms, "t")["a"].tolist()[-1] == 5
    put(rooms, pd.DataFrame({"a": [6]}), "t")
    assert rows(rooms, "t")["a"].tolist() == [6]
    with pytest.raises(NotFound, match="did you mean t"):
        made(rooms, "u", path=uri, table="tt")


def test_a_schema_may_come_before_the_rows(rooms: ProjectRooms) -> None:
    """A dataset that was never written has no rows of the types it declares."""
    datasets.set_schema(rooms, "empty", columns=[{"name": "n", "type": "double"}])
    found = rows(rooms, "empty")
    assert (len(found), str(found["n"].dtype)) == (0, "float64")


def test_some_columns_and_rows_are_read(rooms: ProjectRooms) -> None:
    """Columns come in the order that is asked for, and the first rows only; for all readers."""
    made(rooms)
    put(rooms, pd.DataFrame({"b": range(10), "a": range(10)}), "many")
    put(rooms, pd.DataFrame({"b": range(10), "a": range(10)}), "many", append=True)
    where = datasets.location(rooms, datasets.dataset(rooms, "many"))
    reader = DatasetReader(where)
    assert reader.pandas(["a", "b"], limit=12).shape == (12, 2)
    assert reader.arrow(limit=0).num_rows == 0
    assert reader.polars(["a"], limit=3)["a"].to_list() == [0, 1, 2]
    with pytest.raises(ColumnMissing, match="no column 'c'"):
        reader.pandas(["c"])
    Path(where.paths[0]).unlink()
    with pytest.raises(DataFileMissing, match="is gone"):
        reader.arrow()


def test_duckdb_reads(rooms: ProjectRooms) -> None:
    """Its rows are DuckDB's, which asks them by SQL; a limit and columns are kept to."""
    made(rooms)
    reader = DatasetReader(datasets.location(rooms, datasets.dataset(rooms, "bank")))
    assert reader.duckdb(["age"]).fetchall() == [(30,), (41,), (52,)]
    relation = reader.duckdb(limit=2)
    assert relation.query("bank", "select count(*), max(age) from bank").fetchall() == [(2, 41)]


def test_a_library_that_is_missing_is_named() -> None:
    """Reading by a library that is not installed says what to install."""
    program = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from brinery.actions.dataset_frames import DatasetReader\n"
        "from brinery.errors import LibraryMissing\n"
        "import pyarrow as pa\n"
        "class Reader(DatasetReader):\n"
        "    def arrow(self, columns=None, *, limit=None): return pa.table({})\n"
        "try: Reader(None).duckdb()\n"
        "except LibraryMissing as error: print(error.message, error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "needs duckdb, which is not installed" in done.stdout
    assert "pip install duckdb" in done.stdout


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl"])
def test_a_dataset_is_exported(rooms: ProjectRooms, name: str) -> None:
    """All rows are written in the format that the name's ending says."""
    bank = made(rooms)
    target = rooms.workspace.root / name
    assert datasets.export_dataset(rooms, bank, target=target) == 3
    made(rooms, "copy", path=str(target), separator="")
    assert rows(rooms, "copy")["age"].tolist() == [30, 41, 52]


@pytest.mark.parametrize(
    ("name", "source", "error", "said"),
    [
        ("a b", {}, InvalidName, "not allowed"),
        ("bank", {"path": "none.csv"}, DataFileMissing, "nothing at"),
        ("p", {"external": True, "path": "."}, DataUnreadable, "is a folder"),
    ],
)
def test_what_cannot_be_is_refused(
    rooms: ProjectRooms,
    name: str,
    source: dict[str, str | bool],
    error: type[BrineryError],
    said: str,
) -> None:
    """A wrong name, a missing file and a folder as one file are refused, and nothing is kept."""
    if "path" in source:
        source = {**source, "path": str(rooms.workspace.root / str(source["path"]))}
    with pytest.raises(error, match=said):
        made(rooms, name, **source)
    assert datasets.datasets(rooms) == []


def test_a_name_is_taken_once_and_the_nearest_is_told(rooms: ProjectRooms) -> None:
    """A second dataset of a name is refused; a name that is not there has the nearest told."""
    made(rooms)
    with pytest.raises(AlreadyThere):
        made(rooms)
    with pytest.raises(NotFound, match="did you mean bank"):
        datasets.dataset(rooms, "bnak")
    with pytest.raises(NotFound, match="no project OTHER"):
        datasets.dataset(rooms, "OTHER.bank")
    owner = datasets.dataset(rooms, "bank").project
    assert datasets.dataset(rooms, f"{owner}.bank").name == "bank"


def test_a_value_that_is_none_of_its_type_is_named(rooms: ProjectRooms) -> None:
    """A declared type that the rows do not have is refused with the column."""
    path = str(rooms.workspace.root / "bank.csv")
    with pytest.raises(InvalidSchema, match="column 'job' is declared bigint"):
        datasets.create_dataset(
            rooms,
            "bank",
            source=RowSource(path=path, separator=";"),
            columns=[{"name": "job", "type": "bigint"}],
        )


def test_a_dataset_is_opened_by_its_name(tmp_path: Path) -> None:
    """The Python interface reads a dataset of a real workspace, which another wrote."""
    from_file = tmp_path / "a.csv"
    from_file.write_text("a,b\n1,2\n")
    rooms = open_project_rooms(tmp_path)
    datasets.create_dataset(rooms, "a", source=RowSource(path=str(from_file)))
    found = brinery.dataset("a", workspace=tmp_path)
    assert found.pandas()["b"].tolist() == [2]
    assert [one.name for one in found.schema] == ["a", "b"]
    assert len(found.version) == 16
    folders.create_folder(rooms, "models")
    handle = brinery.folder("models", workspace=tmp_path)
    handle.write("a.pkl", b"x")
    assert handle.paths() == ["/a.pkl"]
    with handle.open("a.pkl") as stream:
        assert stream.read() == b"x"
    assert handle.folder.id in handle.uri
    assert brinery.project(workspace=tmp_path).default
    assert [one.name for one in brinery.flow(workspace=tmp_path).nodes] == ["a", "models"]
