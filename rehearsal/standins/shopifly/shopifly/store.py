"""The SQLite store. WAL, so that the dashboard reads while a job writes."""

import sqlite3
import zlib
from contextlib import closing, contextmanager

from shopifly.settings import db_path

SOURCES = ("reddit", "appstore", "community")
CATEGORIES = ("checkout", "shipping", "inventory", "analytics", "support")
TOPICS = ("slow checkout", "missing carrier", "stock drift", "opaque reports", "late answers", "theme bugs", "tax rules")

SCHEMA = """
CREATE TABLE IF NOT EXISTS posts (
  id TEXT PRIMARY KEY, source TEXT NOT NULL, title TEXT NOT NULL, scraped_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  category TEXT, model TEXT
);
CREATE TABLE IF NOT EXISTS insights (
  transcript TEXT NOT NULL, participant TEXT NOT NULL, category TEXT NOT NULL, quote TEXT NOT NULL,
  PRIMARY KEY (transcript, quote)
);
"""


@contextmanager
def connect():
    """A connection whose transaction is committed at the end of the block; the schema is there."""
    path = db_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(SCHEMA)
        with db:
            yield db


def category_of(text: str) -> str:
    return CATEGORIES[zlib.crc32(text.encode()) % len(CATEGORIES)]


def scrape(source: str, limit: int) -> int:
    """Adds the next `limit` posts of a source; the n-th post of a source is always the same one."""
    with connect() as db:
        db.execute("BEGIN IMMEDIATE")
        (have,) = db.execute("SELECT count(*) FROM posts WHERE source = ?", (source,)).fetchone()
        posts = [(f"{source}-{n}", source, f"{TOPICS[n % len(TOPICS)]} #{n}") for n in range(have, have + limit)]
        db.executemany("INSERT INTO posts (id, source, title) VALUES (?, ?, ?)", posts)
        return len(posts)


def classify(limit: int, model: str) -> int:
    with connect() as db:
        rows = db.execute("SELECT id, title FROM posts WHERE category IS NULL ORDER BY id LIMIT ?", (limit,)).fetchall()
        values = [(category_of(title), model, post) for post, title in rows]
        db.executemany("UPDATE posts SET category = ?, model = ? WHERE id = ?", values)
        return len(rows)


def stats() -> dict:
    with connect() as db:
        (posts,) = db.execute("SELECT count(*) FROM posts").fetchone()
        (classified,) = db.execute("SELECT count(*) FROM posts WHERE category IS NOT NULL").fetchone()
        by_source = dict(db.execute("SELECT source, count(*) FROM posts GROUP BY source ORDER BY source"))
        by_category = dict(
            db.execute("SELECT category, count(*) FROM posts WHERE category IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1")
        )
    return {"posts": posts, "classified": classified, "sources": by_source, "categories": by_category}
