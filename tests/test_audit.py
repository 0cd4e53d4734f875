"""The day's volume is compared with what is usual on its weekday, for what does not swing by itself."""

import functools
from datetime import date
from decimal import Decimal

import pytest
from typer.testing import CliRunner

import operations
import pipeline
import replays
import settlement
from app.cli import app
from tests.deliveries import T1, WORLD, land, land_world, take_in_world
from warehouse import audit, store

TUESDAYS = ("2021-03-02", "2021-03-09", "2021-03-16", "2021-03-23")


def shares(home, lines: int, revenues: tuple[str, ...]) -> dict[str, Decimal]:
    """Each figure of the last of four Tuesdays beside the median of the others; a day has `lines` of one revenue."""
    for day, revenue in zip(TUESDAYS, revenues, strict=True):
        rows = [
            {"transaction_id": f"{day}-{n}", "transaction_at": f"{day}T10:00:00Z", "revenue": revenue, "tax": "0.00"}
            for n in range(lines)
        ]
        land("transactions", rows, day)
    pipeline.ingest()
    with store.warehouse() as con:
        store.attach(con, home / "staging.duckdb", "staging")
        con.execute("CREATE SCHEMA staging.audit")
        audit._volume(con, date.fromisoformat(TUESDAYS[-1]))
        return dict(con.execute("SELECT figure, share_of_usual FROM staging.audit.volume").fetchall())


@pytest.mark.parametrize(("lines", "seen"), [(29, {"rows": 1}), (30, {"rows": 1, "USD": 20})])
def test_revenue_is_looked_at_where_a_currency_usually_has_thirty_lines(home, lines, seen):
    assert shares(home, lines, ("10.00", "10.00", "12.00", "200.00")) == seen


def quiet_tuesday() -> date:
    """Three usual Tuesdays, and a holiday that its volume keeps from being settled."""
    take_in_world(TUESDAYS[0], fx_rates=[{"fx_month": "2021-03"}])
    for day, lines in zip(TUESDAYS, (11, 11, 11, 1), strict=True):
        rows = [{"transaction_id": f"{day}-{n}", "transaction_at": f"{day}T10:00:00Z"} for n in range(lines)]
        land("transactions", rows, day)
    land("agreements", WORLD["agreements"], TUESDAYS[-1])  # the other days are not complete, and are passed over
    with pytest.raises(pipeline.Refused, match=r"volume:critical.*accept-volume"):
        pipeline.run()
    return date.fromisoformat(TUESDAYS[-1])


def test_a_quiet_day_is_settled_once_somebody_accepts_it_and_replays_alike(home):
    day = quiet_tuesday()
    with pytest.raises(LookupError, match="needs the name"):
        operations.accept_volume(day, " ")
    land("transactions", [], TUESDAYS[0], number=2, volume_accepted_by="anna")  # another day's
    with pytest.raises(pipeline.Refused, match="volume:critical"):
        pipeline.run()
    done = CliRunner().invoke(app, ["accept-volume", str(day), "--by", "anna"])
    assert done.exit_code == 0, done.output
    [report] = pipeline.run()
    [told] = [line for line in report["warnings"] if "audit.volume" in line]
    assert report["business_date"] == day and "volume:warning" in told
    with store.warehouse() as con:
        said = con.execute(
            "SELECT volume_accepted_by FROM clean.deliveries WHERE business_date = $day AND volume_accepted_by <> ''",
            {"day": day},
        ).fetchall()
    assert said == [("anna",)]
    assert replays.replay(day)["differing"] == []
    with pytest.raises(LookupError, match=rf"\[{day}\] is not due"):
        operations.accept_volume(day, "anna")


@pytest.mark.slow
def test_late_lines_of_a_settled_day_do_not_keep_a_rule_edit_from_being_restated(home, one_program):
    take_in_world(TUESDAYS[0], fx_rates=[{"fx_month": "2021-03"}])
    for day in TUESDAYS:
        land(
            "transactions",
            [{"transaction_id": f"{day}-{n}", "transaction_at": f"{day}T10:00:00Z"} for n in range(2)],
            day,
        )
    land("agreements", WORLD["agreements"], TUESDAYS[-1])
    pipeline.run()
    land("transactions", [{"transaction_id": f"late-{n}"} for n in range(19)], TUESDAYS[-1], number=2)
    pipeline.ingest()
    path = one_program / "csp-indirect-reseller.yaml"
    path.write_text(path.read_text().replace("lever: azure-fy21", "lever: azure-in-fy21"))
    report = operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")
    assert report["lines"] >= 19 and replays.replay(date.fromisoformat(TUESDAYS[-1]))["differing"] == []


def test_a_volume_is_accepted_with_transactions(home):
    with pytest.raises(ValueError, match="of transactions alone"):
        land("products", [], volume_accepted_by="anna")


@pytest.mark.parametrize("entries_a_part", [1, audit.PART_ENTRIES])
def test_entries_that_do_not_sum_to_what_is_earned_are_seen(home, monkeypatch, entries_a_part):
    sound = settlement.LINE_STEPS["earnings_ledger"]

    @functools.wraps(sound)
    def spoilt(**tables):
        entries = sound(**tables)
        is_spoilt = (entries["transaction_id"] == "t2") & (entries["earning_type"] == "coop")
        return entries.assign(amount_minor=entries["amount_minor"] + is_spoilt)

    monkeypatch.setattr(audit, "PART_ENTRIES", entries_a_part)
    monkeypatch.setitem(settlement.LINE_STEPS, "earnings_ledger", spoilt)
    take_in_world()
    land("transactions", [{"transaction_id": f"t{number}"} for number in range(9)])
    with pytest.raises(pipeline.Refused, match=r"ledger_differences.*\[1\] rows .*t2"):
        pipeline.run()


def test_a_line_that_is_lost_between_two_steps_is_seen(home, monkeypatch):
    sound = settlement.LINE_STEPS["decided_lines"]

    @functools.wraps(sound)
    def spoilt(**tables):
        made = sound(**tables)
        return made[made["transaction_id"] != "t2"]

    monkeypatch.setitem(settlement.LINE_STEPS, "decided_lines", spoilt)
    take_in_world()
    land("transactions", [{"transaction_id": f"t{number}"} for number in range(3)])
    with pytest.raises(pipeline.Refused, match=r"lost_lines.*\[3\] rows .*t2"):
        pipeline.run()


def test_a_program_that_no_file_describes_is_told(home):
    """Misspelt, it would enrol nobody, and nobody would know why."""
    misspelt = {"partner_id": "1000001", "program": "csp-indirect-resellr"}
    land_world(enrolments=[{"partner_id": "1000001"}, misspelt], users=[{"partner_id": "1000001"}])
    land("transactions", [T1])
    [report] = pipeline.run()
    [told] = report["warnings"]
    assert "unknown_references" in told and "[1] rows" in told and "csp-indirect-resellr" in told
