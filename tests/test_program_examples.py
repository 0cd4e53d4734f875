"""Worked examples of rule files: what they can say, what they come to, and how one that differs is told."""

from typing import Any

import pytest

import rulebook
from tests.test_programs import AZURE, EXPECT, GOOD, RATE, scale, written
from transforms import examples
from transforms.examples import try_examples
from transforms.programs import load
from transforms.worked_examples import Given, lines_of
from warehouse.tables import FEEDS


def test_an_example_that_differs_shows_what_became_of_each_line(tmp_path):
    path = written(tmp_path, (EXPECT, "expect: {earned: 8.01, coop: 1.61, lines: {after: 4.00}}"))
    earned, coop = try_examples(load(path), path)
    assert (earned.key, earned.expected, earned.computed) == (
        "examples.a direct sale earns for the seller, split 60 to 40 since 2020.earned", "8.01", "8.00",
    )  # fmt: skip
    assert "expected [1.61], computed [1.60]" in str(coop)
    assert earned.trace[1].startswith("after eligible earns 4.00; azure bracket 1: 100.00 USD x 0.04 = 4.00")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([(RATE, RATE + "    cap: [{over: month, amount: 3}]\n")], "azure bracket 1: 100.00 USD x 0.04 = 4 USD, held by cap to 3.00"),
        ([(RATE, RATE + "    minimum: {measure: 500, over: month}\n")], "azure bracket 1: 0.00 USD x 0.04 = 0.00, held by minimum"),
        ([("measure: revenue", "measure: quantity"), (RATE, "    amount: 1.50\n"), ("revenue: 100.00}", "quantity: 3}")],
         "azure bracket 1: at 1.5 USD, line of 3 units = 4.50"),
        ([("revenue: 100.00}", "revenue: -10.00, reverses: x}")],
         "before undecided (UNKREV: The line that this one takes back is not known, or has another partner, currency or sign) earns 0.00"),
    ],
)  # fmt: skip
def test_a_line_of_an_example_that_differs_is_told_with_what_it_was_priced_by(tmp_path, changes, says):
    path = written(tmp_path, *changes, (EXPECT, "expect: {earned: 0.01}"))
    assert says in try_examples(load(path), path)[0].trace[0]


STANDS = """
examples:
  - example: {name}
    given:
      {given}
      transactions: [{{id: t1, on: 2021-02-03, {line}revenue: 100.00}}]
    expect: {expect}
"""
DIRECT = "[{partner_id: p1, partner_type: direct_bill}]"
RESELLER = "[{partner_id: p1, partner_type: indirect_reseller}]"
NOT_ASKED = "computed [{t1: None}]; its lines:\n    t1 is not decided on: its partner is of a type that the program does not pay"


@pytest.mark.parametrize(
    ("name", "given", "line", "expect"),
    [
        ("a partner of its type earns", f"partners: {DIRECT}", "product_family: azure, ", "{earned: 4.00, eligible: true}"),
        ("a partner of another type has no decision", f"partners: {RESELLER}", "product_family: azure, ",
         "{earned: 0.00, eligible: false, lines: {t1: 0.00}, balance: 0.00, payouts: [{due: 2022-02-01, rebate: 0.00, coop: 0.00}]}"),
        ("nor have partners beside one that is paid", f"partners: {RESELLER[:-1]}, {{partner_id: p2}}]", "product_family: azure, ",
         "{earned: 0.00, eligible: true}"),
        ("a partner who is not among those given is unknown", f"partners: {DIRECT}", "partner: p2, product_family: azure, ",
         "{earned: 0.00, decisions: {t1: undecided}}"),
        ("a partner without an agreement has none", "agreements: [{partner_id: p2, agreement_type: direct_bill}]",
         "product_family: azure, ", "{earned: 0.00, decisions: {t1: ineligible}, unmet: [active_agreement]}"),
        ("a partner who buys himself", "partners: [{partner_id: p1, tenant_id: c1}]", "product_family: azure, ",
         "{earned: 0.00, decisions: {t1: ineligible}}"),
        ("its product says what a lever selects by", "products: [{product_id: a, product_family: azure}]", "product_id: a, ",
         "{earned: 4.00}"),
        ("its product is not what a lever selects", "products: [{product_id: a, product_family: calling}]", "product_id: a, ",
         "{earned: 0.00, decisions: {t1: ineligible}}"),
        ("what a line says itself comes first", "products: [{product_id: a, product_family: calling}]",
         "product_id: a, product_family: azure, ", "{earned: 4.00}"),
        ("of a product that is not given nothing is known", "products: [{product_id: a, product_family: azure}]",
         "product_id: b, ", "{earned: 0.00, decisions: {t1: undecided}}"),
    ],
)  # fmt: skip
def test_an_example_stands_on_the_rows_that_it_gives(tmp_path, name, given, line, expect):
    path = written(
        tmp_path, (GOOD[GOOD.index("examples:") :], STANDS.format(name=name, given=given, line=line, expect=expect))
    )
    assert try_examples(load(path), path) == []


@pytest.mark.parametrize(
    ("customer", "expect"),
    [("country: NL", "{earned: 4.00}"), ("country: US", "{decisions: {t1: ineligible}}"), ("", "{earned: 4.00}"),
     ("country: null", "{decisions: {t1: undecided}}"), ("tenant_created_on: 2020-12-01, country: NL", "{earned: 4.00}"),
     ("tenant_created_on: 2017-12-01, country: NL", "{decisions: {t1: ineligible}}")],
)  # fmt: skip
def test_its_customer_says_what_a_lever_selects_by_and_since_when_he_is_one(tmp_path, customer, expect):
    given = f"customers: [{{customer_id: c1, {customer}}}]"
    said = STANDS.format(name="a customer", given=given, line="product_family: azure, ", expect=expect)
    chosen = "{product_family: [azure], customer_country: [NL]}\n    window: {from: tenant_created, months: 12}"
    path = written(tmp_path, (AZURE, chosen), (GOOD[GOOD.index("examples:") :], said))
    assert try_examples(load(path), path) == []


INVOICED = """
examples:
  - example: the invoice date prices, and the seller earns
    given:
      partners: [{partner_id: a, partner_type: direct_bill}, {partner_id: b, partner_type: direct_bill}]
      fx_rates: [{fx_month: 2022-04-01, from_currency: EUR, to_currency: USD, fx_rate: 1.5}]
      agreements: [{partner_id: a, agreement_type: mpa, valid_from: 2022-04-01}, {partner_id: a, agreement_type: mpn}, {partner_id: b, agreement_type: mpa}, {partner_id: b, agreement_type: mpn}]
      transactions:
        - {id: t1, on: 2018-12-31, invoice_on: 2022-04-02, seller: a, reseller: b, currency: EUR, product_family: azure, revenue: 100.00}
        - {id: t2, on: 2018-12-30, invoice_on: 2022-04-03, seller: a, reseller: b, currency: EUR, reverses: t1, revenue: -50.00}
        - {id: t3, on: 2022-03-02, invoice_on: 2018-12-31, seller: a, product_family: azure, revenue: 100.00}
    expect: {lines: {t1: 6.00, t2: -3.00, t3: 0.00}, earners: {t1: a}, eligible: true}
"""


def test_an_example_can_say_when_a_line_is_invoiced_and_who_sells_and_resells_it(tmp_path):
    dated = ("reference_date: transaction_date", "reference_date: invoice_date")
    path = written(tmp_path, dated, (GOOD[GOOD.index("examples:") :], INVOICED))
    assert try_examples(load(path), path) == []
    path = written(tmp_path, dated, ("earner: seller", "earner: reseller"), (GOOD[GOOD.index("examples:") :], INVOICED))
    assert [fault.key.rpartition(".")[2] for fault in try_examples(load(path), path)] == ["earners"]
    path = written(tmp_path, dated, (GOOD[GOOD.index("examples:") :], INVOICED.replace("t3,", "t3, partner: b,")))
    assert [str(fault).partition(": ")[2].partition(": ")[2] for fault in try_examples(load(path), path)] == [
        "line [t3]: its seller earns; leave partner out"
    ]


def test_a_claim_counts_on_a_lines_invoice_date_where_that_prices_it(tmp_path):
    given = "claims: [{partner_id: p2}]"
    said = STANDS.format(
        name="claimed", given=given, line="invoice_on: 2022-04-02, ", expect="{earned: 4.00, earners: {t1: p2}}"
    )
    ranked = "association: {precedence: {2022-04-01: [cpor]}}\nreference_date: invoice_date"
    path = written(
        tmp_path, ("reference_date: transaction_date", ranked), (GOOD[GOOD.index("examples:") :], said),
        (AZURE, "{}"), (GOOD[GOOD.index("  - lever: modern-work") : GOOD.index("\nsplit:")], ""),
    )  # fmt: skip
    assert try_examples(load(path), path) == []


REVENUE = """
examples:
  - example: with the lines of its partner alone, of which one is in euros, the second reaches the figure and leaves it a year later
    given:
      history_from: 2018-01-01
      fx_rates: [{fx_month: 2021-03-01, from_currency: EUR, to_currency: USD, fx_rate: 1.5}]
      transactions:
        - {id: t0, on: 2021-03-01, product_family: azure, revenue: 20000.00}
        - {id: t1, on: 2021-03-02, product_family: azure, revenue: 99999.00, partner: p2}
        - {id: t2, on: 2021-03-30, product_family: azure, revenue: 3333.34, currency: EUR}
        - {id: t3, on: 2022-03-30, product_family: azure, revenue: 100.00}
    expect: {decisions: {t0: ineligible, t1: eligible, t2: eligible, t3: ineligible}, unmet: [trailing_revenue]}
  - example: with less than the days held, what is below the figure is undecided
    given: {history_from: 2020-06-01, transactions: [{id: t1, on: 2021-03-01, product_family: azure, revenue: 20000.00}]}
    expect: {decisions: {t1: undecided}}
  - example: without history nobody is asked for revenue
    given: {transactions: [{id: t1, on: 2021-03-01, product_family: azure, revenue: 100.00}]}
    expect: {decisions: {t1: eligible}}
"""


def test_revenue_is_judged_where_an_example_says_since_when_history_is_held(tmp_path):
    asked = "[{criterion: trailing_revenue, at_least: 25000, days: 365}]"
    head = GOOD[: GOOD.index("examples:")]
    criteria = head[head.index("eligibility:") : head.index("levers:")]
    path = written(
        tmp_path,
        (GOOD[GOOD.index("examples:") :], REVENUE),
        (criteria, f"eligibility: {{earns_from: day_met, criteria: {asked}}}\n"),
    )
    assert try_examples(load(path), path) == []


def test_a_program_without_payout_pays_nothing(tmp_path):
    path = written(tmp_path, (EXPECT, "expect: {payouts: [{due: 2020-04-15, rebate: 8.00}], balance: 8.00}"))
    [fault] = try_examples(load(path), path)
    assert (fault.expected, fault.computed) == ("[{due: 2020-04-15, rebate: 8.00}]", "[{due: 2020-04-15, rebate: 0}]")


def test_a_decision_that_no_line_has_is_told(tmp_path):
    said = STANDS.format(name="other", given=f"partners: {RESELLER}", line="", expect="{decisions: {t1: eligible}}")
    path = written(tmp_path, (GOOD[GOOD.index("examples:") :], said))
    [fault] = try_examples(load(path), path)
    assert NOT_ASKED in str(fault)


PAID = """
payout: {minimum: {2018-01-01: 200, 2021-01-01: 50}, due: {lag_days: 45, day: 15}}
examples:
  - example: late and early ones are paid when both are due, a new minimum from its date on, co-op never
    given:
      days:
        - {on: 2020-08-02, transactions: [{id: a, on: 2020-08-02, partner: p1, product_family: azure, revenue: 2500.00}]}
        - {on: 2020-10-20, transactions: [{id: b, on: 2020-08-03, partner: p1, product_family: azure, revenue: 10000.00}, {id: c, on: 2020-10-20, partner: p2, product_family: azure, revenue: 2500.00}]}
        - {on: 2021-02-03, transactions: [{id: d, on: 2021-02-03, partner: p1, reverses: b, revenue: -10000.00}]}
    expect:
      payouts:
        - {due: 2020-10-15, rebate: 0, coop: 0}
        - {due: 2020-11-15, rebate: 300.00}
        - {due: 2020-12-15, rebate: 0}
        - {due: 2021-01-15, rebate: 60.00}
        - {due: 2021-03-15, rebate: 0}
      balance: -160.00
"""


def test_an_example_is_paid_by_the_calendar_and_the_minimum_of_its_day(tmp_path):
    path = written(tmp_path, (GOOD[GOOD.index("examples:") :], PAID))
    assert try_examples(load(path), path) == []
    path.write_text(path.read_text().replace("rebate: 300.00", "rebate: 300.01"))
    [fault] = try_examples(load(path), path)
    assert "300.00" in str(fault) and fault.key.endswith("payouts")
    path.write_text(path.read_text().replace("rebate: 300.01", "rebate: 300.00").replace("-160.00", "-159.99"))
    [fault] = try_examples(load(path), path)
    assert (fault.expected, fault.computed) == ("-159.99", "-160.00") and fault.key.endswith("balance")


CYCLES = """
payout: {minimum: 200, due: {lag_days: 45, day: 15}}
examples:
  - example: cycles that are not named pay too, and other days pay nothing
    given:
      transactions:
        - {id: a, on: 2018-01-10, product_family: windows, revenue: 1000}
        - {id: b, on: 2019-01-10, product_family: azure, revenue: 7500}
        - {id: c, on: 2019-02-10, product_family: azure, revenue: 7500}
    expect:
      payouts: [{due: 2019-04-15, rebate: 300.00}, {due: 2019-04-14, rebate: 0}, {due: 2019-05-15, rebate: 0}]
      balance: 0
"""


@pytest.mark.parametrize("status", ["active", "draft"])
def test_all_cycles_up_to_the_last_one_named_are_paid(tmp_path, status):
    path = written(tmp_path, ("status: active", f"status: {status}"), (GOOD[GOOD.index("examples:") :], CYCLES))
    assert try_examples(load(path), path) == []


DATED_TERMS = """
clawback:
  ladder:
    - {from_month: 0, share: 1}
    - {from_month: {2019-01-01: 2, 2020-02-01: 1}, share: {2019-01-01: 0.5, 2020-02-01: 0.25}}
payout: {due: {lag_days: {2019-01-01: 45, 2020-02-01: 80}, day: {2019-01-01: 15, 2020-01-31: 20}}}
examples:
  - example: the month's last day picks the calendar, the day of what was sold the ladder of its refund
    given:
      transactions:
        - {id: a, on: 2019-12-10, product_family: azure, revenue: 1000.00}
        - {id: b, on: 2020-01-31, product_family: azure, revenue: 2000.00}
        - {id: c, on: 2020-02-01, product_family: azure, revenue: 4000.00}
        - {id: d, on: 2020-03-05, reverses: b, revenue: -1000.00}
        - {id: e, on: 2020-03-05, reverses: c, revenue: -4000.00}
    expect:
      lines: {a: 40.00, b: 80.00, c: 160.00, d: -40.00, e: -40.00}
      payouts: [{due: 2020-02-15, rebate: 40.00}, {due: 2020-03-20, rebate: 24.00}, {due: 2020-05-20, rebate: 72.00}]
"""


def test_terms_are_those_of_their_day(tmp_path):
    path = written(tmp_path, (GOOD[GOOD.index("examples:") :], DATED_TERMS))
    assert try_examples(load(path), path) == []


YEAR_END = """
payout: {minimum: 200, unreached: {at: fiscal_year_end, then: THEN}, due: {lag_days: 45, day: 15}}
examples:
  - example: what is below the minimum when June is due
    given:
      transactions:
        - {id: a, on: 2019-02-10, product_family: azure, revenue: 2500.00}
        - {id: b, on: 2019-07-10, partner: p2, product_family: azure, revenue: 2500.00}
        - {id: c, on: 2019-08-10, product_family: azure, revenue: 3750.00}
    expect:
      payouts: [{due: 2019-08-15, rebate: 0}, {due: 2019-10-15, rebate: PAID}]
      balance: LEFT
"""


@pytest.mark.parametrize(("then", "paid", "left"), [("carry", "250.00", "100.00"), ("forfeit", "0", "250.00")])
def test_an_example_gives_up_what_is_below_the_minimum_at_the_fiscal_years_end(tmp_path, then, paid, left):
    text = YEAR_END.replace("THEN", then).replace("PAID", paid).replace("LEFT", left)
    path = written(tmp_path, (GOOD[GOOD.index("examples:") :], text))
    assert try_examples(load(path), path) == []


BACK = """
examples:
  - example: what a line takes back, and what it cannot
    given:
      transactions:
        - {id: a, on: 2020-08-02, product_family: azure, revenue: 2500.00}
        - {id: b, on: 2020-08-03, reverses: CANCELLED, revenue: AMOUNT}
    expect: {decisions: {b: DECISION}}
"""


@pytest.mark.parametrize(
    ("cancelled", "amount", "decision"),
    [("a", "-10.00", "eligible"), ("a", "10.00", "undecided"), ("b", "-10.00", "undecided"), ("b", "0.00", "undecided"), ("none", "-10.00", "undecided"),
     ("a, partner: p2", "-10.00", "undecided"), ("a, currency: EUR", "-10.00", "undecided")],
)  # fmt: skip
def test_an_example_takes_back_what_a_run_would(tmp_path, cancelled, amount, decision):
    text = BACK.replace("CANCELLED", cancelled).replace("AMOUNT", amount).replace("DECISION", decision)
    path = written(tmp_path, (GOOD[GOOD.index("examples:") :], text))
    assert try_examples(load(path), path) == []


def test_examples_are_worked_out_apart_from_one_another(tmp_path):
    path = written(
        tmp_path,
        ("measure: revenue\n", "measure: revenue\n    accumulate: {per: [customer], over: all}\n"),
        *scale("{mode: retroactive, brackets: [{threshold: 0, rate: 0.04}, {threshold: 201, rate: 0.5}]}"),
        ("product_family: dynamics365, product_segment: commercial", "product_family: azure"),
        ("expect: {earned: 4.75,", "expect: {earned: 4.00,"),
    )
    assert try_examples(load(path), path) == []


def test_a_customer_that_another_example_sold_to_is_free(tmp_path):
    path = written(
        tmp_path,
        ("measure: revenue\n", "measure: revenue\n    exclusive_partner: [customer]\n    one_earning: [customer]\n"),
        ("id: before, on: 2019-12-31, partner: p1", "id: before, on: 2019-12-31, partner: p2"),
        (EXPECT, "expect: {lines: {before: 4.00, after: 0}}"),
        ("product_family: dynamics365, product_segment: commercial", "product_family: azure"),
        ("expect: {earned: 4.75,", "expect: {earned: 4.00,"),
    )
    assert try_examples(load(path), path) == []


def test_days_post_what_they_add(tmp_path):
    path = written(
        tmp_path,
        ("measure: revenue\n", "measure: revenue\n    accumulate: {over: month}\n"),
        *scale("{mode: retroactive, brackets: [{threshold: 0, rate: 0.04}, {threshold: 200, rate: 0.5}]}"),
        ("      transactions:\n        - {id: before", "      days:\n        - {on: 2020-01-05, transactions: [{id: before"),
        ("on: 2019-12-31, partner: p1, product_family: azure, revenue: 100.00}",
         "on: 2020-01-01, partner: p1, product_family: azure, revenue: 100.00}]}"),
        ("        - {id: after", "        - {on: 2020-01-06, transactions: [{id: after"),
        ("revenue: 100.00}\n", "revenue: 100.00}]}\n"),
        (EXPECT, "expect: {earned: 100, posted: [{on: 2020-01-05, amount: 4.00}, {on: 2020-01-06, amount: 96.00}]}"),
    )  # fmt: skip
    assert try_examples(load(path), path) == []


@pytest.mark.parametrize("feed", sorted(set(Given.__annotations__) & set(FEEDS) - {"transactions"}))
def test_an_example_gives_a_feed_by_the_columns_of_its_contract(feed):
    row: Any = Given.__annotations__[feed].__args__[0]
    assert set(row.__annotations__) - {"valid_from", "valid_to"} == set(FEEDS[feed].columns) - {
        "valid_from",
        "valid_to",
    }


def test_what_goes_wrong_in_an_example_is_a_fault_of_it_beside_those_of_the_others(tmp_path, monkeypatch):
    def short_of(programs, givens, work_out=examples.work_out):
        if any(line.get("revenue") == 95 for _, given in givens for line in lines_of(given)):
            raise ArithmeticError("no such figure")
        return work_out(programs, givens)

    path = written(tmp_path, (EXPECT, "expect: {earned: 8.01}"))
    [differs] = try_examples(load(path), path)
    monkeypatch.setattr(examples, "work_out", short_of)
    path.write_text(
        path.read_text().replace(
            "revenue: 100.00}\n    expect: {earned: 4.75", "revenue: 95.00}\n    expect: {earned: 4.75"
        )
    )
    first, other = try_examples(load(path), path)
    assert str(first) == str(differs)
    assert other.value == "ArithmeticError" and other.remedy.startswith("could not be worked out: no such figure;")


def test_examples_of_programs_that_are_alike_but_for_levers_are_worked_out_at_once(tmp_path, monkeypatch):
    source, passes = (rulebook.programs_folder() / "csp-direct-bill.yaml").read_text(), []
    for number, rate in enumerate(("0.04", "0.05", "0.04")):
        text = source.replace("program: csp-direct-bill", f"program: p{number}").replace(
            "rate: 0.04", f"rate: {rate}", 1
        )
        (tmp_path / f"p{number}.yaml").write_text(text)
    (tmp_path / "p3.yaml").write_text(text.replace("program: p2", "program: p3").replace("USD", "EUR"))

    def counted(decided, programs, known, in_context=examples.in_context):
        passes.append([len(program.levers) for program in programs])
        return in_context(decided, programs, known)

    monkeypatch.setattr(examples, "in_context", counted)
    found = examples.try_all([(load(path), path) for path in sorted(tmp_path.iterdir())])
    assert [len(faults) for faults in found] == [0, 3, 0, 0]
    assert passes == [[4], [3]]  # what two programs have alike stands once
