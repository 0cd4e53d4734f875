"""Data health: how fresh each feed is, what was set aside, what the last attempt came to."""

from datetime import datetime
from typing import Any

import streamlit as st

from app.dashboard import current
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from warehouse.handover import DELTAS
from warehouse.tables import FEEDS

STANDING = [feed for feed in FEEDS if feed not in DELTAS]  # they say how things stand, not what has happened
BADGES = {"Accepted": "good", "Last known data": "none", "Missing": "wait", "Never delivered": "none"}
COUNTS = {
    "rows_read": "Read",
    "rows_accepted": "Accepted",
    "rows_duplicate": "Duplicate",
    "rows_quarantined": "Set aside",
}


def health(view: View) -> None:
    """The page; how many rows came of all partners is told to operators alone."""
    words, is_operator = view.words, view.scope.viewer.is_operator
    st.markdown(_attempt(view, current.health()))
    rows = view.scope.release.rows("SELECT * FROM data_health ORDER BY feed")
    if not is_operator:
        rows = rows[rows["feed"].isin([*STANDING, *(name for name, feed in FEEDS.items() if feed.required)])]
    of_all = [
        *(_count(view, name, title) for name, title in COUNTS.items()),
        Column(words("Message"), lambda row: row.message or ""),
    ]
    show(
        rows,
        [
            Column(words("Feed"), lambda row: row.feed),
            Column(words("Newest delivery for"), lambda row: view.day(row.business_date) or words("never")),
            Column(words("Age in days"), lambda row: view.number(row.age_days), is_figure=True),
            Column(words("State"), lambda row: words(_state(row)), badge=lambda row: BADGES[_state(row)]),
            *(of_all if is_operator else ()),
        ],
        label=words("Feeds"),
        empty=words("Nothing was delivered yet."),
    )  # fmt: skip


def _attempt(view: View, attempt: dict[str, Any]) -> str:
    words, release = view.words, view.scope.release.release_id
    if "attempted_at" not in attempt:
        return words("Release **{release}**.", release=release)
    when = view.instant(datetime.fromisoformat(attempt["attempted_at"]))
    state = words("succeeded") if attempt["succeeded"] else words("failed")
    return words("Release **{release}**. Last attempt {when}: {state}.", release=release, when=when, state=state)


def _count(view: View, name: str, title: str) -> Column:
    return Column(view.words(title), lambda row: view.number(getattr(row, name)), is_figure=True)


def _state(row: Any) -> str:
    """How a feed stands; only those without which no day is complete are missed."""
    if row.delivery_status == "accepted":
        return "Last known data" if row.age_days else "Accepted"
    return "Missing" if FEEDS[row.feed].required else "Never delivered"
