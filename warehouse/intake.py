"""One delivery, staged: its files read, its rows typed, the good ones apart from those to quarantine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse import casting, files, store
from warehouse.landing import Delivery, Refused
from warehouse.tables import BOOKS, FEEDS, Feed

SOURCES = Path(__file__).parent / "sources"
SMALL = 20  # rows; a share of rejects says nothing below this


@dataclass
class Staged:
    """What staging found: the staging file, rows per outcome, drift worth a warning."""

    path: Path
    rows_read: int
    rows_quarantined: int
    rows_duplicate: int
    warnings: list[str] = field(default_factory=list)


def stage(delivery: Delivery, row_rules: Mapping[str, str], path: Path) -> Staged:
    """Read and type a delivery into a new staging file: `clean.<feed>`, `clean.quarantine`, `clean.delivery_amounts`.

    `row_rules` maps a rule's id to the SQL condition that every good row fulfils. Raises Refused, loading nothing,
    when the files do not hold what the manifest says, lack a column, or break too many rules.
    """
    feed = FEEDS[delivery.manifest.feed]
    path.unlink(missing_ok=True)
    with store.connect() as con:
        store.attach(con, path, "staging")
        con.execute("SET force_compression = 'uncompressed'")  # staged once, read twice, deleted
        con.execute("CREATE SCHEMA meta; CREATE SCHEMA staging.clean")
        con.execute("CREATE TABLE meta.currencies (currency VARCHAR, exponent INTEGER)")
        store.insert(con, "meta.currencies", store.currencies())
        present, misshapen = _read(con, delivery)
        warnings = _columns(delivery, feed, present)
        rules = _type(con, delivery, feed, present, row_rules)
        _split(con, feed)
        _suspect(con, feed, present)
        _quarantine(con, delivery, feed, rules, misshapen)
        _set_aside(con, feed, rules, is_any_misshapen=any(misshapen.values()))
        staged = _count(con, path, misshapen)
        if feed.name == "transactions":
            _amounts(con, delivery)
        staged.warnings += warnings
        _limit(delivery, feed, staged, con)
        con.execute("DETACH staging")
    return staged


def _read(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> tuple[set[str], dict[str, tuple[int, ...]]]:
    """Fill `landed` from the delivery's files, mapped from their source format where they have one."""
    present: set[str] = set()
    misshapen: dict[str, tuple[int, ...]] = {}
    for number, file in enumerate(delivery.manifest.files):
        try:
            text = files.read(con, delivery.folder / file.name, f"file_{number}")
        except Refused as refused:
            raise Refused(f"[{delivery.manifest.delivery_id}] {refused}") from None
        rows = con.execute(f"SELECT count(*) FROM file_{number}").fetchall()[0][0] + len(text.misshapen)
        if rows != file.rows:
            raise Refused(
                f"[{delivery.manifest.delivery_id}] file [{file.name}] has [{rows}] rows, its manifest says [{file.rows}]; "
                "it is cut off or not the file that was meant: deliver it again."
            )
        present |= set(text.columns)
        misshapen[file.name] = text.misshapen
    parts = " UNION ALL BY NAME ".join(f"SELECT * FROM file_{n}" for n in range(len(delivery.manifest.files)))
    con.execute(f"CREATE TEMP VIEW landed AS {parts}")
    if delivery.manifest.source:
        present = _map_source(con, delivery)
    return present, misshapen


def source_names() -> list[str]:
    """The source formats that files may be landed in, besides our own."""
    return sorted(path.stem for path in SOURCES.glob("*.sql"))


def settings_of(source: str) -> list[str]:
    """What a source format needs besides its files, as its mapping says in its line `-- needs`."""
    first = (SOURCES / f"{source}.sql").read_text().splitlines()[0]
    return first.removeprefix("-- needs ").split(", ") if first.startswith("-- needs ") else []


def _map_source(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> set[str]:
    """Replace `landed` by its mapping to our columns; `settings` holds what the file lacks."""
    manifest = delivery.manifest
    if manifest.source not in source_names():
        raise Refused(f"[{manifest.delivery_id}] has source [{manifest.source}]; known are {source_names()}.")
    con.register("given", pa.table({"name": list(manifest.settings), "value": list(manifest.settings.values())}))
    con.execute("CREATE TEMP TABLE settings AS SELECT name::VARCHAR AS name, value::VARCHAR AS value FROM given")
    con.execute("CREATE TEMP TABLE delivered AS SELECT * FROM landed")
    con.execute("DROP VIEW landed")
    _history(con)
    con.execute("CREATE MACRO setting(wanted) AS (SELECT any_value(value) FROM settings WHERE name = wanted)")
    try:
        con.execute(f"CREATE TEMP TABLE landed AS {(SOURCES / f'{manifest.source}.sql').read_text()}")
    except duckdb.BinderException as fault:
        first = str(fault).splitlines()[0]
        raise Refused(
            f"[{manifest.delivery_id}] does not look like [{manifest.source}]: {first}; check the file or its source."
        ) from None
    return {c[0] for c in con.execute("DESCRIBE landed").fetchall()}


def _history(con: duckdb.DuckDBPyConnection) -> None:
    """Make `history`: positive lines of earlier deliveries, which a refund may reverse."""
    con.execute(
        "CREATE TEMP TABLE history (transaction_id VARCHAR, subscription_id VARCHAR, transaction_on DATE, amount BIGINT)"
    )
    warehouse = store.home() / "warehouse.duckdb"
    columns = {c[0] for c in con.execute("DESCRIBE delivered").fetchall()}
    if warehouse.exists() and "subscriptionid" in columns:
        store.attach(con, warehouse, "warehouse", "(READ_ONLY)")
        con.execute(
            "INSERT INTO history SELECT transaction_id, subscription_id, transaction_on, revenue_minor "
            "FROM warehouse.clean.transactions WHERE revenue_minor > 0 AND known_to IS NULL AND NOT is_withdrawn "
            "AND subscription_id IN (SELECT subscriptionid FROM delivered)"
        )
        con.execute("DETACH warehouse")


def _columns(delivery: Delivery, feed: Feed, present: set[str]) -> list[str]:
    needed = {name for name, column in feed.delivered.items() if column not in feed.optional}
    if lacking := sorted(needed - present):
        raise Refused(
            f"[{delivery.manifest.delivery_id}] lacks columns {lacking} of feed [{feed.name}]; "
            f"it has {sorted(present)}: add them, or name its source format with --source."
        )
    extra = sorted(present - set(feed.delivered) - {"file_name", "line_number"})
    return [f"unknown columns {extra} were left out"] if extra else []


def _type(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, feed: Feed, present: set[str], row_rules: Mapping[str, str]
) -> dict[str, str]:
    """Make `typed` with `is_bad`; return every rule with the condition, on casting's query, of a row that breaks it."""
    query, rules = casting.query(feed, present)
    rules |= {rule: f"NOT ({condition})" for rule, condition in row_rules.items()}
    if "transaction_at" in feed.columns:  # a day is left for clocks and zones
        rules["future:transaction_at"] = f"transaction_at > TIMESTAMP '{delivery.manifest.made_at + timedelta(days=1)}'"
    broken = " OR ".join(f"coalesce({condition}, false)" for condition in rules.values())
    con.execute(
        f"CREATE TEMP TABLE typed AS SELECT {', '.join(feed.columns)}, file_name, line_number, {broken} AS is_bad FROM ({query})"
    )
    return rules


def _split(con: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """Make `keyed`: rows whose key stands more than once, as duplicate or conflict; then stage the good rows."""
    key, columns = ", ".join(feed.key), ", ".join(feed.columns)
    con.execute(
        f"CREATE TEMP TABLE repeated AS SELECT {key} FROM typed WHERE NOT is_bad GROUP BY ALL HAVING count(*) > 1"
    )
    con.execute(
        f"CREATE TEMP TABLE keyed AS SELECT file_name, line_number, "
        f"count(DISTINCT hash({columns})) OVER (PARTITION BY {key}) > 1 AS is_conflict, "
        f"row_number() OVER (PARTITION BY {key} ORDER BY file_name, line_number) > 1 AS is_again "
        f"FROM typed JOIN repeated USING ({key}) WHERE NOT is_bad"
    )
    con.execute(
        f"CREATE TABLE staging.clean.{feed.name} AS SELECT {columns}, file_name, line_number FROM typed "
        "ANTI JOIN (SELECT * FROM keyed WHERE is_conflict OR is_again) USING (file_name, line_number) WHERE NOT is_bad"
    )


def _suspect(con: duckdb.DuckDBPyConnection, feed: Feed, present: set[str]) -> None:
    """Make `suspects`, the text of the rows to set aside, and `casting`, these as typed, since they are few."""
    con.execute(
        "CREATE TEMP TABLE suspects AS FROM landed SEMI JOIN (SELECT file_name, line_number FROM typed WHERE is_bad "
        "UNION ALL SELECT file_name, line_number FROM keyed WHERE is_conflict) USING (file_name, line_number)"
    )
    con.execute(f"CREATE TEMP VIEW casting AS {casting.query(feed, present, 'suspects')[0]}")


def _quarantine(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    feed: Feed,
    rules: dict[str, str],
    misshapen: dict[str, tuple[int, ...]],
) -> None:
    """Stage the rows to set aside: each with every rule that it broke and its text as delivered."""
    con.execute(BOOKS["quarantine"].ddl.replace("clean.", "staging.clean.", 1))
    listed = ", ".join(f"CASE WHEN {condition} THEN '{rule}' END" for rule, condition in rules.items())
    key = " || ' ' || ".join(f"coalesce(t_{c}, '')" for c in feed.key)
    con.execute(
        f"CREATE TEMP TABLE broken AS SELECT file_name, line_number, {key} AS row_key, "
        f"array_to_string(list_filter([{listed}], lambda rule: rule IS NOT NULL), ',') AS rules_broken "
        "FROM casting SEMI JOIN (SELECT file_name, line_number FROM typed WHERE is_bad) USING (file_name, line_number) "
        f"UNION ALL SELECT file_name, line_number, {key}, 'conflict' FROM casting "
        "SEMI JOIN (SELECT * FROM keyed WHERE is_conflict) USING (file_name, line_number)"
    )
    columns = [casting.quoted(name) for name, *_ in con.execute("DESCRIBE suspects").fetchall()]
    delivered = f"struct_pack({', '.join(f'{name} := {name}' for name in columns)})"
    lines: dict[str, set[int]] = {name: set(numbers) for name, numbers in misshapen.items()}
    for name, number in con.execute("SELECT file_name, line_number FROM broken").fetchall():
        lines.setdefault(name, set()).add(number)
    texts = [
        (name, number, text)
        for name, numbers in lines.items()
        for number, text in files.originals(delivery.folder / name, numbers).items()
    ]
    names, numbers, originals = zip(*texts, strict=True) if texts else ((), (), ())
    arrays = {"file_name": pa.array(names, pa.string()), "line_number": pa.array(numbers, pa.int64())}
    con.register("originals", pa.table({**arrays, "original": pa.array(originals, pa.string())}))
    shapes = [(name, number) for name, numbers in misshapen.items() for number in numbers]
    con.register(
        "misshapen",
        pa.table(
            {
                "file_name": pa.array([s[0] for s in shapes], pa.string()),
                "line_number": pa.array([s[1] for s in shapes], pa.int64()),
            }
        ),
    )
    con.execute(
        "INSERT INTO staging.clean.quarantine BY NAME SELECT "
        "$id || '/' || file_name || '/' || line_number AS quarantine_id, $feed AS feed, "
        "CAST($day AS DATE) AS business_date, $id AS delivery_id, file_name, line_number, row_key, rules_broken, "
        "coalesce(original, CAST(to_json(delivered) AS VARCHAR)) AS original, "
        "CAST(to_json(delivered) AS VARCHAR) AS delivered FROM ("
        "SELECT * FROM broken UNION ALL SELECT file_name, line_number, NULL, 'shape' FROM misshapen) AS rows "
        "LEFT JOIN originals USING (file_name, line_number) "
        f"LEFT JOIN (SELECT file_name, line_number, {delivered} AS delivered FROM suspects) USING (file_name, line_number)",
        {
            "id": delivery.manifest.delivery_id,
            "feed": feed.name,
            "day": delivery.manifest.business_date,
        },
    )


def _set_aside(con: duckdb.DuckDBPyConnection, feed: Feed, rules: dict[str, str], *, is_any_misshapen: bool) -> None:
    """Stage `set_aside`: the keys of the rows to set aside, without the columns that may be what is wrong with them."""
    known = [f"CASE WHEN NOT ({_is_doubtful(column, rules)}) THEN {column} END AS {column}" for column in feed.key]
    key = ", ".join(feed.key)
    con.execute(
        f"CREATE TABLE staging.clean.set_aside AS SELECT {', '.join(known)} FROM casting "
        "SEMI JOIN (SELECT file_name, line_number FROM typed WHERE is_bad) USING (file_name, line_number) "
        f"UNION SELECT {key} FROM typed SEMI JOIN (SELECT * FROM keyed WHERE is_conflict) USING (file_name, line_number) "
        f"UNION SELECT {', '.join('NULL' for _ in feed.key)} WHERE {is_any_misshapen}"
    )


def _is_doubtful(column: str, rules: dict[str, str]) -> str:
    """The condition of a row that breaks a rule about a column."""
    about = [f"coalesce({rule}, false)" for rule in rules.values() if re.search(rf"\b(t_)?{column}\b", rule)]
    return " OR ".join(about) or "false"


def _count(con: duckdb.DuckDBPyConnection, path: Path, misshapen: dict[str, tuple[int, ...]]) -> Staged:
    [(landed, quarantined, again)] = con.execute(
        "SELECT (SELECT count(*) FROM landed), (SELECT count(*) FROM staging.clean.quarantine), "
        "(SELECT count(*) FROM keyed WHERE is_again AND NOT is_conflict)"
    ).fetchall()
    return Staged(path, landed + sum(map(len, misshapen.values())), quarantined, again)


def _amounts(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Check the control totals; stage read, quarantined and in-file duplicate revenue per currency."""
    read = files.totals(con, "landed")
    promised = delivery.manifest.control_totals
    if promised is None and not delivery.manifest.source:
        raise Refused(
            f"[{delivery.manifest.delivery_id}] has no control totals; give the revenue per currency in its manifest."
        )
    for currency in sorted({*read, *(promised or {})}) if promised is not None else ():
        found, said = Decimal(read.get(currency, 0)), Decimal((promised or {}).get(currency, 0))
        if found != said:
            raise Refused(
                f"[{delivery.manifest.delivery_id}] holds [{found}] [{currency}] of revenue, its control total says "
                f"[{said}]; find the lines that are missing or doubled and deliver it again."
            )
    con.execute(BOOKS["delivery_amounts"].ddl.replace("clean.", "staging.clean.", 1))
    con.execute(
        "INSERT INTO staging.clean.delivery_amounts BY NAME "
        "SELECT $id AS delivery_id, currency, coalesce(sum(revenue), 0) AS read_amount, 0 AS accepted_amount, "
        "coalesce(sum(revenue) FILTER (again), 0) AS duplicate_amount, "
        "coalesce(sum(revenue) FILTER (aside), 0) AS quarantined_amount "
        f"FROM (SELECT coalesce(upper({casting.trimmed('currency')}), '?') AS currency, {casting.counted('revenue')} AS revenue, "
        "aside.file_name IS NOT NULL AS aside, again.file_name IS NOT NULL AS again FROM landed "
        "LEFT JOIN (SELECT file_name, line_number FROM staging.clean.quarantine) AS aside USING (file_name, line_number) "
        "LEFT JOIN (SELECT file_name, line_number FROM keyed WHERE is_again AND NOT is_conflict) AS again "
        "USING (file_name, line_number)) GROUP BY ALL",
        {"id": delivery.manifest.delivery_id},
    )


def _limit(delivery: Delivery, feed: Feed, staged: Staged, con: duckdb.DuckDBPyConnection) -> None:
    if staged.rows_read < SMALL or staged.rows_quarantined <= feed.reject_limit * staged.rows_read:
        return
    common = con.execute(
        "SELECT rule, count(*) FROM (SELECT unnest(string_split(rules_broken, ',')) AS rule FROM staging.clean.quarantine) "
        "GROUP BY rule ORDER BY 2 DESC, 1 LIMIT 3"
    ).fetchall()
    raise Refused(
        f"[{delivery.manifest.delivery_id}] has [{staged.rows_quarantined}] bad rows of [{staged.rows_read}], more than "
        f"[{feed.reject_limit:.0%}]; most often {[f'{rule} ({count})' for rule, count in common]}: correct them and deliver it again."
    )
