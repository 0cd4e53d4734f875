"""What the DAGs share: the assets that wake them, the clock that wakes them besides, and how often a task is tried."""

import os
from datetime import timedelta
from pathlib import Path

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable

from dags.doorbell import Doorbell

LANDING = Path(os.environ.get("INCENTIVES_HOME", "var")).absolute() / "landing"
CLOCK = CronTriggerTimetable("*/15 * * * *", timezone="UTC")
TRIED_AGAIN = {"retries": 2, "retry_delay": timedelta(seconds=5)}

landing = Asset("landing", watchers=[AssetWatcher(name="doorbell", trigger=Doorbell(str(LANDING)))])
clean = Asset("clean")
published = Asset("published")
approved = Asset("approved payments")


def woken_by(asset: Asset) -> AssetOrTimeSchedule:
    """A run for each event of an asset, and one at every quarter of an hour, because an event may be lost."""
    return AssetOrTimeSchedule(timetable=CLOCK, assets=[asset])
