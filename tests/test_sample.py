"""The sample's known defects land where its key says they do."""

import csv
from datetime import date

import pytest

import pipeline
from app import land
from app.sample import sample
from warehouse import releases, store


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """A home with two sample days and their defects, taken in and settled; the key of the defects."""
    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("sample")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(home))
        sample(out, first_day=date(2022, 3, 24), days=2, partners=60, transactions=300, seed=7, defects=True)
        land.deliveries([out])
        pipeline.run()
        yield list(csv.DictReader((out / "known_defects.csv").open()))


def ask(sql: str) -> list[tuple]:
    with store.locked("test"), store.warehouse() as con:
        return con.execute(sql).fetchall()


def keyed(key: list[dict], lands_in: str) -> list[dict]:
    return [row for row in key if row["lands_in"] == lands_in]


def test_both_days_are_published(settled):
    assert releases.current()["as_of_date"] == "2022-03-25"


def test_quarantined_rows_are_those_of_the_key_with_their_rules(settled):
    found = {
        (d, f, str(n)): set(r.split(","))
        for d, f, n, r in ask("SELECT delivery_id, file_name, line_number, rules_broken FROM clean.quarantine")
    }
    wanted: dict[tuple, set] = {}
    for row in keyed(settled, "quarantined"):
        place = (row["delivery_id"], row["file"], row["line_number"])
        wanted.setdefault(place, set()).update(row["rule"].replace(" ", ",").replace(";", ",").split(","))
    assert {place: rules - {""} for place, rules in wanted.items()} == found


def test_refused_deliveries_are_those_of_the_key(settled):
    refused = {row[0] for row in ask("SELECT delivery_id FROM clean.deliveries WHERE delivery_status = 'refused'")}
    assert refused == {row["delivery_id"] for row in keyed(settled, "refused")} and len(refused) >= 8


def test_undecided_lines_of_the_key_are_undecided(settled):
    with releases.reader(releases.current()) as con:
        for row in keyed(settled, "undecided"):
            found = con.execute("SELECT decision FROM decisions WHERE transaction_id = ?", [row["key"]]).fetchall()
            assert ("undecided",) in found, row


def test_read_is_accounted_for_in_every_delivery(settled):
    assert (
        ask(
            "SELECT * FROM clean.deliveries WHERE delivery_status = 'accepted' AND rows_read <> rows_accepted + rows_duplicate + rows_quarantined"
        )
        == []
    )
    assert (
        ask(
            "SELECT * FROM clean.delivery_amounts WHERE read_amount <> accepted_amount + duplicate_amount + quarantined_amount"
        )
        == []
    )
