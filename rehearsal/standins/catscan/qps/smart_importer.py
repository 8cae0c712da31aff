"""Imports report files: python -m qps.smart_importer FILES (.csv or .csv.gz).

A file is named catscan-<report type>-YYYY-MM-DD.csv[.gz]; importing it again replaces its rows.
"""

import csv
import gzip
import re
import sys
from pathlib import Path

from storage.db import TABLES, connect

NAME = re.compile(rf"catscan-({'|'.join(TABLES)})-(\d{{4}}-\d\d-\d\d)\.csv(?:\.gz)?")


class ImportFailed(Exception):
    pass


def report_of(file: Path) -> tuple[str, str]:
    """The report type and the day, from a file's name."""
    match = NAME.fullmatch(file.name)
    if not match:
        raise ImportFailed(f"{file}: expected a name like catscan-performance-2025-12-19.csv, of {', '.join(TABLES)}")
    return match[1], match[2]


def import_file(file: Path, archive_uri: str | None = None) -> int:
    """Returns the number of rows imported."""
    report_type, day = report_of(file)
    table, column = TABLES[report_type]
    try:
        with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as source:
            rows = [(row["day"], row["name"], int(row["impressions"])) for row in csv.DictReader(source)]
    except (OSError, KeyError, ValueError) as error:
        raise ImportFailed(f"{file}: {error!r}; expected the columns day,name,impressions") from None
    with connect() as db:
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (day,))
        db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", rows)
        history = (file.name, report_type, len(rows), archive_uri)
        db.execute("INSERT INTO import_history (file, report_type, rows, archive_uri) VALUES (?, ?, ?, ?)", history)
    return len(rows)


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("usage: python -m qps.smart_importer FILE...")
    failed = 0
    for name in sys.argv[1:]:
        try:
            print(f"{name}: {import_file(Path(name))} rows")
        except ImportFailed as error:
            failed = 1
            print(error, file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
