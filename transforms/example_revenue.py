"""What the partners of worked examples sold, by which criteria on revenue are judged; and the exchange rates given."""

from datetime import date
from decimal import Decimal

import pandas as pd

from transforms.adjustments import exponent, minor
from transforms.money import FX, decimals
from transforms.programs import Program
from transforms.worked_examples import Given, lines_of, partner_of


def rate_of(given: Given, currency: str, target: str, on: date) -> Decimal | None:
    """The rate of a currency on a day as an example gives it, 1 into itself, None where it gives none."""
    if currency == target:
        return Decimal(1)
    wanted = (on.replace(day=1), currency, target)
    rates = given.get("fx_rates", [])
    return next((r["fx_rate"] for r in rates if (r["fx_month"], r["from_currency"], r["to_currency"]) == wanted), None)


def partner_revenue(program: Program, givens: dict[int, Given], partners: list[str]) -> pd.DataFrame:
    """The step input of that name: what each partner, named with its example's number, sold since history is held.

    All examples hold history from one day on, on which everybody sold nothing, so that it is known of all.
    """
    since = next(iter(givens.values()))["history_from"]
    rows: list[tuple[str, date, str, int, Decimal | None]]
    rows = [(partner, since, program.currency, 0, Decimal(1)) for partner in partners]
    for number, given in givens.items():
        for line in lines_of(given):
            currency, revenue = line.get("currency", program.currency), line.get("revenue", Decimal(0))
            rate = rate_of(given, currency, program.currency, line["on"])
            rows.append((f"{number}|{partner_of(line)}", line["on"], currency, minor(revenue, currency), rate))
    made = pd.DataFrame(rows, columns=["partner_id", "transaction_on", "currency", "revenue_minor", "fx_rate"])
    return made.assign(
        partner_id=made["partner_id"].astype("str"),
        transaction_on=made["transaction_on"].astype("datetime64[us]"),
        fx_rate=decimals(made["fx_rate"].tolist(), FX),
        program_currency=program.currency,
        exponent=made["currency"].map(exponent),
        program_exponent=exponent(program.currency),
        history_from=pd.Timestamp(since),
    )
