"""What each line should earn: its share of a scale, bounded by minimum, stack and cap, split into rebate and co-op.

A line bears on others of its partner where a rule counts over several lines; what stands around a line is its context:
the measure before it, the bracket that a retroactive scale found, whether the minimum is met, whether its lever wins
its stack, how much a cap leaves it. Contexts are worked out from all lines of the scope, or given.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from transforms import posting, pricing, refunds, scales, scopes, stacks
from transforms.levers import Lever, Scope
from transforms.money import MEASURE_UNIT, RATE, decimals, integers, measures, share
from transforms.programs import Program, active

KEPT = [
    "transaction_id", "program", "partner_id", "earning_month", "reference_on", "revenue_minor", "currency",
    "fx_month", "fx_rate", "program_currency", "exponent", "program_exponent", "rule_version", "cause", "is_posted",
]  # fmt: skip
ROW = ["position", "lever", "bracket", "rate", "unit_amount", "is_illustrative", "base_minor", "held_by"]


class Context(NamedTuple):
    """What stands around each line of a lever: measures in whole numbers of `1 / unit`; a bracket above 0 is given."""

    before: np.ndarray
    total: np.ndarray
    is_first: np.ndarray
    bracket: np.ndarray
    is_met: np.ndarray


def earnings(decided_lines: pd.DataFrame, opening_positions: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """One row for each line, lever and bracket, in transaction and in program currency.

    Both amounts are rounded once from the exact value, and each is split on its own: the share that does not take the
    remainder is rounded by the program's mode, the other one is the rest, so rebate + co-op = earning. `held_by` says
    what keeps a row from earning in full: minimum, stack or cap. All lines of a scope must be there, or those that are
    added to what `opening_positions` has of it.
    """
    return in_context(decided_lines, programs, None, opening_positions)


def in_context(
    decided_lines: pd.DataFrame,
    programs: list[Program],
    contexts: pd.DataFrame | None,
    opening: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Earnings, with the contexts of lines as given by `contexts`, or worked out where none are."""
    earned = decided_lines[decided_lines["levers"].notna()]
    made = [
        _of_program(rows, program, contexts, opening)
        for program in active(programs)
        if len(rows := earned[earned["program"] == program.program])
    ]
    if not made:  # no rows, but with their types
        return _of_program(earned[:0], active(programs)[0], None, None)
    return pd.concat(made, ignore_index=True)


def contexts(earnings: pd.DataFrame) -> pd.DataFrame:
    """The context of each line, program and lever that earnings show: position, bracket, what held it, room of a cap."""
    is_capped = (earnings["held_by"] == "cap").fillna(False)
    rows = earnings.assign(
        is_met=earnings["held_by"] != "minimum",
        is_taken=earnings["held_by"] != "stack",
        room_minor=earnings["program_earning_minor"].astype("Int64").where(is_capped),
    )
    lines = rows.groupby(["transaction_id", "program", "lever"], sort=False, observed=True)
    made = lines.agg(
        position=("position", "first"), bracket=("bracket", "max"), is_met=("is_met", "first"), is_taken=("is_taken", "first")
    )  # fmt: skip
    return made.assign(room_minor=lines["room_minor"].sum(min_count=1)).reset_index()


def _of_program(
    rows: pd.DataFrame, program: Program, contexts: pd.DataFrame | None, opening: pd.DataFrame | None
) -> pd.DataFrame:
    rows, family = arranged(rows, program)
    ladder = refunds.ladder_shares(program.clawback, rows, family)
    given, held = None, None
    if program.cell_over != "transaction":
        given = None if contexts is None else contexts[contexts["program"] == program.program]
        held = None if opening is None else opening[opening["program"] == program.program]
    priced = pd.concat([_of_lever(rows, family, number, program, given, held) for number in range(len(program.levers))])
    if program.cell_over != "transaction":
        priced = priced.sort_values(["line", "lever_number", "bracket"], kind="stable")
    made = _bounded(priced.reset_index(drop=True), rows, family, ladder, program, given, held)
    return _split_all(rows[KEPT].iloc[made["line"].to_numpy()].reset_index(drop=True), made, program)


def arranged(rows: pd.DataFrame, program: Program) -> tuple[pd.DataFrame, refunds.Families]:
    """One program's lines in their sequence, with what each really brings or takes, and how they reverse one another."""
    rows = _in_sequence(rows, program)
    family = refunds.families(rows, rows["quantity_micro"].to_numpy("int64"))
    return rows.assign(family=family.root, revenue_out=family.revenue, quantity_out=family.quantity), family


def _in_sequence(rows: pd.DataFrame, program: Program) -> pd.DataFrame:
    """Lines in the order in which a scope counts them: by reference time and id, a refund right after its original."""
    if program.cell_over == "transaction" and not any(lever.pricing.is_lump for lever in program.levers):
        return rows.reset_index(drop=True)
    root = rows["root_id"].fillna(rows["transaction_id"])
    order = pd.DataFrame(
        {"at": rows["reference_at"], "root": root, "again": rows["root_id"].notna(), "own": rows["own_at"]}
    ).assign(id=rows["transaction_id"])
    return rows.loc[order.sort_values(list(order), kind="stable").index].reset_index(drop=True)


class Measured(NamedTuple):
    """The lines of one lever: their row numbers, the rows, what each measures, the unit, and what stands around them."""

    line: np.ndarray
    own: pd.DataFrame
    measure: np.ndarray
    unit: int
    around: Context


def measured(
    rows: pd.DataFrame, lever: Lever, program: Program, opening: pd.DataFrame | None, *, exact: bool = False
) -> Measured:
    """The lines of a lever in their scopes; `exact` counts in the finest unit, as positions are kept."""
    line = _lines_of(rows, lever)
    own = rows.iloc[line].reset_index(drop=True)
    measure, unit = scopes.measure(own, lever.measure, program)
    counts = lever.accumulate.over != "transaction" or lever.minimum is not None
    if exact or (opening is not None and len(opening) and counts):
        measure, unit = measure.astype(object) * (MEASURE_UNIT // unit), MEASURE_UNIT
    return Measured(line, own, measure, unit, _context(own, measure, unit, lever, program, opening))


def _of_lever(
    rows: pd.DataFrame,
    family: refunds.Families,
    number: int,
    program: Program,
    given: pd.DataFrame | None,
    opening: pd.DataFrame | None,
) -> pd.DataFrame:
    """The rows of one lever, before anything bounds them; refunds are in its running measure but have no rows yet."""
    lever = program.levers[number]
    scale = lever.pricing
    line, own, measure, unit, around = measured(rows, lever, program, opening, exact=given is not None)
    if given is not None and not scale.is_lump:
        around = _given(own, around, lever, given, unit)
    pays = np.ones(len(line), bool) if scale.is_lump else ~family.is_refund[line]
    met, unmet = np.flatnonzero(pays & around.is_met), np.flatnonzero(pays & ~around.is_met)
    standing = scales.Standing(
        measure[met], around.before[met], around.total[met], around.is_first[met], around.bracket[met], unit
    )
    found = scales.slices(scale, own["reference_on"].iloc[met].reset_index(drop=True), standing)
    held = scales.Slices(
        unmet, np.ones(len(unmet), "int64"), np.zeros(len(unmet), "int64"), np.ones(len(unmet), "int64")
    )
    made = []
    for slices, held_by in ((found._replace(line=met[found.line]), None), (held, "minimum")):
        made += [
            pricing.priced(own, slices, bracket, lever, program, unit).assign(held_by=held_by)
            for bracket in np.unique(slices.bracket)
        ]
    if not made:
        made = [pricing.priced(own, held, 1, lever, program, unit).assign(held_by=None)]
    rowed = pd.concat(made, ignore_index=True)
    return rowed.assign(
        position=measures(around.before, unit).take(rowed["line"]).reset_index(drop=True),
        line=line[rowed["line"].to_numpy()],
        lever=lever.lever,
        lever_number=number,
        is_illustrative=lever.illustrative,
    )


def _lines_of(rows: pd.DataFrame, lever: Lever) -> np.ndarray:
    levers = rows["levers"].astype("category").cat.remove_unused_categories()
    named = [number for number, text in enumerate(levers.cat.categories) if lever.lever in text.split(",")]
    return np.flatnonzero(levers.cat.codes.isin(named))


def _context(
    own: pd.DataFrame, measure: np.ndarray, unit: int, lever: Lever, program: Program, opening: pd.DataFrame | None
) -> Context:
    """What stands around each line, from all lines of its scope; a line below its minimum does not fill the scale."""
    year = program.fiscal_year_start
    is_met = np.ones(len(own), bool)
    if lever.minimum:
        total = scopes.running(measure, scopes.codes(own, lever.minimum, year))[1]
        total = total + opened(own, lever.minimum, "minimum", lever, program, opening, total.dtype)[0]
        is_met = scopes.reached(total, unit, own, lever.minimum, lever.minimum.measure, year).astype(bool)
    scope = scopes.codes(own, lever.accumulate, year)
    before, total = scopes.running(np.where(is_met, measure, measure * 0), scope)
    held, is_held = opened(own, lever.accumulate, "scale", lever, program, opening, total.dtype)
    is_first = scopes.is_first(scope) & ~is_held
    return Context(before + held, total + held, is_first, np.zeros(len(own), "int64"), is_met)


def opened(
    own: pd.DataFrame,
    scope: Scope,
    part: str,
    lever: Lever,
    program: Program,
    opening: pd.DataFrame | None,
    kind: np.dtype,
) -> tuple[np.ndarray, np.ndarray]:
    """What the opening positions hold of each line's scope, in 1 / MEASURE_UNIT, and whether they hold it."""
    nothing = np.zeros(len(own), kind), np.zeros(len(own), bool)
    if opening is None or not len(opening) or scope.over == "transaction":
        return nothing
    here = opening[(opening["lever"] == lever.lever) & (opening["rule_part"] == part)]
    place = scopes.places(here, own, scopes.names(own, scope, program.fiscal_year_start))
    amounts = np.append(integers(here["measure"], MEASURE_UNIT), 0)
    return amounts[place], place >= 0


def _given(own: pd.DataFrame, now: Context, lever: Lever, given: pd.DataFrame, unit: int) -> Context:
    """The contexts that are given for a lever's lines; a line without one stands as if alone."""
    here = given[given["lever"] == lever.lever].set_index("transaction_id")
    place = here.index.get_indexer(own["transaction_id"])
    known = place >= 0
    held = here.iloc[place[known]]
    before, bracket, is_met = now.before * 0, now.bracket.copy(), np.ones(len(own), bool)
    before[known] = integers(held["position"], unit).astype(before.dtype)
    is_met[known] = held["is_met"].to_numpy(bool)
    if lever.pricing.mode == "retroactive":
        bracket[known] = held["bracket"].to_numpy("int64")
    return now._replace(before=before, bracket=bracket, is_met=is_met)


def _bounded(
    priced: pd.DataFrame,
    rows: pd.DataFrame,
    family: refunds.Families,
    ladder: np.ndarray,
    program: Program,
    given: pd.DataFrame | None,
    opening: pd.DataFrame | None,
) -> pd.DataFrame:
    """Rows after stacks and caps, each of which says in `held_by` what it lost to; and what refunds take back."""
    is_bound = np.zeros(len(priced), bool)
    made = []
    if given is not None:
        priced = _as_given(priced, rows, given)
    else:
        loses = stacks.loses(priced, rows, program.levers)
        priced = _kept(priced, np.where(loses, 0, priced["program_earning_minor"]), "stack")
        if len(priced) and (caps := posting.limits(rows, program, opening)):
            is_bound = posting.binding(priced, rows, caps)
            turns = posting.Posting(rows, caps, family, ladder, program)
            made.append(turns.posted(priced[is_bound].reset_index(drop=True)))
    free = priced[~is_bound]
    is_lump = free["of"] == "lump"
    made.append(refunds.taken_back(free[~is_lump].reset_index(drop=True), family, ladder, program.rounding.mode))
    made.append(free[is_lump])
    return pd.concat([rows for rows in made if len(rows)] or made[-1:], ignore_index=True)


def _as_given(priced: pd.DataFrame, rows: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Rows after the stacks and caps of given contexts; of a room, lower brackets are paid first."""
    named = pd.MultiIndex.from_arrays([rows["transaction_id"].to_numpy()[priced["line"]], priced["lever"]])
    held = given.set_index(["transaction_id", "lever"])[["is_taken", "room_minor"]].reindex(named)
    taken = held["is_taken"].astype("boolean").fillna(True).to_numpy(bool)
    priced = _kept(priced, np.where(taken, priced["program_earning_minor"], 0), "stack")
    room = held["room_minor"].astype("Int64").fillna(2**62).to_numpy("int64")
    amounts = priced["program_earning_minor"]
    before = amounts.groupby([priced["line"], priced["lever"]]).cumsum() - amounts
    kept = np.minimum(amounts, np.maximum(room - before, 0)).where(amounts > 0, amounts)
    return _kept(priced, kept.to_numpy("int64"), "cap")


def _kept(priced: pd.DataFrame, kept: np.ndarray, held_by: str) -> pd.DataFrame:
    """Rows with what they keep in program currency, and in their own in proportion."""
    was = priced["program_earning_minor"].to_numpy("int64")
    cut = np.flatnonzero(kept != was)
    if not len(cut):
        return priced
    own = priced["earning_minor"].to_numpy("int64").copy()
    own[cut] = pricing.in_proportion(own[cut], kept[cut], was[cut])
    reason = priced["held_by"].astype(object).where(~np.isin(np.arange(len(priced)), cut), held_by)
    return priced.assign(program_earning_minor=kept, earning_minor=own, held_by=reason)


def _split_all(kept: pd.DataFrame, made: pd.DataFrame, program: Program) -> pd.DataFrame:
    return pd.concat([kept, made[ROW].reset_index(drop=True)], axis=1).assign(
        **_split("earning", made["earning_minor"].reset_index(drop=True), program, kept["reference_on"]),
        **_split(
            "program_earning", made["program_earning_minor"].reset_index(drop=True), program, kept["reference_on"]
        ),
    )


def _split(name: str, earning: pd.Series, program: Program, on: pd.Series) -> dict[str, pd.Series]:
    rounded_type = "coop" if program.remainder_to == "rebate" else "rebate"
    shares = pricing.at(program.split.coop if rounded_type == "coop" else program.split.rebate, on)
    part = share(earning, shares.fillna(decimals([0], RATE)[0]), mode=program.rounding.mode)
    whole, rebate, coop = _amounts(name)
    return {
        whole: earning,
        **({coop: part, rebate: earning - part} if rounded_type == "coop" else {rebate: part, coop: earning - part}),
    }


def _amounts(name: str) -> tuple[str, str, str]:
    """The columns of an earning and its two parts.

    >>> _amounts("program_earning")
    ('program_earning_minor', 'program_rebate_minor', 'program_coop_minor')
    """
    return f"{name}_minor", f"{name.replace('earning', 'rebate')}_minor", f"{name.replace('earning', 'coop')}_minor"
