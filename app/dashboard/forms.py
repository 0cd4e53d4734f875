"""Forms by which a partner's user asks for something: one way to fill in, send, and see that it was taken."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.dashboard.asking import ask
from app.dashboard.view import View
from transforms.vocabulary import EXPONENTS

Said = dict[str, str]
ASKED = "form that was taken"  # until its answer has been shown
SENT_LAST = "form sent last"  # it stays open, so that its answer shows, also where the page was drawn anew meanwhile


def request_form(
    view: View, kind: str, label: str, inputs: Callable[[], Said], may_be_empty: Sequence[str] = ()
) -> None:
    """A form that asks for one thing; what `inputs` draws is what the request says, `request_kind` among it where it varies.

    Once sent it is empty, as a form of another number; while a field is missing, the others keep what is in them.
    """
    words, state = view.words, st.session_state
    number = state.get(f"number of {kind}", 0)
    with st.form(f"{kind} {number}", border=False):
        said = inputs()
        if st.form_submit_button(label, type="primary", on_click=state.update, args=({SENT_LAST: kind},)):
            if all(text.strip() for name, text in said.items() if name not in may_be_empty):
                ask(view, said.pop("request_kind", kind), **{name: text.strip() for name, text in said.items()})
                state.update({f"number of {kind}": number + 1, ASKED: kind})
                st.rerun()
            st.error(words("Fill in every field."))
        if state.get(ASKED) == kind:
            state.pop(ASKED)
            st.success(words("Asked for. The next daily run answers."))


def account_form(view: View) -> None:
    """Name the account that is paid to."""
    words = view.words
    currencies = sorted(EXPONENTS)

    def inputs() -> Said:
        return {
            "account_holder": st.text_input(words("Account holder")),
            "iban": st.text_input("IBAN", type="password").replace(" ", ""),
            "payout_currency": st.selectbox(words("Currency"), currencies, index=None) or "",
        }

    request_form(view, "payee_profile", words("Name the account"), inputs)


def choice(label: str, options: Sequence[Any], shown: Callable[..., str]) -> Any:
    """One of some options, the first unless another is chosen, as readers are told of them."""
    return st.selectbox(label, options, format_func=shown)
