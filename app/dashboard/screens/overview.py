"""Overview: what is earned, owed, about to be paid and paid; earnings by month; eligibility at a glance."""

from decimal import Decimal
from functools import partial

import pandas as pd
import streamlit as st

from app.dashboard import charts
from app.dashboard.addresses import address
from app.dashboard.screens import enrolment
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from warehouse.due import NOT_EARNED

SETTLED = str(NOT_EARNED)
BADGES = {"eligible": "good", "almost_eligible": "wait", "unknown": "wait", "ineligible": "bad"}


def overview(view: View) -> None:
    """The page."""
    _tiles(view)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _by_month(view)
    with right:
        _eligibility(view)
        _enrolments(view)


def _tiles(view: View) -> None:
    """What is earned, unpaid, upcoming and paid, in a row of tiles a currency."""
    words = view.words
    upcoming = _upcoming(view)
    balances = _balances(view)
    if balances.empty:
        st.info(words("Nothing is earned or paid yet."))
    for currency, rows in balances.groupby("program_currency", sort=False):
        tiles = st.columns(4)
        for tile, (label, column, told) in zip(
            tiles,
            (
                (
                    "Earned in the period",
                    "earned",
                    "All rebate and co-op earned in the months chosen, adjustments included.",
                ),
                ("Unpaid earnings", "unpaid", "Earned at any time and not paid, forfeited or handed over yet."),
                ("Upcoming payment", "upcoming", "What is expected in the next payment cycle, less what waits."),
                ("Paid to date", "paid", "All that was ever paid, tax withheld included."),
            ),
            strict=True,
        ):
            amount = upcoming.get(currency, Decimal(0)) if column == "upcoming" else rows[column].sum()
            tile.metric(
                words(label), view.short_money(amount, str(currency)), border=True,
                help=f"{view.money(amount, str(currency))}. {words(told)}".replace("$", "\\$"),
            )  # fmt: skip


def _balances(view: View) -> pd.DataFrame:
    """Earned within the period, unpaid and paid, by program currency."""
    return view.scope.ask(
        "SELECT program_currency, "
        "coalesce(sum(program_amount) FILTER (lever <> 'settlement' AND earning_month >= $first AND earning_month < $end), 0) AS earned, "
        f"sum(program_amount) AS unpaid, coalesce(-sum(program_amount) FILTER (cause IN {SETTLED}), 0) AS paid "
        "FROM {earnings_ledger} WHERE len($chosen) = 0 OR list_contains($chosen, program) GROUP BY ALL ORDER BY ALL",
        first=view.first,
        end=view.end,
        chosen=list(view.chosen),
    )


def _upcoming(view: View) -> dict[str, Decimal]:
    """What the next payment cycle that pays for the chosen programs is to pay, by program currency."""
    rows = view.scope.ask(
        "SELECT program_currency, sum(program_upcoming) AS upcoming "
        "FROM (SELECT *, min(due_on) OVER () AS next_due_on FROM {upcoming_payments} "
        "WHERE reason_code IS NULL AND (len($chosen) = 0 OR list_contains($chosen, program))) "
        "WHERE due_on = next_due_on GROUP BY ALL",
        chosen=list(view.chosen),
    )
    return dict(rows.itertuples(index=False, name=None))


def _by_month(view: View) -> None:
    words = view.words
    st.subheader(words("Earnings by month"))
    rows = view.months(
        "earnings_monthly",
        "earning_month, program_currency, sum(program_rebate) AS rebate, sum(program_coop) AS coop",
        "GROUP BY ALL ORDER BY earning_month",
    )
    if rows.empty:
        st.info(words("No earnings in this period."))
        return
    names = {"rebate": words("Rebate"), "coop": words("Co-op")}
    for currency, part in rows.groupby("program_currency"):
        money = partial(view.money, currency=str(currency))
        chart = charts.by_month(part, title=str(currency), names=names, month=view.month, money=money)
        told = words("Bars: rebate and co-op earned in each month; the same figures are in the table below.")
        st.vega_lite_chart(chart, width="stretch", alt=told)
        shown = part.assign(together=part["rebate"] + part["coop"])
        kinds = {"rebate": "Rebate", "coop": "Co-op", "together": "Together"}
        show(
            shown.sort_values("earning_month", ascending=False),
            [
                Column(words("Earned in"), lambda row: view.month(row.earning_month)),
                *(_amount(view, str(currency), name, words(title)) for name, title in kinds.items()),
            ],
            label=words("Earnings by month"),
            empty="",
            total=[words("Total"), *(view.money(shown[name].sum(), str(currency)) for name in kinds)],
        )


def _amount(view: View, currency: str, name: str, title: str) -> Column:
    """A column of amounts in one currency."""
    return Column(title, lambda row: view.money(getattr(row, name), currency), is_figure=True)


def _eligibility(view: View) -> None:
    words = view.words
    st.subheader(words("Eligibility"))
    rows = view.scope.ask(
        "SELECT program, eligibility, earns_from, earns_to FROM {eligibility_status} ORDER BY program"
    )
    show(
        rows,
        [
            Column(words("Program"), lambda row: view.program(row.program), link=lambda row: address("eligibility")),
            Column(
                words("Today"), lambda row: words.code(row.eligibility),
                badge=lambda row: BADGES[row.eligibility],
            ),
            Column(words("Earns"), lambda row: view.days(row.earns_from, row.earns_to)),
        ],
        label=words("Eligibility"),
        empty=words("No program is for partners of this kind."),
    )  # fmt: skip


def _enrolments(view: View) -> None:
    words = view.words
    st.subheader(words("Enrolments"))
    show(
        view.scope.ask("SELECT * FROM {enrolments} ORDER BY program"),
        [
            Column(words("Program"), lambda row: view.program(row.program), link=lambda row: address("programs")),
            Column(
                words("Status"), lambda row: words.code(row.enrolment_status),
                badge=lambda row: enrolment.BADGES[row.enrolment_status],
            ),
            Column(words("Since"), lambda row: enrolment.since(view, row), is_figure=True),
        ],
        label=words("Enrolments"),
        empty=words("No program of this location asks for an enrolment."),
    )  # fmt: skip
