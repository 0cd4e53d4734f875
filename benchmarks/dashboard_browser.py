"""Seconds until a browser shows the first of the overview, five times on a warm server, as JSON; run by benchmarks/dashboard.py."""

import json
import sys
import time

from playwright.sync_api import sync_playwright

from tests.browsing import ARGUMENTS, CHROMIUM, WAIT, drawn


def main(address: str, cookie: str) -> None:
    """Print the seconds of each visit; the first one, which fills the browser's cache, is left out."""
    taken = []
    with sync_playwright() as playwright:
        context = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS).new_context(locale="en")
        context.add_cookies([{"name": "_streamlit_user", "value": cookie, "url": address}])
        for _ in range(6):
            page = context.new_page()
            begun = time.perf_counter()
            page.goto(address)
            page.get_by_text("Data as of").wait_for(timeout=WAIT)
            taken.append(time.perf_counter() - begun)
            drawn(page)
            page.close()
    print(json.dumps(taken[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
