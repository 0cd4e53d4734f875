"""Every expectation can fail: each is broken on purpose in a file that held, and seen caught."""

import shutil

import duckdb
import pytest
from great_expectations.execution_engine import SqlAlchemyExecutionEngine

import pipeline
from expectations.gate import EXAMPLES, judge, schema_of
from expectations.rules import RULES
from tests.deliveries import land, land_world
from warehouse import releases, store
from warehouse.columns import COLUMNS
from warehouse.tables import AUDIT, BOOKS, DERIVED, FEEDS, PUBLISHED, Published, Table

CLOSED = "INSERT INTO {{table}} VALUES (DATE '{period}', DATE '2021-03-31', 'anna', 1)"
EDITED = "INSERT INTO {{table}} BY NAME SELECT 'h' AS rules_hash, 'approved' AS edit_status, {entries} AS entry_count"
SEEDED = {
    "order:valid_to": "UPDATE {table} SET valid_to = valid_from",
    "ended:valid_to": "UPDATE {table} SET agreement_status = 'expired', valid_to = NULL",
    "approved:approved_on": "UPDATE {table} SET approved_on = NULL",
    "claimed:association": "UPDATE {table} SET association = 'reseller'",
    "address:user_email": "UPDATE {table} SET user_email = 'pat at contoso'",
    "positive:fx_rate": "UPDATE {table} SET fx_rate = 0",
    "other:to_currency": "UPDATE {table} SET from_currency = to_currency",
    "self:reverses": "UPDATE {table} SET reverses = transaction_id",
    "sane:transaction_at": "UPDATE {table} SET transaction_at = TIMESTAMP '1999-01-01'",
    "rare:revenue": "UPDATE {table} SET revenue_minor = 100000000000",
    "partition:eligibility_criteria": "UPDATE {table} SET valid_from = valid_from + 1",
    "partition:eligibility": "UPDATE {table} SET valid_from = valid_from + 1",
    "partition:enrolments": "UPDATE {table} SET valid_from = valid_from + 1",
    "reason:enrolment": "UPDATE {table} SET enrolment_status = 'enrolled', reason_code = 'ENRASK'",
    "one:associations": "INSERT INTO {table} BY NAME SELECT 'a' || i AS claim_id, DATE '2021-01-01' + i::INT AS valid_from FROM range(2) t(i)",
    "evidence:met": "UPDATE {table} SET status = 'met', evidence = NULL",
    "reason:unmet": "UPDATE {table} SET status = 'unmet', reason_code = NULL",
    "explained:decision": "UPDATE {table} SET levers = NULL, reason_codes = NULL",
    "earned:decision": "UPDATE {table} SET transaction_id = 'nobody'",
    "filled:positions": "INSERT INTO {table} BY NAME SELECT 'cap' AS rule_part, 1 AS measure",
    "waiting:positions": "INSERT INTO {table} BY NAME SELECT 'scale' AS rule_part, 1 AS measure, true AS is_waiting",
    "priced:earnings": "UPDATE {table} SET rate = NULL, unit_amount = NULL",
    "split:earning": "UPDATE {table} SET coop_minor = coop_minor + 1",
    "sign:rate": "UPDATE {table} SET rate = -0.01",
    "sign:earning": "UPDATE {table} SET earning_minor = -earning_minor",
    "conserved:decisions": "INSERT INTO {table} VALUES ('t1', 'p')",
    "reconciled:ledger": "INSERT INTO {table} VALUES ('t1', 'p', 'l', 1, 'x', 'rebate', DATE '2021-03-01', 'USD', 'USD')",
    "volume:critical": "INSERT INTO {table} VALUES ('rows', 0.01, false)",
    "volume:warning": "INSERT INTO {table} VALUES ('rows', 0.4, true)",
    "known:references": "INSERT INTO {table} VALUES ('seller_id', 'x', 1)",
    "fresh:feeds": "UPDATE {table} SET age_days = 8",
    "published:ledger": "UPDATE {table} SET earning = earning + 1",
    "published:split": "UPDATE {table} SET coop = coop + 1",
    "published:liability": "UPDATE {table} SET closing = closing + 1",
    "published:closing": "UPDATE {table} SET earned = earned + 1, closing = closing + 1",
    "approved:adjustment": "INSERT INTO {table} BY NAME SELECT 'anna' AS written_by, 'anna' AS approved_by",
    "line:entry": "UPDATE {table} SET transaction_id = NULL",
    "open:period": "UPDATE {table} SET period = DATE '2021-02-01'",
    "published:total": "UPDATE {table} SET revenue = revenue + 1",
    "published:lines": "UPDATE {table} SET transaction_id = 'nobody'",
    "published:counted": "UPDATE parts.counts SET released = released + 1",
    "sane:payment": "INSERT INTO {table} BY NAME SELECT 'p' AS payment_id, 0 AS payment_minor",
    "range:tax_rate": "INSERT INTO {table} BY NAME SELECT 'DE' AS country, 19 AS tax_rate",
    "linked:payment": "INSERT INTO {table} BY NAME SELECT 'p' AS payment_id, 'sent' AS payment_status, 1 AS payment",
    "covered:payment": "INSERT INTO {table} BY NAME SELECT 'p' AS payment_id, 'sent' AS payment_status, 500 AS payment, partner_id, "
    "program, earning_type, currency, DATE '2021-05-15' AS cycle_on, DATE '2021-05-14' AS cut_on FROM earnings_ledger LIMIT 1; "
    "INSERT INTO payments BY NAME FROM {table}; INSERT INTO parts.new_payments VALUES ('p')",
    "enrolled:payment": "INSERT INTO {table} BY NAME SELECT 'p' AS payment_id, 'nobody' AS partner_id, 'csp-indirect-reseller' AS program; "
    "INSERT INTO parts.new_payments VALUES ('p')",
    "earned:payment": "INSERT INTO {table} BY NAME SELECT 'p' AS payment_id, 'nobody' AS partner_id, 'p' AS program",
    "published:statements": "UPDATE {table} SET earned = earned + 1",
    "law:fund": "UPDATE {table} SET open = open + 1",
    "published:fund": "UPDATE {table} SET accrued = accrued + 1",
    "published:upcoming": "UPDATE {table} SET upcoming = upcoming + 1",
    "numbered:runs": "UPDATE {table} SET run_number = 2",
    "ordered:runs": "INSERT INTO {table} BY NAME SELECT 2 AS run_number, DATE '2021-03-22' AS business_date",
    "named:runs": "UPDATE {table} SET run_id = '2021-03-23-again'",
    "chained:runs": "UPDATE {table} SET entry_count = entry_count + 1",
    "hashed:runs": "UPDATE {table} SET rules_hash = left(rules_hash, 12)",
    "seen:runs": "UPDATE {table} SET deliveries = '[\"nobody\"]'",
    "month:closes": CLOSED.format(period="2021-03-02"),
    "sequence:closes": CLOSED.format(period="2021-04-01"),
    "kept:closes": CLOSED.format(period="2021-03-01") + "; UPDATE {table} SET run_number = 0",
    "named:closes": CLOSED.format(period="2021-03-01") + "; UPDATE {table} SET closed_by = ' '",
    "recorded:closes": CLOSED.format(period="2021-03-01") + "; UPDATE {table} SET run_number = 2",
    "approved:rule_edits": EDITED.format(entries=1),
    "posted:rule_edits": EDITED.format(entries=0) + "; UPDATE {table} SET approved_by = 'ben'",
    "hashed:rule_edits": EDITED.format(entries=0),
    "once:deliveries": "INSERT INTO {table} FROM {table}",
    "feed:deliveries": "UPDATE {table} SET feed = 'unknown'",
    "conserved:deliveries": "UPDATE {table} SET rows_accepted = rows_accepted + 1",
    "dated:deliveries": "UPDATE {table} SET business_date = DATE '1900-01-01'",
    "reason:deliveries": "UPDATE {table} SET delivery_status = 'refused'",
    "conserved:delivery_amounts": "UPDATE {table} SET accepted_amount = accepted_amount + 1",
    "counted:quarantine": "INSERT INTO {table} BY NAME SELECT delivery_id FROM clean.deliveries LIMIT 1",
    "published:withdrawn": "INSERT INTO added.transactions_ended SELECT * FROM {table}; DELETE FROM {table}",
}
TABLES: list[Table] = [
    *FEEDS.values(), *BOOKS.values(), *DERIVED.values(), *AUDIT.values(), *PUBLISHED.values(),
]  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A file with every judged table of a settled day, as plain tables."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(home))
        kept = {}
        patch.setattr(pipeline, "_judged", keeping(kept, home))
        land_world(enrolments=[{"partner_id": "1000001"}], claims=[{"claim_id": "a1", "partner_id": "1000001"}])
        land("transactions", [{"transaction_id": "t1"}, {"transaction_id": "t2", "product_id": "none"}])
        pipeline.run()
        path = home / "all.duckdb"
        with store.connect() as con:
            store.attach(con, path, "made")
            store.attach(con, home / "warehouse.duckdb", "warehouse", "(READ_ONLY)")
            store.attach(con, kept["staging"], "staged", "(READ_ONLY)")
            for name in ("clean", "derived", "audit"):
                con.execute(f"CREATE SCHEMA made.{name}")
            for table in (*FEEDS.values(), *BOOKS.values()):
                con.execute(f"CREATE TABLE made.{table.full_name} AS FROM warehouse.{table.full_name}")
            for table in (*DERIVED.values(), *AUDIT.values()):
                con.execute(f"CREATE TABLE made.{table.full_name} AS FROM staged.{table.full_name}")
        with store.connect(
            releases.database(releases.current())
        ) as con:  # its views find each other in their own file only
            store.attach(con, path, "made")
            con.execute("CREATE SCHEMA made.added; CREATE SCHEMA made.parts")
            con.execute("CREATE TABLE made.parts.counts AS FROM parts.counts")
            con.execute("CREATE TABLE made.parts.coop_halves AS FROM parts.coop_halves")
            con.execute("CREATE TABLE made.parts.payment_calendar_before AS FROM parts.payment_calendar_before")
            con.execute("CREATE TABLE made.parts.new_payments AS FROM parts.new_payments")
            con.execute("CREATE TABLE made.parts.eligibility_history AS FROM parts.eligibility_history")
            for table in PUBLISHED.values():
                con.execute(f"CREATE TABLE made.main.{table.name} AS FROM main.{table.name}")
                if table.parts:
                    con.execute(f"CREATE TABLE made.added.{table.name} AS FROM added.{table.name}")
                if table.parts == "versions":
                    con.execute(f"CREATE TABLE made.added.{table.name}_ended AS FROM added.{table.name}_ended")
        yield path


def keeping(kept: dict, home):
    """The pipeline's own judgement, with what was staged kept as tables of a file."""
    judge_file = pipeline._judged

    def judged(path, tables):
        if path.name != "published.duckdb":
            kept["staging"] = home / "staged.duckdb"
            with store.connect() as con:
                store.attach(con, path, "run", "(READ_ONLY)")
                store.attach(con, kept["staging"], "kept")
                for table in tables:
                    con.execute(f"CREATE SCHEMA IF NOT EXISTS kept.{table.layer}")
                    con.execute(f"CREATE TABLE kept.{table.full_name} AS FROM run.{table.full_name}")
        return judge_file(path, tables)

    return judged


def spoilt(judged, tmp_path, *statements: str):
    path = shutil.copy(judged, tmp_path / "spoilt.duckdb")
    with store.connect(path) as con:
        for statement in statements:
            con.execute(statement)
    return path


def test_a_good_file_has_no_critical_finding(judged):
    verdict = judge(judged, TABLES)
    assert verdict.critical == [] and verdict.expectations > 100


def test_a_path_is_taken_as_it_is(judged, tmp_path, monkeypatch):
    monkeypatch.setenv("PLACE", "elsewhere")
    path = tmp_path / "$PLACE? 5%20#.duckdb"
    shutil.copy(judged, path)
    assert judge(path, TABLES[:1]).findings == []


def test_a_judgement_that_ends_badly_leaves_the_next_one_alone(judged, monkeypatch):
    def fail(engine):
        raise RuntimeError("cannot be closed")

    with monkeypatch.context() as broken, pytest.raises(RuntimeError):
        broken.setattr(SqlAlchemyExecutionEngine, "close", fail)
        judge(judged, TABLES[:1])
    assert judge(judged, TABLES[:1]).findings == []


def test_every_rule_has_its_seeded_fault():
    assert {rule.id for rule in RULES} == set(SEEDED)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.table}-{rule.id}")
def test_a_rule_is_seen_broken(judged, tmp_path, rule):
    path = spoilt(judged, tmp_path, SEEDED[rule.id].replace("{table}", rule.table))
    schema, name = rule.table.split(".")
    [table] = [
        t
        for t in TABLES
        if t.name == name and (t.layer == schema or t.layer == "published" and schema in ("main", "added"))
    ]
    found = {finding.rule: finding for finding in judge(path, [table], schema=schema).findings}
    told = found[rule.id]
    assert (told.severity, told.fault) == (rule.severity, None)
    assert all(told.such_as) and 1 <= len(told.such_as) <= EXAMPLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.layer}-{table.name}")
def test_a_contract_is_seen_broken(judged, tmp_path, table):
    """A row of missing values, one of codes that do not exist, and a key that stands twice."""
    name = f"{schema_of(table)}.{table.name}"
    codes = [c for c in table.columns if COLUMNS[c].one_of]
    shown = dict(zip(table.columns, table.published_columns, strict=True)) if isinstance(table, Published) else {}
    made = dict.fromkeys(table.columns, "NULL") | dict.fromkeys(codes, "'nonsense'")
    values = ", ".join(f"{value} AS {shown.get(c, c)}" for c, value in made.items())
    row = ", ".join(f"{KEYS[table.duckdb_type(c)]} AS {shown.get(c, c)}" for c in table.key)
    path = spoilt(
        judged,
        tmp_path,
        f"INSERT INTO {name} BY NAME SELECT {values}",
        *[f"INSERT INTO {name} BY NAME SELECT {row}"] * (2 if row else 0),
    )
    found = {finding.rule: str(finding) for finding in judge(path, [table]).findings}
    assert {"required", *(["key"] if table.key else []), *(f"code:{c}" for c in codes)} <= set(found)
    personal = [shown.get(c, c) for c in table.key if COLUMNS[c].personal]
    assert all("such as" in told and not any(f"{c} [" in told for c in personal) for told in found.values())


KEYS = {"VARCHAR": "'k'", "DATE": "DATE '2021-01-01'", "BIGINT": "1"}


def test_too_little_memory_is_no_verdict(tmp_path):
    path = tmp_path / "large.duckdb"
    with duckdb.connect(str(path)) as con:
        columns = ", ".join(f"'x' || i AS {c}" for c in FEEDS["products"].columns)
        con.execute(f"CREATE SCHEMA clean; CREATE TABLE clean.products AS SELECT {columns} FROM range(500000) t(i)")
    with pytest.raises(duckdb.OutOfMemoryException):
        judge(path, [FEEDS["products"]], {"memory_limit": "1MiB"})


def test_a_judged_file_is_let_go(judged, tmp_path):
    path = spoilt(judged, tmp_path)
    judge(path, [DERIVED["earnings"]])
    with store.connect() as con:
        store.attach(con, path, "again")  # fails while another connection of the process has it


def test_a_table_without_rows_is_judged_by_what_looks_at_others_and_by_its_columns(judged, tmp_path):
    table = DERIVED["earnings_ledger"]
    count = judge(judged, [table]).expectations
    path = spoilt(judged, tmp_path, "DELETE FROM derived.earnings_ledger")
    verdict = judge(path, [table])
    assert verdict.expectations == count and not verdict.findings
    path = spoilt(
        judged,
        tmp_path,
        "DELETE FROM derived.earnings_ledger",
        "ALTER TABLE derived.earnings_ledger DROP COLUMN amount_minor",
    )
    assert any(finding.fault for finding in judge(path, [table]).critical)


@pytest.mark.parametrize(
    ("table", "spoils"),
    [
        (DERIVED["earnings"], "ALTER TABLE derived.earnings DROP COLUMN rate"),
        (PUBLISHED["statements"], "ALTER TABLE added.statements DROP COLUMN closing"),
        (PUBLISHED["statements"], "DROP TABLE added.statements"),
    ],
)
def test_what_cannot_be_run_counts_as_failed(judged, tmp_path, table, spoils):
    assert any(finding.fault for finding in judge(spoilt(judged, tmp_path, spoils), [table]).critical)
