"""Files and rows handed over by ourselves or by a person: given a manifest and put into landing/."""

import csv
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock
from pydantic import ValidationError

from warehouse import files as delivered
from warehouse import intake, landing, store
from warehouse.tables import FEEDS

DELTAS = (
    "transactions", "fx_rates", "partner_requests", "request_reviews", "payout_payments", "payout_approvals",
    "bank_messages", "tax_invoices",
)  # fmt: skip


def files(
    paths: Sequence[Path],
    *,
    feed: str,
    day: date,
    source: str | None,
    settings: dict[str, str],
    mode: str | None,
    part: str,
    supersedes: str | None,
    withdraws_most: bool = False,
    volume_accepted_by: str | None = None,
) -> str:
    """Land files as one new delivery; its id.

    Raises ValueError, saying what would do, for a feed, source, mode, part, day or file name that cannot be used.
    """
    if feed not in FEEDS:
        raise ValueError(f"no feed [{feed}]; feeds are {sorted(FEEDS)}.")
    if source and source not in intake.source_names():
        raise ValueError(f"no source [{source}]; sources are {intake.source_names()}.")
    if lacking := sorted(set(intake.settings_of(source) if source else ()) - set(settings)):
        raise ValueError(f"files of source [{source}] do not say {lacking}; give each as --set name=value.")
    if mode not in (None, "snapshot", "delta"):
        raise ValueError(f"no mode [{mode}]; it is snapshot or delta.")
    if not re.fullmatch(r"[1-9]\d{0,3}/[1-9]\d{0,3}", part):
        raise ValueError(f"part [{part}] is not a number and how many there are; write it as 1/2.")
    if unplain := [path.name for path in paths if not re.fullmatch(landing.PLAIN_NAME, path.name)]:
        raise ValueError(
            f"file names {unplain} hold more than letters, digits, dots, hyphens and underscores; rename them."
        )
    if supersedes and not re.fullmatch(landing.PLAIN_NAME, supersedes):
        raise ValueError(f"[{supersedes}] is no delivery id; see `ls archive` in the home.")
    measured = [delivered.measure(path) for path in paths]
    totals: dict[str, str] = {}
    for _, found in measured:
        totals = delivered.added(totals, found)
    with FileLock(store.home() / "landing.lock"):  # two who land at once get two names
        name = _free_name(f"{day}-{feed}")
        try:
            landing.deliver(
                store.place("landing"),
                paths,
                feed=feed,
                business_date=day,
                delivery_id=name,
                mode=mode or ("delta" if feed in DELTAS else "snapshot"),
                rows=[rows for rows, _ in measured],
                control_totals=totals if feed == "transactions" and not source else None,
                part=part,
                supersedes=supersedes,
                source=source,
                settings=settings,
                withdraws_most=withdraws_most,
                volume_accepted_by=volume_accepted_by,
            )
        except ValidationError as fault:
            raise ValueError(f"{landing.first_fault(fault)}.") from None
    return name


def _free_name(stem: str) -> str:
    taken = {path.name for place in ("landing", "archive", "refused") for path in store.place(place).iterdir()}
    return next(f"{stem}-{n}" for n in range(1, len(taken) + 2) if f"{stem}-{n}" not in taken)


def rows(feed: str, day: date, made: Sequence[dict[str, Any]], volume_accepted_by: str | None = None) -> str:
    """Land rows, by the names of delivered columns, as one new delivery of what is new; its id."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{feed}.csv"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(FEEDS[feed].delivered))
            writer.writeheader()
            writer.writerows(made)
        return files(
            [path], feed=feed, day=day, source=None, settings={}, mode="delta", part="1/1", supersedes=None,
            volume_accepted_by=volume_accepted_by,
        )  # fmt: skip
