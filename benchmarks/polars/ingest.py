"""The measured day's deliveries: rows that cannot be used apart, the others typed."""

import polars as pl
from day import Day, collected, thousandths
from polars import Expr, col, lit, when

CHARGES = ("new", "renew", "addQuantity", "removeQuantity", "cancelImmediate")
AGREEMENT = ("agreement_id", "partner_id", "agreement_type", "agreement_status", "signed_on", "valid_from", "valid_to")
LINE = (
    "transaction_id", "seller_id", "reseller_id", "customer_id", "product_id", "subscription_id", "transaction_at",
    "transaction_on", "invoice_at", "charge_type", "quantity", "revenue_minor", "tax_minor", "currency", "association",
    "reverses",
)  # fmt: skip


def ingest(day: Day) -> dict[str, pl.DataFrame]:
    """The new lines; agreements that are stored already must stay as they are."""
    read = typed(day)
    rejects, added = collected(read.filter(~col("is_usable")), added_lines(day, read.filter("is_usable")))
    day.warehouse.execute("CREATE TABLE rejects AS FROM rejects")
    day.keep("clean.transactions", added)
    dates = col("signed_on", "valid_from", "valid_to").str.to_date()
    agreements = day.delivered("agreements").with_columns(dates)
    [others] = collected(agreements.join(day.stored("clean.agreements"), on=AGREEMENT, how="anti", nulls_equal=True))
    if not others.is_empty():
        raise SystemExit("agreements changed")
    return {"added": added}


def typed(day: Day) -> pl.LazyFrame:
    """The day's lines, typed; a value that cannot be read is missing."""
    needed = ("transaction_at", "charge_type", "quantity", "revenue", "exponent")
    lines = day.delivered("transactions").join(day.currencies, on="currency", how="left")
    return lines.with_columns(
        col("transaction_at", "invoice_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False),
        col("quantity").cast(pl.Decimal(18, 6), strict=False),
        col("revenue", "tax").cast(pl.Decimal(18, 3), strict=False),
        charge_type=when(col("charge_type").is_in(CHARGES)).then("charge_type"),
        is_exact=decimals("revenue") <= col("exponent"),
        revenue_text="revenue",
    ).with_columns(is_usable=pl.all_horizontal(col(needed).is_not_null()) & col("is_exact").fill_null(False))


def added_lines(day: Day, usable: pl.LazyFrame) -> pl.LazyFrame:
    """Each line that can be used, once, with where it stands."""
    minor = (col("revenue", "tax") * 1000).cast(pl.Int64) // thousandths()
    lines = usable.unique("transaction_id", keep="any").with_columns(
        minor.name.suffix("_minor"), transaction_on=col("transaction_at").dt.date()
    )
    return lines.select(
        *LINE,
        business_date=day.date,
        delivery_id=lit(f"{day.name}-transactions"),
        file_name=lit("transactions.csv"),
        line_number=0,
        known_from=day.date,
        is_withdrawn=False,
    )


def decimals(text: str) -> Expr:
    """How many digits stand behind the point, without zeros at the end."""
    behind = col(text).str.splitn(".", 2).struct.field("field_1")
    return behind.str.strip_chars_end("0").str.len_chars().fill_null(0)
