"""The audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("change", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False, index=True),
        sa.Column("before", sa.String(200)),
        sa.Column("after", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("done", sa.Boolean),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("audit")
