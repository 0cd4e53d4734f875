"""Columns that stand only where some row has something in them, so that a table fits its page."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pandas as pd
import pytest

from app.dashboard import downloads
from app.dashboard.screens import coop, payments
from app.dashboard.view import View
from app.dashboard.words import Words

AMOUNTS = {
    "accrued": "Accrued", "adjusted": "Adjusted", "converted": "Became rebate", "claimed": "Claimed", "pending": "Under review",
    "forfeited": "Forfeited", "open": "Open",
}  # fmt: skip


def titles(monkeypatch, screen, draw, rows: pd.DataFrame) -> list[str]:
    """The headings of the first table that a page draws of some rows."""
    shown: list[list[str]] = []
    monkeypatch.setattr(screen, "show", lambda _, columns, **__: shown.append([column.title for column in columns]))
    monkeypatch.setattr(downloads, "offer", lambda *_: None)
    for rest in ("_claims", "_paid_for"):
        monkeypatch.setattr(screen, rest, lambda *_: None, raising=False)
    scope = SimpleNamespace(ask=lambda *_, **__: rows, viewer=SimpleNamespace(is_operator=True))
    draw(View(scope, Words("en"), date(2021, 1, 1), date(2022, 1, 1)))
    return shown[0]


@pytest.mark.parametrize("used", [(), ("pending", "forfeited")])
def test_a_fund_shows_what_it_accrued_claimed_and_has_open_and_the_rest_where_there_is_some(monkeypatch, used):
    funds = pd.DataFrame({name: [Decimal(name in used)] for name in AMOUNTS})
    expected = [title for name, title in AMOUNTS.items() if name in ("accrued", "claimed", "open", *used)]
    assert titles(monkeypatch, coop, coop.coop, funds)[4:] == expected


@pytest.mark.parametrize("said", [None, "AC04"])
def test_what_the_bank_says_has_a_column_where_it_said_something(monkeypatch, said):
    paid = pd.DataFrame({"payment_id": ["p1"], "bank_reason": [said]})
    assert ("The bank says" in titles(monkeypatch, payments, payments._paid, paid)) == bool(said)
