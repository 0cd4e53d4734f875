"""Made-up billing lines: who sells what to whom, a year of monthly charges, and each day's lines.

Lines are numbers in a frame until the last step; `as_text` gives them the shape of the delivered feed. Amounts are
whole minor units and prices are list prices in the customer's currency, so that nothing passes through a float.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from app.sample_feeds import CODES, COUNTRIES, CURRENCIES, company_names, days_before, guids, one_of

EXPONENTS = {"JPY": 0, "KWD": 3}  # ISO 4217; all other currencies of the sample have two decimals
# units of the currency that the price lists ask for one US dollar, in thousandths
PRICE_LEVEL = {
    "AUD": 1370, "BRL": 5100, "CAD": 1280, "CHF": 960, "EUR": 900, "GBP": 790,
    "INR": 74000, "JPY": 112000, "KWD": 304, "SEK": 9400, "USD": 1000,
}  # fmt: skip
CHARGES = ("new", "renew", "cycle_charge", "add_quantity", "usage", "remove_quantity", "customer_credit", "refund")
SHARES = (0.28, 0.2, 0.37, 0.135, 0.0, 0.01, 0.005)
ASSOCIATIONS = ("reseller", "dpor", "tpor", "pal_owner")
WEEKDAYS = (1.1, 1.05, 1.0, 1.0, 0.95, 0.3, 0.25)
MONTHS = (0.9, 0.9, 1.0, 0.95, 1.0, 1.25, 0.85, 0.8, 1.0, 1.0, 1.05, 1.2)
REFUNDS = 0.03
MEDIAN_YEAR_USD = 90_000  # median of a partner's revenue in a year; the spread leaves about every seventh below 25,000
TAKEN_BACK = ["subscription", "product", "seller", "reseller", "customer", "currency", "exponent", "tax_rate"]


@dataclass(frozen=True)
class Market:
    """Who may bill what to whom: texts that lines point into by number, and the subscriptions that they bill."""

    partner_ids: pa.Array
    customer_ids: pa.Array
    product_ids: pa.Array
    subscription_ids: pa.Array
    subscriptions: pd.DataFrame


def customers(random: Generator, partners: pd.DataFrame, transactions: int, day: date) -> pd.DataFrame:
    """Customers, each with the number of the partner that serves it; a few partners serve many."""
    serving = np.flatnonzero(partners["partner_type"] != "indirect_provider")
    more = max(0, round(transactions * 0.15) - len(serving))
    pull = random.pareto(1.3, len(serving)) + 0.2
    owner = np.concatenate([serving, random.choice(serving, more, p=pull / pull.sum())])
    abroad = random.random(len(owner)) < 0.02
    country = np.where(abroad, random.choice(CODES, len(owner)), partners["country"].to_numpy(str)[owner])
    shares = {"commercial": 0.9, "nonprofit": 0.05, "education": 0.03, "government": 0.02}
    return pd.DataFrame(
        {
            "customer_id": guids(random, len(owner)),
            "customer_name": company_names(random, country),
            "country": country,
            "customer_segment": one_of(random, len(owner), shares),
            "tenant_created_on": days_before(random, day, 380, 3000, len(owner)),
            "owner": owner,
        }
    )


def market(
    random: Generator, partners: pd.DataFrame, customers: pd.DataFrame, products: pd.DataFrame, transactions: int
) -> Market:
    """Subscriptions for all customers, sized so that most partners turn over more than 25,000 USD in a year."""
    count = max(len(customers), transactions // 4)
    customer = np.concatenate([np.arange(len(customers)), random.integers(0, len(customers), count - len(customers))])
    product = _offers(random, customers["customer_segment"].to_numpy(str)[customer], products)
    other = random.random(count) < 0.02
    served = customers["owner"].to_numpy()
    partner = np.where(other, served[random.integers(0, len(served), count)], served[customer])
    seller, reseller = _sides(random, partners, partner)
    made = pd.DataFrame({"customer": customer, "product": product, "seller": seller, "reseller": reseller})
    return Market(
        pa.array(partners["partner_id"], pa.string()),
        pa.array(customers["customer_id"], pa.string()),
        pa.array(products["product_id"], pa.string()),
        pa.array(guids(random, count)),
        _priced(random, made, partner, customers, products),
    )


def _offers(random: Generator, segments: np.ndarray, products: pd.DataFrame) -> np.ndarray:
    """Numbers of offers by their weight, each from those made for the customer's segment."""
    offers = np.zeros(len(segments), "int64")
    for segment, made in products["weight"].astype(float).groupby(products["product_segment"]):
        here = segments == segment
        offers[here] = random.choice(made.index.to_numpy(), int(here.sum()), p=made / made.sum())
    return offers


def _sides(random: Generator, partners: pd.DataFrame, partner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seller and reseller of sales by a partner: it bills itself, or its provider does and it is the reseller."""
    is_reseller = (partners["partner_type"] == "indirect_reseller").to_numpy()
    providers = np.flatnonzero(partners["partner_type"] == "indirect_provider")
    provider = random.choice(providers, len(partners))
    country = partners["country"].to_numpy(str)
    for code in CODES:
        local, here = providers[country[providers] == code], country == code
        if len(local):
            provider[here] = random.choice(local, int(here.sum()))
    return np.where(is_reseller[partner], provider[partner], partner), np.where(is_reseller[partner], partner, -1)


def _priced(
    random: Generator, made: pd.DataFrame, partner: np.ndarray, customers: pd.DataFrame, products: pd.DataFrame
) -> pd.DataFrame:
    """The subscriptions with currency, tax, price of one unit in minor units, discount, units and months in force."""
    country = pd.Series(customers["country"].to_numpy(str)[made["customer"]])
    named = country.map({code: currency for code, (_, currency, _, _) in COUNTRIES.items()})
    exponent = named.map(EXPONENTS).fillna(2).astype("int64").to_numpy()
    cents = (products["price_usd"].astype(float) * 100).round().astype("int64").to_numpy()[made["product"]]
    unit = cents * named.map(PRICE_LEVEL).to_numpy("int64") * 10**exponent // 100_000
    year = MEDIAN_YEAR_USD * np.exp(random.normal(0, 1.1, int(partner.max()) + 1))
    part = random.gamma(1.2, size=len(made))
    part /= np.bincount(partner, part)[partner]
    units = np.round(year[partner] * part / 12 * 100 / np.maximum(cents, 400)).astype("int64")
    discount = np.where(random.random(len(made)) < 0.3, random.integers(1, 15, len(made)), 0)
    return made.assign(
        currency=named.map({code: number for number, code in enumerate(CURRENCIES)}).to_numpy("int64"),
        exponent=exponent,
        tax_rate=country.map({code: tax for code, (_, _, tax, _) in COUNTRIES.items()}).to_numpy("int64"),
        unit=unit,
        discount=discount,
        units=np.maximum(units, 1),
        is_usage=(products["product_family"] == "azure").to_numpy()[made["product"]],
        begins=np.where(random.random(len(made)) < 0.85, 0, random.integers(0, 12, len(made))),
        subscription=np.arange(len(made)),
    )


def month_starts(day: date) -> list[date]:
    """The first days of the twelve months before a day, oldest first."""
    last = (day - timedelta(days=1)).replace(day=1)
    months = pd.date_range(end=pd.Timestamp(last), periods=12, freq="MS")
    return [month.date() for month in months]


def history(random: Generator, market: Market, day: date) -> pd.DataFrame:
    """A charge on the first of each of the twelve months before, for every subscription in force by then."""
    months = []
    for number, month in enumerate(month_starts(day)):
        lines = market.subscriptions[market.subscriptions["begins"] <= number]
        charge = np.where(lines["is_usage"], CHARGES.index("usage"), CHARGES.index("cycle_charge"))
        months.append(_billed(random, lines, month, charge, lines["units"].to_numpy() * 1000))
    return pd.concat(months, ignore_index=True)


def lines_on(day: date, first_day: date, transactions: int) -> int:
    """How many lines a day brings when the first day brings `transactions`, by weekday and month."""
    share = [WEEKDAYS[on.weekday()] * MONTHS[on.month - 1] for on in (day, first_day)]
    return max(1, round(transactions * share[0] / share[1]))


def day_lines(random: Generator, market: Market, day: date, count: int, earlier: pd.DataFrame) -> pd.DataFrame:
    """A day's lines: sales, changes and usage, and refunds of some of the earlier lines."""
    refunded = earlier.sample(min(round(count * REFUNDS), len(earlier)), random_state=random)
    pull = np.sqrt(market.subscriptions["units"].to_numpy())
    picked = random.choice(len(pull), count - len(refunded), p=pull / pull.sum())
    lines = market.subscriptions.take(picked)
    charge = random.choice(len(SHARES), len(lines), p=SHARES)
    charge[lines["is_usage"]] = CHARGES.index("usage")
    share = np.minimum(random.pareto(1.5, len(lines)) + 0.05, 20)
    units = np.maximum(1, np.round(lines["units"].to_numpy() * share * 0.3)).astype("int64") * 1000
    units += np.where(lines["is_usage"], random.integers(0, 1000, len(lines)), 0)
    taken = np.isin(charge, [CHARGES.index("remove_quantity"), CHARGES.index("customer_credit")])
    billed = _billed(random, lines, day, charge, np.where(taken, -units, units))
    both = pd.concat([billed, _refunds(random, refunded, day)], ignore_index=True)
    both = both.take(random.permutation(len(both))).reset_index(drop=True)
    return both.assign(number=_numbers(day, len(both)))


def _billed(
    random: Generator, lines: pd.DataFrame, day: date, charge: np.ndarray, thousandths: np.ndarray
) -> pd.DataFrame:
    """Lines over units in thousandths: units times price, less the discount, halves away from zero; and tax."""
    gross = thousandths * lines["unit"].to_numpy() * (100 - lines["discount"].to_numpy())
    revenue = np.sign(gross) * ((np.abs(gross) + 50_000) // 100_000)
    return lines[TAKEN_BACK].assign(
        number=_numbers(day, len(lines)),
        at=_instants(random, day, len(lines)),
        charge=charge,
        thousandths=thousandths,
        revenue=revenue,
        tax=_tax(revenue, lines["tax_rate"].to_numpy()),
        association=random.choice(len(ASSOCIATIONS), len(lines), p=(0.96, 0.02, 0.01, 0.01)),
        reverses=0,
    )


def _refunds(random: Generator, refunded: pd.DataFrame, day: date) -> pd.DataFrame:
    """Lines that take earlier ones back: two of three whole, the others in part."""
    share = np.where(random.random(len(refunded)) < 0.65, 100, random.integers(10, 95, len(refunded)))
    revenue = -(refunded["revenue"] * share // 100).to_numpy()
    return refunded.assign(
        at=_instants(random, day, len(refunded)),
        charge=CHARGES.index("refund"),
        thousandths=-np.maximum(1, refunded["thousandths"].to_numpy() * share // 100),
        revenue=revenue,
        tax=_tax(revenue, refunded["tax_rate"].to_numpy()),
        reverses=refunded["number"],
    )


def refundable(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines that a later refund can take back."""
    return lines[(lines["revenue"] > 0) & (lines["reverses"] == 0)]


def _tax(revenue: np.ndarray, tax_rate: np.ndarray) -> np.ndarray:
    return np.sign(revenue) * ((np.abs(revenue) * tax_rate + 500) // 1000)


def _numbers(day: date, count: int) -> np.ndarray:
    return int(f"{day:%Y%m%d}") * 10_000_000 + np.arange(1, count + 1)


def _instants(random: Generator, day: date, count: int) -> np.ndarray:
    """Instants on a day, most of them in working hours."""
    seconds = np.clip(random.normal(13.5, 4, count) * 3600, 0, 86_399).astype("int64")
    return np.datetime64(day, "s") + seconds


def late(random: Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """The lines, a few percent of the sales among them made one or two days before the day that brings them."""
    is_late = (random.random(len(lines)) < 0.03) & (lines["reverses"] == 0)
    days = np.where(is_late, random.integers(1, 3, len(lines)), 0)
    return lines.assign(at=lines["at"].to_numpy() - days.astype("timedelta64[D]"))


def as_text(market: Market, lines: pd.DataFrame) -> pa.Table:
    """Lines in the shape of the delivered feed, every value text."""
    column = {name: pa.array(lines[name].to_numpy()) for name in lines.columns}
    reseller = pc.if_else(pc.less(column["reseller"], 0), None, column["reseller"])
    invoice = lines["at"].to_numpy().astype("datetime64[D]") + np.timedelta64(1, "D")
    reverses = pc.if_else(pc.equal(column["reverses"], 0), None, column["reverses"])
    return pa.table(
        {
            "transaction_id": _identifiers(column["number"]),
            "seller_id": market.partner_ids.take(column["seller"]),
            "reseller_id": market.partner_ids.take(reseller),
            "customer_id": market.customer_ids.take(column["customer"]),
            "product_id": market.product_ids.take(column["product"]),
            "subscription_id": market.subscription_ids.take(column["subscription"]),
            "transaction_at": _utc(lines["at"].to_numpy()),
            "invoice_at": _utc(invoice),
            "charge_type": pa.array(CHARGES).take(column["charge"]),
            "quantity": _units(column["thousandths"]),
            "revenue": _amounts(column["revenue"], column["exponent"]),
            "tax": _amounts(column["tax"], column["exponent"]),
            "currency": pa.array(CURRENCIES).take(column["currency"]),
            "association": pa.array(ASSOCIATIONS).take(column["association"]),
            "reverses": _identifiers(reverses),
        }
    )


def _identifiers(numbers: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("T", pc.cast(numbers, pa.string()), "")


def _utc(instants: np.ndarray) -> pa.Array:
    """Instants as ISO 8601 text that ends in Z; each distinct one is written once."""
    seconds = pa.array(instants.astype("datetime64[s]")).dictionary_encode()
    text = pc.replace_substring(pc.cast(seconds.dictionary, pa.string()), " ", "T")
    return pc.binary_join_element_wise(text, "Z", "").take(seconds.indices)


def _decimal(numbers: pa.Array, exponent: int) -> pa.Array:
    """Whole minor units as decimal text, exact."""
    if exponent == 0:
        return pc.cast(numbers, pa.string())
    size, divisor = pc.abs(numbers), 10**exponent
    whole = pc.divide(size, divisor)
    rest = pc.utf8_lpad(pc.cast(pc.subtract(size, pc.multiply(whole, divisor)), pa.string()), exponent, "0")
    sign = pc.if_else(pc.less(numbers, 0), "-", "")
    text = pc.binary_join_element_wise(pc.cast(whole, pa.string()), rest, ".")
    return pc.binary_join_element_wise(sign, text, "")


def _amounts(numbers: pa.Array, exponents: pa.Array) -> pa.Array:
    text = _decimal(numbers, 2)
    for exponent in (0, 3):
        text = pc.if_else(pc.equal(exponents, exponent), _decimal(numbers, exponent), text)
    return text


def _units(thousandths: pa.Array) -> pa.Array:
    """Units as text, without decimals where they are whole."""
    whole = pc.divide(thousandths, 1000)
    is_whole = pc.equal(pc.multiply(whole, 1000), thousandths)
    return pc.if_else(is_whole, pc.cast(whole, pa.string()), _decimal(thousandths, 3))
