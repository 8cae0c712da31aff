"""Deletes rows older than RETENTION_DAYS days; import_history is kept. --dry-run only counts."""

import argparse
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from config.config_manager import db_path, retention_days  # noqa: E402
from storage.db import TABLES, connect  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--dry-run", action="store_true")
    args = options.parse_args()
    age = f"-{retention_days()} days"
    with connect() as db:
        for table, column in TABLES.values():
            if args.dry_run:
                (rows,) = db.execute(f"SELECT count(*) FROM {table} WHERE {column} < date('now', ?)", (age,)).fetchone()
            else:
                rows = db.execute(f"DELETE FROM {table} WHERE {column} < date('now', ?)", (age,)).rowcount
            print(f"{table}: {rows} rows {'would be deleted' if args.dry_run else 'deleted'}")
    if not args.dry_run:
        # VACUUM can't run inside a transaction.
        with closing(sqlite3.connect(db_path(), timeout=30, isolation_level=None)) as db:
            db.execute("VACUUM")
        print("VACUUM done")


if __name__ == "__main__":
    main()
