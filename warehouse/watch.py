"""What an operator should know of: one table of conditions, each with its severity, channel and runbook heading."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from warehouse import landing, releases, sent, store

LEDGER = "alerts"
DEADLINE = time(12)  # UTC, on the day after the business date
WAITING = timedelta(minutes=30)  # twice the clock that rings besides the watcher
STUCK = timedelta(hours=1)
STALE = timedelta(days=2)
RECENT = timedelta(days=30)
UNDECIDED = timedelta(days=3)  # within which the DAG propose_payments has an answer, or frees the batch
SPARE_BYTES = 2 << 30
MOST_PARTS = 100  # of a release; a month of days and four years of months
Found = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Condition:
    """When to speak up, how loud, where, and the heading of docs/runbook.md that says what to do."""

    name: str
    severity: str
    channel: str
    runbook: str
    find: Callable[[datetime, list[dict[str, Any]]], Found]


def alerts(now: datetime, days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every condition that holds now, with the key that tells one occurrence from another.

    `now` is UTC without a zone; `days` is registry.completeness, empty while a run is stuck.
    """
    return [
        {
            "condition": c.name,
            "severity": c.severity,
            "channel": c.channel,
            "runbook": c.runbook,
            "message": message,
            "key": " ".join(f"{c.name}:{subject}".split()),
        }
        for c in CONDITIONS
        for subject, message in c.find(now, days)
    ]


def is_stuck(now: datetime) -> bool:
    """Whether a run holds the home for so long that nobody should wait for it; `now` is UTC without a zone."""
    return any(_stuck(now, []))


def unsent(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The alerts that no channel has carried yet."""
    gone = sent.sent(LEDGER)
    return [alert for alert in found if alert["key"] not in gone]


def record_sent(keys: list[str]) -> None:
    """Remember alerts as sent, so that each goes out once."""
    sent.record(LEDGER, keys)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _is_late(day: date, now: datetime) -> bool:
    return now > datetime.combine(day + timedelta(days=1), DEADLINE)


def _settled(days: list[dict[str, Any]]) -> list[date]:
    return [day["business_date"] for day in days if day["is_settled"]]


def _incomplete(now: datetime, days: list[dict[str, Any]]) -> Found:
    for day in days:
        open_day = not day["is_settled"] and not day["is_passed_over"]
        if open_day and not day["is_complete"] and _is_late(day["business_date"], now):
            yield str(day["business_date"]), f"day [{day['business_date']}] lacks {day['missing']}; it is not settled."


def _silent(now: datetime, days: list[dict[str, Any]]) -> Found:
    """Days after the newest settled one of which nothing has come, told together: a silence is one fault."""
    newest = max(_settled(days), default=now.date())
    known = {day["business_date"] for day in days}
    since = [newest + timedelta(days=number) for number in range(1, (now.date() - newest).days)]
    if silent := [day for day in since if day not in known and _is_late(day, now)]:
        yield (
            str(silent[0]),
            f"nothing has come for [{len(silent)}] of the days since [{newest}], first for [{silent[0]}].",
        )


def _passed_over(now: datetime, days: list[dict[str, Any]]) -> Found:
    """Days between settled ones that still lack something, of the newest month; before the first one none was due."""
    settled = _settled(days)
    for day in days:
        on = day["business_date"]
        if day["is_passed_over"] and not day["is_complete"] and min(settled) < on and max(settled) - on < RECENT:
            yield str(on), f"day [{on}] was passed over; it lacks {day['missing']}."


def _waiting(now: datetime, days: list[dict[str, Any]]) -> Found:
    for name in landing.landed():
        since = _utc((store.place("landing") / name / landing.MANIFEST).stat().st_mtime)
        if now - since > WAITING:
            yield name, f"delivery [{name}] has waited in landing since [{since:%Y-%m-%d %H:%M}] UTC."


def _stuck(now: datetime, days: list[dict[str, Any]]) -> Found:
    holder = store.home() / "holder.txt"
    if holder.exists() and now - _utc(holder.stat().st_mtime) > STUCK and store.is_held():
        yield holder.read_text(), f"the warehouse is held by [{holder.read_text()}]."


def _stale(now: datetime, days: list[dict[str, Any]]) -> Found:
    current = releases.current()
    if current and now - datetime.fromisoformat(current["as_of_date"]) > STALE + timedelta(days=1):
        yield current["release_id"], f"readers see the release of [{current['as_of_date']}]."


def _scattered(now: datetime, days: list[dict[str, Any]]) -> Found:
    parts = len((releases.current() or {}).get("parts", ()))
    if parts > MOST_PARTS:
        yield (
            f"{now:%Y-%m-%d}",
            f"the release is read from [{parts}] parts; `incentives gc` merges those of past months.",
        )


def _failed(now: datetime, days: list[dict[str, Any]]) -> Found:
    path = store.home() / "health.json"
    health: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"succeeded": True}
    if not health["succeeded"]:
        yield health["attempted_at"], f"day [{health['attempted_day']}] was not published: {health['message']}"


def _refused(now: datetime, days: list[dict[str, Any]]) -> Found:
    for reason in sorted(store.place("refused").glob("*/reason.txt")):
        yield reason.parent.name, reason.read_text().strip()


def _asked(now: datetime, days: list[dict[str, Any]]) -> Found:
    """What partners asked for, and were told yes to, that a person has to do."""
    asked = _released(
        "partner_requests",
        "SELECT request_id, request_kind, partner_id, program, coalesce(subject, '') FROM partner_requests WHERE "
        "outcome = 'accepted' AND request_kind IN ('payout', 'certification') AND answered_on >= $since ORDER BY ALL",
        RECENT,
    )
    for request_id, kind, partner_id, program, subject in asked:
        what = f"a {kind}" + (f" in [{subject}]" if kind == "certification" else f" of [{program}]")
        yield request_id, f"partner [{partner_id}] asks for {what}, request [{request_id}]."


def _undecided(now: datetime, days: list[dict[str, Any]]) -> Found:
    waiting = _released(
        "payments",
        "SELECT batch_id, count(*), min(cut_on) AS proposed_on FROM payments WHERE payment_status = 'upcoming' "
        "GROUP BY batch_id HAVING proposed_on < $since ORDER BY ALL",
        UNDECIDED,
    )
    for batch_id, payments, proposed_on in waiting:
        yield (
            batch_id,
            f"batch [{batch_id}] of [{payments}] payments, proposed as of [{proposed_on}], is not decided; it reserves what it would pay.",
        )


def _released(table: str, query: str, back: timedelta) -> list[tuple]:
    """What a query finds in the current release, `since` being so far before its day; nothing where it lacks the table."""
    current = releases.current()
    if not current or table not in {held["name"] for held in current["tables"]}:
        return []
    with releases.reader(current) as con:
        return con.execute(query, {"since": datetime.fromisoformat(current["as_of_date"]) - back}).fetchall()


def _disk(now: datetime, days: list[dict[str, Any]]) -> Found:
    warehouse = store.home() / "warehouse.duckdb"
    needed = max(SPARE_BYTES, 2 * warehouse.stat().st_size if warehouse.exists() else 0)
    free = shutil.disk_usage(store.home()).free
    if free < needed:
        yield f"{now:%Y-%m-%d}", f"[{free >> 20}] MiB are free in [{store.home()}]; [{needed >> 20}] MiB are needed."


def _told(beginning: str) -> Callable[[datetime, list[dict[str, Any]]], Found]:
    """What the last attempt warned of, by how the warning begins."""

    def find(now: datetime, days: list[dict[str, Any]]) -> Found:
        path = store.home() / "health.json"
        health: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        for warning in health.get("warnings") or []:
            if warning.startswith(beginning):
                yield warning.split(":")[0], warning

    return find


CONDITIONS = (
    Condition("day not complete", "critical", "operators", "A day is not complete", _incomplete),
    Condition("nothing delivered", "critical", "operators", "A day is not complete", _silent),
    Condition("day passed over", "warning", "operators", "A day is not complete", _passed_over),
    Condition("deliveries wait", "critical", "operators", "Deliveries wait in landing", _waiting),
    Condition("run stuck", "critical", "operators", "A run is stuck", _stuck),
    Condition("release stale", "warning", "operators", "The release is stale", _stale),
    Condition("release in many parts", "warning", "operators", "The release is in many parts", _scattered),
    Condition("attempt failed", "critical", "operators", "A day was not published", _failed),
    Condition("rule edit held", "warning", "operators", "A rule edit is held", _told("rule edit")),
    Condition("adjustment not posted", "warning", "operators", "An adjustment is not posted", _told("adjustment")),
    Condition("delivery refused", "warning", "operators", "A delivery was refused", _refused),
    Condition("partner asks", "warning", "operators", "A partner asks for something", _asked),
    Condition("batch not decided", "warning", "operators", "A batch of payments is not decided", _undecided),
    Condition("disk short", "critical", "operators", "The disk is nearly full", _disk),
)
