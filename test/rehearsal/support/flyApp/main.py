"""A small app for machines: says who it is, keeps a file on its volume, and ends in order."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

version = os.environ.get("VERSION", "1")


class Crowd:
    """How many requests are being answered, and how many were at most."""

    def __init__(self):
        self.lock, self.now, self.peak = threading.Lock(), 0, 0

    def __enter__(self):
        with self.lock:
            self.now += 1
            self.peak = max(self.peak, self.now)

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1


crowd = Crowd()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/health":
            self.reply(500 if os.environ.get("SICK") else 200, {"ok": True})
        elif self.path == "/slow":
            with crowd:
                time.sleep(1)
            self.reply(200, {"version": version, "machine": os.environ["FLY_MACHINE_ID"], "peak": crowd.peak})
        elif self.path == "/note":
            with open("/data/note", "a+") as note:
                note.write(f"{version}\n")
                note.seek(0)
                self.reply(200, {"note": note.read().split()})
        else:
            self.reply(200, {"version": version, "machine": os.environ["FLY_MACHINE_ID"], "env": dict(os.environ)})

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 200


if len(sys.argv) > 1:
    print("told to:", *sys.argv[1:], flush=True)
    sys.exit(int(sys.argv[1]))
server = Server(("0.0.0.0", int(os.environ.get("PORT", "8080"))), Handler)
stop = threading.Event()
for one in (signal.SIGINT, signal.SIGTERM):
    signal.signal(one, lambda *_: stop.set())
threading.Thread(target=server.serve_forever).start()
print(f"version {version} is listening", flush=True)
stop.wait()
server.shutdown()
server.server_close()
print("ended in order", flush=True)
