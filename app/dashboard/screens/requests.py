"""Requests: what a partner's users can ask for, a form each, and the answers. The next daily run answers."""

from collections.abc import Callable, Sequence
from typing import Any

import iso4217
import streamlit as st

from app.dashboard.access import ALL_PROGRAMS
from app.dashboard.asking import ask
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from transforms.answered_requests import FOR_ADMINS_ONLY
from warehouse.columns import COLUMNS

Said = dict[str, str]
ASKED = "form that was taken"  # until its answer has been shown
SENT_LAST = "form sent last"  # it stays open, so that its answer shows, also where the page was drawn anew meanwhile


def requests(view: View) -> None:
    """The page."""
    if not view.scope.viewer.is_operator:
        for kind, (title, form) in FORMS.items():
            if view.scope.is_admin or kind not in FOR_ADMINS_ONLY:
                with st.expander(view.words(title), expanded=st.session_state.get(SENT_LAST) == kind):
                    form(view)
    if view.scope.is_admin:
        _answers(view)


def _asked(view: View, kind: str, label: str, inputs: Callable[[], Said]) -> None:
    """A form that asks for one thing; what `inputs` draws is what the request says, `request_kind` among it where it varies.

    Once sent it is empty, as a form of another number; while a field is missing, the others keep what is in them.
    """
    words, state = view.words, st.session_state
    number = state.get(f"number of {kind}", 0)
    with st.form(f"{kind} {number}", border=False):
        said = inputs()
        if st.form_submit_button(label, type="primary", on_click=state.update, args=({SENT_LAST: kind},)):
            if all(text.strip() for text in said.values()):
                ask(view, said.pop("request_kind", kind), **{name: text.strip() for name, text in said.items()})
                state.update({f"number of {kind}": number + 1, ASKED: kind})
                st.rerun()
            st.error(words("Fill in every field."))
        if state.get(ASKED) == kind:
            state.pop(ASKED)
            st.success(words("Asked for. The next daily run answers."))


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
    _asked(
        view, "enrol", view.words("Enrol"), lambda: {"program": _choice(view.words("Program"), choices, view.program)}
    )


def _assign_role(view: View) -> None:
    words = view.words

    def inputs() -> Said:
        return {
            "user_email": st.text_input(words("E-mail")),
            "user_name": st.text_input(words("Name")),
            "role": _choice(
                view.words("Role"),
                COLUMNS["role"].one_of,
                lambda role: words(role.removeprefix("incentives_").capitalize()),
            ),
            "program": _program(view),
        }

    _asked(view, "assign_role", view.words("Assign the role"), inputs)


def _remove_role(view: View) -> None:
    held = view.scope.ask("SELECT user_email, program FROM {users} ORDER BY ALL")
    pairs = list(held.itertuples(index=False, name=None))

    def inputs() -> Said:
        chosen = _choice(view.words("User"), pairs, lambda pair: f"{pair[0]}, {_named(view, pair[1])}")
        return {"user_email": chosen[0], "program": chosen[1]}

    _asked(view, "remove_role", view.words("Remove the role"), inputs)


def _account(view: View) -> None:
    words = view.words
    currencies = sorted(known.code for known in iso4217.Currency if known.exponent is not None)

    def inputs() -> Said:
        return {
            "account_holder": st.text_input(words("Account holder")),
            "iban": st.text_input("IBAN"),
            "payout_currency": _choice(view.words("Currency"), currencies, str),
        }

    _asked(view, "payee_profile", view.words("Name the account"), inputs)


def _payments(view: View) -> None:
    words = view.words
    kinds = {
        "payout": words("Pay what is due"),
        "hold_payment": words("Hold payments"),
        "release_payment": words("Release payments"),
    }

    def inputs() -> Said:
        return {
            "request_kind": _choice(view.words("Request"), list(kinds), kinds.__getitem__),
            "program": _program(view),
        }

    _asked(view, "payout", view.words("Ask"), inputs)


def _certification(view: View) -> None:
    names = COLUMNS["competency"].one_of
    _asked(
        view, "certification", view.words("Sign up"),
        lambda: {"subject": _choice(view.words("Certification"), names, lambda name: name.replace("_", " ").capitalize())},
    )  # fmt: skip


def _association(view: View) -> None:
    words = view.words
    ties = [name for name in COLUMNS["association"].one_of if name != "reseller"]

    def inputs() -> Said:
        return {
            "subject": st.text_input(words("Customer"), help=words("The id of the customer's tenant.")),
            "product_family": _choice(view.words("Product family"), COLUMNS["product_family"].one_of, _plain),
            "association": _choice(view.words("Association"), ties, lambda name: name.replace("_", " ").upper()),
        }

    _asked(view, "association_claim", view.words("Claim"), inputs)


def _dispute(view: View) -> None:
    words = view.words
    _asked(
        view, "dispute", view.words("Dispute"),
        lambda: {
            "subject": st.text_input(words("Claim, line or payment in dispute"), help=words("Its id.")),
            "note": st.text_input(words("Why")),
        },
    )  # fmt: skip


FORMS: dict[str, tuple[str, Callable[[View], None]]] = {
    "enrol": ("Enrol in a program", _enrol),
    "assign_role": ("Assign a role", _assign_role),
    "remove_role": ("Remove a role", _remove_role),
    "payee_profile": ("Name the bank account", _account),
    "payout": ("Payments", _payments),
    "certification": ("Sign up for a certification", _certification),
    "association_claim": ("Claim a customer", _association),
    "dispute": ("Dispute", _dispute),
}


def _choice(label: str, options: Sequence[Any], shown: Callable[..., str]) -> Any:
    return st.selectbox(label, options, format_func=shown)


def _program(view: View) -> str:
    """A program that the viewer may ask for, or all of them."""
    own = view.scope.admin_programs
    return _choice(
        view.words("Program"),
        [ALL_PROGRAMS, *view.scope.release.programs] if own is None else own,
        lambda p: _named(view, p),
    )


def _named(view: View, program: str) -> str:
    return view.words("All") if program == ALL_PROGRAMS else view.program(program)


def _plain(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _answers(view: View) -> None:
    words = view.words
    st.subheader(words("Requests and answers"))
    show(
        view.scope.ask("SELECT * FROM {partner_requests} ORDER BY requested_at DESC, request_id"),
        [
            Column(words("Asked"), lambda row: view.instant(row.requested_at)),
            Column(words("Request"), lambda row: words(row.request_kind.replace("_", " ").capitalize())),
            Column(words("Program"), lambda row: _named(view, row.program)),
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
