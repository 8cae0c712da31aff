"""The daily import: each report is archived to S3 first, then imported.

A stand-in has no mailbox: the reports of the day are made up, always the same for a day, unless files named
catscan-<type>-YYYY-MM-DD.csv already wait in the imports folder beside the database.
"""

import csv
import json
import sys
import zlib
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402

from config.config_manager import archive, credentials, db_path  # noqa: E402
from qps.smart_importer import ImportFailed, import_file, report_of  # noqa: E402
from storage.db import TABLES  # noqa: E402
from storage.s3 import archive_to_s3  # noqa: E402

ROWS_PER_REPORT = 20


def check_credentials() -> None:
    for variable, name in (("GMAIL_CREDENTIALS", "gmail-oauth-client.json"), ("GMAIL_TOKEN", "gmail-token.json")):
        path = credentials(variable, name)
        try:
            json.loads(path.read_text())
        except OSError as error:
            sys.exit(f"gmail_import: {variable} names {path}, which can't be read: {error.strerror}")
        except ValueError:
            sys.exit(f"gmail_import: {variable} names {path}, which isn't JSON")


def download(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    waiting = sorted(folder.glob("catscan-*.csv"))
    if waiting:
        return waiting
    day = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    files = [folder / f"catscan-{report_type}-{day}.csv" for report_type in TABLES]
    for file in files:
        with file.open("w", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(["day", "name", "impressions"])
            names = [f"{file.stem}-{n}" for n in range(ROWS_PER_REPORT)]
            writer.writerows((day, name, zlib.crc32(name.encode()) % 10_000) for name in names)
    return files


def main() -> None:
    check_credentials()
    if not archive().bucket:
        print("ARCHIVE_BUCKET isn't set: importing without an archive")
    failed = 0
    for file in download(db_path().parent / "imports"):
        try:
            report_type, day = report_of(file)
            uri = archive_to_s3(file, report_type, day)
            print(f"{file.name}: {import_file(file, uri)} rows, archived to {uri or 'nowhere'}")
            file.unlink()
        except (ImportFailed, BotoCoreError, ClientError) as error:
            # The file stays, so the next run takes it up again.
            failed = 1
            print(f"gmail_import: {file.name}: {error}", file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
