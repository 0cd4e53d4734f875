"""What operators watch: the alerts of the pipeline and the Data Docs of its release."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pipeline
from warehouse import releases, store, watch


def data_docs() -> Path:
    """Build Data Docs in the home unless those of the current release are there, which is validated in them; their first page."""
    from expectations.data_docs import build

    manifest = releases.current()
    folder, fresh = store.home() / "data_docs", store.home() / ".data_docs"
    name = f"{manifest['release_id']} {pipeline.ENGINE_VERSION}" if manifest else ""
    if manifest and (folder / "release.txt").exists() and (folder / "release.txt").read_text() == name:
        return folder / "index.html"
    held = {table["name"] for table in manifest["tables"]} if manifest else set()
    build(fresh, releases.database(manifest) if manifest else None, held)
    (fresh / "release.txt").write_text(name)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return folder / "index.html"


def days_and_alerts(now: datetime | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each business date as `completeness` has it, none while a run is stuck, which is not waited for; and the alerts."""
    at = now or datetime.now(UTC).replace(tzinfo=None)
    days = [] if watch.is_stuck(at) else pipeline.completeness()
    return days, watch.alerts(at, days)


def alerts(now: datetime | None = None) -> list[dict[str, Any]]:
    """What an operator should look at: condition, severity, channel, runbook heading, message, key."""
    return days_and_alerts(now)[1]


def unsent_alerts() -> list[dict[str, Any]]:
    """The alerts that have not gone out yet."""
    return watch.unsent(alerts())


def record_alerts_sent(keys: list[str]) -> None:
    """Remember alerts as sent."""
    watch.record_sent(keys)
