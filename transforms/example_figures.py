"""What a worked example's lines come to, in program currency, and what became of each line in words."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from transforms.adjustments import exponent
from transforms.example_lines import World
from transforms.example_payouts import payouts
from transforms.programs import Program
from transforms.reasons import REASONS

PARTS = ("earning", "rebate", "coop")
LINE = ["decision", "reason_codes", "quantity_micro", "program_exponent"]  # what is told of a line, and of its earnings
ROW = [
    "lever", "bracket", "rate", "unit_amount", "base_minor", "held_by", "program_earning_minor",
    "currency", "program_currency", "exponent", "program_exponent",
]  # fmt: skip


class WorkedOut(NamedTuple):
    """The lines of worlds, decided, and what they earn: as rows, and by line, in minor units."""

    decided: pd.DataFrame
    earned: pd.DataFrame
    standing: dict[str, tuple[str, str]]
    sums: dict[str, tuple[int, ...]]

    def total(self, lines: Iterable[str], part: str = "earning") -> int:
        """What some lines earn together."""
        place = PARTS.index(part)
        return sum(self.sums[line][place] for line in lines if line in self.sums)


def worked_out(decided: pd.DataFrame, earned: pd.DataFrame) -> WorkedOut:
    """Decided lines and earnings, by line."""
    if decided.empty:
        return WorkedOut(decided, earned, {}, {})
    told = zip(decided["decision"], decided["partner_id"], strict=True)
    amounts = earned.groupby("transaction_id")[[f"program_{part}_minor" for part in PARTS]].sum()
    sums = zip(amounts.index, amounts.itertuples(index=False), strict=True)
    return WorkedOut(
        decided, earned, dict(zip(decided["transaction_id"], told, strict=True)), {line: tuple(of) for line, of in sums}
    )


def figures(program: Program, days: list[World], found: WorkedOut) -> dict[str, Any]:
    """All that an example may expect; `payouts` are those up to a day, when asked for."""
    last, unit = days[-1], Decimal(1).scaleb(-exponent(program.currency))
    totals = [found.total(day.ids.values()) * unit for day in days]
    added = [(day.on, now - before) for day, before, now in zip(days, [Decimal(0), *totals], totals, strict=False)]
    mine = {name: found.standing[line] for name, line in last.ids.items() if line in found.standing}
    return {
        "earned": totals[-1],
        "rebate": found.total(last.ids.values(), "rebate") * unit,
        "coop": found.total(last.ids.values(), "coop") * unit,
        "lines": {name: found.total([line]) * unit for name, line in last.ids.items()},
        "earners": {name: partner.removeprefix(f"{last.name}|") for name, (_, partner) in mine.items()},
        "decisions": {name: decision for name, (decision, _) in mine.items()},
        "posted": [{"on": on, "amount": amount} for on, amount in added if amount],
        "eligible": last.standing.is_eligible,
        "unmet": last.standing.unmet,
        "payouts": partial(_paid, program, days, found),
    }


def _paid(program: Program, days: list[World], found: WorkedOut, until: date) -> dict[date, dict[str, Decimal]]:
    return payouts(program, _posted(days, found), until) if len(found.decided) and program.payout else {}


def _posted(days: list[World], found: WorkedOut) -> pd.DataFrame:
    """What each day of an example posts by line; where all comes at once, each line on its own day."""
    key = ["line", "partner_id", "earning_month", "posted_on"]
    own_at = found.decided.set_index("transaction_id")["own_at"]
    made, before = [], pd.DataFrame({name: [] for name in [*key, "rebate_minor"]})
    for day in days:
        rows = found.earned[found.earned["transaction_id"].isin(list(day.ids.values()))]
        on = rows["transaction_id"].map(own_at) if day.on is None else pd.Timestamp(day.on)
        plain = {
            name: rows[of].str.removeprefix(f"{day.name}|")
            for name, of in (("line", "transaction_id"), ("partner_id",) * 2)
        }
        now = rows.assign(posted_on=on, rebate_minor=rows["program_rebate_minor"], **plain)[before.columns]
        made += [now, before.assign(posted_on=on, rebate_minor=-before["rebate_minor"])] if len(before) else [now]
        before = now
    return pd.concat(made).groupby(key, as_index=False)["rebate_minor"].sum()


def traces(world: World, found: WorkedOut, names: dict[str, str]) -> list[str]:
    """What became of each line of a world, lever by lever; `names` are the levers' own."""
    return [_trace(name, line, found, names) for name, line in world.ids.items()]


def _trace(name: str, line_id: str, found: WorkedOut, names: dict[str, str]) -> str:
    if line_id not in found.standing:
        return f"{name} is not decided on: its partner is of a type that the program does not pay"
    [line] = found.decided.loc[found.decided["transaction_id"] == line_id, LINE].to_dict("records")
    rows = found.earned.loc[found.earned["transaction_id"] == line_id, ROW].to_dict("records")
    codes = line["reason_codes"].split(",") if isinstance(line["reason_codes"], str) else []
    reasons = f" ({'; '.join(f'{code}: {REASONS[code].text}' for code in codes)})" if codes else ""
    parts = [f"{name} {line['decision']}{reasons} earns {found.total([line_id]) * _unit(line)}"]
    units = Decimal(line["quantity_micro"]).scaleb(-6).normalize()
    parts += [f"{names[row['lever']]} bracket {row['bracket']}{_price(row, units)}" for row in rows]
    return "; ".join(parts)


def _price(row: dict[str, Any], units: Decimal) -> str:
    """What a row was priced by and earns; what rounding of a period adds has no price of its own."""
    earned = row["program_earning_minor"] * _unit(row)
    held = f", held by {row['held_by']}" if isinstance(row["held_by"], str) else ""
    if row["unit_amount"] is not None:
        amount = f"{row['unit_amount'].normalize():f} {row['program_currency']}"
        return f": at {amount}, line of {units:f} units = {earned}{held}"
    if row["rate"] is None:
        return f" = {earned}{held}"
    base = Decimal(row["base_minor"]).scaleb(-row["exponent"])
    whole = f"{(base * row['rate']).normalize():f} {row['currency']}{held} to " if held and base else ""
    return f": {base} {row['currency']} x {row['rate'].normalize():f} = {whole}{earned}{'' if whole else held}"


def _unit(row: dict[str, Any]) -> Decimal:
    return Decimal(1).scaleb(-row["program_exponent"])
