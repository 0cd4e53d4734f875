"""How made-up rows become files of a delivery: CSV, Parquet and JSON Lines, the same bytes every time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from warehouse import files, landing
from warehouse.columns import COLUMNS
from warehouse.landing import Mode
from warehouse.tables import FEEDS

CODECS = {".gz": "gzip", ".zst": "zstd"}
TYPED = {
    "date": pa.date32(),
    "instant": pa.timestamp("us", "UTC"),
    "money": pa.decimal128(18, 3),
    "quantity": pa.decimal128(18, 6),
    "flag": pa.bool_(),
}
SPECIAL = '[",\r\n]'


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What names one delivery: its feed, day, mode and part, and when it was made."""

    feed: str
    day: date
    delivery_id: str
    mode: Mode = "delta"
    part: str = "1/1"
    supersedes: str | None = None
    minutes: int = 0  # after 04:00 UTC of the next day

    @property
    def created_at(self) -> datetime:
        return datetime.combine(self.day + timedelta(days=1), time(4), UTC) + timedelta(minutes=self.minutes)


def land(out: Path, parcel: Parcel, rows: pa.Table | pd.DataFrame, ending: str) -> Path:
    """The folder of a new delivery that holds rows of text in one file with the ending's format."""
    table = rows if isinstance(rows, pa.Table) else _as_text(rows)
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{parcel.feed}{ending.removeprefix('.typed')}"
        _write(table, path, parcel.feed, is_typed=ending.startswith(".typed"))
        return land_files(out, parcel, [path])


def land_files(out: Path, parcel: Parcel, paths: Sequence[Path]) -> Path:
    """The folder of a new delivery of files as they are, their rows and control totals measured."""
    measured = [files.measure(path) for path in paths]
    totals = measured[0][1] if parcel.feed == "transactions" else None
    return deliver(out, parcel, paths, [rows for rows, _ in measured], totals)


def deliver(
    out: Path, parcel: Parcel, paths: Sequence[Path], rows: Sequence[int], totals: dict[str, str] | None
) -> Path:
    """The folder of a new delivery whose manifest says the given rows and control totals, be they true or not."""
    return landing.deliver(
        out,
        paths,
        feed=parcel.feed,
        business_date=parcel.day,
        delivery_id=parcel.delivery_id,
        mode=parcel.mode,
        rows=rows,
        control_totals=totals,
        part=parcel.part,
        supersedes=parcel.supersedes,
        created_at=parcel.created_at,
    )


def _as_text(rows: pd.DataFrame) -> pa.Table:
    schema = pa.schema([(column, pa.string()) for column in rows.columns])
    return pa.Table.from_pandas(rows, schema=schema, preserve_index=False)


def _write(table: pa.Table, path: Path, feed: str, *, is_typed: bool) -> None:
    if path.suffix == ".parquet":
        pa.parquet.write_table(_typed(table, feed) if is_typed else table, path, compression="zstd")
    elif path.suffix == ".jsonl":
        table.to_pandas().to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        codec = CODECS.get(path.suffix)
        with pa.CompressedOutputStream(str(path), codec) if codec else pa.OSFile(str(path), "wb") as stream:
            style = "needed" if _needs_quotes(table) else "none"
            pa.csv.write_csv(table, stream, pa.csv.WriteOptions(quoting_style=style, quoting_header=style))


def _needs_quotes(table: pa.Table) -> bool:
    return any(pc.any(pc.match_substring_regex(column, SPECIAL)).as_py() for column in table.columns if len(column))


def _typed(table: pa.Table, feed: str) -> pa.Table:
    """The table with dates, instants, decimals and flags as such; other columns stay text."""
    delivered = FEEDS[feed].delivered
    types = [TYPED.get(COLUMNS[delivered[name]].kind, pa.string()) for name in table.column_names]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))
