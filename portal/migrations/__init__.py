"""The schema's history (Alembic), for SQLite and PostgreSQL alike."""
