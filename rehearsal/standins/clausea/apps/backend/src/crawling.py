"""One crawl: python -m src.crawling [--pages N]. The result goes to stdout, and to Redis where it can be reached."""

import argparse
import hashlib
import json
import signal
import sys
import threading
import time
from datetime import datetime, timezone

import redis

from src.settings import BadSetting, check_mongo_uri, redis_client

LATEST = "clausea:crawls:latest"
COUNT = "clausea:crawls:count"
COMPANIES = ("acme", "globex", "initech", "umbrella")

stopping = threading.Event()


def crawl(pages: int, delay: float = 0.01) -> dict:
    """Made-up documents, always the same for a page number; stops early, with what it has, once told to stop."""
    documents = []
    for number in range(pages):
        url = f"https://{COMPANIES[number % len(COMPANIES)]}.example/terms/{number}"
        documents.append({"url": url, "hash": hashlib.sha256(url.encode()).hexdigest()[:12]})
        if stopping.wait(delay):
            break
    return {
        "finished_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "complete": len(documents) == pages,
        "documents": documents,
    }


def save(result: dict) -> bool:
    """False where there is no Redis to save to; the reason is printed."""
    client = redis_client()
    if client is None:
        print("REDIS_URL is not set: the result isn't kept")
        return False
    try:
        with client.pipeline() as pipeline:
            pipeline.set(LATEST, json.dumps(result)).incr(COUNT).execute()
        return True
    except redis.RedisError as error:
        print(f"Redis can't be reached ({type(error).__name__}): the result isn't kept", file=sys.stderr)
        return False


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--pages", type=int, default=20)
    args = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        check_mongo_uri()
        started = time.monotonic()
        result = crawl(args.pages)
        kept = save(result)
    except BadSetting as error:
        print(f"crawling: {error}", file=sys.stderr)
        sys.exit(2)
    seconds = round(time.monotonic() - started, 2)
    summary = {"documents": len(result["documents"]), "complete": result["complete"], "kept": kept, "seconds": seconds}
    print(json.dumps({"event": "crawl finished", **summary}))


if __name__ == "__main__":
    main()
