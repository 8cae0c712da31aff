"""`streamlit run src/dashboard/app.py`: the page, with the stand-in's faults and /version around it."""

import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import faults  # noqa: E402

faults.at_start()
app = st.App(
    "page.py",
    routes=[Route("/version", lambda _request: JSONResponse(faults.facts()))],
    middleware=[Middleware(faults.Faults, health="/_stcore/health")],
)
