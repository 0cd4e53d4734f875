"""Worked examples of program files, run through the same transforms as real lines, many at once."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import pandas as pd

from transforms.adjustments import minor
from transforms.contexts import Known
from transforms.earnings import in_context
from transforms.example_figures import figures, traces, worked_out
from transforms.example_lines import World, decided_worlds
from transforms.example_programs import NAME, alike, together
from transforms.example_standing import Standing, standings
from transforms.holders import first_to_earn
from transforms.programs import Program
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


Example = tuple[int, int]  # the place of its program, and its own in it
Found = list[Difference] | Exception


def check(program: Program, path: Path) -> None:
    """Run a program's examples. Raises RuleFault at the first fault."""
    if faults := try_examples(program, path):
        raise faults[0]


def try_examples(program: Program, path: Path) -> list[RuleFault]:
    """Every figure of a program's examples that differs, and every example that proves nothing."""
    return try_all([(program, path)])[0]


def try_all(files: Sequence[tuple[Program, Path]]) -> list[list[RuleFault]]:
    """What `try_examples` says of each file; programs that are alike but for their levers are run together."""
    programs = [program for program, _ in files]
    unfit = [[[*_unfit(program, example)] for example in program.examples] for program in programs]
    found: dict[Example, Found] = {}
    for group in alike(programs):
        fit = [(place, number) for place in group for number, said in enumerate(unfit[place]) if not said]
        with pd.option_context("mode.string_storage", "python"):  # of few rows a fifth faster than Arrow's
            found |= zip(fit, _each(programs, fit), strict=True)
    return [
        [*_faults(*of, unfit[place], {n: held for (p, n), held in found.items() if p == place})]
        for place, of in enumerate(files)
    ]


def _faults(
    program: Program, path: Path, unfit: list[list[tuple[str, str]]], found: dict[int, Found]
) -> Iterator[RuleFault]:
    lines = cache(lambda: read(path)[1])
    for number, told in enumerate(unfit):
        for said in told:
            line = lines().get(("examples", number), 1)
            yield RuleFault(path.name, line, f"examples.{_name(program, number)}", *said)
    for number, held in found.items():
        key = f"examples.{_name(program, number)}"
        if isinstance(held, Exception):
            line, remedy = lines().get(("examples", number), 1), f"{NOT_WORKED_OUT}: {held}; {ASK}"
            yield RuleFault(path.name, line, key, type(held).__name__, remedy)
            continue
        for word, wanted, computed, trace in held:
            line = lines().get(("examples", number, "expect", word), 1)
            yield ExampleFault(path.name, line, f"{key}.{word}", wanted, computed, trace)


def _name(program: Program, number: int) -> str:
    return program.examples[number].get("example", f"number {number + 1}")


def _each(programs: Sequence[Program], examples: list[Example]) -> list[Found]:
    """What differs in each of some examples, or what was raised by it when it was worked out alone."""
    own = list(dict.fromkeys(place for place, _ in examples))
    written = [programs[place].examples[number] for place, number in examples]
    try:
        givens = [(own.index(place), one["given"]) for (place, _), one in zip(examples, written, strict=True)]
        computed = work_out([programs[place] for place in own], givens) if examples else []
        return [[*_differing(one, *of)] for one, of in zip(written, computed, strict=True)]
    except Exception as raised:
        half = len(examples) // 2
        return [*_each(programs, examples[:half]), *_each(programs, examples[half:])] if half else [raised]


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


def work_out(
    programs: list[Program], givens: list[tuple[int, Given]]
) -> list[tuple[dict[str, Any], Callable[[], list[str]]]]:
    """What the lines of examples earn, in program currency, and on demand what became of each line.

    The programs are alike but for their levers; each example comes with the place of its own among them.
    """
    joined = together(programs)
    own = [(number, _of(programs[number], given)) for number, given in givens]
    judged = standings(joined.paying, [given for _, given in own])
    worlds = [_worlds(n, *of, standing) for n, (of, standing) in enumerate(zip(own, judged, strict=True))]
    decided = decided_worlds(joined, [world for days in worlds for world in days])
    found = worked_out(decided, _earned(decided, joined.paying) if len(decided) else pd.DataFrame())
    return [(figures(joined.paying, days, found), partial(traces, days[-1], found, joined.names)) for days in worlds]


def _earned(decided: pd.DataFrame, program: Program) -> pd.DataFrame:
    return in_context(decided, [program], Known(holders=first_to_earn(decided, [program])))


def _of(program: Program, given: Given) -> Given:
    """What an example gives, its partners being those who earn, and its program not named where it is the own one."""
    made = with_earners(given, program.earner)
    if states := made.get("enrolments"):
        named = [row | {"program": NAME} if row.get("program") == program.program else row for row in states]
        return cast(Given, made | {"enrolments": named})
    return made


def _worlds(example: int, number: int, given: Given, standing: Standing) -> list[World]:
    """What an example knows at the end of each day that it brings, or at once."""
    if not (days := given.get("days")):
        return [World(f"{example}.0", number, None, given, given.get("transactions", []), standing)]
    known: list[Line] = []
    return [
        World(f"{example}.{n}", number, day["on"], given, known := [*known, *day["transactions"]], standing)
        for n, day in enumerate(days)
    ]
