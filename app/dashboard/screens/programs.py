"""Programs: how the location is enrolled in each that is for it, what that pays today, for what, and on which conditions."""

from types import SimpleNamespace

import pandas as pd
import streamlit as st

from app.dashboard.screens.enrolment import enrolment
from app.dashboard.tables import Column, facts, show
from app.dashboard.view import View


def programs(view: View) -> None:
    """The page."""
    rows = view.scope.release.rows(
        "SELECT *, effective_to - 1 AS last_day FROM programs "
        "WHERE effective_from <= $as_of AND (effective_to IS NULL OR effective_to > $as_of) ORDER BY program, lever",
        as_of=view.as_of,
    )
    mine = set(view.scope.ask("SELECT program FROM {eligibility_status}")["program"])
    enrolled = {row["program"]: SimpleNamespace(**row) for row in view.scope.ask_rows("SELECT * FROM {enrolments}")}
    shown = [
        name for name in dict.fromkeys(rows["program"]) if name in mine and (not view.chosen or name in view.chosen)
    ]
    if not shown:
        st.info(view.words("No program is for partners of this kind."))
    for program in shown:
        st.subheader(view.program(program))
        if program in enrolled:
            facts(enrolment(view, enrolled[program]))
        _levers(view, rows[rows["program"] == program], view.program(program))


def _levers(view: View, rows: pd.DataFrame, title: str) -> None:
    """The levers of a program, which all split an earning alike; conditions only where a lever has some."""
    words = view.words
    rebate, coop = (view.share(rows[column].iloc[0]) for column in ("rebate_share", "coop_share"))
    st.write(words("{rebate} of an earning is rebate, {coop} co-op.", rebate=rebate, coop=coop))
    bounds = [Column(words("Conditions"), lambda row: view.rule(row, "bounds"))] if rows["bounds"].notna().any() else []
    columns = [
        Column(words("Lever"), lambda row: row.lever_title),
        Column(words("Pays"), lambda row: view.rule(row, "pays")),
        Column(words("For"), lambda row: view.rule(row, "selects")),
        *bounds,
        Column(words("From"), lambda row: view.day(row.effective_from)),
        Column(words("Last day"), lambda row: view.day(row.last_day) or words("open")),
        Column(words("Source"), lambda row: words("illustrative") if row.is_illustrative else row.reference),
    ]
    show(rows, columns, label=f"{words('Rates')}: {title}", empty=words("No rule is in force today."), stacks=True)
