"""Made-up deliveries that look like the real ones: partners, customers and billing lines over some days.

Names of partners, customers and people are made up; offers and exchange rates are real ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
from currency_converter import CurrencyConverter, RateNotFoundError

from app import sample_defects, sample_feeds, sample_transactions
from app.sample_feeds import CURRENCIES, World
from app.sample_files import Parcel, land

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
    "transactions": (".csv.zst", ".csv.gz", ".jsonl", ".parquet", ".csv"),
}


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
    earlier = pd.DataFrame()
    for number in range(days):
        day = first_day + timedelta(days=number)
        random = np.random.default_rng([seed, 2, number])
        world = _land_feeds(out, world, day, number, random)
        earlier = _land_transactions(out, market, day, first_day, transactions, earlier, random)
        progress(f"{day}: {len(list(out.glob(f'{day}-*')))} deliveries")
    if defects:
        sample_defects.land_defects(out, market, first_day, days)
        progress(f"faults: {out / sample_defects.KNOWN}")
