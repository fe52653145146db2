"""The tables of our own database, made and brought up to date by Alembic.

Imported where there is something to do: Alembic takes longer than most questions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError

from brinery.store.audit_database import REVISIONS, SCHEMA, failure

_HERE: Final = Path(__file__).parent
# What is held while tables are made, among all processes of all machines.
_LOCK: Final = 0x6272696E


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the tables of a database up to date; what others make at the same time is waited for.

    Args:
        engine: of the database.
        revision: to bring them to.

    Raises:
        StoreFault: a later release wrote it.
    """
    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    config.set_main_option("version_locations", str(REVISIONS))
    config.set_main_option("path_separator", "newline")
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            _make_schema(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise failure(error) from error


def _make_schema(connection: sa.Connection) -> None:
    """Make our schema where it is not there, alone."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    # Asked first: "IF NOT EXISTS" takes the right to make schemas even where it makes none.
    if connection.scalar(sa.select(sa.func.to_regnamespace(SCHEMA))) is None:
        connection.execute(sa.schema.CreateSchema(SCHEMA))
