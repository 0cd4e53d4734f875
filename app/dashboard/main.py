"""The dashboard's script, run anew for every change of a page: who is signed in, what they see, which page is open."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from app.dashboard import current, login, periods
from app.dashboard.access import Scope, Viewer, matching
from app.dashboard.screens.adjustments import adjustments
from app.dashboard.screens.coop import coop
from app.dashboard.screens.earnings import earnings
from app.dashboard.screens.eligibility import eligibility
from app.dashboard.screens.health import STANDING, health
from app.dashboard.screens.ineligible import ineligible
from app.dashboard.screens.line import line
from app.dashboard.screens.overview import overview
from app.dashboard.screens.payments import payments
from app.dashboard.screens.programs import programs
from app.dashboard.screens.requests import requests
from app.dashboard.screens.set_up import set_up
from app.dashboard.screens.statements import statements
from app.dashboard.screens.users import users
from app.dashboard.view import View
from app.dashboard.words import LANGUAGES, Words

STYLE = Path(__file__).parent / "style.css"
MOST_OFFERED = 500  # locations to choose from at once; each is sent to the browser whenever the page is drawn
LATE_DAYS = 2  # a day is settled on the next; after one more, newer data is late
FOLLOWS_SECONDS = 2  # a new release shows within three
SAID = ("period", "from", "to", "by", "month")  # what is chosen by words, which differ by language
Page = Callable[[View], None]
PAGES: dict[str, tuple[str, str, Page]] = {
    "overview": ("Overview", ":material/dashboard:", overview),
    "eligibility": ("Eligibility", ":material/rule:", eligibility),
    "programs": ("Programs", ":material/list_alt:", programs),
    "earnings": ("Earnings", ":material/bar_chart:", earnings),
    "ineligible": ("Ineligible revenue", ":material/block:", ineligible),
    "coop": ("Co-op", ":material/savings:", coop),
    "payments": ("Payments", ":material/payments:", payments),
    "statements": ("Statements", ":material/receipt_long:", statements),
    "adjustments": ("Adjustments", ":material/balance:", adjustments),
    "requests": ("Requests", ":material/contact_support:", requests),
    "users": ("Users and roles", ":material/group:", users),
    "health": ("Data health", ":material/monitor_heart:", health),
}


def main() -> None:
    """One run of the script."""
    st.set_page_config(page_title="Incentives", page_icon="📈", layout="wide")
    st.html(f"<style>{STYLE.read_text()}</style>")
    words = _words()
    release = current.current_release()
    if release is None:
        st.title(words("Incentives"))
        st.info(words("Nothing that this version can show is published yet; the next daily run publishes it."))
        _follow(current.current_id(), words)
        return
    viewer = login.viewer(release, words)
    with st.sidebar:
        scope = Scope(release, viewer, _location(viewer, release, words))
        chosen = _programs(scope, words)
        first, end = _period(scope, words)
    view = View(scope, words, first, end, chosen)
    if not scope.is_set_up:
        set_up(view)
        _follow(release.release_id, words, view)
        return
    open_pages = {
        name: st.Page(
            partial(_drawn, name, view), title=words(title), icon=icon, url_path=name, default=name == "overview"
        )
        for name, (title, icon, _) in PAGES.items()
        if name != "users" or scope.is_admin
    }
    hidden = st.Page(partial(_line, view), title=words("Line"), url_path="line", visibility="hidden")
    st.navigation([*open_pages.values(), hidden]).run()


def _drawn(name: str, view: View) -> None:
    title, _, page = PAGES[name]
    _head(view, title)
    page(view)


def _line(view: View) -> None:
    _head(view, "Where this sum comes from")
    line(view)


def _words() -> Words:
    """The reader's language: chosen here, or that of the browser."""
    preferred = (st.context.locale or "en")[:2]
    known = list(LANGUAGES)
    with st.sidebar:
        locale = st.selectbox(
            "Language / Sprache", known, format_func=LANGUAGES.__getitem__,
            index=known.index(preferred) if preferred in known else 0, key="locale", bind="query-params", on_change=_in_its_words,
        )  # fmt: skip
    words = Words(locale or "en")
    st.html(f"<script>document.documentElement.lang = '{words.locale}'</script>", unsafe_allow_javascript=True)
    return words


def _in_its_words() -> None:
    """Choose again what is chosen, so that the page's address says it in the words of the language."""
    st.session_state.update({name: st.session_state[name] for name in SAID if name in st.session_state})


def _location(viewer: Viewer, release: current.Release, words: Words) -> str:
    """The partner location that is looked at; only those that the viewer may see are offered."""
    names = release.partners if viewer.is_operator else release.names(viewer.locations())
    offered = list(names)
    if len(names) > MOST_OFFERED:
        sought = st.text_input(
            words("Find a partner"), key="sought", bind="query-params", placeholder=words("Name or number")
        )
        found = matching(names, sought)
        if not found:
            st.info(words("No partner is called that."))
        offered = (found or offered)[:MOST_OFFERED]
    chosen = st.selectbox(
        words("Location"),
        offered,
        format_func=lambda partner: f"{names[partner]} · {partner}",
        key="location",
        bind="query-params",
    )
    return chosen or offered[0]


def _programs(scope: Scope, words: Words) -> tuple[str, ...]:
    titles = scope.release.programs
    seen = [name for name in titles if scope.programs is None or name in scope.programs]
    return tuple(
        st.multiselect(
            words("Programs"),
            seen,
            format_func=titles.__getitem__,
            placeholder=words("All"),
            key="programs",
            bind="query-params",
        )
    )


def _period(scope: Scope, words: Words) -> tuple[date, date]:
    """The earning months looked at, half open: some of those from the first in which the partner earned to the newest day's."""
    newest = date.fromisoformat(scope.release.manifest["as_of_date"])
    first = newest
    if scope.is_set_up:
        [earned] = scope.ask("SELECT min(earning_month) AS month FROM {earnings_monthly}")["month"]
        [refused] = scope.ask("SELECT min(earning_month) AS month FROM {ineligible_revenue}")["month"]
        first = min([newest, *(month for month in (earned, refused) if not pd.isna(month))])
    held = periods.Months(periods.later(first, 0), periods.later(newest, 1))
    return periods.chosen(held, scope.release.fiscal_starts, words)


def _head(view: View, title: str) -> None:
    """Title, whose data, as of when; and a plain notice when the data is not what it should be."""
    words, release = view.words, view.scope.release
    st.set_page_config(page_title=f"{words(title)} · {words('Incentives')}")
    if login.is_demo():
        st.warning(
            words("Demonstration without sign-in: anybody on this machine can look as anybody. Nothing is sent."),
            icon=":material/warning:",
        )
    st.title(words(title))
    found = view.scope.ask("SELECT partner_name, country, partner_type FROM {partners}")
    if len(found):
        partner = found.iloc[0]
        kind = words.code(str(partner["partner_type"]))
        told = " · ".join(escape(text) for text in (view.scope.partner_id, partner["country"], kind))
        st.html(f'<p class="who"><b>{escape(partner["partner_name"])}</b> · {told}</p>')
    _follow(release.release_id, words, view)


@st.fragment(run_every=FOLLOWS_SECONDS)
def _follow(shown: str | None, words: Words, view: View | None = None) -> None:
    """Data as of which day; the page is drawn anew when a newer release is there."""
    if current.current_id() != shown:
        st.rerun(scope="app")
    if view is None:
        return
    if login.has_ended():
        st.rerun(scope="app")
    _told_age(view)
    attempt = current.health()
    if attempt and not attempt.get("succeeded", True):
        st.error(
            words("The last attempt to refresh the data has failed; what you see is the day before. We are on it."),
            icon=":material/warning:",
        )


def _told_age(view: View) -> None:
    """How old the data is, and what it rests on that is older still."""
    words, age = view.words, (datetime.now(UTC).date() - view.as_of).days
    if age > LATE_DAYS:
        late = words(
            "Data as of **{day}**, {age} days ago: newer data is late.", day=view.day(view.as_of), age=view.number(age)
        )
        st.warning(late, icon=":material/warning:")
    else:
        st.markdown(words("Data as of **{day}**, refreshed daily.", day=view.day(view.as_of)))
    query = "SELECT min(business_date) AS day FROM data_health WHERE age_days > 0 AND list_contains($feeds, feed)"
    [oldest] = view.scope.release.rows(query, feeds=STANDING)["day"]
    if not pd.isna(oldest):
        st.markdown(
            words(
                "Some of what it rests on is the last known of earlier days, the oldest of {day}: see Data health.",
                day=view.day(oldest),
            )
        )


if __name__ == "__main__":  # as Streamlit runs it; whoever imports it draws nothing
    main()
