"""What the dashboard shows: counts of the posts scraped and classified."""

import streamlit as st

from shopifly import store

st.set_page_config(page_title="shopifly")
st.title("shopifly")
stats = store.stats()
left, right = st.columns(2)
left.metric("Posts", stats["posts"])
right.metric("Classified", stats["classified"])
if stats["sources"]:
    st.bar_chart(stats["sources"])
if stats["categories"]:
    st.bar_chart(stats["categories"])
if st.button("Refresh"):
    st.rerun()
