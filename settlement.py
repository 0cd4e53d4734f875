"""How a day is worked out: which steps there are, what each reads, and in which order they fill the staging file.

A step is a transform. Its name is the table it makes; its parameters are the tables it reads, besides `programs` and
`run_date`. Nothing here writes to the warehouse: what is staged is judged and taken over by pipeline.py.
"""

import inspect
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

import rulebook
from transforms import (
    answered_requests,
    associations,
    causes,
    decisions,
    earnings,
    eligibility,
    enrol_requests,
    enrolments,
    holders,
    invitations,
    ledger,
    positions,
    requirements,
    simulation,
)
from transforms.coop_halves import coop_halves
from transforms.payment_calendar import payment_calendar, payment_cycles
from transforms.programs import Program
from transforms.published import program_earners, program_levers
from transforms.reasons import reasons
from transforms.sales import program_sales
from transforms.vocabulary import FREED
from warehouse import associated, books, buckets, commit, cuts, due, facts, frames, requested, rivals, staging, worked
from warehouse.tables import DERIVED, FEEDS

Step = Callable[..., pd.DataFrame]
REQUIREMENT_STEPS: dict[str, Step] = {"requirements": requirements.requirements}
PARTNER_STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        invitations.invitations,
        enrol_requests.enrolments_asked_for,
        answered_requests.answered_requests,
        enrolments.enrolments,
        eligibility.eligibility_criteria,
        eligibility.eligibility,
        associations.associations,
    )
}
STANDING = ("enrolments", "eligibility_criteria", "eligibility")  # what rules alone may change
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
STEPS = REQUIREMENT_STEPS | PARTNER_STEPS | HOLDER_STEPS | LINE_STEPS
NO_LINES = pd.DataFrame(
    {name: pd.Series([], dtype="str") for name in ("program", "partner_id", "transaction_id", "levers", "compared_by")}
)
EARNING_STEPS = {name: LINE_STEPS[name] for name in ("decided_lines", "earnings")}
Progress = Callable[[str], None]


def silent(line: str) -> None:
    """No line: the progress that nobody asked for."""


def inputs(step: str) -> list[str]:
    """What a step reads: tables that earlier steps made, named inputs of the warehouse, `programs`, `run_date`."""
    return list(inspect.signature(STEPS[step]).parameters)


@dataclass(frozen=True)
class Run:
    """One run: its id, the business day that it settles or restates, its rules, where adjustments are declared.

    `progress` is told how far it is if there are more lines than fit into one bucket.
    """

    run_id: str
    day: date
    rules: rulebook.Rules
    adjustments: Path = field(default_factory=rulebook.adjustments_folder)
    publish: bool = True  # within a backfill, only the last day's run does
    progress: Progress = silent


class Clock:
    """Seconds by stage, in the order of the stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(self.seconds.get(name, 0) + now - self._last, 3)
        self._last = now


def work_out(
    con: duckdb.DuckDBPyConnection, run: Run, clock: Clock, *, everything: bool = False
) -> tuple[list[str], int]:
    """Run the steps in order and stage what they make; the cut's delivery ids and how many lines are touched."""
    given = {"programs": run.rules.now, "programs_before": run.rules.before, "run_date": run.day}
    deliveries = _judge_partners(con, run, given, clock, everything=everything)
    lines = _touch_lines(con, run, clock, everything=everything)
    clock.stage("touched_lines")
    repriced = _run_buckets(con, run, given, clock)
    if len(repriced):
        worked.rework(con, repriced, run.day)
        _run_buckets(con, run, given, clock, again=True)
    worked.let_go(con)
    return deliveries, lines


def _judge_partners(
    con: duckdb.DuckDBPyConnection, run: Run, given: dict[str, Any], clock: Clock, *, everything: bool
) -> list[str]:
    """Stage what the partner steps make, and have what they would make under the rules before; the cut's delivery ids."""
    deliveries = _prepare(con, run, everything=everything)
    made = _run_steps(con, PARTNER_STEPS, _require(con, given, clock), clock)
    _stage(con, made, PARTNER_STEPS, run.run_id, clock)
    if run.rules.changed:
        steps = {name: PARTNER_STEPS[name] for name in STANDING}
        before = _run_steps(con, steps, made | _require(con, given | {"programs": run.rules.before}, clock), clock)
        cuts.stand_under_rules_before(con, before["eligibility"])
        associated.associate_under_rules_before(con, associations.associations(made["claims"], run.rules.before))
    return deliveries


def _require(con: duckdb.DuckDBPyConnection, given: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """What is given with `requirements`, run bucket by bucket, since revenue is a row for each partner, day and currency."""
    count = cuts.partner_buckets(con)
    found = []
    for number in range(count):
        cuts.open_partners(con, number, count)
        found.append(_run_steps(con, REQUIREMENT_STEPS, given, clock)["requirements"])
    cuts.open_partners(con)
    held = [one for one in found if len(one)] or found[:1]
    return given | {"requirements": pd.concat(held, ignore_index=True) if len(held) > 1 else held[0]}


def _prepare(con: duckdb.DuckDBPyConnection, run: Run, *, everything: bool = False) -> list[str]:
    """The cut, the partners and lines to work out, and the rules as tables, on a fresh connection; the cut's ids."""
    register(con, run)
    deliveries = cuts.cut(con, run.day)
    cuts.touch_partners(con, run.day, everyone=everything or run.rules.changed)
    cuts.sum_revenue(con, run.day)
    associated.touch_customers(con, run.day, everyone=everything or run.rules.changed)
    facts.open_facts(con, run.day)
    return deliveries


def register(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """The rules, the reasons and the feeds as tables of a connection."""
    for name, rows in (
        ("program_earners", program_earners(run.rules.now)),
        ("program_levers", program_levers(run.rules.now, run.day)),
        ("program_sales", program_sales(run.rules.now)),
        ("program_invitations", invitations.program_invitations(run.rules.now)),
        ("described_programs", pd.DataFrame({"program": [program.program for program in run.rules.now]})),
        ("reasons", reasons()),
        ("coop_halves", coop_halves(run.rules.now, run.day)),
        ("payment_calendar", payment_calendar(run.rules.now)),
        ("payment_calendar_before", payment_calendar(run.rules.before)),
        ("payment_cycles", payment_cycles(run.rules.now, run.day)),
        ("freed_statuses", pd.DataFrame({"payment_status": FREED})),
        ("feeds", pd.DataFrame({"feed": list(FEEDS)})),
    ):
        con.register(name, pa.Table.from_pandas(rows, preserve_index=False))
    con.execute(due.view())
    requested.open_requested(con, run.day)


def _touch_lines(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    clock: Clock,
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
    if lines > buckets.BUCKET_LINES:
        run.progress(f"{run.day}: looking at {lines:,} lines and what they bear on")
    if within:
        worked.narrow(con, run.day, *within)
    _hold(con, run, clock)
    worked.work(con, run.day, anew=within is not None)
    return lines


def _hold(con: duckdb.DuckDBPyConnection, run: Run, clock: Clock) -> None:
    """Make `related_lines` of the touched ones, and stage who holds the customers that these name."""
    worked.relate(con, run.day)
    nobody = holders.first_to_earn(NO_LINES, run.rules.now)
    commit.stage(con, "holders", nobody, run.run_id)  # makes the table
    for number in range(rivals.gather(con, run.day)):
        rivals.open_bucket(con, number)
        made = _run_steps(con, HOLDER_STEPS, {"programs": run.rules.now, "run_date": run.day}, clock)
        _stage(con, made, HOLDER_STEPS, run.run_id, clock)
    buckets.drop(con, "rivals")
    rivals.compare(con)


def _run_buckets(
    con: duckdb.DuckDBPyConnection, run: Run, given: dict[str, Any], clock: Clock, *, again: bool = False
) -> pa.Table:
    """Run the line steps bucket by bucket; the cells whose added lines reprice others, which are left out of it."""
    found = []
    for made in _made_of_buckets(con, run, LINE_STEPS, given, clock, again=again):
        cells = positions.repriced_cells(made["positions"])
        if len(cells):
            found.append(cells)
            made |= positions.without(made, cells, run.rules.now)
        _stage(con, made, LINE_STEPS, run.run_id, clock)
        del made  # before the bucket after next is read
    buckets.drop(con, "worked")
    cells = pd.concat(found) if found else pd.DataFrame({"program": []})
    return pa.Table.from_pandas(cells, preserve_index=False)


def _made_of_buckets(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    steps: dict[str, Step],
    given: dict[str, Any],
    clock: Clock,
    *,
    again: bool = False,
) -> Iterator[dict[str, Any]]:
    """What some line steps make of each bucket; while pandas works on one, DuckDB stages the one before and reads the next."""
    count = worked.divide(con, again=again)

    def read(number: int) -> dict[str, Any]:
        if count > 1:
            run.progress(f"{run.day}: lines {'again, ' if again else ''}part {number + 1} of {count}")
        worked.open_bucket(con, number)
        return _read(con, steps, given, clock)

    for made in _beside(partial(_make, steps), map(read, range(count))):
        clock.stage("line_steps")  # what is not hidden by reading and staging
        yield made
        del made


def _beside(work: Callable[[Any], Any], given: Iterable[Any]) -> Iterator[Any]:
    """What some work makes of each that is given, in order, by a thread of its own, while the next is got."""
    with ThreadPoolExecutor(1) as thread:
        waiting: deque[Future[Any]] = deque()
        for one in given:
            waiting.append(thread.submit(work, one))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _run_steps(
    con: duckdb.DuckDBPyConnection, steps: dict[str, Step], given: dict[str, Any], clock: Clock
) -> dict[str, Any]:
    """Run some steps in order; what was given, read and made."""
    return _make(steps, _read(con, steps, given, clock), clock)


def _read(
    con: duckdb.DuckDBPyConnection, steps: dict[str, Step], given: dict[str, Any], clock: Clock
) -> dict[str, Any]:
    """What is given, and what else some steps read and none of them makes."""
    read = dict(given)
    for name in (name for step in steps for name in inputs(step)):
        if name not in read and name not in steps:
            read[name] = frames.read_input(con, name, given["run_date"])
    clock.stage("inputs")
    return read


def _make(steps: dict[str, Step], read: dict[str, Any], clock: Clock | None = None) -> dict[str, Any]:
    """What was read, and what some steps make of it, one after the other."""
    made = dict(read)
    for step, transform in steps.items():
        made[step] = transform(**{name: made[name] for name in inputs(step)})
        if clock:
            clock.stage(step)
    return made


def _stage(
    con: duckdb.DuckDBPyConnection, made: dict[str, Any], steps: dict[str, Step], run_id: str, clock: Clock
) -> None:
    for step in steps:
        if step in DERIVED:
            commit.stage(con, step, made[step], run_id)
    clock.stage("staging")


def earned(
    con: duckdb.DuckDBPyConnection, rules: list[Program], day: date, first: date, end: date, progress: Progress
) -> tuple[list[str], pd.DataFrame]:
    """What the lines of [first, end) earn under some rules, as `simulation.earned` sums it; the deliveries not settled yet.

    Partners are judged and lines worked out anew from all that is known on the day; nothing is kept.
    """
    run, clock = Run("simulate", day, rulebook.Rules(rules, rules, ""), progress=progress), Clock()
    given = {"programs": rules, "run_date": day}
    found = []
    with staging.scratch(con, run.run_id):
        waiting = _judge_partners(con, run, given, clock, everything=True)
        _touch_lines(con, run, clock, everything=True, within=simulation.whole_periods(rules, first, end))
        for made in _made_of_buckets(con, run, EARNING_STEPS, given, clock):
            found.append(simulation.earned(made["earnings"], first, end))
    return waiting, simulation.added(found)


def recomputed(
    con: duckdb.DuckDBPyConnection, day: date, progress: Progress = silent
) -> tuple[list[str], list[dict[str, Any]]]:
    """A full recomputation of all settled lines beside the ledger: deliveries not settled yet, and sums that differ.

    Every line is worked out anew from all that is known; nothing is kept.
    """
    run = Run("verify", day, rulebook.rules_of_last_run(con), progress=progress)
    with staging.scratch(con, run.run_id):
        waiting = work_out(con, run, Clock(), everything=True)[0]
        return waiting, books.staged_differences(con)
