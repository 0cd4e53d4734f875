"""The ledger: what each line should have earned less what is posted, as new entries, one for each cause."""

from datetime import date

import numpy as np
import pandas as pd

from transforms.causes import AROUND, LINE, ORDER
from transforms.programs import Program
from transforms.reasons import criteria

KEY = [
    "transaction_id", "program", "lever", "bracket", "partner_id", "earning_type", "earning_month",
    "currency", "program_currency",
]  # fmt: skip
SOURCE = ["rate", "fx_month", "fx_rate", "rule_version"]
AMOUNTS = ["amount_minor", "program_amount_minor"]
CAUSE = {
    "reference": "reference_change", "fx": "fx_correction", "rule": "rule_change", "stack": "stack_change",
    "split": "split_change",
}  # fmt: skip
UP_OR_DOWN = {  # causes of a stage that brings more, or less
    "baseline": ("growth_gained", "growth_lost"),
    "bracket": ("bracket_rise", "bracket_fall"),
    "customer": ("customer_won", "customer_lost"),
    "minimum": ("minimum_reached", "minimum_lost"),
    "cap": ("cap_freed", "cap_reached"),
}


def earnings_ledger(
    earnings: pd.DataFrame,
    staged_earnings: pd.DataFrame,
    posted: pd.DataFrame,
    moved_lines: pd.DataFrame,
    reasons_before: pd.DataFrame,
    decided_lines: pd.DataFrame,
    programs_before: list[Program],
    programs: list[Program],
    run_date: date,
) -> pd.DataFrame:
    """The entries that bring the ledger from what is posted to what should be; none where nothing changed.

    `posted` holds the sums of all entries of the lines worked out before, `moved_lines` at which stages each of these
    moved. The difference is told stage by stage, each less the one before, so all entries sum to a full recomputation.
    Entries carry no id and no period yet: the store gives them.
    """
    due = _by_type(earnings)
    is_posted = due["is_posted"].to_numpy(bool)
    entries = [due[~is_posted].assign(cause_detail=None)]
    if len(moved_lines):
        steps = _steps(_as_text(due[is_posted]), staged_earnings, _as_text(posted), moved_lines)
        steps = steps[(steps[AMOUNTS] != 0).any(axis=1)].reset_index(drop=True)
        entries.append(_named(steps, moved_lines, reasons_before, decided_lines, [programs_before, programs]))
    made = pd.concat(entries, ignore_index=True)
    moved = (made["amount_minor"] != 0) | (made["program_amount_minor"] != 0)
    return made[moved].assign(posted_on=pd.Timestamp(run_date), adjustment_id=None, payment_id=None)


def _by_type(earnings: pd.DataFrame) -> pd.DataFrame:
    """One row for each earning and earning type."""
    kept = earnings.drop(
        columns=[c for c in earnings if c.endswith("_minor") and "rebate" not in c and "coop" not in c]
    )
    parts = [
        kept.assign(
            earning_type=kind, amount_minor=kept[f"{kind}_minor"], program_amount_minor=kept[f"program_{kind}_minor"]
        )[[*KEY, *SOURCE, *AMOUNTS, "cause", "is_posted"]]
        for kind in ("rebate", "coop")
    ]
    return pd.concat(parts, ignore_index=True)


def _steps(
    due: pd.DataFrame, staged_earnings: pd.DataFrame, posted: pd.DataFrame, moved_lines: pd.DataFrame
) -> pd.DataFrame:
    """For each stage and line that it moved, what is due after it less what was due before it, key by key.

    What a line's last stage brings is told from the final figure. A line that nothing moved by itself is told at the
    bracket, where the lines around it begin to bear.
    """
    lines = pd.MultiIndex.from_frame(moved_lines[LINE].astype("str"))
    at = moved_lines.reindex(columns=[f"at_{stage}" for stage in ORDER], fill_value=False).to_numpy(bool)
    staged = {str(stage): rows for stage, rows in staged_earnings.groupby("stage")}
    for stage in set(staged) & set(AROUND):
        at[_numbers(lines, staged[stage]), ORDER.index(stage)] = True
    at[~at.any(axis=1), ORDER.index("bracket")] = True
    last = len(ORDER) - 1 - at[:, ::-1].argmax(axis=1)
    held, made = posted[[*KEY, *SOURCE, *AMOUNTS]], []
    for number, stage in enumerate(ORDER):
        if not at[:, number].any():
            continue
        after = due[last[_numbers(lines, due)] == number]
        earned = staged[stage].dropna(subset="lever") if "lever" in staged.get(stage, ()) else due[:0]
        if len(earned):
            typed = _as_text(_by_type(earned))
            after = pd.concat([after, typed[last[_numbers(lines, typed)] > number]])
        is_here = at[_numbers(lines, held), number]
        made.append(_differences(after, held[is_here]).assign(stage=stage))
        held = pd.concat([held[~is_here], after[held.columns]], ignore_index=True)
    return pd.concat(made, ignore_index=True)


def _numbers(lines: pd.MultiIndex, rows: pd.DataFrame) -> np.ndarray:
    """The place of each row's line and program among `lines`."""
    return lines.get_indexer(pd.MultiIndex.from_frame(rows[LINE].astype("str")))


def _differences(after: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Amounts after less before, key by key, with the source of the newer side and whether each side has the key."""
    whole = dict.fromkeys(AMOUNTS, "Int64")  # a side that lacks a key must not turn money into floats
    both = (
        after[[*KEY, *SOURCE, *AMOUNTS]]
        .astype(whole)
        .merge(
            before.astype(whole),
            on=KEY,
            how="outer",
            suffixes=("", "_before"),
            validate="1:1",
            indicator="side",
        )
    )
    amounts = {name: (both[name].fillna(0) - both[f"{name}_before"].fillna(0)).astype("int64") for name in AMOUNTS}
    source = {name: both[name].fillna(both[f"{name}_before"]) for name in SOURCE}
    return both[[*KEY, "side"]].assign(**amounts, **source)


def _named(
    steps: pd.DataFrame,
    moved_lines: pd.DataFrame,
    reasons_before: pd.DataFrame,
    decided_lines: pd.DataFrame,
    rules: list[list[Program]],
) -> pd.DataFrame:
    """The steps with their cause, and in words of our own what exactly changed."""
    stage, gained = steps["stage"].astype("str"), steps["side"].astype("str") != "right_only"
    arrivals = moved_lines.drop_duplicates("transaction_id").set_index("transaction_id")["arrival"]
    cause = stage.map(CAUSE).where(stage != "line", steps["transaction_id"].map(arrivals).astype("str"))
    cause = cause.mask(stage == "eligibility", gained.map({True: "eligibility_gained", False: "eligibility_lost"}))
    rises = _rises(steps, decided_lines)
    for name, words in UP_OR_DOWN.items():
        cause = cause.mask(stage == name, np.where(rises, *words))
    before, now = ({p.program: p.rule_version for p in programs} for programs in rules)
    versions = {name: f"{before.get(name, 'none')} → {now[name]}" for name in now}
    detail = steps["program"].map(versions).where(stage.isin(["rule", "split"]))
    detail = detail.mask(stage == "fx", steps["fx_month"].dt.strftime("%Y-%m"))
    detail = detail.mask(
        stage.isin(list(AROUND)), steps["lever"].astype("str") + ", bracket " + steps["bracket"].astype("str")
    )
    for side, decided in ((gained, reasons_before), (~gained, decided_lines)):
        detail = detail.mask((stage == "eligibility") & side, _criteria(steps, decided))
    return steps.drop(columns=["stage", "side"]).assign(cause=cause, cause_detail=detail)


def _rises(steps: pd.DataFrame, decided_lines: pd.DataFrame) -> np.ndarray:
    """Whether each step brings its line more at its stage: rows of all brackets together, a refund turned round."""
    here = ["transaction_id", "program", "lever", "stage"]
    own, program = (steps.groupby(here, sort=False, observed=True)[name].transform("sum") for name in AMOUNTS)
    moved = program.mask(program == 0, own)  # 20 yen may be less than a cent
    revenue = decided_lines.drop_duplicates("transaction_id").set_index("transaction_id")["revenue_minor"]
    is_negative = steps["transaction_id"].map(revenue).astype("Int64").fillna(0) < 0
    return np.where(is_negative.to_numpy(bool), -moved, moved) > 0


def _criteria(steps: pd.DataFrame, decided: pd.DataFrame) -> pd.Series:
    """The criteria that the reasons against each step's line and program speak of."""
    held = decided[decided["reason_codes"].notna()]
    codes = held["reason_codes"].astype("str")
    named = codes.map({text: criteria(text) for text in codes.unique()})
    by_line = pd.Series(
        named.to_numpy(), index=pd.MultiIndex.from_arrays([held["transaction_id"], held["program"].astype("str")])
    )
    wanted = pd.MultiIndex.from_arrays([steps["transaction_id"], steps["program"]])
    return pd.Series(by_line.reindex(wanted).to_numpy(), index=steps.index)


def _as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Categories as plain text, since two sides of a merge do not share them."""
    return rows.astype({c: "str" for c in rows if isinstance(rows[c].dtype, pd.CategoricalDtype)})
