"""Background scraping: pages come through crawl4ai's HTTP service, products go to Postgres, raw pages to $STORAGE_DIR.

python curl_scraper.py [--limit N] [--interval SECONDS] [URL...]; without an interval it scrapes once. Where
CRAWL4AI_URL isn't set, pages are made up, always the same for a URL.
"""

import argparse
import hashlib
import os
import signal
import sys
import threading
from pathlib import Path

import psycopg2
import requests
from bs4 import BeautifulSoup

import database

SHOP = "https://www.tileshop.com/products/"
stopping = threading.Event()


def made_up(url: str) -> str:
    number = int(hashlib.sha256(url.encode()).hexdigest()[:4], 16)
    return f'<h1>Tile {number}</h1><span class="sku">{number:06}</span><span class="price">${number / 100:.2f}</span>'


def fetch(urls: list[str]) -> dict[str, str]:
    """The HTML of each URL that could be fetched."""
    service = os.environ.get("CRAWL4AI_URL")
    if not service:
        return {url: made_up(url) for url in urls}
    token = os.environ.get("CRAWL4AI_API_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(f"{service.rstrip('/')}/crawl", json={"urls": urls}, headers=headers, timeout=120)
    answer.raise_for_status()
    return {page["url"]: page["html"] for page in answer.json()["results"] if page.get("success")}


def parse(url: str, html: str) -> tuple:
    page = BeautifulSoup(html, "lxml")
    title, sku, price = (page.select_one(selector) for selector in ("h1", ".sku", ".price"))
    if not (title and sku and price):
        raise ValueError(f"{url}: no product on this page")
    digest = hashlib.sha256(title.text.encode()).digest()
    embedding = "[" + ",".join(f"{byte / 255:.4f}" for byte in digest[:8]) + "]"
    return url, sku.text, title.text, price.text.lstrip("$"), embedding


def store(rows: list[tuple]) -> None:
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO product_data (url, sku, title, price, embedding) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (url) DO UPDATE SET sku = EXCLUDED.sku, title = EXCLUDED.title, price = EXCLUDED.price, "
            "embedding = EXCLUDED.embedding, scraped_at = now()",
            rows,
        )


def scrape(urls: list[str]) -> int:
    """Returns the number of products stored."""
    folder = Path(os.environ.get("STORAGE_DIR") or "/app/storage") / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    pages = fetch(urls)
    rows = []
    for url, html in pages.items():
        (folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.html").write_text(html)
        try:
            rows.append(parse(url, html))
        except ValueError as error:
            print(error, file=sys.stderr)
    store(rows)
    print(f"curl_scraper: {len(rows)} of {len(urls)} products stored", flush=True)
    return len(rows)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--limit", type=int, default=25, help="made-up product pages where no URL is given")
    options.add_argument("--interval", type=float, help="scrape again after this many seconds, until stopped")
    options.add_argument("urls", nargs="*")
    args = options.parse_args()
    if not database.configured():
        sys.exit("curl_scraper: DATABASE_URL is not set")
    urls = args.urls or [f"{SHOP}sample-{n}" for n in range(args.limit)]
    # A round under way is finished first.
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    failed = False
    while True:
        try:
            failed = scrape(urls) < len(urls)
        except (requests.RequestException, psycopg2.Error, OSError) as error:
            failed = True
            print(f"curl_scraper: {type(error).__name__}: {str(error).strip()}", file=sys.stderr)
        if not args.interval or stopping.wait(args.interval):
            sys.exit(1 if failed and not stopping.is_set() else 0)


if __name__ == "__main__":
    main()
