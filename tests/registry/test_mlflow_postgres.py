"""MLflow's tables in PostgreSQL: read without MLflow, and made once, beside ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.postgres import PASSWORD, Postgres

from brinery.errors import RegistryFault
from brinery.registry.mlflow import MlflowRegistry
from brinery.registry.mlflow_postgres import PostgresTables
from brinery.specs.places import database

pytestmark = pytest.mark.slow

TAG = "brinery.sha256"
TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema !~ '^pg_'"
)

OPEN = """
import sys
from brinery.registry.mlflow import MlflowRegistry
registry = MlflowRegistry(sys.argv[1], sys.argv[2])
registry.open()
registry._client.create_registered_model(sys.argv[3])
"""

READ = """
import sys
import brinery
assert [one.name for one in brinery.models(workspace=sys.argv[1])] == ["both"]
assert not {"mlflow", "boto3"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def made(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of a database whose tables two processes made at the same time."""
    uri, folder = postgres.database(), tmp_path_factory.mktemp("artifacts")
    command = [sys.executable, "-c", OPEN, database(uri), folder.as_uri()]
    started = [subprocess.Popen([*command, f"model-{number}"]) for number in range(2)]
    assert [one.wait() for one in started] == [0, 0]
    return uri


def test_processes_that_start_together_make_one(postgres: Postgres, made: str) -> None:
    """Two processes that meet an empty database at once both find MLflow's tables whole."""
    names = postgres.ask(made, "SELECT name FROM registered_models ORDER BY name")
    assert names == ["model-0", "model-1"]


def test_mlflows_tables_are_in_the_default_schema(postgres: Postgres, made: str) -> None:
    """The user's name is no schema that MLflow's tables would go to."""
    schemas = {line.split("|")[0] for line in postgres.ask(made, TABLES)}
    assert "public" in schemas
    assert "brinery" not in schemas


def test_an_empty_database_is_read_as_it_is(postgres: Postgres) -> None:
    """Where there are no tables there are no models, and none are made by asking."""
    uri = postgres.database()
    tables = PostgresTables(database(uri))
    assert tables.rows(tag=TAG) == []
    tables.close()
    assert [line for line in postgres.ask(uri, TABLES) if line.startswith("public|")] == []


def test_a_lost_connection_is_made_again(postgres: Postgres, made: str) -> None:
    """A server that was started anew, or dropped a connection, is asked again."""
    tables = PostgresTables(database(made))
    assert tables.rows(tag=TAG) == []
    postgres.ask(
        made,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert tables.rows(tag=TAG) == []
    tables.close()


def test_tables_of_another_revision_are_not_read(postgres: Postgres, made: str) -> None:
    """Tables that another MLflow made are left to it."""
    tables = PostgresTables(database(made))
    (revision,) = postgres.ask(made, "SELECT version_num FROM alembic_version")
    postgres.ask(made, "UPDATE alembic_version SET version_num = 'another'")
    try:
        assert tables.rows(tag=TAG) is None
        assert tables.standings(champion="champion") is None
    finally:
        back = f"UPDATE alembic_version SET version_num = '{revision}'"  # noqa: S608 - just read
        postgres.ask(made, back)
    assert tables.rows(tag=TAG) == []
    tables.close()


def test_standings_are_told(postgres: Postgres, made: str, tmp_path: Path) -> None:
    """A version in Production, and one that has the alias, are told apart from the rest."""
    registry = MlflowRegistry(database(made), tmp_path)
    registry.open()
    client = registry._client
    client.create_registered_model("theirs")
    for number in ("1", "2", "3"):
        client.create_model_version("theirs", source=f"file:///somewhere/{number}")
    client.set_registered_model_alias("theirs", "champion", "2")
    postgres.ask(made, "UPDATE model_versions SET current_stage = 'Production' WHERE version = 3")
    tables = PostgresTables(database(made))
    found = tables.standings(champion="champion")
    tables.close()
    assert sorted(found or ()) == [("theirs", 2, False, True), ("theirs", 3, True, False)]
    client.delete_registered_model("theirs")


def test_who_only_reads_does_not_import_mlflow(
    postgres: Postgres, made: str, tmp_path: Path
) -> None:
    """Models are listed without MLflow and boto3."""
    postgres.ask(made, "INSERT INTO registered_models (name, workspace) VALUES ('both', 'default')")
    postgres.ask(
        made,
        "INSERT INTO model_versions (name, workspace, version, creation_time, current_stage) "
        "VALUES ('both', 'default', 1, 0, 'None')",
    )
    (tmp_path / "brinery.toml").write_text(f'[store]\nuri = "{made}"\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path)], capture_output=True, text=True, check=False
    )
    for table in ("model_versions", "registered_models"):
        postgres.ask(made, f"DELETE FROM {table} WHERE name = 'both'")  # noqa: S608 - of the two
    assert done.returncode == 0, done.stderr


def test_a_wrong_password_is_said_at_once(postgres: Postgres, tmp_path: Path) -> None:
    """MLflow would ask ten times, for minutes: it is not asked, and no password is told."""
    uri = database(postgres.database()).replace(PASSWORD, "wr0ng-0ne")
    with pytest.raises(RegistryFault) as raised:
        MlflowRegistry(uri, tmp_path).open()
    assert "password authentication failed" in raised.value.message
    assert "wr0ng-0ne" not in raised.value.message
