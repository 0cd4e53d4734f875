"""The dashboard for everybody: WCAG 2.1 AA by axe-core, keyboard alone, a phone's width, light and dark, both languages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.browsing import HIDDEN, MARKS, PAGES, WAIT, drawn, served, shown_home

pytestmark = MARKS
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
PHONE = {"width": 390, "height": 844}
LOOKS = [
    ({}, ()),
    *((looks, pytest.mark.slow) for looks in ({"color_scheme": "dark"}, {"locale": "de"}, {"viewport": PHONE})),
]
STACKED = ("Rates", "Criteria", "Requests and answers", "Lines")  # whose cells lie one below the other on a phone
TOO_WIDE = """() => [...document.querySelectorAll('h1, h2, h3, p, button, [data-testid=stMetricValue], .badge')]
    .filter(one => one.offsetParent && !one.closest('.rows') && one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => `${one.tagName}: ${one.innerText.slice(0, 60)}`)"""
CUT_OFF = """() => [...document.querySelectorAll('[data-testid=stMetricValue], [data-testid=stMetricValue] *, .badge, .rows .figure')]
    .filter(one => one.offsetParent && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow != 'visible')
    .map(one => one.innerText)"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[str]:
    with shown_home(tmp_path_factory.mktemp("home")) as home, served(home, "--demo") as address:
        yield address


@contextmanager
def looked_at(browser, **looks) -> Iterator:
    """A page of a browser, as somebody sees it."""
    context = browser.new_context(**{"locale": "en", **looks})
    yield context.new_page()
    context.close()


def open_page(page, address: str, name: str) -> None:
    """Go to a page of the dashboard and wait until it is drawn to its end."""
    page.goto(f"{address}/{name}")
    page.locator("h1").first.wait_for(timeout=WAIT)
    drawn(page)


def violations(page) -> list[str]:
    """What axe-core finds against WCAG 2.1 AA: the rule, and some of the elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{one['id']}: {[(node['html'][:160], node['any'][:1]) for node in one['nodes'][:3]]}" for one in found]


@pytest.mark.parametrize(
    "looks",
    [pytest.param(looks, marks=marks) for looks, marks in LOOKS],
    ids=lambda looks: "-".join(map(str, looks)) or "plain",
)
def test_no_page_violates_wcag(browser, demo, looks):
    found = {}
    with looked_at(browser, **looks) as page:
        for name in PAGES:
            open_page(page, demo, name)
            found[name] = violations(page)
    assert found == dict.fromkeys(PAGES, [])


def test_a_phone_shows_every_page_whole(browser, demo):
    found = {}
    with looked_at(browser, viewport=PHONE) as page:
        for name in PAGES:
            open_page(page, demo, name)
            width = page.evaluate("document.scrollingElement.scrollWidth")
            stacked = [one for one in page.evaluate(HIDDEN) if one.startswith(STACKED)]
            found[name] = [width > PHONE["width"], page.evaluate(TOO_WIDE), page.evaluate(CUT_OFF), stacked]
    assert found == dict.fromkeys(PAGES, [False, [], [], []])


def test_the_keyboard_alone_opens_a_page_and_reaches_its_rows(browser, demo):
    with looked_at(browser) as page:
        open_page(page, demo, "overview")
        tab_to(page, "a => a.matches('a') && a.innerText.trim().endsWith('Earnings')")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Earnings", exact=True).wait_for(timeout=WAIT)
        drawn(page)
        tab_to(page, "a => a.matches('.rows')")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_and_focus_stand_out_from_what_is_behind_them(browser, demo, scheme):
    with looked_at(browser, color_scheme=scheme) as page:
        open_page(page, demo, "overview")
        chart = page.locator("[data-testid=stVegaLiteChart]").first
        chart.locator(".mark-rect path").first.wait_for(timeout=WAIT)
        tab_to(page, "a => a.matches('.rows')")
        behind = coloured(page.locator("[data-testid=stApp]"), "backgroundColor")
        texts = [contrast(coloured(one, "fill"), behind) for one in chart.locator("text").all()]
        bars = [contrast(coloured(one, "fill"), behind) for one in chart.locator(".mark-rect path").all()]
        assert min(texts) >= 4.5 and len(bars) >= 2 and min(bars) >= 3
        assert contrast(coloured(page.locator(".rows:focus"), "outlineColor"), behind) >= 3


def test_a_download_says_of_what_it_is(browser, demo):
    with looked_at(browser) as page:
        open_page(page, demo, "earnings")
        for name in ("Earnings: CSV", "Lines: Excel"):
            page.get_by_role("link", name=name, exact=True).wait_for(timeout=WAIT)


def coloured(one, what: str) -> list[float]:
    """Red, green and blue of an element's computed colour, of 255."""
    return [float(part) for part in re.findall(r"[\d.]+", one.evaluate(f"one => getComputedStyle(one).{what}"))[:3]]


def contrast(one: list[float], other: list[float]) -> float:
    """The contrast of two colours, as WCAG has it: of black and white 21."""
    darker, lighter = sorted(luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: list[float]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def tab_to(page, is_reached: str) -> None:
    """Press Tab until the element with the focus is one that is looked for."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"({is_reached})(document.activeElement)"):
            return
    raise AssertionError(f"Tab never reached [{is_reached}]")
