"""Earnings that depend on a partner's other lines: what a day moves is posted under the cause that moved it."""

import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import operations
import pipeline
from tests.deliveries import ask, land, settle_next, take_in_world
from tests.pricing_oracle import Line, price
from tests.test_pricing import FX_RATES, Rules, random_lines

DAYS = ("2021-03-23", "2021-03-24", "2021-03-25", "2021-03-26")
HEAD = """program: csp-indirect-reseller
title: Tiers
status: active
reference: {title: a test}
earner: reseller
partner_types: [indirect_reseller]
currency: USD
fiscal_year_start: "07-01"
reference_date: transaction_date
rounding: {mode: half_even, at: line}
eligibility: {earns_from: month_start, criteria: [{criterion: active_agreement, any_of: [mpn]}]}
split: {rebate: 1.0}
"""
EXAMPLE = """examples:
  - example: nothing sold
    given: {transactions: []}
    expect: {earned: 0}
"""
LEVER = (
    "  - {lever: tiers, title: T, effective: {from: 2019-01-01}, select: {product_family: [azure]}, measure: revenue, "
)
TIERS = "brackets: [{threshold: 0, rate: 0.04}, {threshold: 150, rate: 0.06}]}"


@pytest.fixture
def rules(home, tmp_path_factory, monkeypatch) -> Path:
    """The folder of the only program; tests write its levers."""
    folder = tmp_path_factory.mktemp("programs")
    monkeypatch.setenv("INCENTIVES_PROGRAMS", str(folder))
    return folder


def write(rules: Path, *levers: str, more: str = "", measure: str = "revenue") -> None:
    lever = LEVER.replace("measure: revenue", f"measure: {measure}")
    text = (
        HEAD
        + more
        + "levers:\n"
        + "\n".join(lever.replace("tiers", f"l{n}" if n else "tiers") + one + "}" for n, one in enumerate(levers))
    )
    (rules / "csp-indirect-reseller.yaml").write_text(text + "\n" + EXAMPLE)


def first(*rows: dict) -> None:
    take_in_world(DAYS[0])
    land("transactions", list(rows), DAYS[0])
    pipeline.run()


def sale(name: str, revenue: str, day: str = DAYS[0], **columns: str) -> dict:
    return {"transaction_id": name, "revenue": revenue, "transaction_at": f"{day}T10:00:00Z", **columns}


def causes(day: str) -> dict[tuple[str, str], str]:
    """(line, cause) → what it posted on a day."""
    rows = ask(
        "SELECT transaction_id, cause, sum(amount) FROM earnings_ledger "
        f"WHERE posted_on = DATE '{day}' GROUP BY ALL HAVING sum(amount) <> 0"
    )
    return {(line, cause): f"{amount:.2f}" for line, cause, amount in rows}


def the_books_agree() -> None:
    found = operations.verify()
    assert found["broken"] == found["differences"] == []


@pytest.mark.slow
def test_a_later_line_lifts_the_bracket_of_the_lines_before_it(rules):
    write(rules, "accumulate: {over: month}, scale: {mode: retroactive, " + TIERS)
    first(sale("a", "100.00"))
    settle_next(DAYS[1], [sale("b", "60.00", DAYS[1])])
    assert causes(DAYS[1]) == {("b", "new_line"): "3.60", ("a", "bracket_rise"): "2.00"}
    settle_next(DAYS[2], [sale("r", "-60.00", DAYS[2], reverses="b")])
    assert causes(DAYS[2]) == {
        ("r", "refund"): "-2.40", ("a", "bracket_fall"): "-2.00", ("b", "bracket_fall"): "-1.20",
    }  # fmt: skip
    the_books_agree()


def test_a_program_without_criteria_pays_everybody(rules):
    write(rules, "rate: 0.04")
    [path] = rules.glob("*.yaml")
    path.write_text(
        path.read_text().replace("criteria: [{criterion: active_agreement, any_of: [mpn]}]", "criteria: []")
    )
    first(sale("a", "100.00"))
    assert causes(DAYS[0]) == {("a", "new_line"): "4.00"}
    the_books_agree()


def test_a_fixed_base_is_paid_in_multiples(rules):
    write(rules, "base: {fixed: 2}, rate: 1.5", measure="quantity")
    first(sale("a", "100.00", quantity="10"))
    assert causes(DAYS[0]) == {("a", "new_line"): "30.00"}


@pytest.mark.slow
def test_a_late_line_takes_its_place_and_those_after_it_are_repriced(rules):
    write(rules, "accumulate: {over: month}, scale: {mode: marginal, " + TIERS)
    first(sale("a", "100.00", "2021-03-20"), sale("b", "100.00", "2021-03-22"))
    land("transactions", [sale("late", "50.00", "2021-03-21")], DAYS[0], number=2)
    settle_next(DAYS[1], [])
    # b now lies wholly above 150: 50 × 2 % more
    assert causes(DAYS[1]) == {("late", "late_line"): "2.00", ("b", "bracket_rise"): "1.00"}
    assert ask("SELECT bracket, base, position FROM earnings WHERE transaction_id = 'b'") == [
        (2, Decimal(100), Decimal(150))
    ]
    the_books_agree()


@pytest.mark.slow
def test_a_correction_is_told_apart_from_the_bracket_that_it_lifts(rules):
    write(rules, "accumulate: {over: month}, scale: {mode: retroactive, " + TIERS)
    first(sale("a", "100.00"), sale("b", "10.00"))
    settle_next(DAYS[1], [sale("a", "200.00")])
    assert causes(DAYS[1]) == {
        ("a", "corrected_line"): "4.00", ("a", "bracket_rise"): "4.00", ("b", "bracket_rise"): "0.20",
    }  # fmt: skip


def test_customers_that_no_longer_reach_a_minimum_lose_it_alone_and_are_not_counted_in_a_longer_period(rules):
    scale = "scale: {mode: flat, brackets: [{threshold: 0, rate: 0.01}, {threshold: 1, rate: 0.04}]}"
    counted = (
        f"accumulate: {{per: [customer], over: quarter}}, base: revenue, minimum: {{measure: 2, over: month}}, {scale}"
    )
    write(rules, counted, measure="count")
    first(sale("a", "100.00", customer_id="c1"), sale("b", "100.00", customer_id="c2"))
    assert causes(DAYS[0]) == {("a", "new_line"): "4.00", ("b", "new_line"): "4.00"}
    settle_next(DAYS[1], [sale("a", "200.00", customer_id="c1"), sale("b", "100.00", customer_id="c1")])
    assert causes(DAYS[1]) == {
        ("a", "corrected_line"): "4.00", ("a", "minimum_lost"): "-8.00", ("b", "minimum_lost"): "-4.00",
    }  # fmt: skip
    the_books_agree()


@pytest.mark.slow
def test_a_minimum_that_is_reached_pays_all_its_lines_and_takes_all_back_when_it_is_lost(rules):
    write(rules, "rate: 0.04, minimum: {measure: 150, over: month}")
    first(sale("a", "100.00"))
    assert causes(DAYS[0]) == {}
    assert ask("SELECT held_by, earning FROM earnings") == [("minimum", 0)]
    settle_next(DAYS[1], [sale("b", "50.00", DAYS[1])])
    assert causes(DAYS[1]) == {("b", "new_line"): "2.00", ("a", "minimum_reached"): "4.00"}
    settle_next(DAYS[2], [sale("c", "-10.00", DAYS[2])])
    assert causes(DAYS[2]) == {("a", "minimum_lost"): "-4.00", ("b", "minimum_lost"): "-2.00"}
    the_books_agree()


@pytest.mark.slow
def test_a_cap_is_never_passed_and_freed_room_pays_what_it_kept(rules):
    write(rules, "rate: 0.04, cap: [{over: month, amount: 5, excess: forfeit}]")
    first(sale("a", "100.00"), sale("b", "50.00"))
    assert causes(DAYS[0]) == {("a", "new_line"): "4.00", ("b", "new_line"): "1.00"}
    settle_next(DAYS[1], [sale("r", "-100.00", DAYS[1], reverses="a")])
    assert causes(DAYS[1]) == {("r", "refund"): "-4.00", ("b", "cap_freed"): "1.00"}
    land("transactions", [sale("early", "120.00", "2021-03-01")], DAYS[0], number=3)
    settle_next(DAYS[2], [])
    assert causes(DAYS[2]) == {
        ("early", "late_line"): "4.80", ("a", "cap_reached"): "-3.80", ("r", "cap_reached"): "3.80",
        ("b", "cap_reached"): "-1.80",
    }  # fmt: skip
    [(paid,)] = ask("SELECT sum(amount) FROM earnings_ledger")
    assert paid <= 5
    the_books_agree()


def test_a_cap_of_the_program_bounds_all_its_levers_together(rules):
    write(rules, "rate: 0.04", "rate: 0.03", more="cap: [{over: quarter, amount: 5, excess: forfeit}]\n")
    first(sale("a", "100.00"))
    assert ask("SELECT lever, earning, held_by FROM earnings ORDER BY lever DESC") == [
        ("tiers", 4, None), ("l1", 1, "cap"),
    ]  # fmt: skip


@pytest.mark.slow
def test_levers_of_a_stack_exclude_one_another(rules):
    stack = "stack: {group: core, take: highest}"
    write(rules, f"rate: 0.04, {stack}", f"accumulate: {{over: month}}, scale: {{mode: retroactive, {TIERS}, {stack}")
    first(sale("a", "100.00"))
    assert ask("SELECT lever, earning, held_by FROM earnings ORDER BY ALL") == [("l1", 0, "stack"), ("tiers", 4, None)]
    settle_next(DAYS[1], [sale("b", "60.00", DAYS[1])])
    assert causes(DAYS[1]) == {("b", "new_line"): "3.60", ("a", "stack_change"): "2.00"}
    the_books_agree()


@pytest.mark.slow
def test_a_refund_is_selected_by_what_its_original_was_billed_for_and_taken_back_by_its_own_kind(rules):
    write(
        rules,
        "rate: 0.04",
        more="clawback: {ladder: [{from_month: 0, share: 0.5}, {from_month: 0, share: 1.0, kind: withdrawal}]}\n",
    )
    path = rules / "csp-indirect-reseller.yaml"
    path.write_text(path.read_text().replace("{product_family: [azure]}", "{charge_type: [new, renew]}"))
    first(sale("a", "100.00"), sale("b", "100.00"))
    settle_next(
        DAYS[1],
        [
            sale("ra", "-100.00", DAYS[1], reverses="a", charge_type="cancel_immediate"),
            sale("rb", "-100.00", DAYS[1], reverses="b", charge_type="withdrawal"),
        ],
    )
    assert causes(DAYS[1]) == {("ra", "refund"): "-2.00", ("rb", "refund"): "-4.00"}
    the_books_agree()


@pytest.mark.slow
def test_a_ladder_takes_back_less_the_later_a_refund_comes_and_a_reinstatement_gives_it_back(rules):
    write(rules, "rate: 0.04", more="clawback: {ladder: [{from_month: 0, share: 1.0}, {from_month: 1, share: 0.5}]}\n")
    first(sale("a", "100.00", "2021-02-20"), sale("b", "100.00"))
    rows = [sale("ra", "-100.00", DAYS[1], reverses="a"), sale("rb", "-25.00", DAYS[1], reverses="b")]
    settle_next(DAYS[1], rows)
    assert causes(DAYS[1]) == {("ra", "refund"): "-2.00", ("rb", "refund"): "-1.00"}
    settle_next(DAYS[2], [sale("over", "-500.00", DAYS[2], reverses="b")])
    assert causes(DAYS[2]) == {("over", "refund"): "-3.00"}  # never more than is left
    settle_next(DAYS[3], [sale("back", "100.00", DAYS[3], reverses="ra")])
    assert causes(DAYS[3]) == {("back", "refund"): "2.00"}
    the_books_agree()


@pytest.mark.slow
def test_an_edit_of_brackets_is_held_and_then_posted_as_a_rule_change(rules):
    write(rules, "accumulate: {over: month}, scale: {mode: retroactive, " + TIERS)
    first(sale("a", "100.00"), sale("b", "60.00"))
    write(rules, "accumulate: {over: month}, scale: {mode: retroactive, " + TIERS.replace("150", "500"))
    settle_next(DAYS[1], [sale("c", "10.00", DAYS[1])])
    assert causes(DAYS[1]) == {("c", "new_line"): "0.60"}
    operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")
    assert {cause for _, cause in causes(DAYS[1])} == {"new_line", "rule_change"}
    assert ask("SELECT sum(amount) FROM earnings_ledger") == [(Decimal("6.80"),)]
    the_books_agree()


def test_a_line_that_cannot_take_back_what_it_names_is_undecided(rules):
    changes = [{"revenue": "40.00"}, {"currency": "EUR"}, {"reseller_id": "1000002"}]
    write(rules, "rate: 0.04")
    first(sale("a", "100.00"))
    settle_next(DAYS[1], [{**sale(f"r{n}", "-40.00", DAYS[1], reverses="a"), **c} for n, c in enumerate(changes)])
    found = ask("SELECT decision, reason_codes FROM decisions WHERE transaction_id LIKE 'r%'")
    assert [(decision, "UNKREV" in reasons) for decision, reasons in found] == [("undecided", True)] * 3
    assert ask("SELECT sum(amount) FROM earnings_ledger") == [(4,)]


@pytest.mark.slow
def test_the_sum_of_all_entries_is_the_same_however_the_lines_arrive(rules, monkeypatch, tmp_path_factory):
    write(rules, "accumulate: {over: quarter, per: [customer]}, scale: {mode: marginal, " + TIERS,
          "accumulate: {over: month}, scale: {mode: retroactive, " + TIERS, more="cap: [{over: fiscal_year, amount: 30}]\n")  # fmt: skip
    lines = [sale(f"t{n}", f"{37 * n + 11}.00", f"2021-03-{n + 1:02d}") for n in range(9)]
    lines.append(sale("r3", "-60.00", DAYS[0], reverses="t3"))
    found = []
    for shares in ([lines], [lines[::2], lines[1::2]], [lines[5:], lines[2:5], lines[:2]]):
        monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path_factory.mktemp("home")))
        first(*shares[0])
        for day, part in zip(DAYS[1:], shares[1:], strict=False):
            settle_next(day, part)
        found.append(
            ask(
                "SELECT transaction_id, lever, earning_month, sum(amount) FROM earnings_ledger GROUP BY ALL "
                "HAVING sum(amount) <> 0 ORDER BY ALL"
            )
        )
        the_books_agree()
    assert found[0] == found[1] == found[2]
    assert {date(2021, 3, 1)} == {month for _, _, month, _ in found[0]}


@pytest.mark.slow
def test_a_lump_is_paid_once_and_taken_back_once_however_its_threshold_moves(rules):
    later = "{threshold: {2019-01-01: 500, 2021-03-25: 900}, amount: {2021-03-24: 2}}"
    write(
        rules,
        "accumulate: {over: fiscal_year}, scale: {mode: cumulative_lump_sum, "
        f"brackets: [{{threshold: 100, amount: 1}}, {later}]}}",
    )
    first(sale("a", "600.00"))
    assert causes(DAYS[0]) == {("a", "new_line"): "1.00"}
    settle_next(DAYS[1], [sale("b", "10.00", DAYS[1])])
    assert causes(DAYS[1]) == {("b", "new_line"): "2.00"}  # the lump for 500 begins
    settle_next(DAYS[2], [sale("c", "290.00", DAYS[2])])
    assert causes(DAYS[2]) == {}  # 900 is reached, for which the lump stands already
    settle_next(DAYS[3], [sale("d", "-10.00", DAYS[3])])
    assert causes(DAYS[3]) == {("d", "new_line"): "-2.00"}
    the_books_agree()


def as_yaml(value: Any) -> str:
    """Plain values in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_yaml(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_yaml, value))}]"
    return f'"{value}"' if isinstance(value, str) else "null" if value is None else str(value)


def delivered(line: Line) -> dict[str, str]:
    return {
        "transaction_id": line.id, "reseller_id": {"p1": "1000001", "p2": "1000002"}[line.partner], "currency": line.currency,
        "customer_id": line.customer, "product_id": str(line.attributes["product_family"]), "revenue": str(line.revenue),
        "quantity": str(line.quantity), "transaction_at": f"{line.on}T00:00:00Z", "reverses": line.reverses or "",
    }  # fmt: skip


def world_of_two_partners(day: str, **changed: list[dict]) -> None:
    months = [f"{2020 + n // 12}-{n % 12 + 1:02d}" for n in range(6, 24)]
    rates = [
        {"fx_month": m, "from_currency": c, "fx_rate": r} for m in months for c, r in FX_RATES.items() if c != "USD"
    ]
    resellers = [{"partner_id": name, "tenant_id": f"tenant-{name}"} for name in ("1000001", "1000002")]
    offers = [{"product_id": name, "product_name": name, "product_family": name} for name in ("azure", "office365")]
    usual = {
        "partners": [*resellers, {"partner_id": "2000001", "partner_type": "indirect_provider"}],
        "agreements": agreements(),
        "products": offers,
        "customers": [{"customer_id": name} for name in ("c1", "c2")],
        "fx_rates": rates,
    }
    take_in_world(day, **usual | changed)


def agreements() -> list[dict]:
    return [{"agreement_id": f"a{name}", "partner_id": name} for name in ("1000001", "1000002")]


def settled_by(rules: Path, terms: dict[str, Any]) -> dict[str, Any]:
    """Write a program file with some terms, for partners with an agreement; the whole program."""
    made = terms | {
        "program": "csp-indirect-reseller", "examples": [{"example": "none", "given": {"transactions": []}, "expect": {"earned": 0}}],
        "eligibility": {"earns_from": "month_start", "criteria": [{"criterion": "active_agreement", "any_of": ["mpn"]}]},
    }  # fmt: skip
    (rules / "csp-indirect-reseller.yaml").write_text(
        "\n".join(f"{key}: {as_yaml(held)}" for key, held in made.items())
    )
    return made


def on_every_day(seed: int, rules: Path) -> None:
    """Random rules and lines, mostly in their order, some late: the ledger is the oracle's after each day."""
    chance = random.Random(seed)
    made = settled_by(rules, Rules(chance).program())
    lines = [line for line in random_lines(chance) if line.eligible]
    lines = [line for line in lines if line.reverses is None or line.reverses in {one.id for one in lines}]
    lines.sort(key=lambda line: (line.on, line.id) if chance.random() < 0.9 else (line.on.replace(year=2022), line.id))
    days = [f"2021-11-{number:02d}" for number in range(1, 5)]
    known: list[Line] = []
    for number, day in enumerate(days):
        part = lines[number * len(lines) // 4 : (number + 1) * len(lines) // 4]
        if number == 0:
            world_of_two_partners(day)
        land("agreements", agreements(), day, number=2)
        land("transactions", [delivered(line) for line in part], day)
        assert len(pipeline.run(print)) == 1
        known += part
        posted = {
            (line, lever, bracket): (amount, dollars)
            for line, lever, bracket, amount, dollars in ask(
                "SELECT transaction_id, lever, bracket, sum(amount), sum(program_amount) FROM earnings_ledger GROUP BY ALL"
            )
            if amount or dollars
        }
        due = {key: (row.earning, row.program_earning) for key, row in price(made, known).items()}
        assert posted == {key: amounts for key, amounts in due.items() if any(amounts)}, f"seed {seed}, {day}"
    the_books_agree()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_ledger_is_the_oracles_on_every_day(rules, seed):
    on_every_day(seed, rules)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_ledger_is_the_oracles_on_every_day_for_many_programs(rules, monkeypatch, tmp_path_factory):
    for seed in range(100, 160):
        monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path_factory.mktemp("home")))
        on_every_day(seed, rules)


@pytest.mark.slow
def test_a_program_whose_last_lever_has_ended_decides_no_later_line(rules):
    write(rules, "rate: 0.04")
    file = rules / "csp-indirect-reseller.yaml"
    file.write_text(file.read_text().replace("{from: 2019-01-01}", "{from: 2019-01-01, to: 2021-03-22}"))
    first(sale("a", "100.00", "2021-03-21"), sale("b", "100.00", "2021-03-22"))
    assert ask("SELECT transaction_id, decision FROM decisions") == [("a", "eligible")]
    the_books_agree()
