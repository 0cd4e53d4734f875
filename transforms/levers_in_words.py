"""A lever in words: what it pays, on what, from which threshold on, and what bounds it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from transforms.brackets import Bracket
from transforms.dated import Dated
from transforms.figures_in_words import Telling, Words
from transforms.levers import Cap, FixedBase, Lever, Scope
from transforms.programs import Clawback, Rung
from transforms.rule_values import Reference

NAMED = {  # columns whose values do not speak for themselves
    "product_id": "product {what}",
    "term": "term {what}",
    "customer_id": "customer {what}",
    "customer_segment": "{what} customers",
    "customer_country": "customers in {what}",
    "charge_type": "charge type {what}",
    "association": "partner associated as {what}",
    "currency": "billed in {what}",
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
SINCE = {"tenant_created": "the customer's tenant was created", "first_purchase": "the customer's first purchase"}
OVER = {
    "transaction": "transaction", "month": "month", "quarter": "quarter", "half_year": "half year",
    "fiscal_year": "fiscal year", "trailing_12_months": "trailing 12 months", "all": "",
}  # fmt: skip
BASES = {
    "revenue": "revenue", "quantity": "quantity", "growth": "growth", "attainment": "attainment",
    "annualised_revenue": "a year's revenue",
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


def lever_in_words(lever: Lever, currency: str, tell: Telling) -> LeverInWords:
    """A lever, its figures as they are told; on a day only the brackets that exist on it."""
    scale = lever.scale
    brackets = [b for b in scale.brackets if tell.on is None or b.exists_on(tell.on)] if scale else []
    return LeverInWords(
        lever.lever,
        lever.title,
        tell.days(lever.effective.start, lever.effective.to),
        tell("{mode} scale of {measure}: {how}", mode=scale.mode, measure=_measure(lever, tell), how=tell(MODES[scale.mode]))
        if scale
        else _price(lever, lever.pricing.brackets[0], currency, tell),
        selected(lever.select, tell),
        [(_threshold(lever, b, currency, tell), _price(lever, b, currency, tell)) for b in brackets],
        list(_conditions(lever, currency, tell)),
        lever.illustrative,
        documented(lever.reference),
    )  # fmt: skip


def selected(select: dict[Any, Any], tell: Telling) -> str:
    """What a lever selects.

    >>> selected({"product_family": ["office365"], "product_segment": {"not": "education"}, "is_trial": False}, Telling())
    'office365, not education, not trial'
    """
    return ", ".join(_column(column, wanted, tell) for column, wanted in select.items()) or tell("every line")


def _column(column: str, wanted: Any, tell: Telling) -> str:
    negated = isinstance(wanted, dict)
    listed = wanted["not"] if isinstance(wanted, dict) else wanted
    listed = listed if isinstance(listed, list) else [listed]
    if column.startswith("is_"):
        word = tell(column.removeprefix("is_").replace("_", "-"))
        return tell.either(word if value != negated else tell("not {what}", what=word) for value in listed)
    said = tell(NAMED.get(column, "{what}"), what=tell.either(listed))
    return tell("not {what}", what=said) if negated else said


def documented(reference: Reference | None) -> str:
    """Where a rule is documented."""
    return "" if reference is None else "; ".join(filter(None, (reference.title, reference.note, reference.url)))


def _measure(lever: Lever, tell: Telling) -> str:
    if lever.measure == "count":
        return tell("the number of {what}s", what=tell.both(_plain(lever.accumulate.per)) or tell("line"))
    return tell(BASES[lever.measure])


def _threshold(lever: Lever, bracket: Bracket, currency: str, tell: Telling) -> str:
    if lever.scale and lever.scale.units == "first_unit":
        return tell("from unit {number}", number=tell.read(bracket.threshold, tell.number))
    figure = tell.read(bracket.threshold, _counted(lever, currency, tell))
    if lever.scale is not None and lever.scale.on_threshold == "lower":
        return tell("above {figure}", figure=figure)
    return tell("from {figure}", figure=figure)


def _counted(lever: Lever, currency: str, tell: Telling) -> Words:
    """How figures of what a lever measures are written."""
    if lever.measure == "attainment":
        return tell.percent
    return tell.money(currency) if lever.counts == "revenue" else tell.number


def _price(lever: Lever, bracket: Bracket, currency: str, tell: Telling) -> str:
    if not lever.pays_by_amount:
        rate = tell.read(bracket.price, tell.percent)
        return tell("{rate} of {base}", rate=rate, base=_base(lever, currency, tell))
    amount = tell.read(bracket.price, tell.money(currency))
    if lever.pricing.is_lump or lever.pricing.mode == "interpolated":
        return amount
    return tell("{amount} a unit of growth" if lever.grows_base else "{amount} a unit", amount=amount)


def _base(lever: Lever, currency: str, tell: Telling) -> str:
    if isinstance(lever.base, FixedBase):
        amount = tell.read(lever.base.fixed, tell.money(currency))
        return tell("{amount} for {unit}", amount=amount, unit=_unit(lever, currency, tell))
    return tell(BASES[lever.base or lever.measure])


def _unit(lever: Lever, currency: str, tell: Telling) -> str:
    """What one unit of a lever's measure is."""
    if lever.measure == "attainment":
        return tell("the whole baseline")
    if lever.measure == "count":
        return tell("each {what}", what=tell.both(_plain(lever.accumulate.per)))
    unit = tell("each {what}", what=currency if lever.counts == "revenue" else tell("unit"))
    if lever.measure == "quantity":
        return unit
    return tell("{unit} of {measure}", unit=unit, measure=tell(BASES[lever.measure]))


def _conditions(lever: Lever, currency: str, tell: Telling) -> Iterator[str]:
    """What bounds a lever, in the order in which it is applied."""
    if lever.window:
        months, event = tell.read(lever.window.months, tell.number), tell(SINCE[lever.window.start])
        yield tell("only in the {months} months since {event}", months=months, event=event)
    if lever.exclusive_partner:
        yield tell("the first partner to earn keeps the {what}", what=tell.both(_plain(lever.exclusive_partner)))
    if lever.one_earning:
        yield tell("one earning ever for each {what}", what=tell.both(_plain(lever.one_earning)))
    if lever.baseline:
        yield tell("compared with {what}", what=_baseline(lever, currency, tell))
    if lever.accumulate.over != "transaction":
        yield tell("counted {each}", each=each(lever.accumulate, tell))
    if lever.minimum:
        least = tell.read(lever.minimum.measure, _counted(lever, currency, tell))
        of_growth = "earns from {least} of growth {each} on"
        said = of_growth if lever.measure == "growth" else "earns from {least} {each} on"
        yield tell(said, least=least, each=each(lever.minimum, tell))
    if lever.stack:
        yield tell("of the levers in group {group} {take}", group=lever.stack.group, take=tell(TAKES[lever.stack.take]))
    yield from (cap_in_words(cap, currency, tell) for cap in lever.cap)


def _baseline(lever: Lever, currency: str, tell: Telling) -> str:
    baseline = lever.baseline
    words: Words = tell.number if baseline and baseline.of == "quantity" else tell.money(currency)
    if baseline and baseline.fixed:
        return tell.read(baseline.fixed, words)
    if baseline and baseline.over:
        return tell("the {of} of the {over}", of=tell(BASES[baseline.of]), over=tell(baseline.over.replace("_", " ")))
    return ""


def cap_in_words(cap: Cap, currency: str, tell: Telling) -> str:
    """The most that is paid."""
    amount = tell.read(cap.amount, tell.money(currency))
    return tell(
        "at most {amount} {each}; {excess}", amount=amount, each=each(cap, tell), excess=tell(EXCESS[cap.excess])
    )


def clawback_in_words(clawback: Clawback | None, tell: Telling) -> Iterator[str]:
    """What each kind of refund takes back; before its first step all."""
    rungs = clawback.rungs if clawback else Dated.always([])
    if tell.on:
        yield from _ladder(rungs.on(tell.on) or [], tell)
        return
    for span in rungs.spans():
        days = tell.days(span.start, span.end)
        for said in _ladder(span.value, tell):
            yield tell("{said}, sold {days}", said=said, days=days) if days else said


def _ladder(rungs: list[Rung], tell: Telling) -> Iterator[str]:
    """What refunds take back by the ladder of a day."""
    for kind in dict.fromkeys(rung.kind for rung in rungs):
        refund = tell("a refund of kind {kind}", kind=tell(kind)) if kind else tell("a refund")
        steps = [(tell.number(rung.from_month), tell.percent(rung.share)) for rung in rungs if rung.kind == kind]
        if steps[0][0] != "0":
            yield tell("{refund} takes back 100 % before {months} months", refund=refund, months=steps[0][0])
        for months, share in steps:
            yield tell("{refund} takes back {share} from {months} months on", refund=refund, share=share, months=months)
    if all(rung.kind for rung in rungs):
        yield tell("{refund} takes back in full", refund=tell("any other refund" if rungs else "a refund"))


def each(scope: Scope, tell: Telling) -> str:
    """Of what one scope is.

    >>> each(Scope(per=["customer"], over="month"), Telling()), each(Scope(over="all"), Telling())
    ('for each partner, customer and month', 'for each partner')
    """
    parts = ["partner", *_plain(scope.per), *filter(None, [OVER[scope.over]])]
    return tell("for each {scope}", scope=tell.both(parts))


def _plain(names: list[Any]) -> list[str]:
    return [name.replace("_", " ") for name in names]
