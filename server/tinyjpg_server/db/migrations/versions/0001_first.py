"""The first schema, and the plans."""

import sqlalchemy as sa
from alembic import op

from tinyjpg_server.db.tables import UtcDateTime

revision = "0001"
down_revision = None

# SQLite counts rows only in a column of exactly INTEGER.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

MEBIBYTE = 1024 * 1024

# name, images a month, largest upload, requests a minute, price in cents, offered to customers
PLANS = (
    ("Free", 500, 5 * MEBIBYTE, 60, 0, True),
    ("Pro", 10_000, 32 * MEBIBYTE, 600, 1_500, True),
    ("Business", 100_000, 128 * MEBIBYTE, 3_000, 7_500, True),
    # For whoever runs the service.
    ("Operator", 100_000_000, 256 * MEBIBYTE, 1_000_000, 0, False),
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "plans",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("monthly_quota", sa.Integer(), nullable=False),
        sa.Column("max_upload_bytes", sa.BigInteger(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
        sa.UniqueConstraint("name", name="uq_plans_name"),
    )
    op.create_table(
        "savings",
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("quality_band", sa.Integer(), nullable=False),
        sa.Column("density_band", sa.Integer(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("log_ratio_sum", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("format", "quality_band", "density_band", name="pk_savings"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("disabled_at", UtcDateTime, nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_accounts_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("email", name="uq_accounts_email"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("last_used_at", UtcDateTime, nullable=True),
        sa.Column("expires_at", UtcDateTime, nullable=True),
        sa.Column("revoked_at", UtcDateTime, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_api_keys_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )
    op.create_index("ix_api_keys_account_id", "api_keys", ["account_id"], unique=False)

    op.create_table(
        "images",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("key_id", ID, nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("original_size", sa.BigInteger(), nullable=False),
        sa.Column("estimated_size", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", UtcDateTime, nullable=True),
        sa.Column("claimed_by", sa.String(length=80), nullable=True),
        sa.Column("finished_at", UtcDateTime, nullable=True),
        sa.Column("optimized_size", sa.BigInteger(), nullable=True),
        sa.Column("result_attempt", sa.Integer(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("method", sa.String(length=200), nullable=True),
        sa.Column("processing_time", sa.Float(), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_message", sa.String(length=500), nullable=True),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("deleted_at", UtcDateTime, nullable=True),
        sa.Column("files_removed_at", UtcDateTime, nullable=True),
        sa.CheckConstraint(
            "status IN ('processing', 'completed', 'failed')", name="ck_images_status"
        ),
        sa.CheckConstraint("quality BETWEEN 1 AND 100", name="ck_images_quality"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_images_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("name", name="uq_images_name"),
    )
    op.create_index("ix_images_account_id_id", "images", ["account_id", "id"], unique=False)
    op.create_index("ix_images_account_month", "images", ["account_id", "month"], unique=False)
    op.create_index(
        "ix_images_expiring",
        "images",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("files_removed_at IS NULL"),
        postgresql_where=sa.text("files_removed_at IS NULL"),
    )
    op.create_index(
        "ix_images_waiting",
        "images",
        ["lease_until", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'processing'"),
        postgresql_where=sa.text("status = 'processing'"),
    )

    op.create_table(
        "sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_sessions_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"], unique=False)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)

    op.create_table(
        "usage",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reserved", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("reserved >= 0", name="ck_usage_reserved"),
        sa.CheckConstraint("used >= 0", name="ck_usage_used"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_usage_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "month", name="pk_usage"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_idempotency_keys_account_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name="fk_idempotency_keys_image_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False
    )

    plans = sa.table(
        "plans",
        sa.column("name", sa.String),
        sa.column("monthly_quota", sa.Integer),
        sa.column("max_upload_bytes", sa.BigInteger),
        sa.column("requests_per_minute", sa.Integer),
        sa.column("price_cents", sa.Integer),
        sa.column("currency", sa.String),
        sa.column("offered", sa.Boolean),
    )
    op.bulk_insert(
        plans,
        [
            {
                "name": name,
                "monthly_quota": quota,
                "max_upload_bytes": upload,
                "requests_per_minute": rate,
                "price_cents": price,
                "currency": "USD",
                "offered": offered,
            }
            for name, quota, upload, rate, price, offered in PLANS
        ],
    )


def downgrade() -> None:
    """Undo."""

    op.drop_table("idempotency_keys")
    op.drop_table("usage")

    op.drop_table("sessions")

    op.drop_table("images")

    op.drop_table("api_keys")
    op.drop_table("accounts")
    op.drop_table("savings")
    op.drop_table("plans")
