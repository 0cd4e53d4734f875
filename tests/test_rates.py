"""What an exchange rate moves that comes late or is corrected: standings that hang on revenue, and reasons."""

from decimal import Decimal

import pytest

import operations
import pipeline
from tests.deliveries import T1, WORLD, ask, land, land_world, settle_next
from tests.test_cells import HEAD, sale, write
from warehouse import cuts

DAY, NEXT = "2021-03-23", "2021-03-24"
CRITERIA = "criteria: [{criterion: trailing_revenue, at_least: 25000, days: 30}]"
LINES = [
    sale("old", "1", "2020-01-01"),
    sale("big", "22000", "2021-03-10", currency="EUR"),
    sale("small", "100", "2021-03-20"),
]


@pytest.fixture
def figure(home, one_program):
    """One program, for those who sold 25,000 USD in 30 days."""
    write(one_program, "rate: 0.04", more="enrolment: {invite_on: open}\n")
    path = one_program / "csp-indirect-reseller.yaml"
    path.write_text(
        path.read_text().replace(HEAD.partition("criteria: ")[2].partition("}\n")[0], CRITERIA.partition(" ")[2])
    )


def settle_first(rate: dict) -> None:
    land_world(DAY, fx_rates=[rate])
    land("transactions", LINES, DAY)
    pipeline.run()


def rate_comes(rate: str) -> list[tuple]:
    """What is earned of each line after a rate for the euro came, on a day on which the partner sells nothing."""
    land("fx_rates", [{"fx_rate": rate}], NEXT)
    settle_next(NEXT, [LINES[0]])
    return ask("SELECT transaction_id, sum(amount) FROM earnings_ledger GROUP BY ALL ORDER BY ALL")


@pytest.mark.slow
def test_a_corrected_rate_lifts_a_partner_above_the_figure(figure):
    settle_first({"fx_rate": "1.10"})
    assert ask("SELECT DISTINCT reason_codes FROM decisions WHERE transaction_id <> 'old'") == [("IVDTTM",)]
    assert rate_comes("1.20") == [("big", Decimal(880)), ("small", Decimal(4))]
    assert operations.verify()["differences"] == []


def test_a_corrected_rate_takes_a_partner_below_the_figure(figure):
    settle_first({"fx_rate": "1.20"})
    assert rate_comes("1.10") == [("big", Decimal(0)), ("small", Decimal(0))]


def test_revenue_without_a_rate_leaves_the_standing_open_until_the_rate_comes(figure):
    settle_first({"from_currency": "CHF"})
    [(evidence,)] = ask("SELECT evidence FROM eligibility_criteria WHERE criterion = 'trailing_revenue'")
    assert evidence == "no exchange rate for revenue in EUR of 2021-03"
    assert ask("SELECT decision, reason_codes FROM decisions WHERE transaction_id = 'small'") == [
        ("undecided", "UNKTTM")
    ]
    assert rate_comes("1.20") == [("big", Decimal(880)), ("small", Decimal(4))]


def test_verify_finds_what_a_rate_should_have_moved(figure, monkeypatch):
    settle_first({"fx_rate": "1.10"})
    monkeypatch.setattr(cuts, "MOVED_BY_SALES", "SELECT partner_id FROM sellers WHERE false")
    assert rate_comes("1.20") == []
    found = {row["transaction_id"]: row["amount_minor"] for row in operations.verify()["differences"]}
    assert found == {"big": 88000, "small": 400}


def test_a_reason_that_a_rate_lifts_goes_where_another_stays(home, one_program):
    expired = WORLD["agreements"][0] | {"valid_to": "2019-01-01", "agreement_status": "expired"}
    land_world(DAY, agreements=[expired])
    land("transactions", [T1 | {"currency": "CHF"}], DAY)
    pipeline.run()
    assert ask("SELECT reason_codes FROM decisions") == [("IVDMPN,UNKFX",)]
    for feed, rows in (
        ("fx_rates", [{"from_currency": "CHF"}]),
        ("agreements", [expired]),
        ("transactions", [{"transaction_id": "t2"}]),
    ):
        land(feed, rows, NEXT)
    pipeline.run()
    assert ask("SELECT reason_codes FROM decisions WHERE transaction_id = 't1'") == [("IVDMPN",)]
