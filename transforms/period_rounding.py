"""Rounding at the period: rows are cut off, and what that leaves of a period's exact sum goes to its last line."""

from fractions import Fraction

import numpy as np
import pandas as pd

from transforms import scopes
from transforms.levers import Lever, Scope
from transforms.money import RATE, RoundingMode, decimals, quotient
from transforms.posting import Limit
from transforms.pricing import AMOUNTS, EXACT, in_proportion
from transforms.programs import Program
from transforms.refunds import Families


def rounded_periods(
    posted: pd.DataFrame, rows: pd.DataFrame, family: Families, program: Program, caps: list[Limit]
) -> pd.DataFrame:
    """The posted rows, with one of bracket 0 on the last line of each period of a lever and currency that lost something.

    `posted` has in `exact` and `program_exact` what each row earns or takes back exactly. The sum of a period is rounded
    once by the program's mode. A period is that over which the lever accumulates, the
    earning month where that is a transaction or trailing months. What a cap has no room for falls away.
    """
    counts = posted["held_by"].isna() | (posted["held_by"] == "cap")
    made = [posted]
    for number, lever in enumerate(program.levers):
        here = posted[counts & (posted["lever_number"] == number)]
        if len(here):
            made.append(_of_lever(here, rows, family, lever, program))
    entries = _within(pd.concat(made[1:]), posted, caps) if len(made) > 1 else posted[:0]
    entries = entries[(entries[list(AMOUNTS)] != 0).any(axis=1)]
    key = ["line", "lever_number", "bracket"]
    is_taken_in = pd.MultiIndex.from_frame(posted[key]).isin(pd.MultiIndex.from_frame(entries[key]))
    return pd.concat([posted[~is_taken_in], entries], ignore_index=True)


def _of_lever(here: pd.DataFrame, rows: pd.DataFrame, family: Families, lever: Lever, program: Program) -> pd.DataFrame:
    """An entry for each period and currency of a lever, on its last sale."""
    per = lever.scale_scope
    scope = Scope(per=per.per, over="month") if per.over in ("transaction", "trailing_12_months") else per
    periods = scopes.codes(rows, scope, program.fiscal_year_start)
    named = pd.factorize(pd.MultiIndex.from_arrays([periods, rows["currency"].astype("str")]))[0]
    sales = here[~family.is_refund[here["line"]]].sort_values(["line", "bracket"])
    last = sales.groupby(named[sales["line"]], sort=True).tail(1)
    last = last.set_index(named[last["line"]]).sort_index()
    posted = here.groupby(named[here["line"]])[list(AMOUNTS)].sum().reindex(last.index)
    sums = here.groupby(named[here["line"]])[list(EXACT)].sum().reindex(last.index)
    left = {
        a: _rounded(sums[e], program.rounding.mode) - posted[a].to_numpy("int64")
        for a, e in zip(AMOUNTS, EXACT, strict=True)
    }
    none = decimals([None], RATE).take(np.zeros(len(last), "int64")).reset_index(drop=True)
    return last.reset_index(drop=True).assign(
        bracket=0, rate=none, unit_amount=none, base_minor=0, held_by=None, **left
    )


def _rounded(sums: pd.Series, mode: RoundingMode) -> np.ndarray:
    whole = [Fraction(value) for value in sums]
    over, under = (np.array([getattr(s, part) for s in whole], dtype=object) for part in ("numerator", "denominator"))
    return quotient(over, under, mode) if len(whole) else np.zeros(0, "int64")


def _within(entries: pd.DataFrame, posted: pd.DataFrame, caps: list[Limit]) -> pd.DataFrame:
    """The entries, each cut to what the caps of its lever have left, in the order of lines."""
    entries = entries.sort_values("line", kind="stable").reset_index(drop=True)
    kept = entries["program_earning_minor"].to_numpy("int64").copy()
    for cap in caps:
        used: dict[int, int] = {}
        mine = posted if cap.lever is None else posted[posted["lever_number"] == cap.lever]
        for scope, amount in zip(cap.scope[mine["line"]], mine["program_earning_minor"], strict=True):
            used[scope] = used.get(scope, 0) + amount
        for place, (line, lever) in enumerate(zip(entries["line"], entries["lever_number"], strict=True)):
            if cap.lever in (None, lever):
                scope = cap.scope[line]
                kept[place] = min(kept[place], max(int(cap.most[line]) - used.get(scope, 0), 0))
                used[scope] = used.get(scope, 0) + int(kept[place])
    asked, own = (entries[name].to_numpy("int64") for name in ("program_earning_minor", "earning_minor"))
    cut = (kept < asked) & (asked > 0)
    own = own.copy()
    own[cut] = in_proportion(own[cut], kept[cut], asked[cut])
    return entries.assign(program_earning_minor=np.where(cut, kept, asked), earning_minor=own)
