"""Projects, their datasets and managed folders, and what recipes read and wrote."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    for table in ("projects", "datasets", "folders"):
        op.create_table(
            table,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("project", sa.String(100), nullable=False),
            sa.Column("key", sa.String(100), nullable=False),
            sa.Column("document", sa.Text, nullable=False),
            sa.UniqueConstraint("project", "key"),
        )
    op.create_table(
        "activities",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("project", sa.String(100), nullable=False),
        sa.Column("recipe", sa.String(500), nullable=False),
        sa.Column("job", sa.String(100), nullable=False),
        sa.Column("completed", sa.Boolean, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("ix_activities_recipe", "activities", ["project", "recipe"])


def downgrade() -> None:
    """Drop them."""
    for table in ("activities", "folders", "datasets", "projects"):
        op.drop_table(table)
