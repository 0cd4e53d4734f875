"""Users and roles: who may do what at the location; and what was asked for, with the answers."""

import streamlit as st

from app.dashboard.screens.set_up import show_users
from app.dashboard.tables import Column, show
from app.dashboard.view import View


def users(view: View) -> None:
    """The page, for admins."""
    words = view.words
    show_users(view)
    st.subheader(words("Requests and answers"))
    show(
        view.scope.ask("SELECT * FROM {partner_requests} ORDER BY requested_at DESC, request_id"),
        [
            Column(words("Asked"), lambda row: view.instant(row.requested_at)),
            Column(words("Request"), lambda row: words(row.request_kind.replace("_", " ").capitalize())),
            Column(words("Program"), lambda row: words("All") if row.program == "*" else view.program(row.program)),
            Column(
                words("Answer"), lambda row: words(row.outcome.capitalize()),
                badge=lambda row: "good" if row.outcome == "accepted" else "bad",
            ),
            Column(words("Reason"), lambda row: words(row.reason) if row.reason else ""),
            Column(words("What you can do"), lambda row: words(row.what_to_do) if row.what_to_do else ""),
        ],
        label=words("Requests and answers"),
        empty=words("Nothing was asked for yet."),
    )  # fmt: skip
