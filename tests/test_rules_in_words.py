"""Program files in words: on a day, over all days, and as a schema that editors check by."""

import ast
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

import rulebook
from app.cli import app
from app.program_meanings import MEANINGS
from app.program_schema import program_schema
from app.rules_in_words import program_in_words
from app.rules_page import rules_page
from transforms import figures_in_words, levers, levers_in_words, published, rules_in_german
from transforms.programs import Program, load
from transforms.published import program_levers
from transforms.rule_file import read
from transforms.vocabulary import WORDS

SHIPPED = sorted(rulebook.programs_folder().glob("*.yaml"))
RESELLER = rulebook.programs_folder() / "csp-indirect-reseller.yaml"
SCHEMA = json.loads(program_schema())
ALL_WORDS = """
program: all-words
title: All words
status: draft
reference: {title: none}
earner: seller
partner_types: [direct_bill, indirect_provider]
currency: USD
fiscal_year_start: "07-01"
reference_date: invoice_date
rounding: {mode: half_even, at: slice}
eligibility:
  earns_from: day_met
  grace_days: 30
  criteria:
    2020-01-01: [{criterion: same_country}]
    2021-01-01: [{criterion: trailing_revenue, at_least: {2021-10-01: 25000}, days: 365}]
enrolment: {invite_on: first_transaction, valid_days: 30, expires: fiscal_year_end, rolls_over: true}
levers:
  - lever: units
    title: Units
    effective: {from: 2021-01-01, to: 2022-01-01}
    select:
      product_family: [office365, windows]
      product_segment: {not: education}
      customer_country: [US, CA]
      is_trial: false
      is_add_on: true
      currency: USD
    measure: quantity
    accumulate: {per: [customer], over: half_year}
    minimum: {measure: {2021-01-01: 5}, per: [customer], over: month}
    stack: {group: core, take: highest}
    cap: [{per: [customer], over: fiscal_year, amount: {2021-01-01: 1000, 2021-07-01: 2000.50}, excess: defer}]
    scale:
      mode: retroactive
      units: first_unit
      brackets:
        - {threshold: 0, amount: 0.3}
        - {threshold: {2021-01-01: 15, 2021-07-01: 20}, amount: 0.45}
        - {threshold: 50, amount: {2021-07-01: 0.7}}
  - lever: growth
    title: Growth
    effective: {from: 2021-01-01}
    select: {}
    measure: growth
    base: {fixed: 100000}
    baseline: {of: revenue, over: previous_quarter}
    accumulate: {per: [customer], over: quarter}
    window: {from: tenant_created, months: 12}
    exclusive_partner: [customer]
    one_earning: [customer, product]
    scale:
      mode: marginal
      on_threshold: lower
      brackets: [{threshold: 0, rate: 0.0125}, {threshold: 1000, rate: {2021-01-01: 0.02, 2021-07-01: 0.03}}]
    illustrative: true
  - lever: lump
    title: Lump
    effective: {from: 2021-01-01}
    select: {customer_segment: commercial}
    measure: count
    accumulate: {per: [customer], over: all}
    scale: {mode: cumulative_lump_sum, brackets: [{threshold: 10, amount: 2000}]}
cap: [{over: fiscal_year, amount: 9000}]
split: {rebate: {2017-07-01: 1.0, 2020-01-01: 0.60}, coop: {2020-01-01: 0.40}}
coop: {minimum: {2020-01-01: 4000, 2021-10-01: 10000}, usage_months: 6, claims_open: {months: 1, day: 16}, grace_days: 45}
payout:
  minimum: {2017-07-01: 200}
  unreached: {at: fiscal_year_end, then: forfeit}
  due: {lag_days: 45, day: 15}
  hold: {missing_payee_days: 180, then: {default: forfeit, US: escheat}}
  offset_negative: fifo
clawback: {ladder: [{from_month: 0, share: 1.0}, {from_month: 7, share: 0.4, kind: lapse}]}
"""


def all_words(folder: Path) -> Program:
    path = folder / "all-words.yaml"
    path.write_text(ALL_WORDS)
    return load(path)


def test_levers_in_force_are_said_with_the_figures_of_the_day(tmp_path):
    units, growth, lump = program_in_words(all_words(tmp_path), date(2021, 2, 3)).levers
    assert units.selects == (
        "office365 or windows, not education, customers in US or CA, not trial, add-on, billed in USD"
    )
    assert units.pays == "retroactive scale of quantity: all lines of the period at the bracket of its total"
    assert units.brackets == [("from unit 0", "0.30 USD a unit"), ("from unit 15", "0.45 USD a unit")]
    assert units.conditions == [
        "counted for each partner, customer and half year",
        "earns from 5 for each partner, customer and month on",
        "of the levers in group core the one that pays most",
        "at most 1,000 USD for each partner, customer and fiscal year; the rest is paid as room appears",
    ]
    assert growth.selects == "every line" and growth.illustrative
    assert growth.brackets == [
        ("above 0 USD", "1.25 % of 100,000 USD for each USD of growth"),
        ("above 1,000 USD", "2 % of 100,000 USD for each USD of growth"),
    ]
    assert growth.conditions == [
        "only in the 12 months since the customer's tenant was created",
        "the first partner to earn keeps the customer",
        "one earning ever for each customer and product",
        "compared with the revenue of the previous quarter",
        "counted for each partner, customer and quarter",
    ]
    assert lump.brackets == [("from 10", "2,000 USD")]
    assert lump.pays.startswith("cumulative_lump_sum scale of the number of customers")


def test_a_lever_is_said_on_its_days_only(tmp_path):
    program = all_words(tmp_path)
    for day, names in (
        ("2020-12-31", []),
        ("2021-12-31", ["units", "growth", "lump"]),
        ("2022-01-01", ["growth", "lump"]),
    ):
        assert [row.lever for row in program_in_words(program, date.fromisoformat(day)).levers] == names


def test_terms_are_said_in_the_order_in_which_they_apply(tmp_path):
    said = program_in_words(all_words(tmp_path), date(2021, 2, 3))
    assert [f"{row.about}: {row.says}" for row in said.terms] == [
        "cap: over all levers at most 9,000 USD for each partner and fiscal year; the rest is forfeited",
        "rounding: each slice's base and its earning is rounded, halves to the even digit",
        "split: rebate 60 %; co-op 40 %; the co-op is rounded as the earning is, the rebate is what that leaves",
        "clawback: a refund takes back 100 % from 0 months on",
        "clawback: a refund of kind lapse takes back 100 % before 7 months",
        "clawback: a refund of kind lapse takes back 40 % from 7 months on",
        "co-op: below 4,000 USD in a half year it becomes rebate",
        "co-op: is used in the 6 months after the half year of earning",
        "co-op: is claimed from day 16 of the second month after the half year on",
        "co-op: is claimed until 45 days after the months of use, the last one included",
        "payout: due on day 15 of the month that holds the earning month's end plus 45 days",
        "payout: from 200 USD on; less is carried forward",
        "payout: what is below the minimum at the end of the fiscal year is forfeited",
        "payout: after 180 days without a payee (default: forfeit, US: escheat)",
        "payout: a negative balance is recovered from later payments, oldest first",
    ]


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2020-06-01", [("same_country", "is in the country of its own tenant")]),
        ("2021-06-01", [("trailing_revenue", "is not asked on this day")]),
        ("2021-10-01", [("trailing_revenue", "had 25,000 USD of revenue in the last 365 days")]),
    ],
)
def test_criteria_are_said_as_listed_on_the_day(tmp_path, day, says):
    criteria = program_in_words(all_words(tmp_path), date.fromisoformat(day)).criteria
    assert criteria[:-2] == says
    assert criteria[-2].says.startswith("invited by the first transaction; an invitation holds 30 days")
    assert criteria[-1].says == "from the day on which all hold until one no longer does; 30 days of grace"


OVER = "accumulate: {per: [customer], over: quarter}"
UNITS = f"measure: growth, baseline: {{of: quantity, over: previous_quarter}}, {OVER}"
ATTAINED = f"measure: attainment, baseline: {{fixed: 500000}}, {OVER}"


@pytest.mark.parametrize(
    ("lever", "says"),
    [
        ("measure: quantity, rate: 3", ["3 USD a unit"]),
        ("measure: revenue, base: quantity, rate: 0.125", ["0.125 USD a unit"]),
        ("measure: quantity, base: {fixed: 5}, rate: 0.5", ["50 % of 5 USD for each unit"]),
        (f"measure: count, base: {{fixed: 5}}, rate: 0.5, {OVER}", ["50 % of 5 USD for each customer"]),
        ("measure: revenue, base: {fixed: 5}, rate: 0.5", ["50 % of 5 USD for each USD of revenue"]),
        (f"{UNITS}, rate: 3", ["3 USD a unit of growth"]),
        (f"{UNITS}, base: {{fixed: 5}}, rate: 3", ["300 % of 5 USD for each unit of growth"]),
        (f"{UNITS}, amount: 3", ["3 USD a unit"]),
        (f"{UNITS}, rate: 3, minimum: {{measure: 20, over: quarter}}", ["earns from 20 of growth for each partner and quarter on"]),
        (f"{ATTAINED}, base: {{fixed: 100}}, rate: 2", ["200 % of 100 USD for the whole baseline"]),
        (f"{ATTAINED}, base: revenue, rate: 0.1, minimum: {{measure: 0.5, per: [customer], over: quarter}}", ["10 % of revenue", "earns from 50 % for each partner, customer and quarter on"]),
        (f"{ATTAINED}, base: revenue, scale: {{mode: flat, brackets: [{{threshold: 1.3, rate: 0.2}}]}}", ["from 130 %"]),
    ],
)  # fmt: skip
def test_figures_are_said_by_what_is_counted(tmp_path, lever, says):
    head, tail = ALL_WORDS[: ALL_WORDS.index("levers:")], ALL_WORDS[ALL_WORDS.index("cap: [{over") :]
    path = tmp_path / "all-words.yaml"
    path.write_text(
        f"{head}levers: [{{lever: x, title: X, effective: {{from: 2021-01-01}}, select: {{}}, {lever}}}]\n{tail}"
    )
    [said] = program_in_words(load(path), date(2021, 2, 3)).levers
    told = [said.pays, *(text for bracket in said.brackets for text in bracket), *said.conditions]
    assert set(says) <= set(told)


def test_a_term_that_is_not_in_force_is_not_said(tmp_path):
    later = ALL_WORDS.replace("{minimum: {2020-01-01: 4000, 2021-10-01: 10000}", "{minimum: {2021-10-01: 10000}")
    for word in (
        "usage_months: 6",
        "{months: 1",
        "grace_days: 45",
        "lag_days: 45",
        "missing_payee_days: 180",
        "share: 0.4",
    ):
        key, number = word.split(": ")
        assert word in later
        later = later.replace(word, f"{key}: {{2021-10-01: {number}}}")
    later = later.replace("minimum: {2017-07-01: 200}", "minimum: {2021-10-01: 200}")
    (tmp_path / "all-words.yaml").write_text(later)
    program = load(tmp_path / "all-words.yaml")
    before, after = (
        [row for row in program_in_words(program, day).terms if row.about in ("clawback", "co-op", "payout")]
        for day in (date(2021, 9, 30), date(2021, 10, 1))
    )
    assert [row.says for row in before] == [
        "a refund takes back 100 % from 0 months on",
        "a negative balance is recovered from later payments, oldest first",
    ]
    assert len(after) == len(before) + 10


def test_claims_late_ladders_and_enrolments_that_do_not_roll_over_are_said(tmp_path):
    (tmp_path / "all-words.yaml").write_text(
        ALL_WORDS.replace("rolls_over: true", "rolls_over: false")
        .replace("ladder: [{from_month: 0, share: 1.0}, {from_month: 7,", "ladder: [{from_month: 3,")
        .replace("levers:\n", "association: {precedence: {2020-01-01: [cpor, reseller], 2022-01-01: null}, opt_out_days: {cpor: {2021-01-01: 7}}}\nlevers:\n")
    )  # fmt: skip
    program = load(tmp_path / "all-words.yaml")
    said = program_in_words(program, date(2021, 2, 3))
    told = [f"{row.about}: {row.says}" for row in (*said.head, *said.criteria, *said.terms)]
    for text in (
        "association: cpor, then reseller: the first that is in force decides who earns",
        "association: from its approval a customer may opt out of a cpor claim for 7 days",
        "clawback: a refund of kind lapse takes back 100 % before 3 months",
        "clawback: a refund of kind lapse takes back 40 % from 3 months on",
        "clawback: any other refund takes back in full",
    ):
        assert text in told, told
    assert any(text.startswith("enrolment: ") and text.endswith("; does not roll over") for text in told)
    assert "no claim counts" in [row.says for row in program_in_words(program, date(2022, 2, 3)).head]
    assert [row.says for row in program_in_words(program, date(2020, 2, 3)).head if row.about == "association"] == [
        "cpor, then reseller: the first that is in force decides who earns"
    ]


def test_the_page_has_every_figure_with_its_days(tmp_path):
    page = rules_page([all_words(tmp_path)])
    for text in (
        "- above 1,000 USD: 2 % from 2021-01-01 to 2021-06-30, 3 % from 2021-07-01 of 100,000 USD for each USD of growth",
        "- from unit 50: 0.70 USD from 2021-07-01 a unit",
        "below 4,000 USD from 2020-01-01 to 2021-09-30; 10,000 USD from 2021-10-01 in a half year",
        "Growth (`growth`) ~ | from 2021-01-01 |",
        "had 25,000 USD from 2021-10-01 of revenue in the last 365 days (from 2021-01-01)",
    ):
        assert text in page, page


def test_what_is_published_has_each_lever_in_words(tmp_path):
    (tmp_path / "all-words.yaml").write_text(ALL_WORDS)
    program = load(tmp_path / "all-words.yaml").model_copy(update={"status": "active"})
    units, growth, lump = program_levers([program], date(2021, 2, 3)).itertuples()
    assert units.selects.startswith("office365 or windows, not education")
    assert units.pays.endswith("; from unit 50: 0.70 USD from 2021-07-01 a unit")
    assert (
        "at most 1,000 USD from 2021-01-01 to 2021-06-30; 2,000.50 USD from 2021-07-01 for each partner" in units.bounds
    )
    assert all(
        "; over all levers at most 9,000 USD for each partner and fiscal year; the rest is forfeited; a refund"
        in row.bounds
        and row.bounds.endswith("; a refund of kind lapse takes back 40 % from 7 months on")
        for row in (units, growth, lump)
    )


def test_what_is_published_is_there_in_german(tmp_path):
    (tmp_path / "all-words.yaml").write_text(ALL_WORDS)
    program = load(tmp_path / "all-words.yaml").model_copy(update={"status": "active"})
    units, growth, lump = program_levers([program], date(2021, 2, 3)).itertuples()
    assert units.selects_de.startswith("office365 oder windows, nicht Bildung, Kunden in US oder CA, nicht Testangebot")
    assert "höchstens 1.000 USD vom 01.01.2021 bis 30.06.2021; 2.000,50 USD ab 01.07.2021 je Partner" in units.bounds_de
    assert "über 1.000 USD: 2 % vom 01.01.2021 bis 30.06.2021, 3 % ab 01.07.2021 auf 100.000 USD" in growth.pays_de
    assert lump.selects_de == "Kunden: gewerblich"


def test_every_text_of_a_rule_is_there_in_german():
    words = set(rules_in_german.WORDS)
    tables = (*levers_in_words.NAMED.values(), *levers_in_words.MODES.values(), *levers_in_words.TAKES.values(),
              *levers_in_words.EXCESS.values(), *levers_in_words.SINCE.values(), *levers_in_words.OVER.values(),
              *levers_in_words.BASES.values())  # fmt: skip
    codes = (
        *get_args(levers.Per),
        *(code for column in ("product_segment", "customer_segment") for code in WORDS[column]),
    )
    periods = [f"previous {name}" for name in ("month", "quarter", "half year", "fiscal year")]
    told = {*tables, *periods, *(code.replace("_", " ") for code in codes)} - {"{what}", ""}
    for module in (figures_in_words, levers_in_words, published):
        for call in ast.walk(ast.parse(Path(module.__file__).read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("tell", "self"):
                given = (
                    [call.args[0].body, call.args[0].orelse] if isinstance(call.args[0], ast.IfExp) else call.args[:1]
                )
                told |= {one.value for one in given if isinstance(one, ast.Constant)}
    assert told - words == set()
    for english, german in rules_in_german.WORDS.items():
        assert set(re.findall(r"{\w+}", german)) <= set(re.findall(r"{\w+}", english)), english


def test_a_lever_without_bounds_is_published_without():
    [azure, *_] = program_levers([load(RESELLER)], date(2022, 3, 25)).query("lever == 'azure'").itertuples()
    assert azure.pays == "4 % of revenue" and pd.isna(azure.bounds)


def test_show_prints_what_is_in_force():
    done = CliRunner().invoke(app, ["programs", "show", "csp-indirect-reseller", "--on", "2019-02-03"])
    assert done.exit_code == 0
    assert "6 % of revenue" in done.output and "office365, not strategic, commercial, not trial" in done.output
    assert "azure-fy21" not in done.output and "Vuzion: most Office 365 offers 6 %, was 8 %" in done.output


def test_show_gives_json():
    done = CliRunner().invoke(app, ["programs", "show", str(RESELLER), "--on", "2022-03-25", "--json"])
    levers = {lever["lever"]: lever for lever in json.loads(done.output)["levers"]}
    assert levers["azure"]["illustrative"] and levers["azure"]["pays"] == "4 % of revenue"


def test_a_program_that_is_not_there_is_named_with_those_that_are():
    done = CliRunner().invoke(app, ["programs", "show", "csp", "--on", "2022-03-25"])
    assert isinstance(done.exception, LookupError) and "csp-direct-bill" in str(done.exception)


def as_json(value: Any) -> Any:
    """A file's content as an editor has it: days as text, numbers as JSON has them."""
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value if isinstance(value, str | bool | None) else str(value) if isinstance(value, date) else float(value)


def errors(content: Any) -> list[str]:
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(as_json(content))]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_program_shipped_keeps_the_schema_that_it_names(path):
    assert errors(read(path)[0]) == []
    assert path.read_text().startswith("# yaml-language-server: $schema=program.schema.json\n")


def test_all_words_keep_the_schema(tmp_path):
    all_words(tmp_path)
    assert errors(read(tmp_path / "all-words.yaml")[0] | {"examples": []}) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"surprise": 1}, "$"),
        ({"status": "alive"}, "$.status"),
        ({"cap": [{"over": "trailing_12_months", "amount": 9}]}, "$.cap[0].over"),
        ({"split": {"rebate": {"january": 1}}}, "$.split.rebate"),
        ({"split": {"rebate": "all"}}, "$.split.rebate"),
        ({"coop": {"maximum": 3}}, "$.coop"),
        ({"levers": [{"lever": "x", "select": {"product_flavour": "x"}}]}, "$.levers[0].select"),
        ({"levers": [{"lever": "x", "select": {"is_trial": "yes-please"}}]}, "$.levers[0].select.is_trial"),
        ({"examples": [{"given": {"gossip": []}}]}, "$.examples[0].given"),
    ],
)
def test_what_the_schema_does_not_know_is_refused_at_its_place(change, place):
    assert place in errors(read(RESELLER)[0] | change)


def test_every_key_of_a_program_file_has_a_meaning_and_no_meaning_lacks_its_key():
    parts = {"Program": SCHEMA, **SCHEMA["$defs"]}
    keys = {f"{part}.{key}": held for part, found in parts.items() for key, held in found["properties"].items()}
    assert all(held["description"] for held in keys.values())
    assert set(MEANINGS) <= set(keys)
