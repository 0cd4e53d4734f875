"""The dashboard in a real browser: every page, sign-in with a real provider, what is forbidden, a new release while open."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import httpx
import pytest
from streamlit import auth_util

import pipeline
from app.dashboard.words import Words
from tests import browsing
from tests.browsing import (
    COOKIE_SECRET,
    HIDDEN,
    MARKS,
    PAGES,
    STRANGER,
    WAIT,
    drawn,
    keep,
    served,
    served_with_sign_in,
    shown_home,
    sign_in,
)
from tests.deliveries import settle_next
from tests.ports import free_port
from tests.test_dashboard_access import ADMIN, OTHER, USER
from warehouse import store

pytestmark = MARKS


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator:
    with shown_home(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture(scope="module")
def demo(home):
    with served(home, "--demo") as address:
        yield address


@pytest.mark.parametrize("locale", ["de", pytest.param("en", marks=pytest.mark.slow)])  # German words are longer
def test_every_page_draws_with_every_column_and_asks_nobody_else(browser, demo, locale):
    page = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900}).new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    for name in PAGES:
        page.goto(f"{demo}/{name}")
        page.locator("h1").first.wait_for(timeout=WAIT)
        page.get_by_text("2021-03-23" if name == "health" else "Contoso").first.wait_for(timeout=WAIT)
        drawn(page)
        keep(page, f"{name}-{locale}")
        assert page.evaluate(HIDDEN) == []
        title = Words(locale)(PAGES[name])
        assert (page.title(), page.locator("html").get_attribute("lang")) == (f"{title} · Incentives", locale)
    assert {host.split(":")[0] for host in asked} == {"localhost"}


def test_a_new_release_shows_while_a_page_is_open(browser, demo, home):
    page = browser.new_page()
    page.goto(demo)
    page.get_by_text("23 Mar 2021").first.wait_for(timeout=WAIT)
    with store.at(home):
        settle_next("2021-03-24", [{"transaction_id": "next"}])
    page.get_by_text("24 Mar 2021").first.wait_for(timeout=WAIT)
    drawn(page)


@pytest.fixture(scope="module")
def signed(home):
    """The dashboard with a real identity provider."""
    with served_with_sign_in(home) as address:
        yield address


def test_an_admin_sees_the_own_location_and_no_other_by_its_address(browser, signed):
    page = sign_in(browser, signed, ADMIN)
    page.get_by_text("Contoso").first.wait_for(timeout=WAIT)
    page.get_by_role("link", name="Users and roles").wait_for(timeout=WAIT)
    page.goto(f"{signed}/line?id=theirs")
    page.get_by_text("There is no such line").wait_for(timeout=WAIT)
    page.goto(f"{signed}/line?id=mine")
    page.get_by_text("modern-work").or_(page.get_by_text("azure")).first.wait_for(timeout=WAIT)
    page.goto(f"{signed}/earnings")
    link = page.get_by_role("link", name="CSV").first
    link.wait_for(timeout=WAIT)
    address = f"{signed}{link.get_attribute('href')}"
    answer = page.request.get(address)
    assert answer.status == 200 and answer.body().startswith(b'\xef\xbb\xbf"earning_month"')
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address)
    assert sign_in(browser, signed, OTHER).request.get(address).status == 403


def test_a_user_sees_no_users_page_and_a_stranger_nothing(browser, signed):
    page = sign_in(browser, signed, USER)
    page.get_by_text("Contoso").first.wait_for(timeout=WAIT)
    page.get_by_role("link", name="Data health").wait_for(timeout=WAIT)
    assert page.get_by_role("link", name="Users and roles").count() == 0
    page.goto(f"{signed}/users")
    page.get_by_text("Page not found").first.wait_for(timeout=WAIT)
    page.goto(f"{signed}/requests")
    page.get_by_role("heading", name="Requests and answers").wait_for(timeout=WAIT)
    page.get_by_text("Nothing was asked for yet.").wait_for(timeout=WAIT)
    stranger = sign_in(browser, signed, STRANGER)
    stranger.get_by_text("You have no incentives role").wait_for(timeout=WAIT)
    assert "Contoso" not in stranger.content()


def test_a_location_shows_after_its_admin_completed_the_set_up(browser, signed, home):
    page = sign_in(browser, signed, OTHER)
    page.get_by_text("when you have completed its set-up").wait_for(timeout=WAIT)
    assert page.get_by_text("Overview").count() == 0
    page.get_by_role("button", name="complete the set-up").click()
    page.get_by_text("Asked for.").wait_for(timeout=WAIT)
    with store.at(home):
        [landed] = [name for name in pipeline.landed() if "partner_requests" in name]
        assert landed.startswith("2021-03-2")
        settle_next(landed[:10], [{"transaction_id": f"line of {landed}"}])
    page.get_by_role("link", name="Overview").wait_for(timeout=WAIT)


def test_an_admin_asks_by_a_form_and_is_answered(browser, signed, home):
    page = sign_in(browser, signed, ADMIN)
    page.goto(f"{signed}/requests")
    page.get_by_text("Assign a role").first.wait_for(timeout=WAIT)
    drawn(page)
    page.get_by_text("Assign a role").first.click()
    page.get_by_label("E-mail").fill("new@contoso.example")
    page.get_by_text("Assign a role").first.click()
    send = page.get_by_role("button", name="Assign the role", include_hidden=True)
    send.dispatch_event("click")  # as where the page was drawn anew meanwhile, which closes the form
    page.get_by_text("Fill in every field.").wait_for(timeout=WAIT)
    drawn(page)  # or what is opened meanwhile is closed again
    page.get_by_text("Remove a role").first.click()
    page.get_by_role("button", name="Remove the role").wait_for(timeout=WAIT)
    assert page.get_by_label("E-mail").input_value() == "new@contoso.example"
    page.get_by_label("Name", exact=True).fill("Newcomer")
    page.get_by_role("button", name="Assign the role").click()
    page.get_by_text("Asked for.").wait_for(timeout=WAIT)
    page.locator('input[value="new@contoso.example"]').wait_for(state="detached", timeout=WAIT)
    with store.at(home):
        [landed] = [name for name in pipeline.landed() if "partner_requests" in name]
        settle_next(landed[:10], [{"transaction_id": f"line of {landed}"}])
    page.get_by_role("cell", name="Assign role").wait_for(timeout=WAIT)
    page.goto(f"{signed}/users")
    page.get_by_text("Newcomer").wait_for(timeout=WAIT)


@pytest.mark.slow
def test_an_account_is_named_where_payments_are_shown(browser, signed, home):
    page = sign_in(browser, signed, ADMIN)
    page.goto(f"{signed}/payments")
    page.get_by_label("Account holder").fill("Contoso")
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    page.get_by_role("button", name="Name the account").click()
    page.get_by_text("Fill in every field.").wait_for(timeout=WAIT)
    assert page.get_by_label("Account holder").input_value() == "Contoso"
    page.get_by_role("combobox", name="Currency").click()
    page.keyboard.type("EUR")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Name the account").click()
    page.get_by_text("Asked for.").wait_for(timeout=WAIT)
    page.locator('input[value^="DE89"]').wait_for(state="detached", timeout=WAIT)
    with store.at(home):
        [landed] = [name for name in pipeline.landed() if "partner_requests" in name]
        [file] = (store.place("landing") / landed).glob("partner_requests*")
        assert "DE89370400440532013000" in file.read_text() and "EUR" in file.read_text()
        settle_next(landed[:10], [{"transaction_id": f"line of {landed}"}])


def test_who_signs_out_sees_nothing(browser, signed):
    page = sign_in(browser, signed, ADMIN)
    beside = page.context.new_page()
    beside.goto(signed)
    beside.get_by_text("Contoso").first.wait_for(timeout=WAIT)
    with page.expect_navigation(timeout=WAIT):
        page.get_by_role("button", name="Sign out").click()
    beside.get_by_text("Your sign-in has ended").wait_for(timeout=WAIT)
    beside.get_by_text("Contoso").first.wait_for(state="detached", timeout=WAIT)
    page.wait_for_load_state("networkidle")
    page.goto(signed)
    page.get_by_role("button", name="Sign in").wait_for(timeout=WAIT)
    assert "Contoso" not in page.content()


def test_a_password_is_changed_on_the_providers_page(browser, signed):
    page = sign_in(browser, signed, ADMIN)
    link = page.get_by_role("link", name="Change password")
    link.wait_for(timeout=WAIT)
    assert link.get_attribute("href").startswith("http://localhost:") and signed not in link.get_attribute("href")
    with page.context.expect_page(timeout=WAIT) as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert opened.value.url == link.get_attribute("href")


@pytest.mark.slow
def test_who_has_signed_out_stays_so_when_the_dashboard_starts_again(browser, home, monkeypatch):
    port = free_port()  # a cookie is good at its own address alone
    monkeypatch.setattr(browsing, "free_port", lambda: port)
    with served_with_sign_in(home) as address:
        page = sign_in(browser, address, ADMIN)
        kept = page.context.cookies()
        with page.expect_navigation(timeout=WAIT):
            page.get_by_role("button", name="Sign out").click()
    with served_with_sign_in(home) as address:
        context = browser.new_context(locale="en")
        context.add_cookies(kept)
        again = context.new_page()
        again.goto(address)
        again.get_by_text("Your sign-in has ended").wait_for(timeout=WAIT)
        assert "Contoso" not in again.content()


def test_cookies_are_sealed_where_tls_ends_on_another_host(home, monkeypatch):
    public = "https://incentives.example"
    monkeypatch.setattr(auth_util, "get_signing_secret", lambda: COOKIE_SECRET)
    provider = auth_util.encode_provider_token("default")
    with (
        served_with_sign_in(home, INCENTIVES_OIDC_REDIRECT_URI=f"{public}/oauth2callback") as address,
        httpx.Client(trust_env=False) as client,
    ):
        begun = client.get(f"{address}/auth/login", params={"provider": provider})
        agreed = client.post(begun.headers["location"], data={"sub": ADMIN})
        cookie = begun.headers["set-cookie"].split(";")[0]
        done = client.get(agreed.headers["location"].replace(public, address), headers={"Cookie": cookie})
    cookies = [*begun.headers.get_list("set-cookie"), *done.headers.get_list("set-cookie")]
    assert "_streamlit_user" in {one.split("=")[0] for one in cookies}
    assert [one for one in cookies if "; secure" not in one.lower()] == []
    assert all("max-age" in answer.headers["strict-transport-security"] for answer in (begun, done))


def test_it_does_not_start_without_a_provider(home):
    command = [sys.executable, "-m", "app.cli", "dashboard"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"INCENTIVES_HOME": str(home), "COLUMNS": "200"}
    )
    assert done.returncode == 2 and "INCENTIVES_OIDC_CLIENT_ID" in done.stderr
