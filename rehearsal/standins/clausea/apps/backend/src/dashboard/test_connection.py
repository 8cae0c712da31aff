"""python -m src.dashboard.test_connection: checks the databases that the environment names."""

import sys

import redis

from src.crawling import COUNT
from src.settings import BadSetting, check_mongo_uri, redis_client


def main() -> None:
    try:
        check_mongo_uri()
        print("✅ MONGO_URI is well formed (a stand-in doesn't connect to MongoDB)")
        client = redis_client()
        if client is None:
            print("➖ REDIS_URL is not set")
        else:
            print(f"✅ Redis answered: {int(client.get(COUNT) or 0)} crawls so far")
    except BadSetting as error:
        sys.exit(f"❌ {error}")
    except redis.RedisError as error:
        sys.exit(f"❌ Redis can't be reached ({type(error).__name__})")
    print("✅ All tests passed!")


if __name__ == "__main__":
    main()
