"""Turns: whose image is next, by when it came and by how many its account has waiting."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

PROCESSING = sa.text("status = 'processing'")


def upgrade() -> None:
    """Apply. What waits already is next, the oldest first."""
    for table in ("images", "usage"):
        op.add_column(
            table, sa.Column("turn", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
    _index("lease_until", "turn", "id")


def downgrade() -> None:
    """Undo."""
    _index("lease_until", "id")
    for table in ("usage", "images"):
        op.drop_column(table, "turn")


def _index(*columns: str) -> None:
    op.drop_index("ix_images_waiting", table_name="images")
    op.create_index(
        "ix_images_waiting",
        "images",
        columns,
        sqlite_where=PROCESSING,
        postgresql_where=PROCESSING,
    )
