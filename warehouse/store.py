"""The warehouse under a lock, staging files, and read-only readers.

No other module opens DuckDB, but for expectations/gate.py, where Great Expectations opens the file that it judges.
"""

import logging
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from transforms.vocabulary import EXPONENTS
from warehouse import known
from warehouse.tables import TABLES

SCHEMA_VERSION = 9
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_SECONDS, PATIENCE = 600, 3
SPILLED_SECONDS = 86_400
MEMORY_MIB = (
    2048  # for DuckDB in one process, unless INCENTIVES_MEMORY_MIB says otherwise; what is larger spills to staging/
)
PIECE_MIB = 96  # the least with which a piece of a report can be joined and sorted
log = logging.getLogger("incentives")
_other_home: ContextVar[Path | None] = ContextVar("other_home", default=None)
Place = Literal["landing", "archive", "refused", "staging", "releases", "outbox", "sent", "dashboard"]


class Busy(Exception):
    """Another process holds the warehouse."""


class ResourceSetting(Exception):
    """INCENTIVES_MEMORY_MIB or INCENTIVES_THREADS is not a number, or too small for the work at hand; or no home can be there."""


def home() -> Path:
    """The folder that holds all data, from INCENTIVES_HOME; ./var unless it is set."""
    return _other_home.get() or Path(os.environ.get("INCENTIVES_HOME") or "var").absolute()


@contextmanager
def at(folder: Path) -> Iterator[None]:
    """Work in another home for a while, as a replay does."""
    token = _other_home.set(folder)
    try:
        yield
    finally:
        _other_home.reset(token)


def place(name: Place) -> Path:
    """One of the folders of the home, made if it is not there."""
    folder = home() / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextmanager
def locked(purpose: str) -> Iterator[None]:
    """Hold the home for one writer; raises Busy, naming the holder, when it stays taken for ten minutes.

    Who waits for more than a moment is told in the log, which commands write to the terminal. Raises ResourceSetting for a
    home that DuckDB cannot hold.
    """
    if "?" in str(home()):  # what follows it DuckDB 1.5 takes for options, so that it looks for its log elsewhere
        raise ResourceSetting(f"INCENTIVES_HOME is [{home()}]; name a folder without a question mark in its path.")
    home().mkdir(parents=True, exist_ok=True, mode=0o700)
    holder = home() / "holder.txt"
    lock = FileLock(home() / "lock")
    try:
        lock.acquire(timeout=min(PATIENCE, LOCK_SECONDS))
    except Timeout:
        log.warning("waiting for [%s], which holds the home; up to %d minutes", _text_of(holder), LOCK_SECONDS // 60)
        try:
            lock.acquire(timeout=max(LOCK_SECONDS - PATIENCE, 0))  # without an end if it were below
        except Timeout:
            raise Busy(f"the warehouse in [{home()}] is held by [{_text_of(holder)}]; wait for it to end.") from None
    try:
        with enough_memory(purpose):
            limits()
            _clear_spilled()
            holder.write_text(f"{purpose}, process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
            yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def is_held() -> bool:
    """Whether a process holds the home now; one that was killed leaves its holder.txt, and not the lock."""
    try:
        with FileLock(home() / "lock").acquire(timeout=0):
            return False
    except Timeout:
        return True


def _text_of(holder: Path) -> str:
    with suppress(OSError):
        return holder.read_text()
    return "unknown"


@contextmanager
def enough_memory(purpose: str) -> Iterator[None]:
    """Raises ResourceSetting, which says what to set, where DuckDB or Arrow has too little memory."""
    try:
        yield
    except (duckdb.OutOfMemoryException, pa.ArrowMemoryError) as fault:
        raise ResourceSetting(
            f"[{purpose}] needs more memory than INCENTIVES_MEMORY_MIB gives [{memory_mib()}]: set it higher and run "
            "again; what was under way is as it was before."
        ) from fault


def limits(parts: int = 2) -> dict[str, str]:
    """DuckDB's settings for one of so many equal parts of the memory that it may use; the warehouse's connection has half.

    Also how many threads it uses, all cores unless INCENTIVES_THREADS says otherwise, and where it spills. Raises
    ResourceSetting for a setting that is not such a number.
    """
    threads = {"threads": str(_setting("INCENTIVES_THREADS", 1, "2"))} if "INCENTIVES_THREADS" in os.environ else {}
    return {"memory_limit": f"{memory_mib() // parts}MiB", "temp_directory": _spilled(), **threads}


@contextmanager
def widened(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the warehouse's connection have three quarters of the memory while no other has more than the last one."""
    con.execute(f"SET memory_limit = '{memory_mib() * 3 // 4}MiB'")
    try:
        yield
    finally:
        con.execute(f"SET memory_limit = '{limits()['memory_limit']}'")


def streaming() -> dict[str, str]:
    """DuckDB's settings for a command that passes a release on piece by piece: little memory, given back when it is freed.

    It is 97 of the usual 2048 MiB, and enough for a piece; a second thread would ask for as much again.
    """
    return {
        "memory_limit": f"{max(PIECE_MIB, memory_mib() // 21)}MiB",
        "temp_directory": _spilled(),
        "threads": "1",
        "allocator_bulk_deallocation_flush_threshold": "1MiB",
    }


def _spilled() -> str:
    """A folder for what one connection spills. Two that share one read each other's blocks, and crash (DuckDB 1.5)."""
    return str(place("staging") / f"spilled-{secrets.token_hex(8)}")


def _clear_spilled() -> None:
    """Remove what connections spilled whose process was killed, a day or more ago; the others remove it when they close.

    And the copy of a home that a replay made which was killed; who holds the lock knows that none is under way.
    """
    for folder in place("staging").glob("replay-*"):
        shutil.rmtree(folder)
    for folder in place("staging").glob("spilled*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > SPILLED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def memory_mib() -> int:
    """How much memory DuckDB may use, in MiB: INCENTIVES_MEMORY_MIB, 2048 unless it is set."""
    return _setting("INCENTIVES_MEMORY_MIB", 256, str(MEMORY_MIB))


def _setting(name: str, least: int, usual: str) -> int:
    given = os.environ.get(name, usual)
    if not given.isascii() or not given.isdigit() or int(given) < least:
        raise ResourceSetting(f"{name} is [{given}]; write a whole number from {least}, such as {usual}.")
    return int(given)


def connect(
    path: Path | None = None, *, read_only: bool = False, within: dict[str, str] | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection in UTC that cannot install or load extensions; in memory when no path is given.

    `within` has its limits; half of the memory that DuckDB may use unless given.
    """
    con = duckdb.connect(
        str(path) if path else ":memory:",
        read_only=read_only,
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            **(within or limits()),
        },
    )
    con.execute("SET TimeZone = 'UTC'")
    return con


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, open for writing, with every contracted table in place; hold the lock around it.

    Raises RuntimeError when a newer version of this software has written it.
    """
    con = connect(home() / "warehouse.duckdb")
    con.execute(
        "SET preserve_insertion_order = false"
    )  # its tables have keys; delivered files are read in order elsewhere
    try:
        _prepare(con)
        yield con
    finally:
        con.close()


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE SCHEMA IF NOT EXISTS meta")
    con.execute("CREATE TABLE IF NOT EXISTS meta.schema_version (version INTEGER NOT NULL)")
    found = con.execute("SELECT max(version) FROM meta.schema_version").fetchall()[0][0]
    if found is not None and found > SCHEMA_VERSION:
        raise RuntimeError(
            f"the warehouse has schema version [{found}], this software knows [{SCHEMA_VERSION}]; install the newer one."
        )
    if found is None:
        _make(con)
    elif found < SCHEMA_VERSION:
        _migrate(con, found)


def _make(con: duckdb.DuckDBPyConnection) -> None:
    """Put every contracted table in place, in one transaction."""
    with transaction(con):
        con.execute("CREATE SCHEMA IF NOT EXISTS clean")
        con.execute("CREATE SCHEMA IF NOT EXISTS derived")
        for table in TABLES.values():
            if table.layer in ("clean", "derived"):
                con.execute(table.ddl)
        con.execute("CREATE TABLE meta.currencies (currency VARCHAR, exponent INTEGER)")
        insert(con, "meta.currencies", currencies())
        known.provide(con)
        reached("warehouse made")
        con.execute("INSERT INTO meta.schema_version VALUES (?)", [SCHEMA_VERSION])


def _migrate(con: duckdb.DuckDBPyConnection, found: int) -> None:
    """Bring an older warehouse up to date, in one transaction."""
    with transaction(con):
        for number in range(found + 1, SCHEMA_VERSION + 1):
            con.execute((MIGRATIONS / f"{number:04d}.sql").read_text())
        known.provide(con)
        reached("warehouse migrated")
        con.execute("INSERT INTO meta.schema_version VALUES (?)", [SCHEMA_VERSION])


def compact() -> None:
    """Write the warehouse anew without the space that deleted rows left; hold the lock around it."""
    path, fresh = home() / "warehouse.duckdb", home() / ".warehouse.duckdb"
    fresh.unlink(missing_ok=True)
    with connect() as con:
        attach(con, path, "old", "(READ_ONLY)")
        attach(con, fresh, "fresh")
        con.execute("COPY FROM DATABASE old TO fresh")
        reached("warehouse copied")
    reached("warehouse compacted")
    os.replace(fresh, path)


@cache
def currencies() -> pa.Table:
    """Every ISO 4217 currency in trade with its number of decimals."""
    return pa.table({"currency": list(EXPONENTS), "exponent": list(EXPONENTS.values())})


def rows(con: duckdb.DuckDBPyConnection, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds, a mapping of column to value for each row; columns of one name are numbered."""
    found = con.execute(query, values)
    given = [column[0] for column in found.description]
    names = [f"{name}_{given[:n].count(name)}" if name in given[:n] else name for n, name in enumerate(given)]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def filled(query: str, **values: str | int | date | None) -> str:
    """A query with its values in it: were they handed to DuckDB beside it, it would import pandas, for 50 MiB and 0.3 s."""
    return Template(query).substitute({name: _literal(value) for name, value in values.items()})


def _literal(value: str | int | date | None) -> str:
    """A value in SQL; text as hexadecimal digits, so that nothing of it can be read as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    return f"DATE '{value}'" if isinstance(value, date) else f"decode(unhex('{value.encode().hex()}'))"


def reached(point: str) -> None:
    """A place between two writes. Tests end the process here, as a power cut would; otherwise nothing happens."""
    if os.environ.get("INCENTIVES_TEST_KILLED_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)


def sync(path: Path) -> None:
    """Have a file or folder written to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block is committed, or none of it."""
    con.execute("BEGIN")
    try:
        yield
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "") -> None:
    """Attach a database file of ours under a name."""
    con.execute(f"ATTACH {quoted(path)} AS {name} {options}")


def quoted(path: Path) -> str:
    """A path as text in SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def insert(con: duckdb.DuckDBPyConnection, target: str, rows: pa.Table | pa.RecordBatchReader) -> None:
    """Append Arrow rows to a table, columns matched by name."""
    con.register("arriving", rows)
    try:
        con.execute(f"INSERT INTO {target} BY NAME SELECT * FROM arriving")
    finally:
        con.unregister("arriving")
