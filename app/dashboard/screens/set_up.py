"""What stands before a location's data is shown: its admin completes the set-up."""

import streamlit as st

from app.dashboard import login
from app.dashboard.asking import ask
from app.dashboard.tables import Column, show
from app.dashboard.view import View


def set_up(view: View) -> None:
    """The checklist for an admin, a notice for other users."""
    words = view.words
    st.title(words("Incentives"))
    if not view.scope.is_admin:
        st.info(
            words(
                "Your incentives admin has not completed the set-up of this location yet. Its data shows when that is done."
            )
        )
        return
    st.markdown(words("This location's data shows when you have completed its set-up."))
    st.subheader(words("1. See who has a role"))
    show_users(view)
    st.subheader(words("2. Complete the set-up"))
    if st.session_state.get("set up") == view.scope.partner_id:
        st.success(words("Asked for. The next daily run answers; this location's data shows then."))
    elif login.is_demo():
        st.info(words("Nothing is sent in a demonstration, as nobody has signed in."))
    elif st.button(words("The list is right: complete the set-up"), type="primary"):
        ask(view, "complete_set_up")
        st.session_state["set up"] = view.scope.partner_id
        st.rerun()


def show_users(view: View) -> None:
    """Who has which role at the location."""
    words = view.words
    show(
        view.scope.ask("SELECT * FROM {users} ORDER BY role, user_email"),
        [
            Column(words("Name"), lambda row: row.user_name),
            Column(words("E-mail"), lambda row: row.user_email),
            Column(words("Role"), lambda row: words(row.role.removeprefix("incentives_").capitalize())),
            Column(words("Program"), lambda row: words("All") if row.program == "*" else view.program(row.program)),
        ],
        label=words("Users and roles"),
        empty=words("Nobody has a role at this location."),
    )
