"""Parts: each release adds what became known, and what readers see is what the warehouse says."""

import shutil
from datetime import date
from pathlib import Path

import pytest

import monitoring
import operations
import pipeline
import postings
import replays
import rulebook
import settlement
from app import keeping
from tests.deliveries import DAY, T1, WORLD, ask, land, land_world, settle_next
from warehouse import content, parts, publishing, releases, store, watch

pytestmark = pytest.mark.usefixtures("one_program")
FULL = Path(__file__).parent / "full"
NEXT, AFTER, APRIL = "2021-03-24", "2021-03-25", "2021-04-01"
ADJUSTMENT = """adjustment: {name}
program: csp-indirect-reseller
partner: "1000001"
month: 2021-03-01
earning_type: rebate
amount: {amount}
currency: USD
reason: policy_exception
by: anna
approved_by: ben
reference: ticket 4711
expect: {{earned: {earned}}}
"""
SOURCES = {
    "transactions": "clean.transactions WHERE NOT is_withdrawn AND known_from <= $as_of",
    "decisions": "derived.decisions",
    "earnings": "derived.earnings",
    "eligibility_history": "derived.eligibility_criteria",
    "payments": "derived.payments",
}
AT_ONCE = (
    "coop_funds",
    "statements",
    "upcoming_payments",
)  # sums whose parts are compared with one part of all that ever was


def in_full(as_of: date) -> dict[str, list[tuple]]:
    """What readers are owed of each table in parts, from all that the warehouse holds."""
    day, found = f"DATE '{as_of}'", {}
    rules = pipeline.load_all(rulebook.programs_folder())
    with store.locked("test"), store.warehouse() as con:
        run = settlement.Run("full", as_of, rulebook.Rules(rules, rules, ""))
        settlement.register(con, run)
        postings.hold_payees(con, run)
        queries = {path.stem: path.read_text() for path in FULL.glob("*.sql")}
        queries["earnings_ledger"] = "SELECT * FROM derived.earnings_ledger"
        for name, source in SOURCES.items():
            ended = f"SELECT * REPLACE (CASE WHEN known_to <= {day} THEN known_to END AS known_to) FROM {source}"
            queries[name] = f"FROM ({ended}) WHERE known_from IS DISTINCT FROM known_to"
        for name, query in queries.items():
            con.execute(f"CREATE OR REPLACE TEMP VIEW owed AS {query.replace('$as_of', day)}")
            kept = ("known_to",) if name in SOURCES else ()
            shown = content.shown(con, "owed", (*parts.TABLES[name].columns, *kept))
            found[name] = con.execute(f"SELECT * FROM ({shown}) ORDER BY ALL").fetchall()
        con.execute("ATTACH ':memory:' AS parts")
        for target, query in publishing.BESIDE.items():
            con.execute(f"CREATE TABLE {target} AS {query}")
        for name in AT_ONCE:
            table, query = parts.TABLES[name], (parts.QUERIES / f"{name}.sql").read_text()
            ever = query.replace("$first", "DATE '0001-01-01'")
            con.execute(f"CREATE OR REPLACE TEMP VIEW publishing AS {ever}")
            shown = content.shown(con, "publishing", (*table.columns, *parts.KEPT))
            con.execute(f"CREATE TABLE parts.{name} AS SELECT *, 1 AS part FROM ({shown})")
            found[name] = con.execute(f"{parts._summed(table, f'parts.{name}')} ORDER BY ALL").fetchall()
        con.execute("DETACH parts")
    return found


def to_readers() -> dict[str, list[tuple]]:
    """What readers see of each table in parts, with versions that have ended."""
    found = {}
    for name, table in parts.TABLES.items():
        source = f"(FROM parts.{name} WHERE known_from IS DISTINCT FROM known_to)" if name in SOURCES else name
        kept = ", known_to" if name in SOURCES else ""
        found[name] = ask(f"SELECT {', '.join(table.published_columns)}{kept} FROM {source} ORDER BY ALL")
        if name in SOURCES:
            now = ask(f"SELECT count(*), count(DISTINCT ({', '.join(table.key)})) FROM {name}")
            assert now == [(sum(row[-1] is None for row in found[name]),) * 2]
    return found


def check() -> None:
    """Readers see in parts what the full queries find, value by value."""
    seen, owed = to_readers(), in_full(date.fromisoformat(releases.current()["as_of_date"]))
    assert set(seen) == set(owed) == set(parts.TABLES)
    for name, rows in owed.items():
        assert seen[name] == rows, name


def rates(day: str) -> None:
    land("fx_rates", [{"fx_month": day[:7]}], day)


@pytest.mark.slow
def test_readers_see_what_the_full_queries_find_on_every_day(first_day, tmp_path_factory, monkeypatch):
    declared = tmp_path_factory.mktemp("adjustments")
    monkeypatch.setenv("INCENTIVES_ADJUSTMENTS", str(declared))
    other = {"product_id": "pbi", "product_name": "Power BI Pro", "product_family": "power_platform"}
    land("products", [other], NEXT, mode="delta")
    land("customers", [{"customer_id": "c2"}], NEXT, mode="delta")
    (declared / "a1.yaml").write_text(ADJUSTMENT.format(name="a1", amount="5.00", earned="6.00"))
    settle_next(
        NEXT, [{"transaction_id": "t2"}, {"transaction_id": "n", "product_id": "none"}, T1 | {"revenue": "50.00"}]
    )
    check()
    settle_next(AFTER, [T1 | {"product_id": "pbi"}, {"transaction_id": "t2", "customer_id": "c2"}])
    check()
    again = [{"transaction_id": "late"}, {"transaction_id": "t2", "revenue": "70.00"}, T1 | {"revenue": "3.00"}]
    land("transactions", again, DAY, number=2)
    settle_next("2021-03-26", [{"transaction_id": "t4"}, {"transaction_id": "n"}], supersedes=f"{NEXT}-transactions-1")
    check()
    rates(APRIL)
    ended = WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}
    land("agreements", [ended], APRIL)
    land("transactions", [{"transaction_id": "t5"}], APRIL)
    pipeline.run()
    check()
    settle_next("2021-04-02", [{"transaction_id": "late", "product_id": "pbi"}, {"transaction_id": "t2"}])
    check()
    assert keeping.gc(1)["files merged"] > 0
    check()
    settle_next("2021-04-05", [T1 | {"customer_id": "c2"}, {"transaction_id": "t4", "revenue": "1.00"}])
    check()
    [(earned,)] = ask("SELECT sum(amount) FROM earnings_ledger WHERE earning_month = DATE '2021-03-01'")
    (declared / "a2.yaml").write_text(ADJUSTMENT.format(name="a2", amount="-5.00", earned=earned))
    settle_next("2021-04-06", [T1 | {"customer_id": "c2"}])
    check()
    assert ask("SELECT line_count, earning, rebate FROM earnings_monthly WHERE lever = 'adjustment'") == [(0, 0, 0)]


@pytest.mark.slow
def test_a_day_that_is_published_again_replaces_its_part(first_day, one_program):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    path = one_program / "csp-indirect-reseller.yaml"
    path.write_text(path.read_text().replace("lever: azure-fy21", "lever: azure-in-fy21"))
    for again in ("azure-of-fy21", "azure-for-fy21"):
        operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")
        check()
        path.write_text(path.read_text().replace("lever: azure-in-fy21", f"lever: {again}"))
        path.write_text(path.read_text().replace("lever: azure-of-fy21", f"lever: {again}"))
    assert [part["as_of_date"] for part in releases.current()["parts"]] == [DAY, NEXT]
    assert replays.replay(date.fromisoformat(NEXT))["differing"] == []


@pytest.mark.slow
def test_after_a_rollback_the_next_day_tells_of_both(first_day):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}, {"transaction_id": "t2"}])
    releases.rollback()
    settle_next(AFTER, [{"transaction_id": "t3"}])
    check()
    assert [part["as_of_date"] for part in releases.current()["parts"]] == [DAY, AFTER]
    assert replays.replay(date.fromisoformat(AFTER))["differing"] == []


@pytest.mark.slow
def test_a_backfilled_release_is_one_part(first_day):
    rates(APRIL)
    for day, lines in (
        (NEXT, [T1 | {"revenue": "7.00"}]),
        (APRIL, [T1 | {"revenue": "8.00"}, {"transaction_id": "t2"}]),
    ):
        land("agreements", WORLD["agreements"], day)
        land("transactions", lines, day)
    land("transactions", [{"transaction_id": "late"}], DAY, number=2)
    pipeline.ingest()
    pipeline.backfill(pipeline.due_days())
    check()
    assert [part["as_of_date"] for part in releases.current()["parts"]] == [DAY, APRIL]
    assert replays.replay(date.fromisoformat(APRIL))["differing"] == []


def test_a_line_withdrawn_for_its_own_day_is_seen_no_longer(first_day):
    land("transactions", [{"transaction_id": "other"}], DAY, number=2, supersedes=f"{DAY}-transactions-1")
    settle_next(NEXT, [{"transaction_id": "t2"}])
    check()
    assert ask(f"SELECT transaction_id FROM transactions_known_on(DATE '{DAY}')") == [("other",)]


def test_a_part_holds_what_the_day_brings(first_day):
    before = list(releases.files(releases.current()))
    settle_next(NEXT, [{"transaction_id": f"t{n}"} for n in range(2, 12)])
    now = releases.current()
    assert set(before) < set(releases.files(now))
    assert {name: file["rows"] for name, file in now["parts"][-1]["tables"].items()} | {"eligibility_history": 0} == {
        "eligibility_history": 0, "transactions": 10, "decisions": 10, "earnings": 10, "earnings_ledger": 20,
        "earnings_monthly": 1, "liability": 2, "ineligible_revenue": 0, "coop_funds": 1, "payments": 0, "upcoming_payments": 2,
        "statements": 2,
    }  # fmt: skip


def test_past_months_are_merged(first_day, monkeypatch):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    rates(APRIL)
    settle_next(APRIL, [{"transaction_id": "t2"}])
    seen, known = to_readers(), ask(f"SELECT revenue FROM transactions_known_on(DATE '{DAY}')")
    held = releases.current()
    assert keeping.gc(30)["files merged"] == len(parts.TABLES)
    now = releases.current()
    monkeypatch.setattr(watch, "MOST_PARTS", 1)
    assert "many parts" in str(monitoring.alerts())
    assert [part["as_of_date"] for part in now["parts"]] == [NEXT, APRIL] and now["tables"] == held["tables"]
    assert to_readers() == seen and ask(f"SELECT revenue FROM transactions_known_on(DATE '{DAY}')") == known
    assert keeping.gc(1)["files merged"] == 0 and to_readers() == seen
    on_disk = {
        str(path.relative_to(store.place("releases"))) for path in store.place("releases").glob("partitions/*/*")
    }
    assert on_disk == set(releases.files(now))


@pytest.mark.slow
def test_rollback_goes_back_over_a_merge(first_day):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    rates(APRIL)
    settle_next(APRIL, [{"transaction_id": "t2"}])
    keeping.gc(30)
    assert releases.rollback()["as_of_date"] == NEXT and ask("SELECT count(*) FROM decisions") == [(1,)]


@pytest.mark.slow
def test_a_merge_that_loses_a_row_is_not_kept(first_day, monkeypatch):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    rates(APRIL)
    settle_next(APRIL, [{"transaction_id": "t2"}])
    held, whole = releases.current(), parts._write
    monkeypatch.setattr(
        parts, "_write", lambda con, name, query, *more: whole(con, name, f"FROM ({query}) LIMIT 1", *more)
    )
    with pytest.raises(RuntimeError, match="does not say"):
        keeping.gc(30)
    assert releases.current() == held


@pytest.mark.slow
def test_a_release_of_an_older_layout_is_followed_by_one_that_holds_everything(first_day):
    now = releases.current()
    folder = store.place("releases") / "partitions" / "earnings_ledger"
    [file] = folder.glob("*.parquet")
    old = shutil.copy(file, folder / "2021-03-0123456789ab.parquet")
    old_layout = {name: value for name, value in now.items() if name not in ("parts", "after")}
    ledger = next(table for table in old_layout["tables"] if table["name"] == "earnings_ledger")
    ledger["partitions"] = [{"month": "2021-03-01", "file": f"partitions/earnings_ledger/{old.name}", "rows": 2}]
    releases.point_to(old_layout)
    (store.place("releases") / now["release_id"] / "manifest.json").write_text(releases.json.dumps(old_layout))
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    check()
    assert [part["as_of_date"] for part in releases.current()["parts"]] == [NEXT]
    keeping.gc(2)
    assert old.exists()
    assert replays.replay(date.fromisoformat(NEXT))["differing"] == []
    with pytest.raises(LookupError, match="earlier version"):
        replays.replay(date.fromisoformat(DAY))


def test_a_partners_rows_lie_together_after_rows_of_any_order(home):
    resellers = ["1000003", "1000001", "1000002"]
    land_world(partners=[{"partner_id": partner, "tenant_id": f"tenant-{partner}"} for partner in resellers])
    land("transactions", [{"transaction_id": f"t{n}", "reseller_id": resellers[n % 3]} for n in range(9)])
    pipeline.run()
    [part] = pipeline.current_release()["parts"]
    with store.connect() as con:
        for name in ("transactions", "decisions", "eligibility_history"):
            path = store.quoted(store.place("releases") / part["tables"][name]["file"])
            lie = con.execute(f"SELECT ({parts.order(parts.TABLES[name])}) FROM read_parquet({path})").fetchall()
            assert lie == sorted(lie) and len(set(lie)) == 3, name


def test_an_id_is_sought_only_where_it_may_be(home):
    """In a file whose ids lie in no order; a row group tells by a filter that it has not got one."""
    ids = "SELECT md5(range::VARCHAR) AS transaction_id, md5('e' || range) AS entry_id, '1' AS partner_id, 1 AS part"
    with store.locked("test"), store.warehouse() as con:
        made = parts._write(con, "earnings_ledger", f"{ids} FROM range(250000)", "many", 250_000)
        file = store.quoted(store.place("releases") / made["file"])
        found = con.execute(
            f"SELECT bloom_filter_excludes, count(*) FROM parquet_bloom_probe({file}, 'transaction_id', md5('none')) GROUP BY ALL"
        ).fetchall()
        held = con.execute(
            f"SELECT path_in_schema FROM parquet_metadata({file}) WHERE bloom_filter_offset IS NOT NULL AND path_in_schema LIKE '%\\_id' "
            "ESCAPE '\\' GROUP BY ALL ORDER BY 1"
        ).fetchall()
        few = parts._write(con, "earnings_ledger", f"{ids} FROM range(9000)", "few", 9_000)
        small = store.quoted(store.place("releases") / few["file"])
        filters = con.execute(
            f"SELECT count(bloom_filter_offset) FROM parquet_metadata({small}) WHERE path_in_schema IN ('transaction_id', 'entry_id')"
        ).fetchall()
    assert found == [(True, 3)]
    assert held == [("entry_id",), ("partner_id",), ("transaction_id",)] and filters == [(0,)]


def test_parts_are_written_with_three_quarters_of_the_memory(first_day, monkeypatch):
    monkeypatch.setenv("INCENTIVES_MEMORY_MIB", "2048")
    whole, given = parts.write, set()

    def write(con, *more):
        given.update(con.execute("SELECT current_setting('memory_limit')").fetchone())
        return whole(con, *more)

    monkeypatch.setattr(parts, "write", write)
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert given == {"1.5 GiB"}


def test_a_part_is_written_with_little_memory_too(home, monkeypatch):
    monkeypatch.setenv("INCENTIVES_MEMORY_MIB", "256")
    ids = "SELECT md5(range::VARCHAR) AS transaction_id, md5('e' || range) AS entry_id, md5('f' || range) AS payment_id"
    with store.locked("test"), store.warehouse() as con:
        made = parts._write(
            con, "earnings_ledger", f"{ids}, '1' AS partner_id, 1 AS part FROM range(500000)", "many", 500_000
        )
    assert made["rows"] == 500_000
