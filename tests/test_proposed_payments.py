"""What a payment cycle pays: what is due, above the minimum, not held, less taxes withheld, in the payout currency."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

import rulebook
from transforms import example_payouts
from transforms.money import FX, RATE, decimals
from transforms.payment_calendar import payment_calendar
from transforms.proposed_payments import payee_waits, proposed_payments
from warehouse import due, store

PROGRAM = "csp-indirect-reseller"
CYCLE = date(2021, 5, 15)
PAYEE = {
    "partner_id": "p1", "program": "*", "country": "DE", "bank_status": "approved", "tax_status": "approved", "request_id": "r1",
    "payout_currency": "EUR", "named_on": "2020-01-01", "is_changed": False,
}  # fmt: skip
BALANCE = {
    "partner_id": "p1", "program": PROGRAM, "earning_type": "rebate", "currency": "EUR", "program_currency": "USD",
    "due_minor": 100_000, "program_due_minor": 120_000,
}  # fmt: skip
INVOICE = {
    "partner_id": "p1", "program": PROGRAM, "invoice_number": "i1", "invoiced_on": "2021-05-01", "invoice_status": "approved",
}  # fmt: skip


def framed(rows: list[dict], columns: list[str], days: tuple[str, ...] = (), **decimal: object) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=columns)
    for name in days:
        made[name] = pd.to_datetime(made[name]).astype("datetime64[us]")
    return made.assign(**{name: decimals(list(made[name]), kind) for name, kind in decimal.items()})


def proposed(
    balances: Sequence[dict] = ({},), payee: dict | None = None, holds: Sequence[dict] = (), **more: list[dict]
) -> list[dict]:
    """Proposed payments of some balances; what is not said is as in BALANCE and PAYEE."""
    payable = pd.DataFrame([BALANCE | balance for balance in balances])
    asked = ["partner_id", "program", "request_kind", "requested_at", "request_id"]
    taxes = ["country", "tax_kind", "tax_rate", "valid_from", "valid_to"]
    due = proposed_payments(
        payable.astype({"due_minor": "Int64", "program_due_minor": "Int64"}),
        framed([PAYEE | row for row in (payee or {}, *more.get("accounts", []))], list(PAYEE), ("named_on",)),
        framed([{"partner_id": "p1", "program": "*"} | hold for hold in holds], asked, ("requested_at",)),
        framed(more.get("rates", []), ["from_currency", "to_currency", "fx_rate"], fx_rate=FX),
        framed([{"country": "DE", "valid_from": "2018-01-01"} | tax for tax in more.get("taxes", [])], taxes, ("valid_from", "valid_to"), tax_rate=RATE),
        framed([INVOICE | invoice for invoice in more.get("invoices", [])], list(INVOICE), ("invoiced_on",)),
        rulebook.programs(), CYCLE,
    )  # fmt: skip
    return due.sort_values("currency").to_dict("records")


def paid(*args: object, **said: object) -> list[tuple]:
    """What is paid of each balance, or why not."""
    return [row["reason_code"] or int(row["payment_minor"]) for row in proposed(*args, **said)]


def test_a_balance_is_paid_whole():
    [row] = proposed()
    assert (row["payment_minor"], row["payout_minor"], row["reason_code"]) == (100_000, 100_000, None)


@pytest.mark.parametrize(("earned", "found"), [(19_999, "PAYMIN"), (20_000, 100_000)])
def test_the_minimum_is_in_program_currency(earned, found):
    assert paid([{"program_due_minor": earned}]) == [found]


def test_the_minimum_is_of_all_currencies_together():
    half = {"program_due_minor": 10_000}
    assert paid([half, half | {"currency": "USD", "due_minor": 10_000}], rates=[{"from_currency": "USD", "to_currency": "EUR", "fx_rate": "0.9"}]) == [100_000, 10_000]  # fmt: skip
    assert paid([half]) == ["PAYMIN"]


@pytest.mark.parametrize(
    ("payee", "reason"),
    [
        ({"request_id": None, "payout_currency": None}, "PAYACCT"),
        ({"bank_status": "pending"}, "PAYBANK"),
        ({"bank_status": None}, "PAYBANK"),
        ({"tax_status": "missing"}, "PAYTAX"),
        ({"is_changed": True, "named_on": "2021-04-16"}, "PAYNEW"),
        ({"is_changed": True, "named_on": "2021-04-15"}, None),
        ({"is_changed": False, "named_on": "2021-05-14"}, None),
        ({"payout_currency": "JPY"}, "PAYFX"),
        ({"payout_currency": "KWD"}, "PAYCUR"),
    ],
)
def test_a_payee_that_cannot_be_paid_is_told_why(payee, reason):
    assert paid(payee=payee) == [reason or 100_000]


def test_what_would_reach_the_bank_as_nothing_is_carried_forward():
    rates = [{"from_currency": "EUR", "to_currency": "GBP", "fx_rate": "0.5"}]
    for owed, found in ((1, "PAYMIN"), (2, 2)):
        assert paid([{"due_minor": owed}], payee={"payout_currency": "GBP"}, rates=rates) == [found]


def test_an_account_that_is_named_for_one_program_is_used_for_that_one_alone():
    named = {"request_id": "r2", "payout_currency": "EUR"}
    for program, used in ((PROGRAM, "r2"), ("csp-direct-bill", "r1")):
        assert [row["request_id"] for row in proposed(accounts=[named | {"program": program}])] == [used]
    nowhere = {"request_id": None, "payout_currency": None}
    assert paid(payee=nowhere, accounts=[named | {"program": "csp-direct-bill"}]) == ["PAYACCT"]
    assert paid(payee=nowhere, accounts=[named | {"program": PROGRAM}]) == [100_000]


def test_a_balance_is_converted_over_a_third_currency_where_no_rate_is_given():
    rates = [
        {"from_currency": "EUR", "to_currency": "USD", "fx_rate": "1.2"},
        {"from_currency": "GBP", "to_currency": "USD", "fx_rate": "1.6"},
    ]
    [row] = proposed(payee={"payout_currency": "GBP"}, rates=rates)
    assert (row["payout_minor"], row["fx_rate"], row["reason_code"]) == (75_000, Decimal("0.75"), None)
    [row] = proposed([{"currency": "USD"}], rates=rates)
    assert (row["payout_minor"], row["fx_rate"]) == (83_333, Decimal("0.833333333333333333"))
    direct = {"from_currency": "EUR", "to_currency": "GBP", "fx_rate": "0.7"}
    assert proposed(payee={"payout_currency": "GBP"}, rates=[*rates, direct])[0]["payout_minor"] == 70_000


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ([("hold_payment", PROGRAM, "2021-05-01")], "PAYHOLD"),
        ([("hold_payment", "*", "2021-05-01")], "PAYHOLD"),
        ([("hold_payment", "csp-direct-bill", "2021-05-01")], None),
        ([("hold_payment", PROGRAM, "2021-05-01"), ("release_payment", "*", "2021-05-02")], None),
        ([("release_payment", PROGRAM, "2021-05-01"), ("hold_payment", "*", "2021-05-02")], "PAYHOLD"),
    ],
)
def test_the_last_request_to_hold_or_release_counts(asked, reason):
    holds = [
        {"request_kind": kind, "program": program, "requested_at": at, "request_id": str(number)}
        for number, (kind, program, at) in enumerate(asked)
    ]
    assert paid(holds=holds) == [reason or 100_000]


def test_a_negative_balance_is_taken_from_others_at_their_amounts_in_program_currency():
    negative = {"currency": "USD", "due_minor": -30_000, "program_due_minor": -30_000}
    assert paid([{}, negative]) == [75_000, "PAYNEG"]  # 300 of 1,200 dollars are a quarter of 1,000 euros
    assert paid([{}, negative | {"program_due_minor": -120_000}]) == ["PAYNEG", "PAYNEG"]
    assert paid([{}, negative | {"program_due_minor": -100_001}]) == ["PAYMIN", "PAYNEG"]
    assert paid([{"due_minor": -1, "program_due_minor": -1}]) == ["PAYNEG"]


def test_a_correction_of_an_exchange_rate_takes_no_money_of_another_currency():
    rates = [{"from_currency": "USD", "to_currency": "EUR", "fx_rate": "0.9"}]
    corrected = {"due_minor": 1_000, "program_due_minor": -42_420}
    dollars = {"currency": "USD", "due_minor": 120_000, "program_due_minor": 120_000}
    assert paid([corrected, dollars], rates=rates) == [1_000, 120_000]
    assert paid([corrected | {"due_minor": 0}, dollars], rates=rates) == ["PAYNEG", 120_000]
    owed = {"due_minor": -1_000, "program_due_minor": 300}
    assert paid([owed, dollars], rates=rates) == ["PAYNEG", 120_000]


def test_one_program_does_not_pay_for_another():
    owed = {"program": "csp-direct-bill", "due_minor": -500, "program_due_minor": -500}
    assert paid([owed, {}]) == ["PAYNEG", 100_000]


def test_tax_is_withheld_and_sales_tax_comes_on_top():
    taxes = [{"tax_kind": "withholding", "tax_rate": "0.15"}, {"tax_kind": "sales_tax", "tax_rate": "0.19"}]
    [row] = proposed([{"due_minor": 33_333}], taxes=taxes, invoices=[{}])
    assert (row["withheld_minor"], row["sales_tax_minor"], row["payout_minor"]) == (
        4_999,
        6_333,
        33_333 - 4_999 + 6_333,
    )
    assert (row["invoice_number"], row["reason_code"]) == ("i1", None)


def test_a_tax_counts_from_its_first_to_before_its_last_day():
    tax = {"tax_kind": "withholding", "tax_rate": "0.15"}
    assert [proposed(taxes=[tax | span])[0]["withheld_minor"] for span in (
        {"valid_from": "2021-05-15"}, {"valid_from": "2021-05-16"}, {"valid_to": "2021-05-15"}, {"valid_to": "2021-05-16"}
    )] == [15_000, 0, 0, 15_000]  # fmt: skip


def test_of_two_rates_of_a_tax_in_force_at_once_the_newer_counts():
    old, new = ({"tax_kind": "withholding", "tax_rate": rate, "valid_from": on} for rate, on in (("0.15", "2018-01-01"), ("0.1", "2021-01-01")))  # fmt: skip
    for taxes in ([old, new], [new, old]):
        assert [row["withheld_minor"] for row in proposed(taxes=taxes)] == [10_000]


@pytest.mark.parametrize(
    ("invoices", "reason"),
    [
        ([], "PAYINV"),
        ([{"invoice_status": "rejected"}], "PAYINVREJ"),
        ([{"invoice_status": "submitted"}], "PAYINVREV"),
        ([{"invoice_status": "rejected"}, {"invoice_number": "i2"}], None),
        ([{"partner_id": "p2"}], "PAYINV"),
        ([{"program": "csp-direct-bill"}], "PAYINV"),
    ],
)
def test_sales_tax_is_paid_on_an_approved_invoice_only(invoices, reason):
    tax = [{"tax_kind": "sales_tax", "tax_rate": "0.19"}]
    assert paid(taxes=tax, invoices=invoices) == [reason or 100_000]


@pytest.mark.parametrize(
    ("payee", "reason"),
    [
        ({}, None),
        ({"payout_currency": "KWD"}, "PAYCUR"),
        ({"payout_currency": "KWD", "bank_status": "pending"}, "PAYBANK"),
    ],
)
def test_what_a_payment_will_wait_for_is_known_before_it(payee, reason):
    nothing = framed([], ["partner_id", "program", "request_kind", "requested_at", "request_id"], ("requested_at",))
    taxes = framed(
        [], ["country", "tax_kind", "tax_rate", "valid_from", "valid_to"], ("valid_from", "valid_to"), tax_rate=RATE
    )
    payees, invoices = framed([PAYEE | payee], list(PAYEE), ("named_on",)), framed([], list(INVOICE), ("invoiced_on",))
    waits = payee_waits(payees, nothing, taxes, invoices, rulebook.programs(), CYCLE)
    assert set(waits["reason_code"]) == ({reason} if reason else set())


def test_an_invoice_is_not_used_up_by_what_is_not_paid():
    tax = [{"tax_kind": "sales_tax", "tax_rate": "0.19"}]
    small = {"earning_type": "coop", "due_minor": 100, "program_due_minor": 100}
    assert paid([small, {}], taxes=tax, invoices=[{}]) == ["PAYMIN", 100_000]


def test_an_invoice_is_for_one_payment():
    tax = [{"tax_kind": "sales_tax", "tax_rate": "0.19"}]
    rates = [{"from_currency": "USD", "to_currency": "EUR", "fx_rate": "0.9"}]
    assert paid([{}, {"currency": "USD"}], taxes=tax, invoices=[{}], rates=rates) == [100_000, "PAYINV"]


@pytest.mark.parametrize(
    ("currency", "rate", "payout"),
    [("JPY", "132.5678", 132_567), ("GBP", "0.8599999", 85_999)],
)
def test_the_payout_is_at_the_rate_of_the_cycles_month_cut_off_as_the_program_rounds(currency, rate, payout):
    rates = [{"from_currency": "EUR", "to_currency": currency, "fx_rate": rate}]
    [row] = proposed(payee={"payout_currency": currency}, rates=rates)
    assert (row["payout_minor"], row["fx_rate"]) == (payout, Decimal(rate))


@pytest.mark.parametrize(
    ("earned_in", "posted_in", "due_on"),
    [
        ("2018-07", "2018-07", "2018-09-15"),  # Vuzion: rebates of July 2018 are paid on 15 September 2018
        ("2020-10", "2020-10", "2020-12-15"),  # announcement of the rates of October 2020
        ("2023-07", "2023-10", "2023-11-15"),  # Partner Center's known issue: late, and not August
        ("2021-02", "2021-02", "2021-04-15"),
        ("2021-03", "2021-04", "2021-05-15"),
    ],
)
def test_earnings_are_due_by_the_calendar_late_ones_a_month_after_they_were_posted(earned_in, posted_in, due_on):
    calendar = payment_calendar(rulebook.programs())
    mine = calendar[calendar["program"] == PROGRAM].set_index("month")
    found = max(mine.at[pd.Timestamp(earned_in), "earned_due_on"], mine.at[pd.Timestamp(posted_in), "posted_due_on"])
    assert found == pd.Timestamp(due_on)


POSTED = [  # amounts of March's earnings, by the day on which they were posted, and when each is due
    ("2021-06-10", [-1_200, 1_200], "2021-07-15"),
    ("2021-06-10", [-1_200, 1_300], "2021-07-15"),
    ("2021-06-10", [-1_300, 1_200], "2021-05-15"),
    ("2021-06-10", [1_200], "2021-07-15"),
    ("2021-06-10", [-1_200], "2021-05-15"),
    ("2021-03-10", [-1_200, 1_200], "2021-05-15"),
]


@pytest.mark.parametrize(("posted_on", "amounts", "due_on"), POSTED)
def test_what_a_day_posts_for_a_month_falls_due_together_by_its_sum(posted_on, amounts, due_on):
    whole = [(amount, "azure", "corrected_line", posted_on) for amount in amounts]
    given_up = (-2_000, "settlement", "forfeited", posted_on)
    assert fallen_due([*whole, given_up]) == [*((amount, due_on) for amount in amounts), (-2_000, "2021-05-15")]


def fallen_due(entries: list[tuple]) -> list[tuple]:
    """When some entries of one balance are due, by amount."""
    ledger = pd.DataFrame(entries, columns=["amount", "lever", "cause", "posted_on"])
    ledger = ledger.assign(
        partner_id="p1", program=PROGRAM, earning_type="rebate", currency="EUR",
        earning_month=pd.Timestamp(2021, 3, 1), posted_on=pd.to_datetime(ledger["posted_on"]),
    )  # fmt: skip
    with store.connect() as con:
        con.register("ledger", ledger)
        con.register("calendar", payment_calendar(rulebook.programs()))
        found = con.execute(due.entries("ledger", "amount", "calendar")).df()
    days = dict(zip(found["amount"], found["due_on"].astype("str"), strict=True))
    return [(amount, days[amount]) for amount in ledger["amount"]]


@pytest.mark.parametrize(("posted_on", "amounts", "due_on"), POSTED)
def test_an_example_pays_by_the_same_days(posted_on, amounts, due_on):
    [program] = [program for program in rulebook.programs() if program.program == PROGRAM]
    rows = [("2021-03-01", posted_on, amount) for amount in amounts] + [("2021-04-01", "2021-04-01", 1_000_000)]
    posted = pd.DataFrame(rows, columns=["earning_month", "posted_on", "rebate_minor"]).assign(partner_id="p1")
    posted = posted.astype(dict.fromkeys(("earning_month", "posted_on"), "datetime64[us]"))
    made = example_payouts.payouts(program, posted, date(2021, 6, 15))
    counted = sum(amounts) if due_on <= "2021-06-15" else 0
    assert made[date(2021, 6, 15)]["rebate"] == Decimal(1_000_000 + counted) / 100
