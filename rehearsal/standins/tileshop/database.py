"""Postgres at $DATABASE_URL."""

import os
from contextlib import closing, contextmanager

import psycopg2


def configured() -> bool:
    return bool(os.environ.get("DATABASE_URL"))


@contextmanager
def connect():
    """A connection whose transaction is committed at the end of the block."""
    with closing(psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=3)) as connection:
        with connection:
            yield connection
