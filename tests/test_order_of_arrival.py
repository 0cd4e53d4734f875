"""Deliveries that arrive in any order, late snapshots, deltas and superseding ones among them, end in the same knowledge."""

import random
from datetime import date, timedelta

import pytest

import pipeline
from expectations.rules import row_rules
from tests.deliveries import land
from warehouse import intake, landing, registry, store

COUNTRIES = ("US", "DE", "FR", "IT", "ES")
FIRST = date(2021, 3, 23)
DAYS = [FIRST + timedelta(days=n) for n in range(5)]


def random_deliveries(rng: random.Random) -> list[dict]:
    """Some deliveries of customers in the order of their days: what each holds, and what it does with the rest.

    One that supersedes another is for the same day, as one that is made again; else each has a day of its own. Where some
    supersede, no content comes twice: whether a row was brought or only confirmed by what is superseded is not told apart
    when it comes late.
    """
    made: list[dict] = []
    may_supersede = rng.random() < 0.5
    for number, day in enumerate(rng.sample(DAYS, rng.randint(3, 5))):
        held = rng.sample(["c1", "c2", "c3"], rng.randint(0, 3))
        gone = [one["supersedes"] for one in made]
        deltas = [one for one in made if one["mode"] == "delta" and one["delivery_id"] not in gone]
        countries = COUNTRIES[number : number + 1] if may_supersede else COUNTRIES[:2]
        is_snapshot = rng.random() < 0.4
        other = None if is_snapshot or not deltas or not may_supersede else rng.choice(deltas)
        made.append(
            {
                "delivery_id": f"d{number}",
                "rows": [{"customer_id": customer, "country": rng.choice(countries)} for customer in held],
                "day": other["day"] if other else day.isoformat(),
                "mode": "snapshot" if is_snapshot else "delta",
                "supersedes": other["delivery_id"] if other else None,
            }
        )
    return sorted(made, key=lambda one: (one["day"], one["delivery_id"]))


def take_in(deliveries: list[dict]) -> set[tuple]:
    """What is known of customers in the end, after the deliveries came in this order.

    Not what was known on a day between: of several days that confirmed a row only the last is kept.
    """
    with store.locked("test"), store.warehouse() as con:
        for feed in ("customers", "deliveries", "quarantine"):
            con.execute(f"DELETE FROM clean.{feed}")
        for one in deliveries:
            name = land("customers", number=int(one["delivery_id"][1:]), **one)
            delivery = landing.open_delivery(name, landing.read_manifest(name))
            staging = store.place("staging") / f"{name}.duckdb"
            staged = intake.stage(delivery, row_rules("customers"), staging)
            store.attach(con, staging, "staging", "(READ_ONLY)")
            registry.accept(con, delivery.manifest, staged)
            con.execute("DETACH staging")
            landing.move(name, "archive")
        return set(con.execute("SELECT customer_id, country FROM clean.customers_known_on(?)", [DAYS[-1]]).fetchall())


@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(n, marks=pytest.mark.slow) for n in range(12, 120))])
def test_any_order_of_arrival_ends_in_the_same_knowledge(home, seed):
    rng = random.Random(seed)
    deliveries = random_deliveries(rng)
    in_order = take_in(deliveries)
    shuffled = rng.sample(deliveries, len(deliveries))
    assert take_in(shuffled) == in_order, [one["delivery_id"] for one in shuffled]


def test_a_late_delta_is_withdrawn_by_the_snapshot_that_came_before_it(home):
    late = {"customer_id": "c1"}
    land("customers", [{"customer_id": "c2"}], "2021-03-24")
    pipeline.ingest()
    land("customers", [late], "2021-03-23", mode="delta")
    pipeline.ingest()
    with store.locked("test"), store.warehouse() as con:
        known = [
            {name for (name,) in con.execute("SELECT customer_id FROM clean.customers_known_on(?)", [day]).fetchall()}
            for day in DAYS[:2]
        ]
    assert known == [{"c1"}, {"c2"}]


@pytest.mark.parametrize(
    ("aside", "known"),
    [
        ({"partner_id": "p10", "competency": "clod"}, []),
        ({"partner_id": "p1", "competency": "clod"}, ["p1"]),
        ({"partner_id": "p1", "competency": "data_platform", "competency_level": "golden"}, []),
        ({"partner_id": "p1", "valid_from": "2019-01-01", "valid_to": "2018-06-01"}, ["p1"]),
    ],
)
def test_a_late_row_is_held_by_what_the_next_snapshot_set_aside_only_if_it_may_be_that_row(home, aside, known):
    early = {"rows": [{"partner_id": "p1"}], "day": "2021-03-23", "mode": "delta"}
    for deliveries in (
        [early, {"rows": [aside], "day": "2021-03-24"}],
        [{"rows": [aside], "day": "2021-03-24"}, early],
    ):
        with store.locked("test"), store.warehouse() as con:
            for feed in ("competencies", "deliveries", "quarantine"):
                con.execute(f"DELETE FROM clean.{feed}")
        for one in deliveries:
            land("competencies", **one)
            pipeline.ingest()
        with store.locked("test"), store.warehouse() as con:
            found = con.execute("SELECT partner_id FROM clean.competencies_known_on(?)", [DAYS[-1]]).fetchall()
        assert [partner for (partner,) in found] == known


def test_a_delivery_that_supersedes_one_that_is_not_here_says_so(home):
    land("transactions", [{"transaction_id": "t1"}], number=2, supersedes="2021-03-23-transactions-1")
    [line] = pipeline.ingest()
    assert line["message"] == "it supersedes [2021-03-23-transactions-1], which has not come"


@pytest.mark.parametrize(
    ("first", "says"),
    [
        ("later", "[earlier] supersedes [later] of [2021-03-24], which is after its own day [2021-03-23]"),
        ("earlier", "[later] is superseded by [earlier] of the earlier day [2021-03-23]"),
    ],
)
def test_of_a_delivery_and_one_of_an_earlier_day_that_supersedes_it_the_second_is_refused(home, first, says):
    deliveries = {
        "later": {"rows": [{"transaction_id": "t1"}], "day": "2021-03-24"},
        "earlier": {"rows": [], "number": 2, "supersedes": "later"},
    }
    for name in sorted(deliveries, key=lambda name: name != first):
        land("transactions", delivery_id=name, **deliveries[name])
        [line] = pipeline.ingest()
    assert line["delivery_status"] == "refused" and says in line["message"]


def test_a_snapshot_that_withdraws_most_of_its_feed_says_that_it_means_it(home):
    land("customers", [{"customer_id": f"c{n}"} for n in range(45)])
    pipeline.ingest()
    land("customers", [{"customer_id": f"c{n}"} for n in range(22)], "2021-03-24")
    [line] = pipeline.ingest()
    assert line["delivery_status"] == "refused"
    assert "would withdraw [23] rows of feed [customers] and leave [22]" in line["message"]
    land("customers", [{"customer_id": f"c{n}"} for n in range(23)], "2021-03-24", number=2)
    [line] = pipeline.ingest()
    assert (line["delivery_status"], line["rows_withdrawn"]) == ("accepted", 22)
    land("customers", [], "2021-03-25", withdraws_most=True)
    [line] = pipeline.ingest()
    assert (line["delivery_status"], line["rows_withdrawn"]) == ("accepted", 23)


def test_a_manifest_of_an_earlier_version_has_the_hash_that_it_had():
    """What it does not say is not in its hash, by which a delivery that comes again is known."""
    file = {"name": "f.csv", "bytes": 1, "sha256": "0" * 64, "rows": 1}
    said = {
        "delivery_id": "a", "feed": "transactions", "business_date": "2022-01-01", "schema_version": 1, "mode": "delta",
        "created_at": "2022-01-02T00:00:00Z", "files": [file], "control_totals": {"USD": "1.00"},
    }  # fmt: skip
    assert landing.Manifest.model_validate(said).hash.startswith("2a8881604ce50b2e")  # as 0.16.0 worked it out
    accepted = landing.Manifest.model_validate(said | {"volume_accepted_by": "anna"})
    assert not accepted.hash.startswith("2a8881604ce50b2e")
