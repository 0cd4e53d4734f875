"""The watcher of the landing folder, which runs in Airflow's triggerer."""

import asyncio
import time
from collections.abc import AsyncIterator
from math import inf
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent


class Doorbell(BaseEventTrigger):
    """One event for the deliveries that have just landed, and again after `renotify` seconds while they still wait.

    It keeps no state and promises nothing: ingest looks for itself, so a lost or second ring does no harm.
    """

    def __init__(self, landing: str, every: float = 1, renotify: float = 120) -> None:
        super().__init__()
        self.landing, self.every, self.renotify = landing, every, renotify

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where the triggerer finds this class, and what it is made with."""
        return "dags.doorbell.Doorbell", {"landing": self.landing, "every": self.every, "renotify": self.renotify}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """The rings, without end; each names the deliveries that it is for."""
        rung: dict[str, float] = {}
        while True:
            waiting, now = await asyncio.to_thread(self._waiting), time.monotonic()
            rung = {name: at for name, at in rung.items() if name in waiting}
            if new := [name for name in waiting if now - rung.get(name, -inf) >= self.renotify]:
                rung |= dict.fromkeys(new, now)
                yield TriggerEvent({"deliveries": new})
            await asyncio.sleep(self.every)

    def _waiting(self) -> list[str]:
        return sorted(path.parent.name for path in Path(self.landing).glob("[!.]*/manifest.json"))
