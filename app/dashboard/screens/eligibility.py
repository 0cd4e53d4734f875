"""Eligibility: every criterion of every program, the evidence, and what the partner can do."""

from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.dashboard.screens import enrolment
from app.dashboard.stored import told
from app.dashboard.tables import Column, show
from app.dashboard.view import View

ICONS = {
    "eligible": ":material/check_circle:",
    "almost_eligible": ":material/error:",
    "unknown": ":material/help:",
    "ineligible": ":material/cancel:",
}
STATUS = {"met": "good", "unmet": "bad", "unknown": "wait", "not_applicable": "none"}


def eligibility(view: View) -> None:
    """The page."""
    words = view.words
    st.markdown(
        words("Judged anew every day. Each program shows from which day on sales earn once all its criteria are met.")
    )
    verdicts = view.scope.ask(
        "SELECT program, eligibility, earns_from, earns_to FROM {eligibility_status} "
        "WHERE len($chosen) = 0 OR list_contains($chosen, program) ORDER BY program",
        chosen=list(view.chosen),
    )
    judged = view.scope.ask("SELECT * FROM {eligibility_criteria} ORDER BY program, criterion_number")
    enrolments = view.scope.ask("SELECT * FROM {enrolments}")
    if verdicts.empty:
        st.info(words("No program is for partners of this kind."))
    for verdict in verdicts.itertuples(index=False):
        stands = words.code(verdict.eligibility)
        with st.expander(
            f"{view.program(verdict.program)}: {stands}", expanded=verdict.eligibility != "eligible",
            icon=ICONS[verdict.eligibility],
        ):  # fmt: skip
            st.markdown(_earns(view, verdict.earns_from, verdict.earns_to))
            for row in enrolments[enrolments["program"] == verdict.program].itertuples(index=False):
                st.markdown(_enrolment(view, row))
            _criteria(view, judged[judged["program"] == verdict.program], verdict.program)


def _earns(view: View, first: Any, end: Any) -> str:
    """From when to when sales earn, or earned."""
    if pd.isna(first):
        return view.words("Has not earned yet.")
    if pd.isna(end):
        return view.words("Earns since {first}.", first=view.day(first))
    return view.words(
        "Earned from {first} to {last}." if end <= view.as_of else "Earns from {first} to {last}, as far as is known.",
        first=view.day(first),
        last=view.day(end - timedelta(days=1)),
    )


def _enrolment(view: View, row: Any) -> str:
    """How the enrolment stands, since when, why, and what the partner can do."""
    words = view.words
    since = enrolment.since(view, row)
    said = [
        f"{words('Enrolment')}: **{words.code(row.enrolment_status)}**"
        + (f", {words('Since').lower()} {since}" if since else "")
    ]
    said += [words(text).rstrip(".") for text in (row.reason, row.what_to_do) if isinstance(text, str)]
    return ". ".join(said) + "."


def _criteria(view: View, rows: pd.DataFrame, program: str) -> None:
    words = view.words
    why = [
        Column(words("Reason"), lambda row: words(row.reason) if row.reason else ""),
        Column(words("What you can do"), lambda row: words(row.what_to_do) if row.what_to_do else ""),
    ]
    show(
        rows,
        [
            *stands(view),
            Column(words("Since"), lambda row: "" if row.valid_from.year == 1900 else view.day(row.valid_from)),
            Column(words("Evidence"), lambda row: told(words, row.evidence)),
            *(why if rows["reason"].notna().any() else ()),
        ],
        label=f"{words('Criteria')}: {view.program(program)}",
        empty=words("No criteria."),
        stacks=True,
    )


def stands(view: View) -> list[Column]:
    """The columns that name a criterion and say how it stands."""
    return [
        Column(view.words("Criterion"), lambda row: view.words.code(row.criterion)),
        Column(view.words("Status"), lambda row: view.words.code(row.status), badge=lambda row: STATUS[row.status]),
    ]
