"""Worked examples of program files, run through the same transforms as real lines, all of a program at once."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import pandas as pd

from transforms.adjustments import minor
from transforms.contexts import Known
from transforms.earnings import in_context
from transforms.example_lines import World, decided_worlds, exponent
from transforms.example_payouts import payouts
from transforms.example_standing import Standing, standings
from transforms.holders import first_to_earn
from transforms.programs import Program
from transforms.reasons import REASONS
from transforms.rule_file import RuleFault, read
from transforms.worked_examples import Expected, Given, Line, Written, lines_of, with_earners

NO_PAYMENT = {"rebate": Decimal(0), "coop": Decimal(0)}
NOT_WORKED_OUT, ASK = (
    "could not be worked out",
    "look for a figure out of range; if there is none, report this to the developers",
)


class ExampleFault(RuleFault):
    """An example whose result differs: what it expects, what was computed, and what became of each line."""

    def __init__(self, file: str, line: int, key: str, expected: object, computed: object, trace: list[str]) -> None:
        self.expected, self.computed, self.trace = _shown(expected), _shown(computed), trace
        told = "".join(f"\n    {text}" for text in trace)
        super().__init__(
            file, line, key, self.expected, f"expected [{self.expected}], computed [{self.computed}]; its lines:{told}"
        )


class Difference(NamedTuple):
    """A figure of an example that is not what it expects, and what became of each line."""

    key: str
    wanted: object
    computed: object
    trace: list[str]


def check(program: Program, path: Path) -> None:
    """Run a program's examples. Raises RuleFault at the first fault."""
    if faults := try_examples(program, path):
        raise faults[0]


def try_examples(program: Program, path: Path) -> list[RuleFault]:
    """Every figure of a program's examples that differs, and every example that proves nothing."""
    _, lines = read(path)
    faults: list[RuleFault] = []
    run = {}
    for number, example in enumerate(program.examples):
        name, line = example.get("example", f"number {number + 1}"), lines.get(("examples", number), 1)
        faults += (
            unfit := [RuleFault(path.name, line, f"examples.{name}", *said) for said in _unfit(program, example)]
        )
        if not unfit:
            run[number] = name
    computed = _each(program, [program.examples[number] for number in run]) if run else []
    for (number, name), found in zip(run.items(), computed, strict=True):
        if isinstance(found, Exception):
            line, raised = lines.get(("examples", number), 1), type(found).__name__
            faults.append(RuleFault(path.name, line, f"examples.{name}", raised, f"{NOT_WORKED_OUT}: {found}; {ASK}"))
            continue
        for key, wanted, now, trace in found:
            line = lines.get(("examples", number, "expect", key), 1)
            faults.append(ExampleFault(path.name, line, f"examples.{name}.{key}", wanted, now, trace))
    return faults


def _each(program: Program, examples: list[Written]) -> list[list[Difference] | Exception]:
    """What differs in each of some examples, or what was raised by it when it was worked out alone."""
    try:
        computed = work_out(program, [example["given"] for example in examples])
        return [[*_differing(example, *of)] for example, of in zip(examples, computed, strict=True)]
    except Exception as raised:
        return [raised] if len(examples) == 1 else [found for one in examples for found in _each(program, [one])]


def _differing(example: Written, found: dict[str, Any], trace: Callable[[], list[str]]) -> Iterator[Difference]:
    for key, wanted in example["expect"].items():
        if (now := _computed(found, key, example["expect"])) != wanted:
            yield Difference(key, wanted, now, trace())


def _unfit(program: Program, example: Written) -> Iterator[tuple[str, str]]:
    """Why an example proves nothing."""
    if not example.get("expect") or not example.get("given"):
        yield "…", "an example has given and expect; add what it brings and what that earns"
    if "posted" in example.get("expect", {}) and "days" not in example.get("given", {}):
        yield "posted", "what each day posts follows from days: {on: DATE, transactions: […]} in place of transactions"
    is_whole = all(lever.counts == "quantity" and lever.pricing.units == "first_unit" for lever in program.levers)
    for line in lines_of(example.get("given", {})):
        if "partner" in line and program.earner in line:
            yield line["partner"], f"line [{line['id']}]: its {program.earner} earns; leave partner out"
        if is_whole and (quantity := line.get("quantity", Decimal(1))) % 1:
            yield str(quantity), f"line [{line['id']}]: units under first_unit are whole; give a whole quantity"
        try:
            minor(line.get("revenue", Decimal(0)), line.get("currency", program.currency))
        except ValueError as fault:
            yield str(line["revenue"]), f"line [{line['id']}]: {fault}"


def _computed(found: dict[str, Any], key: str, expect: Expected) -> Any:
    """What was found of what is wanted: of a mapping its keys, of payouts those of its days, of the balance what they leave."""
    wanted, paid = cast(dict, expect)[key], expect.get("payouts", [])
    if key in ("payouts", "balance"):
        rows = found["payouts"](max(row["due"] for row in paid)) if paid else {}
        if key == "balance":
            return found["earned"] - sum(sum(row.values()) for row in rows.values())
        told = [{"due": one["due"], **rows.get(one["due"], NO_PAYMENT)} for one in paid]
        return [{name: row[name] for name in one} for row, one in zip(told, paid, strict=True)]
    return {name: found[key].get(name) for name in wanted} if isinstance(wanted, dict) else found[key]


def _shown(value: Any) -> Any:
    """Figures as people write them.

    >>> _shown({"t1": Decimal("7600.00")})
    '{t1: 7600.00}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_shown(v)}" for k, v in value.items()) + "}"
    return f"[{', '.join(str(_shown(v)) for v in value)}]" if isinstance(value, list) else str(value)


def work_out(program: Program, givens: list[Given]) -> list[tuple[dict[str, Any], Callable[[], list[str]]]]:
    """What each example's lines earn, in program currency, and on demand what became of each line."""
    plain = program.model_copy(update={"status": "active"})
    givens = [with_earners(given, program.earner) for given in givens]
    worlds = [_worlds(*of) for of in zip(range(len(givens)), givens, standings(program, givens), strict=True)]
    decided = decided_worlds(plain, [world for days in worlds for world in days])
    earned = _earned(decided, plain) if len(decided) else pd.DataFrame()
    return [(_figures(plain, days, decided, earned), partial(_traces, days[-1], decided, earned)) for days in worlds]


def _earned(decided: pd.DataFrame, program: Program) -> pd.DataFrame:
    return in_context(decided, [program], Known(holders=first_to_earn(decided, [program])))


def _worlds(number: int, given: Given, standing: Standing) -> list[World]:
    """What an example knows at the end of each day that it brings, or at once."""
    if not (days := given.get("days")):
        return [World(f"{number}.0", None, given, given.get("transactions", []), standing)]
    known: list[Line] = []
    return [
        World(f"{number}.{n}", day["on"], given, known := [*known, *day["transactions"]], standing)
        for n, day in enumerate(days)
    ]


def _figures(program: Program, days: list[World], decided: pd.DataFrame, earned: pd.DataFrame) -> dict[str, Any]:
    last, unit = days[-1], Decimal(1).scaleb(-exponent(program.currency))
    totals = [_sum(earned, day.ids.values()) * unit for day in days]
    added = [(day.on, now - before) for day, before, now in zip(days, [Decimal(0), *totals], totals, strict=False)]
    told = decided.set_index("transaction_id") if len(decided) else pd.DataFrame({"decision": [], "partner_id": []})
    mine = {name: found for name, found in last.ids.items() if found in told.index}
    return {
        "earned": totals[-1],
        "rebate": _sum(earned, last.ids.values(), "rebate") * unit,
        "coop": _sum(earned, last.ids.values(), "coop") * unit,
        "lines": {name: _sum(earned, [found]) * unit for name, found in last.ids.items()},
        "earners": {name: told.at[found, "partner_id"].removeprefix(f"{last.name}|") for name, found in mine.items()},
        "decisions": {name: told.at[found, "decision"] for name, found in mine.items()},
        "posted": [{"on": on, "amount": amount} for on, amount in added if amount],
        "eligible": last.standing.is_eligible,
        "unmet": last.standing.unmet,
        "payouts": partial(_paid, program, days, decided, earned),
    }


def _paid(
    program: Program, days: list[World], decided: pd.DataFrame, earned: pd.DataFrame, until: date
) -> dict[date, dict[str, Decimal]]:
    return payouts(program, _posted(days, decided, earned), until) if len(decided) and program.payout else {}


def _posted(days: list[World], decided: pd.DataFrame, earned: pd.DataFrame) -> pd.DataFrame:
    """What each day of an example posts by line; where all comes at once, each line on its own day."""
    key, own_at = ["line", "partner_id", "earning_month", "posted_on"], decided.set_index("transaction_id")["own_at"]
    made, before = [], pd.DataFrame({name: [] for name in [*key, "rebate_minor"]})
    for day in days:
        rows = earned[earned["transaction_id"].isin(list(day.ids.values()))]
        on = rows["transaction_id"].map(own_at) if day.on is None else pd.Timestamp(day.on)
        plain = {
            name: rows[of].str.removeprefix(f"{day.name}|")
            for name, of in (("line", "transaction_id"), ("partner_id",) * 2)
        }
        now = rows.assign(posted_on=on, rebate_minor=rows["program_rebate_minor"], **plain)[before.columns]
        made += [now, before.assign(posted_on=on, rebate_minor=-before["rebate_minor"])] if len(before) else [now]
        before = now
    return pd.concat(made).groupby(key, as_index=False)["rebate_minor"].sum()


def _traces(world: World, decided: pd.DataFrame, earned: pd.DataFrame) -> list[str]:
    return [
        _trace(name, *(rows[rows["transaction_id"] == found] if len(rows) else rows for rows in (decided, earned)))
        for name, found in world.ids.items()
    ]


def _trace(name: str, decided: pd.DataFrame, rows: pd.DataFrame) -> str:
    """What became of one line, lever by lever."""
    if decided.empty:
        return f"{name} is not decided on: its partner is of a type that the program does not pay"
    [line] = decided.to_dict("records")
    codes = line["reason_codes"].split(",") if isinstance(line["reason_codes"], str) else []
    reasons = f" ({'; '.join(f'{code}: {REASONS[code].text}' for code in codes)})" if codes else ""
    parts = [f"{name} {line['decision']}{reasons} earns {_sum(rows, [line['transaction_id']]) * _unit(line)}"]
    units = Decimal(line["quantity_micro"]).scaleb(-6).normalize()
    parts += [f"{row['lever']} bracket {row['bracket']}{_price(row, units)}" for row in rows.to_dict("records")]
    return "; ".join(parts)


def _price(row: dict[str, Any], units: Decimal) -> str:
    """What a row was priced by and earns; what rounding of a period adds has no price of its own."""
    earned = row["program_earning_minor"] * _unit(row)
    held = f", held by {row['held_by']}" if isinstance(row["held_by"], str) else ""
    if row["unit_amount"] is not None:
        amount = f"{row['unit_amount'].normalize():f} {row['program_currency']}"
        return f": at {amount}, line of {units:f} units = {earned}{held}"
    if row["rate"] is None:
        return f" = {earned}{held}"
    base = Decimal(row["base_minor"]).scaleb(-row["exponent"])
    whole = f"{(base * row['rate']).normalize():f} {row['currency']}{held} to " if held and base else ""
    return f": {base} {row['currency']} x {row['rate'].normalize():f} = {whole}{earned}{'' if whole else held}"


def _unit(row: dict[str, Any]) -> Decimal:
    return Decimal(1).scaleb(-row["program_exponent"])


def _sum(rows: pd.DataFrame, ids: Iterable[str], part: str = "earning") -> int:
    return int(rows.loc[rows["transaction_id"].isin(list(ids)), f"program_{part}_minor"].sum()) if len(rows) else 0
