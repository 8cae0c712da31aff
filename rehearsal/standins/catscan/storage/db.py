"""The SQLite store. WAL, so that the API reads while a job writes."""

import sqlite3
from contextlib import closing, contextmanager

from config.config_manager import db_path

# Report type -> the table it fills and the column that holds its day.
TABLES = {
    "performance": ("performance_metrics", "date"),
    "funnel-geo": ("rtb_funnel", "day"),
    "funnel-publishers": ("rtb_daily", "day"),
}

SCHEMA = """
CREATE TABLE IF NOT EXISTS rtb_daily (
  day TEXT NOT NULL, name TEXT NOT NULL, impressions INTEGER NOT NULL, PRIMARY KEY (day, name));
CREATE TABLE IF NOT EXISTS rtb_funnel (
  day TEXT NOT NULL, name TEXT NOT NULL, impressions INTEGER NOT NULL, PRIMARY KEY (day, name));
CREATE TABLE IF NOT EXISTS performance_metrics (
  date TEXT NOT NULL, name TEXT NOT NULL, impressions INTEGER NOT NULL, PRIMARY KEY (date, name));
CREATE TABLE IF NOT EXISTS import_history (
  id INTEGER PRIMARY KEY, imported_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, file TEXT NOT NULL,
  report_type TEXT NOT NULL, rows INTEGER NOT NULL, archive_uri TEXT);
"""


@contextmanager
def connect():
    """A connection whose transaction is committed at the end of the block; the schema is there."""
    path = db_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as db:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(SCHEMA)
        with db:
            yield db
