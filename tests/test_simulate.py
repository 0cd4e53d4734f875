"""A what-if says to the cent what a restatement would post, and leaves everything as it was."""

import csv
import hashlib
import json
import shutil
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import operations
import pipeline
import rulebook
from app.cli import app, main
from tests.deliveries import DAY, T1, WORLD, ask, land, settle_next, take_in_world
from tests.test_causes import AZURE, HALVES, SPLIT, edit_rules
from tests.test_cells import DAYS, TIERS, sale, write
from tests.test_cells import rules as rules  # a fixture
from transforms import simulation
from warehouse import content, store

YEAR = (date(2021, 1, 1), date(2022, 1, 1))
NEXT, APRIL = "2021-03-24", "2021-04-01"
FIVE = (AZURE, AZURE.replace("0.04", "0.05"))


@pytest.fixture
def edited(one_program, tmp_path_factory) -> Path:
    """A copy of the rule files in force, to be edited."""
    return shutil.copytree(one_program, tmp_path_factory.mktemp("what-if") / "edited")


def sums(found: operations.Simulation, side: str) -> dict[tuple, tuple[Decimal, Decimal]]:
    """What one side earns, by the ledger's keys, in both currencies."""
    rows = simulation.in_major_units(found.rows)
    made = {
        (r.program, r.lever, r.partner_id, r.earning_month.date(), r.earning_type, r.currency): (
            getattr(r, side),
            getattr(r, f"program_{side}"),
        )
        for r in rows.itertuples()
    }
    return {key: amounts for key, amounts in made.items() if any(amounts)}


def posted() -> dict[tuple, tuple[Decimal, Decimal]]:
    """What the ledger says, by the same keys."""
    rows = ask(
        "SELECT program, lever, partner_id, earning_month, earning_type, currency, sum(amount), sum(program_amount) "
        "FROM earnings_ledger GROUP BY ALL HAVING sum(amount) <> 0 OR sum(program_amount) <> 0"
    )
    return {tuple(row[:6]): tuple(row[6:]) for row in rows}


def differences(found: operations.Simulation) -> dict[tuple[str, str], str]:
    """(program, month) → the difference in program currency."""
    rows = simulation.in_major_units(simulation.summed(found.rows, ["earning_month"]))
    return {(r.program, f"{r.earning_month:%Y-%m}"): f"{r.difference:.2f}" for r in rows.itertuples()}


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["simulate", *words])
    return done.exit_code, " ".join(done.output.replace("│", " ").split())


def put_in_force(edited: Path, in_force: Path) -> None:
    for path in in_force.glob("*.yaml"):
        path.unlink()
    shutil.copytree(edited, in_force, dirs_exist_ok=True)
    operations.restate(YEAR[0], by="anna", approved_by="ben")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([FIVE], marks=pytest.mark.slow),
        pytest.param([FIVE, (SPLIT, HALVES)], marks=pytest.mark.slow),
        [("any_of: {2017-07-01: [mpn]}", "any_of: {2017-07-01: [mpa]}")],
        pytest.param([("lever: azure-fy21", "lever: azure-in-fy21")], marks=pytest.mark.slow),
    ],
    ids=["rate", "rate and split", "eligibility", "lever"],
)
def test_a_simulation_says_what_the_restatement_posts(first_day, one_program, edited, changes):
    land("fx_rates", [{"fx_rate": "1.5"}], NEXT)
    settle_next(
        NEXT,
        [
            {"transaction_id": "e", "currency": "EUR", "revenue": "33.33"},
            {"transaction_id": "r", "reverses": "t1", "revenue": "-25.00"},
        ],
    )
    edit_rules(edited, *changes)
    found = operations.simulate(edited, *YEAR)
    assert sums(found, "in_force") == posted() != {}
    put_in_force(edited, one_program)
    assert sums(found, "simulated") == posted()
    assert (found.rows["difference_minor"] != 0).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "levers",
    [
        "accumulate: {over: quarter}, scale: {mode: retroactive, " + TIERS.replace("150", "160"),
        "accumulate: {over: month}, scale: {mode: marginal, " + TIERS,
        "rate: 0.04, minimum: {measure: 300, over: month}",
        "rate: 0.04, cap: [{over: fiscal_year, amount: 8, excess: forfeit}]",
    ],
    ids=["bracket", "scope", "minimum", "cap"],
)
def test_a_simulated_scope_is_filled_by_all_its_lines(rules, tmp_path_factory, levers):
    write(rules, "accumulate: {over: quarter}, scale: {mode: retroactive, " + TIERS)
    take_in_world(DAYS[0])
    land("transactions", [sale("a", "100.00", "2021-02-20"), sale("b", "60.00")], DAYS[0])
    pipeline.run()
    land("fx_rates", [{"fx_month": "2021-04"}], APRIL)
    settle_next(APRIL, [sale("c", "70.00", APRIL), sale("r", "-10.00", APRIL, reverses="b")])
    changed = tmp_path_factory.mktemp("changed")
    write(changed, levers)
    months = [date(2021, 2, 1), date(2021, 3, 1), date(2021, 4, 1), date(2021, 5, 1)]
    parts = [operations.simulate(changed, *span) for span in zip(months, months[1:], strict=False)]
    found = operations.simulate(changed, *YEAR)
    for side in ("in_force", "simulated"):
        assert sorted(one for part in parts for one in sums(part, side).items()) == sorted(sums(found, side).items())
    put_in_force(changed, rules)
    assert sums(found, "simulated") == posted()
    assert operations.verify()["differences"] == []


def test_a_scope_counts_lines_before_the_range_that_earn_only_under_the_changed_rules(rules, tmp_path_factory):
    write(rules, "rate: 0.04")
    take_in_world(DAYS[0])
    land("transactions", [sale("a", "100.00", "2021-02-20"), sale("b", "60.00")], DAYS[0])
    pipeline.run()
    changed = tmp_path_factory.mktemp("changed")
    write(changed, "accumulate: {over: quarter}, scale: {mode: retroactive, " + TIERS)
    text = (changed / "csp-indirect-reseller.yaml").read_text().replace("status: active", "status: draft")
    (changed / "tiers.yaml").write_text(text.replace("program: csp-indirect-reseller", "program: tiers"))
    found = operations.simulate(changed, date(2021, 3, 1), date(2021, 4, 1))
    assert differences(found)["tiers", "2021-03"] == "3.60"


def test_the_rules_in_force_are_those_of_the_last_run_whatever_edit_is_held(first_day, home, one_program, edited):
    edit_rules(one_program, FIVE)
    before = held(home)
    assert differences(operations.simulate(edited, *YEAR)) == {("csp-indirect-reseller", "2021-03"): "0.00"}
    assert held(home) == before


@pytest.mark.parametrize("more", ["", "# a comment\n"], ids=["the same files", "files that mean the same"])
def test_rules_that_say_the_same_make_no_difference(first_day, edited, more):
    land("transactions", [T1 | {"revenue": "50.00"}, {"transaction_id": "late"}], DAY, number=2)
    pipeline.ingest()
    [path] = edited.glob("*.yaml")
    path.write_text(path.read_text() + more)
    found = operations.simulate(edited, *YEAR)
    assert found.programs == {path.stem: "edited" if more else "unchanged"}
    assert found.waiting == [f"{DAY}-transactions-2"]
    assert sums(found, "in_force") == sums(found, "simulated") != {}
    assert differences(found) == {(path.stem, "2021-03"): "0.00"}
    assert found.rows["program_in_force_minor"].sum() == 600  # 4 % of 50 and of 100


def held(home: Path) -> dict[str, object]:
    """The content hash of each table of the warehouse, and the hash of each file of the home."""
    with store.warehouse() as con:
        names = con.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT temporary"
        ).fetchall()
        tables = {name: content.content_hash(con, name) for (name,) in names}
    files = {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(home.rglob("*")) if p.is_file()}
    folders = {str(p): "" for p in home.rglob("*") if p.is_dir()}
    return tables | files | folders


def test_a_simulation_writes_nothing(first_day, home, edited, tmp_path_factory):
    edit_rules(edited, FIVE)
    before, out = held(home), tmp_path_factory.mktemp("report")
    code, told = run("--programs", str(edited), "--from", "2021-03", "--to", "2021-04", "--out", str(out))
    assert code == 0 and "1.00" in told
    assert held(home) == before and len(before) > 30


@pytest.mark.slow
def test_days_are_half_open_and_a_refund_stands_with_its_line(first_day, edited):
    land("fx_rates", [{"fx_month": "2021-04"}], APRIL)
    back = {"transaction_id": "r", "reverses": "t1", "revenue": "-50.00", "transaction_at": f"{APRIL}T10:00:00Z"}
    settle_next(APRIL, [{"transaction_id": "a", "transaction_at": f"{APRIL}T00:00:00Z"}, back])
    edit_rules(edited, FIVE)
    name = "csp-indirect-reseller"
    assert differences(operations.simulate(edited, *YEAR)) == {(name, "2021-03"): "0.50", (name, "2021-04"): "1.00"}
    assert differences(operations.simulate(edited, date(2021, 3, 23), date(2021, 4, 1))) == {(name, "2021-03"): "0.50"}
    assert differences(operations.simulate(edited, date(2021, 4, 1), date(2021, 4, 2))) == {(name, "2021-04"): "1.00"}
    assert differences(operations.simulate(edited, date(2021, 3, 24), date(2021, 4, 1))) == {}


def test_drafts_are_simulated_and_programs_that_are_lacking_are_retired(first_day, edited):
    [path] = edited.glob("*.yaml")
    text = (
        path.read_text()
        .replace("program: csp-indirect-reseller", "program: {}", 1)
        .replace("status: active", "status: draft")
    )
    text = "\n".join(line for line in text.splitlines() if not line.startswith("enrolment:"))
    for name, more in (("next-year", text), ("later", text.replace("at: line", "at: period"))):
        (edited / f"{name}.yaml").write_text(more.replace("program: {}", f"program: {name}"))
    path.unlink()
    found = operations.simulate(edited, *YEAR)
    assert found.programs == {path.stem: "retired", "later": "draft", "next-year": "draft"}
    assert differences(found) == {
        (path.stem, "2021-03"): "-4.00", ("later", "2021-03"): "4.00", ("next-year", "2021-03"): "4.00",
    }  # fmt: skip


def test_retired_files_alone_take_everything_back(first_day, edited):
    [path] = edited.glob("*.yaml")
    path.write_text(path.read_text().replace("status: active", "status: retired"))
    assert differences(operations.simulate(edited, *YEAR)) == {(path.stem, "2021-03"): "-4.00"}


def test_the_report_adds_up_by_program_lever_month_and_partner(first_day, edited, tmp_path_factory):
    land("partners", [*WORLD["partners"], {"partner_id": "1000002"}], NEXT)
    land("payee_profiles", [{"partner_id": p} for p in ("1000001", "1000002")], NEXT)
    land("competencies", [{"partner_id": p} for p in ("1000001", "1000002")], NEXT)
    land("enrolments", [{"partner_id": p} for p in ("1000001", "1000002")], NEXT)
    both = [{"agreement_id": f"a{n}", "partner_id": f"100000{n}"} for n in (1, 2)]
    land("agreements", both, NEXT)
    land(
        "transactions",
        [{"transaction_id": "t2", "reseller_id": "1000002", "currency": "JPY", "revenue": "10000"}],
        NEXT,
    )
    land("fx_rates", [{"from_currency": "JPY", "fx_rate": "0.01"}], NEXT)
    pipeline.run()
    edit_rules(edited, FIVE)
    out = tmp_path_factory.mktemp("report") / "new"
    words = ["simulate", "--programs", str(edited), "--from", "2021-03", "--to", "2021-04"]
    done = CliRunner().invoke(app, [*words, "--json", "--out", str(out)])
    said = json.loads(done.stdout)
    assert (said["as_of"], said["from"], said["to"], said["rules"]) == (
        NEXT, "2021-03-01", "2021-04-01", {"csp-indirect-reseller": "edited"},
    )  # fmt: skip
    assert [(row["partner_id"], row["difference"]) for row in said["by_partner"]] == [
        ("1000001", "1.000"), ("1000002", "1.000"),
    ]  # fmt: skip
    for view in ("by_program", "by_lever", "by_month"):
        [row] = said[view]
        assert (row["in_force"], row["simulated"], row["difference"], row["coop_difference"], row["program_currency"]) == (
            "8.000", "10.000", "2.000", "0.800", "USD",
        )  # fmt: skip
    rows = list(csv.DictReader((out / "simulation.csv").open()))
    assert {(r["currency"], r["earning_type"], r["difference"], r["program_difference"]) for r in rows} == {
        ("USD", "rebate", "0.600", "0.600"), ("USD", "coop", "0.400", "0.400"),
        ("JPY", "rebate", "60.000", "0.600"), ("JPY", "coop", "40.000", "0.400"),
    }  # fmt: skip
    spec = json.loads((out / "simulation.vl.json").read_text())
    assert spec["data"]["values"] == [
        {"program": "csp-indirect-reseller, USD", "lever": "azure-fy21", "month": "2021-03", "difference": 2.0}
    ]
    assert (out / "simulation.svg").read_text().startswith("<svg")
    done = CliRunner().invoke(app, [*words, "--json", "--partner", "1000002"])
    assert [row["partner_id"] for row in json.loads(done.stdout)["by_partner"]] == ["1000002"]


def test_a_plot_without_a_difference_is_drawn_too(first_day, edited, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    for days in (("2021-03", "2021-04"), ("2019-03", "2019-04")):
        assert run("--programs", str(edited), "--from", days[0], "--to", days[1], "--out", str(out))[0] == 0
        assert (out / "simulation.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("status: active", "status: alive", "csp-indirect-reseller.yaml:4: status"),
        (*FIVE, "csp-indirect-reseller.yaml:3"),
    ],
    ids=["a word", "an example"],
)
def test_files_that_do_not_load_are_refused_with_file_line_and_key(
    first_day, edited, monkeypatch, capsys, old, new, says
):
    [path] = edited.glob("*.yaml")
    path.write_text(path.read_text().replace(old, new))
    words = ["incentives", "simulate", "--programs", str(edited), "--from", "2021-03", "--to", "2021-04"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    assert stopped.value.code == 1 and says in told.err and not told.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "2021-03", "--to", "2021-03"], "[2021-03-01] is not after [2021-03-01]"),
        (["--from", "2021-03", "--to", "April"], "'April' does not match"),
        (["--from", "2021-03"], "Missing option '--to'"),
        (["--from", "2021-03", "--to", "2021-04", "--programs", "/nowhere"], "'/nowhere' does not exist"),
        (["--from", "2021-03", "--to", "2021-04", "--programs", "."], "holds no rule file"),
        (["--from", "2021-03", "--to", "2021-04", "--out", "/nowhere/at/all"], "folder [/nowhere/at] does not exist"),
    ],
)
def test_wrong_usage_is_said_before_any_work(home, edited, words, says):
    code, told = run("--programs", str(edited), *words)
    assert code == 2 and says in told


def test_a_simulation_waits_for_the_warehouse_and_says_who_holds_it(first_day, edited, monkeypatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0)
    with store.locked("settle 2021-03-24"), pytest.raises(pipeline.Busy, match="held by .settle 2021-03-24, process"):
        operations.simulate(edited, *YEAR)


def test_nothing_is_simulated_before_the_first_settled_day(home, edited):
    with pytest.raises(LookupError, match="nothing is settled yet"):
        operations.simulate(edited, *YEAR)


def test_a_range_grows_to_the_whole_periods_that_it_touches(one_program):
    [plain] = rulebook.programs_in(one_program)
    day = (date(2021, 3, 5), date(2021, 3, 6))
    assert simulation.whole_periods([plain], *day) == day
    scope = {"quarter": (date(2021, 1, 1), date(2021, 4, 1)), "all": (date.min, date.max)}
    for over, expected in scope.items():
        lever = plain.levers[0].model_copy(
            update={"accumulate": plain.levers[0].accumulate.model_copy(update={"over": over})}
        )
        program = plain.model_copy(update={"levers": [lever]})
        assert simulation.whole_periods([plain, program], *day) == expected


def test_sums_keep_money_whole_where_a_side_lacks_them():
    row = dict.fromkeys(simulation.KEY, "x") | dict.fromkeys(simulation.UNITS, 2)
    rows = pd.DataFrame([row | dict.fromkeys(simulation.AMOUNTS, 2**53 + 1) | {"is_illustrative": False}])
    [made] = simulation.simulation(rows, rows[:0]).to_dict("records")
    assert (made["in_force_minor"], made["difference_minor"]) == (2**53 + 1, -(2**53 + 1))
