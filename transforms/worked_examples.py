"""Worked examples as a program file writes them: what is given, day by day or at once, and what is expected."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, Required, cast

from pydantic import AfterValidator, ConfigDict, with_config
from typing_extensions import TypedDict

from transforms.rule_file import Place
from transforms.rule_values import Currency, Day, Fault, Flag, Number, bounded, refuse
from transforms.vocabulary import remedy_of, unknown

Text = str | None
OpenDay = Day | None
STRICT = ConfigDict(extra="forbid")
Amount = Annotated[Number, AfterValidator(lambda amount: bounded(amount, 12, 3))]  # as deliveries may have them
Quantity = Annotated[Number, AfterValidator(lambda quantity: bounded(quantity, 12, 6))]
PARTNER, CUSTOMER = "p1", "c1"  # of a line that names none


def _rate(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError("a rate is above 0; give how much of to_currency one unit of from_currency is")
    return bounded(number, 10, 18)


@with_config(STRICT)
class Line(TypedDict):
    """A transaction. What it leaves out matches whatever a lever selects; null makes it undecided."""

    id: str
    on: Day
    invoice_on: NotRequired[Day]
    partner: NotRequired[str]
    seller: NotRequired[str]
    reseller: NotRequired[str]
    customer: NotRequired[Text]
    revenue: NotRequired[Amount]
    quantity: NotRequired[Quantity]
    currency: NotRequired[Currency]
    reverses: NotRequired[str]
    product_id: NotRequired[Text]
    product_family: NotRequired[Text]
    product_segment: NotRequired[Text]
    term: NotRequired[Text]
    is_strategic: NotRequired[Flag | None]
    is_trial: NotRequired[Flag | None]
    is_add_on: NotRequired[Flag | None]
    customer_id: NotRequired[Text]
    customer_segment: NotRequired[Text]
    customer_country: NotRequired[Text]
    tenant_created_on: NotRequired[OpenDay]
    first_purchase_on: NotRequired[OpenDay]
    charge_type: NotRequired[Text]
    association: NotRequired[Text]


@with_config(STRICT)
class Delivered(TypedDict):
    """The transactions that a day brings."""

    on: Day
    transactions: list[Line]


@with_config(STRICT)
class FxRate(TypedDict):
    """The exchange rate of a month."""

    fx_month: Day
    from_currency: Currency
    to_currency: Currency
    fx_rate: Annotated[Number, AfterValidator(_rate)]


@with_config(STRICT)
class Partner(TypedDict, total=False):
    """A partner location."""

    partner_id: Required[str]
    global_partner_id: Text
    partner_name: Text
    partner_type: Text
    reseller_status: Text
    country: Text
    tenant_id: Text
    tenant_country: Text
    valid_from: Day
    valid_to: OpenDay


@with_config(STRICT)
class Agreement(TypedDict, total=False):
    """An agreement that a partner signed."""

    agreement_id: str
    partner_id: Required[str]
    agreement_type: Text
    agreement_status: Text
    signed_on: OpenDay
    valid_from: Day
    valid_to: OpenDay


@with_config(STRICT)
class Competency(TypedDict, total=False):
    """A competency of a partner."""

    partner_id: Required[str]
    competency: Text
    competency_level: Text
    valid_from: Day
    valid_to: OpenDay


@with_config(STRICT)
class PayeeProfile(TypedDict, total=False):
    """How a partner is paid."""

    partner_id: Required[str]
    bank_status: Text
    tax_status: Text
    payout_currency: Currency
    validated_on: OpenDay
    valid_from: Day
    valid_to: OpenDay


@with_config(STRICT)
class EnrolmentState(TypedDict, total=False):
    """A state of a partner's enrolment."""

    partner_id: Required[str]
    program: str
    enrolment_status: Text
    valid_from: Day
    valid_to: OpenDay


@with_config(STRICT)
class Customer(TypedDict, total=False):
    """A customer tenant."""

    customer_id: Required[str]
    customer_name: Text
    country: Text
    customer_segment: Text
    tenant_created_on: OpenDay


@with_config(STRICT)
class Product(TypedDict, total=False):
    """An offer of the price list."""

    product_id: Required[str]
    product_name: Text
    product_family: Text
    product_segment: Text
    is_strategic: Flag | None
    term: Text
    is_trial: Flag | None
    is_add_on: Flag | None


@with_config(STRICT)
class Claim(TypedDict, total=False):
    """A partner's claim of a customer's workload."""

    claim_id: str
    partner_id: str
    customer_id: str
    product_family: str
    association: Text
    claim_status: Text
    approved_on: OpenDay
    valid_from: Day
    valid_to: OpenDay


@with_config(STRICT)
class Given(TypedDict, total=False):
    """What an example begins with: transactions at once or day by day, and rows of feeds."""

    transactions: list[Line]
    days: list[Delivered]
    history_from: Day
    fx_rates: list[FxRate]
    partners: list[Partner]
    agreements: list[Agreement]
    competencies: list[Competency]
    payee_profiles: list[PayeeProfile]
    enrolments: list[EnrolmentState]
    customers: list[Customer]
    products: list[Product]
    claims: list[Claim]


@with_config(STRICT)
class Posted(TypedDict):
    """What a day adds to what is earned."""

    on: Day
    amount: Number


@with_config(STRICT)
class Paid(TypedDict, total=False):
    """A payment."""

    due: Required[Day]
    rebate: Number
    coop: Number


@with_config(STRICT)
class Expected(TypedDict, total=False):
    """What an example earns, in program currency, and how its lines and its partner stand."""

    earned: Number
    rebate: Number
    coop: Number
    lines: dict[str, Number]
    earners: dict[str, str]
    decisions: dict[str, Literal["eligible", "ineligible", "undecided"]]
    posted: list[Posted]
    eligible: Flag
    unmet: list[str]
    balance: Number
    payouts: list[Paid]


@with_config(STRICT)
class Written(TypedDict, total=False):
    """One worked example."""

    example: str
    given: Given
    expect: Expected


def _sound(example: Written) -> Written:
    given, expect = example.get("given", {}), example.get("expect", {})
    ids = [line["id"] for line in lines_of(given)]
    faults = [
        Fault(("given",), name, f"line [{name}] stands twice; give each an id of its own") for name in _twice(ids)
    ]
    if given.get("days") and given.get("transactions"):
        faults.append(
            Fault(("given",), "days", "an example has transactions at once or by days; leave one of them out")
        )
    for word, named in (("lines", expect.get("lines", {})), ("decisions", expect.get("decisions", {}))):
        faults += [Fault(("expect", word), n, f"no line [{n}] is given; it has {ids}") for n in named if n not in ids]
    refuse([*faults, *_unordered(given.get("days", [])), *_opposed(given, ("given",)), *_unsaid(given, ("given",))])
    return example


def _unordered(days: list[Delivered]) -> Iterator[Fault]:
    """Days that do not rise, and lines dated after the day that brings them."""
    for number, day in enumerate(days):
        if number and day["on"] <= days[number - 1]["on"]:
            yield Fault(
                ("given", "days", number, "on"), day["on"], "the days do not rise; put the earliest first, each once"
            )
        for place, line in enumerate(day["transactions"]):
            if line["on"] > day["on"]:
                remedy = (
                    f"line [{line['id']}] comes on [{day['on']}], before its own date; bring it on that day or later"
                )
                yield Fault(("given", "days", number, "transactions", place, "on"), line["on"], remedy)


def _opposed(given: Mapping[str, Any], place: Place) -> Iterator[Fault]:
    """Quantities whose sign is not that of their line's revenue."""
    for number, day in enumerate(given.get("days", [])):
        yield from _opposed(day, (*place, "days", number))
    for number, line in enumerate(given.get("transactions", [])):
        if line.get("quantity", 0) * line.get("revenue", 0) < 0:
            remedy = f"line [{line['id']}] has a revenue of the other sign; give both above 0, or both below"
            yield Fault((*place, "transactions", number, "quantity"), line["quantity"], remedy)


def _unsaid(given: Mapping[str, Any], place: Place) -> Iterator[Fault]:
    """Words of lines, of their products and customers, that no delivery may use."""
    for feed in ("days", "transactions", "products", "customers"):
        for number, row in enumerate(given.get(feed, [])):
            at = (*place, feed, number)
            if feed == "days":
                yield from _unsaid(row, at)
            for column, word in row.items():
                if isinstance(word, str) and unknown(column, [word]):
                    yield Fault((*at, column), word, remedy_of(column))


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def lines_of(given: Given) -> list[Line]:
    """All transactions of an example, in order."""
    return [*given.get("transactions", []), *(line for day in given.get("days", []) for line in day["transactions"])]


def partner_of(line: Line) -> str:
    """The partner that a transaction names, or the plain one."""
    return line.get("partner", PARTNER)


def with_earners(given: Given, earner: Literal["reseller", "seller"]) -> Given:
    """What an example gives, the partner of each line being its seller, or its reseller, where it names one."""

    def earning(lines: list[Line]) -> list[Line]:
        return [cast(Line, line | {"partner": line.get(earner, partner_of(line))}) for line in lines]

    days = [cast(Delivered, day | {"transactions": earning(day["transactions"])}) for day in given.get("days", [])]
    told = {"transactions": earning(given.get("transactions", [])), "days": days}
    return cast(Given, given | {feed: rows for feed, rows in told.items() if feed in given})


def reference_of(line: Line, reference_date: Literal["transaction_date", "invoice_date"]) -> date:
    """The day that prices a line; it is invoiced on its own date unless it says otherwise."""
    return line.get("invoice_on", line["on"]) if reference_date == "invoice_date" else line["on"]


def customer_of(line: Line) -> Text:
    """The customer that a transaction names, or the plain one."""
    return line.get("customer", line.get("customer_id", CUSTOMER))


Example = Annotated[Written, AfterValidator(_sound)]
