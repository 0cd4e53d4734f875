"""Data Docs: a page for each suite, and the current release's results."""

import monitoring
import pipeline
from tests.deliveries import land, land_world, settle_next


def test_data_docs_name_every_table_and_validate_the_release(home):
    first = monitoring.data_docs()
    assert {"transactions.html", "earnings_ledger.html"} <= {page.name for page in first.parent.rglob("*.html")}
    assert not list((first.parent / "validations").rglob("*.html"))
    land_world()
    land("transactions", [{"transaction_id": "t1"}])
    pipeline.run()
    first = monitoring.data_docs()
    results = {page.name.removeprefix("file-") for page in (first.parent / "validations").rglob("*.html")}
    assert {"earnings.html", "data_health.html"} <= results
    assert "earnings_monthly" in first.read_text()


def test_data_docs_of_a_release_are_built_once(first_day):
    made = monitoring.data_docs().stat().st_mtime_ns
    assert monitoring.data_docs().stat().st_mtime_ns == made
    settle_next("2021-03-24", [{"transaction_id": "next"}])
    assert monitoring.data_docs().stat().st_mtime_ns > made


def test_a_home_is_taken_as_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path / "$PAY"))
    assert monitoring.data_docs().exists()
