"""Who is signed in: by the identity provider, or, in a demonstration, whom one chooses to be."""

import os
import time
from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from app.dashboard import access, signed_out
from app.dashboard.access import Viewer
from app.dashboard.current import Release
from app.dashboard.words import Words

OPERATOR_OF_DEMO = "operator@demo.example"


def is_demo() -> bool:
    """Whether the dashboard was started with --demo."""
    return os.environ.get("INCENTIVES_DASHBOARD_DEMO") == "1"


def identified(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address that an identity provider vouches for, None when it does not, or not any longer.

    Streamlit keeps its own cookie for 30 days; the provider's word is good until `exp`.
    """
    is_good = claims.get("email_verified") is True and not is_over(claims)
    return str(claims["email"]).strip().lower() if is_good and claims.get("email") else None


def is_over(claims: Mapping[str, Any]) -> bool:
    """Whether a sign-in has ended: by its time, or as somebody has signed out of it, in whichever window."""
    return float(claims.get("exp") or 0) <= time.time() or signed_out.holds(claims)


def _sign_out() -> None:
    signed_out.remember(st.user)
    st.logout()


def has_ended() -> bool:
    """Whether who looks was signed in and is no more."""
    return not is_demo() and bool(st.user.get("is_logged_in")) and is_over(st.user)


def known(release: Release, email: str) -> Viewer | None:
    """Who an e-mail address is in a release; in a demonstration its operator is one too."""
    if is_demo() and email == OPERATOR_OF_DEMO:
        return Viewer(email, is_operator=True)
    return access.viewer(release, email)


def viewer(release: Release, words: Words) -> Viewer:
    """Who looks; the script stops at a sign-in page for those who are nobody yet, and at a notice for strangers."""
    return _chosen(release, words) if is_demo() else _signed_in(release, words)


def _signed_in(release: Release, words: Words) -> Viewer:
    email = identified(st.user) if st.user.is_logged_in else None
    if email is None:
        st.title(words("Incentives"))
        st.markdown(words("Sign in with your work account to see your organisation's incentives."))
        if st.user.is_logged_in and not st.user.get("email_verified"):
            st.error(words("Your identity provider does not say that your e-mail address is verified."))
        elif has_ended():
            st.info(words("Your sign-in has ended. Sign in again to go on."))
        st.button(words("Sign in"), type="primary", on_click=st.login)
        st.stop()
    with st.sidebar:
        st.html(f'<p class="who"><b>{escape(email)}</b></p>')
        st.button(words("Sign out"), on_click=_sign_out)
        if address := os.environ.get("INCENTIVES_OIDC_PASSWORD_URL"):
            st.link_button(words("Change password"), address)
    found = known(release, email)
    if found is None:
        st.title(words("Incentives"))
        st.error(words("You have no incentives role. Ask your organisation's incentives admin to add you."))
        st.stop()
    return found


def _chosen(release: Release, words: Words) -> Viewer:
    users = list(release.rows("SELECT DISTINCT user_email FROM users ORDER BY 1")["user_email"])
    with st.sidebar:
        email = st.selectbox(
            words("Look as"), [OPERATOR_OF_DEMO, *users], key="look as", bind="query-params",
            format_func=lambda email: words("Operator: all partners") if email == OPERATOR_OF_DEMO else email,
        )  # fmt: skip
    return known(release, email or OPERATOR_OF_DEMO) or Viewer(email)
