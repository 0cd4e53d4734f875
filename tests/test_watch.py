"""What an operator is told of: each condition when it holds, and not when it does not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner

import pipeline
from app.cli import app
from warehouse import store

HOLDS = "from warehouse import store\nwith store.locked('settle 2021-03-23'): print('held', flush=True); input()"


def told(condition: str) -> list[str]:
    return [alert["message"] for alert in pipeline.alerts() if alert["condition"] == condition]


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
