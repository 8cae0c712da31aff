"""The dashboard's login. Without STREAMLIT_DASHBOARD_PASSWORD everyone is let in (development)."""

import hashlib
import hmac
import os
import sys

import streamlit as st


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _submit() -> None:
    # Taken out of the session at once: the password isn't kept there.
    given = _hash(st.session_state.pop("password", ""))
    if hmac.compare_digest(given, _hash(os.environ["STREAMLIT_DASHBOARD_PASSWORD"])):
        st.session_state["authenticated"] = True
    else:
        print("dashboard: failed login attempt", file=sys.stderr, flush=True)
        st.session_state["failed"] = True


def require_login() -> None:
    """Ends the script's run unless this session is logged in."""
    if not os.environ.get("STREAMLIT_DASHBOARD_PASSWORD"):
        return
    if st.session_state.get("authenticated"):
        if st.sidebar.button("Logout"):
            st.session_state.clear()
            st.rerun()
        return
    st.text_input("Password", type="password", key="password", on_change=_submit)
    if st.session_state.pop("failed", False):
        st.error("Wrong password")
    st.stop()
