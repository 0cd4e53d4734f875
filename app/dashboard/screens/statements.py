"""Statements: each month's balances, what moved them, and the statement as a file."""

import pandas as pd
import streamlit as st

from app import statements as stated
from app.dashboard import downloads
from app.dashboard.tables import Column, show
from app.dashboard.view import View


def statements(view: View) -> None:
    """The page."""
    words = view.words
    months = view.scope.ask("SELECT DISTINCT period FROM {earnings_ledger} ORDER BY period DESC")["period"]
    if months.empty:
        st.info(words("Nothing is posted yet."))
        return
    month = st.selectbox(words("Month"), list(months), format_func=view.month, key="statement")
    made = stated.statement(view.scope.ask_rows, view.scope.partner_id, month, view.as_of)
    reader = stated.Reader(words, view.scope.release.programs, view.scope.release.levers)
    downloads.offer_statement(view, month)
    for section in made.sections:
        st.subheader(words(section.heading))
        show(
            pd.DataFrame(section.rows),
            [_column(reader, *column) for column in section.columns],
            label=words(section.heading),
            empty=words("Nothing in this month."),
        )


def _column(reader: stated.Reader, title: str, field: str, kind: str) -> Column:
    is_figure = kind in ("money", "number")
    return Column(reader.words(title), lambda row: reader.text(vars(row), field, kind), is_figure=is_figure)
