"""Stacks: levers of one group that exclude one another on a line."""

import numpy as np
import pandas as pd

from transforms.levers import Lever


def loses(priced: pd.DataFrame, rows: pd.DataFrame, levers: list[Lever]) -> np.ndarray:
    """Whether each row's lever gives way to another one of its group on the same line.

    `priced` has `line` (row of `rows`), `lever_number` (its place in `levers`) and `program_earning_minor`. The first and
    the most specific are found among the levers that select a line, whatever they earn; a draw goes to the first.
    """
    gives_way = np.zeros(len(priced), bool)
    groups = {lever.stack.group: lever.stack.take for lever in levers if lever.stack and lever.stack.take != "sum"}
    for group, take in groups.items():
        members = [number for number, lever in enumerate(levers) if lever.stack and lever.stack.group == group]
        here = priced["lever_number"].isin(members).to_numpy()
        chosen = priced[here]
        if take == "highest":
            winner = _highest(chosen)
        else:
            order = members if take == "first" else sorted(members, key=lambda n: levers[n].specificity, reverse=True)
            winner = _foremost(rows["levers"], [levers[n].lever for n in order], order)
        gives_way[here] = chosen["line"].map(winner).to_numpy() != chosen["lever_number"].to_numpy()
    return gives_way


def _highest(chosen: pd.DataFrame) -> pd.Series:
    """Line → the lever that pays the most on it, by absolute amount."""
    sums = chosen.groupby(["line", "lever_number"], sort=True)["program_earning_minor"].sum().abs().reset_index()
    best = sums.sort_values(["line", "program_earning_minor", "lever_number"], ascending=[True, False, True])
    return best.drop_duplicates("line").set_index("line")["lever_number"]


def _foremost(selecting: pd.Series, names: list[str], numbers: list[int]) -> pd.Series:
    """Line → the first of some levers, in their order, among those that select it; -1 where none does."""
    texts = selecting.astype("category")
    found = [
        next((n for name, n in zip(names, numbers, strict=True) if name in text.split(",")), -1)
        for text in texts.cat.categories
    ]
    return pd.Series(np.array([*found, -1], dtype="int64")[texts.cat.codes])
