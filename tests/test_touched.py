"""Which lines a day works out anew: all that a correction lets go of too, and none by what a later day brought."""

import pytest

import pipeline
from tests.deliveries import DAY, T1, WORLD, ask, land, settle_next, take_in_world
from tests.test_associations import NEXT, OTHER, ROWS, nothing_differs, posted, ranked, settle_lines
from tests.test_cells import first, rules, sale, write

__all__ = ["ranked", "rules"]
AFTER, LAST = "2021-03-25", "2021-03-26"
ASKED = {
    "partner_id": OTHER, "requested_by": "sam@other.example", "request_kind": "association_claim", "subject": "c1",
    "product_family": "azure", "association": "pal_owner", "requested_at": "2021-03-01T08:00:00Z",
    "program": "csp-indirect-reseller",
}  # fmt: skip
REVIEW = {
    "review_id": "v1", "request_id": "q1", "reviewed_at": "2021-03-02T09:00:00Z", "reviewed_by": "rev",
    "review_outcome": "approved",
}  # fmt: skip


def back(name: str, day: str, **columns: str) -> dict:
    """A refund of 80.00 of the line t1."""
    return sale(name, "-80.00", day, reverses="t1", charge_type="refund", quantity="-1", **columns)


@pytest.mark.parametrize("is_withdrawn", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_refund_is_paid_in_full_when_another_of_its_line_goes(first_day, one_program, is_withdrawn):
    land("transactions", [back("r1", NEXT)], NEXT, number=2)
    settle_next(NEXT, [back("r2", NEXT)])
    assert [row[:3] for row in posted(NEXT)] == [("r1", "1000001", -3.2), ("r2", "1000001", -0.8)]
    if is_withdrawn:
        settle_next(AFTER, [sale("none", "1.00", AFTER, product_id="none")], supersedes=f"{NEXT}-transactions-2")
    else:
        settle_next(AFTER, [back("r1", NEXT) | {"reverses": "unknown"}])
    assert [row[:3] for row in posted(AFTER)] == [("r1", "1000001", 3.2), ("r2", "1000001", -2.4)]
    nothing_differs()


def test_an_agreement_that_moves_to_another_partner_lets_the_first_one_go(first_day, one_program):
    land("agreements", [{"agreement_id": "a1", "partner_id": "2000001"}], NEXT)
    land("transactions", [sale("none", "1.00", NEXT, product_id="none", reseller_id="2000001")], NEXT)
    pipeline.run()
    assert [row[:3] for row in posted(NEXT)] == [("t1", "1000001", -4.0)]
    nothing_differs()


def test_a_partner_that_sells_in_another_way_keeps_what_it_earned_until_a_correction_says_otherwise(
    first_day, one_program
):
    moved = [WORLD["partners"][0] | {"partner_type": "direct_bill"}, WORLD["partners"][1]]
    land("partners", moved, NEXT)
    settle_next(NEXT, [sale("t2", "100.00", NEXT), sale("late", "100.00", DAY)])
    assert [row[:3] for row in posted(NEXT)] == [("late", "1000001", 4.0)]
    nothing_differs()
    land("partners", moved, DAY, number=2)
    settle_next(AFTER, [T1 | {"revenue": "50.00"}])  # told by what was known of the partner before
    assert posted(AFTER) == [
        ("late", "1000001", -4.0, "reference_change"), ("t1", "1000001", -2.0, "corrected_line"), ("t1", "1000001", -2.0, "reference_change"),
    ]  # fmt: skip
    nothing_differs()


@pytest.mark.slow
def test_a_partner_that_leaves_keeps_what_it_earned_and_earns_nothing_while_it_is_gone(first_day, one_program):
    land("partners", WORLD["partners"][1:], NEXT)
    settle_next(NEXT, [sale("t2", "100.00", NEXT), sale("late", "100.00", DAY)])
    assert [row[:3] for row in posted(NEXT)] == [("late", "1000001", 4.0)]
    of_the_absence = ask("SELECT decision, reason_codes FROM decisions WHERE transaction_id = 't2'")
    assert of_the_absence == [("ineligible", "IVDRSLR,IVDGEO,UNKPTR")]
    nothing_differs()
    land("partners", WORLD["partners"], AFTER)
    settle_next(AFTER, [])
    assert posted(AFTER) == []
    land("partners", WORLD["partners"], NEXT, number=2)
    settle_next(LAST, [])
    assert [row[:3] for row in posted(LAST)] == [("t2", "1000001", 4.0)]
    nothing_differs()


@pytest.mark.parametrize("is_direct_first", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_claim_counts_on_the_days_on_which_its_partner_sells_in_a_way_that_is_paid(ranked, is_direct_first):
    """On the others the line is its reseller's."""
    direct = [row | {"partner_type": "direct_bill"} if row["partner_id"] == OTHER else row for row in ROWS["partners"]]
    land("claims", [{"claim_id": "k1", "partner_id": OTHER}], NEXT)
    land("partners", direct if is_direct_first else ROWS["partners"], DAY, number=2)
    land("partners", ROWS["partners"] if is_direct_first else direct, NEXT)
    settle_lines(NEXT, sale("t2", "100.00", NEXT))
    found = [row[:3] for row in posted(NEXT)]
    if is_direct_first:
        assert found == [("t2", OTHER, 4.0)]
    else:
        assert found == [("t1", "1000001", -4.0), ("t1", OTHER, 4.0), ("t2", "1000001", 4.0)]
    nothing_differs()


def test_a_product_that_is_renamed_lets_go_of_the_lines_that_name_it_as_before(home, one_program):
    take_in_world()
    land("transactions", [T1 | {"product_id": "Azure plan"}])
    pipeline.run()
    assert [row[:3] for row in posted(DAY)] == [("t1", "1000001", 4.0)]
    land("products", [{"product_id": "azure", "product_name": "Azure"}], NEXT)
    settle_next(NEXT, [])
    assert [row[:3] for row in posted(NEXT)] == [("t1", "1000001", -4.0)]
    nothing_differs()


@pytest.mark.slow
def test_a_rate_moves_the_baseline_that_a_line_which_earns_nothing_is_part_of(rules):
    write(
        rules, "accumulate: {over: month}, baseline: {of: revenue, over: previous_month}, rate: 0.10", measure="growth"
    )
    since_march = [WORLD["agreements"][0] | {"valid_from": "2021-03-01"}]
    take_in_world(DAY, agreements=since_march, fx_rates=[{}, {"fx_month": "2021-02", "fx_rate": "1.0"}])
    lines = sale("old", "1.00", "2021-01-05"), sale("low", "100.00", "2021-02-10", currency="EUR")
    land("transactions", [*lines, sale("high", "300.00", "2021-03-01")])
    pipeline.run()
    assert [row[:3] for row in posted(DAY) if row[2]] == [("high", "1000001", 20.0)]
    land("fx_rates", [{"fx_month": "2021-02", "fx_rate": "2.0"}], NEXT)
    land("agreements", since_march, NEXT)
    land("transactions", [sale("theirs", "1.00", NEXT, reseller_id="1000077")], NEXT)
    pipeline.run()
    assert [row[:3] for row in posted(NEXT) if row[2]] == [("high", "1000001", -10.0)]
    nothing_differs()


@pytest.mark.parametrize(
    ("feed", "row"),
    [
        pytest.param("request_reviews", REVIEW | {"request_id": "q2"}, marks=pytest.mark.slow),
        pytest.param("partner_requests", ASKED | {"request_id": "q1", "subject": "c2"}, marks=pytest.mark.slow),
    ],
)
def test_a_review_or_a_request_that_moves_lets_the_first_customer_go(ranked, feed, row):
    both = [ASKED | {"request_id": "q1"}, ASKED | {"request_id": "q2", "subject": "c2"}]
    land("partner_requests", both, NEXT, mode="delta")
    settle_lines(NEXT)
    land("request_reviews", [REVIEW], AFTER, mode="delta")
    settle_lines(AFTER)
    assert [one[1:3] for one in posted(AFTER)] == [("1000001", -4.0), (OTHER, 4.0)]
    land(feed, [row], LAST, mode="delta")
    settle_lines(LAST)
    assert [one[1:3] for one in posted(LAST)] == [("1000001", 4.0), (OTHER, -4.0)]
    nothing_differs()


@pytest.mark.slow
def test_a_late_line_moves_a_first_purchase_that_a_correction_had_moved_away(rules):
    write(rules, "rate: 0.10, window: {from: first_purchase, months: 1}")
    first(sale("x", "100.00", "2021-01-05"), sale("y", "100.00", "2021-02-20"))
    settle_next(NEXT, [sale("x", "100.00", "2021-02-05")])
    assert ("y", "1000001", 10.0) in [row[:3] for row in posted(NEXT)]
    land("transactions", [sale("w", "1.00", "2021-01-05")], DAY, number=2)
    settle_next(AFTER, [sale("other", "1.00", AFTER, customer_id="c7")])
    assert ("y", "1000001", -10.0) in [row[:3] for row in posted(AFTER)]
    nothing_differs()


def test_a_late_correction_moves_a_first_purchase_away_that_the_last_run_knew(rules):
    write(rules, "rate: 0.10, window: {from: first_purchase, months: 1}")
    first(sale("x", "100.00", "2021-01-05"), sale("y", "100.00", "2021-02-20"))
    settle_next(NEXT, [sale("other", "1.00", NEXT, customer_id="c7")])
    land("transactions", [sale("x", "100.00", "2021-03-01")], NEXT, number=2)
    settle_next(AFTER, [sale("another", "1.00", AFTER, customer_id="c7")])
    assert ("y", "1000001", 10.0) in [row[:3] for row in posted(AFTER)]
    nothing_differs()


@pytest.mark.slow
def test_a_claim_of_a_later_day_leaves_the_requested_one_to_the_days_before(ranked):
    land("partner_requests", [ASKED | {"request_id": "q1"}], NEXT, mode="delta")
    settle_lines(NEXT)
    land("request_reviews", [REVIEW], AFTER, mode="delta")
    land("transactions", [], AFTER)
    land("agreements", ROWS["agreements"], AFTER)
    land("claims", [{"claim_id": "q1", "partner_id": OTHER, "association": "pal_owner"}], LAST)
    settle_lines(LAST)
    assert [row[1:3] for row in posted(AFTER)] == [("1000001", -4.0), (OTHER, 4.0)]
    nothing_differs()


@pytest.mark.slow
def test_a_feed_comes_for_the_first_time_though_a_later_day_of_it_is_taken_in(home, one_program):
    for feed, rows in (WORLD | ROWS).items():
        if feed != "competencies":
            land(feed, rows)
    land("transactions", [T1])
    pipeline.run()
    for day in (NEXT, AFTER):
        land("competencies", WORLD["competencies"], day)
        land("transactions", [], day)
        land("agreements", ROWS["agreements"], day)
    pipeline.run()
    assert ask(
        f"SELECT status FROM eligibility_criteria WHERE criterion = 'competency' AND partner_id = '{OTHER}'"
    ) == [("unmet",)]


@pytest.mark.slow
def test_history_grows_though_a_still_older_line_of_a_later_day_is_taken_in(rules):
    write(rules, "rate: 0.04", "accumulate: {over: month}, baseline: {of: revenue, over: previous_month}, rate: 0.10")
    [path] = rules.glob("*.yaml")
    head, growth = path.read_text().split("lever: l1")
    path.write_text(f"{head}lever: l1{growth.replace('measure: revenue', 'measure: growth')}")
    first(sale("low", "100.00", "2021-02-10"), sale("high", "300.00", "2021-03-01"))
    for day, old in ((NEXT, "2021-01-31"), (AFTER, "2021-01-30")):
        land("transactions", [sale(f"old {day}", "1.00", old, reseller_id="1000009")], day)
        land("agreements", WORLD["agreements"], day)
    pipeline.run()
    assert [row[:3] for row in posted(NEXT) if row[2]] == [("high", "1000001", 20.0)]
    nothing_differs()
