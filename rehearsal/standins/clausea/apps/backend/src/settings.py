"""Settings, from the environment. Messages never repeat a value: URIs hold passwords."""

import os
import re

import redis

# https://www.mongodb.com/docs/manual/reference/connection-string/
MONGO_URI = re.compile(r"mongodb(\+srv)?://(?:[^:@/\s]+(?::[^@/\s]*)?@)?(?P<hosts>[^@/?\s]+)(?:/[^?\s]*)?(?:\?\S*)?")


class BadSetting(Exception):
    pass


def check_mongo_uri() -> None:
    """A stand-in has no MongoDB: the form of MONGO_URI is all that is checked."""
    uri = os.environ.get("MONGO_URI", "")
    if not uri:
        raise BadSetting("MONGO_URI is not set")
    match = MONGO_URI.fullmatch(uri)
    if not match:
        raise BadSetting("MONGO_URI isn't of the form mongodb[+srv]://[user:password@]host[/database][?options]")
    if match[1] and ("," in match["hosts"] or ":" in match["hosts"]):
        raise BadSetting("MONGO_URI: mongodb+srv takes one host and no port")


def redis_client() -> redis.Redis | None:
    """None where REDIS_URL isn't set."""
    url = os.environ.get("REDIS_URL")
    if not url:
        return None
    try:
        return redis.Redis.from_url(url, decode_responses=True, socket_connect_timeout=3, socket_timeout=5)
    except ValueError:
        raise BadSetting("REDIS_URL isn't of the form redis[s]://[user:password@]host[:port][/database]") from None
