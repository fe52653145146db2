"""`dataiku.Dataset`: what scripts write comes back as it does on the platform."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.shims.conftest import Shimmed


def frame() -> pd.DataFrame:
    """A data frame with a column of each kind."""
    return pd.DataFrame(
        {
            "age": [31, 42, 53],
            "name": ["ann", None, "NA"],
            "code": ["007", "042", "100"],
            "some": ["1", "2", None],
            "yes": [True, False, True],
            "said": ["true", "false", "true"],
            "rate": [0.5, None, 2.0],
            "small": np.array([1, 2, 3], "int8"),
            "day": pd.Series([pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01"), pd.NaT]),
            "at": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"], utc=True),
            "list": [[1], [2, 3], []],
            "mixed": [1, "a", 2.5],
            "kind": pd.Categorical(["x", "y", "x"]),
        }
    )


TYPES = {
    "age": "bigint",
    "name": "string",
    "code": "string",
    "some": "string",
    "yes": "boolean",
    "said": "string",
    "rate": "double",
    "small": "tinyint",
    "day": "datetimenotz",
    "at": "date",
    "list": "array",
    "mixed": "string",
    "kind": "string",
}


@pytest.fixture(scope="module")
def people(shimmed: Shimmed) -> Any:
    """A dataset with a column of each kind; tests read it."""
    made = shimmed.dataiku.Dataset("people")
    assert made.write_with_schema(frame()) is None
    return made


def test_names(shimmed: Shimmed, people: Any) -> None:
    """A dataset is known by its name, and in full with its project's key."""
    key = shimmed.dataiku.default_project_key()
    assert key.startswith("MARKETING")
    assert (people.name, people.full_name) == ("people", f"{key}.people")
    assert shimmed.dataiku.Dataset(f"{key}.people").read_schema() == people.read_schema()
    assert "people" in shimmed.dataiku.Dataset.list()


def test_schema_is_what_the_frame_has(people: Any) -> None:
    """Each kind of column has its type of the platform's."""
    assert {one["name"]: one["type"] for one in people.read_schema()} == TYPES


def test_frame_is_guessed_as_pandas_guesses_csv(people: Any) -> None:
    """By default texts that are all numbers come as numbers, and NA is a missing value."""
    found = people.get_dataframe()
    kinds = {name: found[name].dtype.kind for name in ("age", "code", "some", "yes", "said")}
    assert kinds == {"age": "i", "code": "i", "some": "f", "yes": "b", "said": "b"}
    assert found["code"].tolist() == [7, 42, 100]
    assert found["name"].isna().tolist() == [False, True, True]
    assert found["small"].dtype == "int64"
    assert str(found["at"].dt.tz) == "UTC"
    assert [json.loads(one) for one in found["list"]] == frame()["list"].tolist()
    assert found["mixed"].tolist() == ["1", "a", "2.5"]


def test_frame_by_the_stored_schema(people: Any) -> None:
    """Without guessing, columns are what the schema says."""
    found = people.get_dataframe(infer_with_pandas=False, keep_default_na=False)
    assert found["code"].tolist() == ["007", "042", "100"]
    assert found["name"].tolist()[2] == "NA"
    assert found["small"].dtype == "int8"


def test_frame_with_other_types(people: Any) -> None:
    """Booleans as texts, integers as floats or nullable, categories, and types by name."""
    as_text = people.get_dataframe(columns=["yes", "age"], bool_as_str=True, int_as_float=True)
    assert list(as_text.columns) == ["yes", "age"]
    assert as_text["yes"].tolist() == ["true", "false", "true"]
    assert as_text["age"].dtype == "float64"
    found = people.get_dataframe(
        use_nullable_integers=True,
        categoricals=["kind"],
        override_dtypes={"code": "str"},
        parse_dates=False,
        na_values=["ann"],
    )
    assert str(found["age"].dtype) == "Int64"
    assert str(found["kind"].dtype) == "category"
    assert found["code"].tolist() == ["007", "042", "100"]
    assert found["at"].tolist()[0] == "2026-01-01T00:00:00.000Z"
    assert found["name"].isna().all()


def test_columns_that_a_frame_lacks_are_empty(shimmed: Shimmed) -> None:
    """What is stored has the columns of the schema, though fewer are written."""
    found = shimmed.dataiku.Dataset("fewer")
    found.write_with_schema(pd.DataFrame({"a": [1], "b": ["u"], "c": [1.5]}))
    found.write_dataframe(pd.DataFrame({"a": [2, 3]}))
    assert [one["name"] for one in found.read_schema()] == ["a", "b", "c"]
    for typed in (True, False):
        rows = found.get_dataframe(infer_with_pandas=typed)
        assert rows["a"].tolist() == [2, 3]
        assert rows[["b", "c"]].isna().all(axis=None)
        assert rows["c"].dtype == "float64"


def test_integers_with_missing_values(shimmed: Shimmed) -> None:
    """They are floats where pandas guesses, nullable when asked for, and an error by the schema."""
    rows = shimmed.dataiku.Dataset("gaps")
    rows.write_schema([{"name": "n", "type": "bigint"}, {"name": "t", "type": "string"}])
    with rows.get_writer() as writer:
        writer.write_row_dict({"n": 1, "t": "x"})
        writer.write_tuple((None, "y"))
    assert rows.get_dataframe()["n"].dtype == "float64"
    assert str(rows.get_dataframe(use_nullable_integers=True)["n"].dtype) == "Int64"
    with pytest.raises(ValueError, match="Integer column has NA values"):
        rows.get_dataframe(infer_with_pandas=False)
    assert list(rows.iter_tuples()) == [(1, "x"), (None, "y")]


@pytest.fixture(scope="module")
def numbers(shimmed: Shimmed) -> Any:
    """A dataset of a hundred rows in ten groups; tests read it."""
    made = shimmed.dataiku.Dataset("numbers")
    made.write_with_schema(pd.DataFrame({"n": range(100), "g": [n % 10 for n in range(100)]}))
    return made


def test_samples(numbers: Any) -> None:
    """The first rows, the last, drawn ones, drawn groups, and the first by a column."""
    assert numbers.get_dataframe(limit=3)["n"].tolist() == [0, 1, 2]
    assert numbers.get_dataframe(sampling="tail", limit=2)["n"].tolist() == [98, 99]
    drawn = numbers.get_dataframe(sampling="random", ratio=0.25)
    assert len(drawn) == 25
    assert drawn["n"].tolist() == numbers.get_dataframe(sampling="random", ratio=0.25)["n"].tolist()
    assert len(numbers.get_dataframe(sampling="random", limit=7)) == 7
    groups = numbers.get_dataframe(sampling="random-column", sampling_column="g", ratio=0.3)
    assert groups["g"].nunique() == 3
    assert len(groups) == 30
    last = numbers.get_dataframe(
        sampling="sort-column", sampling_column="n", ascending=False, limit=1
    )
    assert last["n"].tolist() == [99]


def test_pieces_and_rows(numbers: Any) -> None:
    """Rows come in frames of a size, as dicts, as tuples, and as text."""
    assert [len(one) for one in numbers.iter_dataframes(chunksize=40)] == [40, 40, 20]
    first = next(iter(numbers.iter_rows(limit=1)))
    assert (dict(first), first["g"], first.get("none")) == ({"n": 0, "g": 0}, 0, None)
    with pytest.raises(KeyError):
        first["none"]
    assert list(numbers.iter_tuples(limit=2, columns=["g"])) == [(0,), (1,)]
    text = numbers.raw_formatted_data(sampling={"maxRecords": 1}, format="tsv-excel-header")
    assert text.read() == b"n\tg\n0\t0\n"
    names, dtypes, dates = numbers.get_dataframe_schema_st(numbers.read_schema())
    assert (names, dtypes, dates) == (["n", "g"], {"n": "int64", "g": "int64"}, [])
    pieces = numbers.iter_dataframes_forced_types(["n"], {"n": "float32"}, [], chunksize=99)
    assert [one["n"].dtype for one in pieces] == ["float32", "float32"]


def test_what_is_known_of_a_dataset(numbers: Any) -> None:
    """Its configuration, place, files, partitions and counts."""
    assert numbers.get_config()["schema"]["columns"][0]["name"] == "n"
    files = numbers.get_files_info()["globalPaths"]
    assert files[0]["path"].startswith(numbers.get_location_info()["info"]["path"])
    assert files[0]["size"] > 0
    assert numbers.list_partitions() == ["NP"]
    counted = numbers.get_last_metric_values()
    assert counted.get_global_value("records:COUNT_RECORDS") == 100
    with pytest.raises(NotImplementedError, match="keep the key as a column"):
        numbers.add_read_partitions("a")


def test_appending(shimmed: Shimmed) -> None:
    """Rows replace those that are there, or come after them where the script says so."""
    rows = shimmed.dataiku.Dataset("grown")
    rows.write_with_schema(pd.DataFrame({"a": [1]}))
    rows.write_with_schema(pd.DataFrame({"a": [2]}), drop_and_create=True)
    rows.spec_item["appendMode"] = True
    rows.write_dataframe(pd.DataFrame({"a": [3]}))
    assert rows.get_dataframe()["a"].tolist() == [2, 3]
    with pytest.warns(DeprecationWarning, match="drop_and_create"):
        rows.write_with_schema(pd.DataFrame({"a": [4]}), dropAndCreate=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        rows.write_with_schema(pd.DataFrame({"a": [4]}), wrong=True)


def test_a_writer_that_fails_leaves_what_was_there(shimmed: Shimmed) -> None:
    """Nothing of a block that raised is written."""
    rows = shimmed.dataiku.Dataset("kept")
    rows.write_with_schema(pd.DataFrame({"a": [1]}))
    writer = rows.get_writer()
    writer.write_tuple((2,))
    writer.write_dataframe(pd.DataFrame({"a": [3]}))
    with pytest.raises(RuntimeError), writer:
        raise RuntimeError
    assert rows.get_dataframe()["a"].tolist() == [1]
    with pytest.raises(Exception, match="is closed"):
        writer.write_tuple((4,))
    with pytest.raises(Exception, match="has 1 values, and this has 2"):
        rows.get_writer().write_tuple((1, 2))
    with pytest.raises(Exception, match="no column 'b'"):
        rows.get_writer().write_row_dict({"b": 1})


def test_dates_without_time(shimmed: Shimmed) -> None:
    """A column of dates is one, and is read as dates or as their texts."""
    rows = shimmed.dataiku.Dataset("days")
    rows.write_with_schema(pd.DataFrame({"d": [dt.date(2026, 1, 2), None]}))
    assert rows.read_schema() == [{"name": "d", "type": "dateonly"}]
    assert rows.get_dataframe()["d"].dtype.kind == "M"
    assert rows.get_dataframe(parse_dates=False)["d"].tolist()[0] == "2026-01-02"


@pytest.mark.parametrize(
    ("asked", "kind", "says"),
    [
        ({"columns": ["nam"]}, Exception, "no column 'nam'"),
        ({"sampling": "middle"}, ValueError, "Unknown sampling: middle"),
        ({"sampling": "random"}, ValueError, "needs a ratio or a limit"),
        ({"sampling": "random", "ratio": 3}, ValueError, "not between 0 and 1"),
        ({"sampling": "random-column", "ratio": 0.1}, ValueError, "needs a sampling_column"),
        ({"pandas_read_kwargs": {"skiprows": 1}}, NotImplementedError, "skiprows means nothing"),
    ],
)
def test_wrong_questions(
    people: Any, asked: dict[str, Any], kind: type[Exception], says: str
) -> None:
    """What cannot be read is told by the kind of error that the platform raises."""
    with pytest.raises(kind, match=says):
        people.get_dataframe(**asked)


def test_what_is_not_there(shimmed: Shimmed) -> None:
    """A dataset that nobody wrote is named, with what to type; a writer needs a schema."""
    none = shimmed.dataiku.Dataset("peopel")
    with pytest.raises(Exception, match="NotFoundException: there is no dataset peopel"):
        none.get_dataframe()
    with pytest.raises(Exception, match="no schema to write rows by"):
        none.get_writer()
    with pytest.raises(TypeError, match="this is a list"):
        none.write_with_schema([1])
    with pytest.raises(ValueError, match="two columns of the name 'a'"):
        none.write_with_schema(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(NotImplementedError, match="SQLAlchemy"):
        _ = shimmed.dataiku.SQLExecutor2
    with pytest.raises(AttributeError):
        _ = shimmed.dataiku.nothing_of_this


def test_looking_at_frames(shimmed: Shimmed) -> None:
    """`pandasutils` tells of each column; lists do not stop it."""
    told = shimmed.dataiku.pandasutils.audit(frame())
    by_name = told.set_index("_a_variable")
    assert by_name.loc["name", "_d_missings"] == 1
    assert by_name.loc["list", "_c_cardinality"] == 3


def test_variables_and_libraries(shimmed: Shimmed) -> None:
    """The project's variables are there, as texts or as they are; its modules are on the path."""
    project = shimmed.dataiku.Project()
    project.set_variables({"standard": {"rate": 0.5, "who": "us"}, "local": {"who": "me"}})
    key = shimmed.dataiku.default_project_key()
    assert shimmed.dataiku.get_custom_variables() == {"projectKey": key, "rate": "0.5", "who": "me"}
    assert shimmed.dataiku.get_custom_variables(typed=True)["rate"] == 0.5
    assert shimmed.module("marketing_rules").LIMIT == 7


def test_a_reading_does_not_wait_for_its_copy(shimmed: Shimmed, tmp_path: Path) -> None:
    """The copy is written by a thread of its own; who asks for it next has all of it."""
    copies = shimmed.module("dataiku.core.dataset_copies")
    table = pa.table({"number": range(1_000_000), "text": ["a"] * 1_000_000})
    path = str(tmp_path / "cache" / "rows@1.arrow")
    writer = copies.keep(path, table, ["text"])
    found, ready = copies.kept(path)
    assert (found.equals(table), ready, writer.is_alive()) == (True, ["text"], False)


def test_a_copy_is_read_and_is_never_another_version(shimmed: Shimmed) -> None:
    """Read again, by columns, in part and after a writing: the rows are those of the version."""
    dataset = shimmed.dataiku.Dataset("copied")
    frame = pd.DataFrame(
        {
            "text": ["a", "b", "a"],
            "gap": ["x", "NA", None],
            "code": ["1", "2", "3"],
            "long": [f"{n}-{'y' * n}" for n in range(3)],
            "number": [1, 2, 3],
        }
    )
    dataset.write_with_schema(frame)
    first = dataset.get_dataframe()
    again = dataset.get_dataframe()
    (copy,) = (shimmed.workspace / ".brinery" / "cache" / "tables").glob("*.copied@*.arrow")
    pd.testing.assert_frame_equal(first, again)
    assert again["code"].tolist() == [1, 2, 3]
    assert again["gap"].isna().tolist() == [False, True, True]
    assert dataset.get_dataframe(columns=["number", "text"], limit=2).to_dict("list") == {
        "number": [1, 2],
        "text": ["a", "b"],
    }
    exact = dataset.get_dataframe(infer_with_pandas=False, keep_default_na=False)
    assert exact["gap"].tolist()[:2] == ["x", "NA"]
    again.loc[0, "number"] = 7
    assert dataset.get_dataframe()["number"].tolist() == [1, 2, 3]
    dataset.write_with_schema(frame.assign(number=[4, 5, 6]))
    for _ in range(2):  # the second reading waits for the copy of the first
        assert dataset.get_dataframe()["number"].tolist() == [4, 5, 6]
    assert not copy.exists()
    (other,) = copy.parent.glob("*.copied@*.arrow")
    other.write_bytes(b"spoilt")
    for _ in range(2):
        assert dataset.get_dataframe()["number"].tolist() == [4, 5, 6]
    shimmed.project.get_dataset("copied").delete()
    assert not other.exists()


def test_lists_have_items_with_attributes(shimmed: Shimmed, people: Any) -> None:
    """What is listed is a dict, and its name and id are attributes; handles are had by type."""
    project = shimmed.project
    item = next(one for one in project.list_datasets() if one.name == people.name)
    assert (item["name"], item.id, item.type) == ("people", "people", "Filesystem")
    assert item.to_dataset().get_as_core_dataset().full_name == people.full_name
    assert item.get_column("code") == {"name": "code", "type": "string", "comment": ""}
    assert item.get_column("none") is None
    assert (item.connection, item.tags, item.schema["columns"]) == (None, [], item["columns"])
    assert "people" in [one.name for one in project.list_datasets(as_type="objects")]
    folder = project.create_managed_folder("listed")
    model = project.create_mlflow_pyfunc_model("listed")
    assert ("listed", folder.id) in [(one.name, one.id) for one in project.list_managed_folders()]
    assert ("listed", model.id) in [(one.name, one["id"]) for one in project.list_saved_models()]


def test_settings_change_the_schema(shimmed: Shimmed) -> None:
    """A column that is added to the settings is there once they are saved, and nothing else is."""
    shimmed.dataiku.Dataset("set").write_schema([{"name": "a", "type": "int"}])
    handle = shimmed.project.get_dataset("set")
    settings = handle.get_settings()
    assert (settings.type, settings.get_raw()["name"]) == ("Filesystem", "set")
    settings.add_raw_schema_column({"name": "b", "type": "string"})
    settings.save()
    assert [one["name"] for one in handle.get_schema()["columns"]] == ["a", "b"]
    settings.get_raw_params()["path"] = "elsewhere"
    with pytest.raises(NotImplementedError, match="params of a dataset cannot be saved"):
        settings.save()


def test_clear_leaves_the_schema(shimmed: Shimmed) -> None:
    """The rows are gone, the columns and their types are not."""
    rows = shimmed.dataiku.Dataset("cleared")
    rows.write_schema([{"name": "a", "type": "int"}, {"name": "d", "type": "date"}])
    with rows.get_writer() as writer:
        writer.write_row_dict({"a": 1, "d": pd.Timestamp("2026-01-01", tz="UTC")})
    handle, schema = shimmed.project.get_dataset("cleared"), rows.read_schema()
    assert len(rows.get_dataframe()) == 1
    handle.clear()
    assert len(rows.get_dataframe()) == 0
    assert rows.read_schema() == schema
    with pytest.raises(NotImplementedError, match="partitions"):
        handle.clear(partitions="2026")
