"""Why an earning changed: what each line would earn after each of the things that moved it, one after the other."""

import pandas as pd

from transforms.decisions import decided_lines
from transforms.earnings import earnings
from transforms.programs import Program

STAGES = ("line", "reference", "fx", "eligibility", "rule", "split")
UNDER_RULES_BEFORE = ("line", "reference", "fx", "eligibility")


def staged_earnings(
    staged_lines: pd.DataFrame, programs: list[Program], programs_before: list[Program]
) -> pd.DataFrame:
    """What lines that several things moved earn after each of these but the last: earnings, with their `stage`.

    A stage knows what the stages before it brought, and of all later ones what was known when the line was last posted:
    the line itself, its product, customer and partner, exchange rates, the partner's standing, rules, the split.
    """
    if staged_lines.empty:
        return pd.DataFrame({"stage": pd.Series([], dtype="str")})
    rules = dict.fromkeys(UNDER_RULES_BEFORE, programs_before) | {"rule": _with_split_of(programs, programs_before)}
    made = [
        earnings(decided_lines(rows.drop(columns="stage"), rules[str(stage)]), rules[str(stage)]).assign(stage=stage)
        for stage, rows in staged_lines.groupby("stage")
    ]
    return pd.concat(made, ignore_index=True)


def _with_split_of(programs: list[Program], before: list[Program]) -> list[Program]:
    """The programs of now, divided into rebate and co-op as they were before."""
    splits = {program.program: program.split for program in before}
    return [p.model_copy(update={"split": splits.get(p.program, p.split)}) for p in programs]
