"""Holders: which partner keeps a customer, where a lever pays only the first partner who earns on it."""

import pandas as pd

from transforms.contexts import NOTHING, earning, measured
from transforms.decisions import decided_lines
from transforms.exclusions import values_of
from transforms.levers import Lever
from transforms.programs import Program, active
from transforms.sequence import arranged

COLUMNS = ["program", "lever", "scope", "partner_id", "transaction_id", "held_since"]


def holders(rival_lines: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """Who holds which customers, from all lines of the customers that may have another holder now."""
    return first_to_earn(decided_lines(rival_lines, programs), programs)


def first_to_earn(decided: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """For each lever with exclusive_partner or one_earning and each value of what it keeps, who holds it, since which line and instant.

    The first purchase that earns decides, by reference time and id, over all partners: one that is above the minimum and in
    a bracket that pays, as if its partner held the customer. All lines of a customer must be there.
    """
    made = [decided[["program", "partner_id", "transaction_id"]][:0].assign(lever="", scope="", held_since=pd.NaT)]
    for program in active(programs):
        levers = [lever for lever in program.levers if lever.kept]
        bears = decided["levers"].notna() | decided["compared_by"].notna()
        lines = decided[(decided["program"] == program.program) & bears]
        if levers and len(lines):
            rows, _ = arranged(lines, program)
            made += [_of_lever(rows, lever, program) for lever in levers]
    return pd.concat(made, ignore_index=True)[COLUMNS].astype({"held_since": "datetime64[us]", "partner_id": "str"})


def _of_lever(rows: pd.DataFrame, lever: Lever, program: Program) -> pd.DataFrame:
    lines = measured(rows, lever, program, NOTHING)
    first = lines.own[earning(lines, lever)]
    first = first.assign(lever=lever.lever, scope=values_of(first, lever.kept))
    ordered = first.assign(held_since=first["reference_at"]).sort_values(["reference_at", "transaction_id"])
    return ordered.drop_duplicates("scope")[COLUMNS]
