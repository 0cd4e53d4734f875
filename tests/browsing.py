"""The dashboard in a real browser: a home with something to show, the server, a provider to sign in with, the browser."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pipeline
from tests.deliveries import land, land_world
from tests.ports import free_port
from tests.test_dashboard_access import ADMIN, OTHER, PART, PARTNERS, USER, USERS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OPERATOR, STRANGER = "ops@publisher.example", "x@x.example"
BOTH = "both@contoso.example"  # has roles where a test gives it some
PEOPLE = (ADMIN, USER, OTHER, PART, BOTH, OPERATOR)
PAGES = {
    "overview": "Overview", "eligibility": "Eligibility", "programs": "Programs", "earnings": "Earnings",
    "ineligible": "Ineligible revenue", "coop": "Co-op", "payments": "Payments", "statements": "Statements",
    "adjustments": "Adjustments", "requests": "Requests", "users": "Users and roles", "health": "Data health",
}  # fmt: skip
SCREENSHOTS = Path(__file__).parents[1] / "var" / "screenshots"
COOKIE_SECRET = "0123456789abcdef0123456789abcdef"
WAIT = 60_000  # milliseconds; the first page of a fresh server takes eight seconds on two idle cores
MARKS = [
    pytest.mark.skipif(not CHROMIUM, reason="NO BROWSER: chromium is not installed, so the dashboard's pages are not tested"),
    pytest.mark.filterwarnings("ignore"),
]  # fmt: skip

HIDDEN = """() => [...document.querySelectorAll('.rows')]
    .filter(one => one.offsetParent && one.scrollWidth > one.clientWidth)
    .map(one => `${one.getAttribute('aria-label')}: ${one.scrollWidth} in ${one.clientWidth}`)"""  # columns, of tables


@contextmanager
def shown_home(made: Path) -> Iterator[Path]:
    """A home with a day of two resellers, of whom the first has completed its set-up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(made))
        land_world(partners=PARTNERS, users=USERS)
        land("partner_requests", [{"request_id": "r1", "partner_id": "1000001"}])
        land("transactions", [{"transaction_id": "mine"}, {"transaction_id": "theirs", "reseller_id": "1000002"}])
        pipeline.run()
        yield made


def drawn(page) -> None:
    """Wait until the page is drawn to its end; it must be without an error, and be the one that was asked for."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=WAIT)
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.get_by_role("dialog").count() == 0


def keep(page, name: str) -> None:
    """Keep how a page looks, for whoever wants to look at it after the tests."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@contextmanager
def served(home: Path, *options: str, **env: str) -> Iterator[str]:
    """The dashboard of a home, served; its address."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "dashboard", "--port", str(port), *options]
    given = {name: value.format(port=port) for name, value in env.items()}
    log = (home / "dashboard.log").open("w")
    process = subprocess.Popen(command, env=os.environ | {"INCENTIVES_HOME": str(home)} | given, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthy", timeout=5)
                break
            except OSError:
                assert process.poll() is None, (home / "dashboard.log").read_text()
                time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def served_with_sign_in(home: Path, **env: str) -> Iterator[str]:
    """The dashboard of a home with a real identity provider; its address."""
    from oidc_provider_mock import User, run_server_in_thread

    people = [User(sub=name, claims={"email": name, "email_verified": True}) for name in (*PEOPLE, STRANGER)]
    with run_server_in_thread(user_claims=people) as provider:
        set_up = {
            "CLIENT_ID": "dashboard", "CLIENT_SECRET": "of-the-test", "COOKIE_SECRET": COOKIE_SECRET,
            "SERVER_METADATA_URL": f"http://localhost:{provider.server_port}/.well-known/openid-configuration",
            "REDIRECT_URI": "http://localhost:{port}/oauth2callback", "PASSWORD_URL": f"http://localhost:{provider.server_port}/",
        }  # fmt: skip
        with served(home, **{f"INCENTIVES_OIDC_{name}": value for name, value in set_up.items()} | env) as address:
            yield address


def sign_in(browser, address: str, name: str):
    """A page on which somebody is signed in."""
    page = browser.new_context(locale="en").new_page()
    page.goto(address)
    page.get_by_role("button", name="Sign in").click(timeout=WAIT)
    page.get_by_role("button", name=name).click(timeout=WAIT)
    page.get_by_role("button", name="Sign out").wait_for(timeout=WAIT)
    return page
