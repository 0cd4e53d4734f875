"""A lever in words: what it pays, on what, from which threshold on, and what bounds it."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from transforms.brackets import Bracket
from transforms.figures_in_words import Reading, Words, both, days, either, money, number, percent
from transforms.levers import Cap, FixedBase, Lever, Scope
from transforms.programs import Clawback
from transforms.rule_values import Reference

NAMED = {  # columns whose values do not speak for themselves
    "product_id": "product {}",
    "term": "term {}",
    "customer_id": "customer {}",
    "customer_segment": "{} customers",
    "customer_country": "customers in {}",
    "charge_type": "charge type {}",
    "association": "partner associated as {}",
    "currency": "billed in {}",
}
MODES = {
    "flat": "the whole line at the bracket of the running total with it",
    "marginal": "each slice of a line at its own bracket",
    "retroactive": "all lines of the period at the bracket of its total",
    "interpolated": "each bracket's amount by how far it is filled",
    "lump_sum": "the amount of the highest bracket reached, once",
    "cumulative_lump_sum": "the amount of each bracket reached, once",
}
TAKES = {
    "sum": "all of them pay",
    "highest": "the one that pays most",
    "first": "the first that selects the line",
    "most_specific": "the one that selects most closely",
}
EXCESS = {"forfeit": "the rest is forfeited", "defer": "the rest is paid as room appears"}
OVER = {
    "transaction": "transaction", "month": "month", "quarter": "quarter", "half_year": "half year",
    "fiscal_year": "fiscal year", "trailing_12_months": "trailing 12 months", "all": "",
}  # fmt: skip


class LeverInWords(NamedTuple):
    """One lever: brackets are pairs of a threshold and what is paid from it on, where there is a scale."""

    lever: str
    title: str
    in_force: str
    pays: str
    selects: str
    brackets: list[tuple[str, str]]
    conditions: list[str]
    illustrative: bool
    documented: str

    @property
    def price(self) -> str:
        """What it pays, with its brackets."""
        return "; ".join([self.pays, *(f"{threshold}: {pays}" for threshold, pays in self.brackets)])


def lever_in_words(lever: Lever, currency: str, read: Reading, day: date | None) -> LeverInWords:
    """A lever, its figures as read; with a day only the brackets that exist on it."""
    scale = lever.scale
    brackets = [b for b in scale.brackets if day is None or b.exists_on(day)] if scale else []
    return LeverInWords(
        lever.lever,
        lever.title,
        days(lever.effective.start, lever.effective.to).strip(),
        f"{scale.mode} scale of {_measure(lever)}: {MODES[scale.mode]}"
        if scale
        else _price(lever, lever.pricing.brackets[0], currency, read),
        selected(lever.select),
        [(_threshold(lever, b, currency, read), _price(lever, b, currency, read)) for b in brackets],
        list(_conditions(lever, currency, read)),
        lever.illustrative,
        documented(lever.reference),
    )


def selected(select: dict[Any, Any]) -> str:
    """What a lever selects.

    >>> selected({"product_family": ["office365"], "product_segment": {"not": "education"}, "is_trial": False})
    'office365, not education, not trial'
    """
    return ", ".join(_column(column, wanted) for column, wanted in select.items()) or "every line"


def _column(column: str, wanted: Any) -> str:
    negated = isinstance(wanted, dict)
    listed = wanted["not"] if isinstance(wanted, dict) else wanted
    listed = listed if isinstance(listed, list) else [listed]
    if column.startswith("is_"):
        word = column.removeprefix("is_").replace("_", "-")
        return either(word if value != negated else f"not {word}" for value in listed)
    said = NAMED.get(column, "{}").format(either(listed))
    return f"not {said}" if negated else said


def documented(reference: Reference | None) -> str:
    """Where a rule is documented."""
    return "" if reference is None else "; ".join(filter(None, (reference.title, reference.note, reference.url)))


def _measure(lever: Lever) -> str:
    if lever.measure == "count":
        return f"the number of {both(lever.accumulate.per) or 'line'}s"
    return lever.measure


def _threshold(lever: Lever, bracket: Bracket, currency: str, read: Reading) -> str:
    if lever.scale and lever.scale.units == "first_unit":
        return f"from unit {read(bracket.threshold, number)}"
    above = lever.scale is not None and lever.scale.on_threshold == "lower"
    return f"{'above' if above else 'from'} {read(bracket.threshold, _counted(lever, currency))}"


def _counted(lever: Lever, currency: str) -> Words:
    """How figures of what a lever measures are written."""
    if lever.measure == "attainment":
        return percent
    return money(currency) if lever.counts == "revenue" else number


def _price(lever: Lever, bracket: Bracket, currency: str, read: Reading) -> str:
    if not lever.pays_by_amount:
        return f"{read(bracket.price, percent)} of {_base(lever, currency, read)}"
    amount = read(bracket.price, money(currency))
    if lever.pricing.is_lump or lever.pricing.mode == "interpolated":
        return amount
    return f"{amount} a unit{' of growth' if lever.grows_base else ''}"


def _base(lever: Lever, currency: str, read: Reading) -> str:
    if isinstance(lever.base, FixedBase):
        return f"{read(lever.base.fixed, money(currency))} for {_unit(lever, currency)}"
    return (lever.base or lever.measure).replace("annualised_revenue", "a year's revenue")


def _unit(lever: Lever, currency: str) -> str:
    """What one unit of a lever's measure is."""
    if lever.measure == "attainment":
        return "the whole baseline"
    if lever.measure == "count":
        return f"each {both(lever.accumulate.per)}"
    unit = currency if lever.counts == "revenue" else "unit"
    return f"each {unit}{'' if lever.measure == 'quantity' else f' of {lever.measure}'}"


def _conditions(lever: Lever, currency: str, read: Reading) -> Iterator[str]:
    """What bounds a lever, in the order in which it is applied."""
    if lever.window:
        since = {
            "tenant_created": "the customer's tenant was created",
            "first_purchase": "the customer's first purchase",
        }
        yield f"only in the {read(lever.window.months, number)} months since {since[lever.window.start]}"
    if lever.exclusive_partner:
        yield f"the first partner to earn keeps the {both(lever.exclusive_partner)}"
    if lever.one_earning:
        yield f"one earning ever for each {both(lever.one_earning)}"
    if lever.baseline:
        yield f"compared with {_baseline(lever, currency, read)}"
    if lever.accumulate.over != "transaction":
        yield f"counted {each(lever.accumulate)}"
    if lever.minimum:
        least = read(lever.minimum.measure, _counted(lever, currency))
        yield f"earns from {least}{' of growth' if lever.measure == 'growth' else ''} {each(lever.minimum)} on"
    if lever.stack:
        yield f"of the levers in group {lever.stack.group} {TAKES[lever.stack.take]}"
    yield from (cap_in_words(cap, currency, read) for cap in lever.cap)


def _baseline(lever: Lever, currency: str, read: Reading) -> str:
    baseline = lever.baseline
    words: Words = number if baseline and baseline.of == "quantity" else money(currency)
    if baseline and baseline.fixed:
        return read(baseline.fixed, words)
    return f"the {baseline.of} of the {baseline.over.replace('_', ' ')}" if baseline and baseline.over else ""


def cap_in_words(cap: Cap, currency: str, read: Reading) -> str:
    """The most that is paid."""
    return f"at most {read(cap.amount, money(currency))} {each(cap)}; {EXCESS[cap.excess]}"


def clawback_in_words(clawback: Clawback | None) -> Iterator[str]:
    """What each kind of refund takes back; before its first step all."""
    ladder = clawback.ladder if clawback else []
    for kind in dict.fromkeys(step.kind for step in ladder):
        steps = [step for step in ladder if step.kind == kind]
        refund = f"a refund of kind {kind}" if kind else "a refund"
        if first := steps[0].from_month:
            yield f"{refund} takes back 100 % before {first} months"
        yield from (f"{refund} takes back {percent(step.share)} from {step.from_month} months on" for step in steps)
    if all(step.kind for step in ladder):
        yield f"{'any other' if ladder else 'a'} refund takes back in full"


def each(scope: Scope) -> str:
    """Of what one scope is.

    >>> each(Scope(per=["customer"], over="month")), each(Scope(over="all"))
    ('for each partner, customer and month', 'for each partner')
    """
    parts = ["partner", *(name.replace("_", " ") for name in scope.per), *filter(None, [OVER[scope.over]])]
    return f"for each {both(parts)}"
