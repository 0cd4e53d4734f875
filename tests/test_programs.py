"""Rule files: what is refused at load, and how it is said."""

import re
from datetime import date
from pathlib import Path

import pytest

import rulebook
from app.rules_in_words import program_in_words
from transforms.buckets import bucket_key
from transforms.examples import check, try_examples
from transforms.programs import load, loaded
from transforms.rule_file import RuleFault

SHIPPED = (rulebook.programs_folder() / "csp-direct-bill.yaml").read_text()
GOOD = SHIPPED[: SHIPPED.index("coop:  #")] + SHIPPED[SHIPPED.index("examples:") :]  # so that a test can say its own
RATE = "    rate: 0.04\n"
AZURE = "{product_family: [azure], is_trial: false}"
EXPECT = "expect: {earned: 8.00, rebate: 6.40, coop: 1.60}"
PAYS = ("examples:", "payout: {due: {lag_days: 45, day: 15}}\nexamples:")
FIRST, SECOND = re.findall("example: (.*)", GOOD)[:2]
BY_DAYS = """
examples:
  - example: day by day
    given:
      days:
        - {on: FIRST, transactions: [{id: a, on: 2021-02-03, revenue: 100.00}]}
        - {on: 2021-02-04, transactions: [{id: b, on: 2021-02-03, quantity: 1, revenue: 100.00}]}
    expect: {earned: 8.00}
"""
CHANGES = list[tuple[str, str]]


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The good file, changed."""
    path, text = folder / "csp-direct-bill.yaml", GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def refused(path: Path) -> str:
    """The first fault of a file, loaded and its examples run."""
    with pytest.raises(RuleFault, match=r"^csp-direct-bill.yaml:\d+: .+ \[.*\]: .") as fault:
        check(load(path), path)
    return str(fault.value)


def scale(text: str) -> CHANGES:
    """A change that gives the first lever a scale."""
    return [(RATE, f"    scale: {text}\n")]


def deep_by_anchors(each: int) -> str:
    """Three keys, each a list that nests another so many times, the first ones' by an anchor."""
    named = ["0", "*a0", "*a1"]
    return "\n".join(f"a{n}: &a{n} {'[' * each}{held}{']' * each}" for n, held in enumerate(named))


def many_by_anchors() -> str:
    """Keys, each a list of ten times the one before."""
    return "\n".join(f"a{n}: &a{n} [{', '.join(['0' if n == 0 else f'*a{n - 1}'] * 10)}]" for n in range(9))


@pytest.mark.parametrize("path", sorted(rulebook.programs_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_program_shipped_keeps_its_examples(path):
    assert try_examples(load(path), path) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        # words
        ([("status: active", "status: active\nstatus: draft")], "stands twice"),
        ([("status: active", "status: alive")], "status [alive]"),
        ([("earner: seller\n", "")], "[earner]: this key is missing"),
        ([("earner: seller", "? [earner]\n: seller")], "a key is one word"),
        ([("earner: seller", "earner: &self [*self]")], "earner […]: an anchor holds itself"),
        ([("earner: seller", f"earner: {'[' * 3_000}{']' * 3_000}")], ":9: file […]: lists and mappings lie more than 100 deep within one another; close the brackets"),
        ([("earner: seller", f"earner: {'[' * 300_000}")], ":9: file […]: lists and mappings lie more than 100 deep"),
        ([("earner: seller", deep_by_anchors(60))], ":9: a1 […]: lists and mappings lie more than 100 deep"),
        ([("earner: seller", many_by_anchors())], "by its anchors the file holds more than 1,000,000 values"),
        ([("program: csp-direct-bill", "program: other")], "name it after its file"),
        ([("title: CSP Direct Bill Partner", "title: 2022")], 'write it in quotes: "2022"'),
        ([("measure: revenue", "measure: revenue\n    surprise: 1")], "[surprise]: no such key"),
        ([("illustrative: true", "illustrative: yes")], "write true or false"),
        ([("rounding: {mode: truncate, at: line}", "rounding: {mode: floor, at: line}")], "rounding.mode [floor]"),
        # figures
        ([(AZURE, "{product_family: [azure], charge_type: [neew]}")], "select.charge_type [neew]: no delivery says that in charge_type; name some of new, renew,"),
        ([(AZURE, "{product_family: [azure], term: {not: 1Y}}")], "select.term [1Y]: no delivery says that in term"),
        ([("any_of: {2017-07-01: [mpn]}", "any_of: {2017-07-01: [mpnn]}")], "any_of [mpnn]: no delivery says that in agreement_type"),
        ([(RATE, "    rate: 4\n")], "rate [4]: the rate is 400 %; write 4 % as 0.04"),
        ([(RATE, "    rate: {2019-01-01: 0.04, 2020-01-01: 1.01}\n")], "rate [1.01]: the rate is 101.00 %"),
        ([(RATE, "    rate: -0.04\n")], "rate [-0.04]: the rate is below 0"),
        ([(RATE, "    rate: 0.03333333333\n")], "more than 9 decimals"),
        ([(RATE, "    scale: {mode: flat, brackets: [{threshold: 1000000000000, rate: 0.1}]}\n")], "12 digits before them"),
        ([(RATE, "    scale: {mode: flat, brackets: [{threshold: 0, rate: 0,04}]}\n")], "a decimal has a point"),
        ([("measure: revenue\n", "measure: attainment\n    base: revenue\n    accumulate: {over: month}\n    baseline: {fixed: 0}\n")], "give one above 0"),
        ([("  - lever: azure\n", "  - lever: azure\n    stack: {group: g, take: sum}\n"),
          ("  - lever: modern-work\n", "  - lever: modern-work\n    stack: {group: g, take: highest}\n")], "group [g] takes [sum] above"),
        ([(RATE, RATE + "    minimum: {measure: -1, over: month}\n")], "minimum is below 0"),
        ([(RATE, RATE + "    cap: [{over: month, amount: -1}]\n")], "cap is below 0"),
        ([("levers:\n", "cap: [{over: month, amount: -1}]\nlevers:\n")], "cap.1 […]: the cap is below 0"),
        ([("lever: azure", "lever: Azure")], "use small letters, digits and hyphens"),
        ([(RATE, "    base: quantity\n    amount: -5\n")], "amount [-5]: the amount is below 0"),
        # dates
        ([("effective: {from: 2019-01-01}", "effective: {from: 2019-02-30}")], "not a number or date"),
        ([("effective: {from: 2019-01-01}", 'effective: {from: "2019-01-01"}')], "without quotes"),
        ([("effective: {from: 2019-01-01}", "effective: {from: 2019}")], "a date is needed"),
        ([("effective: {from: 2019-01-01}", "effective: {from: 2019-01-01, to: 2019-01-01}")], "not after it begins"),
        ([(RATE, "    rate: {2019-01-01: 0.04, 2018-01-01: 0.05}\n")], "dates must rise"),
        ([(RATE, "    rate: {2019-01-01: 0.04, 2019-01-01: 0.05}\n")], "stands twice"),
        ([(RATE, "    rate: {january: 0.04}\n")], "has dates as keys"),
        ([("  criteria:\n", "  criteria:\n    2020-01-01: []\n    2019-01-01:\n")], "dates must rise"),
        ([('fiscal_year_start: "07-01"', 'fiscal_year_start: "02-30"')], "not a day of every year"),
        ([(RATE, '    rate: {"2019-01-01": 0.04}\n')], "has dates as keys, without quotes, as in {2019-01-01: 0.06}"),
        ([("measure: revenue", "measure: {2019-01-01: revenue}")], "levers.azure.measure […]: this cannot be dated; end the lever, and write a new one"),
        (scale("{mode: {2019-01-01: flat, 2020-01-01: marginal}, brackets: [{threshold: 0, rate: 0.1}]}"), "scale.mode […]: this cannot be dated"),
        ([(RATE, RATE + "    accumulate: {2019-01-01: {over: month}}\n")], "accumulate […]: this cannot be dated"),
        ([("effective: {from: 2019-01-01}", "effective: {from: 2019-01-01 10:00}")], "effective.from [2019-01-01 10:00]: a date is needed"),
        # gaps
        ([(RATE, "    rate: {2020-01-01: 0.04}\n")], "no rate on [2019-01-01]"),
        ([(RATE, "    rate: {2019-01-01: 0.04, 2020-01-01: null}\n")], "no rate on [2020-01-01]"),
        ([(RATE, "    rate: {2019-01-01: 0.04, 2020-01-01: null, 2020-02-01: 0.04}\n")], "no rate on [2020-01-01]"),
        ([(RATE, "    amount: {2019-01-01: 4, 2020-01-01: null}\n")], "no amount on [2020-01-01]"),
        (
            scale("{mode: flat, brackets: [{threshold: 0, rate: {2019-01-01: 0.1, 2021-01-01: null}}]}"),
            "no rate on [2021-01-01]",
        ),
        (
            scale("{mode: flat, brackets: [{threshold: {2019-01-01: 0, 2021-01-01: null}, rate: 0.1}]}"),
            "no threshold on [2021-01-01]",
        ),
        (scale("{mode: flat, brackets: [{threshold: 0, rate: {2019-02-01: 0.1}}]}"), "no bracket on [2019-01-01]"),
        ([("rebate: {2017-07-01: 1.0", "rebate: {2019-02-01: 1.0")], "no split on [2019-01-01]"),
        ([("2020-01-01: 0.60}", "2020-01-01: 0.60, 2021-01-01: null}")], "split [0 and 0.40]: rebate and coop on [2021-01-01] are no shares that sum to 1"),
        (
            [("2020-01-01: 0.60}, coop: {2020-01-01: 0.40}", "2020-01-01: null}")],
            "no split on [2020-01-01]",
        ),
        # figures
        ([(RATE, "    rate: much\n")], "not a number"),
        ([(RATE, '    rate: "0.04"\n')], "not a number"),
        ([(RATE, "    rate: 4%\n")], "not a number"),
        ([(RATE, "    rate: 0.0_4\n")], "rate [0.0_4]: [0.0_4] is not a number"),
        ([("coop: {2020-01-01: 0.40}", "coop: {2020-01-01: 0.30}")], "split [0.60 and 0.30]: rebate and coop on [2020-01-01]"),
        ([("2020-01-01: 0.60}, coop: {2020-01-01: 0.40}", "2020-01-01: 1.6}, coop: {2020-01-01: -0.6}")], "sum to"),
        ([("grace_days: {2017-07-01: 0}", "grace_days: {2017-07-01: -1}")], "whole number of 0 or more"),
        ([("any_of: {2017-07-01: [mpn]}", "any_of: {2017-07-01: mpn}")], "not a list of names"),
        ([("any_of: {2017-07-01: [mpn]}", "any_of: 1e30")], "any_of [1E+30]: [1E+30] is not a list of names"),
        *(([(RATE, f"    rate: {huge}\n")], f"rate [{huge}]: a number of more than 99 digits before or after its point; write the one that is meant") for huge in ("1e999999999", "1e-1000000")),
        ([("revenue: 100.00}", "revenue: 1e1000000}")], "revenue [1e1000000]: a number of more than 99 digits"),
        ([(EXPECT, "expect: {earned: 1e1000000}")], "earned [1e1000000]: a number of more than 99 digits"),
        ([(RATE, "    rate: 1e30\n")], "rate [1E+30]: [1E+30] has more than 9 decimals or 12 digits before them"),
        ([("grace_days: {2017-07-01: 0}", "grace_days: 1e30")], "grace_days [1E+30]: [1E+30] is not a whole number of 0 or more, at most 36,500"),
        ([("measure: revenue\n", "measure: revenue\n    window: {from: first_purchase, months: 1e30}\n")], "window.months [1E+30]: [1E+30] is not a whole number of 1 or more, at most 1,200"),
        ([("criterion: same_country", "criterion: trailing_revenue\n      at_least: 5\n      days: 36501")], "days [36501]: [36501] is not a whole number of 1 or more, at most 36,500"),
        ([("examples:", "payout: {due: {lag_days: 1e30, day: 15}}\nexamples:")], "payout.due.lag_days [1E+30]: [1E+30] is not a whole number of 1 or more"),
        ([(RATE, RATE + "    window: {from: first_purchase, months: [6]}\n")], "window.months […]: a whole number is needed; write it as 12"),
        ([(RATE, RATE + "    window: {from: first_purchase, months: 1.5}\n")], "window.months [1.5]: [1.5] is not a whole number of 1 or more"),
        ([(RATE, RATE + "    window: {from: first_purchase, months: six}\n")], "window.months [six]: a whole number is needed; write it as 12"),
        ([("id: before", "id: 2020-01-01")], 'id [2020-01-01]: a text is needed; write it in quotes: "2020-01-01"'),
        ([("id: before", "id: null")], "id […]: a text is needed; write one, in quotes if it is a number, a date or one of true, false and null"),
        # scales
        (scale("{mode: flat, brackets: []}"), "levers.azure.scale.brackets […]: the list is empty; give at least one item"),
        (scale("{mode: steep, brackets: [{threshold: 0, rate: 0.1}]}"), "levers.azure.scale.mode [steep]"),
        (
            scale("{mode: flat, brackets: [{threshold: 5, rate: 0.1}, {threshold: 5, rate: 0.2}]}"),
            "levers.azure.scale.brackets.2.threshold [5]: thresholds [5, 5] do not rise",
        ),
        (
            scale(
                "{mode: flat, brackets: [{threshold: {2019-01-01: 0, 2021-01-01: 90}, rate: 0.1}, {threshold: 80, rate: 0.2}]}"
            ),
            "[90, 80] do not rise on [2021-01-01]",
        ),
        (
            scale(
                "{mode: flat, brackets: [{threshold: 90, rate: 0.1}, {threshold: 80, rate: {2021-01-01: 0.2}}]}"
            ),
            "[90, 80] do not rise on [2021-01-01]",
        ),
        (scale("{mode: marginal, brackets: [{threshold: 1, rate: 0.1}]}"), "a marginal scale begins at 0"),
        (
            scale("{mode: marginal, brackets: [{threshold: {2019-01-01: 0, 2020-01-01: 5}, rate: 0.1}]}"),
            "[5] on [2020-01-01]; a marginal scale begins at 0",
        ),
        (
            scale("{mode: marginal, brackets: [{threshold: 0, rate: {2021-01-01: 0.1}}, {threshold: 9, rate: 0.2}]}"),
            "the first threshold is [9]; a marginal scale begins at 0",
        ),
        (
            scale("{mode: flat, on_threshold: lower, units: first_unit, brackets: [{threshold: 1, rate: 0.1}]}"),
            "on_threshold has no meaning with first_unit",
        ),
        (scale("{mode: flat, brackets: [{threshold: 0}]}"), "a bracket has a rate or an amount"),
        (scale("{mode: lump_sum, brackets: [{threshold: 0, rate: 0.1}]}"), "pays amounts"),
        (scale("{mode: flat, brackets: [{threshold: 0, rate: 1}, {threshold: 9, amount: 2}]}"), "all rates or all"),
        (scale("{mode: interpolated, brackets: [{threshold: 0, amount: 5}]}"), "its amount is 0"),
        (
            scale("{mode: interpolated, brackets: [{threshold: 0, amount: {2019-01-01: 0, 2021-01-01: 5}}]}"),
            "levers.azure.scale.brackets.1.amount [5]: the last interpolated bracket on [2021-01-01] has no end",
        ),
        (
            scale(
                "{mode: interpolated, brackets: [{threshold: 0, amount: 5}, {threshold: 9, amount: {2021-01-01: 0}}]}"
            ),
            "levers.azure.scale.brackets.1.amount [5]: the last interpolated bracket on [2019-01-01] has no end",
        ),
        (
            [("measure: revenue\n", "measure: revenue\n    accumulate: {over: trailing_12_months}\n"),
             *scale("{mode: lump_sum, brackets: [{threshold: 9, amount: 5}]}")],
            "lumps cannot be counted over trailing_12_months",
        ),
        (scale("{mode: flat, brackets: [{threshold: {2019-01-01: -1, 2020-01-01: 0}, rate: 0.1}]}"), "scale.brackets.1.threshold [-1]: a threshold is below 0; give 0 or more"),
        ([("measure: revenue\n", "measure: quantity\n"), *scale("{mode: flat, units: first_unit, brackets: [{threshold: 1, amount: 1}, {threshold: 2.5, amount: 2}]}")],
         "scale.brackets.2.threshold [2.5]: units under first_unit are whole; give a whole threshold"),
        # what stands twice
        ([("partner_types: [direct_bill]", "partner_types: [direct_bill, direct_bill]")], "partner_types.2 [direct_bill]: [direct_bill] stands twice; name each once"),
        ([("measure: revenue\n", "measure: revenue\n    accumulate: {per: [customer, product, customer], over: month}\n")], "levers.azure.accumulate.per.3 [customer]: [customer] stands twice"),
        ([(RATE, RATE + "    minimum: {measure: 9, per: [customer, customer], over: month}\n")], "levers.azure.minimum.per.2 [customer]"),
        ([(RATE, RATE + "    cap: [{amount: 9, over: month}, {amount: 9, per: [product, product], over: month}]\n")], "levers.azure.cap.2.per.2 [product]"),
        ([(RATE, RATE + "    exclusive_partner: [customer, customer]\n")], "levers.azure.exclusive_partner.2 [customer]"),
        ([(RATE, RATE + "    one_earning: [customer, customer]\n")], "levers.azure.one_earning.2 [customer]"),
        ([("levers:\n", "cap: [{over: month, amount: 1, per: [customer, customer]}]\nlevers:\n")], "cap.1.per.2 [customer]"),
        ([("criterion: same_country", "criterion: active_agreement\n      once_met_stays: true\n      any_of: {2017-07-01: [mpn]}")], "eligibility.criteria [active_agreement]: [active_agreement] is asked twice; list it once"),
        ([(SECOND, FIRST)], f"[{FIRST}]: [{FIRST}] stands twice; name each once"),
        # levers
        ([(RATE, "")], "give one of rate, amount or scale"),
        ([("measure: revenue", "measure: growth")], "growth compares with a baseline"),
        ([("measure: revenue", "measure: attainment")], "attainment compares with a baseline"),
        ([("measure: revenue", "measure: revenue\n    baseline: {over: previous_quarter}")], "compares with nothing"),
        ([("measure: revenue", "measure: growth\n    baseline: {fixed: 9}")], "growth needs a period"),
        ([("measure: revenue", "measure: growth\n    baseline: {fixed: 9, over: previous_month}")], "give one of them"),
        ([("measure: revenue", "measure: growth\n    baseline: {over: last_week}")], "baseline.over [last_week]"),
        ([("measure: revenue", "measure: count\n    accumulate: {over: month}")], "count needs what is counted"),
        ([("measure: revenue", "measure: count\n    accumulate: {per: [customer], over: month}")], "a rate cannot multiply"),
        ([("measure: revenue", "measure: revenue\n    base: growth")], "growth is no base"),
        ([("measure: revenue", "measure: revenue\n    window: {from: birth, months: 9}")], "window.from [birth]"),
        ([("measure: revenue", "measure: revenue\n    exclusive_partner: [product]")], "customer comes first"),
        (
            [("measure: revenue", "measure: revenue\n    exclusive_partner: [customer]\n    minimum: {measure: 9}")],
            "the minimum must be per the same",
        ),
        (
            [("measure: revenue", "measure: revenue\n    exclusive_partner: [customer]\n    accumulate: {over: month}"),
             (RATE, "    scale: {mode: flat, brackets: [{threshold: 9, rate: 0.1}]}\n")],
            "levers.azure.accumulate []: a partner keeps",
        ),
        ([("measure: revenue", "measure: revenue\n    cap: [{over: trailing_12_months, amount: 9}]")], "never ends"),
        ([("measure: revenue", "measure: joy")], "levers.azure.measure [joy]"),
        ([("measure: revenue", "measure: revenu")], "levers.azure.measure [revenu]: is [revenue] meant? write one of revenue, "),
        ([("measure: revenue", "measure: revenue\n    minimun: 5")], "levers.azure.minimun [minimun]: no such key; is [minimum] meant?"),
        ([("measure: revenue", "measure: revenue\n    base: joy")], "levers.azure.base [joy]"),
        ([("measure: revenue", "measure: revenue\n    accumulate: {over: week}")], "accumulate.over [week]"),
        ([("measure: revenue", "measure: revenue\n    accumulate: {per: [partner], over: month}")], "accumulate.per.1"),
        ([("lever: modern-work", "lever: azure")], "levers.azure.lever [azure]: two levers are called [azure]"),
        ([(RATE, "    amount: 0.1\n    base: revenue\n")], "levers.azure.base [revenue]: an amount is paid by the unit, whatever the base; leave base out, or give a rate"),
        ([(RATE, "    base: revenue\n    scale: {mode: lump_sum, brackets: [{threshold: 10, amount: 5}]}\n")], "levers.azure.base [revenue]: an amount is paid as a lump, whatever the base"),
        ([(RATE, "    base: {fixed: 9}\n    scale: {mode: lump_sum, brackets: [{threshold: 9, amount: 5}]}\n")], "levers.azure.base […]: an amount"),
        ([(RATE, RATE + "    cap: [{amount: 15}]\n")], "levers.azure.cap.1 [over]: this key is missing; add it"),
        (scale("{mode: marginal, units: first_unit, brackets: [{threshold: 1, rate: 0.1}]}"), "scale.units [first_unit]: revenue has no first unit; measure quantity or count, or leave units out"),
        # select
        ([("product_family: [azure]", "product_flavour: [azure]")], "product_flavour"),
        ([(AZURE, "{is_trial: yes-please}")], "levers.azure.select.is_trial [yes-please]: is_trial is true or false"),
        ([(AZURE, "{is_trial: [false, 1]}")], "is_trial is true or false"),
        ([(AZURE, "{product_family: []}")], "empty list"),
        ([(AZURE, "{product_family: {not: []}}")], "empty list"),
        ([(AZURE, "{product_family: {not: [azure], but: x}}")], "leave the other keys out"),
        ([(AZURE, "{product_family: {only: [azure]}}")], "leave the other keys out"),
        ([(AZURE, "{product_family: {not: {not: azure}}}")], "product_family is a text"),
        ([(AZURE, "{product_id: 12}")], "product_id is a text; write it in quotes"),
        ([(AZURE, "{product_family: null}")], "product_family is a text"),
        ([(AZURE, "{customer_country: [NO, Norway]}")], "select.customer_country [Norway]: no country is written so; write two capital letters, as NO"),
        ([(AZURE, "{customer_country: {not: us}}")], "select.customer_country [us]: no country is written so"),
        ([(AZURE, "{currency: [USD, UDS]}")], "currency [UDS] is not in ISO 4217"),
        ([("currency: USD", "currency: CLF")], "currency [CLF] is not in ISO 4217 as money in trade"),
        # the program
        ([("currency: USD", "currency: UDS")], "not in ISO 4217"),
        ([("eligibility:\n", "eligibility:\n  earns_from: day_met\n  criteria: null\nold:\n")], "eligibility.criteria […]: a list is needed"),
        ([("criterion: same_country", "criterion: same_planet")], "same_planet"),
        ([("criterion: same_country", "criterion: active_agreement")], "needs [any_of]"),
        ([("criterion: same_country", "criterion: same_country\n      any_of: [x]")], "does not look at [any_of]"),
        ([("reference:\n  title", "note:\n  title")], "[reference]: this key is missing"),
        ([(GOOD[GOOD.index("examples:"):], "examples: []\n")], "an active program needs examples"),
        ([("  title: Microsoft CSP incentives, eligibility", "  title: ' ' #")], "reference.title [ ]: nothing is said; write some words"),
        ([("criterion: same_country", "criterion: trailing_revenue\n      at_least: 5")], "criterion [trailing_revenue] needs [days]; add it"),
        ([("criterion: same_country", "criterion: trailing_revenue\n      days: 365\n      at_least: {2021-10-01: -5}")], "at_least [-5]: a figure to reach is 0 or more"),
        ([("rebate: {2017-07-01: 1.0, 2020-01-01: 0.60}, coop: {2020-01-01: 0.40}", "rebate: 1"), ("examples:", "coop: {minimum: 5}\nexamples:")], "coop […]: the split gives no co-op; add coop to it, or leave these terms out"),
        # terms
        ([("enrolment: {", "enrolment: {invite_on: sunset, ")], "enrolment.invite_on [sunset]"),
        ([("enrolment: {", "enrolment: {valid_days: 30, ")], "say invite_on"),
        ([("enrolment: {", "enrolment: {invite_on: open, valid_days: 30, ")], "say invite_on"),
        ([("enrolment: {", "enrolment: {invite_on: eligible, valid_days: 0, ")], "valid_days [0]: [0] is not a whole number of 1 or more"),
        ([("examples:", "coop: {maximum: 4}\nexamples:")], "coop.maximum [maximum]: no such key"),
        ([("examples:", "coop: {minimum: {2020-01-01: -4}}\nexamples:")], "coop.minimum [-4]: a minimum is 0 or more"),
        ([("examples:", "coop: {minimum: lots}\nexamples:")], "not a number"),
        ([("examples:", "coop: {usage_months: 6, claims_open: {months: 1, day: 31}}\nexamples:")], "coop.claims_open.day [31]: not every month has this day"),
        ([("examples:", "coop: {grace_days: 45}\nexamples:")], "add usage_months"),
        ([("examples:", "payout: {minimum: 200}\nexamples:")], "payout […]: without due nothing is paid; add due: {lag_days: 45, day: 15}"),
        ([("examples:", "coop: {usage_months: 7}\nexamples:")], "coop.usage_months [7]: an activity would lie in the usage periods of two half years"),
        ([("examples:", "payout: {unreached: {at: fiscal_year_end, then: carry}}\nexamples:")], "add minimum"),
        ([("examples:", "payout: {minimum: 200, unreached: {at: never, then: carry}}\nexamples:")], "unreached.at [never]"),
        ([("examples:", "payout: {due: {lag_days: -1, day: 15}}\nexamples:")], "payout.due.lag_days"),
        ([("examples:", "payout: {due: {lag_days: 0, day: 28}}\nexamples:")], "payout.due.lag_days [0]: [0] is not a whole number of 1 or more"),
        ([("examples:", "payout: {due: {lag_days: {2019-01-01: 80, 2020-02-01: 15}, day: 15}}\nexamples:")], "payout.due.lag_days […]: 2020-02 would be due on [2020-03-15], not after the month before it on [2020-04-15]"),
        ([("examples:", "payout: {due: {lag_days: {2019-01-01: 45, 2020-02-01: 15}, day: 15}}\nexamples:")], "2020-02 would be due on [2020-03-15], not after the month before it on [2020-03-15]; take more days"),
        ([("examples:", "payout: {due: {lag_days: 45, day: {2019-01-01: 15, 2020-02-01: null}}}\nexamples:")], "payout.due.day […]: what is posted from then on would never be paid"),
        ([("examples:", "coop: {usage_months: 6, caps: {conference: {amount: -5}}}\nexamples:")], "coop.caps.conference.amount [-5]: an amount is 0 or more"),
        ([("examples:", "coop: {usage_months: 0}\nexamples:")], "coop.usage_months [0]: [0] is not a whole number of 1 or more, at most 6"),
        ([("examples:", "payout: {offset_negative: lifo}\nexamples:")], "payout.offset_negative [lifo]"),
        ([("examples:", "payout: {hold: {missing_payee_days: 9, then: {US: escheat}}}\nexamples:")], "add default"),
        ([("examples:", "payout: {hold: {missing_payee_days: 9, then: {default: forfeit, usa: escheat}}}\nexamples:")], "payout.hold.then"),
        # examples
        ([("  - example: a direct", "  - sample: 1\n    example: a direct")], "earns for the seller, split 60 to 40 since 2020.sample [sample]: no such key"),
        ([("given:", "given:\n      gossip: []")], "given.gossip [gossip]: no such key"),
        ([("{agreement_id: a1,", "{agreement_id: a1, mood: good,")], "given.agreements.1.mood"),
        ([("revenue: 100.00}", "revenue: 100.00, discount: 3}")], "transactions.before.discount [discount]: no such key"),
        ([(EXPECT, "expect: {earnings: 8.00}")], "expect.earnings [earnings]: no such key; is [earners] meant?"),
        ([("{id: before, ", "{")], "given.transactions.1 [id]: this key is missing"),
        ([("on: 2019-12-31, ", "")], "[on]: this key is missing"),
        ([("id: after", "id: before")], "line [before] stands twice"),
        ([("on: 2019-12-31", "on: 2019")], "a date is needed"),
        ([("revenue: 100.00}", 'revenue: "100.00"}')], "a number is needed"),
        ([("revenue: 100.00}", "revenue: 100.001}")], "more decimals than [USD] has"),
        ([("revenue: 100.00}", "revenue: 1e12}")], "before.revenue [1E+12]: [1E+12] has more than 3 decimals or 12 digits before them"),
        ([("revenue: 100.00}", "revenue: 100.00, quantity: 0.0000001}")], "before.quantity [1E-7]: [1E-7] has more than 6 decimals or 12 digits"),
        ([("given:", "given:\n      fx_rates: [{fx_month: 2020-01-01, from_currency: EUR, to_currency: USD, fx_rate: 1e10}]")], "fx_rate [1E+10]: [1E+10] has more than 18 decimals or 10 digits"),
        ([("given:", "given:\n      fx_rates: [{fx_month: 2020-01-01, from_currency: EUR, to_currency: USD, fx_rate: 0}]")], "fx_rate [0]: a rate is above 0"),
        ([(EXPECT, "expect: {payouts: [{rebate: 8.00}]}"), PAYS], "expect.payouts.1 [due]: this key is missing; add it"),
        ([("revenue: 100.00}", "revenue: 100.00, term: P6M}")], "given.transactions.before.term [P6M]: no delivery says that in term; name some of P1M, P1Y, P3Y, none"),
        ([("given:", "given:\n      products: [{product_id: p, product_segment: home}]")], "given.products.1.product_segment [home]: no delivery says that"),
        ([("revenue: 100.00}", "revenue: 100.00, quantity: -5}")], "transactions.before.quantity [-5]: line [before] has a revenue of the other sign; give both above 0, or both below"),
        ([(GOOD[GOOD.index("examples:") :], BY_DAYS.replace("FIRST", "2021-02-04"))], "given.days.2.on [2021-02-04]: the days do not rise"),
        ([(GOOD[GOOD.index("examples:") :], BY_DAYS.replace("FIRST", "2021-02-05"))], "given.days.2.on [2021-02-04]: the days do not rise; put the earliest first, each once"),
        ([(GOOD[GOOD.index("examples:") :], BY_DAYS.replace("FIRST", "2021-02-02"))], "days.1.transactions.a.on [2021-02-03]: line [a] comes on [2021-02-02], before its own date; bring it on that day or later"),
        ([(GOOD[GOOD.index("examples:") :], BY_DAYS.replace("FIRST", "2021-02-03").replace("quantity: 1", "quantity: -1"))], "days.2.transactions.b.quantity [-1]: line [b] has a revenue of the other sign"),
        ([(EXPECT, "expect: {earned: much}")], "a number is needed"),
        ([(EXPECT, "expect: {lines: {befor: 4.00}}")], "no line [befor] is given"),
        ([(EXPECT, "expect: {decisions: {before: maybe}}")], "decisions.before [maybe]"),
        ([(EXPECT, "expect: {}")], "an example has given and expect"),
        ([(EXPECT, "expect: {posted: [{on: 2020-01-01, amount: 8.00}]}")], "[posted]: what each day posts follows from days"),
        ([("earned: 8.00", "earned: 8.01")], "expected [8.01], computed [8.00]"),
    ],
)  # fmt: skip
def test_a_fault_is_refused_with_file_line_key_and_remedy(tmp_path, changes, says):
    assert says in refused(written(tmp_path, *changes))


@pytest.mark.parametrize(
    "changes",
    [
        [("status: active", "status: retired"), (GOOD[GOOD.index("examples:") :], "examples: []\n")],
        [("at: line", "at: period")],
        [("status: active", "status: draft"), (GOOD[GOOD.index("examples:") :], "examples: []\n")],
        scale("{mode: marginal, brackets: [{threshold: 0, rate: 0.04}, {threshold: 90000, rate: {2021-01-01: 0.2}}]}"),
        [(RATE, "    base: quantity\n    amount: 4\n"), (EXPECT, "expect: {earned: 8.00}")],
        scale("{mode: flat, brackets: [{threshold: 0, rate: {2018-01-01: null, 2019-01-01: 0.04}}]}"),
        scale("{mode: interpolated, brackets: [{threshold: 0, amount: 4}, {threshold: 100, amount: {2019-01-01: 0}}]}"),
        [(RATE, "    rate: {2018-01-01: 0.3, 2019-01-01: 0.04}\n")],
        [("effective: {from: 2019-01-01}", "effective: {from: 2019-01-01, to: 2022-01-01}"),
         (RATE, "    rate: {2019-01-01: 0.04, 2022-01-01: null}\n")],
        [(AZURE, "{product_family: {not: [office365, dynamics365]}, is_trial: false}")],
        [(AZURE, "{product_family: azure, customer_country: NO}")],
        [("enrolment: {", "enrolment: {invite_on: first_transaction, valid_days: 30, ")],
        [("examples:", "coop: {minimum: {2020-01-01: 4000}, usage_months: 6, claims_open: {months: 1, day: 16}, "
                       "grace_days: 45}\npayout: {minimum: 200, unreached: {at: fiscal_year_end, then: forfeit}, "
                       "due: {lag_days: 45, day: 15}, hold: {missing_payee_days: 180, then: {default: forfeit, US: "
                       "escheat}}, offset_negative: fifo}\nexamples:")],
    ],
)  # fmt: skip
def test_what_is_sound_loads_and_keeps_its_examples(tmp_path, changes):
    path = written(tmp_path, *changes)
    assert try_examples(load(path), path) == []


def test_a_text_may_begin_with_a_date(tmp_path):
    path = written(
        tmp_path,
        ("example: a direct sale", "example: 2019-12-31 is a Tuesday"),
        ("title: CSP", "title: 2022-01-01 CSP"),
    )
    assert try_examples(program := load(path), path) == []
    assert (program.title, program.examples[0]["example"][:10]) == ("2022-01-01 CSP Direct Bill Partner", "2019-12-31")


def test_an_empty_file_is_said_to_hold_nothing(tmp_path):
    (tmp_path / "x.yaml").write_text("# to be written\n")
    [fault] = loaded(tmp_path / "x.yaml")[1]
    assert str(fault) == "x.yaml:1: file [nothing]: a program file is a mapping that begins with program:"


def test_every_fault_of_a_file_is_told_at_its_line(tmp_path):
    path = written(
        tmp_path, ("currency: USD", "currency: UDS"), (RATE, "    rate: much\n"), ("id: before", "ide: before"),
        ("from: 2019-01-01}", "from: 2019-02-30}"), ("earner: seller", "earner: buyer"), ("rate: 0.0475", "rate: 1%"),
    )  # fmt: skip
    program, faults = loaded(path)
    told = [path.read_text().splitlines()[fault.line - 1].strip().split(":")[0] for fault in faults]
    assert program is None
    assert sorted(told) == ["- {ide", "- {ide", "currency", "earner", "effective", "rate", "rate"]


def test_faults_between_parts_are_told_besides_those_within_them(tmp_path):
    path = written(
        tmp_path, (RATE, "    rate: much\n"), ("lever: business-applications", "lever: modern-work"),
        ("rebate: {2017-07-01: 1.0", "rebate: {2019-02-01: 1.0"), (GOOD[GOOD.index("examples:"):], "examples: []\n"),
    )  # fmt: skip
    assert [fault.key for fault in loaded(path)[1]] == [
        "levers.azure.rate",
        "split",
        "levers.modern-work.lever",
        "status",
    ]


ENDED = """
examples:
  - example: a partner without an agreement earns once none is asked for
    given:
      agreements: []
      transactions:
        - {id: t1, on: 2019-12-31, product_family: azure, revenue: 100.00}
        - {id: t2, on: 2020-01-01, product_family: azure, revenue: 100.00}
    expect: {decisions: {t1: ineligible, t2: eligible}, unmet: [], eligible: true}
"""


@pytest.mark.parametrize("ended", ["null", "[]"])
def test_from_a_day_on_which_criteria_end_none_is_asked(tmp_path, ended):
    head = GOOD[: GOOD.index("examples:")]
    criteria = head[head.index("eligibility:") : head.index("levers:")]
    dated = f"{{2017-07-01: [{{criterion: active_agreement, any_of: [mpn]}}], 2020-01-01: {ended}}}"
    path = written(
        tmp_path,
        (GOOD[GOOD.index("examples:") :], ENDED),
        (criteria, f"eligibility: {{earns_from: month_start, criteria: {dated}}}\n"),
    )
    assert try_examples(program := load(path), path) == []
    said = program_in_words(program, date(2020, 1, 1)).criteria
    assert [f"{row.about} {row.says}" for row in said][:-1] == ["no criterion is asked"]


def test_parts_of_units_are_refused_where_only_whole_ones_are_counted(tmp_path):
    units = (
        "scale: {mode: marginal, units: first_unit, brackets: [{threshold: 1, amount: 1}, {threshold: 3, amount: 2}]}"
    )
    path = written(
        tmp_path, ("measure: revenue", "measure: quantity"), (RATE, f"    {units}\n"),
        (GOOD[GOOD.index("  - lever: modern-work") : GOOD.index("\nsplit:")], ""), (EXPECT, "expect: {earned: 2.00}"),
        ("expect: {earned: 4.75, eligible: true, unmet: []}", "expect: {earned: 0}"),
    )  # fmt: skip
    assert try_examples(load(path), path) == []
    path.write_text(path.read_text().replace("revenue: 100.00}", "quantity: 2.5}", 1))
    [fault] = try_examples(load(path), path)
    assert (fault.value, fault.remedy) == (
        "2.5",
        "line [before]: units under first_unit are whole; give a whole quantity",
    )


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("", "partner"),
        ("\n    cap: [{per: [product], over: month, amount: 9}]", "partner"),
        ("\n    exclusive_partner: [customer]", "customer"),
        ("\n    one_earning: [customer]", "customer"),
        ("\n    one_earning: [customer]\n    accumulate: {over: month}", "none"),
        ("\n    exclusive_partner: [customer]\n    one_earning: [customer]", "customer"),
        ("\n    exclusive_partner: [customer]\n    minimum: {measure: 9, per: [customer], over: month}", "customer"),
        ("\n    exclusive_partner: [customer]\n    accumulate: {over: month}", "none"),
        ("\n    exclusive_partner: [customer]\n    accumulate: {per: [customer], over: month}", "customer"),
    ],
)
def test_lines_are_divided_by_what_those_that_bear_on_one_another_share(tmp_path, words, key):
    path = written(tmp_path, ("status: active", "status: draft"), ("measure: revenue", f"measure: revenue{words}"))
    assert bucket_key(load(path)) == key


def test_a_cap_over_the_program_keeps_customers_together(tmp_path):
    path = written(
        tmp_path, ("status: active", "status: draft"),
        ("measure: revenue", "measure: revenue\n    exclusive_partner: [customer]"),
        ("\nsplit:", "\ncap: [{over: fiscal_year, amount: 9}]\nsplit:"),
    )  # fmt: skip
    assert bucket_key(load(path)) == "none"


def test_a_folder_of_rule_files_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("INCENTIVES_PROGRAMS", str(tmp_path / "nowhere"))
    with pytest.raises(LookupError, match="INCENTIVES_PROGRAMS is .*nowhere.*, which is no folder"):
        rulebook.programs()


@pytest.mark.parametrize("status", ["draft", "retired", None])
def test_a_folder_without_an_active_program_is_named(one_program, status):
    [path] = one_program.glob("*.yaml")
    if status:
        path.write_text(path.read_text().replace("status: active", f"status: {status}"))
    else:
        path.unlink()
    with pytest.raises(
        LookupError, match="INCENTIVES_PROGRAMS is .*, which holds no active program; put the rule file"
    ):
        rulebook.programs()
