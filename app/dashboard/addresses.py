"""Addresses within the dashboard: a link loads a page anew, so what is chosen goes along in it."""

from html import escape
from urllib.parse import quote, urlencode

import streamlit as st

from app.dashboard.words import Words

OF_A_LINE = ("id", "back")
LISTS = {"earnings": "Earnings", "ineligible": "Ineligible revenue"}


def address(page: str, **named: str) -> str:
    """The address of a page on which all that is chosen here is chosen, location and language among it.

    It opens nothing by itself: a widget takes from an address only what it offers to the viewer.
    """
    chosen = {name: st.query_params.get_all(name) for name in st.query_params if name not in OF_A_LINE}
    return f"/{page}?{urlencode(chosen | named, doseq=True, quote_via=quote)}"


def of_line(transaction_id: str, listed_on: str) -> str:
    """The address of a line's page, from which a link leads back to the list."""
    return address("line", id=transaction_id, back=listed_on)


def back(words: Words) -> None:
    """A link from a line's page back to the list that it was opened from."""
    name = st.query_params.get("back")
    if name in LISTS:
        st.html(f'<a class="back" href="{escape(address(name))}" target="_self">← {escape(words(LISTS[name]))}</a>')
