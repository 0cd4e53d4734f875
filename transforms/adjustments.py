"""Manual adjustments, declared in adjustments/*.yaml: who gets or gives back how much, why, and who approved it."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field, ValidationError, field_validator, model_validator

from transforms import people
from transforms.programs import Program
from transforms.rule_faults import faults_of, named_faults
from transforms.rule_file import RuleFault, kind_of, parsed
from transforms.rule_values import Name, Rule
from transforms.vocabulary import EXPONENTS

AdjustmentReason = Literal[
    "ar_compliance",
    "coop_rollover",
    "ops_adjustment",
    "ops_adjustment_incorrect_calculation",
    "ops_adjustment_incorrect_enrollment",
    "partner_association",
    "policy_exception",
    "prior_period_earnings",
]


BELOW = 10**12  # major units; what a delivered amount may be too
FIRST_MONTH = date(2000, 1, 1)  # as early as a transaction may lie


class Expected(Rule):
    """What must be so for the adjustment to be right: the partner's earnings of the month, before the adjustment."""

    earned: Decimal


class Adjustment(Rule):
    """One declared adjustment; amounts in major units, `program_amount` where the currency is not the program's."""

    adjustment: Name
    program: Name
    partner: str
    month: date
    earning_type: Literal["rebate", "coop"]
    amount: Decimal
    currency: str
    program_amount: Decimal | None = None
    reason: AdjustmentReason
    note: str | None = None
    by: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    expect: Expected

    @field_validator("month")
    @classmethod
    def _first(cls, month: date) -> date:
        if month.day != 1:
            raise ValueError(f"[{month}] is not the first day of a month; write {month.replace(day=1)}")
        return month

    @model_validator(mode="after")
    def _sound(self) -> "Adjustment":
        if people.is_same(self.by, self.approved_by):
            raise ValueError(f"[{self.by}] approves an own adjustment; somebody else must")
        if self.currency not in EXPONENTS:
            raise ValueError(f"currency [{self.currency}] is not in ISO 4217 as money in trade")
        for amount in (self.amount, self.expect.earned):
            minor(amount, self.currency)
        for amount in (self.amount, self.expect.earned, self.program_amount or Decimal(0)):
            if abs(amount) >= BELOW:
                raise ValueError(f"[{amount}] is not below {BELOW:,}, as every amount must be")
        return self


def exponent(currency: str) -> int:
    """How many decimals a currency has."""
    return EXPONENTS[currency]


def minor(amount: Decimal, currency: str) -> int:
    """An amount in minor units; raises ValueError when it has more decimals than the currency."""
    shifted = amount.scaleb(exponent(currency))
    if shifted != shifted.to_integral_value():
        raise ValueError(f"[{amount}] has more decimals than [{currency}] has")
    return int(shifted)


def major(amount_minor: int, currency: str) -> Decimal:
    """An amount in major units, with the decimals of its currency.

    >>> major(1250, "USD"), major(1250, "JPY")
    (Decimal('12.50'), Decimal('1250'))
    """
    return Decimal(amount_minor).scaleb(-exponent(currency))


def load(path: Path) -> Adjustment:
    """One adjustment file. Raises RuleFault with file, line, key, value and remedy."""
    text = parsed(path)
    if text.faults:
        raise text.faults[0]
    if not isinstance(text.content, dict):
        raise RuleFault(path.name, 1, "file", kind_of(text.content), "a mapping that begins with adjustment:")
    try:
        declared = Adjustment.model_validate(text.content)
    except ValidationError as fault:
        raise named_faults(path.name, text, faults_of(fault))[0] from None
    if declared.adjustment != path.stem:
        raise RuleFault(
            path.name,
            text.lines[("adjustment",)],
            "adjustment",
            declared.adjustment,
            f"name it after its file: {path.stem}",
        )
    return declared


def refusals(
    declared: list[Adjustment], earned: pd.DataFrame, partner_ids: pd.Series, programs: list[Program], run_date: date
) -> dict[str, str]:
    """Adjustment → why it cannot be posted on a day: its program, partner, month, sums, or what it expects is not so.

    `earned` holds `amount_minor` by program, partner_id, earning_month and currency.
    """
    by_name = {program.program: program for program in programs}
    keys = ["program", "partner_id", "earning_month", "currency"]
    sums = earned.astype({c: "str" for c in keys if c != "earning_month"}).set_index(keys)["amount_minor"].to_dict()
    known = set(partner_ids)
    refused = {}
    for one in declared:
        found = int(sums.get((one.program, one.partner, pd.Timestamp(one.month), one.currency), 0))
        if fault := _fault_of_program(one, by_name.get(one.program)):
            refused[one.adjustment] = fault
        elif one.partner not in known:
            refused[one.adjustment] = f"partner [{one.partner}] is in no delivery of partners"
        elif not FIRST_MONTH <= one.month <= run_date:
            refused[one.adjustment] = (
                f"month [{one.month}] is not from [{FIRST_MONTH}] to [{run_date}], the day; "
                f"write the month that it corrects into {one.adjustment}.yaml"
            )
        elif fault := _fault_of_program_amount(one, by_name[one.program].currency):
            refused[one.adjustment] = fault
        elif found != minor(one.expect.earned, one.currency):
            refused[one.adjustment] = (
                f"expects [{one.expect.earned}] earned, found [{major(found, one.currency)}]; look again"
            )
    return refused


def _fault_of_program(one: Adjustment, program: Program | None) -> str | None:
    """Why nothing can be posted in an adjustment's program."""
    if program is None:
        return f"program [{one.program}] does not exist"
    if program.status != "active":
        return (
            f"program [{one.program}] is [{program.status}], and an active one alone posts; "
            f"name another in {one.adjustment}.yaml, or remove the file"
        )
    return None


def _fault_of_program_amount(one: Adjustment, currency: str) -> str | None:
    """Why an adjustment cannot be posted in its program's currency."""
    if one.currency == currency:
        if one.program_amount in (None, one.amount):
            return None
        return f"program_amount [{one.program_amount}] is not its amount [{one.amount}], and both are in [{currency}]; leave it out"
    if one.program_amount is None:
        return f"give program_amount in [{currency}]"
    try:
        minor(one.program_amount, currency)
    except ValueError as fault:
        return f"program_amount: {fault}"
    return None


def edited(declared: list[Adjustment], posted: pd.DataFrame) -> dict[str, str]:
    """Adjustments whose file no longer says what was posted; a note may change, as when it named a person who is erased."""
    held = as_declared(posted)
    told = {}
    for one in declared:
        said = one.model_dump() | {"program_amount": None if one.program_amount == one.amount else one.program_amount}
        if was := {name: value for name, value in held[one.adjustment].items() if value != said[name]}:
            now = ", ".join(f"{name} [{said[name]}]" for name in was)
            then = ", ".join(f"[{value}]" for value in was.values())
            told[one.adjustment] = (
                f"says {now} but was posted with {then}; put it back, and declare another one for the difference"
            )
    return told


def as_declared(posted: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Adjustment → what was posted, by the names and in the units of its file; no `program_amount` that is the amount."""
    return {
        row.adjustment_id: {
            "program": row.program,
            "partner": row.partner_id,
            "month": row.earning_month.date(),
            "earning_type": row.earning_type,
            "amount": amount,
            "currency": row.currency,
            "program_amount": None if program_amount == amount else program_amount,
            "reason": row.adjustment_reason,
            "by": row.written_by,
            "approved_by": row.approved_by,
            "reference": row.reference,
        }
        for row in posted.itertuples()
        for amount in [major(int(row.amount_minor), row.currency)]
        for program_amount in [major(int(row.program_amount_minor), row.program_currency)]
    }


def adjustments(declared: list[Adjustment], run_date: date) -> pd.DataFrame:
    """Adjustments to post on a day, one row each, amounts in minor units."""
    columns: dict[str, Any] = {
        "adjustment_id": [one.adjustment for one in declared],
        "program": [one.program for one in declared],
        "partner_id": [one.partner for one in declared],
        "earning_month": [pd.Timestamp(one.month) for one in declared],
        "earning_type": [one.earning_type for one in declared],
        "currency": [one.currency for one in declared],
        "amount_minor": [minor(one.amount, one.currency) for one in declared],
        "adjustment_reason": [one.reason for one in declared],
        "note": [one.note for one in declared],
        "written_by": [one.by for one in declared],
        "approved_by": [one.approved_by for one in declared],
        "reference": [one.reference for one in declared],
        "posted_on": [pd.Timestamp(run_date)] * len(declared),
    }
    return pd.DataFrame(columns)


def entries(declared: list[Adjustment], programs: list[Program], run_date: date) -> pd.DataFrame:
    """The ledger entries of adjustments: no line and no price, in transaction and in program currency."""
    currencies = {program.program: program.currency for program in programs}
    posted = adjustments(declared, run_date)
    program_currency = [currencies[one.program] for one in declared]
    amounts = [
        minor(one.amount if one.program_amount is None else one.program_amount, currency)
        for one, currency in zip(declared, program_currency, strict=True)
    ]
    return posted.assign(
        transaction_id=None, payment_id=None, lever="adjustment", bracket=0, program_currency=program_currency,
        program_amount_minor=amounts, rate=None, fx_month=pd.NaT, fx_rate=None, rule_version=None,
        cause="adjustment", cause_detail=posted["adjustment_reason"],
    )  # fmt: skip
