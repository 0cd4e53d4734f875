"""A program in words: who earns, who may, what each lever pays, what becomes of the earnings, and where it is documented."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from transforms.criteria import Criterion
from transforms.dated import ALWAYS, Dated
from transforms.figures_in_words import NOTHING, Telling
from transforms.levers_in_words import LeverInWords, cap_in_words, clawback_in_words, documented, lever_in_words
from transforms.precedence import Association
from transforms.programs import Program
from transforms.terms import Coop, Payout

CRITERIA = {
    "active_reseller": "is an active reseller",
    "active_agreement": "has an active agreement: {any_of}",
    "competency": "holds a competency{level}: {any_of}",
    "trailing_revenue": "had {at_least} of revenue in the last {days} days",
    "payee_profile": "has a validated bank and tax profile",
    "same_country": "is in the country of its own tenant",
    "not_own_customer": "does not sell to itself",
}
INVITED = {
    "first_transaction": "invited by the first transaction",
    "eligible": "invited when eligible",
    "open": "open to all",
    None: "as enrolment data says",
}
AT = {"line": "each earning", "slice": "each slice's base and its earning", "period": "the earning of each period"}
ROUNDED = {
    "truncate": "is cut off after the currency's decimals",
    "half_up": "is rounded, halves away from zero",
    "half_even": "is rounded, halves to the even digit",
}


class Sentence(NamedTuple):
    """One rule in words, and what it is about."""

    about: str
    says: str


class ProgramInWords(NamedTuple):
    """All rules of a program; on a day, or over all days."""

    head: list[Sentence]
    criteria: list[Sentence]
    levers: list[LeverInWords]
    terms: list[Sentence]


def program_in_words(program: Program, day: date | None = None) -> ProgramInWords:
    """The rules in force on a day; without one, all of them with their days."""
    tell = Telling(day)
    levers = [lever for lever in program.levers if day is None or lever.effective.covers(day)]
    return ProgramInWords(
        list(_head(program, tell)),
        list(_eligibility(program, tell)),
        [lever_in_words(lever, program.currency, tell) for lever in levers],
        list(_terms(program, tell)),
    )


def _head(program: Program, tell: Telling) -> Iterator[Sentence]:
    year = date.fromisoformat(f"2001-{program.fiscal_year_start}")
    yield Sentence("status", program.status)
    yield Sentence("earner", f"the {program.earner} of a line, if {tell.either(program.partner_types)}")
    yield from _association(program.association, tell) if program.association else ()
    yield Sentence("currency", f"{program.currency}; the fiscal year begins on {year.day} {year:%B}")
    yield Sentence("priced by", program.reference_date.replace("_", " "))
    yield Sentence("documented", documented(program.reference))


def _association(association: Association, tell: Telling) -> Iterator[Sentence]:
    ranked = tell.read(association.precedence, ", then ".join)
    decides = "no claim counts" if ranked == NOTHING else f"{ranked}: the first that is in force decides who earns"
    yield Sentence("association", decides)
    for claimed, opt_out in association.opt_out_days.items():
        if (wait := tell.read(opt_out, lambda days: f"{days} days")) != NOTHING:
            yield Sentence("association", f"from its approval a customer may opt out of a {claimed} claim for {wait}")


def _eligibility(program: Program, tell: Telling) -> Iterator[Sentence]:
    day, starts = tell.on, sorted(program.eligibility.criteria)
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        if day is None or (start <= day and (end is None or day < end)):
            since = "" if day or start == ALWAYS else f" (from {start})"
            for criterion in program.eligibility.criteria[start]:
                yield Sentence(criterion.criterion, _criterion(criterion, program.currency, tell) + since)
            if not program.eligibility.criteria[start]:
                yield Sentence("no criterion", f"is asked{since}")
    if program.enrolment:
        yield Sentence("enrolment", _enrolment(program, tell))
    begins = {"month_start": "the first day of the month in which", "day_met": "the day on which"}
    days = program.eligibility.grace_days
    grace = tell.read(days if tell.has(days) else Dated.always(0), _grace)
    yield Sentence("earns", f"from {begins[program.eligibility.earns_from]} all hold until one no longer does; {grace}")


def _grace(days: int) -> str:
    return f"{days} days of grace" if days else "no day of grace"


def _criterion(criterion: Criterion, currency: str, tell: Telling) -> str:
    figures = [figure for figure in (criterion.any_of, criterion.at_least, criterion.days) if figure]
    if any(tell.read(figure, str) == NOTHING for figure in figures):
        return "is not asked on this day"
    level = f" ({tell.read(criterion.level, tell.either)})" if criterion.level else ""
    said = CRITERIA[criterion.criterion].format(
        any_of=tell.read(criterion.any_of or Dated.always(None), tell.either),
        level=level,
        at_least=tell.read(criterion.at_least or Dated.always(None), tell.money(currency)),
        days=tell.read(criterion.days, tell.number),
    )
    return said + ("; once met it stays met" if criterion.once_met_stays else "")


def _enrolment(program: Program, tell: Telling) -> str:
    enrolment = program.enrolment
    if enrolment is None:
        return ""
    parts = [INVITED[enrolment.invite_on]]
    if tell.has(enrolment.valid_days):
        parts.append(f"an invitation holds {tell.read(enrolment.valid_days, tell.number)} days")
    parts += ["expires at the end of the fiscal year"] if enrolment.expires else []
    return "; ".join([*parts, "rolls over" if enrolment.rolls_over else "does not roll over"])


def _terms(program: Program, tell: Telling) -> Iterator[Sentence]:
    """What becomes of an earning after its lever, in the order in which it happens."""
    yield from (Sentence("cap", f"over all levers {cap_in_words(cap, program.currency, tell)}") for cap in program.cap)
    yield Sentence("rounding", f"{AT[program.rounding.at]} {ROUNDED[program.rounding.mode]}")
    split = (
        f"rebate {tell.read(program.split.rebate, tell.percent)}; co-op {tell.read(program.split.coop, tell.percent)}"
    )
    rounded, rest = ("co-op", "rebate") if program.remainder_to == "rebate" else ("rebate", "co-op")
    yield Sentence("split", f"{split}; the {rounded} is rounded as the earning is, the {rest} is what that leaves")
    yield from (Sentence("clawback", said) for said in clawback_in_words(program.clawback, tell))
    yield from _coop(program.coop, program.currency, tell) if program.coop else ()
    yield from _payout(program.payout, program.currency, tell) if program.payout else ()


def _coop(coop: Coop, currency: str, tell: Telling) -> Iterator[Sentence]:
    if tell.has(coop.minimum):
        yield Sentence(
            "co-op", f"below {tell.read(coop.minimum, tell.money(currency))} in a half year it becomes rebate"
        )
    if tell.has(coop.usage_months):
        months = tell.read(coop.usage_months, tell.number)
        yield Sentence("co-op", f"is used in the {months} months after the half year of earning")
    opens = coop.claims_open
    if tell.has(coop.usage_months) and opens and tell.has(opens.months) and tell.has(opens.day):
        month, day = tell.read(opens.months, _ordinal), tell.read(opens.day, tell.number)
        yield Sentence("co-op", f"is claimed from day {day} of the {month} month after the half year on")
    for activity, cap in coop.caps.items():
        most = [f"{tell.read(cap.share, tell.percent)} of it"] if tell.has(cap.share) else []
        most += [tell.read(cap.amount, tell.money(currency))] if tell.has(cap.amount) else []
        told = " or ".join(most) + (", whichever is more" if len(most) > 1 else "")
        if most:
            yield Sentence("co-op", f"{activity.replace('_', ' ')}: at most {told}")
    if tell.has(coop.usage_months) and tell.has(coop.grace_days):
        days = tell.read(coop.grace_days, tell.number)
        yield Sentence("co-op", f"is claimed until {days} days after the months of use, the last one included")


def _ordinal(months: int) -> str:
    """Which month lies so many after the first.

    >>> _ordinal(1), _ordinal(3)
    ('second', '4th')
    """
    return {0: "first", 1: "second", 2: "third"}.get(months, f"{months + 1}th")


def _payout(payout: Payout, currency: str, tell: Telling) -> Iterator[Sentence]:
    if payout.due and tell.has(payout.due.lag_days) and tell.has(payout.due.day):
        lag, day = tell.read(payout.due.lag_days, tell.number), tell.read(payout.due.day, tell.number)
        yield Sentence("payout", f"due on day {day} of the month that holds the earning month's end plus {lag} days")
    if tell.has(payout.minimum):
        yield Sentence("payout", f"from {tell.read(payout.minimum, tell.money(currency))} on; less is carried forward")
    if tell.has(payout.minimum) and payout.unreached:
        then = {"forfeit": "forfeited", "carry": "carried on"}[payout.unreached.then]
        yield Sentence("payout", f"what is below the minimum at the end of the fiscal year is {then}")
    if payout.hold and tell.has(payout.hold.missing_payee_days):
        then = ", ".join(f"{country}: {word}" for country, word in payout.hold.then.items())
        days = tell.read(payout.hold.missing_payee_days, tell.number)
        yield Sentence("payout", f"after {days} days without a payee ({then})")
    if payout.offset_negative:
        yield Sentence("payout", "a negative balance is recovered from later payments, oldest first")
