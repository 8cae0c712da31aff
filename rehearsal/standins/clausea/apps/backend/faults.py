"""What tests switch from outside: the version answered and the fault shown, by files in the app's root.

FAULT holds one of: boot (refuse to start), slow:<seconds> (start late), hang (listen, never answer),
health (the health check answers 503). No file, no fault.
"""

import json
import os
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def read(name: str) -> str:
    try:
        return (ROOT / name).read_text().strip()
    except FileNotFoundError:
        return ""


VERSION = read("VERSION")


def facts() -> dict:
    """The body of /version: which code runs, in which process, with which environment."""
    return {"version": VERSION, "pid": os.getpid(), "env": os.environ.get("APP_GREETING")}


def at_start() -> None:
    """Call before anything listens."""
    fault = read("FAULT")
    if fault == "boot":
        print("FAULT boot: refusing to start", flush=True)
        raise SystemExit(1)
    if fault.startswith("slow:"):
        time.sleep(float(fault.removeprefix("slow:")))


class Faults:
    """ASGI middleware for the faults that show after the start."""

    def __init__(self, app, health: str) -> None:
        self.app = app
        self.health = health

    async def __call__(self, scope, receive, send) -> None:
        fault = read("FAULT") if scope["type"] == "http" else ""
        if fault == "hang":
            # Ends with the client, so that a stop isn't held up by clients that gave up.
            while (await receive())["type"] != "http.disconnect":
                pass
        elif fault == "health" and scope["path"] == self.health:
            body = json.dumps({"status": "unhealthy", "fault": "health"}).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await self.app(scope, receive, send)
