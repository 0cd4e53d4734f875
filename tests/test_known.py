"""Time travel in the warehouse itself: what was known on a day, and what held on another."""

import pytest

import pipeline
from app import keeping
from tests.deliveries import DAY, T1, WORLD, as_made, copy_home, land, settle_next
from warehouse import known, store

pytestmark = pytest.mark.usefixtures("one_program")
NEXT, AFTER = "2021-03-24", "2021-03-25"


def asked(sql: str) -> list[tuple]:
    with store.connect(store.home() / "warehouse.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.fixture
def three_days(home, settled):
    """A line that is corrected and then withdrawn, and an agreement that is lost in retrospect."""
    as_made(_three_days, str(settled[0]))


def _three_days(settled: str) -> None:
    copy_home(settled)
    lost = WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    land("agreements", [lost], AFTER)
    land("transactions", [{"transaction_id": "t2"}], AFTER, supersedes=f"{NEXT}-transactions-1")
    pipeline.run()


def test_the_warehouse_answers_what_was_known_on_a_day(three_days):
    line = "SELECT revenue_minor FROM clean.transactions_known_on(DATE '{}') WHERE transaction_id = 't1'"
    assert [asked(line.format(day)) for day in ("2021-03-22", DAY, NEXT, AFTER)] == [[], [(10000,)], [(5000,)], []]
    decided = "SELECT transaction_id, decision FROM derived.decisions_known_on(DATE '{}')"
    assert [asked(decided.format(day)) for day in (DAY, AFTER)] == [[("t1", "eligible")], [("t2", "ineligible")]]


def test_the_warehouse_answers_what_held_on_a_day_as_known_on_another(three_days):
    standing = "SELECT eligibility FROM derived.eligibility_valid_on(DATE '{}', DATE '{}') WHERE partner_id = '1000001'"
    days = [(DAY, DAY), (DAY, AFTER), ("2021-02-01", DAY), ("2021-02-01", AFTER)]
    told = [asked(standing.format(*pair)) for pair in days]
    assert told == [[("eligible",)], [("almost_eligible",)], [("eligible",)], [("almost_eligible",)]]
    agreement = "SELECT agreement_status FROM clean.agreements_valid_on(DATE '2021-03-01', DATE '{}')"
    assert [asked(agreement.format(day)) for day in (DAY, AFTER)] == [[("active",)], []]


def test_every_table_of_versions_can_be_asked_also_after_the_warehouse_was_compacted(first_day):
    keeping.gc(1)
    with store.warehouse() as con:
        for name in known.wanted():
            days = "DATE '2021-03-23'" + (", DATE '2021-03-23'" if name.endswith("valid_on") else "")
            assert con.execute(f"SELECT count(*) FROM {name}({days})").fetchall() is not None
    assert len(known.wanted()) == 36
