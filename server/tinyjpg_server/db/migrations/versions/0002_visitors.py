"""People without an account: what they had done, and the account that their images belong to."""

import sqlalchemy as sa
from alembic import op

from tinyjpg_server.db.tables import UtcDateTime

revision = "0002"
down_revision = "0001"

# No address, so nobody can sign up with it, log in as it or get a key for it.
EMAIL = "anonymous"
PLAN = "Anonymous"

MEBIBYTE = 1024 * 1024

plans = sa.table(
    "plans",
    sa.column("id", sa.BigInteger),
    sa.column("name", sa.String),
    sa.column("monthly_quota", sa.Integer),
    sa.column("max_upload_bytes", sa.BigInteger),
    sa.column("requests_per_minute", sa.Integer),
    sa.column("price_cents", sa.Integer),
    sa.column("currency", sa.String),
    sa.column("offered", sa.Boolean),
)
accounts = sa.table(
    "accounts",
    sa.column("id", sa.BigInteger),
    sa.column("email", sa.String),
    sa.column("plan_id", sa.BigInteger),
    sa.column("created_at", UtcDateTime),
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "visitors",
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.CheckConstraint("images >= 0", name="ck_visitors_images"),
        sa.PrimaryKeyConstraint("visitor", name="pk_visitors"),
    )
    op.create_index("ix_visitors_day", "visitors", ["day"], unique=False)

    connection = op.get_bind()
    named = sa.select(plans.c.id).where(sa.func.lower(plans.c.name) == PLAN.lower())
    plan_id = connection.scalar(named)
    # An operator may have made a plan of this name.
    if plan_id is None:
        connection.execute(
            plans.insert().values(
                name=PLAN,
                monthly_quota=100_000_000,
                max_upload_bytes=10 * MEBIBYTE,
                requests_per_minute=600,
                price_cents=0,
                currency="USD",
                offered=False,
            )
        )
        plan_id = connection.scalar(named)
    connection.execute(
        accounts.insert().values(email=EMAIL, plan_id=plan_id, created_at=sa.func.now())
    )


def downgrade() -> None:
    """Undo. The images of visitors lose their owner; the purge removes the files."""
    connection = op.get_bind()
    anonymous = sa.select(accounts.c.id).where(accounts.c.email == EMAIL).scalar_subquery()
    # SQLite does not cascade while it migrates.
    for name in ("images", "usage"):
        table = sa.table(name, sa.column("account_id", sa.BigInteger))
        connection.execute(table.delete().where(table.c.account_id == anonymous))
    connection.execute(accounts.delete().where(accounts.c.email == EMAIL))
    connection.execute(
        plans.delete().where(plans.c.name == PLAN, plans.c.id.not_in(sa.select(accounts.c.plan_id)))
    )
    op.drop_table("visitors")
