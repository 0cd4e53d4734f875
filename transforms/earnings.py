"""What each line should earn: its share of a scale, bounded by minimum, stack and cap, split into rebate and co-op."""

import numpy as np
import pandas as pd

from transforms import posting, pricing, refunds, scales, stacks
from transforms.contexts import NOTHING, Known, Measured, as_given, growth, measured, standing
from transforms.exclusions import BARS, FREE
from transforms.levers import Lever
from transforms.money import MEASURE, RATE, decimals, measures, share
from transforms.period_rounding import rounded_periods
from transforms.programs import Program, active
from transforms.sequence import arranged

KEPT = [
    "transaction_id", "program", "partner_id", "earning_month", "reference_on", "revenue_minor", "currency",
    "fx_month", "fx_rate", "program_currency", "exponent", "program_exponent", "rule_version", "cause", "is_posted",
]  # fmt: skip
ROW = ["position", "baseline", "lever", "bracket", "rate", "unit_amount", "is_illustrative", "base_minor", "held_by"]


def earnings(
    decided_lines: pd.DataFrame, opening_positions: pd.DataFrame, holders: pd.DataFrame, programs: list[Program]
) -> pd.DataFrame:
    """One row for each line, lever and bracket, in transaction and in program currency.

    Both amounts are rounded once from the exact value, and each is split on its own: the share that does not take the
    remainder is rounded by the program's mode, the other one is the rest, so rebate + co-op = earning, and of a line that
    is refunded in full nothing is left of either. `held_by` says
    what keeps a row from earning in full. All lines of a scope must be there, or those that are added to what
    `opening_positions` has of it; `holders` says which partner keeps a customer.
    """
    return in_context(decided_lines, programs, Known(opening=opening_positions, holders=holders))


def in_context(decided_lines: pd.DataFrame, programs: list[Program], known: Known = NOTHING) -> pd.DataFrame:
    """Earnings, with the contexts of lines as given, or worked out where none are."""
    earned = decided_lines[decided_lines["levers"].notna() | decided_lines["compared_by"].notna()]
    made = [
        _of_program(rows, program, known.of(program))
        for program in active(programs)
        if len(rows := earned[earned["program"] == program.program])
    ]
    if not made:  # no rows, but with their types
        return _of_program(earned[:0], active(programs)[0], NOTHING)
    return pd.concat(made, ignore_index=True)


def _of_program(rows: pd.DataFrame, program: Program, known: Known) -> pd.DataFrame:
    rows, family = arranged(rows, program)
    ladder = refunds.ladder_shares(program.clawback, rows, family)
    named = {name for names in rows["levers"].dropna().unique() for name in names.split(",")}
    levers = [number for number, lever in enumerate(program.levers) if lever.lever in named] or [0]
    priced = pd.concat([_of_lever(rows, family, number, program, known) for number in levers])
    if program.cell_over != "transaction":
        priced = priced.sort_values(["line", "lever_number", "bracket"], kind="stable")
    made = _bounded(priced.reset_index(drop=True), rows, family, ladder, program, known).reset_index(drop=True)
    return _split_all(rows[KEPT].iloc[made["line"].to_numpy()].reset_index(drop=True), made, family, program)


def _of_lever(
    rows: pd.DataFrame, family: refunds.Families, number: int, program: Program, known: Known
) -> pd.DataFrame:
    """The rows of one lever, before anything bounds them; refunds are in its running measure but have no rows yet.

    A line that reaches no bracket has a row of bracket 0, one that is kept out a row that says what keeps it.
    """
    lever = program.levers[number]
    scale = lever.pricing
    lines = measured(rows, lever, program, known, exact=known.given is not None)
    if known.given is not None and not scale.is_lump:
        lines = as_given(lines, lever, program, known.given)
    line, own, allowed, around = lines.line, lines.own, lines.allowed, lines.around
    if lever.grows_base:
        low, high = growth(around, lines.measure)
        family.share[lever.refunded_by] = refunds.of_growth(family, line, high - low)
    is_own = np.ones(len(line), bool) if scale.is_lump else ~family.is_refund[line]
    free, barred = np.flatnonzero(is_own & allowed.pays), np.flatnonzero(is_own & ~allowed.pays)
    found = scales.slices(scale, own["reference_on"].iloc[free].reset_index(drop=True), standing(lines, lever, free))
    found = found._replace(line=free[found.line], priced_as=free[found.priced_as])
    below = np.setdiff1d(free, found.line)
    held_by = np.where(allowed.bar == FREE, "minimum", BARS[allowed.bar])[barred]
    made = [
        pricing.priced(own, found, bracket, lever, program).assign(held_by=None) for bracket in np.unique(found.bracket)
    ]
    if len(barred):
        made.append(pricing.unpaid(own, barred, lever, program).assign(held_by=held_by))
    if len(below) or not made:
        made.append(pricing.below_all(own, below, lever, program).assign(held_by=None))
    rowed = pd.concat(made, ignore_index=True)
    return rowed.assign(
        position=measures(around.before, lines.unit).take(rowed["line"]).reset_index(drop=True),
        baseline=_compared(lines, lever).take(rowed["line"]).reset_index(drop=True),
        line=line[rowed["line"].to_numpy()],
        lever=lever.lever,
        lever_number=number,
        is_illustrative=lever.illustrative,
    )


def _compared(lines: Measured, lever: Lever) -> pd.Series:
    """What each line's running total is compared with, empty where nothing is."""
    if lever.baseline is None:
        return decimals([None], MEASURE).take(np.zeros(len(lines.own), "int64")).reset_index(drop=True)
    return measures(lines.around.baseline, lines.unit)


def _bounded(
    priced: pd.DataFrame,
    rows: pd.DataFrame,
    family: refunds.Families,
    ladder: np.ndarray,
    program: Program,
    known: Known,
) -> pd.DataFrame:
    """Rows after stacks and caps, each of which says in `held_by` what it lost to; and what refunds take back."""
    made = []
    if known.given is not None:
        priced = _as_given(priced, rows, known.given)
    else:
        loses = stacks.loses(priced, rows, program.levers)
        priced = _lost(priced, loses)
    is_bound = np.zeros(len(priced), bool)
    caps = posting.limits(rows, program, known.opening) if known.given is None and len(priced) else []
    if caps:
        is_bound = posting.binding(priced, rows, caps)
        turns = posting.Posting(rows, caps, family, ladder, program)
        made.append(turns.posted(priced[is_bound].reset_index(drop=True)))
    free = priced[~is_bound]
    is_lump = free["of"] == "lump"
    made.append(_taken_back(free[~is_lump].reset_index(drop=True), family, ladder, program))
    made.append(free[is_lump])
    posted = pd.concat([rows for rows in made if len(rows)] or made[-1:], ignore_index=True)
    if program.rounding.at != "period" or known.given is not None:
        return posted
    return rounded_periods(posted, rows, family, program, caps)


def _taken_back(free: pd.DataFrame, family: refunds.Families, ladder: np.ndarray, program: Program) -> pd.DataFrame:
    """Rows that no cap binds, with those of refunds; where a period is rounded, with what each takes back exactly too."""
    made = refunds.taken_back(free, family, ladder, program.rounding.of_rows)
    if program.rounding.at != "period":
        return made
    exact = refunds.taken_back(free, family, ladder, None, pricing.EXACT)
    return made.assign(**{name: exact[name] for name in pricing.EXACT})


def _as_given(priced: pd.DataFrame, rows: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Rows after the stacks and caps of given contexts; of a room, lower brackets are paid first."""
    named = pd.MultiIndex.from_arrays([rows["transaction_id"].to_numpy()[priced["line"]], priced["lever"]])
    held = given.set_index(["transaction_id", "lever"])[["is_taken", "room_minor"]].reindex(named)
    taken = held["is_taken"].astype("boolean").fillna(True).to_numpy(bool)
    priced = _lost(priced, ~taken)
    room = held["room_minor"].astype("Int64").fillna(2**62).to_numpy("int64")
    amounts = priced["program_earning_minor"]
    before = amounts.groupby([priced["line"], priced["lever"]]).cumsum() - amounts
    kept = np.minimum(amounts, np.maximum(room - before, 0)).where(amounts > 0, amounts).to_numpy("int64")
    cut = kept != amounts
    own = priced["earning_minor"].to_numpy("int64").copy()
    own[cut] = pricing.in_proportion(own[cut], kept[cut], amounts.to_numpy("int64")[cut])
    return priced.assign(
        program_earning_minor=kept, earning_minor=own, held_by=priced["held_by"].astype(object).where(~cut, "cap")
    )


def _lost(priced: pd.DataFrame, loses: np.ndarray) -> pd.DataFrame:
    """Rows of which those that lose to another lever of their stack earn nothing."""
    if not loses.any():
        return priced
    amounts = {name: priced[name].mask(loses, 0) for name in pricing.AMOUNTS}
    return priced.assign(
        **amounts, held_by=priced["held_by"].astype(object).mask(loses & priced["held_by"].isna(), "stack")
    )


def _split_all(kept: pd.DataFrame, made: pd.DataFrame, family: refunds.Families, program: Program) -> pd.DataFrame:
    """Rows with their split; that of a refund is what it changes of the split of all that is left."""
    left = refunds.left_before(made, family, pricing.AMOUNTS)
    parts = [
        _split(name.removesuffix("_minor"), made[name], left[name], program, kept["reference_on"])
        for name in pricing.AMOUNTS
    ]
    return pd.concat([kept, made[ROW]], axis=1).assign(**parts[0], **parts[1])


def _split(name: str, earning: pd.Series, left: pd.Series, program: Program, on: pd.Series) -> dict[str, pd.Series]:
    rounded_type = "coop" if program.remainder_to == "rebate" else "rebate"
    dated = pricing.at(program.split.coop if rounded_type == "coop" else program.split.rebate, on)
    shares, mode = dated.fillna(decimals([0], RATE)[0]), program.rounding.mode
    part = share(left + earning, shares, mode=mode)
    if left.any():
        part = part - share(left, shares, mode=mode)
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
