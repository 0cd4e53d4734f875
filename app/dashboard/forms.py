"""Forms by which a partner's user asks for something: one way to fill in, send, and see that it was taken."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from app.dashboard import figures, login
from app.dashboard.access import ALL_PROGRAMS
from app.dashboard.asking import ask
from app.dashboard.view import View
from transforms.answered_requests import is_iban
from transforms.vocabulary import EXPONENTS

Said = dict[str, str]
ASKED = "form that was taken"  # until its answer has been shown
SENT_LAST = "form sent last"  # it stays open, so that its answer shows, also where the page was drawn anew meanwhile


class NotSent(Exception):
    """What was filled in cannot be sent; the sentence that tells why, or what to write."""


def request_form(
    view: View,
    kind: str,
    label: str,
    inputs: Callable[[], Said],
    may_be_empty: Sequence[str] = (),
    read: Callable[[View, Said], Said] = lambda _, said: said,
) -> None:
    """A form that asks for one thing; what `inputs` draws is what the request says, `request_kind` among it where it varies.

    Once sent it is empty, as a form of another number; while a field is missing, or `read` finds one NotSent, the others
    keep what is in them.
    """
    words, state = view.words, st.session_state
    number = state.get(f"number of {kind}", 0)
    with st.form(f"{kind} {number}", border=False):
        said = inputs()
        if st.form_submit_button(label, type="primary", on_click=state.update, args=({SENT_LAST: kind},)):
            try:
                asked = read(view, _whole(view, said, may_be_empty))
                if login.is_demo():
                    raise NotSent(words("Nothing is sent in a demonstration, as nobody has signed in."))
            except NotSent as fault:
                st.error(str(fault))
            else:
                ask(view, asked.pop("request_kind", kind), **asked)
                state.update({f"number of {kind}": number + 1, ASKED: kind})
                st.rerun()
        if state.get(ASKED) == kind:
            state.pop(ASKED)
            st.success(words("Asked for. The next daily run answers."))


def _whole(view: View, said: Said, may_be_empty: Sequence[str]) -> Said:
    stripped = {name: text.strip() for name, text in said.items()}
    if not all(text for name, text in stripped.items() if name not in may_be_empty):
        raise NotSent(view.words("Fill in every field."))
    return stripped


def with_amount(view: View, said: Said) -> Said:
    """What a form says, with its amount as deliveries write it; raises NotSent where it is none."""
    amount = figures.amount(said["requested"], said["currency"], view.locale)
    if amount is None:
        example = figures.written(Decimal(1250), said["currency"], view.locale)
        raise NotSent(view.words("This is no clear amount. Write it as {example}.", example=example))
    return said | {"requested": str(amount)}


def _with_account(view: View, said: Said) -> Said:
    if not is_iban(said["iban"]):
        raise NotSent(view.words("This is not an IBAN. Write the number as your bank gave it to you."))
    return said


def account_form(view: View) -> None:
    """Name the account that is paid to."""
    words = view.words
    currencies = sorted(EXPONENTS)

    def inputs() -> Said:
        return {
            "account_holder": st.text_input(words("Account holder")),
            "iban": "".join(st.text_input("IBAN", type="password").split()),
            "payout_currency": st.selectbox(words("Currency"), currencies, index=None) or "",
            "program": program(view),
        }

    request_form(view, "payee_profile", words("Name the account"), inputs, read=_with_account)


def payments_form(view: View) -> None:
    """Ask for what is due, or have payments held or released."""
    words = view.words
    kinds = {
        "payout": words("Pay what is due"),
        "hold_payment": words("Hold payments"),
        "release_payment": words("Release payments"),
    }

    def inputs() -> Said:
        return {
            "request_kind": choice(words("Request"), list(kinds), kinds.__getitem__),
            "program": program(view),
        }

    request_form(view, "payout", words("Ask"), inputs)


def program(view: View) -> str:
    """A program that the viewer may ask for, or all of them."""
    own = view.scope.admin_programs
    return choice(
        view.words("Program"),
        [ALL_PROGRAMS, *view.scope.release.programs] if own is None else own,
        lambda p: named(view, p),
    )


def named(view: View, program: str) -> str:
    """A program's title, or that it is all of them."""
    return view.words("All") if program == ALL_PROGRAMS else view.program(program)


def choice(label: str, options: Sequence[Any], shown: Callable[..., str]) -> Any:
    """One of some options, the first unless another is chosen, as readers are told of them."""
    return st.selectbox(label, options, format_func=shown)
