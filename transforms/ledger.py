"""The ledger: what each line should have earned less what is posted, as new entries, one for each cause."""

from datetime import date

import pandas as pd

from transforms.causes import STAGES
from transforms.programs import Program
from transforms.reasons import criteria

KEY = [
    "transaction_id", "program", "lever", "bracket", "partner_id", "earning_type", "earning_month",
    "currency", "program_currency",
]  # fmt: skip
SOURCE = ["rate", "fx_month", "fx_rate", "rule_version"]
AMOUNTS = ["amount_minor", "program_amount_minor"]
CAUSE = {"reference": "reference_change", "fx": "fx_correction", "rule": "rule_change", "split": "split_change"}


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
        steps = _steps(_as_text(due[is_posted]), _staged(staged_earnings), _as_text(posted), moved_lines)
        entries.append(_named(steps, moved_lines, reasons_before, decided_lines, [programs_before, programs]))
    made = pd.concat(entries, ignore_index=True)
    moved = (made["amount_minor"] != 0) | (made["program_amount_minor"] != 0)
    return made[moved].assign(posted_on=pd.Timestamp(run_date), adjustment_id=None)


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


def _staged(staged_earnings: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What is due after each stage, for the lines that a later one moved too."""
    return {str(stage): _as_text(_by_type(rows)) for stage, rows in staged_earnings.groupby("stage")}


def _steps(
    due: pd.DataFrame, staged: dict[str, pd.DataFrame], posted: pd.DataFrame, moved_lines: pd.DataFrame
) -> pd.DataFrame:
    """For each stage and line that it moved, what is due after it less what was due before it, key by key."""
    flags = moved_lines.set_index("transaction_id")[[f"at_{stage}" for stage in STAGES]].astype(bool)
    last = flags.to_numpy()[:, ::-1].argmax(axis=1)
    last_stage = pd.Series([STAGES[len(STAGES) - 1 - place] for place in last], index=flags.index)
    held, made = posted, []
    for stage in STAGES:
        here = flags.index[flags[f"at_{stage}"]]
        if not len(here):
            continue
        ending = last_stage.index[last_stage == stage]
        after = pd.concat([due[due["transaction_id"].isin(ending)], *([staged[stage]] if stage in staged else [])])
        is_here = held["transaction_id"].isin(here)
        made.append(_differences(after, held[is_here]).assign(stage=stage))
        held = pd.concat([held[~is_here], after[[*KEY, *SOURCE, *AMOUNTS]]], ignore_index=True)
    return pd.concat(made, ignore_index=True)


def _differences(after: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Amounts after less before, key by key, with the source of the newer side and whether each side has the key."""
    both = after[[*KEY, *SOURCE, *AMOUNTS]].merge(
        before[[*KEY, *SOURCE, *AMOUNTS]],
        on=KEY,
        how="outer",
        suffixes=("", "_before"),
        validate="1:1",
        indicator="side",
    )
    amounts = {name: both[name].fillna(0) - both[f"{name}_before"].fillna(0) for name in AMOUNTS}
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
    arrival = steps["transaction_id"].map(moved_lines.set_index("transaction_id")["arrival"]).astype("str")
    cause = stage.map(CAUSE).where(stage != "line", arrival)
    cause = cause.mask(stage == "eligibility", gained.map({True: "eligibility_gained", False: "eligibility_lost"}))
    before, now = ({p.program: p.rule_version for p in programs} for programs in rules)
    versions = {name: f"{before.get(name, 'none')} → {now[name]}" for name in now}
    detail = steps["program"].map(versions).where(stage.isin(["rule", "split"]))
    detail = detail.mask(stage == "fx", steps["fx_month"].dt.strftime("%Y-%m"))
    for side, decided in ((gained, reasons_before), (~gained, decided_lines)):
        detail = detail.mask((stage == "eligibility") & side, _criteria(steps, decided))
    return steps.drop(columns=["stage", "side"]).assign(cause=cause, cause_detail=detail)


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
