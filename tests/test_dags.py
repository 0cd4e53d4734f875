"""The DAGs: what they are, when they wake, what a run of each does, without a scheduler."""

import asyncio
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

import monitoring
import payouts
import pipeline
from app import processes
from app.stack import DAGS, ROOT, environment
from tests.deliveries import DAY, WORLD, land, land_world

T1 = {"transaction_id": "t1"}


@pytest.fixture(scope="session")
def bag(tmp_path_factory):
    """Every DAG, with an Airflow database of its own; the settings must stand before Airflow is imported."""
    home = tmp_path_factory.mktemp("airflow_home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(home, 0).items():
            patch.setenv(name, value)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        from airflow.dag_processing.dagbag import DagBag
        from airflow.utils.db import initdb

        initdb()
        yield DagBag(dag_folder=str(ROOT / "dags"))


CLOCKS = {"close": None, "propose_payments": "0 6 15 * *"}


def run(bag, name: str, state: str = "success", **params: str) -> dict[str, str]:
    """The states of a run's tasks, by task and place among its mapped copies."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    done = bag.dags[name].test(run_conf=params or None)
    assert done.state == state
    with create_session() as session:
        tasks = session.query(TaskInstance).filter_by(dag_id=name, run_id=done.run_id)
        return {task.task_id + (f" {task.map_index}" if task.map_index >= 0 else ""): str(task.state) for task in tasks}


def test_there_are_eight_dags_and_each_can_be_imported(bag):
    assert not bag.import_errors
    assert set(bag.dags) == DAGS


@pytest.mark.parametrize(
    ("name", "woken_by", "emits", "tasks"),
    [
        ("ingest", {"landing"}, {"clean"}, ["landed", "take_in", "completeness", "report"]),
        ("settle", {"clean"}, {"published"}, ["due_days", "settle_days", "report"]),
        ("freshness", set(), set(), ["send_alerts"]),
        ("close", set(), set(), ["close_month"]),
        ("data_docs", {"published"}, set(), ["build"]),
        ("propose_payments", set(), {"approved payments"}, ["propose", "approve", "answered", "decide"]),
        ("send_emails", {"published"}, set(), ["send"]),
        ("send_payments", {"approved payments"}, set(), ["unsent", "send"]),
    ],
)
def test_what_wakes_a_dag_and_what_it_emits(bag, name, woken_by, emits, tasks):
    dag = bag.dags[name]
    condition = getattr(dag.timetable, "asset_condition", None)
    assert {asset.name for asset in (condition.objects if condition else ())} == woken_by
    assert {outlet.name for task in dag.tasks for outlet in task.outlets} == emits
    clock = getattr(dag.timetable, "timetable", dag.timetable)
    assert getattr(clock, "expression", None) == CLOCKS.get(name, "*/15 * * * *")
    assert [task.task_id for task in dag.topological_sort()] == tasks


@pytest.mark.parametrize("name", sorted(DAGS))
def test_one_run_at_a_time_and_every_task_tried_again(bag, name):
    from airflow.sdk import BaseSensorOperator

    dag = bag.dags[name]
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert dag.doc_md and dag.tags
    for task in dag.tasks:
        assert task.retries >= 1 and not isinstance(task, BaseSensorOperator)


def test_reading_a_dag_imports_neither_the_pipeline_nor_what_it_computes_with(tmp_path):
    script = (
        f"import importlib, sys\nfor name in {sorted(DAGS)}: importlib.import_module('dags.' + name)\n"
        "print([name for name in ('pipeline', 'pandas', 'duckdb', 'great_expectations') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(tmp_path, 0), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


def test_a_landed_day_is_taken_in_and_settled(bag, home):
    land_world()
    land("transactions", [T1])
    assert set(run(bag, "ingest").values()) == {"success"}
    assert run(bag, "settle") == {"due_days": "success", "settle_days 0": "success", "report": "success"}
    assert pipeline.current_release()["as_of_date"] == DAY


@pytest.mark.slow  # test_stack.py has it of the real Airflow
def test_days_are_settled_in_date_order(bag, home):
    land_world()
    for number, day in enumerate(("2021-03-24", DAY)):
        land("agreements", WORLD["agreements"], day, number=2)
        land("transactions", [{"transaction_id": f"t{number}"}], day)
    pipeline.ingest()
    run(bag, "settle")
    runs = (home / "runs.jsonl").read_text().splitlines()
    assert [json.loads(line)["business_date"] for line in runs] == [DAY, "2021-03-24"]


@pytest.mark.slow
def test_run_without_a_scheduler_publishes_the_same_tables(bag, tmp_path, monkeypatch):
    hashes = {}
    for way in ("dags", "command"):
        monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path / way))
        land_world()
        land(
            "transactions",
            [T1, {"transaction_id": "t2", "product_id": "unknown"}, {"transaction_id": "t3", "revenue": "x"}],
        )
        land("agreements", WORLD["agreements"], "2021-03-24", number=2)
        land("transactions", [T1 | {"revenue": "90.00"}], "2021-03-24")
        if way == "dags":
            run(bag, "ingest"), run(bag, "settle")
        else:
            pipeline.run()
        manifest = pipeline.current_release()
        assert manifest["as_of_date"] == "2021-03-24"
        hashes[way] = {table["name"]: table["content_hash"] for table in manifest["tables"]}
    assert hashes["dags"] == hashes["command"]


def test_a_run_without_anything_to_do_succeeds(bag, home):
    assert run(bag, "ingest") == {
        "landed": "success",
        "take_in": "skipped",
        "completeness": "skipped",
        "report": "skipped",
    }
    assert set(run(bag, "settle").values()) == {"success", "skipped"}


@pytest.mark.parametrize(
    "fault", [pipeline.Refused("a bad day"), pipeline.RuleFault("program.yaml", 3, "rate", "x", "write a number")]
)
def test_bad_data_and_a_bad_rule_file_fail_a_day_at_once(bag, home, monkeypatch, fault):
    from airflow.sdk.exceptions import AirflowFailException

    def backfill(days, progress):
        raise fault

    monkeypatch.setattr(pipeline, "due_days", lambda: [date.fromisoformat(DAY)])
    monkeypatch.setattr(pipeline, "backfill", backfill)
    with pytest.raises(AirflowFailException, match=re.escape(str(fault))):
        bag.dags["settle"].get_task("settle_days").python_callable([DAY])


@pytest.mark.parametrize(("due", "tasks"), [(0, []), (1, [1]), (3, [1, 1, 1]), (4, [4]), (21, [10, 10, 1])])
def test_many_due_days_share_tasks(bag, home, monkeypatch, due, tasks):
    days = [date(2021, 3, 1 + number) for number in range(due)]
    monkeypatch.setattr(pipeline, "due_days", lambda: days)
    by_task = bag.dags["settle"].get_task("due_days").python_callable()
    assert [len(named) for named in by_task] == tasks and sum(by_task, []) == [str(day) for day in days]


def test_a_day_settled_meanwhile_is_skipped(bag, home):
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException, match="not due any more"):
        bag.dags["settle"].get_task("settle_days").python_callable([DAY])


def test_a_batch_that_was_landed_by_a_try_that_was_cut_off_is_asked_about(bag, monkeypatch):
    from airflow.sdk.exceptions import AirflowSkipException

    def nothing_due(cycle_on, by):
        raise payouts.NothingDue("all is reserved")

    landed = dict.fromkeys(("payments", "proposed_by", "batch_hash"), "") | {
        "cycle_on": date(2021, 5, 15),
        "payouts": {},
    }
    waiting = {date(2021, 5, 15): landed | {"batch_id": "20210515-1"}}
    propose = bag.dags["propose_payments"].get_task("propose").python_callable
    monkeypatch.setitem(propose.__globals__, "APPROVERS", ["ben"])
    monkeypatch.setattr(payouts, "propose", nothing_due)
    monkeypatch.setattr(payouts, "undecided", waiting.get, raising=False)
    by = SimpleNamespace(triggering_user_name=None)
    assert propose(by, {"cycle_on": "2021-05-15"})["batch_id"] == "20210515-1"
    with pytest.raises(AirflowSkipException, match="all is reserved"):
        propose(by, {"cycle_on": "2021-06-15"})


def test_an_answer_that_is_given_twice_takes_no_approval_back(bag, monkeypatch):
    from airflow.sdk.exceptions import AirflowFailException

    said = []

    def decided_already(batch, approval, *_, **__):
        said.append(approval)
        raise LookupError("approved already")

    monkeypatch.setattr(payouts, "decide", decided_already)
    monkeypatch.setattr(payouts, "batch_of", lambda batch: {"approval": "approved"})
    answer = {"chosen_options": ["Approve"], "responded_by_user": {"name": "ben"}}
    decide = bag.dags["propose_payments"].get_task("decide").python_callable
    with pytest.raises(AirflowFailException, match="approved already"):
        decide({"batch_id": "20210515-1", "batch_hash": ""}, SimpleNamespace(xcom_pull=lambda task_ids: answer))
    assert said == ["approved"]


def test_each_alert_is_sent_once(bag, home):
    bad = home / "landing" / "bad"
    bad.mkdir(parents=True)
    (bad / "manifest.json").write_text("{}")
    pipeline.ingest()
    assert "delivery refused:bad" in {alert["key"] for alert in monitoring.unsent_alerts()}
    run(bag, "freshness")
    assert monitoring.unsent_alerts() == []


def test_the_doorbell_comes_out_of_the_database_as_it_went_in(bag):
    from airflow.sdk.module_loading import import_string

    from dags.doorbell import Doorbell

    path, values = Doorbell("/landing", every=2, renotify=3).serialize()
    assert import_string(path)(**values).serialize() == (path, values)


def test_the_doorbell_rings_once_for_what_landed_and_again_while_it_waits(bag, tmp_path):
    from dags.doorbell import Doorbell

    def drop(name: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").touch()

    async def rings() -> None:
        bell = Doorbell(str(tmp_path), every=0.01, renotify=0.5).run()

        async def ring(seconds: float) -> list[str]:
            return (await asyncio.wait_for(asyncio.shield(upcoming), seconds)).payload["deliveries"]

        drop("b"), drop("a"), drop(".unfinished"), (tmp_path / "no-manifest").mkdir()
        upcoming = asyncio.ensure_future(anext(bell))
        assert await ring(1) == ["a", "b"]
        upcoming = asyncio.ensure_future(anext(bell))
        with pytest.raises(TimeoutError):
            await ring(0.2)
        drop("c")
        assert await ring(0.2) == ["c"]
        (tmp_path / "a" / "manifest.json").unlink()
        upcoming = asyncio.ensure_future(anext(bell))
        assert await ring(1) == ["b"]

    asyncio.run(rings())


def test_only_processes_that_were_started_are_ended(tmp_path):
    own = processes.start(tmp_path, "own", [sys.executable, "-c", CHILD], {})
    pids = tmp_path / "own.log"
    while not pids.read_text().endswith("\n"):
        assert own.poll() is None
    child = int(pids.read_text())
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / "other.pid").write_text(json.dumps([other.pid, 1.0]))
    processes.end(tmp_path, ["own", "other"])
    assert not own.is_running() and not Path(f"/proc/{child}").exists()
    assert other.poll() is None and not list(tmp_path.glob("*.pid"))
    other.kill()
    other.wait()


CHILD = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


def test_a_month_is_closed_by_hand_and_only_when_it_is_over(bag, home):
    land_world()
    land("transactions", [T1])
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    land("agreements", WORLD["agreements"], "2021-04-01")
    land("transactions", [{"transaction_id": "t2"}], "2021-04-01")
    pipeline.run()
    assert run(bag, "close", month="2021-03", by="anna") == {"close_month": "success"}
    assert run(bag, "close", state="failed", month="2021-04", by="anna") == {"close_month": "failed"}
