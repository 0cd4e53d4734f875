"""Co-op: each half year's fund, what is claimed of it, and a form to claim more."""

from decimal import Decimal
from typing import Any

import streamlit as st

from app.dashboard import downloads, figures
from app.dashboard.forms import Said, choice, request_form, with_amount
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from warehouse.columns import COLUMNS

STAGES = {"accruing": "wait", "ended": "wait", "claimable": "good", "closed": "none"}
BADGES = {
    "approved": "good", "rejected": "bad", "action_required": "bad", "submitted": "wait", "under_review": "wait",
    "disputed": "wait",
}  # fmt: skip
AMOUNTS = {
    "accrued": "Accrued", "adjusted": "Adjusted", "converted": "Became rebate", "claimed": "Claimed", "pending": "Under review",
    "forfeited": "Forfeited", "open": "Open",
}  # fmt: skip
ALWAYS = ("accrued", "claimed", "open")  # the other amounts only where some fund has one
CHOSEN = "(len($chosen) = 0 OR list_contains($chosen, program))"


def coop(view: View) -> None:
    """The page."""
    words = view.words
    st.subheader(words("Funds"))
    funds = view.scope.ask(
        f"SELECT * FROM {{coop_funds}} WHERE {CHOSEN} ORDER BY half_from DESC, program, currency",
        chosen=list(view.chosen),
    )
    show(
        funds,
        [
            Column(words("Program"), lambda row: view.program(row.program)),
            Column(words("Earned in"), lambda row: view.days(row.half_from, row.half_to)),
            Column(words("Claims"), lambda row: view.days(row.claims_from, row.claims_to)),
            Column(
                words("Status"), lambda row: words("Became rebate" if _is_rebate(row) else row.fund_stage.capitalize()),
                badge=lambda row: "none" if _is_rebate(row) else STAGES[row.fund_stage],
            ),
            *(
                _amount(view, name, words(title))
                for name, title in AMOUNTS.items()
                if name in ALWAYS or funds[name].any()
            ),
        ],
        label=words("Funds"),
        empty=words("No co-op is earned yet."),
    )  # fmt: skip
    downloads.offer(view, "coop_funds")
    _claims(view)
    if not view.scope.viewer.is_operator:
        _claim(view)


def _is_rebate(row: Any) -> bool:
    """Whether all of a fund was below the minimum."""
    return row.converted != 0 and row.open == 0


def _amount(view: View, name: str, title: str) -> Column:
    return Column(title, lambda row: view.money(getattr(row, name), row.currency), is_figure=True)


def _claims(view: View) -> None:
    words = view.words
    st.subheader(words("Claims"))
    show(
        view.scope.ask(
            f"SELECT * FROM {{coop_claims}} WHERE {CHOSEN} ORDER BY occurred_on DESC, request_id", chosen=list(view.chosen)
        ),
        [
            Column(words("Program"), lambda row: view.program(row.program)),
            Column(words("Activity"), lambda row: words.code(row.activity_type)),
            Column(words("On"), lambda row: view.day(row.occurred_on)),
            Column(
                words("Status"), lambda row: words.code(row.coop_claim_status),
                badge=lambda row: BADGES[row.coop_claim_status],
            ),
            Column(words("Since"), lambda row: view.day(row.status_on)),
            Column(words("Claimed"), lambda row: view.money(row.requested, row.currency), is_figure=True),
            Column(words("Approved"), lambda row: view.money(row.approved, row.currency), is_figure=True),
        ],
        label=words("Claims"),
        empty=words("Nothing is claimed yet. Claims that were refused stand with the requests, each with its reason."),
    )  # fmt: skip


def _claim(view: View) -> None:
    """A form to claim from an open fund; the next daily run answers."""
    words = view.words
    funds = view.scope.ask(
        "SELECT DISTINCT program, currency FROM {coop_funds} WHERE fund_stage = 'claimable' AND open > pending ORDER BY ALL"
    )
    if funds.empty:
        st.info(words("No fund can be claimed today."))
        return
    choices = list(funds.itertuples(index=False, name=None))

    def inputs() -> Said:
        program, currency = choice(words("Fund"), choices, lambda fund: f"{view.program(fund[0])}, {fund[1]}")
        activities = COLUMNS["activity_type"].one_of
        return {
            "program": program,
            "currency": currency,
            "activity_type": choice(words("Activity"), activities, lambda a: words.code(a)),
            "occurred_on": str(st.date_input(words("Day of the activity"), value=view.as_of)),
            "requested": st.text_input(
                words("Amount"), placeholder=figures.written(Decimal(1250), currency, view.locale)
            ),
            "note": st.text_input(words("Note")),
        }

    st.markdown(f"**{words('Claim from a fund')}**")
    request_form(view, "coop_claim", words("Claim"), inputs, may_be_empty=["note"], read=with_amount)
