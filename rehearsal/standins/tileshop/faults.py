"""What tests switch from outside: the version answered and the fault shown, by files in the app's root.

FAULT holds one of: boot (refuse to start), slow:<seconds> (start late), hang (listen, never answer),
health (the health check answers 503), release (the migration fails). No file, no fault.
"""

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
