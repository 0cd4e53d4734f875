"""What is filled in is understood as it was meant, or asked about at once."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.dashboard import figures, forms
from app.dashboard.words import Words

PROGRAMS = ["csp-customer-add", "csp-indirect-reseller"]
FUND = pd.DataFrame({"program": ["csp-indirect-reseller"], "currency": ["USD"]})


def view(locale: str) -> SimpleNamespace:
    """What an admin of two programs sees, with one fund that can be claimed."""
    scope = SimpleNamespace(ask=lambda _: FUND, admin_programs=PROGRAMS)
    return SimpleNamespace(words=Words(locale), locale=locale, as_of=date(2021, 8, 1), program=str, scope=scope)


@pytest.mark.parametrize(
    ("locale", "currency", "text", "meant"),
    [
        ("en", "USD", "1,250.00", "1250.00"),
        ("en", "USD", " 1250.5 ", "1250.5"),
        ("en", "USD", "1,250", "1250"),
        ("de", "USD", "1.250,00", "1250.00"),
        ("de", "USD", "12,50", "12.50"),
        ("de", "USD", "1.250", "1250"),
        ("de", "JPY", "1.250", "1250"),
        ("en", "KWD", "1.2505", None),
        ("en", "KWD", "1,250", None),
        ("de", "KWD", "1.250", None),
        ("de", "KWD", "1.250,500", "1250.500"),
        ("en", "JPY", "12.5", None),
        ("en", "USD", "1.250,00", None),
        ("en", "USD", "12,50", None),
        ("en", "USD", "1.250", None),
        ("de", "USD", "1250.00", None),
        *(("en", "USD", text, None) for text in ("€50", "1250.005", "abc", "", "0", "-5", "1e5", "NaN", "1_000", "1000000000000")),
        ("en", "USD", "999999999999.99", "999999999999.99"),
    ],
)  # fmt: skip
def test_an_amount_is_read_in_the_language_shown_or_not_at_all(locale, currency, text, meant):
    assert figures.amount(text, currency, locale) == (None if meant is None else Decimal(meant))


def claim_page(view) -> None:
    from app.dashboard.screens.coop import _claim

    _claim(view)


def account_page(view) -> None:
    from app.dashboard.screens.payments import _account

    _account(view)


@pytest.fixture
def asked(monkeypatch) -> list[dict]:
    """What forms ask for."""
    sent: list[dict] = []
    monkeypatch.setattr(forms, "ask", lambda view, kind, **said: sent.append({"request_kind": kind, **said}))
    return sent


@pytest.mark.parametrize(
    ("locale", "refused", "told", "text"),
    [("en", "12,50", "Write it as 1,250.00.", "1,250.00"), ("de", "€50", "wie 1.250,00.", "1.250,00")],
)
def test_a_claim_whose_amount_is_unclear_is_not_sent(asked, locale, refused, told, text):
    page = AppTest.from_function(claim_page, kwargs={"view": view(locale)}).run()
    amount = page.text_input[0]
    assert amount.placeholder == text
    amount.input(refused)
    page.button[0].click().run()
    assert told in page.error[0].value and not asked and page.text_input[0].value == refused
    page.text_input[0].input(text)
    page.button[0].click().run()
    assert [(one["request_kind"], one["requested"]) for one in asked] == [("coop_claim", "1250.00")]
    assert page.success and not page.error


def test_an_account_that_is_no_iban_is_not_sent(asked):
    page = AppTest.from_function(account_page, kwargs={"view": view("en")}).run()
    page.text_input[0].input("Contoso")
    page.text_input[1].input("DE00 3704 0044 0532 0130 00")
    page.selectbox[0].select("EUR")
    page.button[0].click().run()
    assert "not an IBAN" in page.error[0].value and not asked
    page.text_input[1].input("DE89\u00a03704 0044 0532 0130 00")
    page.button[0].click().run()
    assert [one["iban"] for one in asked] == ["DE89370400440532013000"]


def test_who_is_admin_of_two_programs_says_whose_payments_are_held_and_paid(asked):
    page = AppTest.from_function(account_page, kwargs={"view": view("en")}).run()
    page.text_input[0].input("Contoso")
    page.text_input[1].input("DE89370400440532013000")
    page.selectbox[0].select("EUR")
    page.selectbox[1].select(PROGRAMS[1])
    page.button[0].click().run()
    *_, request, program = page.selectbox
    request.select("hold_payment")
    assert program.options == PROGRAMS
    program.select(PROGRAMS[1])
    page.button[1].click().run()
    assert [(one["request_kind"], one["program"]) for one in asked] == [
        ("payee_profile", PROGRAMS[1]), ("hold_payment", PROGRAMS[1]),
    ]  # fmt: skip


def test_a_form_of_a_demonstration_says_that_nothing_is_sent(asked, monkeypatch):
    monkeypatch.setenv("INCENTIVES_DASHBOARD_DEMO", "1")
    page = AppTest.from_function(claim_page, kwargs={"view": view("en")}).run()
    page.text_input[0].input("12.50")
    page.button[0].click().run()
    assert "Nothing is sent" in page.error[0].value and not asked and not page.success


def set_up_page(view) -> None:
    from app.dashboard.screens.set_up import set_up

    set_up(view)


@pytest.mark.parametrize(("demo", "buttons"), [("", 1), ("1", 0)])
def test_a_set_up_is_completed_by_who_has_signed_in(monkeypatch, demo, buttons):
    monkeypatch.setenv("INCENTIVES_DASHBOARD_DEMO", demo)
    scope = SimpleNamespace(ask=lambda _: pd.DataFrame(), is_admin=True, partner_id="1000001")
    page = AppTest.from_function(set_up_page, kwargs={"view": SimpleNamespace(words=Words("en"), scope=scope)}).run()
    assert len(page.button) == buttons and not page.exception
