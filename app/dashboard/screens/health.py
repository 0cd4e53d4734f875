"""Data health: how fresh each feed is, what was set aside, what the last attempt came to."""

from datetime import datetime
from typing import Any

import streamlit as st

from app.dashboard import current
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from warehouse.tables import FEEDS

STATES = {"good": "Accepted", "wait": "Missing", "none": "Never delivered"}


def health(view: View) -> None:
    """The page."""
    words, release = view.words, view.scope.release
    attempt = current.health()
    state = words("succeeded") if attempt.get("succeeded") else words("failed")
    st.markdown(
        words(
            "Release **{release}**. Last attempt {when}: {state}.",
            release=release.release_id, when=_when(view, attempt), state=state,
        )
    )  # fmt: skip
    rows = release.rows("SELECT * FROM data_health ORDER BY feed")
    show(
        rows,
        [
            Column(words("Feed"), lambda row: row.feed),
            Column(words("Newest delivery for"), lambda row: view.day(row.business_date) or words("never")),
            Column(words("Age in days"), lambda row: view.number(row.age_days), is_figure=True),
            Column(words("Read"), lambda row: view.number(row.rows_read), is_figure=True),
            Column(words("Accepted"), lambda row: view.number(row.rows_accepted), is_figure=True),
            Column(words("Duplicate"), lambda row: view.number(row.rows_duplicate), is_figure=True),
            Column(words("Set aside"), lambda row: view.number(row.rows_quarantined), is_figure=True),
            Column(
                words("State"), lambda row: words(STATES[_state(row)]), badge=_state,
            ),
        ],
        label=words("Feeds"),
        empty=words("Nothing was delivered yet."),
    )  # fmt: skip


def _when(view: View, attempt: dict[str, Any]) -> str:
    at = attempt.get("attempted_at")
    return view.instant(datetime.fromisoformat(at)) if at else ""


def _state(row: Any) -> str:
    """How a feed stands; only those without which no day is complete are missed."""
    if row.delivery_status == "accepted":
        return "good"
    return "wait" if FEEDS[row.feed].required else "none"
