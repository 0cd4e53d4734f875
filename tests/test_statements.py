"""A statement is the ledger's: its balances meet, its rows sum to them, on paper and in the workbook."""

import io
import shutil
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from typer.testing import CliRunner

import pipeline
from app import statements
from app.cli import app
from app.dashboard.words import Words, german
from tests.deliveries import T1, settle_next
from warehouse import releases
from warehouse.columns import COLUMNS

MARCH = date(2021, 3, 1)


@pytest.fixture(scope="module", autouse=True)
def published(settled, tmp_path_factory):
    """A settled day with a line of 100.00, which the next day corrects, when another comes."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(settled[0], home, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(home))
        releases.rehome()
        settle_next("2021-03-24", [T1 | {"revenue": "50.00"}, {"transaction_id": "t2", "currency": "EUR"}])
        yield


@pytest.fixture
def con():
    with releases.reader(pipeline.current_release()) as opened:
        yield opened


def stated(con, partner: str = "1000001", month: date = MARCH) -> statements.Statement:
    return statements.statement(statements.asked(con, partner), partner, month, date(2021, 3, 24))


def total(rows: list[dict], *fields: str) -> dict[tuple, Decimal]:
    sums: dict[tuple, Decimal] = {}
    for row in rows:
        key = (row["program"], row["earning_type"], row["currency"])
        sums[key] = sums.get(key, Decimal(0)) + sum(row[field] for field in fields)
    return sums


def test_the_rows_sum_to_the_balances_and_the_balances_to_the_ledger(con):
    balances, earned, adjusted, settled = stated(con).sections
    assert {row["cause"] for row in earned.rows} == {"new_line", "corrected_line"}
    assert total(earned.rows, "amount") == total(balances.rows, "earned")
    assert (adjusted.rows, settled.rows) == ([], [])
    moved = total(balances.rows, "opening", "earned", "adjusted", "paid", "given_up")
    ledger = con.execute(
        "SELECT program, earning_type, currency, sum(amount) FROM earnings_ledger WHERE partner_id = '1000001' GROUP BY ALL"
    ).fetchall()
    assert moved == total(balances.rows, "closing") == {tuple(row[:3]): row[3] for row in ledger}


def test_a_month_opens_with_what_the_one_before_closed_with(con):
    opening = total(stated(con, month=date(2021, 4, 1)).sections[0].rows, "opening")
    assert opening == total(stated(con).sections[0].rows, "closing")


def test_nobody_is_told_of_somebody_elses_money(con):
    with pytest.raises(LookupError, match="no balance"):
        stated(con, partner="2000001")


def test_the_workbook_holds_the_same_figures_as_numbers(con):
    made = stated(con)
    book = openpyxl.load_workbook(io.BytesIO(statements.xlsx(made, statements.reader(con, "en"))))
    rows = list(book["Balances"].iter_rows(min_row=2, values_only=True))
    assert sorted(row[-2] for row in rows) == sorted(float(row["closing"]) for row in made.sections[0].rows)
    assert {row[-1] for row in rows} == {"USD", "EUR"}


@pytest.mark.parametrize("name", ["statement.pdf", "statement.xlsx"])
def test_a_statement_is_written_and_opens(tmp_path, name):
    done = CliRunner().invoke(
        app,
        ["statement", "--partner", "1000001", "--month", "2021-03", "--out", str(tmp_path / name), "--language", "de"],
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / name).read_bytes()[:4] == {".pdf": b"%PDF", ".xlsx": b"PK\x03\x04"}[(tmp_path / name).suffix]


@pytest.mark.parametrize("name", ["a.doc", "missing/a.pdf"])
def test_a_file_that_cannot_be_is_refused(tmp_path, name):
    words = ["statement", "--partner", "1000001", "--month", "2021-03", "--out", str(tmp_path / name)]
    assert CliRunner().invoke(app, words).exit_code == 2


def test_what_a_delivery_says_is_shown_and_not_run(con, tmp_path):
    made = stated(con)
    odd = statements.Statement(
        made.partner | {"partner_name": '#panic("run") $x$ =A1 Ōmi 日本'}, MARCH, MARCH, made.sections
    )
    reader = statements.reader(con, "en")
    assert statements.pdf(odd, reader)[:4] == b"%PDF"
    rows = [row | {"cause_detail": "=1+1"} for row in made.sections[1].rows]
    odd = statements.Statement(
        made.partner, MARCH, MARCH, [statements.Section("Earned", made.sections[1].columns, rows)]
    )
    sheet = openpyxl.load_workbook(io.BytesIO(statements.xlsx(odd, reader)))["Earned"]
    assert {cell.data_type for column in sheet.iter_cols(6, 6, 2) for cell in column} == {"s"}


def test_every_title_and_cause_is_translated(con):
    made = stated(con)
    titles = {title for section in made.sections for title, _, _ in section.columns}
    causes = {code.replace("_", " ").capitalize() for code in COLUMNS["cause"].one_of}
    assert titles | causes | {section.heading for section in made.sections} <= set(german())
    assert Words("de")("Balances") == "Salden"
