"""The pipeline on one page: how a delivery and a day go through it. Everything a DAG or a command does is one call here."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

import postings
import rulebook
import settlement
from expectations.rules import row_rules
from settlement import Progress, Run, silent
from transforms.programs import load_all
from transforms.rule_file import RuleFault
from warehouse import (
    acts,
    audit,
    books,
    buckets,
    commit,
    intake,
    landing,
    publishing,
    registry,
    releases,
    staging,
    store,
)
from warehouse.landing import Refused
from warehouse.tables import AUDIT, BOOKS, DERIVED, FEEDS, PUBLISHED

__all__ = ["Busy", "ResourceSetting", "NotYet", "Refused", "RuleFault"]
ENGINE_VERSION = "0.20.0"
Busy = store.Busy
ResourceSetting = store.ResourceSetting


class NotYet(Exception):
    """A day that is not due, or is due only after an earlier one."""


def landed() -> list[str]:
    """Deliveries that wait in landing/."""
    return landing.landed()


def ingest(progress: Progress = silent) -> list[dict[str, Any]]:
    """Take in all that has landed, in the order of business dates; the register's line of each delivery.

    What fails for another reason than the delivery does not keep the others from being taken in; it is raised after them.
    """
    with store.locked("ingest"):
        names = sorted(landing.landed(), key=_landed_order)
        if not names:
            return []
        with store.warehouse() as con:
            seen = registry.seen(con, names)
        taken: list[dict[str, Any]] = []
        faults: list[Exception] = []
        for name in names:
            try:
                taken.append(_take_in(name, seen.get(name), progress))
            except Exception as fault:  # of the program or the machine, not of the delivery
                fault.add_note(
                    f"It happened to delivery [{name}], which stays in landing/ and does not hold up the others."
                )
                faults.append(fault)
        for other in faults[1:]:
            faults[0].add_note("\n".join([str(other), *other.__notes__]))
        if faults:
            raise faults[0]
        return taken


def _landed_order(name: str) -> tuple:
    try:
        manifest = landing.read_manifest(name)
    except Refused:
        return (date.max, name)
    return (manifest.business_date, manifest.made_at, name)


def _take_in(name: str, seen: str | None, progress: Progress) -> dict[str, Any]:
    manifest = None
    try:
        manifest = landing.read_manifest(name)
        line = _accept(name, manifest, progress) if seen is None else _again(name, manifest, seen)
    except Refused as refused:
        with store.warehouse() as con:
            line = registry.refuse(con, name, manifest, str(refused))
        store.reached("delivery refused")
        landing.move(name, "refused", str(refused))
    progress(_told(line))
    return line


def _accept(name: str, manifest: landing.Manifest, progress: Progress) -> dict[str, Any]:
    """Stage, judge, register and archive a delivery; the register's line. Raises Refused for one that is not sound."""
    path = staging.file(name)
    try:
        delivery = landing.open_delivery(name, manifest)
        if (rows := sum(file.rows for file in manifest.files)) > buckets.BUCKET_LINES:
            progress(f"taking in {name}: {rows:,} rows")
        staged = intake.stage(delivery, row_rules(manifest.feed), path)
        store.reached("delivery staged")
        verdict = _judge(path, [FEEDS[manifest.feed]])
        if verdict.critical:
            raise Refused(f"[{name}] does not meet its expectations: {'; '.join(map(str, verdict.critical))}")
        staged.warnings += map(str, verdict.warnings)
        with store.warehouse() as con:  # anew for each: some sources are read with the warehouse attached
            store.attach(con, path, "staging", "(READ_ONLY)")
            line = registry.accept(con, manifest, staged)
        store.reached("delivery accepted")
        landing.move(name, "archive")
        return line
    finally:
        path.unlink(missing_ok=True)


def _again(name: str, manifest: landing.Manifest, seen: str) -> dict[str, Any]:
    """Set aside a delivery whose id was accepted before: the same again is a duplicate, anything else is refused."""
    if seen != manifest.hash:
        raise Refused(
            f"[{name}] has the id of a delivery taken in before, with other content; give it an id of its own."
        )
    landing.move(name, "archive")
    return {"delivery_id": name, "feed": manifest.feed, "business_date": manifest.business_date} | {
        "delivery_status": "duplicate", "rows_read": 0, "rows_accepted": 0, "rows_duplicate": 0, "rows_quarantined": 0,
        "rows_withdrawn": 0, "message": "taken in before",
    }  # fmt: skip


def _told(line: dict[str, Any]) -> str:
    counts = f"{line['rows_read']} read, {line['rows_accepted']} accepted, {line['rows_duplicate']} duplicate, "
    counts += f"{line['rows_quarantined']} quarantined"
    said = line["message"]
    if line["delivery_status"] == "accepted":
        said = f"{counts}, {line['rows_withdrawn']} withdrawn" if line["rows_withdrawn"] else counts
        said += f" ({line['message']})" if line["message"] else ""
    return f"{line['delivery_status']:<9} {line['delivery_id']:<32} {said}"


def _judge(path: Path, tables: list) -> Any:
    from expectations.gate import judge  # four seconds to import, and every DAG file would pay them

    # the warehouse's connection has the other half; a quarter was too little for the sums of 20,000,000 lines
    return judge(path, tables, store.limits(2))


def completeness() -> list[dict[str, Any]]:
    """Each business date: whether it is settled, whether it is complete, what is missing."""
    with store.locked("completeness"), store.warehouse() as con:
        return registry.completeness(con)


def due_days() -> list[date]:
    """The complete days that are not settled, in date order."""
    with store.locked("due days"), store.warehouse() as con:
        return registry.due_days(con)


def publish_pending(progress: Progress = silent) -> None:
    """Publish the last run's release if the process ended before readers saw it, and archive what acts it left to be archived."""
    with store.locked("publish"):
        with store.warehouse() as con:
            acts.write_missing(con)
            last = books.last_run(con)
            waits, manifest = releases.pending(last["run_id"]) if last and last["chain_head"] else (False, None)
            if not waits or not last:
                return
            if manifest is None:
                now = load_all(rulebook.rules_archive(last["rules_hash"]))
                run = Run(last["run_id"], last["business_date"], rulebook.Rules(now, now, last["rules_hash"]))
                settlement.register(con, run)
                facts = {name: last[name] for name in ("run_id", "rules_hash", "engine_version", "cut", "chain_head")}
                folder, manifest, _ = _release(con, run, facts)
                releases.show(folder, manifest)
            else:
                releases.point_to(manifest)
        _health(last["business_date"], {"succeeded": True, "message": None, "warnings": []})
    progress(f"published {manifest['release_id']}, which the last run had left to be published")


def run(progress: Progress = silent) -> list[dict[str, Any]]:
    """Take in what has landed, then settle every due day: what the DAGs do, without a scheduler."""
    publish_pending(progress)
    ingest(progress)
    return [_settle(day, progress, publish=True) for day in due_days()]


def settle(day: date, progress: Progress = silent) -> dict[str, Any]:
    """Work out, audit, commit and publish one day; its run's report.

    Raises NotYet when the day is not due or an earlier one is, Refused when a critical expectation does not hold, and
    RuleFault for a rule file that cannot be used. Warehouse and release stay as they were unless all of it succeeds.
    """
    return backfill([day], progress)[0]


def backfill(days: list[date], progress: Progress = silent) -> list[dict[str, Any]]:
    """Settle several due days in order and publish once, with the last, or the last before one that fails; their runs' reports.

    Raises as `settle`.
    """
    publish_pending(progress)
    reports: list[dict[str, Any]] = []
    for day in days:
        try:
            reports.append(_settle(day, progress, publish=day == days[-1]))
        except Exception as fault:
            if reports:
                _publish_before(day, fault, progress)
            raise
    return reports


def _publish_before(day: date, fault: Exception, progress: Progress) -> None:
    """Publish what a backfill settled before a day that failed, of which health.json goes on to tell."""
    try:
        publish_pending(progress)
    except Exception as other:
        fault.add_note(f"What was settled before [{day}] is not published either: {other}")
    if not isinstance(fault, NotYet | store.Busy):  # these are no attempts
        _health(day, {"succeeded": False, "message": str(fault)})


def _settle(day: date, progress: Progress, *, publish: bool) -> dict[str, Any]:
    with store.locked(f"settle {day}"):
        with store.warehouse() as con:
            open_days = registry.due_days(con)
            if day not in open_days:
                raise NotYet(
                    f"[{day}] is not due: it is settled, passed over or incomplete, as `incentives status` says; due are {_listed(open_days)}."
                )
            if open_days[0] < day:
                raise NotYet(
                    f"[{day}] waits for earlier days that are due: {_listed([d for d in open_days if d < day])}."
                )
            rules, told = rules_in_force(con, day, progress)
        report = attempt(Run(day.isoformat(), day, rules, publish=publish, progress=progress), told)
    done = f"published {report['release_id']}" if publish else f"settled {day}"
    progress(f"{done}: {report['lines']} lines, {report['entries']} ledger entries")
    return report


def _listed(days: list[date]) -> str:
    return str([str(day) for day in days])


def rules_in_force(
    con: duckdb.DuckDBPyConnection, day: date, progress: Progress = silent
) -> tuple[rulebook.Rules, list[str]]:
    """The rules that a day is settled with, and what to tell of an edit that is held.

    An edit that would change what is posted is held until `incentives restate`: the day goes on with the rules before.
    """
    rules = rulebook.edited_rules(con)
    if not rules.changed:
        return rules, []
    entries = books.held_entries(con, rules.hash)
    if entries is None:
        entries = len(postings.rule_differences(con, Run("plan", day, rules, progress=progress)))
        books.note_edit(con, rules.hash, day, entries)
    if not entries:
        return rules, []
    told = f"rule edit [{rules.hash[:12]}] is held: it would change [{entries}] posted sums; see `incentives restate`."
    return rulebook.Rules(rules.before, rules.before, str(books.last_rules(con))), [told]


def attempt(
    run: Run, told: list[str], also: Callable[[duckdb.DuckDBPyConnection], None] | None = None
) -> dict[str, Any]:
    """Carry out a run under the lock and report it, in health.json as well; `also` is done in its transaction."""
    try:
        report = _carry_out(run, told, also)
    except Exception as fault:
        _health(run.day, {"succeeded": False, "message": str(fault)})
        raise
    finally:
        staging.discard(run.run_id)
    _health(run.day, {"succeeded": True, "message": None, "warnings": report["warnings"]})
    with (store.home() / "runs.jsonl").open("a") as log:
        log.write(json.dumps(report, default=str) + "\n")
    return report


def _carry_out(run: Run, told: list[str], also: Callable[[duckdb.DuckDBPyConnection], None] | None) -> dict[str, Any]:
    clock = settlement.Clock()
    with store.warehouse() as con:
        with staging.opened(con, run.run_id):
            deliveries, lines = settlement.work_out(con, run, clock)
            told = [*told, *postings.post(con, run)]
            audit.facts(con, run.day)
        clock.stage("ledger")
        store.reached("day staged")
        tell = run.progress if lines > buckets.BUCKET_LINES else silent
        tell(f"{run.day}: judging what {lines:,} lines make")
        verdict = _judged(staging.file(run.run_id), [*DERIVED.values(), *AUDIT.values()])
        clock.stage("expectations")
        tell(f"{run.day}: taking it over")
        store.attach(con, staging.file(run.run_id), "staging", "(READ_ONLY)")
        with store.transaction(con):
            made = commit.take_over(con, run.day)
            made_by = {"run_id": run.run_id, "rules_hash": run.rules.hash, "engine_version": ENGINE_VERSION}
            head = books.record(con, run.day, deliveries=deliveries, **made_by)
            if also:
                also(con)
            clock.stage("commit")
            store.reached("taken over")
            if run.publish:
                tell(f"{run.day}: publishing")
                facts = {**made_by, "cut": deliveries, "chain_head": head}
                folder, manifest, shown = _release(con, run, facts, clock)
                store.reached("release built")
    store.reached("run committed")
    if run.publish:
        releases.show(folder, manifest)
        store.reached("release shown")
    found = (*verdict.warnings, *(shown.warnings if run.publish else ()))
    warnings = [*told, *map(str, found)]
    return {
        "release_id": manifest["release_id"] if run.publish else None, "business_date": run.day, "lines": lines, "entries": made["earnings_ledger"],
        "expectations": verdict.expectations + (shown.expectations if run.publish else 0), "warnings": warnings, "seconds": clock.seconds,
    }  # fmt: skip


def _release(
    con: duckdb.DuckDBPyConnection, run: Run, facts: dict[str, Any], clock: settlement.Clock | None = None
) -> tuple[Path, dict[str, Any], Any]:
    """A judged release of what the warehouse holds, which nobody sees yet: its folder, manifest and verdict."""
    stages = clock or settlement.Clock()
    postings.hold_payees(con, run)
    folder, manifest = publishing.build(con, run.day, facts)
    stages.stage("publish")
    verdict = _judged(folder / "published.duckdb", list(PUBLISHED.values()))
    stages.stage("expectations")
    return folder, manifest, verdict


def books_judged() -> Any:
    """The verdict on the books of deliveries, runs, closes and rule edits; hold the lock, with the warehouse closed."""
    return _judge(store.home() / "warehouse.duckdb", list(BOOKS.values()))


def _judged(path: Path, tables: list) -> Any:
    verdict = _judge(path, tables)
    if verdict.critical:
        raise Refused(f"critical expectations do not hold: {'; '.join(map(str, verdict.critical))}")
    return verdict


def _health(day: date, attempt: dict[str, Any]) -> None:
    """Write health.json: the last attempt, with its warnings, and the current release."""
    current = releases.current() or {}
    releases.write_health(
        {
            "attempted_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "attempted_day": day,
            **attempt,
            "release_id": current.get("release_id"),
            "as_of_date": current.get("as_of_date"),
        }
    )


def current_release() -> dict[str, Any] | None:
    """The manifest of the release that readers see."""
    return releases.current()
