"""Made-up deliveries that look like the real ones: partners, customers and billing lines over some days.

Names of partners, customers and people are made up; offers and exchange rates are real ones.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from currency_converter import CurrencyConverter, RateNotFoundError

from app import sample_defects
from app import sample_feeds as feeds
from app import sample_transactions as lines
from app.sample_feeds import CURRENCIES
from app.sample_files import Parcel, land
from app.sample_transactions import Market
from warehouse.landing import Mode

KWD_IN_USD = Decimal("3.2894")
ENDINGS = {
    "partners": (".csv",),
    "agreements": (".csv.gz", ".typed.parquet"),
    "competencies": (".jsonl",),
    "enrolments": (".csv",),
    "payee_profiles": (".parquet",),
    "products": (".csv", ".typed.parquet"),
    "customers": (".csv.zst", ".typed.parquet"),
    "users": (".jsonl", ".csv"),
    "partner_requests": (".csv",),
    "fx_rates": (".csv",),
    "claims": (".csv", ".jsonl"),
    "transactions": (".csv.zst", ".csv.gz", ".jsonl", ".parquet", ".csv"),
}
# feed: day of the week of the sample on which it comes again, and how; agreements come every day
AGAIN: dict[str, tuple[int, Mode]] = {
    "partners": (1, "snapshot"),
    "payee_profiles": (1, "delta"),
    "competencies": (2, "snapshot"),
    "enrolments": (2, "delta"),
    "customers": (3, "delta"),
    "users": (4, "snapshot"),
    "products": (5, "snapshot"),
    "claims": (6, "delta"),
    "partner_requests": (7, "delta"),  # on the first day alone
}
GOOD_LINES = 1000  # of the first day, that faulty ones are made from
World = dict[str, pd.DataFrame]


def sample(
    out: Path,
    *,
    first_day: date,
    days: int,
    partners: int,
    transactions: int,
    seed: int,
    defects: bool,
    progress: Callable[[str], None] = lambda line: None,
) -> None:
    """Folders of deliveries below `out`, the same bytes for the same seed; never a file that is there already.

    The first day brings `transactions` lines and a year of monthly charges, three times as many; later days bring
    more or fewer by weekday and month. With `defects`, extra deliveries hold every kind of fault, and
    `known_defects.csv` says what should become of each. ECB rates do not cover KWD: its rate is a made-up 3.2894 USD.
    """
    out.mkdir(parents=True, exist_ok=True)
    world, market = _start(first_day, partners, transactions, seed)
    brought = _land_history(out, market, first_day, seed)
    first = pd.DataFrame()
    for number in range(days):
        day = first_day + timedelta(days=number)
        random = np.random.default_rng([seed, 2, number])
        world = _land_feeds(out, world, day, number, random)
        count = lines.lines_on(day, first_day, transactions)
        brought = lines.day_lines(random, market, day, count, lines.refundable(brought))
        _land_lines(out, market, lines.late(random, brought), day, number)
        first = brought.head(GOOD_LINES) if number == 0 else first
        progress(f"{day}: {len(list(out.glob(f'{day}-*')))} deliveries, {len(brought):,} new lines")
    if defects:
        good = lines.as_text(market, first).to_pandas()
        sample_defects.land_defects(out, good, world["partners"], day, own_part(days - 1))
        progress(f"{day}: known defects in {out / sample_defects.KNOWN}")


def own_part(number: int) -> str:
    """The part that a day's own transactions are: the first day's come with the year before as the other part."""
    return "1/2" if number == 0 else "1/1"


def _start(day: date, partners: int, transactions: int, seed: int) -> tuple[World, Market]:
    """The reference feeds on the first day and the market that they make."""
    random = np.random.default_rng([seed, 1])
    locations = feeds.partners(random, partners)
    customers = lines.customers(random, locations, transactions, day)
    priced = feeds.price_list()
    world = {
        "partners": locations,
        "agreements": feeds.agreements(random, locations, day),
        "competencies": feeds.competencies(random, locations, day),
        "enrolments": (enrolled := feeds.enrolments(random, locations, day)),
        "payee_profiles": feeds.payee_profiles(random, locations, day),
        "products": priced.drop(columns=["price_usd", "weight"]),
        "customers": customers.drop(columns="owner"),
        "users": (people := feeds.users(random, locations)),
        "partner_requests": feeds.partner_requests(np.random.default_rng([seed, 5]), people, locations, enrolled, day),
        "claims": feeds.claims(np.random.default_rng([seed, 4]), locations, customers, day),
    }
    return world, lines.market(random, locations, customers, priced, transactions)


def _land_history(out: Path, market: Market, day: date, seed: int) -> pd.DataFrame:
    """Deliver the charges of the year before; those of the last two months."""
    billed = lines.history(np.random.default_rng([seed, 3]), market, day)
    parcel = Parcel(feed="transactions", day=day, delivery_id=f"{day}-transactions-2", part="2/2")
    land(out, parcel, lines.as_text(market, billed), ".typed.parquet")
    return billed.tail(len(billed) // 6)


def _land_lines(out: Path, market: Market, brought: pd.DataFrame, day: date, number: int) -> None:
    """Deliver a day's own lines."""
    parcel = Parcel(feed="transactions", day=day, delivery_id=f"{day}-transactions-1", part=own_part(number))
    _land(out, parcel, lines.as_text(market, brought), number)


def _land_feeds(out: Path, world: World, day: date, number: int, random: np.random.Generator) -> World:
    """Deliver the reference feeds and exchange rates that are due on a day; the feeds as they then are."""
    changed = {name: feeds.changed(name, rows, day, random) for name, rows in world.items()} if number else world
    for name, rows in changed.items():
        due, mode = AGAIN.get(name, (number, "snapshot"))
        if number == 0 or name == "agreements":
            mode = "snapshot"
        elif due != number % 7:
            changed[name] = world[name]
            continue
        new = feeds.differences(world[name], rows) if mode == "delta" else rows
        _land(out, Parcel(feed=name, day=day, delivery_id=f"{day}-{name}", mode=mode), new, number)
    if number == 0 or day.day == 1:
        _land(out, Parcel(feed="fx_rates", day=day, delivery_id=f"{day}-fx_rates"), exchange_rates(day), number)
    return changed


def _land(out: Path, parcel: Parcel, rows: pd.DataFrame | pa.Table, number: int) -> None:
    """Deliver rows in the format whose turn it is on the numbered day."""
    endings = ENDINGS[parcel.feed]
    land(out, parcel, rows, endings[number % len(endings)])


def exchange_rates(day: date) -> pd.DataFrame:
    """Rates to US dollars for a day's month and the 13 before: the last that the ECB published before each began."""
    table = CurrencyConverter(decimal=True)
    months = [month.date() for month in pd.date_range(end=pd.Timestamp(day.replace(day=1)), periods=14, freq="MS")]
    return pd.DataFrame(
        [
            {"fx_month": f"{month:%Y-%m}", "from_currency": currency, "to_currency": "USD", "fx_rate": rate}
            for month in months
            for currency in CURRENCIES
            if currency != "USD"
            for rate in [f"{_in_dollars(table, currency, month):f}"]
        ]
    )


def _in_dollars(table: CurrencyConverter, currency: str, month: date) -> Decimal:
    """Dollars for one unit of a currency on the last day with ECB rates before a month, to at most 17 places."""
    if currency == "KWD":
        return KWD_IN_USD
    on = min(month, table.bounds["USD"].last_date + timedelta(days=1))
    while True:
        on -= timedelta(days=1)
        try:
            euros = [table.convert(1, "EUR", code, on) for code in ("USD", currency)]
        except RateNotFoundError:
            continue
        return (Decimal(euros[0]) / Decimal(euros[1])).quantize(Decimal(1).scaleb(-17)).normalize()
