"""The API: uvicorn api.main:app. Swagger UI is at /docs."""

import asyncio
from pathlib import Path

from fastapi import FastAPI, Query

import faults
from config.config_manager import archive, credentials
from storage.db import connect

faults.at_start()
app = FastAPI(title="Cat-Scan", version=faults.VERSION)
app.add_middleware(faults.Faults, health="/health")


@app.get("/health")
def health() -> dict:
    with connect() as db:
        db.execute("SELECT 1")
    return {"status": "healthy"}


@app.get("/version")
def version() -> dict:
    return faults.facts()


@app.get("/slow")
async def slow(seconds: float = Query(1, ge=0, le=60)) -> dict:
    """Answers late: a request in flight, for tests of redeploys."""
    await asyncio.sleep(seconds)
    return faults.facts()


@app.get("/gmail/status")
def gmail_status() -> dict:
    files = [credentials("GMAIL_CREDENTIALS", "gmail-oauth-client.json"), credentials("GMAIL_TOKEN", "gmail-token.json")]
    with connect() as db:
        last = db.execute("SELECT max(imported_at) FROM import_history").fetchone()[0]
    return {"configured": all(map(Path.is_file, files)), "archive": bool(archive().bucket), "last_import": last}


@app.get("/uploads/history")
def uploads_history(limit: int = Query(50, ge=1, le=1000)) -> list[dict]:
    with connect() as db:
        return [dict(row) for row in db.execute("SELECT * FROM import_history ORDER BY id DESC LIMIT ?", (limit,))]
