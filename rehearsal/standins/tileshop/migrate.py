"""Brings the database at $DATABASE_URL to the current schema; running it again changes nothing."""

import sys

import psycopg2

import database
import faults

LOCK = 7_303_001  # any constant: two migrations at once wait for each other
SCHEMA = """
CREATE TABLE IF NOT EXISTS product_data (
  url TEXT PRIMARY KEY,
  sku TEXT NOT NULL,
  title TEXT NOT NULL,
  price NUMERIC(10, 2) NOT NULL,
  embedding vector(8),
  scraped_at TIMESTAMPTZ NOT NULL DEFAULT now()
)
"""


def ensure_vector(cursor) -> None:
    cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
    if cursor.fetchone():
        return
    cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")
    if not cursor.fetchone():
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
        major = version.split(".")[0]
        sys.exit(
            f"migrate: this Postgres ({version}) has no vector extension; install it on the database's host "
            f"(Debian 13, Ubuntu 24.04: apt install postgresql-{major}-pgvector)"
        )
    try:
        cursor.execute("CREATE EXTENSION vector")
    except psycopg2.errors.InsufficientPrivilege:
        sys.exit("migrate: only a superuser of this Postgres may run CREATE EXTENSION vector; ask for it to be run once")


def main() -> None:
    if faults.read("FAULT") == "release":
        sys.exit("FAULT release: the migration fails")
    if not database.configured():
        sys.exit("migrate: DATABASE_URL is not set")
    try:
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            ensure_vector(cursor)
            cursor.execute(SCHEMA)
    except psycopg2.Error as error:
        sys.exit(f"migrate: {str(error).strip()}")
    print("migrate: the schema is up to date")


if __name__ == "__main__":
    main()
