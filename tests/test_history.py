"""What a day reads of the history is bounded by what it touches; old lines are found all the same."""

from datetime import date
from decimal import Decimal

import pytest

import operations
import pipeline
from tests.deliveries import DAY, T1, WORLD, ask, land, ledger, settle_next

pytestmark = pytest.mark.usefixtures("one_program")
BETWEEN, LATER, LAST = "2022-03-24", "2023-03-24", "2023-03-25"
OTHER = [
    {"partner_id": "1000001"},
    {"partner_id": "1000002"},
    {"partner_id": "2000001", "partner_type": "indirect_provider"},
]
BIG = {"revenue": "30000.00", "transaction_at": f"{BETWEEN}T10:00:00Z"}


def settle(day: str, rows: list[dict], **manifest) -> dict:
    """Land a rate of the day's month, its agreements and transactions, ingest and settle it."""
    land("fx_rates", [{"fx_month": day[:7]}], day)
    return settle_next(day, rows, **manifest)


def settle_old_days() -> None:
    """A day between, so that the first one is old."""
    settle(BETWEEN, [{"transaction_id": "t2", "transaction_at": f"{BETWEEN}T10:00:00Z"}])


def nothing_differs() -> None:
    found = operations.verify()
    assert found["broken"] == found["differences"] == []


@pytest.mark.slow
def test_a_line_of_two_years_ago_is_corrected(first_day):
    settle_old_days()
    report = settle(LATER, [T1 | {"revenue": "50.00"}])
    assert (report["lines"], [row for row in ledger(LATER) if row[0]]) == (
        1,
        [("t1", "coop", Decimal("-0.8"), "corrected_line"), ("t1", "rebate", Decimal("-1.2"), "corrected_line")],
    )
    assert ask("SELECT revenue FROM decisions WHERE transaction_id = 't1'") == [(Decimal(50),)]
    nothing_differs()


@pytest.mark.slow
def test_a_line_of_two_years_ago_is_corrected_again_and_withdrawn(first_day):
    settle_old_days()
    settle(LATER, [T1 | {"revenue": "50.00"}])
    settle(LAST, [{"transaction_id": "t3"}], supersedes=f"{LATER}-transactions-1")
    assert ask("SELECT sum(amount) FROM earnings_ledger WHERE transaction_id = 't1'") == [(0,)]
    nothing_differs()


@pytest.mark.slow
def test_a_version_of_before_the_first_one_changes_nothing(first_day):
    settle_old_days()
    land("transactions", [T1 | {"revenue": "70.00"}], "2021-03-22", number=7)
    settle(LATER, [{"transaction_id": "t3"}])
    assert [row for row in ledger(LATER) if row[0] == "t1"] == []
    nothing_differs()


@pytest.mark.slow
def test_a_refund_finds_its_original_of_two_years_ago(first_day):
    settle_old_days()
    settle(LATER, [{"transaction_id": "r", "reverses": "t1", "revenue": "-25.00"}])
    assert ask(
        "SELECT reference_on, earning FROM earnings JOIN decisions USING (transaction_id) WHERE transaction_id = 'r'"
    ) == [(date.fromisoformat(DAY), Decimal(-1))]
    nothing_differs()


@pytest.mark.slow
def test_a_correction_takes_the_refund_of_two_years_ago_along(home, first_day):
    settle("2021-03-24", [{"transaction_id": "r", "reverses": "t1", "revenue": "-25.00"}])
    settle_old_days()
    report = settle(LATER, [T1 | {"transaction_at": "2018-06-01T10:00:00Z"}])  # a day on which no lever pays
    assert report["lines"] == 2
    assert ask(
        "SELECT transaction_id, sum(amount) FROM earnings_ledger WHERE transaction_id <> 't2' GROUP BY ALL ORDER BY 1"
    ) == [
        ("r", 0),
        ("t1", 0),
    ]
    nothing_differs()


@pytest.mark.slow
def test_an_undecided_line_of_two_years_ago_is_decided_when_its_product_comes(first_day):
    settle("2021-03-24", [{"transaction_id": "u", "product_id": "none"}])
    settle_old_days()
    land("products", [*WORLD["products"], {"product_id": "none"}], LATER)
    settle(LATER, [{"transaction_id": "t3"}])
    assert ask("SELECT decision FROM decisions WHERE transaction_id = 'u'") == [("eligible",)]
    nothing_differs()


@pytest.mark.slow
def test_a_standing_that_moved_touches_the_lines_of_its_days_alone(first_day):
    settle("2021-03-24", [{"transaction_id": "t2", "transaction_at": "2021-03-24T10:00:00Z"}])
    land("agreements", [WORLD["agreements"][0] | {"valid_to": "2021-03-24"}], "2021-03-25", number=2)
    land("transactions", [{"transaction_id": "t3", "transaction_at": "2021-03-01T00:00:00Z"}], "2021-03-25")
    [report] = pipeline.run()
    assert report["lines"] == 2  # t2, whose day lost its agreement, and the new t3; t1 keeps its own
    assert {row[0] for row in ledger("2021-03-25")} == {"t2", "t3"}
    nothing_differs()


def eligibility_of(partner: str) -> list[tuple]:
    return ask(
        "SELECT status, valid_from FROM eligibility_history WHERE criterion = 'trailing_revenue' AND status = 'met' "
        f"AND partner_id = '{partner}'"
    )


@pytest.mark.slow
def test_a_sale_moves_a_standing_only_until_the_revenue_is_reached(first_day):
    settle(BETWEEN, [{"transaction_id": "t2"} | BIG])
    assert eligibility_of("1000001") == [("met", date.fromisoformat(BETWEEN))]
    settle(LATER, [{"transaction_id": "t3", "transaction_at": f"{LATER}T10:00:00Z"}])
    assert eligibility_of("1000001") == [("met", date.fromisoformat(BETWEEN))]
    settle(LAST, [{"transaction_id": "t4"} | BIG | {"transaction_at": "2022-02-01T10:00:00Z"}])
    assert eligibility_of("1000001") == [("met", date(2022, 2, 1))]
    nothing_differs()


@pytest.mark.slow
def test_a_sale_that_is_given_to_another_partner_moves_both(first_day):
    land("partners", OTHER, BETWEEN)
    settle(BETWEEN, [{"transaction_id": "t2"} | BIG])
    settle(LATER, [{"transaction_id": "t2", "reseller_id": "1000002"} | BIG])
    assert (eligibility_of("1000001"), eligibility_of("1000002")) == ([], [("met", date.fromisoformat(BETWEEN))])
    nothing_differs()


@pytest.mark.slow
def test_a_rate_moves_the_revenue_of_its_month(first_day):
    land("fx_rates", [{"fx_month": "2022-03", "fx_rate": "1.2"}], BETWEEN, number=2)
    settle(BETWEEN, [{"transaction_id": "t2", "currency": "EUR"} | BIG])
    land("fx_rates", [{"fx_month": "2022-03", "fx_rate": "0.5"}], LATER, number=2)
    settle(LATER, [{"transaction_id": "t3", "transaction_at": f"{LATER}T10:00:00Z", "seller_id": "2000001"}])
    assert eligibility_of("1000001") == []
    nothing_differs()
