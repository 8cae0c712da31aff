"""A service for the rehearsal of Railway: answers on PORT, notes on a volume, talks to Redis; "once" runs and ends."""

import http.server
import json
import os
import signal
import socket
import sys

version = open("/app/VERSION").read().strip()


def redis(*words):
    """One command to Redis by its own protocol; the answer's first line."""
    host = os.environ["REDIS_HOST"]
    with socket.create_connection((host, 6379), timeout=5) as connection:
        parts = [f"${len(word)}\r\n{word}\r\n" for word in words]
        connection.sendall((f"*{len(words)}\r\n" + "".join(parts)).encode())
        return connection.recv(4096).decode().strip()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answers = {
            "/health": lambda: {"host": self.headers["host"]},
            "/": lambda: {"version": version, "env": dict(os.environ), "baked": open("/app/BAKED").read().strip()},
            "/ping": lambda: {"redis": redis("PING")},
            "/note": note,
        }
        answer = answers.get(self.path)
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer() if answer else {}).encode())

    def log_message(self, *_):
        pass


def note():
    """Writes its version into the volume; all that ever did."""
    with open("/data/notes", "a+") as file:
        file.write(version + "\n")
        file.seek(0)
        return {"notes": file.read().split()}


def end(*_):
    print("ended in order", flush=True)
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    if sys.argv[1:] == ["once"]:
        print(f"ran once at version {version}: {redis('INCR', 'runs')}", flush=True)
        sys.exit(0)
    if sys.argv[1:] == ["migrate"]:
        print(f"migrated {os.path.exists('/data')}", flush=True)
        sys.exit(int(os.environ.get("MIGRATION", "0")))
    port = int(os.environ["PORT"])
    print(f"version {version} listens on {port}", flush=True)
    http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
