"""What is not paid in time: forfeited at the fiscal year's end below the minimum, or to payees that stay unknown."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

import operations
import rulebook
from tests.deliveries import ask, land, settle_next
from transforms.forfeits import entries, judged_cycles
from transforms.programs import load
from transforms.vocabulary import FREED
from warehouse import frames, store

PROGRAM = "csp-indirect-reseller"
CYCLE = "2021-08-15"
BALANCE = {
    "partner_id": "p1", "program": PROGRAM, "earning_type": "rebate", "currency": "USD", "program_currency": "USD",
    "cycle_on": CYCLE, "held_since": "2021-02-16", "is_year_end": False, "due_month": "2021-06-01", "held_month": "2021-01-01", "due_minor": 10_000,
    "program_due_minor": 10_000, "held_minor": 0, "program_held_minor": 0,
    "program_cycle_minor": 0,
}  # fmt: skip
HELD = {"held_minor": 30_000, "program_held_minor": 30_000, "due_minor": 50_000, "program_due_minor": 50_000}


def given_up(
    balances: list[dict], reason: str | None = None, country: str = "DE", known_until: str | None = None
) -> list[tuple]:
    unpaid = pd.DataFrame([BALANCE | balance for balance in balances])
    for name in ("cycle_on", "held_since", "due_month", "held_month"):
        unpaid[name] = pd.to_datetime(unpaid[name])
    holds = pd.DataFrame([("p1", PROGRAM, reason)] if reason else [], columns=["partner_id", "program", "reason_code"])
    payees = pd.DataFrame({"partner_id": ["p1", "p2"], "country": country, "known_until": pd.to_datetime(known_until)})
    made = entries(unpaid, payees, holds, rulebook.programs(), date(2021, 8, 15))
    return [(r.cause, r.currency, r.amount_minor, f"{r.earning_month:%Y-%m}") for r in made.itertuples()]


def test_a_balance_below_the_minimum_is_forfeited_at_the_fiscal_years_end_alone():
    assert given_up([{}]) == []
    assert given_up([{"is_year_end": True}]) == [("forfeited", "USD", -10_000, "2021-06")]
    assert given_up([{"is_year_end": True, "due_minor": 20_000, "program_due_minor": 20_000}]) == []
    assert given_up([{"is_year_end": True, "due_minor": -1, "program_due_minor": -1}]) == []


def test_the_minimum_is_of_all_currencies_together():
    euros = {"is_year_end": True, "currency": "EUR", "due_minor": 9_000, "program_due_minor": 10_000}
    assert given_up([{"is_year_end": True}, euros]) == []
    euros |= {"due_minor": -900, "program_due_minor": -1_000}
    assert given_up([{"is_year_end": True}, euros]) == [
        ("forfeited", "USD", -10_000, "2021-06"), ("forfeited", "EUR", 900, "2021-06"),
    ]  # fmt: skip


def test_what_the_cycle_pays_in_other_currencies_counts_towards_the_minimum():
    assert given_up([{"is_year_end": True, "program_cycle_minor": 10_000}]) == []
    assert given_up([{"is_year_end": True, "program_cycle_minor": 9_999}]) == [("forfeited", "USD", -10_000, "2021-06")]


@pytest.mark.parametrize(
    ("reason", "country", "found"),
    [
        (None, "DE", []),
        ("PAYHOLD", "DE", []),
        ("PAYNEW", "DE", []),
        ("PAYACCT", "DE", [("forfeited", "USD", -30_000, "2021-01")]),
        ("PAYBANK", "DE", [("forfeited", "USD", -30_000, "2021-01")]),
        ("PAYTAX", "US", [("escheated", "USD", -30_000, "2021-01")]),
    ],
)
def test_what_waited_too_long_for_its_payee_is_forfeited_or_escheated_by_country(reason, country, found):
    assert given_up([HELD], reason, country) == found


def test_a_payee_that_was_known_since_waits_anew():
    assert given_up([HELD], "PAYBANK", known_until="2021-02-17") == []
    assert given_up([HELD], "PAYBANK", known_until="2021-02-16") == [("forfeited", "USD", -30_000, "2021-01")]


def test_what_was_taken_back_since_is_not_forfeited_too():
    assert given_up([HELD | {"due_minor": 25_000, "program_due_minor": 25_000}], "PAYACCT") == [
        ("forfeited", "USD", -25_000, "2021-01")
    ]
    less = HELD | {"due_minor": 10_000, "program_due_minor": 10_000, "is_year_end": True}
    assert given_up([less], "PAYACCT") == [("forfeited", "USD", -10_000, "2021-06")]


def test_what_later_payments_took_of_another_balance_is_not_given_back():
    paid = {"currency": "EUR", "held_minor": -20_000, "program_held_minor": -20_000}
    assert given_up([HELD, paid], "PAYACCT") == [("forfeited", "USD", -30_000, "2021-01")]
    owed = paid | {"due_minor": -5_000, "program_due_minor": -5_000}
    assert given_up([HELD, owed], "PAYACCT") == [
        ("forfeited", "USD", -30_000, "2021-01"), ("forfeited", "EUR", 5_000, "2021-01"),
    ]  # fmt: skip


def test_what_waits_for_the_minimum_does_not_wait_for_its_payee():
    assert given_up([HELD | {"held_minor": 19_999, "program_held_minor": 19_999}], "PAYACCT") == []


PAYEE = {"partner_id": "p1", "program": PROGRAM, "earning_type": "rebate", "currency": "USD"}
ENTRY = PAYEE | {
    "program_currency": "USD", "due_on": "2021-01-15", "earning_month": "2020-11-01", "amount_minor": 30_000,
    "program_amount_minor": 30_000,
}  # fmt: skip
PAYMENT = PAYEE | {
    "payment_id": "b-1", "cycle_on": "2021-02-15", "payment_status": "settled", "status_on": "2021-02-16",
    "payment_minor": 30_000, "program_payment_minor": 30_000, "known_to": None,
}  # fmt: skip


def unpaid(entries: list[dict], payments: list[dict], named: str) -> list[tuple]:
    """Some columns of what is unpaid on the day of a cycle, of a program that waits 180 days for payees."""
    with store.connect() as con:
        con.execute("ATTACH ':memory:' AS staging; CREATE SCHEMA derived; CREATE SCHEMA staging.derived")
        cycle = [(PROGRAM, CYCLE, "2021-02-16", False)]
        con.register("judged", pd.DataFrame(cycle, columns=["program", "cycle_on", "held_since", "is_year_end"]))
        con.register("entry", pd.DataFrame([ENTRY | entry for entry in entries]))
        con.register("payment", pd.DataFrame([PAYMENT | payment for payment in payments] or [PAYMENT])[: len(payments)])
        con.register("freed_statuses", pd.DataFrame({"payment_status": FREED}))
        days = "cycle_on::DATE AS cycle_on"
        con.execute(
            f"CREATE TABLE judged_cycles AS SELECT * REPLACE ({days}, held_since::DATE AS held_since) FROM judged"
        )
        days = "due_on::DATE AS due_on, earning_month::DATE AS earning_month"
        con.execute(f"CREATE TABLE due_entries AS SELECT * REPLACE ({days}) FROM entry")
        days = "cycle_on::DATE AS cycle_on, status_on::DATE AS status_on"
        con.execute(f"CREATE TABLE derived.payments AS SELECT * REPLACE ({days}) FROM payment")
        con.execute("CREATE TABLE staging.derived.payments AS FROM derived.payments LIMIT 0")
        found = frames.read_input(con, "unpaid", date.fromisoformat(CYCLE)).sort_values("currency")
        return list(found[named.split()].astype("str").itertuples(index=False, name=None))


def test_what_fell_due_of_late_is_told_by_its_own_month():
    assert unpaid([ENTRY], [], "held_minor held_month") == [("30000", "2020-11-01")]
    late = {"due_on": "2021-08-15", "earning_month": "2021-06-01"}
    assert unpaid([late], [], "held_minor held_month") == [("0", "2021-06-01")]


@pytest.mark.parametrize(
    ("payment", "found"),
    [
        ({}, []),
        ({"payment_status": "reversed", "status_on": "2021-02-17"}, [("30000", "0")]),
        ({"payment_status": "reversed", "status_on": "2021-02-16"}, [("30000", "30000")]),
        ({"payment_minor": 10_000, "program_payment_minor": 10_000}, [("20000", "20000")]),
    ],
)
def test_what_came_back_waits_from_then_on(payment, found):
    assert unpaid([ENTRY], [payment], "due_minor held_minor") == found
    assert unpaid([ENTRY], [payment], "program_due_minor program_held_minor") == found


@pytest.mark.parametrize(
    ("payment", "found"),
    [
        ({"cycle_on": CYCLE}, "30000"),
        ({"cycle_on": "2021-07-15"}, "0"),
        ({"cycle_on": CYCLE, "payment_status": "rejected", "status_on": CYCLE}, "0"),
        ({"cycle_on": CYCLE, "earning_type": "coop"}, "0"),
    ],
)
def test_what_a_cycle_pays_is_told_beside_what_it_leaves(payment, found):
    assert unpaid([ENTRY | {"currency": "JPY"}], [payment], "program_cycle_minor") == [(found,)]


@pytest.mark.parametrize(
    ("previous", "day", "cycle", "is_year_end"),
    [
        ("2021-05-14", "2021-05-15", "2021-05-15", False),
        ("2021-05-13", "2021-05-17", "2021-05-15", False),
        ("2021-05-15", "2021-05-16", None, None),
        ("2021-08-14", "2021-08-15", "2021-08-15", True),  # June's earnings, the last of the fiscal year
        ("2021-07-31", "2021-10-01", "2021-09-15", True),
        (None, "2021-05-15", "2021-05-15", False),
    ],
)
def test_a_cycle_is_judged_on_the_first_settled_day_that_reaches_it(previous, day, cycle, is_year_end):
    found = judged_cycles(rulebook.programs(), previous and date.fromisoformat(previous), date.fromisoformat(day))
    mine = found[found["program"] == PROGRAM]
    assert list(zip(mine["cycle_on"].astype("str"), mine["is_year_end"], strict=True)) == (
        [(cycle, is_year_end)] if cycle else []
    )
    if cycle:
        assert list(mine["held_since"]) == [pd.Timestamp(cycle) - pd.Timedelta(days=180)]


def test_a_payee_may_be_missing_for_the_days_of_the_cycle(tmp_path):
    path = rulebook.programs_folder() / f"{PROGRAM}.yaml"
    text, days = path.read_text(), "missing_payee_days: {2017-07-01: 180, 2021-05-15: 90, 2021-06-01: null}"
    assert "missing_payee_days: 180" in text
    (tmp_path / path.name).write_text(text.replace("missing_payee_days: 180", days))
    programs = [load(tmp_path / path.name)]
    days = [(None, date(2021, 4, 15)), (date(2021, 5, 14), date(2021, 6, 14)), (date(2021, 6, 14), date(2021, 7, 1))]
    found = [judged_cycles(programs, *of)["held_since"].iloc[0] for of in days]
    assert [str(day.date()) for day in found] == ["2020-10-17", "2021-02-14", "NaT"]


def test_a_year_end_forfeits_in_the_ledger_and_in_what_is_to_be_paid(first_day):
    land("fx_rates", [{"fx_month": "2021-08"}], "2021-08-16")
    settle_next("2021-08-16", [{"transaction_id": "new", "transaction_at": "2021-08-16T10:00:00Z"}])
    assert ask("SELECT cause, amount, earning_month, cause_detail FROM earnings_ledger WHERE cause = 'forfeited'") == [
        ("forfeited", Decimal("-2.400"), date(2021, 3, 1), "below the minimum at the fiscal year's end")
    ]
    assert ask("SELECT due_on, upcoming FROM upcoming_payments WHERE earning_type = 'rebate' ORDER BY 1") == [
        (date(2021, 9, 15), Decimal("1.600")),  # the half year's co-op, which became rebate
        (date(2021, 10, 15), Decimal("2.400")),
    ]
    assert ask("SELECT sum(forfeited) FROM liability") == [(Decimal("2.400"),)]
    assert operations.verify()["differences"] == []
