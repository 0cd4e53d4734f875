"""Delivered files as text: every record with its line, nothing typed, nothing lost.

CSV (plain, .gz, .zst), Parquet, JSON Lines and JSON documents. Text first, since a typed read rounds 1.005 silently.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse import casting, store
from warehouse.landing import Refused

csv.field_size_limit(1 << 30)  # bytes; a field of more than 131,072 would have its whole file refused
CHUNK = 1 << 24
JSON_NUMBERS = ("DOUBLE", "BIGINT", "UBIGINT", "HUGEINT")
CODECS = {".gz": "gzip", ".zst": "zstd"}
RESERVED = ("file_name", "line_number")


@dataclass(frozen=True)
class Text:
    """A file as text: a table with its columns, `file_name` and `line_number`, and the lines that have no such shape."""

    columns: tuple[str, ...]
    misshapen: tuple[int, ...]


def read(con: duckdb.DuckDBPyConnection, path: Path, into: str) -> Text:
    """Read one file into a new table, or view, of text columns.

    Raises Refused when the file is of no known format, is not UTF-8, or cannot be read.
    """
    name = path.name.lower()
    try:
        if name.endswith((".csv", ".csv.gz", ".csv.zst")):
            return _csv(con, path, into)
        if name.endswith(".parquet"):
            return _parquet(con, path, into)
        if name.endswith((".jsonl", ".ndjson")):
            return _json_lines(con, path, into)
        if name.endswith(".json"):
            return _json_document(con, path, into)
    except (UnicodeDecodeError, UnicodeError):
        raise Refused(f"file [{path.name}] is not UTF-8 text; write it as UTF-8 and deliver it again.") from None
    except RecursionError:
        raise Refused(
            f"file [{path.name}] has lists or objects too deep within one another; deliver line items."
        ) from None
    except (duckdb.OutOfMemoryException, pa.ArrowMemoryError):
        raise  # the machine's fault, not the file's
    except (duckdb.Error, pa.ArrowException, OSError, csv.Error, EOFError) as fault:
        first = str(fault).splitlines()[0][:200]
        raise Refused(f"file [{path.name}] cannot be read: {first}; write it again and deliver it again.") from None
    raise Refused(f"file [{path.name}] is of no known format; use .csv, .csv.gz, .csv.zst, .parquet, .jsonl or .json.")


def _stream(path: Path) -> io.BufferedReader | pa.NativeFile:
    codec = CODECS.get(path.suffix.lower())
    return pa.CompressedInputStream(pa.OSFile(str(path)), codec) if codec else path.open("rb")


def _text(path: Path, newline: str = "") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(_stream(path), CHUNK), encoding="utf-8-sig", newline=newline)


def _line_count(path: Path) -> int:
    lines, last = 0, b"\n"
    with _stream(path) as stream:
        while chunk := stream.read(CHUNK):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return lines + (last != b"\n")


def _header(path: Path) -> tuple[str, ...]:
    with _text(path) as text:
        names = next(csv.reader(text), [])
    if not names or not all(name.strip() for name in names) or "\x00" in "".join(names):
        raise Refused(f"file [{path.name}] has no header line with column names; write one as its first line.")
    return _columns(path, [name.strip() for name in names])


def _columns(path: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Column names as we have them, in small letters; raises Refused where two are the same then, or one is ours."""
    columns = tuple(name.lower() for name in names)
    if twice := sorted({c for c in columns if columns.count(c) > 1 or c in RESERVED}):
        raise Refused(f"file [{path.name}] has columns that stand twice or are reserved: {twice}; name each once.")
    return columns


def _csv(con: duckdb.DuckDBPyConnection, path: Path, into: str) -> Text:
    columns = _header(path)
    con.execute("DROP TABLE IF EXISTS reject_errors")
    con.execute("DROP TABLE IF EXISTS reject_scans")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE records AS SELECT * FROM read_csv(?, columns = {_struct(columns)}, "
        "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        "strict_mode = true, null_padding = false, store_rejects = true)",
        [str(path)],
    )
    rejects = con.execute("SELECT DISTINCT line, error_type FROM reject_errors ORDER BY line").fetchall()
    if any(kind == "INVALID ENCODING" for _, kind in rejects):
        raise UnicodeError
    misshapen = sorted({line for line, _ in rejects})
    records = con.execute("SELECT count(*) FROM records").fetchall()[0][0]
    lines = _line_count(path)
    if lines != 1 + records + len(misshapen):
        return _csv_by_record(con, path, into, columns)
    if misshapen:
        numbers = np.delete(np.arange(2, lines + 1), np.array(misshapen) - 2)
        con.register("numbers", pa.table({"line_number": numbers}))
        con.execute(f"CREATE TEMP TABLE {into}_records AS FROM records POSITIONAL JOIN numbers")
        con.execute("DROP TABLE records")
    else:
        con.execute(f"ALTER TABLE records RENAME TO {into}_records")
    number = "line_number" if misshapen else "rowid + 2 AS line_number"
    con.execute(
        f"CREATE TEMP VIEW {into} AS SELECT {', '.join(map(casting.quoted, columns))}, {number}, {_literal(path.name)} AS file_name FROM {into}_records"
    )
    return Text(columns, tuple(misshapen))


def _csv_by_record(con: duckdb.DuckDBPyConnection, path: Path, into: str, columns: tuple[str, ...]) -> Text:
    """The exact way for files with line breaks inside fields or blank lines, where a record's number is not its line's."""
    rows, misshapen, end = [], [], 0
    with _text(path) as text:
        records = csv.reader(text, strict=True)
        for fields in records:
            start, end = end + 1, records.line_num
            if start == 1 or not fields:
                continue
            if len(fields) == len(columns):
                rows.append([value or None for value in fields] + [start])
            else:
                misshapen.append(start)
    _load(con, into, columns, rows, path.name)
    return Text(columns, tuple(misshapen))


def _parquet(con: duckdb.DuckDBPyConnection, path: Path, into: str) -> Text:
    described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    columns = _columns(path, pq.read_schema(path).names)  # DuckDB gives a name that stands twice another one
    texts = ", ".join(
        f"CAST({casting.quoted(c[0])} AS VARCHAR) AS {casting.quoted(name)}"
        for c, name in zip(described, columns, strict=True)
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {texts}, file_row_number + 1 AS line_number, "
        f"{_literal(path.name)} AS file_name FROM read_parquet(?, file_row_number = true)",
        [str(path)],
    )
    return Text(columns, ())


def _json_lines(con: duckdb.DuckDBPyConnection, path: Path, into: str) -> Text:
    with _text(path, newline="\n") as text:
        lines = pa.array([_with_plain_members(line) for line in text.read().split("\n")], pa.large_string())
    con.register("lines", pa.table({"original": lines, "line_number": np.arange(1, len(lines) + 1)}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE records AS SELECT *, "
        "json_type(valid) = 'OBJECT' AND len(list_distinct(keys)) = len(keys) AS is_object FROM ("
        "SELECT *, list_transform(json_keys(valid), lambda key: lower(key)) AS keys FROM ("
        "SELECT original, line_number, CASE WHEN json_valid(original) THEN original END AS valid "
        "FROM lines WHERE trim(original, ' \r\t') <> ''))"
    )
    keys = con.execute(
        "SELECT list_distinct(flatten(list(keys))) FROM "
        "(SELECT DISTINCT json_keys(original) AS keys FROM records WHERE is_object)"
    ).fetchall()[0][0]
    keys = sorted(keys or [])
    columns = _columns(path, keys)
    texts = ", ".join(f"{_json_text(key)} AS {casting.quoted(key.lower())}" for key in keys)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {texts or 'NULL AS nothing'}, line_number, "
        f"{_literal(path.name)} AS file_name FROM records WHERE is_object"
    )
    bad = con.execute("SELECT line_number FROM records WHERE NOT coalesce(is_object, false) ORDER BY 1").fetchall()
    con.execute("DROP TABLE records")
    return Text(columns, tuple(line for (line,) in bad))


def _with_plain_members(line: str) -> str:
    """A record's line as it is, or where it holds an object within, with numbers as text, so that none is taken for another."""
    if line.count("{") < 2:
        return line
    try:
        return json.dumps(_record(line), ensure_ascii=False)
    except (ValueError, RecursionError):
        return "{"  # of no shape


def _json_text(key: str) -> str:
    """A JSON member as its own text: numbers digit by digit, since JSON reading would pass them through a float."""
    path = _literal(f'$."{key}"')
    number = _literal(f'"\\Q{key}\\E"\\s*:\\s*(-?[0-9.eE+-]+)')
    return (
        f"CASE WHEN json_type(original, {path}) IN {JSON_NUMBERS} "
        f"THEN regexp_extract(original, {number}, 1) ELSE nullif(original ->> {path}, '') END"
    )


def _json_document(con: duckdb.DuckDBPyConnection, path: Path, into: str) -> Text:
    """A document that is a list of objects, or holds one under `items` or `value`, as APIs answer pages."""
    try:
        found = _record(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as fault:
        raise Refused(
            f"file [{path.name}] is not valid JSON: {fault.msg} at line [{fault.lineno}]; mend it and deliver it again."
        ) from None
    except _Twice as fault:
        raise Refused(
            f"file [{path.name}] has an object with members that stand twice: {fault}; name each once."
        ) from None
    items = (found.get("items") or found.get("value")) if isinstance(found, dict) else found
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refused(f"file [{path.name}] holds no list of objects under [items] or [value]; deliver line items.")
    flat = [dict(_members(item)) for item in items]
    columns = _columns(path, sorted({key for item in flat for key in item}))
    rows = [[item.get(c) or None for c in columns] + [number] for number, item in enumerate(flat, 1)]
    _load(con, into, columns, rows, path.name)
    return Text(columns, ())


class _Twice(ValueError):
    """An object names a member twice, capitals apart, so that nobody knows which one is meant."""


def _record(text: str) -> Any:
    """JSON with its numbers as text, digit by digit; raises ValueError when it is none or names a member twice."""
    return json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name.lower() for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _Twice(str(twice))
    return dict(pairs)


def _members(item: dict) -> Iterator[tuple[str, str | None]]:
    for key, value in item.items():
        if isinstance(value, dict):
            yield from ((f"{key.lower()}.{inner}", text) for inner, text in _members(value))
        else:
            yield key.lower(), value if value is None or isinstance(value, str) else json.dumps(value)


def _load(
    con: duckdb.DuckDBPyConnection, into: str, columns: tuple[str, ...], rows: list[list], file_name: str
) -> None:
    arrays = list(zip(*rows, strict=True)) or [() for _ in range(len(columns) + 1)]
    types = [pa.large_string()] * len(columns) + [pa.int64()]
    loaded = pa.table({n: pa.array(a, t) for n, a, t in zip((*columns, "line_number"), arrays, types, strict=True)})
    con.register("loaded", loaded)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT *, {_literal(file_name)} AS file_name FROM loaded")
    con.unregister("loaded")


def text_of(path: Path) -> str:
    """The whole text of a text file, unpacked; bytes that are not UTF-8 go through `write_text` unchanged."""
    with _stream(path) as stream:
        return stream.read().decode("utf-8", "surrogateescape")


def write_text(path: Path, text: str) -> None:
    """Write a text file, packed as its name says."""
    codec = CODECS.get(path.suffix.lower())
    with pa.OSFile(str(path), "wb") as file, pa.CompressedOutputStream(file, codec) if codec else file as out:
        out.write(text.encode("utf-8", "surrogateescape"))


def originals(path: Path, lines: set[int]) -> dict[int, str]:
    """The delivered text of some lines of a text file; a record that goes over several lines shows its first."""
    if not lines or path.suffix.lower() in (".parquet", ".json"):
        return {}
    is_json = path.suffix.lower() in (".jsonl", ".ndjson")
    with _text(path, newline="\n" if is_json else "") as text:
        return {number: line.rstrip("\r\n") for number, line in enumerate(text, 1) if number in lines}


def measure(path: Path) -> tuple[int, dict[str, str]]:
    """How many records a file holds, and its revenue per currency as decimal text where it has both columns."""
    with store.connect() as con:
        text = read(con, path, "measured")
        records = con.execute("SELECT count(*) FROM measured").fetchall()[0][0] + len(text.misshapen)
        if not {"revenue", "currency"} <= set(text.columns):
            return records, {}
        return records, totals(con, "measured")


def totals(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Revenue per currency over a table of text columns, exact; what cannot be read as a number is left out."""
    rows = con.execute(
        f"SELECT upper({casting.trimmed('currency')}) AS unit, sum(TRY_CAST({casting.trimmed('revenue')} AS DECIMAL(18,6))) AS total "
        f"FROM {table} WHERE unit IS NOT NULL GROUP BY 1 HAVING total IS NOT NULL ORDER BY 1"
    ).fetchall()
    return {currency: format(total.normalize(), "f") for currency, total in rows}


def added(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """Two sets of totals as one.

    >>> added({"USD": "1.5"}, {"USD": "2", "EUR": "3"})
    {'EUR': '3', 'USD': '3.5'}
    """
    return {c: str(Decimal(one.get(c, "0")) + Decimal(other.get(c, "0"))) for c in sorted({*one, *other})}


def _struct(columns: tuple[str, ...]) -> str:
    return "{" + ", ".join(f"{_literal(c)}: 'VARCHAR'" for c in columns) + "}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
