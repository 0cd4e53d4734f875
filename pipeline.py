"""The pipeline on one page: which steps there are, what each reads, and how a delivery and a day go through them.

A step is a transform. Its name is the table it makes; its parameters are the tables it reads, besides `programs` and
`run_date`. Everything a DAG or a command does is one call of this module.
"""

import hashlib
import inspect
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from expectations.rules import row_rules
from transforms import adjustments, causes, decisions, earnings, eligibility, examples, invitations, ledger
from transforms.programs import Program, active, load, load_all
from transforms.published import program_earners, program_levers
from transforms.reasons import reasons
from transforms.rule_file import RuleFault
from warehouse import audit, books, commit, cuts, intake, landing, quarantine, registry, releases, store, watch
from warehouse.landing import Refused
from warehouse.tables import AUDIT, DERIVED, FEEDS, PUBLISHED

__all__ = ["Busy", "MemorySetting", "NotYet", "Refused", "RuleFault"]
ENGINE_VERSION = "0.1.0"
Busy = store.Busy
MemorySetting = store.MemorySetting
Progress = Callable[[str], None]

Step = Callable[..., pd.DataFrame]
PARTNER_STEPS: dict[str, Step] = {
    step.__name__: step for step in (invitations.invitations, eligibility.eligibility_criteria, eligibility.eligibility)
}
LINE_STEPS: dict[str, Step] = {  # run bucket by bucket
    step.__name__: step
    for step in (
        decisions.decided_lines,
        decisions.decisions,
        earnings.earnings,
        causes.staged_earnings,
        ledger.earnings_ledger,
    )
}
STEPS = PARTNER_STEPS | LINE_STEPS


class NotYet(Exception):
    """A day that is not due, or is due only after an earlier one."""


def inputs(step: str) -> list[str]:
    """What a step reads: tables that earlier steps made, named inputs of the warehouse, `programs`, `run_date`."""
    return list(inspect.signature(STEPS[step]).parameters)


def programs_folder() -> Path:
    """Where the rule files lie, from INCENTIVES_PROGRAMS; programs/ of this repository unless it is set."""
    return Path(os.environ.get("INCENTIVES_PROGRAMS", Path(__file__).parent / "programs"))


def adjustments_folder() -> Path:
    """Where manual adjustments are declared, from INCENTIVES_ADJUSTMENTS; adjustments/ of this repository unless it is set."""
    return Path(os.environ.get("INCENTIVES_ADJUSTMENTS", Path(__file__).parent / "adjustments"))


def programs() -> list[Program]:
    """Every program, its examples run. Raises RuleFault for the first file that cannot be used."""
    loaded = load_all(programs_folder())
    for program in loaded:
        _run_examples(programs_folder() / f"{program.program}.yaml", program.rule_version)
    return loaded


@cache
def _run_examples(path: Path, rule_version: str) -> list[str]:
    return examples.check(load(path), path)


def landed() -> list[str]:
    """Deliveries that wait in landing/."""
    return landing.landed()


def ingest(progress: Progress = lambda line: None) -> list[dict[str, Any]]:
    """Take in all that has landed, in the order of business dates; the register's line of each delivery."""
    with store.locked("ingest"):
        names = sorted(landing.landed(), key=_landed_order)
        return [line for name in names for line in [_take_in(name, progress)]]


def _landed_order(name: str) -> tuple:
    try:
        manifest = landing.read_manifest(name)
    except Refused:
        return (date.max, name)
    return (manifest.business_date, manifest.created_at.isoformat(), name)


def _take_in(name: str, progress: Progress) -> dict[str, Any]:
    staging = store.place("staging") / f"{name}.duckdb"
    manifest = None
    try:
        manifest = landing.read_manifest(name)
        if line := _again(name, manifest):
            return line
        delivery = landing.open_delivery(name, manifest)
        staged = intake.stage(delivery, row_rules(manifest.feed), staging)
        verdict = _judge(staging, [FEEDS[manifest.feed]])
        if verdict.critical:
            raise Refused(f"[{name}] does not meet its expectations: {'; '.join(map(str, verdict.critical))}")
        staged.warnings += map(str, verdict.warnings)
        with store.warehouse() as con:
            store.attach(con, staging, "staging", "(READ_ONLY)")
            line = registry.accept(con, manifest, staged)
        landing.move(name, "archive")
    except Refused as refused:
        with store.warehouse() as con:
            line = registry.refuse(con, name, manifest, str(refused))
        landing.move(name, "refused", str(refused))
    finally:
        staging.unlink(missing_ok=True)
    progress(_told(line))
    return line


def _again(name: str, manifest: landing.Manifest) -> dict[str, Any] | None:
    """Set aside a delivery whose id is known: the same again is a duplicate, anything else is refused."""
    with store.warehouse() as con:
        known = registry.seen(con, name)
    if not known:
        return None
    if known[0] != manifest.hash:
        raise Refused(
            f"[{name}] has the id of a delivery taken in before, with other content; give it an id of its own."
        )
    landing.move(name, "archive")
    return {"delivery_id": name, "feed": manifest.feed, "business_date": manifest.business_date} | {
        "delivery_status": "duplicate", "rows_read": 0, "rows_accepted": 0, "rows_duplicate": 0, "rows_quarantined": 0,
        "message": "taken in before",
    }  # fmt: skip


def _told(line: dict[str, Any]) -> str:
    counts = f"{line['rows_read']} read, {line['rows_accepted']} accepted, {line['rows_duplicate']} duplicate, "
    counts += f"{line['rows_quarantined']} quarantined"
    return f"{line['delivery_status']:<9} {line['delivery_id']:<32} {line['message'] if line['delivery_status'] == 'refused' else counts}"


def _judge(path: Path, tables: list) -> Any:
    from expectations.gate import judge  # four seconds to import, and every DAG file would pay them

    return judge(path, tables, store.memory_limit(4))


def close(month: date, by: str) -> list[date]:
    """Close an accounting month and those before it; the months that this closed. What comes later is posted after them."""
    with store.locked(f"close {month:%Y-%m}"), store.warehouse() as con, store.transaction(con):
        closed = books.close(con, month, by)
        _act("close", {"month": month, "by": by, "closed": closed})
    return closed


def _act(kind: str, said: dict[str, Any]) -> None:
    """Archive what an operator did, so that it can be replayed and audited."""
    acts = store.place("archive") / "acts"
    acts.mkdir(exist_ok=True, mode=0o700)
    now = datetime.now(UTC)
    path = acts / f"{now:%Y%m%dT%H%M%S%f}-{kind}.json"
    path.write_text(json.dumps({"act": kind, "at": now, **said}, indent=2, default=str) + "\n")


def completeness() -> list[dict[str, Any]]:
    """Each business date: whether it is settled, whether it is complete, what is missing."""
    with store.locked("completeness"), store.warehouse() as con:
        return registry.completeness(con)


def due_days() -> list[date]:
    """The complete days that are not settled, in date order."""
    with store.locked("due days"), store.warehouse() as con:
        return registry.due_days(con)


def run(progress: Progress = lambda line: None) -> list[dict[str, Any]]:
    """Take in what has landed, then settle every due day: what the DAGs do, without a scheduler."""
    ingest(progress)
    return [settle(day, progress) for day in due_days()]


def settle(day: date, progress: Progress = lambda line: None) -> dict[str, Any]:
    """Work out, audit, commit and publish one day; its run's report.

    Raises NotYet when the day is not due or an earlier one is, Refused when a critical expectation does not hold, and
    RuleFault for a rule file that cannot be used. Warehouse and release stay as they were unless all of it succeeds.
    """
    with store.locked(f"settle {day}"):
        with store.warehouse() as con:
            due = registry.due_days(con)
        if day not in due:
            raise NotYet(f"[{day}] is not due: it is settled, passed over or incomplete; due are {_listed(due)}.")
        if due[0] < day:
            raise NotYet(f"[{day}] waits for earlier days that are due: {_listed([d for d in due if d < day])}.")
        staging = store.place("staging") / f"{day}.duckdb"
        try:
            report = _settle(day, staging)
        except Exception as fault:
            _health(day, {"succeeded": False, "message": str(fault)})
            raise
        finally:
            staging.unlink(missing_ok=True)
        _health(day, {"succeeded": True, "message": None, "warnings": report["warnings"]})
        with (store.home() / "runs.jsonl").open("a") as log:
            log.write(json.dumps(report, default=str) + "\n")
    progress(f"published {report['release_id']}: {report['lines']} lines, {report['entries']} ledger entries")
    return report


def _listed(days: list[date]) -> str:
    return str([str(day) for day in days])


@dataclass(frozen=True)
class _Rules:
    """The rules that a run works with, and those of the run before it."""

    now: list[Program]
    before: list[Program]
    hash: str

    @property
    def changed(self) -> bool:
        return {p.rule_version for p in active(self.now)} != {p.rule_version for p in active(self.before)}

    @property
    def splits_changed(self) -> bool:
        before = {p.program: p.split for p in active(self.before)}
        return any(before.get(p.program, p.split) != p.split for p in active(self.now))


def _rules(con: duckdb.DuckDBPyConnection) -> _Rules:
    """The rules of programs/, archived under their hash, and those of the last run, from the archive."""
    now = programs()
    digest = _archived(now)
    last = cuts.last_rules(con)
    before = load_all(_rules_archive(last)) if last and last != digest else now
    return _Rules(now, before, digest)


def _settle(day: date, staging: Path) -> dict[str, Any]:
    clock = _Clock()
    run_id = day.isoformat()
    staging.unlink(missing_ok=True)
    with store.warehouse() as con:
        rules = _rules(con)
        store.attach(con, staging, "staging")
        con.execute("SET force_compression = 'uncompressed'")  # staged once, read twice, deleted
        deliveries, lines = _work_out(con, day, rules, run_id, clock)
        told = _adjust(con, day, rules, run_id)
        audit.facts(con, day)
        con.execute("DETACH staging")
    clock.stage("ledger")
    verdict = _judged(staging, [*DERIVED.values(), *AUDIT.values()])
    clock.stage("expectations")
    with store.warehouse() as con:
        store.attach(con, staging, "staging", "(READ_ONLY)")
        _prepare(con, day, rules)
        _touch_lines(con, day, rules)
        with store.transaction(con):
            made = commit.take_over(con, day)
            made_by = {"run_id": run_id, "rules_hash": rules.hash, "engine_version": ENGINE_VERSION}
            head = books.record(con, day, deliveries=deliveries, **made_by)
            clock.stage("commit")
            facts = {**made_by, "cut": deliveries, "chain_head": head}
            folder, manifest = releases.build(con, day, facts)
            clock.stage("publish")
            shown = _judged(folder / "published.duckdb", list(PUBLISHED.values()))
            clock.stage("expectations")
    releases.show(folder, manifest)
    warnings = [*told, *(str(finding) for finding in (*verdict.warnings, *shown.warnings))]
    return {
        "release_id": manifest["release_id"], "business_date": day, "lines": lines, "entries": made["earnings_ledger"],
        "expectations": verdict.expectations + shown.expectations, "warnings": warnings, "seconds": clock.seconds,
    }  # fmt: skip


def _prepare(con: duckdb.DuckDBPyConnection, day: date, rules: _Rules) -> list[str]:
    """The cut, the partners and lines to work out, and the rules as tables, on a fresh connection; the cut's ids."""
    for name, rows in (
        ("program_earners", program_earners(rules.now)),
        ("program_levers", program_levers(rules.now, day)),
        ("reasons", reasons()),
        ("feeds", pd.DataFrame({"feed": list(FEEDS)})),
    ):
        con.register(name, pa.Table.from_pandas(rows, preserve_index=False))
    deliveries = cuts.cut(con, day)
    cuts.touch_partners(con, day, everyone=rules.changed)
    cuts.open_facts(con, day)
    return deliveries


def _touch_lines(con: duckdb.DuckDBPyConnection, day: date, rules: _Rules) -> int:
    """Make the touched lines, from the staged eligibility; how many."""
    cuts.stand(con)
    return cuts.touch_lines(con, day, rules=rules.changed, splits=rules.splits_changed)


def _work_out(
    con: duckdb.DuckDBPyConnection, day: date, rules: _Rules, run_id: str, clock: "_Clock"
) -> tuple[list[str], int]:
    """Run the steps in order and stage what they make; the cut's delivery ids and how many lines were worked out."""
    deliveries = _prepare(con, day, rules)
    given = {"programs": rules.now, "programs_before": rules.before, "run_date": day}
    made = _run_steps(con, PARTNER_STEPS, given, run_id, clock)
    if rules.changed:
        criteria = eligibility.eligibility_criteria(
            **{n: (made | {"programs": rules.before})[n] for n in inputs("eligibility_criteria")}
        )
        cuts.stand_under_rules_before(con, eligibility.eligibility(criteria, rules.before))
    lines = _touch_lines(con, day, rules)
    clock.stage("touched_lines")
    count = cuts.buckets(con)
    for number in range(count):
        cuts.open_bucket(con, number, count)
        _run_steps(con, LINE_STEPS, given, run_id, clock)
    return deliveries, lines


def _adjust(con: duckdb.DuckDBPyConnection, day: date, rules: _Rules, run_id: str) -> list[str]:
    """Stage the declared adjustments that are not posted yet; why others are not."""
    declared, told = _declared()
    held = store.read_input(con, "posted_adjustments", day)
    pending = [one for one in declared if one.adjustment not in set(held["adjustment_id"])]
    refused = adjustments.refusals(pending, store.read_input(con, "earned", day), rules.now)
    sound = [one for one in pending if one.adjustment not in refused]
    commit.stage(con, "adjustments", adjustments.adjustments(sound, day), run_id)
    commit.stage(con, "earnings_ledger", adjustments.entries(sound, rules.now, day), run_id)
    edited = adjustments.edited([one for one in declared if one not in pending], held)
    return told + [f"adjustment [{name}] is not posted: {why}." for name, why in (refused | edited).items()]


def declared_adjustments() -> list[dict[str, Any]]:
    """Each declared adjustment: when it was posted, or that it waits for the next settled day, or why it cannot be."""
    declared, faults = _declared()
    with store.locked("adjustments"), store.warehouse() as con:
        store.attach(con, Path(":memory:"), "staging")
        con.execute(
            "CREATE SCHEMA staging.derived; CREATE TABLE staging.derived.earnings_ledger AS FROM derived.earnings_ledger LIMIT 0"
        )
        held = store.read_input(con, "posted_adjustments", date.max)
        earned = store.read_input(con, "earned", date.max)
    posted = dict(zip(held["adjustment_id"], held["posted_on"].dt.date, strict=True))
    waiting = [one for one in declared if one.adjustment not in posted]
    told = adjustments.refusals(waiting, earned, load_all(programs_folder()))
    told |= adjustments.edited([one for one in declared if one.adjustment in posted], held)
    shown = [
        {
            "adjustment": one.adjustment, "partner": one.partner, "month": one.month, "amount": one.amount,
            "currency": one.currency, "posted on": posted.get(one.adjustment), "message": told.get(one.adjustment, ""),
        }
        for one in declared
    ]  # fmt: skip
    return shown + [dict.fromkeys(shown[0] if shown else ["adjustment"]) | {"message": fault} for fault in faults]


def _declared() -> tuple[list[adjustments.Adjustment], list[str]]:
    """Every declared adjustment that can be read, and the faults of the others."""
    made, faults = [], []
    for path in sorted(adjustments_folder().glob("*.yaml")):
        try:
            made.append(adjustments.load(path))
        except RuleFault as fault:
            faults.append(f"adjustment is not posted: {fault}")
    return made, faults


def _run_steps(
    con: duckdb.DuckDBPyConnection, steps: dict[str, Step], given: dict[str, Any], run_id: str, clock: "_Clock"
) -> dict[str, Any]:
    """Run some steps in order, reading what no earlier one made, and stage their tables; all that was read and made."""
    made = dict(given)
    for step, transform in steps.items():
        for name in inputs(step):
            if name not in made:
                made[name] = store.read_input(con, name, given["run_date"])
        clock.stage("inputs")
        made[step] = transform(**{name: made[name] for name in inputs(step)})
        clock.stage(step)
        if step in DERIVED:
            commit.stage(con, step, made[step], run_id)
        clock.stage("staging")
    return made


def _judged(path: Path, tables: list) -> Any:
    verdict = _judge(path, tables)
    if verdict.critical:
        raise Refused(f"critical expectations do not hold: {'; '.join(map(str, verdict.critical))}")
    return verdict


def _archived(rules: list[Program]) -> str:
    """A hash over the active rule files, which are archived under it."""
    named = "".join(f"{program.program}:{program.rule_version};" for program in active(rules))
    digest = hashlib.sha256(named.encode()).hexdigest()
    if not _rules_archive(digest).exists():
        shutil.copytree(programs_folder(), _rules_archive(digest))
    return digest


def _rules_archive(rules_hash: str) -> Path:
    return store.place("archive") / "rules" / rules_hash[:12]


def _health(day: date, attempt: dict[str, Any]) -> None:
    """Write health.json: the last attempt, the current release, what is missing."""
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


class _Clock:
    """Seconds by stage, in the order of the stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(self.seconds.get(name, 0) + now - self._last, 3)
        self._last = now


def data_docs() -> Path:
    """Build Data Docs in the home, the current release validated in them; their first page."""
    from expectations.data_docs import build

    manifest = releases.current()
    held = {table["name"] for table in manifest["tables"]} if manifest else set()
    return build(store.home() / "data_docs", releases.database(manifest) if manifest else None, held)


def alerts(now: datetime | None = None) -> list[dict[str, Any]]:
    """What an operator should look at: condition, severity, channel, runbook heading, message, key."""
    at = now or datetime.now(UTC).replace(tzinfo=None)
    return watch.alerts(at, completeness())


def unsent_alerts() -> list[dict[str, Any]]:
    """The alerts that have not gone out yet."""
    return watch.unsent(alerts())


def record_alerts_sent(keys: list[str]) -> None:
    """Remember alerts as sent."""
    watch.record_sent(keys)


def quarantined(*, everything: bool = False) -> list[dict[str, Any]]:
    """Rows that were set aside, with the rules that they broke."""
    with store.locked("quarantine"), store.warehouse() as con:
        return quarantine.listed(con, everything=everything)


def quarantined_row(quarantine_id: str) -> dict[str, Any]:
    """One row that was set aside, with its text as delivered."""
    with store.locked("quarantine"), store.warehouse() as con:
        return quarantine.shown(con, quarantine_id)


def release_row(quarantine_id: str, changes: dict[str, str], by: str) -> str:
    """Land a quarantined row again, repaired or as it is; the id of the delivery that the next ingest takes in."""
    with store.locked("quarantine"), store.warehouse() as con:
        return quarantine.release(con, quarantine_id, changes, by)
