"""Each new line × program decided, priced in both currencies, split and posted."""

import polars as pl
from day import Day, collected, filled, month, seed, thousandths
from polars import Expr, col, lit, when

EARNED = ("earning_minor", "program_earning_minor")
RATE, FX_RATE = pl.Decimal(18, 9), pl.Decimal(28, 18)
DECISION = (
    "transaction_id", "program", "partner_id", "decision", "reason_codes", "reference_on", "revenue_minor", "currency", "exponent",
)  # fmt: skip
EARNING = (
    "transaction_id", "program", "lever", "partner_id", "is_illustrative", "base_minor", "currency", "exponent", "fx_month", "fx_rate",
)  # fmt: skip
ENTRY = (
    "transaction_id", "program", "lever", "bracket", "partner_id", "earning_month", "currency", "exponent", "program_currency",
    "rate", "fx_month", "fx_rate", "rule_version",
)  # fmt: skip


def lines(day: Day, added: pl.DataFrame, criteria: pl.DataFrame, standing: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What the lines become, what they earn and what is posted of it, as stored."""
    [decided] = collected(decide(day, priced_by(day, parties(day, added.lazy()), standing.lazy())))
    earned = earnings(day, decided.lazy().filter(decision="eligible"))
    ledger = pl.concat(entries(day, earned, kind) for kind in ("rebate", "coop"))
    tables = ("decisions", "earnings", "earnings_ledger")
    made = dict(zip(tables, collected(decisions(day, decided.lazy()), earned, ledger), strict=True))
    for table, rows in made.items():
        day.keep(f"derived.{table}", rows.drop("exponent"))
    return made


def parties(day: Day, added: pl.LazyFrame) -> pl.LazyFrame:
    """Each line for its seller and for its reseller, as far as they take part; a refund is of what its original sold."""
    originals = day.stored("clean.transactions").select(
        reverses="transaction_id", sold_product="product_id", sold_on="transaction_on"
    )
    sold = added.join(originals, on="reverses", how="left").with_columns(
        product_id=pl.coalesce("sold_product", "product_id"),
        reference_on=pl.coalesce("sold_on", "transaction_on"),
        is_original_known=col("reverses").is_null() | col("sold_on").is_not_null(),
    )
    is_reseller = col("partner_type") == "indirect_reseller"
    sides = {"seller_id": day.partners.filter(~is_reseller), "reseller_id": day.partners.filter(is_reseller)}
    return pl.concat(
        sold.with_columns(partner_id=side).join(partners, on="partner_id", how="semi")
        for side, partners in sides.items()
    )


def priced_by(day: Day, sold: pl.LazyFrame, standing: pl.LazyFrame) -> pl.LazyFrame:
    """Lines with the standing, lever and exchange rate that they are decided and priced by."""
    products = day.stored("clean.products")
    levers = seed("lines/levers", rate=pl.Decimal(6, 4)).with_columns(product_family=col("families").str.split(" "))
    offers = levers.explode("product_family").join(products.filter(~col("is_trial")), on="product_family")
    open_to = offers.filter(~col("is_commercial") | (col("product_segment") == "commercial"))
    rates = day.stored("clean.fx_rates").filter(to_currency="USD")
    return (
        sold.with_columns(fx_month=month("reference_on"))
        .join(standing, on="partner_id")
        .join(day.currencies, on="currency")
        .join(products.select("product_id", is_product_known=True), on="product_id", how="left")
        .join(open_to.select("program", "product_id", "lever", "rate", "is_illustrative"), on=("program", "product_id"), how="left")
        .join(rates.select("fx_month", "fx_rate", currency="from_currency"), on=("currency", "fx_month"), how="left")
        .with_columns(fx_rate=when(currency="USD").then(lit(1, FX_RATE)).otherwise("fx_rate"))
    )  # fmt: skip


def decide(day: Day, lines: pl.LazyFrame) -> pl.LazyFrame:
    """What becomes of each line, and why."""
    is_earning, is_product_known = col("eligibility") == "eligible", col("is_product_known").is_not_null()
    has_no_lever = is_product_known & col("lever").is_null()
    reasons = {
        "NOLEVER": has_no_lever,
        "UNKATTR": ~is_product_known,
        "UNKFX": col("fx_rate").is_null(),
        "UNKREV": ~col("is_original_known"),
    }
    given = (when(~is_earning).then("reason_codes"), *(when(holds).then(lit(code)) for code, holds in reasons.items()))
    is_open = pl.any_horizontal(holds for code, holds in reasons.items() if code != "NOLEVER")
    left = when(is_open).then(lit("undecided")).otherwise(lit("eligible"))
    return lines.with_columns(
        reason_codes=filled(pl.concat_str(given, separator=",", ignore_nulls=True)),
        decision=when(~is_earning | has_no_lever).then(lit("ineligible")).otherwise(left),
    )


def decisions(day: Day, decided: pl.LazyFrame) -> pl.LazyFrame:
    """What became of one line in one program."""
    return decided.select(
        *DECISION,
        levers=when(decision="eligible").then("lever"),
        earning_month="fx_month",
        rule_version=lit("polars"),
        known_from=day.date,
    )


def earnings(day: Day, eligible: pl.LazyFrame) -> pl.LazyFrame:
    """Each eligible line priced in both currencies and split."""
    sales = priced(eligible.filter(col("reverses").is_null()))
    earned = pl.concat((sales, refunds(sales, eligible.filter(col("reverses").is_not_null()))), how="diagonal")
    coop, program_coop = (truncated(col(name) * 4, 10) for name in EARNED)
    return earned.select(
        *EARNING,
        *EARNED,
        bracket=1,
        earning_month="fx_month",
        rate=col("rate").cast(RATE),
        position=lit(0, pl.Decimal(38, 6)),
        rebate_minor=col("earning_minor") - coop,
        coop_minor=coop,
        program_currency=lit("USD"),
        program_rebate_minor=col("program_earning_minor") - program_coop,
        program_coop_minor=program_coop,
        rule_version=lit("polars"),
        known_from=day.date,
    )


def priced(sales: pl.LazyFrame) -> pl.LazyFrame:
    """Sales at their rates, each amount cut to minor units once."""
    rate, fx_rate = (col("rate") * 10**4).cast(pl.Int128), (col("fx_rate") * 10**10).cast(pl.Int128)
    return sales.with_columns(
        base_minor="revenue_minor",
        earning_minor=truncated(col("revenue_minor") * rate, 10**4),
        program_earning_minor=truncated(col("revenue_minor") * rate * fx_rate * thousandths(), 10**15),
    )


def refunds(sales: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    """Refunds take back of what their originals earned, none of more than its original, rounded once."""
    part = pl.min_horizontal(-col("revenue_minor"), "base_minor")
    taken = {name: -(col(name) * part // col("base_minor")) for name in EARNED}
    originals = sales.select(
        "program", "lever", "rate", "is_illustrative", "base_minor", *EARNED, reverses="transaction_id"
    )
    matched = lines.drop("lever", "rate", "is_illustrative").join(originals, on=("program", "reverses"))
    return matched.with_columns(**taken, base_minor=-part)


def entries(day: Day, earned: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """The ledger's entries of one kind of money; each is named by what it is of, since Polars makes no UUID."""
    amount, program_amount = col(f"{kind}_minor"), col(f"program_{kind}_minor")
    return earned.filter((amount != 0) | (program_amount != 0)).select(
        *ENTRY,
        entry_id=pl.concat_str("transaction_id", "program", "lever", lit(kind), separator="/"),
        run_id=lit(day.name),
        posted_on=day.date,
        period=day.date.dt.truncate("1mo"),
        earning_type=lit(kind),
        amount_minor=amount,
        program_amount_minor=program_amount,
        cause=lit("new_line"),
    )


def truncated(product: Expr, parts: int) -> Expr:
    """Whole minor units of a product of integers, cut towards zero."""
    return (product.abs() // parts * product.sign()).cast(pl.Int64)
