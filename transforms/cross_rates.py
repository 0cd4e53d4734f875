"""Exchange rates between currencies of which only the rates into a third one are known."""

from collections.abc import Iterable
from decimal import Decimal, localcontext

import pandas as pd

from transforms.money import FX, decimals

PAIR = ["from_currency", "to_currency"]
LAST_PLACE = Decimal(1).scaleb(-FX.scale)


def rates_of(pairs: Iterable[tuple[str, str]], rates: pd.DataFrame) -> pd.DataFrame:
    """The rates of one month for some pairs of currencies: as given, or the quotient of two into the same currency.

    A quotient is rounded half to even to the 18 places of a rate; of several, the one over the first currency by its code
    counts. A pair that nothing relates has no row. Columns as given: from_currency, to_currency, fx_rate.

    >>> held = pd.DataFrame({"from_currency": ["EUR", "GBP"], "to_currency": ["USD", "USD"], "fx_rate": decimals(["1.2", "1.5"], FX)})
    >>> made = rates_of([("EUR", "GBP"), ("EUR", "USD"), ("USD", "EUR"), ("EUR", "JPY")], held)
    >>> [f"{a} {b} {rate:.2f}" for a, b, rate in made.itertuples(index=False)]
    ['EUR GBP 0.80', 'EUR USD 1.20', 'USD EUR 0.83']
    """
    held = rates.astype(dict.fromkeys(PAIR, "str"))
    given = dict(zip(held[PAIR].itertuples(index=False, name=None), held["fx_rate"], strict=True))
    known = sorted({currency for pair in given for currency in pair})
    legs = {(currency, currency): Decimal(1) for currency in known} | given
    found = {pair: rate for pair in pairs if (rate := given.get(pair) or _crossed(*pair, known, legs)) is not None}
    return pd.DataFrame(
        {
            "from_currency": pd.Series([start for start, _ in found], dtype="str"),
            "to_currency": pd.Series([end for _, end in found], dtype="str"),
            "fx_rate": decimals(list(found.values()), FX),
        }
    )


def _crossed(start: str, end: str, known: list[str], legs: dict[tuple[str, str], Decimal]) -> Decimal | None:
    for via in known:
        if (start, via) in legs and (end, via) in legs:
            with localcontext(prec=60):
                return (legs[start, via] / legs[end, via]).quantize(LAST_PLACE)
    return None
