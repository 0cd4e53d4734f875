"""Lists of the dashboard in a real browser: their months, their pages, and the line behind each row, in both languages."""

import csv
from collections.abc import Iterator

import pytest

import pipeline
from tests.browsing import HIDDEN, MARKS, WAIT, drawn, keep, served
from tests.deliveries import land, land_world
from tests.test_dashboard_accessible import PHONE, TOO_WIDE, looked_at, violations
from transforms.reasons import REASONS

pytestmark = MARKS
LINES = [{"transaction_id": f"line-{number:02}"} for number in range(60)]
OLD = [{"transaction_id": f"old-{year}", "transaction_at": f"{year}-05-03T10:00:00Z"} for year in (2019, 2020)]
REFUND = {
    "transaction_id": "refund",
    "reverses": "line-00",
    "revenue": "-40.00",
    "quantity": "-1",
    "charge_type": "refund",
}
LOOKS = [
    {"locale": "de"},
    *(
        pytest.param(looks, marks=pytest.mark.slow)
        for looks in ({"locale": "en"}, {"locale": "de", "color_scheme": "dark"}, {"locale": "de", "viewport": PHONE})
    ),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[str]:
    """A partner with three pages of lines in a month, one line in each of two earlier years, a refund and one that earns nothing."""
    made = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(made))
        land_world()
        land("transactions", [*LINES, *OLD, REFUND, {"transaction_id": "own", "customer_id": "own-tenant"}])
        pipeline.run()
    with served(made, "--demo") as address:
        yield address


def opened(page, address: str) -> None:
    page.goto(address)
    page.locator("h1").first.wait_for(timeout=WAIT)
    drawn(page)


def downloaded(page, name: str) -> list[dict[str, str]]:
    """The rows of what a link downloads."""
    link = page.get_by_role("link", name=name, exact=True)
    answer = page.request.get(f"{page.url.split('/earnings')[0]}{link.get_attribute('href')}")
    return list(csv.DictReader(answer.text().removeprefix("\ufeff").splitlines()))


def test_a_line_leads_back_to_the_page_of_the_list_that_it_was_on(browser, demo):
    with looked_at(browser) as page:
        opened(page, f"{demo}/earnings")
        page.get_by_role("button", name="Page 3").click()
        page.get_by_role("link", name="line-55").click()
        page.get_by_role("heading", name="Where this sum comes from").wait_for(timeout=WAIT)
        page.get_by_role("link", name="← Earnings").click()
        page.get_by_role("link", name="line-55").wait_for(timeout=WAIT)


def test_a_year_is_kept_from_page_to_page_and_in_the_download(browser, demo):
    with looked_at(browser) as page:
        opened(page, f"{demo}/earnings?period=2019")
        page.get_by_role("cell", name="May 2019", exact=True).wait_for(timeout=WAIT)
        assert {row["earning_month"] for row in downloaded(page, "Earnings: CSV")} == {"2019-05-01"}
        page.get_by_role("link", name="Overview").click()
        page.get_by_role("heading", name="Overview", exact=True).wait_for(timeout=WAIT)
        page.get_by_role("cell", name="May 2019", exact=True).wait_for(timeout=WAIT)
        drawn(page)
        assert "period=2019" in page.url and page.get_by_role("cell", name="Mar 2021", exact=True).count() == 0


@pytest.mark.slow
def test_months_are_chosen_from_one_to_another(browser, demo):
    with looked_at(browser) as page:
        opened(page, f"{demo}/earnings")
        choose(page, "Earned in", "From – to")
        choose(page, "From month", "Apr 2020")
        choose(page, "To month", "May 2020")
        page.get_by_role("cell", name="Mar 2021", exact=True).wait_for(state="detached", timeout=WAIT)
        drawn(page)
        assert {row["earning_month"] for row in downloaded(page, "Earnings: CSV")} == {"2020-05-01"}
        page.get_by_role("link", name="Ineligible revenue").click()
        page.get_by_role("link", name="old-2020").wait_for(timeout=WAIT)
        assert page.get_by_role("link", name="line-0").count() == 0


def choose(page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).first.click()
    page.keyboard.type(option)
    page.keyboard.press("Enter")
    drawn(page)


@pytest.mark.parametrize("looks", LOOKS, ids=lambda looks: "-".join(map(str, looks.values())))
def test_a_line_is_explained_whole_in_the_language_of_the_page(browser, demo, looks):
    found = {}
    with looked_at(browser, **looks) as page:
        for line, english in {
            "line-00": "Calculation",
            "refund": "Takes back",
            "own": REASONS["CUSEQPTR"].text,
        }.items():
            opened(page, f"{demo}/line?id={line}")
            keep(page, f"line-{line}-{'-'.join(map(str, looks.values()))[:12]}")
            assert (english in page.inner_text("body")) == (looks["locale"] == "en")
            found[line] = [*violations(page), *page.evaluate(TOO_WIDE)]
            found[line] += page.evaluate(HIDDEN) if "viewport" not in looks else []
    assert found == {"line-00": [], "refund": [], "own": []}
