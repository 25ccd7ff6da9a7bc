"""The tables. Times are UTC, sizes bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    text,
)

# SQLite counts rows only in a column of exactly INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, pass on UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> datetime | None:
        """An aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

plans: Final = Table(
    "plans",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("monthly_quota", Integer, nullable=False),
    Column("max_upload_bytes", BigInteger, nullable=False),
    Column("requests_per_minute", Integer, nullable=False),
    Column("price_cents", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    # Whether it is shown to customers.
    Column("offered", Boolean, nullable=False),
)

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(255)),
    Column("plan_id", ForeignKey("plans.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)

# The plan that an account asks the operator for; an answered request is gone.
plan_requests: Final = Table(
    "plan_requests",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("plan_id", ForeignKey("plans.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    # What is shown of the key ever after.
    Column("hint", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

# One row per account and calendar month (UTC), "2026-11".
usage: Final = Table(
    "usage",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("used", Integer, nullable=False, server_default=text("0")),
    Column("reserved", Integer, nullable=False, server_default=text("0")),
    # Of the account's latest image.
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("used >= 0", name="used"),
    CheckConstraint("reserved >= 0", name="reserved"),
)

images: Final = Table(
    "images",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    # No foreign key: keys may go, what they did stays.
    Column("key_id", _Id),
    # 128 random bits, lower case, no extension.
    Column("name", String(40), nullable=False, unique=True),
    Column("format", String(8), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("quality", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("month", String(7), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("original_size", BigInteger, nullable=False),
    Column("estimated_size", BigInteger, nullable=False),
    # Claims so far. The holder of the last one alone may finish the image.
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    # Claims that count towards the most tries: not those that a stopping worker gave up.
    Column("tries", Integer, nullable=False, server_default=text("0")),
    # Milliseconds since 1970. The least of those that wait is next.
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
    # None while it waits.
    Column("lease_until", UtcDateTime),
    Column("claimed_by", String(80)),
    Column("finished_at", UtcDateTime),
    Column("optimized_size", BigInteger),
    # Whose file is the result: optimized/{name}/{result_attempt}.
    Column("result_attempt", Integer),
    Column("score", Float),
    Column("method", String(200)),
    # Seconds of work.
    Column("processing_time", Float),
    Column("error_code", String(40)),
    Column("error_message", String(500)),
    Column("expires_at", UtcDateTime, nullable=False),
    # The owner took it away: gone for the API, kept for the statistics.
    Column("deleted_at", UtcDateTime),
    Column("files_removed_at", UtcDateTime),
    CheckConstraint("status IN ('processing', 'completed', 'failed')", name="status"),
    CheckConstraint("quality BETWEEN 1 AND 100", name="quality"),
)
Index("ix_images_account_month", images.c.account_id, images.c.month)
Index("ix_images_account_id_id", images.c.account_id, images.c.id)
Index(
    "ix_images_waiting",
    images.c.lease_until,
    images.c.turn,
    images.c.id,
    sqlite_where=images.c.status == "processing",
    postgresql_where=images.c.status == "processing",
)
Index(
    "ix_images_expiring",
    images.c.expires_at,
    sqlite_where=images.c.files_removed_at.is_(None),
    postgresql_where=images.c.files_removed_at.is_(None),
)

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(255), primary_key=True),
    # SHA-256 over the image and the parameters.
    Column("request_hash", String(64), nullable=False),
    Column("image_id", ForeignKey("images.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

# What addresses without an account had done on a day (UTC).
visitors: Final = Table(
    "visitors",
    metadata,
    # SHA-256 over the day and the address, so that a row tells neither it nor what it did before.
    Column("visitor", String(64), primary_key=True),
    Column("day", String(10), nullable=False, index=True),
    Column("images", Integer, nullable=False),
    CheckConstraint("images >= 0", name="images"),
)

# What was saved in the past, from which the next is estimated.
savings: Final = Table(
    "savings",
    metadata,
    Column("format", String(8), primary_key=True),
    Column("quality_band", Integer, primary_key=True),
    Column("density_band", Integer, primary_key=True),
    Column("images", Integer, nullable=False),
    # Sum of ln(optimized size / original size).
    Column("log_ratio_sum", Float, nullable=False),
)
