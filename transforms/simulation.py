"""A what-if: what lines would earn under changed rules beside what they earn under the rules in force."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from transforms.money import major_units
from transforms.periods import DAY, MONTHS, last_day, period_start
from transforms.programs import Program, active

KEY = ["program", "lever", "partner_id", "earning_month", "earning_type", "currency", "program_currency"]
UNITS = ["exponent", "program_exponent"]
AMOUNTS = ["amount_minor", "program_amount_minor"]
SIDES = ("in_force", "simulated")


def as_if_active(programs: list[Program]) -> list[Program]:
    """The active programs and the drafts, these as if they were active."""
    return [p.model_copy(update={"status": "active"}) for p in programs if p.status != "retired"]


def standings(in_force: list[Program], changed: list[Program]) -> dict[str, str]:
    """Program → what the changed files make of it: a draft, new, edited, unchanged, or retired where they lack it."""
    now = {p.program: p.rule_version for p in active(in_force)}
    made = dict.fromkeys(now, "retired")
    for program in changed:
        version = now.get(program.program)
        if program.status == "active":
            made[program.program] = "unchanged" if version == program.rule_version else "edited" if version else "new"
        elif program.status == "draft":
            made[program.program] = "draft"
    return made


def whole_periods(programs: list[Program], first: date, end: date) -> tuple[date, date]:
    """The first day, and the day after the last one, of all periods of the programs that have a day of [first, end)."""
    days = pd.Series(pd.to_datetime([first, end])) - pd.to_timedelta([0, 1], unit="D")
    found = [np.array([first, end], "datetime64[D]")]
    for program in active(programs):
        if program.cell_over == "transaction":
            continue
        if program.cell_over not in MONTHS:  # all days, or those of twelve months that end on each day
            return date.min, date.max
        start = period_start(days, program.cell_over, program.fiscal_year_start)
        found.append(np.array([start[0], last_day(start[1:], program.cell_over)[0] + DAY]))
    bounds = np.array(found)
    return bounds[:, 0].min().item(), bounds[:, 1].max().item()


def earned(earnings: pd.DataFrame, first: date, end: date) -> pd.DataFrame:
    """What lines whose reference date lies in [first, end) earn, by lever, partner, month, earning type and currency."""
    on = earnings["reference_on"]
    here = earnings[(on >= pd.Timestamp(first)) & (on < pd.Timestamp(end))]
    typed = [
        here.assign(
            earning_type=kind, amount_minor=here[f"{kind}_minor"], program_amount_minor=here[f"program_{kind}_minor"]
        )
        for kind in ("rebate", "coop")
    ]
    return added([pd.concat(typed, ignore_index=True)])


def added(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Sums of several parts as one."""
    text = dict.fromkeys([c for c in KEY if c != "earning_month"], "str")
    return _grouped([part[[*KEY, *UNITS, *AMOUNTS, "is_illustrative"]].astype(text) for part in parts])


def _grouped(parts: list[pd.DataFrame]) -> pd.DataFrame:
    rows = pd.concat(parts, ignore_index=True)
    ways = dict.fromkeys(UNITS, "first") | {"is_illustrative": "any"}
    ways |= dict.fromkeys([c for c in rows if c.endswith("_minor")], "sum")
    return rows.groupby(KEY, as_index=False).agg(ways)


def simulation(in_force: pd.DataFrame, simulated: pd.DataFrame) -> pd.DataFrame:
    """What is earned under the rules in force and under the simulated ones, and the difference, in both currencies.

    One row for each lever, partner, month, earning type and currency that earns anything on either side.
    """
    made = _grouped([_on_side(in_force, "in_force"), _on_side(simulated, "simulated")])
    for before in ("", "program_"):
        made[f"{before}difference_minor"] = made[f"{before}simulated_minor"] - made[f"{before}in_force_minor"]
    return made[(made[[c for c in made if c.endswith("_minor")]] != 0).any(axis=1)].reset_index(drop=True)


def _on_side(rows: pd.DataFrame, side: str) -> pd.DataFrame:
    """Sums with their amounts on one side, and nothing on the other."""
    amounts = {name.replace("amount", here): rows[name] if here == side else 0 for name in AMOUNTS for here in SIDES}
    return rows.drop(columns=AMOUNTS).assign(**amounts)


def summed(simulation: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The simulation in program currency, by program and what else `by` names; `coop_difference` is of the difference."""
    is_coop = simulation["earning_type"] == "coop"
    rows = simulation.assign(coop_difference_minor=simulation["program_difference_minor"].where(is_coop, 0))
    sums = {name: (f"program_{name}", "sum") for name in ("in_force_minor", "simulated_minor", "difference_minor")}
    sums |= {"coop_difference_minor": ("coop_difference_minor", "sum"), "is_illustrative": ("is_illustrative", "any")}
    return rows.groupby(["program", *by, "program_currency", "program_exponent"], as_index=False).agg(**sums)


def in_major_units(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with each amount in major units of its currency in place of minor ones."""
    made = rows.copy()
    for name in [c for c in rows if c.endswith("_minor")]:
        is_own = "exponent" in rows and not name.startswith("program_")
        made[name] = major_units(rows[name], rows["exponent" if is_own else "program_exponent"])
    return made.rename(columns=lambda name: name.removesuffix("_minor")).drop(columns=UNITS, errors="ignore")
