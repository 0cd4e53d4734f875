"""The pipeline on one page: which steps there are, what each reads, and how a delivery and a day go through them.

A step is a transform. Its name is the table it makes; its parameters are the tables it reads, besides `programs` and
`run_date`. Everything a DAG or a command does is one call of this module.
"""

import inspect
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

import rulebook
from expectations.rules import row_rules
from transforms import (
    adjustments,
    answered_requests,
    associations,
    causes,
    coop_claims,
    coop_funds,
    decisions,
    earnings,
    eligibility,
    enrol_requests,
    enrolments,
    forfeits,
    holders,
    invitations,
    ledger,
    offsets,
    payments,
    positions,
    requirements,
    simulation,
)
from transforms.coop_halves import coop_halves
from transforms.payee_holds import payee_holds
from transforms.payment_calendar import payment_calendar, payment_cycles
from transforms.programs import Program, load_all
from transforms.published import program_earners, program_levers
from transforms.reasons import reasons
from transforms.rule_file import RuleFault
from transforms.sales import program_sales
from warehouse import (
    associated,
    audit,
    books,
    commit,
    cuts,
    due,
    frames,
    intake,
    landing,
    publishing,
    quarantine,
    registry,
    releases,
    requested,
    rivals,
    store,
    watch,
    worked,
)
from warehouse.landing import Refused
from warehouse.tables import AUDIT, DERIVED, FEEDS, PUBLISHED

__all__ = ["Busy", "MemorySetting", "NotYet", "Refused", "RuleFault"]
ENGINE_VERSION = "0.7.0"
Busy = store.Busy
MemorySetting = store.MemorySetting
Progress = Callable[[str], None]

Step = Callable[..., pd.DataFrame]
PARTNER_STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        requirements.requirements,
        invitations.invitations,
        enrol_requests.enrolments_asked_for,
        answered_requests.answered_requests,
        enrolments.enrolments,
        eligibility.eligibility_criteria,
        eligibility.eligibility,
        associations.associations,
    )
}
STANDING = ("requirements", "enrolments", "eligibility_criteria", "eligibility")  # what rules alone may change
LINE_STEPS: dict[str, Step] = {  # run bucket by bucket
    step.__name__: step
    for step in (
        decisions.decided_lines,
        decisions.decisions,
        earnings.earnings,
        positions.positions,
        causes.staged_earnings,
        ledger.earnings_ledger,
    )
}
HOLDER_STEPS: dict[str, Step] = {"holders": holders.holders}
STEPS = PARTNER_STEPS | HOLDER_STEPS | LINE_STEPS
HOLDS = pa.schema([(name, pa.string()) for name in ("partner_id", "program", "reason_code")])
NO_LINES = pd.DataFrame(
    {name: pd.Series([], dtype="str") for name in ("program", "partner_id", "transaction_id", "levers", "compared_by")}
)
EARNING_STEPS = {name: LINE_STEPS[name] for name in ("decided_lines", "earnings")}


class NotYet(Exception):
    """A day that is not due, or is due only after an earlier one."""


def inputs(step: str) -> list[str]:
    """What a step reads: tables that earlier steps made, named inputs of the warehouse, `programs`, `run_date`."""
    return list(inspect.signature(STEPS[step]).parameters)


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
        store.reached("delivery staged")
        verdict = _judge(staging, [FEEDS[manifest.feed]])
        if verdict.critical:
            raise Refused(f"[{name}] does not meet its expectations: {'; '.join(map(str, verdict.critical))}")
        staged.warnings += map(str, verdict.warnings)
        with store.warehouse() as con:
            store.attach(con, staging, "staging", "(READ_ONLY)")
            line = registry.accept(con, manifest, staged)
        store.reached("delivery accepted")
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


def completeness() -> list[dict[str, Any]]:
    """Each business date: whether it is settled, whether it is complete, what is missing."""
    with store.locked("completeness"), store.warehouse() as con:
        return registry.completeness(con)


def due_days() -> list[date]:
    """The complete days that are not settled, in date order."""
    with store.locked("due days"), store.warehouse() as con:
        return registry.due_days(con)


def publish_pending(progress: Progress = lambda line: None) -> None:
    """Publish the last run's release if the process ended before readers saw it."""
    with store.locked("publish"):
        with store.warehouse() as con:
            last = books.last_run(con)
            waits, manifest = releases.pending(last["run_id"]) if last and last["chain_head"] else (False, None)
            if not waits or not last:
                return
            if manifest is None:
                now = load_all(rulebook.rules_archive(last["rules_hash"]))
                run = Run(last["run_id"], last["business_date"], rulebook.Rules(now, now, last["rules_hash"]))
                _register(con, run)
                facts = {name: last[name] for name in ("run_id", "rules_hash", "engine_version", "cut", "chain_head")}
                folder, manifest, _ = _release(con, run, facts)
                releases.show(folder, manifest)
            else:
                releases.point_to(manifest)
        _health(last["business_date"], {"succeeded": True, "message": None, "warnings": []})
    progress(f"published {manifest['release_id']}, which a run that was cut off had left")


def run(progress: Progress = lambda line: None) -> list[dict[str, Any]]:
    """Take in what has landed, then settle every due day: what the DAGs do, without a scheduler."""
    publish_pending(progress)
    ingest(progress)
    return [settle(day, progress) for day in due_days()]


def settle(day: date, progress: Progress = lambda line: None) -> dict[str, Any]:
    """Work out, audit, commit and publish one day; its run's report.

    Raises NotYet when the day is not due or an earlier one is, Refused when a critical expectation does not hold, and
    RuleFault for a rule file that cannot be used. Warehouse and release stay as they were unless all of it succeeds.
    """
    publish_pending(progress)
    return _settle(day, progress, publish=True)


def backfill(days: list[date], progress: Progress = lambda line: None) -> list[dict[str, Any]]:
    """Settle several due days in order and publish once, with the last; their runs' reports. Raises as `settle`."""
    publish_pending(progress)
    return [_settle(day, progress, publish=day == days[-1]) for day in days]


def _settle(day: date, progress: Progress, *, publish: bool) -> dict[str, Any]:
    with store.locked(f"settle {day}"):
        with store.warehouse() as con:
            open_days = registry.due_days(con)
            if day not in open_days:
                raise NotYet(
                    f"[{day}] is not due: it is settled, passed over or incomplete; due are {_listed(open_days)}."
                )
            if open_days[0] < day:
                raise NotYet(
                    f"[{day}] waits for earlier days that are due: {_listed([d for d in open_days if d < day])}."
                )
            rules, told = rules_in_force(con, day)
        report = attempt(Run(day.isoformat(), day, rules, publish=publish), told)
    done = f"published {report['release_id']}" if publish else f"settled {day}"
    progress(f"{done}: {report['lines']} lines, {report['entries']} ledger entries")
    return report


def _listed(days: list[date]) -> str:
    return str([str(day) for day in days])


@dataclass(frozen=True)
class Run:
    """One run: its id, the business day that it settles or restates, its rules, where adjustments are declared."""

    run_id: str
    day: date
    rules: rulebook.Rules
    adjustments: Path = field(default_factory=rulebook.adjustments_folder)
    publish: bool = True  # within a backfill, only the last day's run does

    @property
    def staging(self) -> Path:
        return store.place("staging") / f"{self.run_id}.duckdb"


def rules_in_force(con: duckdb.DuckDBPyConnection, day: date) -> tuple[rulebook.Rules, list[str]]:
    """The rules that a day is settled with, and what to tell of an edit that is held.

    An edit that would change what is posted is held until `incentives restate`: the day goes on with the rules before.
    """
    rules = rulebook.edited_rules(con)
    if not rules.changed:
        return rules, []
    entries = books.held_entries(con, rules.hash)
    if entries is None:
        entries = len(rule_differences(con, Run("plan", day, rules)))
        books.note_edit(con, rules.hash, day, entries)
    if not entries:
        return rules, []
    told = f"rule edit [{rules.hash[:12]}] is held: it would change [{entries}] posted sums; see `incentives restate`."
    return rulebook.Rules(rules.before, rules.before, str(books.last_rules(con))), [told]


def rule_differences(con: duckdb.DuckDBPyConnection, plan: Run) -> list[dict[str, Any]]:
    """What a rule edit would change of what is posted, by program, partner, month, kind and currency; nothing is kept."""
    with store.scratch(con, plan.staging):
        _work_out(con, plan, _Clock())
        return books.staged_rule_changes(con)


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
        run.staging.unlink(missing_ok=True)
    _health(run.day, {"succeeded": True, "message": None, "warnings": report["warnings"]})
    with (store.home() / "runs.jsonl").open("a") as log:
        log.write(json.dumps(report, default=str) + "\n")
    return report


def _carry_out(run: Run, told: list[str], also: Callable[[duckdb.DuckDBPyConnection], None] | None) -> dict[str, Any]:
    clock = _Clock()
    run.staging.unlink(missing_ok=True)
    with store.warehouse() as con:
        store.attach(con, run.staging, "staging")
        con.execute("SET force_compression = 'uncompressed'")  # staged once, read twice, deleted
        deliveries, lines = _work_out(con, run, clock)
        told = [*told, *_adjust(con, run)]
        _follow_funds(con, run)
        _follow_payments(con, run)
        _give_up(con, run)
        audit.facts(con, run.day)
        cuts.keep(con)
        con.execute("DETACH staging")
    clock.stage("ledger")
    store.reached("day staged")
    verdict = _judged(run.staging, [*DERIVED.values(), *AUDIT.values()])
    clock.stage("expectations")
    with store.warehouse() as con:
        store.attach(con, run.staging, "staging", "(READ_ONLY)")
        _register(con, run)
        cuts.take_up(con)
        with store.transaction(con):
            made = commit.take_over(con, run.day)
            made_by = {"run_id": run.run_id, "rules_hash": run.rules.hash, "engine_version": ENGINE_VERSION}
            head = books.record(con, run.day, deliveries=deliveries, **made_by)
            if also:
                also(con)
            clock.stage("commit")
            store.reached("taken over")
            if run.publish:
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
    con: duckdb.DuckDBPyConnection, run: Run, facts: dict[str, Any], clock: "_Clock | None" = None
) -> tuple[Path, dict[str, Any], Any]:
    """A judged release of what the warehouse holds, which nobody sees yet: its folder, manifest and verdict."""
    stages = clock or _Clock()
    _hold_payees(con, run)
    folder, manifest = publishing.build(con, run.day, facts)
    stages.stage("publish")
    verdict = _judged(folder / "published.duckdb", list(PUBLISHED.values()))
    stages.stage("expectations")
    return folder, manifest, verdict


def _hold_payees(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Make `payee_holds`: why payments to a partner wait as of the day."""
    payees, asked = (frames.read_input(con, name, run.day) for name in ("payees", "hold_requests"))
    held = payee_holds(payees, asked, run.rules.now, run.day)
    con.register("payee_holds", pa.Table.from_pandas(held, schema=HOLDS, preserve_index=False))


def _prepare(con: duckdb.DuckDBPyConnection, run: Run, *, everything: bool = False) -> list[str]:
    """The cut, the partners and lines to work out, and the rules as tables, on a fresh connection; the cut's ids."""
    _register(con, run)
    deliveries = cuts.cut(con, run.day)
    cuts.touch_partners(con, run.day, everyone=everything or run.rules.changed)
    associated.touch_customers(con, run.day, everyone=everything or run.rules.changed)
    cuts.open_facts(con, run.day)
    return deliveries


def _register(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """The rules, the reasons and the feeds as tables of a connection."""
    for name, rows in (
        ("program_earners", program_earners(run.rules.now)),
        ("program_levers", program_levers(run.rules.now, run.day)),
        ("program_sales", program_sales(run.rules.now)),
        ("program_invitations", invitations.program_invitations(run.rules.now)),
        ("reasons", reasons()),
        ("coop_halves", coop_halves(run.rules.now, run.day)),
        ("payment_calendar", payment_calendar(run.rules.now)),
        ("payment_cycles", payment_cycles(run.rules.now, run.day)),
        ("freed_statuses", pd.DataFrame({"payment_status": payments.FREED})),
        ("feeds", pd.DataFrame({"feed": list(FEEDS)})),
    ):
        con.register(name, pa.Table.from_pandas(rows, preserve_index=False))
    con.execute(due.view())
    requested.open_requested(con, run.day)


def _touch_lines(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    clock: "_Clock",
    *,
    everything: bool = False,
    within: tuple[date, date] | None = None,
) -> int:
    """Make the touched lines, from the staged eligibility, and those to work out with them; how many are touched.

    Who holds which customers is worked out in between, since a customer that changes hands brings lines of its own.
    With `within`, the lines of some days alone, all anew.
    """
    cuts.stand(con)
    associated.associate(con)
    lines = cuts.touch_lines(con, run.day, rules=everything or run.rules.changed, splits=run.rules.splits_changed)
    if within:
        worked.narrow(con, run.day, *within)
    _hold(con, run, clock)
    worked.work(con, run.day, anew=within is not None)
    return lines


def _hold(con: duckdb.DuckDBPyConnection, run: Run, clock: "_Clock") -> None:
    """Make `related_lines` of the touched ones, and stage who holds the customers that these name."""
    worked.relate(con, run.day)
    made = holders.first_to_earn(NO_LINES, run.rules.now)
    if rivals.gather(con, run.day):
        made = _run_steps(con, HOLDER_STEPS, {"programs": run.rules.now, "run_date": run.day}, clock)["holders"]
    commit.stage(con, "holders", made, run.run_id)
    rivals.compare(con)


def _judge_partners(
    con: duckdb.DuckDBPyConnection, run: Run, given: dict[str, Any], clock: "_Clock", *, everything: bool
) -> tuple[list[str], dict[str, Any]]:
    """Stage what the partner steps make; the cut's delivery ids, and what was read and made."""
    deliveries = _prepare(con, run, everything=everything)
    made = _run_steps(con, PARTNER_STEPS, given, clock)
    _stage(con, made, PARTNER_STEPS, run.run_id, clock)
    return deliveries, made


def _work_out(
    con: duckdb.DuckDBPyConnection, run: Run, clock: "_Clock", *, everything: bool = False
) -> tuple[list[str], int]:
    """Run the steps in order and stage what they make; the cut's delivery ids and how many lines are touched."""
    given = {"programs": run.rules.now, "programs_before": run.rules.before, "run_date": run.day}
    deliveries, made = _judge_partners(con, run, given, clock, everything=everything)
    if run.rules.changed:
        steps = {name: PARTNER_STEPS[name] for name in STANDING}
        before = _run_steps(con, steps, made | {"programs": run.rules.before}, clock)
        cuts.stand_under_rules_before(con, before["eligibility"])
        associated.associate_under_rules_before(con, associations.associations(made["claims"], run.rules.before))
    lines = _touch_lines(con, run, clock, everything=everything)
    clock.stage("touched_lines")
    repriced = _run_buckets(con, run, given, clock, is_append=True)
    if len(repriced):
        worked.rework(con, repriced, run.day)
    _run_buckets(con, run, given, clock, is_append=False)
    return deliveries, lines


def _run_buckets(
    con: duckdb.DuckDBPyConnection, run: Run, given: dict[str, Any], clock: "_Clock", *, is_append: bool
) -> pa.Table:
    """Run the line steps bucket by bucket; the cells whose added lines reprice others, which are left out of it."""
    found = []
    count = worked.buckets(con, is_append=is_append) or int(is_append)  # one empty bucket makes the tables
    for number in range(count):
        worked.open_bucket(con, number, count, is_append=is_append)
        made = _run_steps(con, LINE_STEPS, given, clock)
        cells = positions.repriced_cells(made["positions"])
        if len(cells) and is_append:
            found.append(cells)
            made |= positions.without(made, cells, run.rules.now)
        _stage(con, made, LINE_STEPS, run.run_id, clock)
    cells = pd.concat(found) if found else pd.DataFrame({"program": []})
    return pa.Table.from_pandas(cells, preserve_index=False)


def _adjust(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """Stage the declared adjustments that are not posted yet; why others are not."""
    declared, told = rulebook.declared_adjustments(run.adjustments)
    held = frames.read_input(con, "posted_adjustments", run.day)
    pending = [one for one in declared if one.adjustment not in set(held["adjustment_id"])]
    earned = frames.read_input(con, "earned", run.day) if pending else None  # it sums the whole ledger
    refused = adjustments.refusals(pending, earned, run.rules.now) if earned is not None else {}
    sound = [one for one in pending if one.adjustment not in refused]
    commit.stage(con, "adjustments", adjustments.adjustments(sound, run.day), run.run_id)
    commit.stage(con, "earnings_ledger", adjustments.entries(sound, run.rules.now, run.day), run.run_id)
    for one in sound:
        kept = rulebook.adjustments_archive(run.run_id)
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy(run.adjustments / f"{one.adjustment}.yaml", kept)
    edited = adjustments.edited([one for one in declared if one not in pending], held)
    told += [f"adjustment [{name}] is not posted: {why}." for name, why in refused.items()]
    return told + [f"adjustment [{name}] {why}." for name, why in edited.items()]


def _follow_funds(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Stage where the claims to co-op funds stand and, on the first settled day of a month, what became of the funds."""
    claims = coop_claims.coop_claims(frames.read_input(con, "claim_requests", run.day))
    commit.stage(con, "coop_claims", claims, run.run_id)
    before = books.day_before(con, run.day)
    if before and (before.year, before.month) == (run.day.year, run.day.month):
        return
    con.execute("CREATE OR REPLACE TEMP VIEW claims_standing AS FROM staging.derived.coop_claims")
    balances = frames.read_input(con, "coop_balances", run.day)
    made = coop_funds.entries(balances, coop_halves(run.rules.now, run.day), run.day)
    commit.stage(con, "earnings_ledger", made, run.run_id)


def _follow_payments(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Stage where the payments stand that the cut tells of, and the entries that this brings."""
    cuts.touch_payments(con)
    found = payments.payments(frames.read_input(con, "reported_payments", run.day))
    posted = frames.read_input(con, "posted_payments", run.day)
    commit.stage(con, "payments", found, run.run_id)
    commit.stage(con, "earnings_ledger", payments.entries(found, posted, run.day), run.run_id)


def _give_up(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Stage what becomes of what was not paid, where the day reaches a payment cycle: forfeited, escheated, or offset."""
    judged = forfeits.judged_cycles(run.rules.now, books.day_before(con, run.day), run.day)
    if judged.empty:
        return
    _register(con, run)
    con.register("judged_cycles", pa.Table.from_pandas(judged, preserve_index=False))
    con.execute(due.view("(FROM derived.earnings_ledger UNION ALL BY NAME FROM staging.derived.earnings_ledger)"))
    unpaid, payees, asked = (frames.read_input(con, name, run.day) for name in ("unpaid", "payees", "hold_requests"))
    held = payee_holds(payees, asked, run.rules.now, run.day)
    made = forfeits.entries(unpaid, payees, held, run.rules.now, run.day)
    commit.stage(con, "earnings_ledger", made, run.run_id)
    kept = unpaid[~unpaid["partner_id"].isin(made["partner_id"])]  # who gives up today is offset in the next cycle
    commit.stage(con, "earnings_ledger", offsets.entries(kept, run.rules.now, run.day), run.run_id)


def earned(
    con: duckdb.DuckDBPyConnection, rules: list[Program], day: date, first: date, end: date, progress: Progress
) -> tuple[list[str], pd.DataFrame]:
    """What the lines of [first, end) earn under some rules, as `simulation.earned` sums it; the deliveries not settled yet.

    Partners are judged and lines worked out anew from all that is known on the day; nothing is kept.
    """
    run, clock = Run("simulate", day, rulebook.Rules(rules, rules, "")), _Clock()
    given = {"programs": rules, "run_date": day}
    found = []
    with store.scratch(con, run.staging):
        waiting = _judge_partners(con, run, given, clock, everything=True)[0]
        _touch_lines(con, run, clock, everything=True, within=simulation.whole_periods(rules, first, end))
        count = max(worked.buckets(con, is_append=False), 1)
        for number in range(count):
            progress(f"part {number + 1} of {count}")
            worked.open_bucket(con, number, count, is_append=False)
            made = _run_steps(con, EARNING_STEPS, given, clock)
            found.append(simulation.earned(made["earnings"], first, end))
    return waiting, simulation.added(found)


def recomputed(con: duckdb.DuckDBPyConnection, day: date) -> tuple[list[str], list[dict[str, Any]]]:
    """A full recomputation of all settled lines beside the ledger: deliveries not settled yet, and sums that differ.

    Every line is worked out anew from all that is known; nothing is kept.
    """
    run = Run("verify", day, rulebook.rules_of_last_run(con))
    with store.scratch(con, run.staging):
        waiting = _work_out(con, run, _Clock(), everything=True)[0]
        return waiting, books.staged_differences(con)


def _run_steps(
    con: duckdb.DuckDBPyConnection, steps: dict[str, Step], given: dict[str, Any], clock: "_Clock"
) -> dict[str, Any]:
    """Run some steps in order, reading what no earlier one made; all that was read and made."""
    made = dict(given)
    for step, transform in steps.items():
        for name in inputs(step):
            if name not in made:
                made[name] = frames.read_input(con, name, given["run_date"])
        clock.stage("inputs")
        made[step] = transform(**{name: made[name] for name in inputs(step)})
        clock.stage(step)
    return made


def _stage(
    con: duckdb.DuckDBPyConnection, made: dict[str, Any], steps: dict[str, Step], run_id: str, clock: "_Clock"
) -> None:
    for step in steps:
        if step in DERIVED:
            commit.stage(con, step, made[step], run_id)
    clock.stage("staging")


def _judged(path: Path, tables: list) -> Any:
    verdict = _judge(path, tables)
    if verdict.critical:
        raise Refused(f"critical expectations do not hold: {'; '.join(map(str, verdict.critical))}")
    return verdict


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
