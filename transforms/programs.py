"""Program files: incentive rules as dated data, read from programs/*.yaml and nowhere else.

The words of a file are those of docs/programs.md. Every fault is refused at load with file, line, key, value, remedy.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, ValidationError, model_validator

from transforms.criteria import Eligibility
from transforms.dated import ALWAYS, Dated, together
from transforms.levers import Cap, Lever, Over
from transforms.money import RoundingMode
from transforms.precedence import Association
from transforms.rule_faults import faults_of, named_faults
from transforms.rule_file import RuleFault, RuleText, kind_of, parsed
from transforms.rule_values import (
    Currency,
    DatedMonths,
    DatedNumber,
    DatedShare,
    Fault,
    Name,
    Reference,
    Rule,
    refuse,
    repeated,
)
from transforms.terms import Coop, Enrolment, Payout
from transforms.worked_examples import Example

PERIODS: tuple[Over, ...] = ("transaction", "month", "quarter", "half_year", "fiscal_year", "trailing_12_months", "all")


class Rounding(Rule):
    """How a fraction of a minor unit is rounded, and where: each earning, each slice's base and earning, or a period."""

    mode: RoundingMode
    at: Literal["line", "period", "slice"]

    @property
    def of_rows(self) -> RoundingMode:
        """How each row is rounded; where the sum of a period is rounded, rows are cut off."""
        return "truncate" if self.at == "period" else self.mode


class Split(Rule):
    """How an earning is divided; the shares sum to 1 on every day."""

    rebate: DatedNumber
    coop: DatedNumber = Dated.always(Decimal(0))

    def on(self, day: date) -> tuple[Decimal, Decimal]:
        """The rebate and the co-op share on a day."""
        return self.rebate.on(day) or Decimal(0), self.coop.on(day) or Decimal(0)

    def exists_on(self, day: date) -> bool:
        """Whether there are shares on a day."""
        return any(share.on(day) for share in (self.rebate, self.coop))

    @model_validator(mode="after")
    def _whole(self) -> "Split":
        days = sorted({*self.rebate.values, *self.coop.values})
        refuse(
            Fault(
                (),
                " and ".join(map(str, self.on(day))),
                f"rebate and coop{_since(day)} are no shares that sum to 1; give each from 0 to 1",
            )
            for day in days
            if self.exists_on(day) and (sum(self.on(day)) != 1 or min(self.on(day)) < 0)
        )
        return self


def _since(day: date) -> str:
    return "" if day == ALWAYS else f" on [{day}]"


class Step(Rule):
    """A step of a clawback ladder: what share is taken back from that many completed months after the original on."""

    from_month: DatedMonths
    share: DatedShare
    kind: Literal["cancellation", "lapse", "withdrawal"] | None = None


class Rung(NamedTuple):
    """A step of a ladder as it is on one day."""

    from_month: int
    share: Decimal
    kind: str | None


class Clawback(Rule):
    """What a linked refund takes back of what is left of its original's earning; the original's day picks the ladder."""

    ladder: list[Step] = Field(min_length=1)
    base: Literal["net_earned"] = "net_earned"

    @property
    def rungs(self) -> Dated[list[Rung]]:
        """The ladder as it is dated: its steps that have a month and a share on a day."""
        steps = [(together(step.from_month, step.share), step.kind) for step in self.ladder]
        days = {day for held, _ in steps for day in held.values}
        return Dated({day: [Rung._make((*on, kind)) for held, kind in steps if (on := held.on(day))] for day in days})

    @model_validator(mode="after")
    def _order(self) -> "Clawback":
        for day, rungs in self.rungs.values.items():
            for kind in dict.fromkeys(rung.kind for rung in rungs or ()):
                months = [rung.from_month for rung in rungs or () if rung.kind == kind]
                if months != sorted(set(months)):
                    raise ValueError(
                        f"months {months} of kind [{kind or 'any'}]{_since(day)} do not rise; put the first step first"
                    )
        return self


def _in_every_year(start: str) -> str:
    try:
        date.fromisoformat(f"2001-{start}")
    except ValueError:
        raise ValueError(
            f'[{start}] is not a day of every year; write month and day in quotes, as in "07-01"'
        ) from None
    return start


def between_parts(levers: dict[int, Lever], split: Split | None) -> Iterator[Fault]:
    """What is wrong between parts of a program that are sound by themselves; levers by their place in the file."""
    yield from _unlike_stacks(levers)
    names: set[str] = set()
    for number, lever in levers.items():
        if lever.lever in names:
            remedy = f"two levers are called [{lever.lever}]; name each once"
            yield Fault(("levers", number, "lever"), lever.lever, remedy)
        names.add(lever.lever)
        for day in lever.effective.changes([*split.rebate.values, *split.coop.values]) if split else ():
            if split and not split.exists_on(day):
                yield Fault(("split",), day, f"no split on [{day}], when lever [{lever.lever}] is in force; give one")


def _unlike_stacks(levers: dict[int, Lever]) -> Iterator[Fault]:
    """Levers of one stack that would take differently from it."""
    takes: dict[str, str] = {}
    for number, lever in levers.items():
        if lever.stack and takes.setdefault(lever.stack.group, lever.stack.take) != lever.stack.take:
            remedy = (
                f"group [{lever.stack.group}] takes [{takes[lever.stack.group]}] above; all its levers take the same"
            )
            yield Fault(("levers", number, "stack", "take"), lever.stack.take, remedy)


def unfunded(coop: Coop | None, split: Split) -> Iterator[Fault]:
    """Terms of co-op in a program that gives none."""
    if coop and not any(split.coop.values.values()):
        yield Fault(("coop",), "…", "the split gives no co-op; add coop to it, or leave these terms out")


def unproven(status: object, examples: object) -> Iterator[Fault]:
    """That an active program shows nothing of what it pays."""
    if status == "active" and not examples:
        yield Fault(("status",), status, "an active program needs examples; add at least one with what it earns")


class Program(Rule):
    """One program file."""

    program: Name
    title: str
    status: Literal["draft", "active", "retired"]
    reference: Reference
    earner: Literal["reseller", "seller"]
    association: Association | None = None
    partner_types: list[Literal["direct_bill", "indirect_provider", "indirect_reseller"]] = Field(min_length=1)
    currency: Currency
    fiscal_year_start: Annotated[
        str, AfterValidator(_in_every_year), Field(json_schema_extra={"pattern": r"^\d\d-\d\d$"})
    ]
    reference_date: Literal["transaction_date", "invoice_date"]
    rounding: Rounding
    remainder_to: Literal["rebate", "coop"] = "rebate"
    eligibility: Eligibility
    enrolment: Enrolment | None = None
    levers: list[Lever] = Field(min_length=1)
    cap: list[Cap] = Field(default_factory=list)
    split: Split
    coop: Coop | None = None
    payout: Payout | None = None
    clawback: Clawback | None = None
    examples: list[Example] = Field(default_factory=list)
    rule_version: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> "Program":
        refuse(
            [
                *between_parts(dict(enumerate(self.levers)), self.split),
                *unproven(self.status, self.examples),
                *unfunded(self.coop, self.split),
                *repeated(("partner_types",), self.partner_types),
                *(fault for n, cap in enumerate(self.cap) for fault in repeated(("cap", n, "per"), cap.per)),
                *repeated(("examples",), [example.get("example", f"{n}") for n, example in enumerate(self.examples)]),
            ]
        )
        return self

    @property
    def goes_on(self) -> bool:
        """Whether positions are all that lines which are added need to know of those before them."""
        caps = [*self.cap, *(cap for lever in self.levers for cap in lever.cap)]
        is_simple = self.rounding.at != "period" and all(cap.excess == "forfeit" for cap in caps)
        return is_simple and all(lever.goes_on for lever in self.levers)

    @property
    def pays_until(self) -> date | None:
        """The first day on which no lever is in force for good, None while one is open."""
        ends = [lever.effective.to for lever in self.levers]
        return None if None in ends else max(filter(None, ends))

    @property
    def cell_over(self) -> Over:
        """Within which period the lines of one partner bear on one another: the longest that a rule counts over."""
        if any(lever.looks_back for lever in self.levers) or any(cap.excess == "defer" for cap in self.cap):
            return "all"
        found = [scope.over for lever in self.levers for scope in lever.scopes] + [cap.over for cap in self.cap]
        found += ["month"] if self.rounding.at == "period" else []
        longest: Over = max(found, key=PERIODS.index, default="transaction")
        nested = self.fiscal_year_start.endswith("-01") or set(found) <= {longest}
        return longest if nested else "all"  # a calendar month may lie in two quarters


def load(path: Path) -> Program:
    """One program file, checked against everything that can be checked without running its examples.

    Raises RuleFault for its first fault, with file, line, key, value and remedy.
    """
    program, faults = loaded(path)
    if faults or program is None:
        raise faults[0]
    return program


def loaded(path: Path) -> tuple[Program | None, list[RuleFault]]:
    """One program file, None where it cannot be used, and all its faults."""
    if path.suffix != ".yaml":
        remedy = f"rule files are named .yaml; rename it to {path.stem}.yaml"
        return None, [RuleFault(path.name, 1, "file", path.suffix, remedy)]
    text = parsed(path)
    found = list(text.faults)
    program = None
    if text.content is not None or not found:
        try:
            program = _program(path, text)
        except ValidationError as refused:
            told = {known.line for known in found}
            named = named_faults(path.name, text, [*faults_of(refused), *_besides(text.content)])
            found += [fault for fault in named if fault.line not in told]
        except RuleFault as fault:
            found.append(fault)
    return None if found else program, found


def _besides(content: dict[str, Any]) -> Iterator[Fault]:
    """What is wrong between the sound parts of a program that has others which are not."""
    levers, split = {}, None
    listed = content.get("levers")
    for number, written in enumerate(listed if isinstance(listed, list) else ()):
        with suppress(ValidationError):
            levers[number] = Lever.model_validate(written)
    with suppress(ValidationError):
        split = Split.model_validate(content.get("split"))
    yield from between_parts(levers, split)
    yield from unproven(content.get("status"), content.get("examples"))


def _program(path: Path, text: RuleText) -> Program:
    if not isinstance(text.content, dict):
        kind = kind_of(text.content)
        raise RuleFault(path.name, 1, "file", kind, "a program file is a mapping that begins with program:")
    program = Program.model_validate({**text.content, "rule_version": _version(path)})
    if program.program != path.stem:
        raise RuleFault(
            path.name, text.lines[("program",)], "program", program.program, f"name it after its file: {path.stem}"
        )
    return program


def rule_files(folder: Path) -> list[Path]:
    """The files of a folder that are rule files or meant as such, in order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in (".yaml", ".yml"))


def load_all(folder: Path) -> list[Program]:
    """Every program file of a folder, in order of their names."""
    return [load(path) for path in sorted(folder.glob("*.yaml"))]


def active(programs: Iterable[Program]) -> list[Program]:
    """The programs that post earnings."""
    return [program for program in programs if program.status == "active"]


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
