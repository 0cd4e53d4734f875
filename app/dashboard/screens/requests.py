"""Requests: what a partner's users can ask for, a form each, and the answers. The next daily run answers."""

from collections.abc import Callable

import streamlit as st

from app.dashboard.forms import SENT_LAST, Said, account_form, choice, named, payments_form, program, request_form
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from transforms.answered_requests import FOR_ADMINS_ONLY
from warehouse.columns import COLUMNS


def requests(view: View) -> None:
    """The page."""
    if not view.scope.viewer.is_operator:
        for kind, (title, form) in FORMS.items():
            if view.scope.is_admin or kind not in FOR_ADMINS_ONLY:
                with st.expander(view.words(title), expanded=st.session_state.get(SENT_LAST) == kind):
                    form(view)
    _answers(view)


def _enrol(view: View) -> None:
    words = view.words
    open_ones = view.scope.ask(
        "SELECT program FROM {enrolments} WHERE enrolment_status IN ('invited', 'inactive') AND partner_can_act ORDER BY program"
    )
    asked_by = view.scope.admin_programs
    choices = [program for program in open_ones["program"] if asked_by is None or program in asked_by]
    if not choices:
        st.info(words("No program waits for this location to enrol."))
        return
    request_form(
        view, "enrol", view.words("Enrol"), lambda: {"program": choice(view.words("Program"), choices, view.program)}
    )


def _assign_role(view: View) -> None:
    words = view.words

    def inputs() -> Said:
        return {
            "user_email": st.text_input(words("E-mail")),
            "user_name": st.text_input(words("Name")),
            "role": choice(
                view.words("Role"),
                COLUMNS["role"].one_of,
                lambda role: words(role.removeprefix("incentives_").capitalize()),
            ),
            "program": program(view),
        }

    request_form(view, "assign_role", view.words("Assign the role"), inputs)


def _remove_role(view: View) -> None:
    held = view.scope.ask("SELECT user_email, program FROM {users} ORDER BY ALL")
    pairs = list(held.itertuples(index=False, name=None))

    def inputs() -> Said:
        chosen = choice(view.words("User"), pairs, lambda pair: f"{pair[0]}, {named(view, pair[1])}")
        return {"user_email": chosen[0], "program": chosen[1]}

    request_form(view, "remove_role", view.words("Remove the role"), inputs)


def _certification(view: View) -> None:
    names = COLUMNS["competency"].one_of
    request_form(
        view, "certification", view.words("Sign up"),
        lambda: {"subject": choice(view.words("Certification"), names, lambda name: name.replace("_", " ").capitalize())},
    )  # fmt: skip


def _association(view: View) -> None:
    words = view.words
    ties = [name for name in COLUMNS["association"].one_of if name != "reseller"]

    def inputs() -> Said:
        return {
            "subject": st.text_input(words("Customer"), help=words("The id of the customer's tenant.")),
            "product_family": choice(view.words("Product family"), COLUMNS["product_family"].one_of, _plain),
            "association": choice(view.words("Association"), ties, lambda name: name.replace("_", " ").upper()),
        }

    request_form(view, "association_claim", view.words("Claim"), inputs)


def _dispute(view: View) -> None:
    words = view.words
    request_form(
        view, "dispute", view.words("Dispute"),
        lambda: {
            "program": program(view),
            "subject": st.text_input(words("Claim, line or payment in dispute"), help=words("Its id.")),
            "note": st.text_input(words("Why")),
        },
    )  # fmt: skip


FORMS: dict[str, tuple[str, Callable[[View], None]]] = {
    "enrol": ("Enrol in a program", _enrol),
    "assign_role": ("Assign a role", _assign_role),
    "remove_role": ("Remove a role", _remove_role),
    "payee_profile": ("Name the bank account", account_form),
    "payout": ("Payments", payments_form),
    "certification": ("Sign up for a certification", _certification),
    "association_claim": ("Claim a customer", _association),
    "dispute": ("Dispute", _dispute),
}


def _plain(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _answers(view: View) -> None:
    words = view.words
    st.subheader(words("Requests and answers"))
    show(
        view.scope.ask("SELECT * FROM {partner_requests} ORDER BY requested_at DESC, request_id"),
        [
            Column(words("Asked"), lambda row: view.instant(row.requested_at)),
            Column(words("Request"), lambda row: words.code(row.request_kind)),
            Column(words("Program"), lambda row: named(view, row.program)),
            Column(
                words("Answer"), lambda row: words(row.outcome.capitalize()),
                badge=lambda row: "good" if row.outcome == "accepted" else "bad",
            ),
            Column(words("Reason"), lambda row: words(row.reason) if row.reason else ""),
            Column(words("What you can do"), lambda row: words(row.what_to_do) if row.what_to_do else ""),
        ],
        label=words("Requests and answers"),
        empty=words("Nothing was asked for yet."), stacks=True,
    )  # fmt: skip
