"""What each line should earn: base times rate, rounded once, split into rebate and co-op to the cent."""

import pandas as pd

from transforms.dated import Dated
from transforms.money import RATE, decimals, share, unit_shift
from transforms.programs import Lever, Program, active

KEPT = [
    "transaction_id", "program", "partner_id", "earning_month", "reference_on", "revenue_minor", "currency",
    "fx_month", "fx_rate", "program_currency", "exponent", "program_exponent", "rule_version", "cause", "is_posted",
]  # fmt: skip


def earnings(decided_lines: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """One row for each line and lever that pays for it, in transaction and in program currency.

    Both amounts are rounded once from the exact value, and each is split on its own: the share that does not take the
    remainder is rounded by the program's mode, the other one is the rest, so rebate + co-op = earning.
    """
    earned = decided_lines[decided_lines["levers"].notna()]
    made = [
        _of_lever(rows, lever, program)
        for program in active(programs)
        for lever in program.levers
        if len(rows := _in_lever(earned[earned["program"] == program.program], lever))
    ]
    if not made:  # no rows, but with their types
        made = [_of_lever(earned[:0][KEPT], lever, p) for p in active(programs) for lever in p.levers if lever.rate][:1]
    return pd.concat(made, ignore_index=True)


def _in_lever(rows: pd.DataFrame, lever: Lever) -> pd.DataFrame:
    levers = rows["levers"].astype("category").cat.remove_unused_categories()
    named = [number for number, text in enumerate(levers.cat.categories) if lever.lever in text.split(",")]
    return rows.loc[levers.cat.codes.isin(named), KEPT]


def _of_lever(rows: pd.DataFrame, lever: Lever, program: Program) -> pd.DataFrame:
    mode = program.rounding.mode
    priced = rows.reset_index(drop=True).assign(
        lever=lever.lever,
        bracket=1,
        rate=at(lever.rate or Dated({}), rows["reference_on"]),
        is_illustrative=lever.illustrative,
        base_minor=rows["revenue_minor"].astype("int64").to_numpy(),
    )
    own = share(priced["base_minor"], priced["rate"], mode=mode)
    shift = unit_shift(priced["exponent"], priced["program_exponent"])
    same = priced["currency"] == program.currency
    converted = own if same.all() else share(priced["base_minor"], priced["rate"], priced["fx_rate"], shift, mode=mode)
    return priced.assign(
        **_split("earning", own, program, priced["reference_on"]),
        **_split("program_earning", converted, program, priced["reference_on"]),
    )


def at(dated: Dated, on: pd.Series) -> pd.Series:
    """The rate of each day, exact; a day before the first date has none."""
    held = decimals([*dated.values.values(), None], RATE)
    return held.take(dated.number_at(on)).reset_index(drop=True)


def _split(name: str, earning: pd.Series, program: Program, on: pd.Series) -> dict[str, pd.Series]:
    rounded_type = "coop" if program.remainder_to == "rebate" else "rebate"
    shares = at(program.split.coop if rounded_type == "coop" else program.split.rebate, on)
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
