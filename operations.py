"""What operators do besides the daily run: close, restate, simulate, verify, adjust, erase, repair. Each act is archived with who did it."""

import json
import os
import secrets
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import pipeline
import postings
import rulebook
import settlement
from expectations.rules import of
from settlement import Progress, silent
from transforms import adjustments, people, simulation
from transforms.programs import active, load_all
from warehouse import (
    acts,
    books,
    erasure,
    frames,
    handover,
    publishing,
    quarantine,
    releases,
    retention,
    rule_words,
    store,
)


def close(month: date, by: str) -> list[date]:
    """Close an accounting month and those before it; the months that this closed. What comes later is posted after them.

    Raises LookupError for a month that is closed or not over, and when nobody is named.
    """
    by = people.named(by)
    pipeline.publish_pending()
    with store.locked(f"close {month:%Y-%m}"), store.warehouse() as con:
        with store.transaction(con):
            closed = books.close(con, month, by)
        store.reached("month closed")
        acts.write_missing(con)
    return closed


def restate_plan(first: date, progress: Progress = silent) -> list[dict[str, Any]]:
    """What the held rule edit would change of what is posted, a row for each partner, program, month, kind and currency.

    Raises LookupError when no edit is held, or when it would change lines of before `first`.
    """
    with store.locked("restate plan"), store.warehouse() as con:
        return _plan(con, first, progress)


def restate(first: date, *, by: str, approved_by: str, progress: Progress = silent) -> dict[str, Any]:
    """Post the held rule edit on the newest settled day; the run's report.

    Raises LookupError as `restate_plan` does, and when the author would approve.
    """
    by, approved_by = people.named(by), people.named(approved_by)
    if people.is_same(by, approved_by):
        raise LookupError(f"[{by}] approves an own rule edit; somebody else must.")
    pipeline.publish_pending(progress)
    with store.locked(f"restate from {first}"):
        with store.warehouse() as con:
            _plan(con, first, progress)
            rules = rulebook.edited_rules(con)
            day, number = books.newest_day(con), books.last(con)[0] + 1
        run = settlement.Run(f"{day}-restate-{number}", day, rules, progress=progress)
        report = pipeline.attempt(
            run,
            [],
            lambda con: books.approve_edit(con, rules.hash, by=by, approved_by=approved_by, first=first),
        )
        with store.warehouse() as con:
            acts.write_missing(con)
    return report


def _plan(con: Any, first: date, progress: Progress) -> list[dict[str, Any]]:
    rules = rulebook.edited_rules(con)
    day = books.newest_day(con)
    if not rules.changed:
        raise LookupError("no rule edit is held: programs/ says what the last run was settled with.")
    rows = postings.rule_differences(con, settlement.Run("plan", day, rules, progress=progress))
    books.note_edit(con, rules.hash, day, len(rows))
    if not rows:
        raise LookupError("the rule edit changes nothing that is posted; the next settled day works with it.")
    if (early := min(row["first_on"] for row in rows)) < first:
        raise LookupError(
            f"the rule edit changes lines from [{early}], before [{first}]; restate from then, or date the edit later."
        )
    return rows


class Simulation(NamedTuple):
    """A what-if as of the newest settled day: `rows` are those of `transforms.simulation`, amounts in minor units.

    `programs` says what the files make of each program; `waiting` which deliveries are counted on both sides that are
    not settled yet.
    """

    as_of: date
    programs: dict[str, str]
    waiting: list[str]
    rows: pd.DataFrame


def simulate(folder: Path, first: date, end: date, progress: Progress = silent) -> Simulation:
    """What all lines of the days [first, end) would earn under the rule files of a folder, drafts among them; nothing is kept.

    Programs that the folder lacks count as retired; adjustments are left out. Raises RuleFault for the first file that
    cannot be used, and LookupError before the first settled day.
    """
    changed = rulebook.programs_in(folder)
    simulated = simulation.as_if_active(changed)
    with store.locked("simulate"), store.warehouse() as con:
        day = books.newest_day(con)
        in_force = active(rulebook.rules_of_last_run(con).now)
        standing = simulation.standings(in_force, changed)
        edited = [program for program in simulated if standing[program.program] != "unchanged"]
        progress(f"working lines out as of {day}, under the rules in force")
        waiting, before = settlement.earned(con, in_force, day, first, end, progress)
        after = [before[before["program"].map(standing) == "unchanged"]]
        if edited:
            progress(f"the same under the changed rules of {[program.program for program in edited]}")
            after.append(settlement.earned(con, edited, day, first, end, progress)[1])
    return Simulation(day, standing, waiting, simulation.simulation(before, simulation.added(after)))


def verify(progress: Progress = silent) -> dict[str, Any]:
    """Whether the ledger is what was posted, and what a full recomputation says it should be; whether the books are sound.

    `broken`: runs whose entries were edited since, or whose head is not the one in their release's manifest. `differences`: sums that the recomputation has otherwise.
    `books`: what does not hold of deliveries, runs, closes and rule edits. `waiting`: deliveries that came since the last
    run, whose lines are not compared until they are settled.
    """
    with store.locked("verify"):
        with store.warehouse() as con:
            day = books.newest_day(con)
            broken = books.broken_links(con, releases.releases())
            waiting, differences = settlement.recomputed(con, day, progress)
            [(entries,)] = con.execute("SELECT count(*) FROM derived.earnings_ledger").fetchall()
        unsound = [str(finding) for finding in pipeline.books_judged().findings]
    return {
        "as_of": day, "entries": entries, "broken": broken, "differences": differences, "books": unsound, "waiting": waiting,
    }  # fmt: skip


def erase_plan(email: str) -> dict[str, Any]:
    """Where a person is named: rows by table of the warehouse, and kept deliveries.

    Raises LookupError where nowhere, and for what is no e-mail address.
    """
    with store.locked("erase plan"), store.warehouse() as con:
        who = erasure.person(con, erasure.address(email), "")
        found = {"rows": erasure.rows_naming(con, who), "deliveries": erasure.deliveries_naming(who)}
    if not any(found.values()):
        raise LookupError(f"[{email}] is named nowhere in [{store.home()}].")
    return found


def erase(email: str, by: str) -> dict[str, Any]:
    """Erase a person from the warehouse, kept deliveries and releases; what was changed, and the token in its place.

    Earlier releases are removed. What was cut off is taken up by running it again. Raises LookupError as `erase_plan`
    does, when nobody is named, and when another erasure was cut off.
    """
    by = people.named(by)
    begun = store.home() / "erasing.json"
    address = erasure.address(email)
    mark: dict[str, Any] = {
        "who": sha256(address.encode()).hexdigest(),
        "token": f"erased-{secrets.token_hex(8)}@erased.invalid",
    }
    if begun.exists():
        mark_before = json.loads(begun.read_text())
        if mark_before["who"] != mark["who"]:
            raise LookupError(f"another erasure was cut off on the way; run it again first, or see [{begun}].")
        mark = mark_before
    else:
        mark |= erase_plan(email)  # what is erased before a cut cannot be told after it
        fresh = begun.with_name(f".{begun.name}")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(mark))
        store.reached("erasure written down")
        os.replace(fresh, begun)
    with store.locked("erase"):
        with store.warehouse() as con:
            who = erasure.person(con, address, mark["token"])
            rows, files = erasure.rows_naming(con, who), erasure.erase_files(who)
            store.reached("person erased from deliveries")
            with store.transaction(con):
                erasure.erase_rows(con, who)
                erasure.refit_register(con)
        store.compact()
        store.reached("person erased from warehouse")
        publishing.without(who)
        named: dict[str, Any] = {"rows": mark.get("rows", rows), "deliveries": mark.get("deliveries", [])}
        said = {"by": by, "token": who.token, **named, "files": files}
        if who.token not in {act["token"] for act in acts.written("erase")}:
            acts.write("erase", said)
        store.reached("erasure archived")
        begun.unlink()
    return said


def retire() -> tuple[int, int]:
    """Let go of what its feed's contract keeps no longer: how many persons were erased, and deliveries removed."""
    with store.locked("retention"), store.warehouse() as con:
        last = books.last_run(con)
        day = last["business_date"] if last else date.min
        addresses = retention.people_to_erase(con, day) if last else []
    for email in addresses:
        erase(email, "retention")
    with store.locked("retention"):
        deliveries = retention.deliveries_to_remove(day) if last else []
        told = {name for act in acts.written("retire") for name in act["deliveries"]}
        names = [folder.name for folder in deliveries if folder.name not in told]
        if names:  # before they are removed, since what is gone tells nothing
            acts.write("retire", {"by": "retention", "deliveries": names})
        for folder in deliveries:
            store.reached("removal archived")
            retention.remove(folder)
    return len(addresses), len(deliveries)


def declared_adjustments() -> list[dict[str, Any]]:
    """Each adjustment that was posted, as it was, or is declared: that it waits for the next settled day, or why it cannot be."""
    declared, faults = rulebook.declared_adjustments(rulebook.adjustments_folder())
    with store.locked("adjustments"), store.warehouse() as con:
        store.attach(con, Path(":memory:"), "staging")
        con.execute("CREATE SCHEMA staging.derived")
        con.execute("CREATE TABLE staging.derived.earnings_ledger AS FROM derived.earnings_ledger LIMIT 0")
        inputs = ("posted_adjustments", "earned", "partner_ids")
        held, earned, partners = (frames.read_input(con, name, date.max) for name in inputs)
        newest = books.day_before(con, date.max) or datetime.now(UTC).date()
    posted = adjustments.as_declared(held)
    waiting = [one for one in declared if one.adjustment not in posted]
    programs, next_day = load_all(rulebook.programs_folder()), newest + timedelta(days=1)
    told = adjustments.refusals(waiting, earned, partners["partner_id"], programs, next_day)
    told |= adjustments.edited([one for one in declared if one.adjustment in posted], held)
    days = dict(zip(held["adjustment_id"], held["posted_on"].dt.date, strict=True))
    said = {one.adjustment: one.model_dump() for one in declared} | posted
    columns = ("partner", "month", "amount", "currency")
    return [
        {"adjustment": name}
        | {column: said[name][column] for column in columns}
        | {"posted on": days.get(name), "message": told.get(name, "")}
        for name in sorted(said)
    ] + [dict.fromkeys(("adjustment", *columns, "posted on")) | {"message": fault} for fault in faults]


def accept_volume(day: date, by: str) -> str:
    """Land an empty delivery that accepts how much, or how little, a due day holds; the id of it.

    The next run settles the day and warns where it would have refused. Raises LookupError when nobody is named, and
    for a day that is not due.
    """
    by = people.named(by)
    if day not in (days := pipeline.due_days()):
        raise LookupError(f"[{day}] is not due, so there is nothing to accept; due are {[str(day) for day in days]}.")
    return handover.rows("transactions", day, [], volume_accepted_by=by)


def quarantined(*, everything: bool = False) -> list[dict[str, Any]]:
    """Rows that were set aside, with the rules that they broke."""
    with store.locked("quarantine"), store.warehouse() as con:
        return quarantine.listed(con, everything=everything)


def quarantined_row(quarantine_id: str) -> dict[str, Any]:
    """One row that was set aside, with its text as delivered, and in `expected` what each rule that it broke asks for."""
    with store.locked("quarantine"), store.warehouse() as con:
        row = quarantine.shown(con, quarantine_id)
    means = {rule.id: rule.means for rule in of(f"clean.{row['feed']}")}
    broken = row["rules_broken"].split(",")
    return row | {"expected": {rule: means.get(rule) or rule_words.expected(rule) for rule in broken}}


def release_row(quarantine_id: str, changes: dict[str, str], by: str) -> str:
    """Land a quarantined row again, repaired or as it is; the id of the delivery that the next ingest takes in.

    Raises LookupError when nobody is named.
    """
    by = people.named(by)
    with store.locked("quarantine"), store.warehouse() as con:
        return quarantine.release(con, quarantine_id, changes, by)
