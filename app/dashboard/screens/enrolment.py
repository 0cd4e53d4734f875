"""How an enrolment stands, since and until when, what comes next, and what the partner can do."""

from typing import Any

from app.dashboard.addresses import address
from app.dashboard.stored import told
from app.dashboard.tables import Fact
from app.dashboard.view import View

BADGES = {
    "enrolled": "good", "invited": "wait", "enrolling": "wait", "action_required": "wait", "validating_enrollment": "wait",
    "ineligible": "bad", "inactive": "none", "discontinued": "none",
}  # fmt: skip


def enrolment(view: View, row: Any) -> list[Fact]:
    """What is known of one enrolment; who may ask for something is led to where that is done."""
    words = view.words
    asks = row.what_to_do and view.scope.is_admin and not view.scope.viewer.is_operator
    return [
        Fact(words("Enrolment"), words.code(row.enrolment_status), badge=BADGES[row.enrolment_status]),
        Fact(words("Since"), since(view, row)),
        Fact(words("Last day"), view.days(row.valid_from, row.valid_to).split("–")[-1].strip()),
        Fact(words("Then"), words.code(row.next_status) if row.next_status else ""),
        Fact(words("Reason"), words(row.reason) if row.reason else ""),
        Fact(words("Evidence"), told(words, row.evidence)),
        Fact(
            words("What you can do"),
            words(row.what_to_do) if row.what_to_do else "",
            address("requests") if asks else "",
        ),
    ]


def since(view: View, row: Any) -> str:
    """Since when an enrolment stands so; empty where that has no beginning."""
    return "" if row.valid_from.year == 1900 else view.day(row.valid_from)
