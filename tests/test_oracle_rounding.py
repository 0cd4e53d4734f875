"""The oracle rounds a whole period, with one entry on its last line."""

from datetime import date

import pytest

from tests.oracle.written import CAP, D, figures, lever, line, per_line, program, refund, sales, scale
from tests.pricing_oracle import price


def at_period(mode: str = "half_up", *levers: dict, **more: object) -> dict:
    """A program that pays 1 % and rounds the sum of a period."""
    return program(*(levers or (lever(rate=D("0.01")),)), rounding={"mode": mode, "at": "period"}, **more)


@pytest.mark.parametrize(
    ("mode", "revenues", "entry"),
    [
        ("half_up", ("1.50", "1.50", "1.50"), "0.02"),  # 0.045 → 0.05, rows 0.03
        ("half_even", ("1.50", "1.50", "1.50"), "0.01"),
        ("truncate", ("1.50", "1.50", "1.50"), "0.01"),
        ("half_up", ("1.50", "1.50", "1.49"), "0.01"),
        ("half_up", ("1.24", "1.25"), "0"),
        ("half_up", ("1.25", "1.25"), "0.01"),
        ("half_up", ("-1.50", "-1.50", "-1.50"), "-0.02"),
        ("half_up", ("1.99", "-1.99"), "0"),
        ("half_up", ("0.50",), "0.01"),
    ],
)
def test_one_entry_on_the_last_line_rounds_the_period(mode: str, revenues: tuple, entry: str) -> None:
    rows = figures(at_period(mode), sales(*revenues))
    last = (f"l{len(revenues) - 1}", "a", 0)
    assert rows.pop(last, 0) == D(entry)
    assert rows == {
        (f"l{position}", "a", 1): D(revenue[:2] if revenue[0] == "-" else revenue[0]) / 100
        for position, revenue in enumerate(revenues)
        if abs(D(revenue)) >= 1
    }


def test_a_late_line_changes_the_entry_and_a_later_one_takes_it_over() -> None:
    lines = sales("1.50", "1.50")
    assert figures(at_period(), lines)["l1", "a", 0] == D("0.01")
    late = figures(at_period(), [*lines, line("late", "1.50", date(2021, 2, 1))])
    assert (late["l1", "a", 0], ("late", "a", 0) in late) == (D("0.02"), False)
    later = figures(at_period(), [*lines, line("next", "1.50", date(2021, 2, 28))])
    assert (later["next", "a", 0], ("l1", "a", 0) in later) == (D("0.02"), False)
    other = figures(at_period(), [*lines, line("next", "1.50", date(2021, 3, 1))])
    assert (other["l1", "a", 0], other["next", "a", 0]) == (D("0.01"), D("0.01"))


def test_refunds_go_out_of_the_exact_sum() -> None:
    lines = [*sales("1.50", "1.50"), refund("r", "l1")]
    assert figures(at_period(), lines) == {  # 0.015 are left, of which 0.01 are posted
        ("l0", "a", 1): D("0.01"),
        ("l1", "a", 1): D("0.01"),
        ("r", "a", 1): D("-0.01"),
        ("l1", "a", 0): D("0.01"),
    }
    assert sum(per_line(at_period(), [line("t", "1.99"), refund("r", "t", on=date(2021, 9, 1))])) == 0
    half = figures(at_period(), [line("t", "2.98"), refund("r", "t", "-1.49")])
    assert half == {("t", "a", 1): D("0.02"), ("r", "a", 1): D("-0.01")}  # 0.0149 are left
    half = figures(at_period(), [line("t", "3.98"), refund("r", "t", "-1.99")])
    assert half == {("t", "a", 1): D("0.03"), ("r", "a", 1): D("-0.01")}  # 0.0199 are left


def test_the_sum_is_of_the_accumulation_and_by_month_for_single_lines() -> None:
    lines = [line("a", "1.50"), line("b", "1.50", customer="d"), line("c", "1.50", date(2021, 3, 1))]

    def entries(**accumulate: object) -> set[str]:
        rows = figures(at_period("half_up", lever(rate=D("0.01"), accumulate=accumulate)), lines)
        return {name for name, _, number in rows if number == 0}

    assert entries(over="month") == {"b", "c"}
    assert entries(over="transaction") == {"b", "c"}
    assert entries(over="trailing_12_months") == {"b", "c"}
    assert entries(over="month", per=["customer"]) == {"a", "b", "c"}
    assert entries(over="quarter") == {"c"}
    assert entries(over="all", per=["customer"]) == {"b", "c"}


def test_the_entry_sums_brackets_and_each_lever_has_its_own() -> None:
    two = scale("marginal", ("0", "0.015"), ("1", "0.025"))
    rows = figures(at_period("half_up", lever("a", scale=two), lever("b", rate=D("0.005"))), sales("2"))
    assert rows == {
        ("l0", "a", 1): D("0.01"),
        ("l0", "a", 2): D("0.02"),
        ("l0", "a", 0): D("0.01"),
        ("l0", "b", 1): D("0.01"),
    }


def test_each_currency_has_its_entry() -> None:
    lines = [line("a", "150", currency="JPY", fx=D("0.0095")), line("b", "1.50"), line("c", "1.60")]
    rows = price(at_period(), lines)
    assert (rows["a", "a", 0].earning, rows["a", "a", 0].program_earning) == (1, 0)  # 1.5 → 2 and 0.01425 → 0.01
    assert (rows["c", "a", 0].earning, rows["c", "a", 0].program_earning) == (D("0.01"), D("0.01"))


@pytest.mark.parametrize(("most", "entry"), [("0.03", "0"), ("0.04", "0.01"), ("0.05", "0.02"), ("0.06", "0.02")])
def test_the_entry_passes_no_cap(most: str, entry: str) -> None:
    cap = [{**CAP, "amount": D(most)}]
    rows = figures(at_period("half_up", cap=cap), sales("1.50", "1.50", "1.50"))
    assert rows.get(("l2", "a", 0), 0) == D(entry)


def test_the_entry_fills_the_cap_for_what_follows() -> None:
    cap = [{**CAP, "over": "fiscal_year", "amount": D("0.05")}]
    lines = [*sales("1.50", "1.50", "1.50"), line("next", "5", date(2021, 3, 1))]
    assert per_line(at_period("half_up", cap=cap), lines) == [D("0.01"), D("0.01"), D("0.03"), 0]


def test_what_a_cap_kept_is_not_in_the_sum() -> None:
    lines = [line("a", "1.50"), line("b", "3.99", customer="d"), line("c", "0.50", customer="e")]
    rows = figures(at_period("half_up", cap=[{**CAP, "amount": D("0.02")}]), lines)
    # 0.015 + 0.02 + 0.005
    assert rows == {("a", "a", 1): D("0.01"), ("b", "a", 1): D("0.02"), ("c", "a", 0): D("0.01")}


def test_the_entry_is_split_for_itself() -> None:
    shares = {"split": {"rebate": D("0.5"), "coop": D("0.5")}}
    rows = price(at_period(**shares), sales("1.50", "1.50"))
    halves = {key: (row.rebate, row.coop) for key, row in rows.items()}
    assert halves == {key: (0, D("0.01")) for key in [("l0", "a", 1), ("l1", "a", 1), ("l1", "a", 0)]}


@pytest.mark.parametrize(("measure", "least"), [("1.50", 1), ("99", 0)])
def test_the_last_line_is_the_last_that_earns(measure: str, least: int) -> None:
    minimum = {"measure": D(measure), "per": ["customer"], "over": "month"}
    lines = [line("a", "1.50"), line("b", "1.49", customer="d")]
    rows = figures(at_period("half_up", lever(rate=D("0.01"), minimum=minimum)), lines)
    assert rows == ({("a", "a", 1): D("0.01"), ("a", "a", 0): D("0.01")} if least else {})
