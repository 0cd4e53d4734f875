"""The location that is looked at: links keep it, an address opens no other, its name is shown as it was delivered."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

import pipeline
from tests.browsing import BOTH, MARKS, OPERATOR, WAIT, drawn, served, served_with_sign_in, sign_in
from tests.deliveries import land, land_world
from tests.test_dashboard_access import PARTNERS

pytestmark = MARKS
ODD = "x+y z&p#q 50%25 /?=\"'"  # the id of a line
NAME = "Tailspin *Toys* [x](https://x.example) :red[y] $1$ <b>z</b> & :smile:"
OF_ANOTHER = {"partner_id": "1000003", "partner_name": NAME, "tenant_id": "tenant-3"}
LOCATIONS = ("1000001", "1000002")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator:
    """A home with a day of three resellers; one user has a role at two of them."""
    made = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(made))
        land_world(
            partners=[*PARTNERS, OF_ANOTHER],
            users=[{"partner_id": one, "user_email": BOTH} for one in LOCATIONS],
        )
        land("partner_requests", [{"request_id": one, "partner_id": one, "requested_by": BOTH} for one in LOCATIONS])
        lines = {"1000001": "first", "1000002": ODD, "1000003": "theirs"}
        land("transactions", [{"transaction_id": line, "reseller_id": one} for one, line in lines.items()])
        pipeline.run()
        yield made


@pytest.fixture(scope="module")
def signed(home) -> Iterator[str]:
    with served_with_sign_in(home, INCENTIVES_OPERATORS=OPERATOR) as address:
        yield address


def choose(page, label: str, text: str) -> None:
    """Choose what a text finds in a list of the sidebar."""
    page.get_by_role("combobox", name=label).first.click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def shown(page, text: str) -> None:
    page.locator("[data-testid=stMain]").get_by_text(text).first.wait_for(timeout=WAIT)
    drawn(page)


@pytest.mark.parametrize("who", [BOTH, OPERATOR])
def test_a_line_opens_at_what_is_chosen_and_leads_back(browser, signed, who):
    page = sign_in(browser, signed, who)
    page.goto(f"{signed}/ineligible")
    choose(page, "Location", "Fabrikam")
    shown(page, "Fabrikam")
    choose(page, "Earned in", "Last 36")
    drawn(page)
    choose(page, "Language", "Deutsch")
    page.get_by_role("heading", name="Umsatz ohne Anspruch").wait_for(timeout=WAIT)
    page.get_by_role("link", name=ODD).first.click()
    page.get_by_role("heading", name="Woher diese Summe kommt").wait_for(timeout=WAIT)
    page.locator("dd").get_by_text(ODD, exact=True).first.wait_for(timeout=WAIT)
    shown(page, "23.03.2021, 10:00 UTC")
    page.get_by_role("link", name="← Umsatz ohne Anspruch").click()
    page.get_by_role("heading", name="Umsatz ohne Anspruch").wait_for(timeout=WAIT)
    shown(page, "Fabrikam")
    page.get_by_role("link", name=ODD).first.wait_for(timeout=WAIT)
    assert page.get_by_role("combobox", name="Verdient in").input_value() == "Letzte 36 Monate"


def test_an_address_that_names_another_partners_location_shows_nothing_of_it(browser, signed):
    page = sign_in(browser, signed, BOTH)
    for forged in (f"{NAME} · 1000003", "1000003"):
        page.goto(f"{signed}/line?id=theirs&location={quote(forged)}")
        shown(page, "There is no such line")
        shown(page, "Contoso")
        assert "Tailspin" not in page.content()


@pytest.mark.slow
def test_an_eligibility_link_keeps_the_location_and_whom_one_looks_as_in_a_demonstration(browser, home):
    with served(home, "--demo") as address:
        page = browser.new_context(locale="en").new_page()
        page.goto(address)
        choose(page, "Look as", BOTH)
        page.get_by_role("link", name="Requests").wait_for(timeout=WAIT)
        choose(page, "Location", "Fabrikam")
        shown(page, "Fabrikam")
        page.locator(".rows").get_by_role("link").first.click()
        page.get_by_role("heading", name="Eligibility", exact=True).wait_for(timeout=WAIT)
        shown(page, "Fabrikam")
        assert page.get_by_role("combobox", name="Look as").input_value() == BOTH


def test_a_partners_name_is_shown_as_it_was_delivered(browser, signed):
    page = sign_in(browser, signed, OPERATOR)
    choose(page, "Location", "1000003")
    shown(page, f"{NAME} · 1000003")
