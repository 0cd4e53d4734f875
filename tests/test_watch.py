"""What an operator is told of: each condition when it holds, and not when it does not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

import monitoring
from app.cli import app
from warehouse import store, watch

HOLDS = "from warehouse import store\nwith store.locked('settle 2021-03-23'): print('held', flush=True); input()"


def told(condition: str) -> list[str]:
    return [alert["message"] for alert in monitoring.alerts() if alert["condition"] == condition]


@contextmanager
def held_for_two_hours(home: Path) -> Iterator[None]:
    """Another process holds the home, and is killed at the end."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDS], cwd=Path(__file__).parents[1], **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        holder = home / "holder.txt"
        since = holder.stat().st_mtime - 7200
        os.utime(holder, (since, since))
        yield
        process.kill()


def test_a_run_that_is_stuck_is_told_of_at_once_and_no_more_when_it_was_killed(home, monkeypatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0)
    with held_for_two_hours(home):
        [message] = told("run stuck")
        assert "held by [settle 2021-03-23, process" in message
        shown = CliRunner().invoke(app, ["status"])
        assert shown.exit_code == 1 and "run stuck: the warehouse is held by" in shown.output
    assert (home / "holder.txt").exists() and told("run stuck") == []


def day(number: int, *missing: str, settled: bool = False, passed_over: bool = False) -> dict:
    """A day of March 2021 as `registry.completeness` has it."""
    return {
        "business_date": date(2021, 3, number), "is_settled": settled, "is_passed_over": passed_over,
        "is_complete": not missing, "missing": list(missing),
    }  # fmt: skip


SETTLED = day(23, settled=True)


@pytest.mark.parametrize(
    ("now", "days", "told"),
    [
        ("2021-03-25T12:00", [SETTLED], {}),
        ("2021-03-25T12:01", [SETTLED], {"nothing delivered:2021-03-24": "nothing has come for [1] of the days since [2021-03-23], first for [2021-03-24]."}),
        (
            "2021-03-28T12:01",
            [SETTLED, day(25, "agreements")],
            {
                "day not complete:2021-03-25": "day [2021-03-25] lacks ['agreements']; it is not settled.",
                "nothing delivered:2021-03-24": "nothing has come for [3] of the days since [2021-03-23], first for [2021-03-24].",
            },
        ),
        ("2021-03-28T12:01", [], {}),
        (
            "2021-03-24T12:01",
            [day(20, "agreements", passed_over=True), day(21, settled=True), day(22, "agreements", passed_over=True), SETTLED],
            {"day passed over:2021-03-22": "day [2021-03-22] was passed over; it lacks ['agreements']."},
        ),
        ("2021-03-24T12:01", [day(21, settled=True), day(22, passed_over=True), SETTLED], {}),
    ],
)  # fmt: skip
def test_days_that_lack_something_are_told_of_and_so_are_those_for_which_nothing_came(home, now, days, told):
    found = watch.alerts(datetime.fromisoformat(now), days)
    assert {alert["key"]: alert["message"] for alert in found if alert["condition"] != "disk short"} == told
