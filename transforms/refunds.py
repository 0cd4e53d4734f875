"""Refunds: lines that reverse another, what each really takes out, and what of the earning it takes back.

A refund never takes more than is left, a line that reverses a refund gives back what that took.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pandas as pd

from transforms.money import RATE_UNIT, RoundingMode, quotient
from transforms.programs import Clawback, Rung

POSTED = ("earning_minor", "program_earning_minor", "base_minor")
KIND = {
    "cancel_immediate": "cancellation", "remove_quantity": "cancellation", "convert": "cancellation",
    "lapse": "lapse", "withdrawal": "withdrawal",
}  # fmt: skip


class Families(NamedTuple):
    """How rows reverse one another: for each row its parent and root (row numbers, itself where it reverses nothing).

    `turns` holds the refunds in the order in which they are worked out, no two of a family in one turn. `revenue` and
    `quantity` are what each row really brings or takes; `share` is what a refund takes of what was left of each, as two
    arrays; levers that pay on growth add one of their own.
    """

    parent: np.ndarray
    root: np.ndarray
    turns: list[np.ndarray]
    revenue: np.ndarray
    quantity: np.ndarray
    share: dict[str, tuple[np.ndarray, np.ndarray]]

    def shares(self, of: np.ndarray, refund: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each refund takes of what was left, by what its earning goes by, as two arrays."""
        part, whole = (np.ones(len(refund), dtype=object) for _ in range(2))
        for name in pd.unique(of):
            here = of == name
            part[here], whole[here] = (numbers[refund[here]] for numbers in self.share[name])
        return part, whole

    @property
    def is_refund(self) -> np.ndarray:
        return self.parent != np.arange(len(self.parent))


def families(rows: pd.DataFrame, quantity: np.ndarray) -> Families:
    """The families of one program's lines; a refund whose original does not earn reverses nothing and takes nothing.

    Neither does one that is unlike its original. Lines that earn and lines that do not, which baselines count, do not
    reverse one another.
    """
    own = np.arange(len(rows))
    parent, root = own.copy(), own.copy()
    refunds = np.flatnonzero(rows["reverses"].notna().to_numpy())
    revenue = rows["revenue_minor"].to_numpy("int64").copy()
    taken = quantity.copy()
    out = {"revenue": revenue, "quantity": taken}
    share = {of: (np.zeros(len(rows), amounts.dtype), np.ones(len(rows), amounts.dtype)) for of, amounts in out.items()}
    if not len(refunds):
        return Families(parent, root, [], revenue, taken, share)
    index = pd.Index(rows["transaction_id"])
    found = index.get_indexer(rows["reverses"].iloc[refunds])
    first = index.get_indexer(rows["root_id"].iloc[refunds])
    earns, is_like = rows["levers"].notna().to_numpy(), rows["is_original_known"].to_numpy(bool)
    known = (found >= 0) & (first >= 0) & is_like[refunds] & is_like[found]
    known &= (earns[refunds] == earns[found]) & (earns[refunds] == earns[first])
    for amounts in out.values():
        amounts[refunds[~known]] = 0
    parent[refunds[known]], root[refunds[known]] = found[known], first[known]
    turns = _turns(rows, refunds[known], root)
    nothing_stated = (rows["revenue_minor"].to_numpy() == 0) & (quantity == 0)
    for of, amounts in out.items():
        _take_out(amounts, share[of], parent, root, turns, nothing_stated)
    return Families(parent, root, turns, revenue, taken, share)


def _turns(rows: pd.DataFrame, refunds: np.ndarray, root: np.ndarray) -> list[np.ndarray]:
    """The refunds of each family by own time and id, the first of all families first."""
    chosen = rows.iloc[refunds][["own_at", "transaction_id"]].assign(row=refunds, root=root[refunds])
    ordered = chosen.sort_values(["root", "own_at", "transaction_id"], kind="stable")
    turn = ordered.groupby("root").cumcount()
    return [ordered["row"].to_numpy()[turn == number] for number in range(turn.max() + 1 if len(turn) else 0)]


def _take_out(
    amounts: np.ndarray,
    share: tuple[np.ndarray, np.ndarray],
    parent: np.ndarray,
    root: np.ndarray,
    turns: list[np.ndarray],
    nothing_stated: np.ndarray,
) -> None:
    """Put what each refund really takes out into `amounts`, and its share of what was left into `share`."""
    left = amounts.copy()
    for turn in turns:
        up = parent[turn]
        there = left[up].copy()
        size = np.where(nothing_stated[turn], np.abs(there), np.minimum(np.abs(amounts[turn]), np.abs(there)))
        amounts[turn] = np.where(there < 0, size, -size)
        is_whole = nothing_stated[turn] | (there == 0)
        share[0][turn], share[1][turn] = np.where(is_whole, 1, size), np.where(is_whole, 1, np.abs(there))
        left[up] += amounts[turn]
        left[turn] = amounts[turn]
        again = root[turn] != up
        left[root[turn][again]] += amounts[turn][again]


def of_growth(made: Families, line: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of each refund in what is left of its parent's growth, where `line` are rows and `moved` their growth."""
    left = np.zeros(len(made.parent), dtype=object)
    part, whole = left.copy(), left + 1
    left[line] = moved
    growth = left.copy()
    for turn in made.turns:
        up = made.parent[turn]
        there, size = np.abs(left[up]), np.abs(growth[turn])
        none = there == 0
        part[turn], whole[turn] = np.where(none, 0, np.minimum(size, there)), np.where(none, 1, there)
        left[up] += growth[turn]
        again = made.root[turn] != up
        left[made.root[turn][again]] += growth[turn][again]
    return part, whole


def ladder_shares(clawback: Clawback | None, rows: pd.DataFrame, made: Families) -> np.ndarray:
    """What a refund takes back of its share of the earning, by completed months, as whole numbers of 1 / RATE_UNIT.

    All of it without a ladder or before its first step, and all is given back by a line that reverses a refund. The day
    of the original picks the ladder, as it picks its rate.
    """
    shares = np.full(len(rows), RATE_UNIT, dtype="int64")
    [refunds] = np.nonzero(made.is_refund & (made.parent == made.root))
    if clawback is None or not len(refunds):
        return shares
    months = _completed_months(rows["own_at"].iloc[made.root[refunds]], rows["own_at"].iloc[refunds])
    kinds = rows["own_charge_type"].astype("str").map(KIND).iloc[refunds].to_numpy()
    number = clawback.rungs.number_at(rows["reference_on"].iloc[made.root[refunds]])
    for place, rungs in enumerate(clawback.rungs.values.values()):
        here = number == place
        shares[refunds[here]] = _shares(rungs or [], months[here], kinds[here])
    return shares


def _shares(rungs: list[Rung], months: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """What a ladder of one day takes back after some months, by kinds of refund."""
    made = np.full(len(months), RATE_UNIT, dtype="int64")
    own_kinds = {rung.kind for rung in rungs if rung.kind}
    for kind in {*own_kinds, None}:
        meant = kinds == kind if kind else ~np.isin(kinds.astype("str"), sorted(own_kinds))
        steps = [rung for rung in rungs if rung.kind == kind]
        values = np.array([RATE_UNIT, *(int(step.share * RATE_UNIT) for step in steps)], dtype="int64")
        place = np.searchsorted([step.from_month for step in steps], months, side="right")
        made[meant] = values[place[meant]]
    return made


def _divided(over: np.ndarray, under: np.ndarray, mode: RoundingMode | None) -> np.ndarray:
    """Whole minor units by a mode, or without one exactly."""
    if mode is None:
        return np.array([Fraction(a) / int(b) for a, b in zip(over, under, strict=True)], dtype=object)
    return quotient(over, under, mode)


def _completed_months(start: pd.Series, end: pd.Series) -> np.ndarray:
    """Completed calendar months from one day to another."""
    a, b = (pd.DatetimeIndex(days) for days in (start, end))
    return np.asarray((b.year - a.year) * 12 + b.month - a.month - (b.day < a.day))


def left_before(made: pd.DataFrame, family: Families, amounts: Sequence[str]) -> pd.DataFrame:
    """What earlier rows of its family, lever and bracket leave before each row; 0 before all but a refund's."""
    if not family.turns:
        return pd.DataFrame(0, index=made.index, columns=list(amounts))
    root, turn, is_refunded = family.root, np.zeros(len(family.parent), "int64"), np.zeros(len(family.parent), bool)
    for number, refunds in enumerate(family.turns, 1):
        turn[refunds], is_refunded[root[refunds]] = number, True
    rows = made[is_refunded[root[made["line"].to_numpy()]]]
    line = rows["line"].to_numpy()
    ordered = rows.assign(root=root[line], turn=turn[line]).sort_values("turn", kind="stable")
    held = ordered.groupby(["root", "lever_number", "bracket"])[list(amounts)].cumsum() - ordered[list(amounts)]
    return held.reindex(made.index, fill_value=0)


def taken_back(
    earned: pd.DataFrame, made: Families, ladder: np.ndarray, mode: RoundingMode | None, amounts: Sequence[str] = POSTED
) -> pd.DataFrame:
    """Rows of earnings with those of refunds: a refund has a row for each of its parent's, that takes back its part.

    `earned` has `line` (row number of the family), `of` (the key in `made.share` that a refund's share goes by), and amounts. Each
    row taken back is rounded once from what is left of its parent's, or, without a mode, exact; the ladder does not bear
    on the base.
    """
    kind = object if mode is None else "int64"
    held, left = [earned], earned[list(amounts)].to_numpy(kind).copy()
    rows = pd.DataFrame({"line": earned["line"], "origin": np.arange(len(earned))})
    for turn in made.turns:
        wanted = pd.DataFrame({"line": made.parent[turn], "refund": turn})
        found = wanted.merge(rows.assign(row=np.arange(len(rows))), on="line", validate="m:m")
        refund, source, origin = (found[c].to_numpy("int64") for c in ("refund", "row", "origin"))
        part, whole = made.shares(earned["of"].to_numpy()[origin], refund)
        factors = [np.full(len(refund), RATE_UNIT) if name == "base_minor" else ladder[refund] for name in amounts]
        taken = np.column_stack(
            [-_divided(left[source, n] * part * factor, whole * RATE_UNIT, mode) for n, factor in enumerate(factors)]
        )
        left[source] += taken
        again = made.root[refund] != made.parent[refund]
        left[origin[again]] += taken[again]
        held.append(earned.iloc[origin].assign(line=refund, **dict(zip(amounts, taken.T, strict=True))))
        rows = pd.concat([rows, pd.DataFrame({"line": refund, "origin": origin})], ignore_index=True)
        left = np.concatenate([left, taken])
    return pd.concat(held, ignore_index=True)
