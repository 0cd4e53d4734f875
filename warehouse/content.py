"""What readers are shown of a row, and the hash by which two tables are found equal."""

from decimal import Decimal
from functools import cache

import duckdb

from warehouse import store
from warehouse.columns import COLUMNS, PUBLISHED_MONEY, currency_of, published_name


def content_hash(con: duckdb.DuckDBPyConnection, source: str) -> tuple[int, str]:
    """Rows of a table and the sum, mod 2^128, of MD5 over each of them as text with NULLs marked, in hex.

    The order of rows does not matter. Neither run ids nor clock times are in published tables. What identifies a person
    is left out, so that a table from which a person was erased counts as the same.
    """
    held = [c[0] for c in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    columns = [c for c in held if c not in COLUMNS or not COLUMNS[c].personal]
    canonical = ", ".join(f"coalesce({c}::VARCHAR, chr(0))" for c in columns)
    count, high, low = con.execute(
        "SELECT count(*), sum((digest >> 64)::HUGEINT), sum((digest & 18446744073709551615::UHUGEINT)::HUGEINT) "
        f"FROM (SELECT md5_number(concat_ws(chr(31), {canonical})) AS digest FROM {source})"
    ).fetchall()[0]
    return count, f"{(((high or 0) << 64) + (low or 0)) % 2**128:032x}"


def together(*hashes: str) -> str:
    """The content hash of tables put together, from those of each.

    >>> together("f" * 32, "0" * 31 + "3")
    '00000000000000000000000000000002'
    """
    return f"{sum(int(hashed, 16) for hashed in hashes) % 2**128:032x}"


def shown(con: duckdb.DuckDBPyConnection, source: str, columns: tuple[str, ...]) -> str:
    """The query of some columns of a temp view, as far as it has them; money as decimals of the currency that it is in."""
    held = {c[0] for c in con.execute(f"DESCRIBE {source}").fetchall()}
    wanted = [c for c in columns if c in held]
    money = [c for c in wanted if c in COLUMNS and COLUMNS[c].kind == "money"]
    selected = ", ".join(_amount(source, c) if c in money else f"{source}.{c}" for c in wanted)
    return f"SELECT {selected} FROM {source}"


def _amount(source: str, column: str) -> str:
    """An amount in major units. A join with the currencies would be built on the rows of a table that was empty before."""
    currency = f"{source}.{currency_of(column)}"
    cases = " ".join(
        f"WHEN {currency} IN ({listed}) THEN {Decimal(1).scaleb(-exponent):.3f}"
        for exponent, listed in _uncommon_units().items()
    )
    return (
        f"CAST(CAST({source}.{column} AS DECIMAL(18,0)) * CAST(CASE {cases} ELSE 0.010 END AS DECIMAL(4,3)) "
        f"AS {PUBLISHED_MONEY}) AS {published_name(column)}"
    )


@cache
def _uncommon_units() -> dict[int, str]:
    """The currencies that have not two decimals, by how many they have."""
    units: dict[int, list[str]] = {}
    for row in store.currencies().to_pylist():
        units.setdefault(row["exponent"], []).append(f"'{row['currency']}'")
    return {exponent: ", ".join(sorted(listed)) for exponent, listed in units.items() if exponent != 2}
