"""The archive: gzip'd CSV files in S3 under <type>/YYYY/MM/DD/."""

import gzip
from pathlib import Path

import boto3
from botocore.config import Config

from config.config_manager import archive


def archive_key(report_type: str, day: str) -> str:
    """day is YYYY-MM-DD."""
    return f"{report_type}/{day.replace('-', '/')}/catscan-{report_type}-{day}.csv.gz"


def archive_to_s3(file: Path, report_type: str, day: str) -> str | None:
    """Uploads a CSV file; returns its S3 URI, or None when no bucket is set."""
    config = archive()
    if not config.bucket:
        return None
    # Other endpoints than AWS's seldom resolve a bucket as a subdomain, or know the newer checksum trailers.
    style = {"addressing_style": "path"} if config.endpoint else {}
    client = boto3.client(
        "s3",
        region_name=config.region,
        endpoint_url=config.endpoint,
        config=Config(s3=style, request_checksum_calculation="when_required", retries={"mode": "standard"}),
    )
    key = archive_key(report_type, day)
    # mtime=0: the same file always gives the same object.
    client.put_object(Bucket=config.bucket, Key=key, Body=gzip.compress(file.read_bytes(), mtime=0))
    return f"s3://{config.bucket}/{key}"
