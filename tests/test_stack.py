"""What only a real Airflow shows: deliveries dropped in any order are taken in and settled, without anyone asking."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import pipeline
from app import processes
from app.land import drop
from app.stack import COMPONENTS
from tests.deliveries import WORLD, land, land_world
from warehouse import releases, store

MON, TUE, WED, THU, FRI = (f"2021-03-{day}" for day in range(22, 27))
SECONDS = 90

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def home(stack, monkeypatch) -> Path:
    """The home of the running stack."""
    monkeypatch.setenv("INCENTIVES_HOME", str(stack.home))
    return stack.home


@pytest.fixture
def made(home, tmp_path, monkeypatch) -> Callable[..., Path]:
    """Makes a delivery that has not landed yet; its folder."""

    def make(feed: str, rows: list[dict], day: str, **manifest: Any) -> Path:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("INCENTIVES_HOME", str(tmp_path))
            return tmp_path / "landing" / land(feed, rows, day, **manifest)

    return make


def settled() -> list[str]:
    """The days that were settled, in the order in which they were."""
    path = store.home() / "runs.jsonl"
    return [json.loads(line)["business_date"] for line in path.read_text().splitlines()] if path.exists() else []


def settle_runs(stack) -> int:
    """How many runs of settle have ended well; a run that fails ends the wait for it."""
    assert stack.get("/dags/settle/dagRuns?state=failed")["total_entries"] == 0
    return stack.get("/dags/settle/dagRuns?state=success")["total_entries"]


def taken_in(stack, *folders: Path) -> None:
    """Drop deliveries and wait until they are taken in and the run of settle that this brings about has ended."""
    stack.wait(stack.is_idle, "earlier runs have ended", SECONDS)
    runs = settle_runs(stack)
    for folder in folders:
        drop(folder)
    stack.wait(lambda: not pipeline.landed() and settle_runs(stack) > runs, "deliveries are taken in", SECONDS)


def sums(*transactions: str) -> list[tuple]:
    """What lines have earned, by program and currency."""
    with releases.reader(pipeline.current_release()) as con:
        return con.execute(
            "SELECT program, currency, sum(rebate), sum(coop), count(*) FROM earnings "
            "WHERE list_contains(?, transaction_id) GROUP BY ALL ORDER BY ALL",
            [list(transactions)],
        ).fetchall()


def line(number: int) -> dict[str, str]:
    return {"transaction_id": f"t{number}", "subscription_id": f"s{number}"}


def test_days_dropped_newest_first_settle_in_date_order(stack, made):
    days = {MON: line(1), TUE: line(2), WED: line(3)}
    land_world(MON)
    for day in (TUE, WED):
        land("agreements", WORLD["agreements"], day)
    stack.wait(lambda: not pipeline.landed(), "the other feeds are taken in", SECONDS)
    last = [made("transactions", [days[day]], day) for day in sorted(days, reverse=True)]
    for folder in last:
        drop(folder)
    stack.wait(lambda: len(settled()) == len(days), "three days are settled", SECONDS)
    assert settled() == [MON, TUE, WED]


def test_half_a_day_is_not_settled_until_its_other_half_comes(stack, made):
    before = settled()
    taken_in(stack, made("transactions", [line(4)], THU))
    assert settled() == before
    drop(made("agreements", WORLD["agreements"], THU))
    stack.wait(lambda: settled() == [*before, THU], "the late half completes the day", SECONDS)


def test_a_delivery_that_comes_again_changes_no_sum(stack, made, home):
    before = sums("t1", "t2", "t3", "t4")
    taken_in(stack, home / "archive" / f"{THU}-transactions-1")
    assert settled()[-1] == THU
    drop(made("transactions", [line(4), line(5)], FRI))
    drop(made("agreements", WORLD["agreements"], FRI))
    stack.wait(lambda: settled()[-1] == FRI, "the next day is settled", SECONDS)
    assert before and sums("t1", "t2", "t3", "t4") == before
    assert sums("t5")


def test_a_refused_delivery_says_why_and_is_not_tried_again(stack, made, home):
    runs = stack.get("/dags/ingest/dagRuns?state=success")["total_entries"]
    folder = made("customers", WORLD["customers"], FRI)
    (folder / "customers.csv").write_text("damaged")
    drop(folder)
    reason = home / "refused" / folder.name / "reason.txt"
    stack.wait(reason.exists, "the delivery is refused", SECONDS)
    stack.wait(lambda: stack.get("/dags/ingest/dagRuns?state=success")["total_entries"] > runs, "its run ends", SECONDS)
    assert "bytes" in reason.read_text()
    tries = stack.get("/dags/ingest/dagRuns/~/taskInstances?task_id=take_in&limit=100")["task_instances"]
    assert {task["try_number"] for task in tries if task["state"] == "success"} == {1}


def test_a_mapped_day_is_named_by_its_date(stack):
    tasks = stack.get("/dags/settle/dagRuns/~/taskInstances?task_id=settle_day&limit=100")["task_instances"]
    assert {MON, FRI} <= {task["rendered_map_index"] for task in tasks}


def test_nothing_listens_beyond_this_machine(stack):
    leaders = [processes.running(stack.home / "airflow", name) for name in COMPONENTS]
    family = [process for leader in leaders for process in (leader, *leader.children(recursive=True))]
    assert {address for process in family for address in listened_on(process)} == {"127.0.0.1"}


def listened_on(process: psutil.Process) -> list[str]:
    """The addresses that a process listens on; none once it has ended, as short-lived children may meanwhile."""
    try:
        return [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        return []


def test_secrets_are_for_their_owner_only(stack):
    folder = stack.home / "airflow"
    assert {(folder / name).stat().st_mode & 0o777 for name in ("secrets.json", "passwords.json")} == {0o600}
