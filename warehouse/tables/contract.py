"""What a table contract is. DDL, types and checks derive from it."""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from warehouse.columns import COLUMNS, DUCKDB, PUBLISHED_MONEY, published_name

Layer = Literal["clean", "derived", "audit", "published"]
PROVENANCE = ("delivery_id", "file_name", "line_number")
KNOWN = ("known_from", "known_to")
ARROW = {
    "VARCHAR": pa.large_string(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DECIMAL(18,9)": pa.decimal128(18, 9),
    "DECIMAL(28,18)": pa.decimal128(28, 18),
    "DECIMAL(18,6)": pa.decimal128(18, 6),
    "DECIMAL(38,4)": pa.decimal128(38, 4),
    "DECIMAL(38,6)": pa.decimal128(38, 6),
    "DECIMAL(38,21)": pa.decimal128(38, 21),
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its layer (a DuckDB schema), what one row is, its key and its columns."""

    name: str
    layer: Layer
    row: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.columns) - set(COLUMNS)):
            raise ValueError(f"table [{self.name}] names columns that warehouse/columns.py lacks: {unknown}")
        if stray := sorted({*self.key, *self.optional} - set(self.columns)):
            raise ValueError(f"table [{self.name}] has key or optional columns outside its columns: {stray}")

    @property
    def full_name(self) -> str:
        return f"{self.layer}.{self.name}"

    @property
    def stored(self) -> tuple[str, ...]:
        """Every column the warehouse keeps, bookkeeping included."""
        return self.columns

    def duckdb_type(self, column: str) -> str:
        return DUCKDB[COLUMNS[column].kind]

    @property
    def ddl(self) -> str:
        columns = ", ".join(
            f"{c} {self.duckdb_type(c)}{'' if c in self.nullable else ' NOT NULL'}" for c in self.stored
        )
        return f"CREATE TABLE IF NOT EXISTS {self.full_name} ({columns})"

    @property
    def nullable(self) -> set[str]:
        return {*self.optional, "known_to", "confirmed_on"}

    @property
    def arrow_schema(self) -> pa.Schema:
        """The contract's columns as Arrow types; dates are days, instants are UTC without a zone."""
        return pa.schema([pa.field(c, ARROW[self.duckdb_type(c)], nullable=c in self.nullable) for c in self.columns])


@dataclass(frozen=True, kw_only=True)
class Feed(Table):
    """A feed: what is delivered, how it may be late, when a delivery of it is refused for its rejects, how long it is kept.

    Deliveries are kept ten years, as books are (Germany, AO § 147, asks for eight, and for ten until 2024).
    """

    layer: Layer = "clean"
    required: bool = False
    reject_limit: float = 0.1  # share of rows; more than this and the delivery is refused whole
    keep_months: int = 120
    erase_months: int | None = None  # after which a person is erased that the feed no longer names

    @property
    def stored(self) -> tuple[str, ...]:
        return (*self.columns, "business_date", *PROVENANCE, *KNOWN, "confirmed_on", "is_withdrawn")

    @property
    def delivered(self) -> dict[str, str]:
        """Column names in a delivered file, each with the column that it becomes."""
        return {published_name(c): c for c in self.columns if c != "transaction_on"}


@dataclass(frozen=True, kw_only=True)
class Derived(Table):
    """A table that a settle run works out.

    `group` names the columns whose rows are replaced together when one of them changes; older versions stay,
    with the days on which they were known. `replaced` names the columns whose rows are replaced without keeping older
    ones. With neither the table is append-only.
    """

    layer: Layer = "derived"
    group: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()

    @property
    def stored(self) -> tuple[str, ...]:
        return (*self.columns, *KNOWN) if self.group else self.columns


@dataclass(frozen=True, kw_only=True)
class Published(Table):
    """A table that dashboards, analysts and partners read; money is decimal.

    `parts` is what each release adds to the table, in files that releases share: versions of rows, entries or sums.
    Of versions, the release also keeps what was known before: `<table>_known_on(day)`. Without parts the table is
    copied whole, which is for tables that do not grow with the days settled.
    """

    layer: Layer = "published"
    parts: Literal["versions", "entries", "sums"] | None = None

    @property
    def published_columns(self) -> dict[str, str]:
        """Column names as published, each with its DuckDB type."""
        return {
            published_name(c): PUBLISHED_MONEY if COLUMNS[c].kind == "money" else self.duckdb_type(c)
            for c in self.columns
        }
