"""The overview's figures: what its tiles add up."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest

from app.dashboard.screens import eligibility, enrolment, overview
from app.dashboard.view import View
from app.dashboard.words import Words

UPCOMING = """CREATE TABLE upcoming_payments AS FROM (VALUES
    ('held', 'USD', DATE '2021-04-15', 7::DECIMAL(18, 3), 'PAYHOLD'),
    ('a', 'USD', DATE '2021-05-15', 10::DECIMAL(18, 3), NULL),
    ('b', 'USD', DATE '2021-06-15', 20::DECIMAL(18, 3), NULL),
    ('b', 'USD', DATE '2021-07-15', 40::DECIMAL(18, 3), NULL),
    ('b', 'USD', NULL, 80::DECIMAL(18, 3), NULL)
) AS row(program, program_currency, due_on, program_upcoming, reason_code)"""


@pytest.mark.parametrize(
    ("chosen", "upcoming"), [((), 10), (("a",), 10), (("b",), 20), (("held", "b"), 20), (("held",), None)]
)
def test_the_upcoming_payment_is_of_the_next_cycle_in_which_a_chosen_program_pays(chosen, upcoming):
    con = duckdb.connect()
    con.execute(UPCOMING)

    def ask(sql: str, **values) -> pd.DataFrame:
        return con.execute(sql.format(upcoming_payments="upcoming_payments"), values).to_arrow_table().to_pandas()

    view = View(SimpleNamespace(ask=ask), Words("en"), date(2021, 1, 1), date(2022, 1, 1), chosen)
    assert overview._upcoming(view) == ({"USD": Decimal(upcoming)} if upcoming else {})


def test_who_has_earned_nothing_yet_is_told_so(monkeypatch):
    nothing = pd.DataFrame(columns=["program_currency", "earned", "unpaid", "paid"])
    view = View(SimpleNamespace(ask=lambda *_, **__: nothing), Words("en"), date(2021, 1, 1), date(2022, 1, 1))
    told: list[str] = []
    monkeypatch.setattr(overview.st, "info", told.append)
    overview._tiles(view)
    assert told == ["Nothing is earned or paid yet."]


def test_eligibility_that_has_ended_is_shown_with_its_end(monkeypatch):
    rows = pd.DataFrame({"program": ["a"], "earns_from": [date(2021, 1, 1)], "earns_to": [date(2021, 3, 1)]})
    view = View(SimpleNamespace(ask=lambda *_, **__: rows), Words("en"), date(2021, 1, 1), date(2022, 1, 1))
    shown: list[str] = []
    monkeypatch.setattr(overview, "show", lambda rows, columns, **_: shown.append(columns[-1].text(rows.iloc[0])))
    overview._eligibility(view)
    assert [text.replace("\xa0", " ") for text in shown] == ["1 Jan 2021 – 28 Feb 2021"]


@pytest.mark.parametrize(
    ("first", "end", "says"),
    [
        (None, None, "Has not earned yet."),
        (date(2021, 1, 1), None, "Earns since 1 Jan 2021."),
        (date(2021, 1, 1), date(2021, 3, 23), "Earned from 1 Jan 2021 to 22 Mar 2021."),
        (date(2021, 1, 1), date(2021, 3, 24), "Earns from 1 Jan 2021 to 23 Mar 2021, as far as is known."),
    ],
)
def test_what_earns_today_is_not_said_to_have_earned(first, end, says):
    release = SimpleNamespace(manifest={"as_of_date": "2021-03-23"})
    view = View(SimpleNamespace(release=release), Words("en"), date(2021, 1, 1), date(2022, 1, 1))
    assert eligibility._earns(view, first, end).replace("\xa0", " ") == says


@pytest.mark.parametrize(
    ("is_admin", "is_operator", "leads_to"), [(True, False, "/requests"), (False, False, ""), (True, True, "")]
)
def test_an_enrolment_says_what_comes_next_and_leads_who_may_ask_to_where_that_is_done(
    monkeypatch, is_admin, is_operator, leads_to
):
    monkeypatch.setattr(enrolment, "address", lambda page: f"/{page}")
    scope = SimpleNamespace(is_admin=is_admin, viewer=SimpleNamespace(is_operator=is_operator))
    view = View(scope, Words("en"), date(2021, 1, 1), date(2022, 1, 1))
    row = SimpleNamespace(
        enrolment_status="invited", valid_from=date(2021, 3, 2), valid_to=date(2021, 4, 1), next_status="inactive", what_to_do="Enrol.",
        reason="Invited to the program, not enrolled yet", evidence="invited on 2021-03-02 by transaction t1",
    )  # fmt: skip
    told = [(fact.name, fact.text.replace("\xa0", " "), fact.link) for fact in enrolment.enrolment(view, row)]
    assert told == [
        ("Enrolment", "Invited", ""),
        ("Since", "2 Mar 2021", ""),
        ("Last day", "31 Mar 2021", ""),
        ("Then", "Inactive", ""),
        ("Reason", "Invited to the program, not enrolled yet", ""),
        ("Evidence", "invited on 2 Mar 2021 by transaction t1", ""),
        ("What you can do", "Enrol.", leads_to),
    ]
