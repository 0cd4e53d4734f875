"""Who is signed in: by the identity provider, or, in a demonstration, whom one chooses to be."""

import os
import time

import streamlit as st

from app.dashboard import access
from app.dashboard.access import Viewer
from app.dashboard.current import Release
from app.dashboard.words import Words

OPERATOR_OF_DEMO = "operator@demo.example"


def is_demo() -> bool:
    """Whether the dashboard was started with --demo."""
    return os.environ.get("INCENTIVES_DASHBOARD_DEMO") == "1"


def viewer(release: Release, words: Words) -> Viewer:
    """Who looks; the script stops at a sign-in page for those who are nobody yet, and at a notice for strangers."""
    return _chosen(release, words) if is_demo() else _signed_in(release, words)


def _signed_in(release: Release, words: Words) -> Viewer:
    if not st.user.is_logged_in or _has_expired():
        st.title(words("Incentives"))
        st.markdown(words("Sign in with your work account to see your organisation's incentives."))
        st.button(words("Sign in"), type="primary", on_click=st.login)
        st.stop()
    with st.sidebar:
        st.markdown(f"**{st.user.email}**")
        st.button(words("Sign out"), on_click=st.logout)
        if address := os.environ.get("INCENTIVES_OIDC_PASSWORD_URL"):
            st.link_button(words("Change password"), address)
    found = access.viewer(release, str(st.user.email)) if st.user.get("email_verified", True) else None
    if found is None:
        st.title(words("Incentives"))
        st.error(words("You have no incentives role. Ask your organisation's incentives admin to add you."))
        st.stop()
    return found


def _has_expired() -> bool:
    """Whether the identity provider's word is no longer good; Streamlit keeps its own cookie for 30 days."""
    return float(str(st.user.get("exp") or 0)) < time.time()


def _chosen(release: Release, words: Words) -> Viewer:
    users = list(release.rows("SELECT DISTINCT user_email FROM users ORDER BY 1")["user_email"])
    with st.sidebar:
        email = st.selectbox(
            words("Look as"), [OPERATOR_OF_DEMO, *users], key="look as",
            format_func=lambda email: words("Operator: all partners") if email == OPERATOR_OF_DEMO else email,
        )  # fmt: skip
    if email in (None, OPERATOR_OF_DEMO):
        return Viewer(OPERATOR_OF_DEMO, is_operator=True)
    found = access.viewer(release, email)
    return found or Viewer(email)
