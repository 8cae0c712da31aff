"""A stand-in for crawl4ai's container: GET /health and POST /crawl {"urls": [...]}, on port 11235.

The real image drives a browser; this one makes up a product page for each URL, always the same one, and never leaves
the machine. With CRAWL4AI_API_TOKEN set, /crawl wants it as a bearer token. The answer's shape is that of
https://docs.crawl4ai.com/core/docker-deployment/, cut down to what a client reads.
"""

import hashlib
import hmac
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = os.environ.get("CRAWL4AI_API_TOKEN", "")


def page(url: str) -> str:
    number = int(hashlib.sha256(url.encode()).hexdigest()[:4], 16)
    return f'<h1>Tile {number}</h1><span class="sku">{number:06}</span><span class="price">${number / 100:.2f}</span>'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {"status": "ok", "version": "stand-in"})
        else:
            self.answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/crawl":
            return self.answer(404, {"detail": "Not Found"})
        if TOKEN and not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {TOKEN}"):
            return self.answer(401, {"detail": "Invalid or missing token"})
        try:
            urls = json.loads(body)["urls"]
        except (ValueError, KeyError, TypeError):
            return self.answer(422, {"detail": "urls is required"})
        results = [{"url": url, "success": True, "status_code": 200, "html": page(url)} for url in urls]
        self.answer(200, {"success": True, "results": results})


def main() -> None:
    server = ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT") or 11235)), Handler)
    # shutdown() waits for serve_forever, which runs in this very thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"crawl4ai stand-in on port {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
