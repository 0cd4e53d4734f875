"""What pages say of data that is late, old or not refreshed, and to whom."""

import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.dashboard import current
from app.dashboard.view import View
from app.dashboard.words import Words

TODAY = datetime.now(UTC).date()
ROW = {
    "age_days": 0, "rows_read": 4711, "rows_accepted": 4711, "rows_duplicate": 0, "rows_quarantined": 0,
    "delivery_status": "accepted", "message": None,
}  # fmt: skip
FEEDS = pd.DataFrame(
    [
        ROW | {"feed": "bank_messages", "business_date": date(2021, 3, 23)},
        ROW | {"feed": "customers", "business_date": date(2021, 3, 20), "age_days": 3, "message": "last known data, of 2021-03-20"},
        ROW | {"feed": "transactions", "business_date": date(2021, 3, 23)},
    ]
)  # fmt: skip


def view(as_of: date, *, is_operator: bool = False, oldest: date | None = None) -> View:
    """A view of a release of some day, with some feeds."""
    manifest = {"as_of_date": str(as_of)}

    def rows(query: str, **_: object) -> pd.DataFrame:
        return pd.DataFrame({"day": [oldest]}) if "min(" in query else FEEDS

    release = SimpleNamespace(manifest=manifest, release_id="2021-03-23-01", rows=rows)
    scope = SimpleNamespace(release=release, viewer=SimpleNamespace(is_operator=is_operator))
    return View(scope, Words("en"), date(2021, 1, 1), date(2022, 1, 1))


def notices(view) -> None:
    from app.dashboard import main

    main._follow(None, view.words, view)


def health_page(view) -> None:
    from app.dashboard.screens.health import health

    health(view)


@pytest.fixture
def attempted(home, monkeypatch):
    """Writes health.json."""
    monkeypatch.setattr(current, "current_id", lambda: None)
    return lambda text: (home / "health.json").write_text(text)


def drawn(page, view: View) -> AppTest:
    made = AppTest.from_function(page, kwargs={"view": view}).run()
    assert not made.exception
    return made


@pytest.mark.parametrize(("days", "is_late"), [(1, False), (2, False), (3, True), (1700, True)])
def test_a_release_that_is_late_says_so(attempted, days, is_late):
    page = drawn(notices, view(TODAY - timedelta(days=days)))
    assert [f"{days:,} days ago" in one.value for one in page.warning] == [True] * is_late
    assert ("refreshed daily" in str([one.value for one in page.markdown])) != is_late


def test_a_page_says_how_old_the_oldest_is_that_its_data_rests_on(attempted):
    assert len(drawn(notices, view(TODAY)).markdown) == 1
    [_, told] = drawn(notices, view(TODAY, oldest=date(2021, 3, 20))).markdown
    assert "20\N{NO-BREAK SPACE}Mar\N{NO-BREAK SPACE}2021" in told.value


@pytest.mark.parametrize(
    ("text", "errors", "told"),
    [
        (json.dumps({"attempted_at": "2021-03-24T06:00:00+00:00", "succeeded": False}), 1, "24 Mar 2021, 06:00 UTC: failed."),
        (json.dumps({"attempted_at": "2021-03-24T06:00:00+00:00", "succeeded": True}), 0, "24 Mar 2021, 06:00 UTC: succeeded."),
        ("{}", 0, "Release **2021-03-23-01**."),
        ("", 0, "Release **2021-03-23-01**."),
        ('{"succ', 0, "Release **2021-03-23-01**."),
    ],
)  # fmt: skip
def test_an_attempt_that_failed_is_told_of_and_no_attempt_is_no_failure(attempted, text, errors, told):
    attempted(text)
    assert len(drawn(notices, view(TODAY)).error) == errors
    [said] = drawn(health_page, view(TODAY)).markdown
    assert said.value.replace("\N{NO-BREAK SPACE}", " ").endswith(told)


@pytest.mark.parametrize("is_operator", [False, True])
def test_counts_of_all_partners_are_for_operators_alone(attempted, is_operator):
    [table] = drawn(health_page, view(TODAY, is_operator=is_operator)).get("html")
    of_operators = ("4,711", "bank_messages", "last known data, of 2021-03-20")
    assert [text in table.proto.body for text in of_operators] == [is_operator] * 3
    assert "customers" in table.proto.body and '<span class="badge none">Last known data</span>' in table.proto.body
