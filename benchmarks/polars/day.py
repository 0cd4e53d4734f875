"""What the stages share: the warehouse, what was delivered, and expressions that more than one needs."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
from polars import Expr, col, lit, when
from polars.io.plugins import register_io_source

BATCH = 122_880  # rows of a group of a table of DuckDB


class Day:
    """A day of deliveries to a warehouse."""

    def __init__(self, home: Path, deliveries: Path, day: str) -> None:
        self.home, self.deliveries, self.name = home, deliveries, day
        self.date = lit(day).str.to_date()
        self.warehouse = duckdb.connect(str(home / "warehouse.duckdb"))

    @property
    def partners(self) -> pl.LazyFrame:
        """The partners as they stand."""
        return self.stored("clean.partners")

    @property
    def currencies(self) -> pl.LazyFrame:
        """The decimals of each currency."""
        return self.stored("meta.currencies")

    def stored(self, table: str) -> pl.LazyFrame:
        """A table of the warehouse, streamed; each scan has a cursor of its own, since scans of one plan run at once."""
        schema = self.warehouse.sql(f"FROM {table} LIMIT 0").pl().schema

        def batches(
            columns: list[str] | None, predicate: Expr | None, rows: int | None, size: int | None
        ) -> Iterator[pl.DataFrame]:
            query = self.warehouse.cursor().sql(f"SELECT {', '.join(columns or schema)} FROM {table}")
            for batch in query.to_arrow_reader(size or BATCH):
                frame = pl.DataFrame(batch)
                yield frame if predicate is None else frame.filter(predicate)

        return register_io_source(batches, schema=schema)

    def delivered(self, feed: str) -> pl.LazyFrame:
        """A feed as delivered on the day, as text."""
        return pl.scan_csv(self.deliveries / f"{self.name}-{feed}" / "*.csv", infer_schema=False)

    def keep(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a table of the warehouse."""
        self.warehouse.execute(f"INSERT INTO {table} BY NAME FROM frame")

    def close(self) -> None:
        """Have it all on disk."""
        self.warehouse.execute("CHECKPOINT warehouse")
        self.warehouse.close()


def collected(*frames: pl.LazyFrame) -> list[pl.DataFrame]:
    """Frames made together, by the streaming engine."""
    return pl.collect_all(frames, engine="streaming")


def seed(name: str, **types: pl.DataType) -> pl.LazyFrame:
    """A table of rules, as dbt has it."""
    return pl.scan_csv(Path(__file__).parents[1] / "dbt" / "seeds" / f"{name}.csv", schema_overrides=types)


def month(of: str) -> Expr:
    """The first day of a date's month."""
    return col(of).dt.truncate("1mo")


def thousandths() -> Expr:
    """How many thousandths of its currency a minor unit has."""
    return col("exponent").replace_strict({0: 1000, 3: 1}, default=10)


def filled(text: Expr) -> Expr:
    """Text, missing where it is empty."""
    return when(text != "").then(text)
