"""Files handed over by a person: given a manifest and put into landing/."""

import os
import re
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from filelock import FileLock

from warehouse import files as delivered
from warehouse import intake, landing, store
from warehouse.tables import FEEDS

DELTAS = ("transactions", "fx_rates", "partner_requests", "request_reviews")


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
) -> str:
    """Land files as one new delivery; its id.

    Raises ValueError, saying what would do, for a feed, source, mode, part or file name that cannot be used.
    """
    if feed not in FEEDS:
        raise ValueError(f"no feed [{feed}]; feeds are {sorted(FEEDS)}.")
    if source and source not in intake.source_names():
        raise ValueError(f"no source [{source}]; sources are {intake.source_names()}.")
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
        )
    return name


def _free_name(stem: str) -> str:
    taken = {path.name for place in ("landing", "archive", "refused") for path in store.place(place).iterdir()}
    return next(f"{stem}-{n}" for n in range(1, len(taken) + 2) if f"{stem}-{n}" not in taken)


def deliveries(folders: Sequence[Path]) -> list[str]:
    """Copy ready deliveries, or folders of them, into landing/; transactions last, so that a day is whole when it is."""
    ready = [p.parent for folder in folders for p in sorted(folder.glob(f"**/{landing.MANIFEST}"))]
    ordered = sorted(ready, key=lambda folder: (folder.name[:10], "-transactions" in folder.name, folder.name))
    return [drop(folder) for folder in ordered]


def drop(folder: Path) -> str:
    """Copy one ready delivery into landing/, whole at once; its name."""
    root = store.place("landing")
    shutil.copytree(folder, root / f".{folder.name}")
    os.replace(root / f".{folder.name}", root / folder.name)
    return folder.name
