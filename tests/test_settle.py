"""What a settled day says: earnings, reasons, ledger, release; and that running it again says the same."""

import json
from datetime import date
from decimal import Decimal

import duckdb
import pytest

import pipeline
import settlement
from tests.deliveries import DAY, T1, WORLD, ask, land, land_world, ledger, settle_next, take_in_world
from warehouse import commit, content, releases, store
from warehouse.tables import DERIVED, PUBLISHED

pytestmark = pytest.mark.usefixtures("one_program")
NEXT, AFTER = "2021-03-24", "2021-03-25"


def test_a_line_earns_and_is_split_to_the_cent(first_day):
    assert ask("SELECT earning, rebate, coop, rate FROM earnings") == [tuple(map(Decimal, ("4", "2.4", "1.6", "0.04")))]
    assert ask("SELECT decision, levers, reason_codes FROM decisions") == [("eligible", "azure-fy21", None)]
    assert ledger() == [("t1", "coop", Decimal("1.6"), "new_line"), ("t1", "rebate", Decimal("2.4"), "new_line")]


def test_a_settled_day_is_not_settled_again(first_day):
    with pytest.raises(pipeline.NotYet, match="not due"):
        pipeline.settle(date.fromisoformat(DAY))


def test_the_next_day_without_news_posts_nothing(first_day):
    assert settle_next(NEXT, [T1])["entries"] == 0


def test_a_corrected_line_posts_the_difference(first_day):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    assert ledger(NEXT) == [
        ("t1", "coop", Decimal("-0.8"), "corrected_line"),
        ("t1", "rebate", Decimal("-1.2"), "corrected_line"),
    ]


def test_a_withdrawn_line_is_taken_back(first_day):
    settle_next(NEXT, [{"transaction_id": "t2"}], supersedes=f"{DAY}-transactions-1")
    assert [row for row in ledger(NEXT) if row[0] == "t1"] == [
        ("t1", "coop", Decimal("-1.6"), "withdrawn_line"),
        ("t1", "rebate", Decimal("-2.4"), "withdrawn_line"),
    ]
    assert ask("SELECT transaction_id FROM transactions") == [("t2",)]
    assert ask("SELECT transaction_id FROM decisions") == [("t2",)]


def test_a_refund_takes_the_date_and_rate_of_its_original(home):
    take_in_world()
    land(
        "transactions",
        [
            T1 | {"transaction_at": "2020-10-05T00:00:00Z"},
            {"transaction_id": "r", "reverses": "t1", "revenue": "-25.00"},
        ],
    )
    pipeline.run()
    assert ask(
        "SELECT transaction_id, earning, reference_on FROM earnings JOIN decisions USING (transaction_id) ORDER BY 1"
    ) == [
        ("r", Decimal("-1"), date(2020, 10, 5)),
        ("t1", Decimal("4"), date(2020, 10, 5)),
    ]


def test_of_a_line_refunded_by_parts_nothing_is_left_of_rebate_or_coop(home):
    take_in_world()
    sale = T1 | {"revenue": "0.75"}  # earns 0.03, of which 0.01 is co-op
    land(
        "transactions",
        [sale, *(T1 | {"transaction_id": f"r{n}", "reverses": "t1", "revenue": "-0.25"} for n in range(3))],
    )
    pipeline.run()
    assert ask("SELECT earning_type, sum(amount) FROM earnings_ledger GROUP BY ALL ORDER BY ALL") == [
        ("coop", Decimal(0)),
        ("rebate", Decimal(0)),
    ]
    assert ask("SELECT rebate, coop FROM earnings WHERE transaction_id = 't1'") == [(Decimal("0.02"), Decimal("0.01"))]


def test_a_refund_of_an_unknown_line_is_undecided_until_it_comes(first_day):
    settle_next(NEXT, [{"transaction_id": "r", "reverses": "t9", "revenue": "-25.00"}])
    assert ask("SELECT decision, reason_codes FROM decisions WHERE transaction_id = 'r'") == [("undecided", "UNKREV")]
    settle_next(AFTER, [{"transaction_id": "t9"}])
    assert ask("SELECT decision FROM decisions WHERE transaction_id = 'r'") == [("eligible",)]


def test_a_line_that_earns_nothing_says_every_reason(home):
    lines = {
        "product": ({"product_id": "none"}, "undecided", {"UNKATTR"}),
        "currency": ({"currency": "CHF"}, "undecided", {"UNKFX"}),
        "partner": ({"reseller_id": "777"}, "undecided", {"UNKPTR"}),
        "customer": ({"customer_id": "own-tenant"}, "ineligible", {"CUSEQPTR"}),
        "day": ({"transaction_at": "2017-12-01T00:00:00Z"}, "ineligible", {"IVDMPN", "IVDCOMP", "IVDPAYEE", "NOLEVER"}),
    }
    take_in_world()
    land("transactions", [T1, *({"transaction_id": name} | row for name, (row, _, _) in lines.items())])
    pipeline.run()
    for name, (_, decision, codes) in lines.items():
        [found] = ask(f"SELECT decision, reason_codes FROM decisions WHERE transaction_id = '{name}'")
        assert found[0] == decision and codes <= set(found[1].split(",")), name


def test_missing_data_is_undecided_and_earns_when_it_comes(home):
    world = {feed: rows for feed, rows in WORLD.items() if feed != "payee_profiles"}
    for feed, rows in world.items():
        land(feed, rows)
    land("transactions", [T1])
    pipeline.run()
    assert ask("SELECT decision, reason_codes FROM decisions") == [("undecided", "UNKPAYEE")]
    land("payee_profiles", WORLD["payee_profiles"], NEXT)
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert ask("SELECT DISTINCT decision FROM decisions") == [("eligible",)]
    assert {row[3] for row in ledger(NEXT) if row[0] == "t1"} == {"eligibility_gained"}


def test_losing_an_agreement_in_retrospect_takes_the_earning_back(first_day):
    land("agreements", [WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}], NEXT)
    land("transactions", [{"transaction_id": "t2"}], NEXT)
    pipeline.run()
    assert ask("SELECT decision, reason_codes FROM decisions WHERE transaction_id = 't1'") == [("ineligible", "IVDMPN")]
    assert ask("SELECT sum(amount) FROM earnings_ledger") == [(Decimal("0"),)]


def test_earnings_start_with_the_month_in_which_all_criteria_are_met(home):
    land_world(payee_profiles=[WORLD["payee_profiles"][0] | {"validated_on": "2021-03-20"}])
    land(
        "transactions",
        [
            T1 | {"transaction_at": "2021-03-02T00:00:00Z"},
            {"transaction_id": "t2", "transaction_at": "2021-02-28T00:00:00Z"},
        ],
    )
    pipeline.run()
    assert ask("SELECT transaction_id, decision FROM decisions ORDER BY 1") == [
        ("t1", "eligible"),
        ("t2", "ineligible"),
    ]
    assert ask("SELECT earns_from FROM eligibility_status WHERE program = 'csp-indirect-reseller'") == [
        (date(2021, 3, 1),)
    ]


def test_a_first_transaction_invites_once_for_ever(first_day):
    settle_next(NEXT, [{"transaction_id": "t0", "transaction_at": "2021-03-01T00:00:00Z"}])
    assert ask("SELECT partner_id, transaction_id, invited_on FROM invitations") == [
        ("1000001", "t1", date(2021, 3, 23))
    ]


def test_each_currency_is_rounded_once_from_the_exact_value(home):
    land_world(fx_rates=[{"fx_rate": "1.23456789012345678"}, {"from_currency": "JPY", "fx_rate": "0.0091"}])
    land(
        "transactions",
        [T1 | {"currency": "EUR", "revenue": "0.99"}, {"transaction_id": "t2", "currency": "JPY", "revenue": "12345"}],
    )
    pipeline.run()
    assert ask("SELECT earning, program_earning FROM earnings ORDER BY transaction_id") == [
        (Decimal("0.03"), Decimal("0.04")),  # 0.0396 truncated; 0.0396 x 1.2345… = 0.0488… truncated
        (Decimal("493"), Decimal("4.49")),  # 493.8 yen truncated; 493.8 x 0.0091 = 4.49358
    ]


def test_a_day_waits_for_its_required_feeds(home):
    land_world()
    assert pipeline.run() == [] and pipeline.completeness()[0]["missing"] == ["transactions"]
    land("transactions", [T1], part="1/2")
    assert pipeline.run() == [] and pipeline.completeness()[0]["missing"] == ["transactions (some parts)"]
    land("transactions", [{"transaction_id": "t2"}], part="2/2", number=2)
    assert len(pipeline.run()) == 1


def test_a_month_without_exchange_rates_is_not_settled(first_day):
    land("agreements", WORLD["agreements"], "2021-04-01")
    land("transactions", [{"transaction_id": "t2"}], "2021-04-01")
    assert pipeline.run() == []
    assert pipeline.completeness()[-1]["missing"] == ["fx_rates for 2021-04"]


def test_a_day_refuses_to_run_before_an_earlier_due_one(home):
    land_world()
    land("transactions", [T1])
    land("agreements", WORLD["agreements"], NEXT)
    land("transactions", [{"transaction_id": "t2"}], NEXT)
    pipeline.ingest()
    with pytest.raises(pipeline.NotYet, match="waits for earlier days"):
        pipeline.settle(date.fromisoformat(NEXT))


@pytest.mark.slow
def test_a_day_is_settled_with_what_was_delivered_up_to_it(home):
    land_world()
    land("transactions", [T1])
    land("agreements", WORLD["agreements"], NEXT)
    land("transactions", [T1 | {"revenue": "50.00"}], NEXT)
    reports = pipeline.run()
    assert [report["entries"] for report in reports] == [2, 2]
    assert sum(row[2] for row in ledger(DAY)) == Decimal("4")


def test_what_comes_late_for_an_old_day_is_posted_on_the_next(first_day):
    settle_next(NEXT, [{"transaction_id": "t2"}])
    land("transactions", [{"transaction_id": "late"}], DAY, number=2)
    assert pipeline.run() == []
    settle_next(AFTER, [{"transaction_id": "t3"}])
    assert {row[0] for row in ledger(AFTER)} == {"late", "t3"}


def test_a_failed_audit_leaves_warehouse_and_release_as_they_were(first_day, monkeypatch):
    before = (releases.current(), ledger())
    land("agreements", WORLD["agreements"], NEXT)
    land("transactions", [{"transaction_id": "t2"}], NEXT)
    pipeline.ingest()
    monkeypatch.setitem(
        settlement.LINE_STEPS,
        "earnings",
        spoilt,
    )
    with pytest.raises(pipeline.Refused, match="split:earning"):
        pipeline.settle(date.fromisoformat(NEXT))
    assert (releases.current(), ledger()) == before
    assert '"succeeded": false' in (store.home() / "health.json").read_text()
    monkeypatch.undo()


def spoilt(decided_lines, opening_positions, holders, programs):
    from transforms.earnings import earnings

    return earnings(decided_lines, opening_positions, holders, programs).assign(coop_minor=1)


def test_a_reader_keeps_its_release_while_a_new_one_is_published(first_day):
    held = duckdb.connect(str(releases.database(pipeline.current_release())), read_only=True)
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert held.execute("SELECT count(*) FROM decisions").fetchall() == [(1,)]
    assert ask("SELECT count(*) FROM decisions") == [(2,)]


def test_parts_are_written_once(first_day):
    settle_next("2021-03-24", [{"transaction_id": "t2"}])
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    settle_next("2021-04-01", [{"transaction_id": "t3"}])
    held = releases.current()["parts"]
    assert [part["tables"]["earnings_ledger"]["rows"] for part in held] == [2, 2, 2]
    assert ask("SELECT count(*) FROM earnings_ledger") == [(6,)]
    settle_next("2021-04-02", [{"transaction_id": "t1", "revenue": "50.00"}])
    assert ask("SELECT revenue FROM transactions WHERE transaction_id = 't1'") == [(Decimal("50"),)]
    assert releases.current()["parts"][:3] == held


def test_readers_find_the_columns_and_types_of_the_dictionary(first_day):
    for name, table in PUBLISHED.items():
        found = {row[0]: row[1] for row in ask(f"SELECT column_name, column_type FROM (DESCRIBE {name})")}
        assert found == table.published_columns, name


def test_rollback_shows_the_release_before(first_day):
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert releases.rollback()["as_of_date"] == DAY and ask("SELECT count(*) FROM decisions") == [(1,)]
    with pytest.raises(LookupError, match="no release before"):
        releases.rollback()


def test_after_rollbacks_readers_wait_for_a_later_run_alone(home):
    for day in (DAY, NEXT, AFTER):
        folder = store.place("releases") / f"{day}-01"
        folder.mkdir()
        (folder / releases.DATABASE).touch()
        (folder / "manifest.json").write_text(json.dumps({"release_id": folder.name, "run_id": day}))
        releases.point_to(releases.releases()[-1])
    for shown in (NEXT, DAY):
        assert releases.rollback()["run_id"] == shown
        assert releases.pending(AFTER) == (False, None)
        assert releases.pending("2021-03-26") == (True, None)


def test_a_content_hash_ignores_order_and_sees_every_change(home):
    con = store.connect()
    con.execute("CREATE TABLE a AS SELECT * FROM (VALUES (1, 'x'), (2, NULL)) t(n, s)")
    con.execute("CREATE TABLE b AS SELECT * FROM (VALUES (2, NULL), (1, 'x')) t(n, s)")
    con.execute("CREATE TABLE c AS SELECT * FROM (VALUES (1, 'x'), (2, '')) t(n, s)")
    hashes = [content.content_hash(con, table) for table in "abc"]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.slow
def test_a_line_that_names_its_product_by_name_follows_the_product(first_day):
    settle_next(NEXT, [{"transaction_id": "t2", "product_id": "Power BI Pro"}])
    assert ask("SELECT reason_codes FROM decisions WHERE transaction_id = 't2'") == [("UNKATTR",)]
    product = {"product_id": "pbi", "product_name": "Power BI Pro", "product_family": "power_platform"}
    land("products", [product], AFTER, mode="delta")
    settle_next(AFTER, [T1])
    assert ask("SELECT levers FROM decisions WHERE transaction_id = 't2'") == [("business-applications-fy21",)]
    land("products", [product | {"product_family": "azure"}], "2021-03-26", mode="delta")
    settle_next("2021-03-26", [T1])
    assert ask("SELECT levers FROM decisions WHERE transaction_id = 't2'") == [("azure-fy21",)]


@pytest.mark.slow
def test_a_corrected_exchange_rate_reprices_the_sale_and_its_refund_of_a_later_month(home):
    take_in_world()
    land("transactions", [T1 | {"currency": "EUR"}])
    pipeline.run()
    land("fx_rates", [{"fx_month": "2021-04", "fx_rate": "9"}], "2021-04-01")
    refund = {"transaction_id": "r", "reverses": "t1", "currency": "EUR", "revenue": "-50.00"}
    settle_next("2021-04-01", [refund | {"transaction_at": "2021-04-01T10:00:00Z"}])
    land("fx_rates", [{"fx_rate": "2"}], "2021-04-02")
    settle_next("2021-04-02", [T1 | {"currency": "EUR"}])
    assert ask("SELECT transaction_id, program_earning FROM earnings ORDER BY 1") == [
        ("r", Decimal(-4)),
        ("t1", Decimal(8)),
    ]
    assert ask("SELECT sum(program_amount) FROM earnings_ledger") == [(Decimal(4),)]


def test_a_query_reaches_no_file_outside_the_releases(first_day):
    with pytest.raises(duckdb.PermissionException):
        ask("SELECT * FROM read_csv('/etc/passwd')")


def test_an_exchange_rate_that_comes_later_decides_the_line(first_day):
    settle_next(NEXT, [{"transaction_id": "t2", "currency": "CHF"}])
    assert ask("SELECT reason_codes FROM decisions WHERE transaction_id = 't2'") == [("UNKFX",)]
    land("fx_rates", [{"from_currency": "CHF"}], AFTER)
    settle_next(AFTER, [T1])
    assert ask("SELECT decision FROM decisions WHERE transaction_id = 't2'") == [("eligible",)]


def test_a_standing_that_changes_only_in_the_future_touches_no_old_line(first_day):
    report = settle_next(
        NEXT, [{"transaction_id": "t2", "revenue": "30000.00"}]
    )  # trailing revenue counts from October
    with store.locked("test"), store.warehouse() as con:
        moved = con.execute("SELECT min(valid_from) FROM derived.eligibility WHERE known_from = ?", [NEXT]).fetchall()
    assert moved != [(None,)] and report["lines"] == 1


def test_a_day_taken_over_again_adds_nothing(first_day, tmp_path):
    with store.locked("test"), store.warehouse() as con:
        store.attach(con, tmp_path / "again.duckdb", "staging")
        con.execute("CREATE SCHEMA staging.derived")
        for name in DERIVED:
            con.execute(f"CREATE TABLE staging.derived.{name} AS FROM derived.{name}")
        con.execute("CREATE TEMP TABLE touched_partners AS SELECT partner_id FROM clean.partners")
        con.execute("CREATE TEMP TABLE touched_customers AS SELECT customer_id FROM clean.claims")
        con.execute(
            "CREATE TEMP TABLE worked_lines AS SELECT transaction_id, program, true AS is_known FROM derived.decisions"
        )
        con.execute("CREATE TEMP TABLE worked_cells AS SELECT program, partner_id, cell_from FROM derived.positions")
        con.execute("CREATE TEMP TABLE touched_payments AS SELECT payment_id FROM derived.payments")
        con.execute("CREATE TEMP TABLE touched_holders AS SELECT program, lever, scope FROM derived.holders")
        assert commit.take_over(con, date.fromisoformat(DAY)) == dict.fromkeys(DERIVED, 0)


def test_a_corrected_line_counts_once_in_its_month(first_day):
    settle_next(NEXT, [T1 | {"revenue": "50.00"}])
    assert ask("SELECT line_count, earning, rebate, coop FROM earnings_monthly") == [
        (1, Decimal(2), Decimal("1.2"), Decimal("0.8"))
    ]


@pytest.mark.slow
def test_a_release_answers_how_a_line_was_classified_on_an_earlier_day(first_day):
    settle_next(NEXT, [T1 | {"revenue": "50.00", "product_id": "none"}])
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    settle_next("2021-04-01", [T1])
    settle_next("2021-04-02", [{"transaction_id": "t2"}], supersedes="2021-04-01-transactions-1")
    asked = "SELECT decision, revenue::DOUBLE FROM decisions_known_on(DATE '{}') WHERE transaction_id = 't1'"
    told = {day: ask(asked.format(day)) for day in ("2021-03-22", DAY, NEXT, "2021-04-01", "2021-04-02")}
    assert told == {
        "2021-03-22": [], DAY: [("eligible", 100)], NEXT: [("undecided", 50)], "2021-04-01": [("eligible", 100)],
        "2021-04-02": [],
    }  # fmt: skip


def test_a_release_answers_which_criteria_held_on_a_day(first_day):
    land("agreements", [WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}], NEXT)
    land("transactions", [{"transaction_id": "t2"}], NEXT)
    pipeline.run()
    asked = (
        "SELECT status FROM eligibility_history_known_on(DATE '{}') WHERE criterion = 'active_agreement' "
        "AND valid_from <= DATE '2021-03-01' AND (valid_to IS NULL OR valid_to > DATE '2021-03-01')"
    )
    assert (ask(asked.format(DAY)), ask(asked.format(NEXT))) == ([("met",)], [("unmet",)])


@pytest.mark.slow
def test_a_line_that_comes_late_for_a_closed_month_is_published(first_day):
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    settle_next("2021-04-01", [T1])
    land("transactions", [{"transaction_id": "late"}, T1 | {"revenue": "50.00"}], DAY, number=2)
    settle_next("2021-04-02", [{"transaction_id": "t2"}])
    settle_next("2021-04-05", [{"transaction_id": "t3"}])
    assert ask("SELECT transaction_id, revenue::DOUBLE FROM transactions ORDER BY 1") == [
        ("late", 100), ("t1", 100), ("t2", 100), ("t3", 100),
    ]  # fmt: skip
    assert ask(f"SELECT revenue::DOUBLE FROM transactions_known_on(DATE '{DAY}') WHERE transaction_id = 't1'") == [
        (50,)
    ]
