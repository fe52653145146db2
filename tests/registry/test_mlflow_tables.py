"""What is read from MLflow's tables is what MLflow itself says."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import brinery
from brinery.registry import mlflow_tables
from brinery.registry.mlflow_tables import SqliteTables

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "brinery.sha256"


@pytest.fixture
def uri(bank_workspace: Path, tmp_path: Path) -> str:
    """A copy of the tables of a workspace in which bank@1 is the champion."""
    with (
        closing(sqlite3.connect(bank_workspace / ".brinery" / "mlflow.db")) as mine,
        closing(sqlite3.connect(tmp_path / "mlflow.db")) as copy,
    ):
        mine.backup(copy)
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def client(uri: str) -> Iterator[MlflowClient]:
    """An ordinary MLflow client of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        yield MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_the_tables_are_those_of_the_mlflow_that_is_installed() -> None:
    """The revision that is read is the newest that the installed MLflow knows."""
    from mlflow.store.db.utils import (
        _get_latest_schema_revision,  # type: ignore[attr-defined,unused-ignore]
    )

    assert _get_latest_schema_revision() == mlflow_tables.REVISION  # type: ignore[no-untyped-call]


def test_each_version_is_told_as_mlflow_tells_it(uri: str, client: MlflowClient) -> None:
    """Names, numbers, aliases, runs and folders are the client's; deleted ones and prompts none."""
    source = client.get_model_version("bank", "1").source
    client.create_registered_model("theirs")
    for number in (1, 2, 3):
        made = client.create_model_version("theirs", source=f"file:///somewhere/{number}")
        assert int(made.version) == number
    client.set_registered_model_alias("theirs", "best", "2")
    client.set_registered_model_alias("theirs", "all", "2")
    client.delete_model_version("theirs", "3")
    client.register_prompt("hello", "say hello")
    rows = SqliteTables(uri).rows(tag=TAG)
    assert rows is not None
    told = {(row.name, row.number): row for row in rows}
    found = {(v.name, int(v.version)): v for v in client.search_model_versions()}
    assert told.keys() == found.keys()
    assert found.keys() - {("stranger", 1)} == {("bank", 1), ("theirs", 2), ("theirs", 1)}
    for key, version in found.items():
        row = told[key]
        aliases = client.get_registered_model(version.name).aliases.items()
        assert row.aliases == tuple(sorted(a for a, n in aliases if int(n) == row.number))
        assert (row.created_ms, row.run_id) == (version.creation_timestamp, version.run_id or "")
        assert row.tagged is (TAG in version.tags)
    assert source is not None
    logged = client.get_logged_model(source.removeprefix("models:/"))
    assert told["bank", 1].location == logged.artifact_location
    assert [row.number for row in SqliteTables(uri).rows("theirs", tag=TAG) or ()] == [2, 1]


def test_other_tables_are_not_read(uri: str, tmp_path: Path) -> None:
    """Tables of another revision and no SQLite are left to MLflow; no database holds nothing."""
    assert SqliteTables(uri).rows(tag=TAG)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'another'")
        database.commit()
    assert SqliteTables(uri).rows(tag=TAG) is None
    assert SqliteTables(f"sqlite:///{tmp_path / 'none.db'}").rows(tag=TAG) == []
    assert SqliteTables("https://127.0.0.1:5000").rows(tag=TAG) is None
    (tmp_path / "mlflow.db").write_bytes(b"no database")
    assert SqliteTables(uri).rows(tag=TAG) is None


def test_who_only_reads_does_not_import_mlflow(bank_workspace: Path) -> None:
    """A version and what it is served by are found without MLflow."""
    program = (
        "import sys\n"
        "from brinery.actions.rooms import open_rooms\n"
        "from brinery.actions.roster import Roster\n"
        "from brinery.specs.reference import Reference\n"
        "roster = Roster(open_rooms(sys.argv[1]), [Reference('bank')])\n"
        "assert roster.first().offers[0].endpoint is not None\n"
        "assert roster.changed() is None\n"
        "print([m for m in ('mlflow', 'pandas', 'sklearn', 'scipy') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(bank_workspace)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    assert brinery.version("bank@champion", workspace=bank_workspace).number == 1
