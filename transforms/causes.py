"""Why an earning changed: what each line would earn after each of the things that moved it, one after the other."""

import numpy as np
import pandas as pd

from transforms import decisions
from transforms.contexts import Known, contexts
from transforms.earnings import in_context
from transforms.programs import Program

STAGES = ("line", "reference", "fx", "eligibility", "rule", "split")  # what a line's own facts bring
AROUND = {  # what the lines around it bring: the parts of its context that come with each stage
    "baseline": ["baseline", "is_compared"],
    "bracket": ["position", "bracket"],
    "customer": ["is_kept"],
    "minimum": ["is_met"],
    "stack": ["is_taken"],
    "cap": ["room_minor"],
}
ORDER = (*STAGES[:-1], *AROUND, STAGES[-1])
UNDER_RULES_BEFORE = ("line", "reference", "fx", "eligibility")
LINE = ["transaction_id", "program"]
KEY = [*LINE, "lever"]


def staged_earnings(
    staged_lines: pd.DataFrame,
    decided_lines: pd.DataFrame,
    earnings: pd.DataFrame,
    held_earnings: pd.DataFrame,
    moved_lines: pd.DataFrame,
    programs: list[Program],
    programs_before: list[Program],
) -> pd.DataFrame:
    """What lines that several things moved earn after each of these but the last: earnings, with their `stage`.

    A stage knows what the stages before it brought, and of all later ones what was known when the line was last posted:
    the line itself, its product, customer and partner, exchange rates, the partner's standing, rules; its place among
    the lines of its scope, the minimum, the stack, the cap; the split. A row without a lever says only that what stands
    around a line moved it at the stage.
    """
    if staged_lines.empty and held_earnings.empty:  # nothing was posted before that could have moved
        return _nothing()
    before = contexts(held_earnings)
    now = _where_they_stood(contexts(earnings[decisions.are_in(earnings, held_earnings)]), before)
    rules = _with_split_of(programs, programs_before)
    edited = {p.program for p in programs} - {p.program for p in programs_before if p in programs}
    made = []
    for stage, rows in staged_lines.groupby("stage"):
        is_before = stage in UNDER_RULES_BEFORE
        held = _between(before, now, [], set() if is_before else edited)
        made.append(_earned(rows.drop(columns="stage"), programs_before if is_before else rules, held, str(stage)))
    changes = _changes(before, now, decided_lines)
    for number, stage in enumerate(AROUND):
        at = changes[changes[stage]]
        later = at[list(AROUND)[number + 1 :]].any(axis=1) | at["transaction_id"].isin(_split(moved_lines))
        rows = decided_lines[decisions.are_in(decided_lines, at[later])]
        parts = [part for name in list(AROUND)[: number + 1] for part in AROUND[name]]
        if len(rows):
            made.append(
                in_context(rows, rules, Known(_between(before, now, parts, edited), holders=None)).assign(stage=stage)
            )
        made.append(at[LINE].assign(stage=stage))
    made = [rows for rows in made if len(rows)]
    return pd.concat(made, ignore_index=True) if made else _nothing()


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({"stage": pd.Series([], dtype="str")})


def _earned(lines: pd.DataFrame, rules: list[Program], held: pd.DataFrame, stage: str) -> pd.DataFrame:
    return in_context(decisions.decided_lines(lines, rules), rules, Known(held)).assign(stage=stage)


def _split(moved_lines: pd.DataFrame) -> pd.Series:
    return moved_lines.loc[moved_lines["at_split"].astype(bool), "transaction_id"]


def _between(before: pd.DataFrame, now: pd.DataFrame, parts: list[str], edited: set[str]) -> pd.DataFrame:
    """Contexts before the run, with some parts of those of now, and all of them for programs whose rules were edited."""
    if now.empty or before.empty:
        return before if now.empty else now
    both = now.merge(before, on=KEY, how="outer", suffixes=("", "_before"), indicator="side", validate="1:1")
    is_now = (both["side"] == "left_only") | both["program"].isin(edited) & (both["side"] != "right_only")
    takes = {
        part: both[part].where(is_now | ((part in parts) & (both["side"] == "both")), both[f"{part}_before"])
        for part in before.columns.drop(KEY)
    }
    return both[KEY].assign(**takes)


def _where_they_stood(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Contexts in which no line that is kept out has another place: it has none, and did not lose its earning by that."""
    if now.empty or before.empty:
        return now
    is_out = ~now[["is_compared", "is_kept", "is_met"]].astype(bool).all(axis=1)
    stood = now[KEY].merge(before, on=KEY, how="left", validate="1:1").set_index(now.index)
    moved = {part: now[part].mask(is_out & stood[part].notna(), stood[part]) for part in AROUND["bracket"]}
    return now.assign(**moved)


def _changes(before: pd.DataFrame, now: pd.DataFrame, decided_lines: pd.DataFrame) -> pd.DataFrame:
    """The lines whose context is another one now, with their refunds: one row each, a flag for each stage of AROUND."""
    if now.empty or before.empty:
        return decided_lines[LINE][:0].assign(**dict.fromkeys(AROUND, False))
    both = now.merge(before, on=KEY, suffixes=("", "_before"), validate="1:1")
    differs = {
        stage: np.logical_or.reduce([_differ(both[part], both[f"{part}_before"]) for part in parts])
        for stage, parts in AROUND.items()
    }
    lines = decided_lines[LINE].assign(root=decided_lines["root_id"].fillna(decided_lines["transaction_id"]))
    moved = both[LINE].assign(**differs)
    moved = moved[moved[list(AROUND)].any(axis=1)]
    of_root = (
        moved.merge(lines, on=LINE, validate="m:1").groupby(["program", "root"], observed=True)[list(AROUND)].any()
    )
    return lines.merge(of_root.reset_index(), on=["program", "root"], validate="m:1").drop(columns="root")


def _differ(left: pd.Series, right: pd.Series) -> np.ndarray:
    return ~((left == right).fillna(False) | (left.isna() & right.isna())).to_numpy(bool)


def _with_split_of(programs: list[Program], before: list[Program]) -> list[Program]:
    """The programs of now, divided into rebate and co-op as they were before."""
    splits = {program.program: program.split for program in before}
    return [p.model_copy(update={"split": splits.get(p.program, p.split)}) for p in programs]
