"""Three sample days through a real Airflow, told as they go, and summed up."""

import json
from datetime import date
from pathlib import Path

import pipeline
from app import land
from app.sample import sample
from app.stack import Say, Stack, running
from app.summary import summary
from warehouse import store

SECONDS = 600


def run_demo(home: Path, folder: Path | None = None, say: Say = print) -> int:
    """Sample deliveries landed, taken in, settled and published by Airflow; 0 once the newest day is published.

    `folder` holds the deliveries; they are made in the home's sample/ unless it is given. Running it again lands the
    same deliveries, which changes nothing.
    """
    folder = folder or _sample(home / "sample", say)
    with running(home, say) as stack:
        say(f"Airflow is up at {stack.url}")
        names = land.deliveries([folder])
        say(f"landed {len(names)} deliveries; the landing folder's doorbell rings")
        _follow(stack, set(names), say)
    say("\n" + summary())
    return 0


def _sample(folder: Path, say: Say) -> Path:
    if not folder.exists():
        sample(
            folder, first_day=date(2022, 3, 23), days=3, partners=300, transactions=2000, seed=1, defects=True,
            progress=say,
        )  # fmt: skip
    return folder


def _follow(stack: Stack, waiting: set[str], say: Say) -> None:
    """Say what becomes of deliveries and days until nothing waits and the newest day is published."""
    newest, shown = max(name[:10] for name in waiting), ""

    def is_done() -> bool:
        nonlocal shown
        taken = waiting.difference(pipeline.landed())
        waiting.difference_update(taken)
        for name in sorted(taken):
            reason = store.place("refused") / name / "reason.txt"
            say(f"refused: {reason.read_text().strip()}" if reason.exists() else f"taken in: {name}")
        release = pipeline.current_release()
        if release and release["release_id"] != shown:
            shown = release["release_id"]
            say(f"published: {shown}")
        _check_health()
        return not waiting and shown[:10] >= newest and stack.is_idle()

    stack.wait(is_done, f"[{newest}] is published", SECONDS)


def _check_health() -> None:
    health = store.home() / "health.json"
    if health.exists() and not (last := json.loads(health.read_text()))["succeeded"]:
        raise RuntimeError(f"day [{last['attempted_day']}] was not published: {last['message']}")
