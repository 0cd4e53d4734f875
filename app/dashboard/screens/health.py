"""Data health: how fresh each feed is, what was set aside, what the last attempt came to."""

import streamlit as st

from app.dashboard import current
from app.dashboard.tables import Column, show
from app.dashboard.view import View


def health(view: View) -> None:
    """The page."""
    words, release = view.words, view.scope.release
    attempt = current.health()
    state = words("succeeded") if attempt.get("succeeded") else words("failed")
    st.markdown(
        words(
            "Release **{release}**. Last attempt {when}: {state}.",
            release=release.release_id, when=str(attempt.get("attempted_at", ""))[:16].replace("T", " "), state=state,
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
                words("State"), lambda row: words(row.delivery_status.capitalize()),
                badge=lambda row: "good" if row.delivery_status == "accepted" else "wait",
            ),
        ],
        label=words("Feeds"),
        empty=words("Nothing was delivered yet."),
    )  # fmt: skip
