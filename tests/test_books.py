"""The books: months that close, adjustments that are declared and approved, a chain that shows any edit."""

import csv
import json
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import get_args

import pytest
from typer.testing import CliRunner

import operations
import pipeline
import replays
import rulebook
from app.cli import app
from tests.deliveries import DAY, T1, WORLD, as_made, ask, copy_home, land, settle_next
from transforms.adjustments import AdjustmentReason
from warehouse import books, store
from warehouse.columns import COLUMNS
from warehouse.tables import TABLES

pytestmark = pytest.mark.usefixtures("one_program")
NEXT, APRIL = "2021-03-24", "2021-04-01"
ADJUSTMENT = {
    "program": "csp-indirect-reseller", "partner": "'1000001'", "month": "2021-03-01", "earning_type": "rebate", "amount": "12.50",
    "currency": "USD", "reason": "policy_exception", "by": "anna", "approved_by": "ben", "reference": "ticket 4711",
}  # fmt: skip


@pytest.fixture
def declare(tmp_path_factory, monkeypatch):
    """Write an adjustment file; what it leaves out is sound for the first day with a second line of 100.00."""
    folder = tmp_path_factory.mktemp("adjustments")
    monkeypatch.setenv("INCENTIVES_ADJUSTMENTS", str(folder))

    def write(name="a1", *, earned="8.00", **changed):
        declared = {"adjustment": name, **ADJUSTMENT, "expect": f"{{earned: {earned}}}", **changed}
        (folder / f"{name}.yaml").write_text("".join(f"{key}: {value}\n" for key, value in declared.items()))

    return write


@pytest.fixture
def april(home, settled):
    """The first day of April, settled."""
    as_made(_april, str(settled[0]))


def _april(settled: str) -> None:
    copy_home(settled)
    land("fx_rates", [{"fx_month": "2021-04"}], APRIL)
    settle_next(APRIL, [{"transaction_id": "a", "transaction_at": "2021-04-01T10:00:00Z"}])


def posted(cause: str) -> list[tuple]:
    return ask(
        "SELECT period, earning_month, posted_on, amount FROM earnings_ledger WHERE earning_type = 'rebate' "
        f"AND cause = '{cause}' ORDER BY ALL"
    )


def test_a_month_that_is_not_over_does_not_close(first_day):
    with pytest.raises(LookupError, match="not over"):
        operations.close(date(2021, 3, 1), "anna")


def test_what_changes_in_a_closed_month_is_posted_in_the_open_one(april):
    assert operations.close(date(2021, 3, 1), "anna") == [date(2021, 3, 1)]
    settle_next("2021-04-02", [T1 | {"revenue": "50.00"}])
    assert posted("corrected_line") == [(date(2021, 4, 1), date(2021, 3, 1), date(2021, 4, 2), Decimal("-1.2"))]
    assert ask("SELECT period, is_closed FROM liability WHERE earning_type = 'rebate' ORDER BY 1") == [
        (date(2021, 3, 1), True),
        (date(2021, 4, 1), False),
    ]


def test_a_closed_month_is_not_closed_again(april):
    operations.close(date(2021, 3, 1), "anna")
    with pytest.raises(LookupError, match="is closed"):
        operations.close(date(2021, 3, 1), "anna")
    [act] = (store.place("archive") / "acts").iterdir()
    assert '"by": "anna"' in act.read_text()


def acts(kind: str) -> list[dict]:
    return [json.loads(path.read_text()) for path in (store.place("archive") / "acts").glob(f"*-{kind}.json")]


def test_a_close_is_archived_once_it_is_so_and_after_a_cut_by_the_next_run(april, monkeypatch):
    def fails(*_):
        raise RuntimeError("the disk is full")

    @contextmanager
    def never_committed(con):
        with transaction(con):
            yield
            fails()

    transaction = store.transaction
    for place, name, patched in ((store, "transaction", never_committed), (operations.acts, "write", fails)):
        with monkeypatch.context() as patch, pytest.raises(RuntimeError):
            patch.setattr(place, name, patched)
            operations.close(date(2021, 3, 1), "anna")
        assert acts("close") == []
    for _ in range(2):
        pipeline.run()
        [act] = acts("close")
        assert (act["month"], act["by"], act["closed"]) == ("2021-03-01", "anna", ["2021-03-01"])


def test_an_entry_in_a_closed_month_is_refused_where_it_would_be_appended(april, monkeypatch):
    take_over = pipeline.commit.take_over

    def closed_meanwhile(con, day):
        con.execute("INSERT INTO derived.closes VALUES (DATE '2021-04-01', DATE '2021-04-01', 'anna', 1)")
        return take_over(con, day)

    monkeypatch.setattr(pipeline.commit, "take_over", closed_meanwhile)
    with pytest.raises(ValueError, match="month that is closed"):
        settle_next("2021-04-02", [T1 | {"revenue": "50.00"}])


def test_the_liability_goes_from_month_to_month(april):
    assert ask(
        "SELECT opening::DOUBLE, earned::DOUBLE, closing::DOUBLE FROM liability WHERE earning_type = 'rebate' ORDER BY period"
    ) == [(0, 2.4, 2.4), (2.4, 2.4, 4.8)]


def test_an_adjustment_is_posted_once_with_its_reason(first_day, declare):
    declare()
    settle_next(NEXT, [{"transaction_id": "t2"}])
    settle_next("2021-03-25", [{"transaction_id": "t3"}])
    assert posted("adjustment") == [(date(2021, 3, 1), date(2021, 3, 1), date(2021, 3, 24), Decimal("12.5"))]
    assert ask("SELECT cause_detail, transaction_id FROM earnings_ledger WHERE cause = 'adjustment'") == [
        ("policy_exception", None)
    ]
    assert ask("SELECT earning FROM earnings_monthly WHERE lever = 'adjustment'") == [(Decimal("12.5"),)]
    assert ask("SELECT adjusted FROM liability WHERE earning_type = 'rebate'") == [(Decimal("12.5"),)]
    [row] = operations.declared_adjustments()
    assert row["posted on"] == date(2021, 3, 24) and not row["message"]


def test_an_adjustment_that_is_withdrawn_after_an_attempt_that_failed_is_not_archived(
    first_day, declare, monkeypatch, tmp_path
):
    def fails(*_):
        raise RuntimeError("the disk is full")

    declare()
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(pipeline.commit, "take_over", fails)
        settle_next(NEXT, [{"transaction_id": "t2"}])
    kept = rulebook.adjustments_archive(NEXT)
    assert [path.name for path in kept.iterdir()] == ["a1.yaml"]
    monkeypatch.setenv("INCENTIVES_ADJUSTMENTS", str(tmp_path / "none"))
    pipeline.run()
    assert posted("adjustment") == [] and not kept.exists()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"earned": "8.01"}, "look again"),
        ({"by": "ben"}, "somebody else must"),
        ({"by": "Ben"}, "somebody else must"),
        ({"amount": "1.234"}, "more decimals"),
    ],
)
def test_an_adjustment_that_is_not_sound_is_not_posted_and_says_why(first_day, declare, changed, why):
    declare(**changed)
    report = settle_next(NEXT, [{"transaction_id": "t2"}])
    assert why in str(report["warnings"]) and posted("adjustment") == []


def test_an_adjustment_that_does_not_fit_its_program_or_partner_does_not_hold_up_the_day(first_day, declare):
    declare("decimals", currency="EUR", program_amount="12.005", earned="0")
    declare("two-sums", program_amount="99.00")
    declare("nobody", partner="typo-1", earned="0")
    told = settle_next(NEXT, [{"transaction_id": "t2"}])["warnings"]
    assert [warning for warning in told if warning.startswith("adjustment")] == [
        "adjustment [decimals] is not posted: program_amount: [12.005] has more decimals than [USD] has.",
        "adjustment [nobody] is not posted: partner [typo-1] is in no delivery of partners.",
        "adjustment [two-sums] is not posted: program_amount [99.00] is not its amount [12.50], and both are in [USD]; leave it out.",
    ]
    assert posted("adjustment") == []
    assert [row["message"] == "" for row in operations.declared_adjustments()] == [False] * 3


def test_an_adjustment_of_no_month_or_program_that_can_be_settled_does_not_hold_up_the_day(
    first_day, declare, one_program
):
    path = one_program / "csp-indirect-reseller.yaml"
    for status in ("draft", "retired"):
        text = path.read_text().replace("program: csp-indirect-reseller", f"program: {status}")
        (one_program / f"{status}.yaml").write_text(text.replace("status: active", f"status: {status}"))
        declare(f"in-{status}", program=status, earned="0")
    months = [("1990-01-01", "coop"), ("2150-03-01", "coop"), ("0021-03-01", "rebate"), ("2021-04-01", "rebate")]
    for number, (month, kind) in enumerate(months, 1):
        declare(f"month-{number}", month=month, earning_type=kind, earned="0")
    declare("sound", month="2000-01-01", earned="0")
    told = settle_next(NEXT, [{"transaction_id": "t2"}])["warnings"]
    assert [warning for warning in told if warning.startswith("adjustment")] == [
        f"adjustment [in-{status}] is not posted: program [{status}] is [{status}], and an active one alone posts; "
        f"name another in in-{status}.yaml, or remove the file."
        for status in ("draft", "retired")
    ] + [
        f"adjustment [month-{number}] is not posted: month [{month}] is not from [2000-01-01] to [2021-03-24], the day; "
        f"write the month that it corrects into month-{number}.yaml."
        for number, (month, _) in enumerate(months, 1)
    ]
    assert ask("SELECT adjustment_id FROM adjustments") == [("sound",)]
    assert [row["adjustment"] for row in operations.declared_adjustments() if not row["message"]] == ["sound"]


def test_the_reasons_of_adjustments_are_those_of_the_dictionary():
    assert get_args(AdjustmentReason) == COLUMNS["adjustment_reason"].one_of


EDITS = {
    "program": "other", "partner": "'2000001'", "month": "2021-02-01", "earning_type": "coop", "amount": "99.00", "currency": "EUR",
    "program_amount": "12.51", "reason": "ar_compliance", "by": "carl", "approved_by": "dora", "reference": "ticket 1",
}  # fmt: skip


def test_an_adjustment_edited_after_it_was_posted_is_told_and_listed_as_posted(first_day, declare, one_program):
    ids = {name: name.replace("_", "-") for name in EDITS}
    for name in ids.values():
        declare(name)
    declare("same")
    declare("gone")
    settle_next(NEXT, [{"transaction_id": "t2"}])
    for name, value in EDITS.items():
        declare(ids[name], **{name: value})
    declare("same", note="told to the partner")
    (rulebook.adjustments_folder() / "gone.yaml").unlink()
    told = settle_next("2021-03-25", [{"transaction_id": "t3"}])["warnings"]
    was = ADJUSTMENT | {"program_amount": None}
    assert [warning for warning in told if warning.startswith("adjustment")] == [
        f"adjustment [{ids[name]}] says {name} [{EDITS[name]}] but was posted with [{was[name]}]; put it back, and declare "
        "another one for the difference.".replace("'", "")
        for name in sorted(EDITS, key=lambda name: f"{ids[name]}.yaml")
    ]
    listed = operations.declared_adjustments()
    assert [row["adjustment"] for row in listed] == sorted([*ids.values(), "gone", "same"])
    assert {(row["partner"], row["month"], row["amount"], row["currency"], row["posted on"]) for row in listed} == {
        ("1000001", date(2021, 3, 1), Decimal("12.50"), "USD", date.fromisoformat(NEXT))
    }


def test_an_edit_of_the_ledger_breaks_the_chain(first_day):
    settle_next(NEXT, [{"transaction_id": "t2"}])
    head = pipeline.current_release()["chain_head"]
    with store.warehouse() as con:
        assert books.broken_links(con) == [] and books.last(con) == (2, head)
        con.execute("UPDATE derived.earnings_ledger SET rate = rate + 0.01 WHERE transaction_id = 't1'")
        assert [link["run"] for link in books.broken_links(con)] == [DAY]


def test_an_entry_of_a_run_that_was_never_recorded_is_found(first_day):
    with store.warehouse() as con:
        con.execute(
            "INSERT INTO derived.earnings_ledger SELECT * REPLACE ('forged' AS entry_id, 'nobody' AS run_id, "
            "'adjustment' AS lever, NULL AS transaction_id, 'x' AS adjustment_id) FROM derived.earnings_ledger LIMIT 1"
        )
    [found] = operations.verify()["broken"]
    assert (found["run"], found["posted"], found["found"]) == ("nobody", 0, 1)


def test_an_edit_of_the_books_is_found_by_verify(april):
    operations.close(date(2021, 3, 1), "anna")
    assert operations.verify()["books"] == []
    with store.warehouse() as con:
        con.execute("UPDATE derived.closes SET closed_by = ''; DELETE FROM derived.runs WHERE run_number = 1")
        con.execute("UPDATE clean.deliveries SET rows_accepted = 0 WHERE feed = 'transactions'")
    done = CliRunner().invoke(app, ["verify"])
    assert done.exit_code == 1 and "the books are not sound" in done.output
    for rule in ("named:closes", "numbered:runs", "chained:runs", "conserved:deliveries"):
        assert rule in done.output


def test_a_chain_that_was_written_anew_is_not_the_one_that_was_released(first_day):
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert operations.verify()["broken"] == []
    with store.warehouse() as con:
        con.execute("UPDATE derived.earnings_ledger SET cause_detail = 'forged' WHERE transaction_id = 't2'")
        [(before,)] = con.execute("SELECT chain_head FROM derived.runs WHERE run_number = 1").fetchall()
        count, hashed = books.entries_of(con, NEXT)
        con.execute(
            "UPDATE derived.runs SET entries_hash = ?, chain_head = ? WHERE run_id = ?",
            [hashed, books.link(before, NEXT, count, hashed), NEXT],
        )
        assert books.broken_links(con) == []
    [found] = operations.verify()["broken"]
    assert found["run"] == NEXT and found["hash"] == pipeline.current_release()["chain_head"][:12]


@pytest.mark.slow
def test_a_day_replayed_from_the_archive_is_the_release(april, declare, one_program):
    declare(earned="4.00")
    operations.close(date(2021, 3, 1), "anna")
    settle_next("2021-04-02", [T1 | {"revenue": "50.00"}])
    path = one_program / "csp-indirect-reseller.yaml"
    path.write_text(path.read_text().replace("lever: azure-fy21", "lever: azure-in-fy21"))
    operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")
    land("transactions", [{"transaction_id": "late"}], DAY, number=2)
    settle_next("2021-04-05", [T1])
    for day in (date(2021, 4, 2), date(2021, 4, 5)):
        found = replays.replay(day)
        assert found["differing"] == [] and found["engines"] == [found["engine"]]
    with pytest.raises(LookupError, match="was not settled"):
        replays.replay(date(2021, 4, 3))


def test_a_replay_shows_what_differs(first_day):
    settle_next(NEXT, [{"transaction_id": "t2"}])
    [manifest] = (store.place("releases") / f"{NEXT}-01").glob("manifest.json")
    said = json.loads(manifest.read_text())
    [decisions] = [table for table in said["tables"] if table["name"] == "decisions"]
    decisions["content_hash"] = "0"
    manifest.write_text(json.dumps(said))
    assert [row["table"] for row in replays.replay(date.fromisoformat(NEXT))["differing"]] == ["decisions"]


def test_a_full_recomputation_says_what_the_ledger_says(april, declare):
    declare(earned="0.00")
    land(
        "agreements", [WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}], "2021-04-02"
    )
    land(
        "transactions",
        [T1 | {"revenue": "50.00"}, {"transaction_id": "r", "reverses": "a", "revenue": "-5"}],
        "2021-04-02",
    )
    pipeline.run()
    found = operations.verify()
    assert found["broken"] == found["differences"] == found["waiting"] == []
    with store.warehouse() as con:
        con.execute("DELETE FROM derived.earnings_ledger WHERE cause = 'eligibility_lost' AND earning_type = 'coop'")
    found = operations.verify()
    assert [link["run"] for link in found["broken"]] == ["2021-04-02"] and {
        d["amount_minor"] for d in found["differences"]
    } != set()


def test_entries_that_cancel_one_another_are_no_difference():
    with store.connect() as con:
        con.execute(
            "ATTACH ':memory:' AS staging; CREATE SCHEMA staging.derived; CREATE TABLE cut (delivery_id VARCHAR)"
        )
        con.execute(
            "CREATE TABLE worked_lines AS SELECT id AS transaction_id, 'p' AS program, '1' AS partner_id, NULL AS cell_from, "
            "false AS at_line, false AS at_reference, false AS at_fx, false AS at_eligibility "
            "FROM (VALUES ('cancelled'), ('one'), ('other')) AS line(id)"
        )
        con.execute(
            "CREATE TABLE staging.derived.earnings_ledger AS SELECT id AS transaction_id, 'p' AS program, 'l' AS lever, "
            "'1' AS partner_id, DATE '2021-03-01' AS earning_month, 'rebate' AS earning_type, 'JPY' AS currency, "
            "amount AS amount_minor, other AS program_amount_minor FROM (VALUES ('cancelled', 1, 1), "
            "('cancelled', -1, -1), ('one', 1, 0), ('other', 0, 1)) AS entry(id, amount, other)"
        )
        assert [row["transaction_id"] for row in books.staged_differences(con)] == ["one", "other"]


def test_what_waits_to_be_settled_is_not_called_a_difference(first_day):
    land("transactions", [T1 | {"revenue": "50.00"}], DAY, number=2)
    pipeline.ingest()
    found = operations.verify()
    assert (found["differences"], found["waiting"]) == ([], [f"{DAY}-transactions-2"])


def test_a_warehouse_of_the_first_schema_is_brought_up_to_date(home):
    with store.connect(home / "warehouse.duckdb") as con:
        con.execute((store.MIGRATIONS / "0001.sql").read_text())
        con.execute(
            "CREATE SCHEMA meta; CREATE TABLE meta.schema_version (version INTEGER); INSERT INTO meta.schema_version VALUES (1)"
        )
        con.execute("CREATE TABLE meta.currencies (currency VARCHAR, exponent INTEGER)")
        con.execute(
            "INSERT INTO derived.earnings_ledger SELECT 'e', '2021-03-23', DATE '2021-03-23', 't1', 'p', 'l', 1, 'x', 'rebate', "
            "DATE '2021-03-01', 'USD', 240, 'USD', 240, 0.04, DATE '2021-03-01', 1, 'v', 'new_line'"
        )
        con.execute("INSERT INTO derived.invitations VALUES ('p', '1000001', 't1', '2021-03-22', '2021-03-23')")
    with store.warehouse() as con:
        assert con.execute("SELECT max(version) FROM meta.schema_version").fetchall() == [(store.SCHEMA_VERSION,)]
        assert con.execute("SELECT period FROM derived.earnings_ledger").fetchall() == [(date(2021, 3, 1),)]
        posted = con.execute("SELECT partner_id, transaction_id, invited_on FROM derived.invitations").fetchall()
        assert posted == [("1000001", "t1", date(2021, 3, 23))]
        assert con.execute(
            "SELECT count(*) FROM derived.enrolments_valid_on('2021-03-23', '2021-03-23')"
        ).fetchall() == [(0,)]
        found = {
            (f"{schema}.{table}", column, kind, is_nullable == "YES")
            for schema, table, column, kind, is_nullable in con.execute(
                "SELECT table_schema, table_name, column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_schema IN ('clean', 'derived')"
            ).fetchall()
        }
    stored = [table for table in TABLES.values() if table.layer in ("clean", "derived")]
    assert found == {(t.full_name, c, t.duckdb_type(c), c in t.nullable) for t in stored for c in t.stored}


def test_a_rate_that_first_prices_a_line_is_no_exchange_difference(first_day, tmp_path):
    settle_next(NEXT, [{"transaction_id": "c", "currency": "CHF"}])
    land("fx_rates", [{"from_currency": "CHF", "fx_rate": "1.1"}], "2021-03-25")
    settle_next("2021-03-25", [{"transaction_id": "t2"}])
    out = tmp_path / "journal.csv"
    done = CliRunner().invoke(app, ["export", "journal", "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(out.open()))
    assert "exchange difference" not in {row["kind"] for row in rows}
    assert sum(Decimal(row["debit"]) for row in rows if row["currency"] == "CHF") == 4


def test_the_journal_balances_and_books_the_exchange_difference_apart(first_day, tmp_path):
    land("fx_rates", [{"fx_rate": "1.5"}], NEXT)
    settle_next(NEXT, [{"transaction_id": "e", "currency": "EUR"}])
    land("fx_rates", [{"fx_rate": "2"}], "2021-03-25")
    settle_next("2021-03-25", [{"transaction_id": "r", "reverses": "t1", "revenue": "-25.00"}])
    out = tmp_path / "journal.csv"
    done = CliRunner().invoke(app, ["export", "journal", "--period", "2021-03", "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(out.open()))
    for currency in ("USD", "EUR"):
        sides = [sum(Decimal(row[side]) for row in rows if row["currency"] == currency) for side in ("debit", "credit")]
        assert sides[0] == sides[1] > 0
    assert {(r["account"], r["debit"]) for r in rows if r["kind"] == "exchange difference" and float(r["debit"])} == {
        ("exchange difference", "1.200"), ("exchange difference", "0.800"),
    }  # fmt: skip
