"""The dashboard for everybody: WCAG 2.1 AA by axe-core, keyboard alone, a phone's width, light and dark, both languages."""

from collections.abc import Iterator

import pytest

from tests.browsing import MARKS, PAGES, WAIT, drawn, served, shown_home

pytestmark = MARKS
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
PHONE = {"width": 390, "height": 844}
TOO_WIDE = """() => [...document.querySelectorAll('h1, h2, h3, p, button, [data-testid=stMetricValue], .badge')]
    .filter(one => one.offsetParent && one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => `${one.tagName}: ${one.innerText.slice(0, 60)}`)"""
CUT_OFF = """() => [...document.querySelectorAll('[data-testid=stMetricValue], [data-testid=stMetricValue] *, .badge, .rows .figure')]
    .filter(one => one.offsetParent && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow != 'visible')
    .map(one => one.innerText)"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[str]:
    with shown_home(tmp_path_factory.mktemp("home")) as home, served(home, "--demo") as address:
        yield address


def opened(browser, address: str, name: str, **looks):
    """A page as somebody sees it, drawn to its end."""
    page = browser.new_context(**{"locale": "en", **looks}).new_page()
    page.goto(f"{address}/{name}")
    page.locator("h1").first.wait_for(timeout=WAIT)
    drawn(page)
    return page


def violations(page) -> list[str]:
    """What axe-core finds against WCAG 2.1 AA: the rule, and some of the elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{one['id']}: {[(node['html'][:160], node['any'][:1]) for node in one['nodes'][:3]]}" for one in found]


@pytest.mark.parametrize("name", PAGES)
def test_no_page_violates_wcag(browser, demo, name):
    page = opened(browser, demo, name)
    assert violations(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("looks", [{"color_scheme": "dark"}, {"locale": "de"}, {"viewport": PHONE}], ids=str)
def test_no_page_violates_wcag_however_it_is_looked_at(browser, demo, name, looks):
    page = opened(browser, demo, name, **looks)
    assert violations(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_every_page_whole(browser, demo, name):
    page = opened(browser, demo, name, viewport=PHONE)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(CUT_OFF) == []


def test_the_keyboard_alone_opens_a_page_and_a_request(browser, demo):
    page = opened(browser, demo, "overview")
    tab_to(page, "a", "Earnings")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Earnings", exact=True).wait_for(timeout=WAIT)
    drawn(page)
    tab_to(page, "*", None, ".rows")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def tab_to(page, element: str, text: str | None, selector: str | None = None) -> None:
    """Press Tab until an element is reached."""
    for _ in range(80):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "([e, t, s]) => { const a = document.activeElement; return (s ? a.matches(s) : a.matches(e) && a.innerText.trim().endsWith(t)) }",
            [element, text, selector],
        )
        if found:
            return
    raise AssertionError(f"Tab never reached [{text or selector}]")
