"""Paths and logging, from the environment."""

import logging
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def db_path() -> Path:
    return Path(os.environ.get("SQLITE_DB_PATH") or ROOT / "data" / "shopifly.db")


def interviews_dir(kind: str) -> Path:
    """kind is recordings, transcripts or insights; the folder is beside the database and is made when missing."""
    folder = db_path().parent / "interviews" / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def logger(name: str) -> logging.Logger:
    """Logs to stdout and to $LOG_DIR/<name>-YYYYMMDD.log."""
    folder = Path(os.environ.get("LOG_DIR") or ROOT / "logs")
    folder.mkdir(parents=True, exist_ok=True)
    day = datetime.now(timezone.utc).strftime("%Y%m%d")
    handlers = [logging.StreamHandler(sys.stdout), logging.FileHandler(folder / f"{name}-{day}.log")]
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    logging.basicConfig(level=level, handlers=handlers, format="%(asctime)s %(levelname)s %(message)s")
    return logging.getLogger(name)
