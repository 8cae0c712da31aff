"""The API: uvicorn main:app."""

import asyncio
import hmac
import json
import os

import redis
from fastapi import FastAPI, Header, HTTPException, Query
from fastapi.middleware.cors import CORSMiddleware

import faults
from src.crawling import COUNT, LATEST
from src.settings import redis_client

faults.at_start()
app = FastAPI(title="Clausea", version=faults.VERSION)
origins = [origin.strip() for origin in os.environ.get("CORS_ORIGINS", "").split(",") if origin.strip()]
app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET"])
app.add_middleware(faults.Faults, health="/health")


@app.get("/health")
def health() -> dict:
    return {"status": "healthy"}


@app.get("/version")
def version() -> dict:
    return faults.facts()


@app.get("/slow")
async def slow(seconds: float = Query(1, ge=0, le=60)) -> dict:
    """Answers late: a request in flight, for tests of redeploys."""
    await asyncio.sleep(seconds)
    return faults.facts()


@app.get("/crawls")
def crawls(x_api_key: str = Header("")) -> dict:
    """The latest crawl; wants the header X-API-Key to hold API_KEY."""
    key = os.environ.get("API_KEY", "")
    if not key or not hmac.compare_digest(x_api_key.encode(), key.encode()):
        raise HTTPException(401, "wrong or missing X-API-Key")
    client = redis_client()
    if client is None:
        return {"count": 0, "latest": None}
    try:
        return {"count": int(client.get(COUNT) or 0), "latest": json.loads(client.get(LATEST) or "null")}
    except redis.RedisError:
        raise HTTPException(503, "Redis doesn't answer") from None
