"""Payments: what is to be paid and when, what was paid and where it stands, and what each payment is for."""

import streamlit as st

from app.dashboard import downloads
from app.dashboard.forms import account_form, payments_form
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from app.explain import PAID_FOR
from warehouse.columns import COLUMNS

KINDS = {"rebate": "Rebate", "coop": "Co-op"}
BADGES = {
    "upcoming": "wait", "in_progress": "wait", "sent": "wait", "settled": "good", "rejected": "bad", "reversed": "bad",
    "rejected_during_review": "bad",
}  # fmt: skip
CHOSEN = "(len($chosen) = 0 OR list_contains($chosen, program))"


def payments(view: View) -> None:
    """The page."""
    _upcoming(view)
    _paid(view)
    if view.scope.is_admin and not view.scope.viewer.is_operator:
        _account(view)


def _upcoming(view: View) -> None:
    words = view.words
    st.subheader(words("To be paid"))
    show(
        view.scope.ask(
            f"SELECT * FROM {{upcoming_payments}} WHERE {CHOSEN} ORDER BY due_on NULLS LAST, program, earning_type, currency",
            chosen=list(view.chosen),
        ),
        [
            Column(words("Expected on"), lambda row: view.day(row.due_on) or words("not by the calendar")),
            Column(words("Program"), lambda row: view.program(row.program)),
            Column(words("Kind"), lambda row: words(KINDS[row.earning_type])),
            Column(words("Amount"), lambda row: view.money(row.upcoming, row.currency), is_figure=True),
            Column(words("What it waits for"), lambda row: words(row.reason) if row.reason else ""),
            Column(words("What you can do"), lambda row: words(row.what_to_do) if row.what_to_do else ""),
        ],
        label=words("To be paid"),
        empty=words("Nothing is to be paid."),
    )
    st.markdown(words("Co-op is paid for activities that are claimed; it has no day of payment."))
    downloads.offer(view, "upcoming_payments")


def _paid(view: View) -> None:
    words = view.words
    st.subheader(words("Payments"))
    rows = view.scope.ask(
        f"SELECT * FROM {{payments}} WHERE {CHOSEN} ORDER BY cycle_on DESC, payment_id", chosen=list(view.chosen)
    )
    told = (
        [Column(words("The bank says"), lambda row: row.bank_reason or "")] if rows["bank_reason"].notna().any() else []
    )
    show(
        rows,
        [
            Column(words("Payment"), lambda row: row.payment_id),
            Column(words("Day of payment"), lambda row: view.day(row.cycle_on)),
            Column(words("Program"), lambda row: view.program(row.program)),
            Column(words("Earned"), lambda row: view.money(row.payment, row.currency), is_figure=True),
            Column(words("Tax withheld"), lambda row: view.money(row.withheld, row.currency), is_figure=True),
            Column(words("Sales tax"), lambda row: view.money(row.sales_tax, row.currency), is_figure=True),
            Column(words("Paid"), lambda row: view.money(row.payout, row.payout_currency), is_figure=True),
            Column(
                words("Status"), lambda row: words.code(row.payment_status),
                badge=lambda row: BADGES[row.payment_status],
            ),
            Column(words("Since"), lambda row: view.day(row.status_on)),
            *told,
        ],
        label=words("Payments"),
        empty=words("Nothing was paid yet."),
    )  # fmt: skip
    if len(rows):
        _paid_for(view, list(rows["payment_id"]))
    downloads.offer(view, "payments")


def _account(view: View) -> None:
    """What an admin asks for: the account that is paid to, and payments held or released; the next daily run answers."""
    words = view.words
    st.subheader(words("How you are paid"))
    told = words("A changed account is paid to from the next cycle on. The number is in no page and no download.")
    st.markdown(told)
    account_form(view)
    payments_form(view)


def _paid_for(view: View, known: list[str]) -> None:
    """Which earnings a payment is for, by month and lever; what is left was carried over or is kept for another balance."""
    words = view.words
    wanted = st.selectbox(words("What a payment is for"), known, key="payment")
    rows = view.scope.ask(PAID_FOR, id=wanted)
    paid = view.scope.ask("SELECT payment, currency, program FROM {payments} WHERE payment_id = $id", id=wanted).iloc[0]
    rest = paid["payment"] - sum(rows["amount"])
    show(
        rows,
        [
            Column(words("Earned in"), lambda row: view.month(row.earning_month)),
            Column(words("Lever"), lambda row: _named(view, str(paid["program"]), row.lever)),
            Column(words("Lines"), lambda row: view.number(row.lines), is_figure=True),
            Column(words("Amount"), lambda row: view.money(row.amount, row.currency), is_figure=True),
        ],
        label=words("What a payment is for"),
        empty=words("It pays what was carried over from earlier cycles."),
        total=[words("Total"), "", "", view.money(paid["payment"], paid["currency"])] if not rest else (),
    )
    if rest and len(rows):
        amount = view.money(rest, paid["currency"]).replace("$", "\\$")
        st.markdown(
            words("Carried over from earlier cycles, or kept for another balance: **{amount}**.", amount=amount)
        )


def _named(view: View, program: str, lever: str) -> str:
    if lever in COLUMNS["cause"].one_of:
        return view.words.code(lever)
    return view.lever(program, lever)
