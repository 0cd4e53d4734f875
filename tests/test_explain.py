"""Every sum is explained down to the delivered file's line, and back."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest
from typer.testing import CliRunner

import pipeline
from app import explained
from app.cli import app
from tests.deliveries import DAY, T1, WORLD, ask, land, land_world, settle_next, take_in_world
from tests.test_cells import first, sale, write
from warehouse.columns import COLUMNS

pytestmark = pytest.mark.usefixtures("one_program")
NEXT = "2021-03-24"


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["explain", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_entry_leads_to_its_line_price_criteria_and_file(first_day):
    [(entry,)] = ask("SELECT entry_id FROM earnings_ledger WHERE earning_type = 'rebate'")
    said = run(entry)
    for words in (
        "line        t1 of 2021-03-23", f"delivered   {DAY}-transactions-1, transactions.csv, line 2",
        "csp-indirect-reseller, partner 1000001: eligible (azure-fy21)", "met            active_agreement",
        "agreement a1 from 2018-01-01", "100.00 USD × 4 % = 4.00 USD", "split     rebate 2.40 USD, co-op 1.60 USD",
        "Vuzion and cloudmarket.com", f"rebate           2.40 USD  new_line  {entry}",
    ):  # fmt: skip
        assert words in said


def test_an_entry_is_explained_by_what_was_known_when_it_was_posted(first_day):
    [(entry,)] = ask("SELECT entry_id FROM earnings_ledger WHERE earning_type = 'rebate'")
    land("agreements", [WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}], NEXT)
    land("transactions", [T1 | {"revenue": "50.00"}], NEXT)
    pipeline.run()
    said = run(entry)
    for words in (
        "revenue 100.00 USD", f"delivered   {DAY}-transactions-1, transactions.csv, line 2", f"known       as told here on {DAY}",
        f"of {DAY}; replaced on {NEXT} by {NEXT}-transactions-1, transactions.csv, line 2", "100.00 USD × 4 % = 4.00 USD",
        "eligible (azure-fy21)", "corrected_line",
    ):  # fmt: skip
        assert words in said, said
    assert "revenue 50.00 USD" in (now := run("t1")) and "known  " not in now


def test_a_line_says_what_was_posted_for_it_and_why(first_day):
    land("agreements", [WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}], NEXT)
    land("transactions", [T1 | {"revenue": "50.00"}], NEXT)
    pipeline.run()
    said = run("t1")
    assert "ineligible (IVDMPN)" in said and "eligibility_lost (active_agreement)" in said and "corrected_line" in said
    assert "rebate           0.00 USD" in said


def test_an_exchange_rate_is_named_with_its_month(home):
    land_world(fx_rates=[{"fx_rate": "1.2345"}])
    land("transactions", [T1 | {"currency": "EUR"}])
    pipeline.run()
    assert "exchange  1 EUR = 1.2345 USD in 2021-03" in run("t1")


def test_a_corrected_exchange_rate_shows_what_it_moves_and_both_rates(home):
    take_in_world()
    land("transactions", [T1 | {"currency": "EUR"}])
    pipeline.run()
    land("fx_rates", [{"fx_rate": "2"}], NEXT)
    settle_next(NEXT, [T1 | {"currency": "EUR", "revenue": "50.00"}])
    said = run("t1")
    assert "coop            -0.80 EUR          -0.97 USD  corrected_line  " in said
    assert (
        "coop             0.00 EUR           0.64 USD  fx_correction (1 EUR = 2 USD in 2021-03, before 1.2121)" in said
    )
    assert "sum         csp-indirect-reseller  rebate           1.20 EUR           2.40 USD" in said


def test_an_exchange_rate_that_is_not_there_is_named(first_day):
    settle_next(NEXT, [{"transaction_id": "t2", "currency": "CHF"}])
    assert "no rate from CHF to USD was delivered for 2021-03" in run("t2")


@pytest.mark.parametrize(
    ("lever", "says"),
    [
        ("rate: 0.04, cap: [{over: month, amount: 3, excess: defer}]", (
            "100.00 USD × 4 %, of which 3.00 USD; held by a cap",
            "bounds    at most 3 USD for each partner and month; the rest is paid as room appears",
        )),
        ("amount: 2.50, base: quantity", ("bracket 1: at 2.5 USD = 2.50 USD", "pays      2.50 USD a unit")),
        ("scale: {mode: marginal, brackets: [{threshold: 0, rate: 0.02}, {threshold: 50, rate: 0.06}]}", (
            "bracket 2: 50.00 USD × 6 % = 3.00 USD",
            "each slice of a line at its own bracket; from 0 USD: 2 % of revenue; from 50 USD: 6 % of revenue",
        )),
        ("scale: {mode: flat, brackets: [{threshold: 500, rate: 0.02}]}", ("tiers pays nothing for the line: 0.00 USD",)),
    ],
    ids=["cap", "by the unit", "brackets", "below all brackets"],
)  # fmt: skip
def test_the_rule_that_makes_a_price_is_said(home, one_program, lever, says):
    write(one_program, lever)
    first(sale("t1", "100"))
    said = run("t1")
    assert all(words in said for words in says), said


def test_a_refund_says_what_was_left_and_what_the_ladder_takes_of_it(home, one_program):
    ladder = "[{from_month: 0, share: 1.0}, {from_month: 1, share: 0.4}]"
    write(one_program, "rate: 0.04", more=f"clawback: {{ladder: {ladder}}}\n")
    first(sale("t1", "100"))
    later = "2021-04-26"
    land("fx_rates", [{"fx_month": "2021-04"}], later)
    refunds = [sale("r1", "-50", later, reverses="t1"), sale("r2", "-90", later, reverses="t1")]
    settle_next(later, [*refunds, sale("r3", "50", later, reverses="r1")])
    for line, says in (
        ("r1", "takes back 50.00 / 100.00 USD of the 4.00 USD left of t1, -2.00 USD, of which after 1 completed month -0.80 USD"),
        ("r2", "takes back 50.00 / 50.00 USD of the 3.20 USD left of t1, -3.20 USD, of which after 1 completed month -1.28 USD"),
        ("r3", "gives back 50.00 / 50.00 USD of the -0.80 USD left of r1 = 0.80 USD"),
    ):  # fmt: skip
        assert says in (said := run(line)), said
        assert "a refund takes back 100 % from 0 months on; a refund takes back 40 % from 1 months on" in said


def test_rules_that_were_edited_since_an_entry_are_said_to_be_todays(first_day, one_program):
    [(entry,)] = ask("SELECT entry_id FROM earnings_ledger WHERE earning_type = 'rebate'")
    file = one_program / "csp-indirect-reseller.yaml"
    file.write_text(file.read_text().replace("\ntitle: ", "\ntitle: The "))
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert "; in the words of today's rules, " in run(entry) and "today's" not in run("t1")


def test_all_that_can_hold_an_earning_has_words():
    assert set(explained.HELD_BY) == set(COLUMNS["held_by"].one_of)


def test_a_files_line_leads_to_all_that_it_caused(first_day):
    settle_next(NEXT, [T1, {"transaction_id": "r", "reverses": "t1", "revenue": "-25.00"}])
    [found] = json.loads(
        run("--file", "transactions.csv", "--line", "3", "--delivery", f"{NEXT}-transactions-1", "--json")
    )
    assert found["line"]["transaction_id"] == "r" and {e["cause"] for e in found["entries"]} == {"refund"}


@pytest.mark.parametrize(
    ("rows", "manifest", "became"),
    [
        ([{"transaction_id": "o"}], {"supersedes": f"{DAY}-transactions-1"}, "withdrawn"),
        ([T1 | {"revenue": "50.00"}], {}, "corrected"),
    ],
)
def test_a_refund_that_moves_with_its_original_says_so(first_day, rows, manifest, became):
    settle_next(NEXT, [{"transaction_id": "r", "reverses": "t1", "revenue": "-60.00"}])
    settle_next("2021-03-25", rows, **manifest)
    assert f"corrected_line (t1, which it reverses, was {became})" in run("r")


def test_a_line_that_was_replaced_or_withdrawn_is_found_by_its_file_or_id(first_day):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}, {"transaction_id": "unpaid", "product_id": "none"}])
    settle_next("2021-03-25", [{"transaction_id": "o"}], supersedes=f"{NEXT}-transactions-1")
    replaced = f"replaced on {NEXT} by {NEXT}-transactions-1, transactions.csv, line 2"
    file = ("--file", "transactions.csv", "--line", "2", "--delivery")
    [(entry,)] = ask("SELECT entry_id FROM earnings_ledger WHERE cause = 'withdrawn_line' AND earning_type = 'rebate'")
    for asked, revenue, became in (
        ((*file, f"{DAY}-transactions-1"), "100.00", replaced),
        ((*file, f"{NEXT}-transactions-1"), "50.00", "withdrawn on 2021-03-25"),
        (("t1",), "50.00", "withdrawn on 2021-03-25"),
        ((entry,), "50.00", "withdrawn on 2021-03-25"),
        (("unpaid",), "100.00", "withdrawn on 2021-03-25"),
    ):
        said = run(*asked)
        assert f"revenue {revenue} USD" in said and became in said, said


@pytest.mark.parametrize(
    ("file", "delivery", "says"),
    [
        ("fx_rates.csv", [], "is of feed [fx_rates], one exchange rate for one calendar month"),
        ("part.csv", ["--delivery", f"{DAY}-agreements-1"], f"Read the row in archive/{DAY}-agreements-1 of the home"),
        ("transactions.csv", [], "it may be set aside"),
    ],
)
def test_a_line_of_another_feed_is_told_by_what_it_is_of(first_day, file, delivery, says):
    done = CliRunner().invoke(app, ["explain", "--file", file, "--line", "99", *delivery])
    assert isinstance(done.exception, LookupError) and says in str(done.exception)


def test_a_partners_month_sums_its_lines(first_day):
    settle_next(NEXT, [{"transaction_id": "t2"}, {"transaction_id": "t3", "product_id": "none"}])
    found = json.loads(run("--partner", "1000001", "--period", "2021-03", "--json"))
    assert [row["transaction_id"] for row in found["lines"]] == ["t1", "t2"]
    assert (
        sum(float(row["amount"]) for row in found["totals"]) == sum(float(row["earned"]) for row in found["lines"]) == 8
    )
    assert [row["reason_codes"] for row in found["earns nothing"]] == ["UNKATTR"]


def test_what_became_of_a_fund_or_a_balance_is_explained_by_what_it_is_of(first_day):
    land("fx_rates", [{"fx_month": "2021-08"}], "2021-08-16")
    settle_next("2021-08-16", [{"transaction_id": "new", "transaction_at": "2021-08-16T10:00:00Z"}])
    entries = "SELECT entry_id FROM earnings_ledger WHERE cause = '{}' AND earning_type = '{}'"
    for cause, kind, says in (
        ("coop_converted", "rebate", (
            "settlement  coop converted of 2021-08-16, csp-indirect-reseller rebate of partner 1000001: 1.60 USD",
            "fund        co-op of 2021-01-01 until before 2021-07-01, claimable", "accrued 1.60 USD", "open 0.00 USD",
            "why         co-op of the half year to 2021-06-30 below the minimum", "coop            -1.60 USD  coop_converted",
        )),
        ("forfeited", "rebate", (
            "settlement  forfeited of 2021-08-16, csp-indirect-reseller rebate of partner 1000001: -2.40 USD",
            "why         below the minimum at the fiscal year's end", "for         2021-03  azure-fy21 ", " 2.40 USD  1 line\n",
        )),
    ):  # fmt: skip
        [(entry,)] = ask(entries.format(cause, kind))
        said = run(entry)
        assert all(words in said for words in says), said


@pytest.mark.parametrize("month", ["2021-03", "2021-06"])
def test_the_rows_of_a_partners_month_add_up_to_its_totals(first_day, month):
    land("fx_rates", [{"fx_month": "2021-08"}], "2021-08-16")
    settle_next("2021-08-16", [{"transaction_id": "new", "transaction_at": "2021-08-16T10:00:00Z"}])
    found = json.loads(run("--partner", "1000001", "--period", month, "--json"))
    rows = found["lines"] + found["adjustments"] + found["settlements"]
    for total, shown in (("amount", ("amount", "earned")), ("program_amount", ("program_amount", "program_earned"))):
        assert sum(Decimal(row[total]) for row in found["totals"]) == sum(
            Decimal(row[name]) for row in rows for name in shown if name in row
        )
    assert found["settlements"]


def test_an_id_that_does_not_exist_is_said(first_day):
    done = CliRunner().invoke(app, ["explain", "nobody"])
    assert isinstance(done.exception, LookupError) and "is no ledger entry" in str(done.exception)


@pytest.mark.parametrize(
    "asked", [["t1"], ["--partner", "1000001", "--period", "2021-03"], ["--file", "transactions.csv", "--line", "2"]]
)
def test_explaining_loads_no_pandas(first_day, asked):
    code = "import sys; from app.cli import app; app(sys.argv[1:], standalone_mode=False); sys.exit('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "explain", *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "t1" in done.stdout, done.stderr
