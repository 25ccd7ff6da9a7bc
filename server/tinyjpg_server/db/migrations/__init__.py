"""Alembic migrations, one set for both databases."""
