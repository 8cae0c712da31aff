"""Settings, from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class S3ArchiveConfig:
    bucket: str  # empty: archiving is off
    region: str
    endpoint: str | None  # another S3 endpoint than AWS's


def db_path() -> Path:
    return Path(os.environ.get("CATSCAN_DB_PATH") or "/data/catscan.db")


def credentials(variable: str, name: str) -> Path:
    """The file named by an environment variable, or `name` in the credentials folder beside the database."""
    return Path(os.environ.get(variable) or db_path().parent / "credentials" / name)


def retention_days() -> int:
    """Days of rows to keep in SQLite (RETENTION_DAYS, default 90)."""
    text = os.environ.get("RETENTION_DAYS") or "90"
    if not text.isdigit() or int(text) == 0:
        raise SystemExit(f"RETENTION_DAYS must be a whole number of days above 0, not {text!r}")
    return int(text)


def archive() -> S3ArchiveConfig:
    return S3ArchiveConfig(
        bucket=os.environ.get("ARCHIVE_BUCKET", ""),
        region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "eu-central-1",
        endpoint=os.environ.get("AWS_ENDPOINT_URL") or None,
    )
