"""A stand-in for the crawl4ai image, which no rehearsal can pull: its port, its health check and its crawl call.

POST /crawl takes {"urls": [...]} and really fetches each address; the answer has crawl4ai's shape with the text of the page.
"""

import json
import re
import signal
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "0.7.4"


def crawl(url):
    """Fetches one address. A failure is part of the answer, as in crawl4ai, and never an error of the call."""
    try:
        with urllib.request.urlopen(url, timeout=20) as page:
            html = page.read().decode(page.headers.get_content_charset() or "utf-8", "replace")
            status = page.status
    except (OSError, ValueError) as error:
        return {"url": url, "success": False, "error_message": str(error), "status_code": getattr(error, "code", None)}
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()
    return {"url": url, "success": True, "status_code": status, "html": html, "markdown": {"raw_markdown": text}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/health":
            self.reply(200, {"status": "ok", "timestamp": time.time(), "version": VERSION})
        else:
            self.reply(404, {"detail": "Not Found"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/crawl":
            self.reply(404, {"detail": "Not Found"})
            return
        try:
            urls = json.loads(body)["urls"]
        except (ValueError, KeyError, TypeError):
            urls = None
        if not isinstance(urls, list) or not urls:
            self.reply(422, {"detail": [{"loc": ["body", "urls"], "msg": "a list of addresses is required"}]})
            return
        self.reply(200, {"success": True, "results": [crawl(str(url)) for url in urls]})


if __name__ == "__main__":
    # PID 1 of a container has no default actions: without this, stopping it would wait for SIGKILL.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("0.0.0.0", 11235), Handler).serve_forever()
