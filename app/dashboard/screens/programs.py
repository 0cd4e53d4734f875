"""Programs: what each program that is for the location pays today."""

import streamlit as st

from app.dashboard.tables import Column, show
from app.dashboard.view import View


def programs(view: View) -> None:
    """The page."""
    words = view.words
    rows = view.scope.release.rows(
        "SELECT * FROM programs WHERE effective_from <= $as_of AND (effective_to IS NULL OR effective_to > $as_of) "
        "ORDER BY program, lever",
        as_of=view.as_of,
    )
    mine = set(view.scope.ask("SELECT program FROM {eligibility_status}")["program"])
    shown = [
        name for name in dict.fromkeys(rows["program"]) if name in mine and (not view.chosen or name in view.chosen)
    ]
    if not shown:
        st.info(words("No program is for partners of this kind."))
    for program in shown:
        st.subheader(view.program(program))
        show(
            rows[rows["program"] == program],
            [
                Column(words("Lever"), lambda row: row.lever_title),
                Column(words("Rate"), lambda row: view.share(row.rate) or words("by brackets"), is_figure=True),
                Column(words("Rebate share"), lambda row: view.share(row.rebate_share), is_figure=True),
                Column(words("Co-op share"), lambda row: view.share(row.coop_share), is_figure=True),
                Column(words("From"), lambda row: view.day(row.effective_from)),
                Column(words("To"), lambda row: view.day(row.effective_to) or words("open")),
                Column(words("Source"), lambda row: words("illustrative") if row.is_illustrative else row.reference),
            ],
            label=f"{words('Rates')}: {view.program(program)}",
            empty=words("No rule is in force today."),
        )
