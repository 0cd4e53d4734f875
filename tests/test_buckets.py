"""A day of more lines than one bucket holds: worked out part by part, to the same release, within the memory it has."""

from datetime import date

import pytest

import operations
import pipeline
import settlement
from app.land import drop
from benchmarks import data
from tests.deliveries import WORLD, land, settle_next, take_in_world
from warehouse import buckets, cuts, worked

pytestmark = pytest.mark.usefixtures("one_program")
NEXT = "2021-03-24"


@pytest.mark.slow
def test_lines_worked_out_in_many_buckets_give_the_same_release(tmp_path, monkeypatch):
    hashes, opened = {}, {1000: set(), 2: set()}

    def noting(opens):
        def noted(con, *place, **which):
            opened[buckets.BUCKET_LINES].add((opens.__name__, *place))
            opens(con, *place, **which)

        return noted

    for module, opens in ((worked, "open_bucket"), (cuts, "open_partners")):
        monkeypatch.setattr(module, opens, noting(getattr(module, opens)))
    resellers = [{"partner_id": partner} for partner in ("1000001", "1000002")]
    world = dict.fromkeys(("competencies", "enrolments", "payee_profiles"), resellers)
    world |= {
        "partners": [*WORLD["partners"], {"partner_id": "1000002", "tenant_id": "other"}],
        "agreements": [WORLD["agreements"][0], {"agreement_id": "a2", "partner_id": "1000002"}],
        "customers": [{"customer_id": f"c{n}"} for n in range(3)],
    }
    sales = [
        {
            "transaction_id": f"t{n}",
            "revenue": f"{n}000.99",
            "customer_id": f"c{n % 3}",
            "reseller_id": f"100000{1 + n % 2}",
        }
        for n in range(9)
    ]
    for most in (1000, 2):
        monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path / str(most)))
        monkeypatch.setattr(buckets, "BUCKET_LINES", most)
        monkeypatch.setattr(cuts, "BUCKET_REVENUE", most)
        take_in_world(**world)
        land("transactions", sales)
        pipeline.run()
        back = sales[7] | {"transaction_id": "back", "reverses": "t7", "revenue": "-7000.99"}
        settle_next(NEXT, [sales[3] | {"revenue": "1.00"}, back, {"transaction_id": "new"}])
        hashes[most] = {table["name"]: table["content_hash"] for table in pipeline.current_release()["tables"]}
    assert {tuple(place) for _, *place in opened[1000]} == {(0,), (0, 1), ()}
    assert {("open_bucket", 4), ("open_partners", 1, 2)} <= opened[2]
    assert hashes[1000] == hashes[2]


def test_a_day_of_many_lines_tells_how_far_it_is(first_day, monkeypatch):
    monkeypatch.setattr(buckets, "BUCKET_LINES", 1)
    told = []
    settle_next(NEXT, [{"transaction_id": f"t{n}"} for n in range(2, 5)], progress=told.append)
    assert [line.split()[0] for line in told[:3]] == ["accepted", "taking", "accepted"]
    assert told[3] == f"{NEXT}: looking at 3 lines and what they bear on"
    *of_day, released = told[4:]
    parts = [f"{NEXT}: lines part {n} of {len(of_day) - 3}" for n in range(1, len(of_day) - 2)]
    verified: list[str] = []
    operations.verify(verified.append)
    assert verified[0] == f"{NEXT}: looking at 4 lines and what they bear on"
    assert verified[1:] == [f"{NEXT}: lines part {n} of {len(verified) - 1}" for n in range(1, len(verified))]
    rest = [f"{NEXT}: judging what 3 lines make", f"{NEXT}: taking it over", f"{NEXT}: publishing"]
    assert of_day == parts + rest and len(parts) > 1 and released.startswith(f"published {NEXT}-01")


def test_a_day_of_few_lines_tells_its_release_alone(first_day):
    told = []
    settle_next(NEXT, [{"transaction_id": "t2"}], progress=told.append)
    assert len(told) == 3 and told[2].startswith(f"published {NEXT}-01")


def test_a_step_that_fails_in_a_later_bucket_fails_the_day_which_settles_when_it_is_mended(first_day, monkeypatch):
    monkeypatch.setattr(buckets, "BUCKET_LINES", 1)
    whole, seen = settlement.LINE_STEPS["decisions"], []

    def failing(decided_lines):
        seen.append(len(decided_lines))
        if len(seen) == 2:
            raise ValueError("of the second bucket")
        return whole(decided_lines)

    monkeypatch.setitem(settlement.LINE_STEPS, "decisions", failing)
    before = pipeline.current_release()
    with pytest.raises(ValueError, match="of the second bucket"):
        settle_next(NEXT, [{"transaction_id": f"t{n}"} for n in range(2, 5)])
    assert pipeline.current_release() == before
    assert pipeline.settle(date.fromisoformat(NEXT))["lines"] == 3


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_first_day_that_is_larger_than_memory_is_settled(home, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("INCENTIVES_MEMORY_MIB", "512")
    made = tmp_path_factory.mktemp("made")
    data.deliver(made / "deliveries", data.Sizes(33, 150_000, 6_250, customers=30_000), made / "work")
    for folder in sorted((made / "deliveries").glob(f"{data.HISTORY}-*")):
        drop(folder)
    [report] = pipeline.run()
    assert report["lines"] == 150_000
