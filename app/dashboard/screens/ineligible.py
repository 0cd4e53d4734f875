"""Ineligible revenue: what earns nothing, by reason, and what the partner can do about it."""

import streamlit as st

from app.dashboard import downloads
from app.dashboard.addresses import of_line
from app.dashboard.tables import Column, show
from app.dashboard.view import View
from transforms.reasons import REASONS

MOST_LINES = 500


def ineligible(view: View) -> None:
    """The page. A line is counted once a program, under all its reasons together, so that sums never double."""
    words = view.words
    st.markdown(
        words(
            "Each line counts once in each program, under all its reasons together. A line can earn in one program and be "
            "ineligible in another."
        )
    )
    rows = view.months(
        "ineligible_revenue",
        "program, decision, reason_codes, currency, bool_or(partner_can_act) AS partner_can_act, "
        "sum(line_count) AS lines, sum(revenue) AS revenue",
        "GROUP BY ALL ORDER BY program, decision, lines DESC",
    )
    show(
        rows,
        [
            Column(words("Program"), lambda row: view.program(row.program)),
            Column(
                words("Decision"), lambda row: words(row.decision.capitalize()),
                badge=lambda row: "wait" if row.decision == "undecided" else "bad",
            ),
            Column(words("Reasons"), lambda row: _told(view, row.reason_codes)),
            Column(words("You can act"), lambda row: words("Yes") if row.partner_can_act else words("No")),
            Column(words("Lines"), lambda row: view.number(row.lines), is_figure=True),
            Column(words("Revenue"), lambda row: view.money(row.revenue, row.currency), is_figure=True),
        ],
        label=words("Ineligible revenue"),
        empty=words("All revenue of this period is eligible."),
    )  # fmt: skip
    downloads.offer(view, "ineligible_revenue")
    st.subheader(words("Lines"))
    _lines(view, int(rows["lines"].sum()))


def _told(view: View, reason_codes: str) -> str:
    """Reason codes, separated by commas, in words."""
    return "; ".join(view.words(REASONS[code].text) for code in reason_codes.split(","))


def _lines(view: View, count: int) -> None:
    """The newest of so many lines; each leads to its explanation."""
    words = view.words
    rows = view.scope.ask(
        "SELECT transaction_id, transaction_at, program, product_id, customer_id, reason_codes, decided.revenue, decided.currency "
        "FROM {decisions} AS decided JOIN {transactions} AS line USING (transaction_id) WHERE decision <> 'eligible' "
        "AND earning_month >= $first AND earning_month < $end AND (len($chosen) = 0 OR list_contains($chosen, program)) "
        "ORDER BY transaction_at DESC, transaction_id LIMIT $most",
        first=view.first,
        end=view.end,
        chosen=list(view.chosen),
        most=MOST_LINES,
    )
    customers = view.scope.customers(rows["customer_id"])
    show(
        rows,
        [
            Column(
                words("Line"),
                lambda row: row.transaction_id,
                link=lambda row: of_line(row.transaction_id, "ineligible"),
                is_id=True,
            ),
            Column(words("Date"), lambda row: view.day(row.transaction_at)),
            Column(words("Program"), lambda row: view.program(row.program)),
            Column(words("Product"), lambda row: view.product(row.product_id)),
            Column(words("Customer"), lambda row: customers.get(row.customer_id, row.customer_id)),
            Column(words("Reasons"), lambda row: _told(view, row.reason_codes)),
            Column(words("Revenue"), lambda row: view.money(row.revenue, row.currency), is_figure=True),
        ],
        label=words("Lines that earn nothing"),
        empty=words("No line of this period earns nothing."),
        pages="lines",
        stacks=True,
    )
    if count > len(rows):
        shown, of = view.number(len(rows)), view.number(count)
        st.markdown(words("The newest {shown} of {count} lines; the download has all.", shown=shown, count=of))
    downloads.offer(view, downloads.INELIGIBLE_LINES)
