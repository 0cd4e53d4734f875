"""Levers that look at a customer, at other partners or at the period before, day by day through the whole pipeline."""

from pathlib import Path

import pytest

import pipeline
from tests.deliveries import ask, land, take_in_world
from tests.test_cells import DAYS, agreements, causes, rules, sale, the_books_agree, write
from transforms.examples import try_examples
from transforms.programs import load
from warehouse import buckets

__all__ = ["rules"]
KEPT = "accumulate: {per: [customer], over: month}, minimum: {measure: 250, per: [customer], over: month}, rate: 0.05, exclusive_partner: [customer]"
GROWTH = "accumulate: {over: month}, baseline: {of: revenue, over: previous_month}, rate: 0.10"
RESELLERS = [{"partner_id": name, "tenant_id": f"tenant-{name}"} for name in ("1000001", "1000002")]
PARTNERS = [*RESELLERS, {"partner_id": "2000001", "partner_type": "indirect_provider"}]


def day(number: int, *rows: dict, **changed: list[dict]) -> None:
    """Land and settle a day of lines; on the first one the world with two resellers."""
    if number == 0:
        take_in_world(DAYS[0], partners=PARTNERS, **{"agreements": agreements()} | changed)
    else:
        for feed, held in ({"agreements": agreements()} | changed).items():
            land(feed, held, DAYS[number])
    land("transactions", list(rows), DAYS[number])
    assert len(pipeline.run()) == 1


def other(name: str, revenue: str, on: str) -> dict:
    return sale(name, revenue, on, reseller_id="1000002")


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, buckets.BUCKET_LINES])
def test_a_refund_stands_at_the_date_of_an_original_that_another_partner_sold(rules, monkeypatch, lines):
    monkeypatch.setattr(buckets, "BUCKET_LINES", lines)  # 1: the original lies in a bucket that is not the refund's
    write(rules, "accumulate: {over: month}, rate: 0.05")
    day(0, sale("a", "100.00", "2021-03-01"), other("b", "100.00", "2021-03-02"))
    day(1, other("unlike", "-50.00", DAYS[1]) | {"reverses": "a"})
    stands = "partner_id, CAST(reference_on AS VARCHAR), decision, reason_codes"
    assert ask(f"SELECT {stands} FROM decisions WHERE transaction_id = 'unlike'") == [
        ("1000002", "2021-03-01", "undecided", "UNKREV")
    ]
    assert causes(DAYS[1]) == {}
    the_books_agree()


@pytest.mark.parametrize("lines", [1, pytest.param(buckets.BUCKET_LINES, marks=pytest.mark.slow)])
def test_the_first_partner_to_earn_keeps_the_customer_until_an_earlier_sale_is_known(rules, monkeypatch, lines):
    monkeypatch.setattr(buckets, "BUCKET_LINES", lines)
    write(rules, KEPT)
    day(0, sale("low", "100.00", "2021-03-01"), other("b", "300.00", "2021-03-02"))
    assert causes(DAYS[0]) == {("b", "new_line"): "15.00"}  # the other one never reached its minimum
    assert ask("SELECT transaction_id, held_by FROM earnings ORDER BY ALL") == [
        ("b", None),
        ("low", "exclusive_partner"),
    ]
    day(1, sale("late", "200.00", "2021-03-03"))
    assert causes(DAYS[1]) == {
        ("b", "customer_lost"): "-15.00", ("low", "customer_won"): "5.00", ("late", "new_line"): "10.00",
    }  # fmt: skip
    assert ask("SELECT held_by FROM earnings WHERE transaction_id = 'b'") == [("exclusive_partner",)]
    the_books_agree()
    day(2, sale("r", "-200.00", DAYS[2], reverses="late"))
    moved = ask(
        f"SELECT transaction_id, sum(amount) FROM earnings_ledger WHERE posted_on = DATE '{DAYS[2]}' GROUP BY ALL"
    )
    assert {line: f"{amount:.2f}" for line, amount in moved if amount} == {
        "b": "15.00",
        "low": "-5.00",
        "late": "-10.00",
    }
    the_books_agree()


def test_a_lump_at_nothing_is_booked_on_the_first_line_that_nothing_keeps_out_whenever_it_comes(rules):
    write(
        rules,
        "accumulate: {per: [customer], over: month}, scale: {mode: lump_sum, brackets: [{threshold: 0, amount: 100.00}]}, "
        "exclusive_partner: [customer]",
    )
    held = sale("held", "50.00", "2021-02-10", customer_id="c2")
    day(0, held, other("theirs", "300.00", "2021-03-01"), sale("barred", "100.00", "2021-03-02"))
    assert causes(DAYS[0]) == {("held", "new_line"): "100.00", ("theirs", "new_line"): "100.00"}
    day(1, sale("free", "100.00", DAYS[1], customer_id="c2"))
    assert causes(DAYS[1]) == {("free", "new_line"): "100.00"}
    the_books_agree()


def test_a_partner_below_the_first_bracket_that_pays_keeps_no_customer_until_it_reaches_it(rules):
    steps = "brackets: [{threshold: 0, rate: 0}, {threshold: 1000, rate: 0.05}]"
    write(
        rules,
        f"accumulate: {{per: [customer], over: month}}, scale: {{mode: retroactive, {steps}}}, exclusive_partner: [customer]",
    )
    day(0, sale("small", "50.00", "2021-03-01"), other("theirs", "2000.00", "2021-03-02"))
    assert causes(DAYS[0]) == {("theirs", "new_line"): "100.00"}
    day(1, sale("rest", "1000.00", "2021-03-03"))
    assert causes(DAYS[1]) == {
        ("theirs", "customer_lost"): "-100.00", ("small", "customer_won"): "2.50", ("rest", "new_line"): "50.00",
    }  # fmt: skip
    the_books_agree()


def test_a_period_that_earns_nothing_is_not_the_one_earning(rules):
    lump = "scale: {mode: lump_sum, brackets: [{threshold: 1000, amount: 20.00}]}"
    write(rules, f"accumulate: {{per: [customer], over: month}}, {lump}, one_earning: [customer]")
    day(0, sale("february", "900.00", "2021-02-10"), sale("march", "1500.00", "2021-03-01"))
    assert causes(DAYS[0]) == {("march", "new_line"): "20.00"}
    day(1, sale("late", "100.00", "2021-02-20"))
    assert causes(DAYS[1]) == {("late", "new_line"): "20.00", ("march", "customer_lost"): "-20.00"}
    the_books_agree()


@pytest.mark.slow
def test_a_credit_for_a_customer_whom_nobody_kept_yet_is_taken_back_when_another_partner_keeps_it(rules):
    write(rules, "rate: 0.05, exclusive_partner: [customer]")
    credit = sale("credit", "-100.00", "2021-03-01")
    day(0, credit)
    assert causes(DAYS[0]) == {("credit", "new_line"): "-5.00"}
    day(1, other("b", "300.00", "2021-03-02"))
    assert causes(DAYS[1]) == {("b", "new_line"): "15.00", ("credit", "customer_lost"): "5.00"}
    the_books_agree()
    gone = {"mode": "snapshot", "supersedes": f"{DAYS[1]}-transactions-1"}
    land("transactions", [credit], DAYS[1], number=2, **gone)
    day(2)
    assert causes(DAYS[2]) == {("b", "withdrawn_line"): "-15.00", ("credit", "customer_won"): "-5.00"}
    the_books_agree()


def test_a_line_older_than_all_others_makes_baselines_known_of_lines_that_came_before_it(rules):
    write(rules, GROWTH, measure="growth")
    day(0, sale("feb", "100.00", "2021-02-10"), sale("mar", "300.00", "2021-03-01"))
    assert causes(DAYS[0]) == {}  # February is not held from its first day on
    day(1, other("older", "1.00", "2021-01-31"))
    assert causes(DAYS[1]) == {("mar", "reference_change"): "20.00"}
    the_books_agree()


def test_attainment_of_an_unknown_baseline_earns_nothing_when_eligibility_is_regained(rules):
    write(rules, f"{GROWTH}, base: {{fixed: 1000}}", measure="attainment")
    expired = [{"valid_to": "2021-01-01"} | agreement for agreement in agreements()]
    sold = [
        sale("older", "1.00", "2021-01-31"),
        sale("before", "400.00", "2021-02-10"),
        sale("first", "100.00", "2021-03-01"),
    ]
    day(0, *sold, agreements=expired)
    assert causes(DAYS[0]) == {}
    day(1)
    assert causes(DAYS[1]) == {("first", "eligibility_gained"): "25.00"}  # what is compared with January is not known
    the_books_agree()


@pytest.mark.slow
def test_a_customer_is_free_again_when_the_line_that_kept_it_is_withdrawn(rules):
    write(rules, KEPT)
    day(0, sale("a", "300.00", "2021-03-01"))
    day(1, other("b", "300.00", "2021-03-02"))
    assert causes(DAYS[1]) == {}
    land(
        "transactions",
        [sale("elsewhere", "1.00", DAYS[2])],
        DAYS[0],
        number=2,
        mode="snapshot",
        supersedes=f"{DAYS[0]}-transactions-1",
    )
    day(2)
    assert causes(DAYS[2])[("b", "customer_won")] == "15.00"
    the_books_agree()


def test_growth_is_paid_on_what_lies_above_the_month_before_and_a_late_line_there_takes_it_back(rules):
    write(rules, GROWTH, measure="growth")
    day(0, sale("old", "1.00", "2021-01-01"), sale("a", "100.00", "2021-02-05"), sale("b", "130.00", "2021-03-05"))
    # February grew on January, of which one sale is known, March on February
    assert causes(DAYS[0]) == {("a", "new_line"): "9.90", ("b", "new_line"): "3.00"}
    undecided = "SELECT transaction_id, reason_codes FROM decisions WHERE decision = 'undecided'"
    assert ask(undecided) == [("old", "UNKBASE")]  # no December is held
    day(1, sale("late", "20.00", "2021-02-06"))
    assert causes(DAYS[1]) == {("late", "new_line"): "2.00", ("b", "growth_lost"): "-2.00"}
    the_books_agree()


@pytest.mark.slow
def test_what_a_partner_sold_before_it_was_eligible_counts_in_the_baseline(rules):
    write(rules, GROWTH, measure="growth")
    signed = [held | {"signed_on": "2021-03-01", "valid_from": "2021-03-01"} for held in agreements()]
    day(0, sale("old", "1.00", "2021-01-01"), sale("a", "100.00", "2021-02-05"), sale("b", "130.00", "2021-03-05"),
        agreements=signed)  # fmt: skip
    assert causes(DAYS[0]) == {("b", "new_line"): "3.00"}
    day(1, sale("c", "10.00", "2021-03-06"), agreements=signed)
    assert causes(DAYS[1]) == {("c", "new_line"): "1.00"}
    the_books_agree()


def test_a_line_that_cannot_be_measured_leaves_only_the_lever_that_selects_it_without_a_baseline(rules):
    write(rules, GROWTH, GROWTH, measure="growth")
    path = rules / "csp-indirect-reseller.yaml"
    first, _, second = path.read_text().rpartition("[azure]")
    path.write_text(f"{first}[office365]{second}")
    products = [{"product_id": name, "product_name": name, "product_family": name} for name in ("azure", "office365")]
    day(0, sale("old", "1.00", "2021-01-01"), sale("a", "100.00", "2021-02-05"), sale("b", "130.00", "2021-03-05"),
        sale("yen", "10", "2021-02-05", currency="JPY", product_id="office365"),
        sale("c", "50.00", "2021-03-05", product_id="office365"), products=products)  # fmt: skip
    assert causes(DAYS[0]) == {("a", "new_line"): "9.90", ("b", "new_line"): "3.00"}
    assert ask("SELECT held_by FROM earnings WHERE transaction_id = 'c'") == [("baseline",)]


@pytest.mark.slow
def test_history_that_reaches_further_back_decides_what_had_no_baseline(rules):
    write(rules, GROWTH, measure="growth")
    day(0, sale("a", "100.00", "2021-03-05"))
    assert causes(DAYS[0]) == {}
    day(1, sale("before", "40.00", "2021-01-20"))
    assert causes(DAYS[1]) == {("a", "reference_change"): "10.00"}
    the_books_agree()


@pytest.mark.parametrize("name", ["words", "figures", "slices"])
def test_what_a_lever_counts_compares_and_multiplies_pays_as_worked_out_by_hand(name):
    path = Path(__file__).parent / "cases" / f"{name}.yaml"
    assert try_examples(load(path), path) == []


@pytest.mark.parametrize(("since", "earns"), [("2020-03-20", "5.00"), ("2020-03-19", None)])
def test_a_new_customer_earns_for_the_months_of_the_window(rules, since, earns):
    write(rules, "rate: 0.05, window: {from: tenant_created, months: 12}")
    day(0, sale("a", "100.00", "2021-03-19"), customers=[{"customer_id": "c1", "tenant_created_on": since}])
    assert causes(DAYS[0]).get(("a", "new_line")) == earns
    if not earns:
        assert ask("SELECT reason_codes FROM decisions WHERE transaction_id = 'a'") == [("CUSNOTNEW",)]
    day(1, customers=[{"customer_id": "c1", "tenant_created_on": "2020-03-20" if not earns else "2020-03-19"}])
    assert causes(DAYS[1]) == {("a", "reference_change"): "-5.00" if earns else "5.00"}
    the_books_agree()


@pytest.mark.slow
def test_an_earlier_purchase_with_any_partner_ends_the_window_earlier(rules):
    write(rules, "rate: 0.05, window: {from: first_purchase, months: 1}")
    day(0, sale("a", "100.00", "2021-02-20"), sale("b", "100.00", "2021-03-19"))
    assert causes(DAYS[0]) == {("a", "new_line"): "5.00", ("b", "new_line"): "5.00"}
    day(1, other("first", "10.00", "2021-02-10"))
    assert causes(DAYS[1]) == {("first", "new_line"): "0.50", ("b", "reference_change"): "-5.00"}
    the_books_agree()


@pytest.mark.slow
def test_one_earning_is_that_of_the_first_month_in_which_the_minimum_is_reached(rules):
    write(rules, KEPT.replace("exclusive_partner", "one_earning"))
    day(0, sale("a", "100.00", "2021-01-05"), sale("b", "300.00", "2021-02-05"), sale("c", "300.00", "2021-03-05"))
    assert causes(DAYS[0]) == {("b", "new_line"): "15.00"}
    day(1, sale("late", "150.00", "2021-01-06"))
    assert causes(DAYS[1]) == {
        ("b", "customer_lost"): "-15.00", ("a", "minimum_reached"): "5.00", ("late", "new_line"): "7.50",
    }  # fmt: skip
    the_books_agree()


def test_deferred_excess_is_paid_on_its_own_line_when_a_later_month_has_room(rules):
    write(rules, "rate: 0.05, cap: [{over: month, amount: 8, excess: defer}]")
    day(0, sale("a", "200.00", "2021-02-05"))
    assert causes(DAYS[0]) == {("a", "new_line"): "8.00"}
    day(1, sale("b", "20.00", "2021-03-05"))
    assert causes(DAYS[1]) == {("a", "cap_freed"): "2.00", ("b", "new_line"): "1.00"}
    the_books_agree()


@pytest.mark.slow
def test_a_period_is_rounded_once_and_its_last_line_has_what_was_cut_off(rules):
    write(rules, "accumulate: {over: month}, rate: 0.05")
    text = (rules / "csp-indirect-reseller.yaml").read_text().replace("at: line", "at: period")
    (rules / "csp-indirect-reseller.yaml").write_text(text)
    day(0, sale("a", "1.19", "2021-03-05"), sale("b", "1.19", "2021-03-06"))  # 0.0595 each: 0.119 together
    assert causes(DAYS[0]) == {("a", "new_line"): "0.05", ("b", "new_line"): "0.07"}
    day(1, sale("c", "1.19", "2021-03-07"))  # 0.1785 together
    assert causes(DAYS[1]) == {("b", "bracket_fall"): "-0.02", ("c", "new_line"): "0.08"}
    the_books_agree()
