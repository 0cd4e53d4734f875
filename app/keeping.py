"""The life of the data: a backup in one file, its restoration, and what is removed when it is no longer needed."""

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import Any

import operations
import payouts
from warehouse import publishing, releases, store

KEPT = (
    "warehouse.duckdb",
    "archive",
    "releases",
    "landing",
    "refused",
    "health.json",
    "runs.jsonl",
    "sent",
    "erasing.json",
)


def backup(out: Path) -> int:
    """Write the home's data to one compressed file, under the lock; its size in bytes.

    The file gets its name when it is whole. Spilled and staged files are not in it.
    """
    fresh = out.with_name(f".{out.name}")
    with store.locked("backup"):
        with store.warehouse() as con:
            con.execute("CHECKPOINT")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
            for name in KEPT:
                if (store.home() / name).exists():
                    tar.add(store.home() / name, arcname=name)
    store.reached("backup written")
    os.replace(fresh, out)
    return out.stat().st_size


def restore(file: Path) -> list[str]:
    """Unpack a backup into an empty home; the batches of which nobody here can say whether the bank has them.

    What was cut off is taken up by running it again with the same file. Order files are in no backup, so that none is sent
    again from it. Raises LookupError for a home that holds data, before anything is moved, or for another kind of file.
    Releases name their Parquet files by path; these are made to fit where the home has moved.
    """
    with file.open("rb") as held:
        digest = hashlib.file_digest(held, "sha256").hexdigest()[:12]
    with store.locked("restore"):
        whole = store.home() / f".restoring-{digest}"
        _refuse_occupied(whole)
        if not whole.exists():
            _unpack(file, whole)
        for name in (name for name in reversed(KEPT) if (whole / name).exists()):  # the warehouse last
            os.replace(whole / name, store.home() / name)
            store.reached(f"{name} restored")
        releases.rehome()
        whole.rmdir()
    return payouts.unfinished()


def _refuse_occupied(whole: Path) -> None:
    """Raises LookupError where the home holds other data than what a restoration that was cut off has moved into it."""
    home = whole.parent
    if others := [path.name for path in home.glob(".restoring-*") if path != whole]:
        raise LookupError(f"[{home}] holds half of another backup, {others}; run that one again, or empty the folder.")
    names = [name for name in KEPT if (whole / name).exists()] if whole.exists() else KEPT
    if held := [name for name in names if _holds_data(home / name)]:
        raise LookupError(f"[{home}] holds {held} already; move them away, or set INCENTIVES_HOME to an empty folder.")


def _holds_data(path: Path) -> bool:
    return path.exists() and not (path.is_dir() and not any(path.iterdir()))


def _unpack(file: Path, whole: Path) -> None:
    """Unpack a backup into a folder that is there whole or not at all."""
    unfinished = whole.with_name(".unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    try:
        with tarfile.open(file) as tar:
            if strange := sorted({m.name.split("/")[0] for m in tar.getmembers()} - set(KEPT)):
                raise LookupError(f"[{file.name}] holds {strange}, which no backup of ours does.")
            tar.extractall(unfinished, filter="data")
        store.reached("backup unpacked")
        os.replace(unfinished, whole)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise LookupError(f"[{file.name}] is not a backup, or not a whole one: {fault}; use another.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def gc(keep: int) -> dict[str, Any]:
    """Merge parts of past months, remove the data of all but the newest releases, and compact the warehouse by copy.

    The current release and all manifests stay. What its feed's contract keeps no longer goes: archived deliveries, and
    persons without a role. Raises LookupError when less than twice the warehouse's size is free.
    """
    before = _size()
    free = shutil.disk_usage(store.place("releases")).free
    if free < 2 * before:
        raise LookupError(
            f"[{free >> 20}] MiB are free; compacting needs [{2 * before >> 20}]. Free space or move the home."
        )
    people, deliveries = operations.retire()
    with store.locked("gc"):
        merged = publishing.merge()
        removed, freed = releases.expire(keep)
        if before:
            store.compact()
    return {
        "people erased": people,
        "deliveries removed": deliveries,
        "files merged": merged,
        "releases removed": removed,
        "bytes freed": freed,
        "warehouse before": before,
        "warehouse after": _size(),
    }


def _size() -> int:
    """Bytes of the warehouse's file."""
    warehouse = store.home() / "warehouse.duckdb"
    return warehouse.stat().st_size if warehouse.exists() else 0
