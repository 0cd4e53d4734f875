"""Adjustments: who gets or gives back how much, for which month, why, and who approved it."""

from app.dashboard import downloads
from app.dashboard.tables import Column, show
from app.dashboard.view import View


def adjustments(view: View) -> None:
    """The page."""
    words = view.words
    rows = view.months("adjustments", "*", "ORDER BY posted_on DESC, adjustment_id")
    show(
        rows,
        [
            Column(words("Adjustment"), lambda row: row.adjustment_id),
            Column(words("Program"), lambda row: view.program(row.program)),
            Column(words("Corrects"), lambda row: view.month(row.earning_month)),
            Column(words("Posted"), lambda row: view.day(row.posted_on)),
            Column(words("Reason"), lambda row: words.code(row.adjustment_reason)),
            Column(words("Kind"), lambda row: words(KINDS[row.earning_type])),
            Column(words("Approved by"), lambda row: row.approved_by),
            Column(words("Amount"), lambda row: view.money(row.amount, row.currency), is_figure=True),
        ],
        label=words("Adjustments"),
        empty=words("No adjustment in this period."),
    )
    downloads.offer(view, "adjustments")


KINDS = {"rebate": "Rebate", "coop": "Co-op"}
