"""A day worked out again from the archive, and compared with what was published of it."""

import shutil
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pipeline
import rulebook
import settlement
from settlement import Progress, silent
from transforms.programs import load_all
from warehouse import books, releases, store


def replay(day: date, progress: Progress = silent) -> dict[str, Any]:
    """Work out all runs up to a day anew from the archive, and compare with the release of the day's last run.

    Deliveries, rules, adjustments and closes are those that were recorded. `differing` lists tables whose content hash
    is not the recorded one; `engines` the versions that made the recorded runs. Raises LookupError when the day was not
    settled, or its release or a delivery is no longer kept.
    """
    with store.locked(f"replay {day}"):
        with store.warehouse() as con:
            runs, closes = books.runs_up_to(con, day), books.closes_after(con)
        if not runs or runs[-1]["business_date"] != day:
            raise LookupError(f"[{day}] was not settled; `incentives status` lists the days that were.")
        recorded = _ancestors(runs[-1]["run_id"])
        folder = Path(mkdtemp(prefix="replay-", dir=store.place("staging")))
        made = {}
        try:
            for run in runs:
                _replay_run(run, folder, publish=run["run_id"] in recorded)
                if run["run_number"] in closes and run is not runs[-1]:
                    _replay_close(folder, *closes[run["run_number"]])
                with store.at(folder):
                    made[run["run_id"]] = releases.current() or {}
                progress(f"replayed {run['run_id']}: {len(run['deliveries'])} deliveries")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return {
        "day": day, "runs": len(runs), "against": recorded[runs[-1]["run_id"]]["release_id"],
        "engines": sorted({run["engine_version"] for run in runs}), "engine": pipeline.ENGINE_VERSION,
        "differing": _differing([(manifest, made[run_id]) for run_id, manifest in recorded.items()]),
    }  # fmt: skip


def _ancestors(run_id: str) -> dict[str, dict[str, Any]]:
    """Run id → manifest of a run's release and of those whose parts it keeps, oldest first."""
    manifests = {manifest.get("run_id"): manifest for manifest in releases.releases()}
    found: dict[str, dict[str, Any]] = {}
    wanted: str | None = run_id
    while wanted:
        if "parts" not in manifests.get(wanted, ()):
            raise LookupError(
                f"no manifest of run [{wanted}] is kept, or an earlier version wrote it; `incentives releases list` names "
                "the releases that are kept."
            )
        found[wanted] = manifests[wanted]
        wanted = manifests[wanted]["after"]
    return dict(reversed(found.items()))


def _replay_run(run: dict[str, Any], folder: Path, *, publish: bool) -> None:
    archive = store.place("archive")
    rules_before = None
    names = [name for name in run["deliveries"] if not (archive / name).is_dir()]
    if names:
        raise LookupError(f"the archive no longer holds deliveries {names}; restore a backup that does.")
    now = load_all(rulebook.rules_archive(run["rules_hash"]))
    declared = rulebook.adjustments_archive(run["run_id"])
    with store.at(folder):
        for name in run["deliveries"]:
            shutil.copytree(archive / name, store.place("landing") / name)
        pipeline.ingest()
        with store.warehouse() as con:
            rules_before = books.last_rules(con)
    before = load_all(rulebook.rules_archive(rules_before)) if rules_before else now
    with store.at(folder):
        rules = rulebook.Rules(now, before, run["rules_hash"])
        pipeline.attempt(settlement.Run(run["run_id"], run["business_date"], rules, declared, publish), [])


def _replay_close(folder: Path, month: date, by: str) -> None:
    with store.at(folder), store.warehouse() as con, store.transaction(con):
        books.close(con, month, by)


def _differing(sides: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[dict[str, Any]]:
    """Tables whose content is not the recorded one in the last of some pairs of releases, and since which day."""
    said = [
        [{table["name"]: (table["rows"], table["content_hash"]) for table in manifest["tables"]} for manifest in pair]
        for pair in sides
    ]
    recorded, made = said[-1]
    return [
        {
            "table": name,
            "since": next(
                manifest["as_of_date"]
                for (manifest, _), (was, now) in zip(sides, said, strict=True)
                if was.get(name) != now.get(name)
            ),
            "rows": recorded.get(name, (0, ""))[0],
            "replayed": made.get(name, (0, ""))[0],
        }
        for name in sorted({*recorded, *made})
        if recorded.get(name) != made.get(name)
    ]
