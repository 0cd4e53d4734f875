"""Several days settled at once and published with the last: the same as day by day."""

import shutil
from datetime import date

import pytest

import pipeline
import settlement
from tests.deliveries import DAY, T1, WORLD, ask, land, settle_next
from tests.test_settle import spoilt
from warehouse import releases, store

pytestmark = pytest.mark.usefixtures("one_program")
NEXT, AFTER = "2021-03-24", "2021-03-25"


def refusing(folder, manifest):
    raise OSError("no space left")


@pytest.mark.parametrize("can_publish", [True, False])
def test_a_backfill_that_fails_publishes_the_days_before(first_day, monkeypatch, can_publish):
    for day, line in ((NEXT, "t2"), (AFTER, "t3")):
        land("agreements", WORLD["agreements"], day)
        land("transactions", [{"transaction_id": line}], day)
    pipeline.ingest()
    sound = settlement.LINE_STEPS["earnings"]

    def spoilt_of_t3(decided_lines, opening_positions, holders, programs):
        is_spoilt = (decided_lines["transaction_id"] == "t3").any()
        return (spoilt if is_spoilt else sound)(decided_lines, opening_positions, holders, programs)

    monkeypatch.setitem(settlement.LINE_STEPS, "earnings", spoilt_of_t3)
    if not can_publish:
        monkeypatch.setattr(releases, "show", refusing)
    with pytest.raises(pipeline.Refused, match="split:earning") as fault:
        pipeline.backfill(pipeline.due_days())
    assert getattr(fault.value, "__notes__", []) == (
        [] if can_publish else [f"What was settled before [{AFTER}] is not published either: no space left"]
    )
    assert pipeline.current_release()["as_of_date"] == (NEXT if can_publish else DAY)
    assert '"succeeded": false' in (store.home() / "health.json").read_text()
    assert pipeline.due_days() == [date.fromisoformat(AFTER)]


@pytest.mark.slow
def test_a_backfill_publishes_once_and_the_same_as_day_by_day(first_day, tmp_path_factory):
    april = "2021-04-01"
    land("fx_rates", [{"fx_month": "2021-04"}], april)
    for day, lines in ((NEXT, [{"transaction_id": "t2"}]), (april, [T1 | {"revenue": "50.00"}]), ("2021-04-02", [T1])):
        land("agreements", WORLD["agreements"], day)
        land("transactions", lines, day)
    land("transactions", [{"transaction_id": "late"}], DAY, number=2)
    other = tmp_path_factory.mktemp("day by day")
    shutil.copytree(store.home(), other, dirs_exist_ok=True)
    pipeline.ingest()
    reports = pipeline.backfill(pipeline.due_days())
    assert [report["release_id"] for report in reports] == [None, None, "2021-04-02-01"]
    told = [
        (table["name"], ask(f"SELECT * FROM {table['name']} ORDER BY ALL")) for table in releases.current()["tables"]
    ]
    with store.at(other):
        pipeline.run()
        assert [(name, ask(f"SELECT * FROM {name} ORDER BY ALL")) for name, _ in told] == told


@pytest.mark.slow
def test_a_late_line_of_a_backfilled_day_reaches_its_closed_month(first_day):
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    settle_next("2021-04-01", [{"transaction_id": "t2"}])
    land("transactions", [{"transaction_id": "late"}], DAY, number=2)
    for day in ("2021-04-02", "2021-04-05"):
        land("agreements", WORLD["agreements"], day)
        land("transactions", [{"transaction_id": f"of {day}"}], day)
    pipeline.ingest()
    pipeline.backfill(pipeline.due_days())
    assert ask("SELECT count(*) FROM transactions") == [(5,)]
