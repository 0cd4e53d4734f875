"""Earnings: by month, program, lever, product or customer, down to the line and its explanation."""

from typing import Any

import pandas as pd
import streamlit as st

from app.dashboard import downloads
from app.dashboard.addresses import of_line
from app.dashboard.tables import Column, show
from app.dashboard.view import View

GROUPS = {
    "earning_month": "Month",
    "program": "Program",
    "lever": "Lever",
    "product_id": "Product",
    "customer_id": "Customer",
}
ORDERS = {  # the newest first, and the largest of what there may be many of
    "earning_month": "earning_month DESC",
    "product_id": "program_earning DESC, product_id",
    "customer_id": "program_earning DESC, customer_id",
}
MOST_LINES = 1000


def earnings(view: View) -> None:
    """The page."""
    words = view.words
    by = st.segmented_control(
        words("Sum by"), list(GROUPS), format_func=lambda name: words(GROUPS[name]), default="earning_month", key="by", bind="query-params"
    ) or "earning_month"  # fmt: skip
    rows = view.months(
        "earnings_monthly",
        f"{by}, {'program, ' if by == 'lever' else ''}currency, sum(line_count) AS lines, sum(rebate) AS rebate, sum(coop) AS coop, "
        "sum(earning) AS earning, program_currency, sum(program_earning) AS program_earning, bool_or(is_illustrative) AS is_illustrative",
        f"GROUP BY ALL ORDER BY {ORDERS.get(by, by)}, currency",
    )
    _sums(view, rows, by)
    downloads.offer(view, "earnings_monthly")
    st.subheader(words("Lines"))
    _lines(view)


def _sums(view: View, rows: pd.DataFrame, by: str) -> None:
    words = view.words
    totals = rows.groupby("program_currency")["program_earning"].sum()
    one = len(totals) == 1
    customers = view.scope.customers(rows["customer_id"]) if by == "customer_id" else {}
    show(
        rows,
        [
            Column(
                words(GROUPS[by]), lambda row: _named(view, row, by, customers),
                beside=lambda row: _id(row, by, customers if by == "customer_id" else view.scope.release.products),
            ),
            Column(words("Rebate"), lambda row: view.money(row.rebate, row.currency), is_figure=True),
            Column(words("Co-op"), lambda row: view.money(row.coop, row.currency), is_figure=True),
            Column(words("Earned"), lambda row: view.money(row.earning, row.currency), is_figure=True),
            Column(
                words("In program currency"), lambda row: view.money(row.program_earning, row.program_currency), is_figure=True
            ),
        ],
        label=words("Earnings"),
        empty=words("No earnings in this period."),
        total=[words("Total"), "", "", "", view.money(totals.iloc[0], str(totals.index[0]))] if one else (),
    )  # fmt: skip
    if len(rows) and rows["is_illustrative"].any():
        st.markdown(words("Some of these sums rest on illustrative rates, which no source states."))


def _named(view: View, row: Any, by: str, customers: dict[str, str]) -> str:
    value = getattr(row, by)
    if by == "earning_month":
        return view.month(value)
    if by == "program":
        return view.program(value)
    if by == "lever":
        return view.lever(row.program, value) if value != "adjustment" else view.words("Adjustment")
    if by == "product_id":
        return view.product(value) or view.words("none")
    return customers.get(value, value) or view.words("none")


def _id(row: Any, by: str, names: dict[str, str]) -> str:
    """The id of a product or customer, where it stands beside its name."""
    return getattr(row, by) if by in ("product_id", "customer_id") and getattr(row, by) in names else ""


def _lines(view: View) -> None:
    """The lines of one month; each leads to its explanation."""
    words = view.words
    months = view.months("earnings_monthly", "DISTINCT earning_month", "ORDER BY earning_month DESC")["earning_month"]
    if months.empty:
        st.info(words("No earnings in this period."))
        return
    month = st.selectbox(words("Earned in"), list(months), format_func=view.month, key="month", bind="query-params")
    rows = view.scope.ask(
        "SELECT transaction_id, transaction_at, program, lever, product_id, customer_id, revenue, earning.currency, sum(earning) AS earning, "
        "max(rate) AS rate FROM {earnings} AS earning JOIN {transactions} AS line USING (transaction_id) "
        "WHERE earning_month = $month AND (len($chosen) = 0 OR list_contains($chosen, program)) GROUP BY ALL "
        "ORDER BY transaction_at DESC, transaction_id LIMIT $most",
        month=month,
        chosen=list(view.chosen),
        most=MOST_LINES,
    )
    customers, products = view.scope.customers(rows["customer_id"]), view.scope.release.products
    show(
        rows,
        [
            Column(
                words("Line"),
                lambda row: row.transaction_id,
                link=lambda row: of_line(row.transaction_id, "earnings"),
                is_id=True,
            ),
            Column(words("Date"), lambda row: view.day(row.transaction_at)),
            Column(words("Lever"), lambda row: view.lever(row.program, row.lever)),
            Column(
                words("Product"),
                lambda row: view.product(row.product_id),
                beside=lambda row: _id(row, "product_id", products),
            ),
            Column(
                words("Customer"),
                lambda row: customers.get(row.customer_id, row.customer_id),
                beside=lambda row: _id(row, "customer_id", customers),
            ),
            Column(words("Revenue"), lambda row: view.money(row.revenue, row.currency), is_figure=True),
            Column(words("Rate"), lambda row: view.share(row.rate), is_figure=True),
            Column(words("Earned"), lambda row: view.money(row.earning, row.currency), is_figure=True),
        ],
        label=words("Lines of {month}", month=view.month(month)),
        empty=words("No line earned in this month."),
        pages=f"lines-{month:%Y-%m}",
        stacks=True,
    )
    if len(rows) == MOST_LINES:
        st.markdown(words("The newest {count} lines; the download has all.", count=view.number(MOST_LINES)))
    downloads.offer(view, "earnings", month=month)
