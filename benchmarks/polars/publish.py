"""The release: what the day adds to each large table as one Parquet file, the small tables in a database, views over both."""

from decimal import Decimal
from pathlib import Path

import polars as pl
from day import Day, collected
from polars import col, lit
from polars import selectors as cs

VIEWS = (Path(__file__).parents[1] / "plain" / "publish.sql").read_text().partition("USE published;\n")[2]
MONTHLY = (
    "earning_month", "program", "lever", "partner_id", "product_id", "customer_id", "currency", "program_currency",
)  # fmt: skip
INELIGIBLE = ("earning_month", "program", "partner_id", "currency", "decision", "reason_codes")
LIABILITY = ("period", "program", "earning_type", "currency")
PARTNER = (
    "partner_id", "global_partner_id", "partner_name", "country", "tenant_country", "partner_type", "reseller_status",
)  # fmt: skip
FACTORS = {2: Decimal("0.010"), 0: Decimal("1.000"), 3: Decimal("0.001")}


def publish(day: Day, criteria: pl.DataFrame, standing: pl.DataFrame, **large: pl.DataFrame) -> dict:
    """Write the files, then have DuckDB make the small tables and the views."""
    out, connection = day.home / "polars", day.warehouse
    parts = added_parts(day, **{name: rows.lazy() for name, rows in large.items()})
    collected(*(shown(rows).sink_parquet(out / f"{name}.parquet", lazy=True) for name, rows in parts.items()))
    connection.execute(f"ATTACH '{out}/published.duckdb' AS published (STORAGE_VERSION 'v1.2.0')")
    invitations, partners = collected(day.stored("derived.invitations"), day.partners.select(PARTNER))
    small = {"eligibility_criteria": criteria, "eligibility_status": standing}
    for name, rows in {**small, "invitations": invitations, "partners": partners}.items():
        connection.register("rows", rows).execute(f"CREATE TABLE published.{name} AS FROM rows")
    views = VIEWS.replace("{out}", str(out)).replace("{before}", str(day.home / "releases" / "partitions"))
    connection.execute(f"USE published; {views}")
    return {}


def added_parts(
    day: Day, *, added: pl.LazyFrame, decisions: pl.LazyFrame, earnings: pl.LazyFrame, earnings_ledger: pl.LazyFrame
) -> dict[str, pl.LazyFrame]:
    """What the day adds to each large table, in minor units."""
    sold = earnings_ledger.join(added.select("transaction_id", "product_id", "customer_id"), on="transaction_id")
    lines = added.drop("transaction_on", "business_date", "is_withdrawn").join(day.currencies, on="currency")
    ineligible = decisions.filter(col("decision") != "eligible")
    return {
        "transactions": lines,
        "decisions": decisions,
        "earnings": earnings,
        "earnings_ledger": earnings_ledger.drop("run_id"),
        "earnings_monthly": sold.group_by(*MONTHLY, "exponent").agg(
            line_count=col("transaction_id").n_unique().cast(pl.Int64),
            earning_minor=col("amount_minor").sum(),
            rebate_minor=col("amount_minor").filter(earning_type="rebate").sum(),
            program_earning_minor=col("program_amount_minor").sum(),
            program_rebate_minor=col("program_amount_minor").filter(earning_type="rebate").sum(),
        ),
        "ineligible_revenue": ineligible.group_by(*INELIGIBLE, "exponent").agg(
            col("revenue_minor").sum(), line_count=pl.len().cast(pl.Int64)
        ),
        "liability": earnings_ledger.group_by(*LIABILITY, "exponent").agg(earned_minor=col("amount_minor").sum()),
    }


def shown(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Minor units as readers see them: those of the program in dollars, the others by their currency."""
    minor, of_program = cs.ends_with("_minor"), cs.starts_with("program_")
    factor = col("exponent").replace_strict(FACTORS, return_dtype=pl.Decimal(4, 3))
    amount, cents = (minor - of_program).cast(pl.Decimal(18, 3)), (minor & of_program).cast(pl.Decimal(18, 3))
    in_units = (product.cast(pl.Decimal(18, 3)) for product in (amount * factor, cents * lit(FACTORS[2])))
    return rows.with_columns(*in_units).drop("exponent").rename(lambda name: name.removesuffix("_minor"))
