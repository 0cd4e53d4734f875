"""What a run makes is staged in pieces, wherever the home lies, and nothing of it stays."""

import pyarrow as pa
import pytest

import pipeline
from tests.deliveries import land, land_world
from warehouse import releases, staging, store


@pytest.fixture
def odd_home(tmp_path, monkeypatch):
    """A home whose name would be a pattern to DuckDB, and end a text in SQL."""
    home = tmp_path / "in [a] 'b' c*"
    home.mkdir()
    monkeypatch.setenv("INCENTIVES_HOME", str(home))
    return home


def test_pieces_are_one_table_and_are_gone_when_the_work_is_done(odd_home):
    with store.connect() as con:
        for _ in ("first", "again"):
            with staging.scratch(con, "run"):
                for number in (1, 2, 3):
                    staging.add(con, "derived.some", pa.table({"number": [number]}), "run")
                assert con.execute("SELECT sum(number), count(*) FROM staging.derived.some").fetchall() == [(6, 3)]
            assert list(store.place("staging").iterdir()) == []


def test_what_a_killed_run_left_does_not_count(odd_home):
    with store.connect() as con:
        with staging.opened(con, "run"):
            staging.add(con, "derived.some", pa.table({"number": [1]}), "run")
        with staging.scratch(con, "run"):
            staging.add(con, "derived.some", pa.table({"number": [2]}), "run")
            assert con.execute("SELECT number FROM staging.derived.some").fetchall() == [(2,)]


def test_a_step_that_fails_is_told_whatever_became_of_the_file(odd_home):
    with pytest.raises(RuntimeError, match="own fault"), store.connect() as con, staging.scratch(con, "run"):
        con.execute("DETACH staging")
        raise RuntimeError("own fault")
    assert list(store.place("staging").iterdir()) == []


def test_a_day_is_settled_in_a_home_of_any_name(odd_home):
    land_world(enrolments=[{"partner_id": "1000001"}])
    land("transactions", [{"transaction_id": "t1"}])
    pipeline.run()
    with store.connect(releases.database(releases.current())) as con:
        assert con.execute("SELECT count(*) FROM earnings_ledger").fetchall() == [(2,)]
    assert list(store.place("staging").iterdir()) == []
