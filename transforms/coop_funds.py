"""What becomes of co-op funds: below the minimum they become rebate, what is not claimed in time is forfeited.

A fund is the co-op of a partner in a program, earned in one half year in one currency. At any time
accrued ± adjusted = converted + claimed + open + forfeited.
"""

from datetime import date

import pandas as pd

from transforms.settlements import settlements

FUND = ["partner_id", "program", "half_from"]


def entries(coop_balances: pd.DataFrame, coop_halves: pd.DataFrame, run_date: date) -> pd.DataFrame:
    """The entries that bring each fund from what is posted to what it should have become by a day.

    `coop_balances` holds, by fund and currency, what is accrued (adjustments with it), converted and forfeited, in minor
    units of both currencies, and what is claimed: approved or still under review. A half that has ended is converted
    when all its currencies together are below the minimum and nothing is claimed of it; else what is not claimed is
    forfeited once the claims have closed. Later changes of what was earned change the same way.
    """
    funds = coop_balances.merge(coop_halves, on=["program", "half_from"])
    funds = funds[funds["half_to"] <= pd.Timestamp(run_date)].reset_index(drop=True)
    whole = [funds[name].astype("str") for name in FUND]
    total = funds["program_accrued_minor"].astype("int64").groupby(whole).transform("sum")
    claimed = funds["claimed_minor"].astype("int64").groupby(whole).transform("sum")
    is_converted = ((total < funds["minimum_minor"]).fillna(False) & (claimed == 0)).astype(bool)
    is_closed = (funds["claims_to"] <= pd.Timestamp(run_date)) & ~is_converted
    made = []
    for unit in ("", "program_"):
        accrued, held = (funds[f"{unit}{name}_minor"].astype("int64") for name in ("accrued", "claimed"))
        left = (accrued - held).clip(lower=0)
        made.append((accrued.where(is_converted, 0), left.where(is_closed, 0)))
    (converted, forfeited), (program_converted, program_forfeited) = made
    due = [
        _moved(funds, "coop_converted", "coop", -converted, -program_converted, funds["converted_minor"], funds["program_converted_minor"]),
        _moved(funds, "coop_converted", "rebate", converted, program_converted, -funds["converted_minor"], -funds["program_converted_minor"]),
        _moved(funds, "forfeited", "coop", -forfeited, -program_forfeited, funds["forfeited_minor"], funds["program_forfeited_minor"]),
    ]  # fmt: skip
    return settlements(pd.concat(due, ignore_index=True), run_date).assign(payment_id=None)


def rule_changes(now: pd.DataFrame, before: pd.DataFrame, run_date: date) -> pd.DataFrame:
    """What entries under the rules of now bring besides those under the rules before, as entries of a rule change."""
    names = ["partner_id", "program", "currency", "program_currency", "earning_type", "earning_month"]
    amounts = ["amount_minor", "program_amount_minor"]
    both = pd.concat([now, before.assign(**{name: -before[name] for name in amounts})])
    moved = both.groupby(names, sort=False)[amounts].sum().reset_index()
    return settlements(moved.assign(cause="rule_change", cause_detail=None), run_date).assign(payment_id=None)


WHY = {
    "coop_converted": ("co-op of the half year to {} below the minimum", "conversion of the co-op of the half year to {} undone"),
    "forfeited": ("co-op of the half year to {} not claimed in time", "forfeiture of the co-op of the half year to {} undone"),
}  # fmt: skip


def _moved(
    funds: pd.DataFrame,
    cause: str,
    kind: str,
    amount: pd.Series,
    program_amount: pd.Series,
    held: pd.Series,
    program_held: pd.Series,
) -> pd.DataFrame:
    last = funds["half_to"] - pd.Timedelta(days=1)
    said = [WHY[cause][is_undone].format(f"{day:%Y-%m-%d}") for day, is_undone in zip(last, amount == 0, strict=True)]
    return funds[["partner_id", "program", "currency", "program_currency"]].assign(
        earning_type=kind, cause=cause, cause_detail=said,
        earning_month=last.dt.to_period("M").dt.to_timestamp(), amount_minor=amount - held.astype("int64"),
        program_amount_minor=program_amount - program_held.astype("int64"),
    )  # fmt: skip
