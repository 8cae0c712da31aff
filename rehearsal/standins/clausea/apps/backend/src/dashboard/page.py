"""What the dashboard shows: the latest crawl, and a button that starts one in this process."""

import json

import redis
import streamlit as st

from src.crawling import LATEST, crawl, save
from src.dashboard.auth import require_login
from src.settings import redis_client

st.set_page_config(page_title="clausea")
require_login()
st.title("clausea")
if st.button("Crawl now"):
    result = crawl(20)
    save(result)
    st.success(f"{len(result['documents'])} documents")
try:
    client = redis_client()
    latest = json.loads((client and client.get(LATEST)) or "null")
except redis.RedisError:
    st.warning("Redis can't be reached")
    latest = None
if latest:
    st.caption(f"Finished at {latest['finished_at']}")
    st.dataframe(latest["documents"])
else:
    st.info("No crawl yet")
