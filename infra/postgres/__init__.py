"""PostgreSQL without Docker, for development and tests."""

from infra.postgres.server import Postgres

__all__ = ["Postgres"]
