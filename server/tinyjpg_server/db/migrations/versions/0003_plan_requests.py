"""Who asks for which plan."""

import sqlalchemy as sa
from alembic import op

from tinyjpg_server.db.tables import UtcDateTime

revision = "0003"
down_revision = "0002"

# SQLite counts rows only in a column of exactly INTEGER.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "plan_requests",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_plan_requests_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_requests_plan_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_plan_requests"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("plan_requests")
