"""What gates decided, and which decision a row of the audit trail rests on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table, and the columns of the audit trail that name its rows."""
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model", sa.String(100), nullable=False, index=True),
        sa.Column("candidate", sa.String(200), nullable=False),
        sa.Column("champion", sa.String(200)),
        sa.Column("gate", sa.String(200), nullable=False),
        sa.Column("data_sha256", sa.String(64)),
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.add_column("audit", sa.Column("decision", sa.Integer))
    op.add_column(
        "audit", sa.Column("forced", sa.Boolean, nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("forced")
        audit.drop_column("decision")
    op.drop_table("decisions")
