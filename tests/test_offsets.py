"""What is owed back in one currency is recovered from others: to the cent in program currency, oldest first."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rulebook
from transforms.offsets import entries

BALANCE = {
    "partner_id": "p1", "program": "csp-indirect-reseller", "earning_type": "rebate", "program_currency": "USD", "due_month": "2021-03-01",
}  # fmt: skip


def offset(*balances: dict) -> pd.DataFrame:
    unpaid = pd.DataFrame([BALANCE | balance for balance in balances])
    unpaid["due_month"] = pd.to_datetime(unpaid["due_month"])
    return entries(
        unpaid.astype({"due_minor": "Int64", "program_due_minor": "Int64"}), rulebook.programs(), date(2021, 5, 15)
    )


def balance(currency: str, due: int, program_due: int, **more: str) -> dict:
    return {"currency": currency, "due_minor": due, "program_due_minor": program_due} | more


EUR, USD = balance("EUR", 100_000, 120_000), balance("USD", -30_000, -30_000)


@pytest.mark.parametrize(
    ("balances", "found"),
    [
        ([EUR], []),
        ([USD], []),
        ([EUR, USD], [("EUR", -25_000, -30_000), ("USD", 30_000, 30_000)]),
        ([EUR | {"due_minor": 10_000, "program_due_minor": 12_000}, USD], [("EUR", -10_000, -12_000), ("USD", 12_000, 12_000)]),
        ([EUR, USD | {"partner_id": "p2"}], []),
        ([EUR | {"program_due_minor": -12_000}, USD | {"due_minor": 30_000, "program_due_minor": 30_000}], []),
        ([EUR, USD | {"earning_type": "coop"}], []),
        ([EUR, balance("GBP", 50_000, 70_000, due_month="2021-01-01"), USD], [("GBP", -21_428, -30_000), ("USD", 30_000, 30_000)]),
    ],
)  # fmt: skip
def test_a_balance_below_zero_is_recovered_from_those_above(balances, found):
    made = offset(*balances)
    assert list(made[["currency", "amount_minor", "program_amount_minor"]].itertuples(index=False, name=None)) == found
    assert set(made["cause"]) <= {"offset"}


@given(st.lists(st.integers(-10_000, 10_000).filter(bool), min_size=1, max_size=6))
def test_a_payees_offsets_sum_to_nothing_and_take_no_balance_over_zero(amounts):
    rows = [balance(f"C{number}", amount * 3, amount) for number, amount in enumerate(amounts)]
    made = offset(*rows)
    assert made["program_amount_minor"].sum() == 0
    left = {row["currency"]: (row["due_minor"], row["program_due_minor"]) for row in rows}
    for row in made.itertuples():
        was = left[row.currency]
        now = (was[0] + row.amount_minor, was[1] + row.program_amount_minor)
        assert all(
            0 <= after * (1 if before > 0 else -1) <= abs(before) for before, after in zip(was, now, strict=True)
        )
        left[row.currency] = now
    assert len({total > 0 for _, total in left.values() if total}) <= 1  # nothing is left on both sides
