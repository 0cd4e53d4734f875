"""Each change of an earning is posted with its own cause, in a fixed order, however many come on one day."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import operations
import pipeline
from tests.deliveries import DAY, T1, WORLD, ask, land, settle_next, take_in_world
from transforms import causes
from warehouse import cuts

pytestmark = pytest.mark.usefixtures("one_program")
NEXT, AFTER = "2021-03-24", "2021-03-25"
ROOT = Path(__file__).parents[1]
EXPIRED = WORLD["agreements"][0] | {"valid_to": "2021-01-01", "agreement_status": "expired"}


def causes_of(line: str, day: str) -> dict[str, tuple[str, str | None]]:
    """Cause → what it posted for a line on a day, rebate and co-op together, and its detail."""
    rows = ask(
        "SELECT cause, sum(amount)::VARCHAR, any_value(cause_detail) FROM earnings_ledger "
        f"WHERE transaction_id = '{line}' AND posted_on = DATE '{day}' GROUP BY cause"
    )
    return {cause: (f"{Decimal(amount):.2f}", detail) for cause, amount, detail in rows}


def edit_rules(folder: Path, *changes: tuple[str, str]) -> None:
    [path] = folder.glob("*.yaml")
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text[: text.index("examples:")] + EXAMPLE)


EXAMPLE = """examples:
  - example: a trial earns nothing
    given: {transactions: [{id: t1, on: 2021-02-03, partner: p1, product_family: azure, is_trial: true, revenue: 9.99}]}
    expect: {earned: 0.00}
"""
AZURE = "rate: 0.04\n  - lever: modern-work-fy21"
SPLIT = "{rebate: {2017-07-01: 1.0, 2020-01-01: 0.60}, coop: {2020-01-01: 0.40}}"
HALVES = "{rebate: {2017-07-01: 1.0, 2020-01-01: 0.50}, coop: {2020-01-01: 0.50}}"


def test_the_stages_are_the_same_in_transforms_and_warehouse():
    assert causes.STAGES == cuts.STAGES


def test_a_line_that_comes_for_a_settled_day_is_late(first_day):
    land("transactions", [{"transaction_id": "late"}], DAY, number=2)
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert causes_of("late", NEXT) == {"late_line": ("4.00", None)}
    assert causes_of("t2", NEXT) == {"new_line": ("4.00", None)}


def test_a_refund_is_its_own_cause(first_day):
    settle_next(NEXT, [{"transaction_id": "r", "reverses": "t1", "revenue": "-25.00"}])
    assert causes_of("r", NEXT) == {"refund": ("-1.00", None)}


@pytest.mark.slow
def test_a_refund_that_waited_for_its_line_is_posted_as_a_refund(first_day):
    settle_next(NEXT, [{"transaction_id": "r", "reverses": "t9", "revenue": "-25.00"}])
    settle_next(AFTER, [{"transaction_id": "t9"}])
    assert causes_of("r", AFTER) == {"refund": ("-1.00", None)}


def test_a_correction_and_a_lost_agreement_are_told_apart(first_day):
    land("agreements", [EXPIRED], NEXT)
    land("transactions", [T1 | {"revenue": "50.00"}], NEXT)
    pipeline.run()
    assert causes_of("t1", NEXT) == {
        "corrected_line": ("-2.00", None),
        "eligibility_lost": ("-2.00", "active_agreement"),
    }


def test_eligibility_regained_gives_what_the_corrected_line_is_worth(first_day):
    land("agreements", [EXPIRED], NEXT)
    land("transactions", [{"transaction_id": "t2"}], NEXT)
    pipeline.run()
    settle_next(AFTER, [T1 | {"revenue": "50.00"}])
    assert causes_of("t1", AFTER) == {"eligibility_gained": ("2.00", "active_agreement")}


def test_a_correction_and_a_corrected_exchange_rate_are_told_apart(home):
    take_in_world()
    land("transactions", [T1 | {"currency": "EUR"}])
    pipeline.run()
    [(before,)] = ask("SELECT sum(program_amount) FROM earnings_ledger")
    land("fx_rates", [{"fx_rate": "2"}], NEXT)
    settle_next(NEXT, [T1 | {"currency": "EUR", "revenue": "50.00"}])
    told = ask(
        "SELECT cause, sum(amount)::DOUBLE, sum(program_amount), any_value(cause_detail) FROM earnings_ledger "
        f"WHERE posted_on = DATE '{NEXT}' GROUP BY cause ORDER BY cause"
    )
    assert told == [
        ("corrected_line", -2.0, -before / 2, None),
        ("fx_correction", 0.0, 4 - before / 2, "2021-03"),
    ]


def told_in_euro(*changes: tuple[str, list[dict]]) -> dict[str, tuple[str, str]]:
    """A line of 100.00 EUR at 1.2121, and what a day on which feeds change posts for it: in euro and in dollars."""
    take_in_world()
    land("transactions", [T1 | {"currency": "EUR"}])
    pipeline.run()
    for feed, rows in (*changes, ("transactions", [{"transaction_id": "t2", "product_id": "none"}])):
        land(feed, rows, NEXT)
    if "agreements" not in dict(changes):
        land("agreements", WORLD["agreements"], NEXT)
    pipeline.run()
    rows = ask(
        "SELECT cause, sum(amount)::DECIMAL(18,2)::VARCHAR, sum(program_amount)::DECIMAL(18,2)::VARCHAR FROM earnings_ledger "
        f"WHERE transaction_id = 't1' AND posted_on = DATE '{NEXT}' GROUP BY cause"
    )
    return {cause: (own, dollars) for cause, own, dollars in rows}


@pytest.mark.slow
def test_a_changed_product_and_a_corrected_exchange_rate_are_told_apart(home):
    product = WORLD["products"][0] | {"product_family": "dynamics365"}
    assert told_in_euro(("products", [product]), ("fx_rates", [{"fx_rate": "2"}])) == {
        "reference_change": ("0.75", "0.91"),  # 4.75 percent at 1.2121 is 5.75 dollars, it was 4.84
        "fx_correction": ("0.00", "3.75"),
    }


@pytest.mark.slow
def test_a_corrected_exchange_rate_and_a_lost_agreement_are_told_apart(home):
    assert told_in_euro(("fx_rates", [{"fx_rate": "2"}]), ("agreements", [EXPIRED])) == {
        "fx_correction": ("0.00", "3.16"),
        "eligibility_lost": ("-4.00", "-8.00"),
    }


def test_a_product_that_moves_to_another_family_is_a_change_of_reference(first_day):
    land("products", [WORLD["products"][0] | {"product_family": "dynamics365"}], NEXT)
    settle_next(NEXT, [{"transaction_id": "t2", "product_id": "none"}])
    assert causes_of("t1", NEXT) == {"reference_change": ("0.75", None)}  # 4.75 percent for 4


def restated(*late: dict) -> None:
    """Restate on the first day, with a correction of it that came meanwhile."""
    if late:
        land("transactions", list(late), DAY, number=2)
        pipeline.ingest()
    operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")


def test_a_correction_and_a_rule_change_are_told_apart(first_day, one_program):
    [old] = ask("SELECT DISTINCT rule_version FROM earnings")
    edit_rules(one_program, (AZURE, AZURE.replace("0.04", "0.05")))
    restated(T1 | {"revenue": "50.00"})
    [new] = ask("SELECT DISTINCT rule_version FROM earnings")
    told = causes_of("t1", DAY)
    assert told["corrected_line"] == ("-2.00", None)
    assert told["rule_change"] == ("0.50", f"{old[0]} → {new[0]}")


def test_a_change_of_rate_and_a_change_of_split_are_told_apart(first_day, one_program):
    edit_rules(one_program, (AZURE, AZURE.replace("0.04", "0.05")), (SPLIT, HALVES))
    restated()
    told = ask("SELECT cause, earning_type, amount::DOUBLE FROM earnings_ledger WHERE cause <> 'new_line' ORDER BY ALL")
    assert told == [
        ("rule_change", "coop", 0.4), ("rule_change", "rebate", 0.6),
        ("split_change", "coop", 0.5), ("split_change", "rebate", -0.5),
    ]  # fmt: skip


def test_a_criterion_changed_by_a_rule_edit_is_a_rule_change(first_day, one_program):
    edit_rules(one_program, ("any_of: {2017-07-01: [mpn]}", "any_of: {2017-07-01: [mpa]}"))
    restated(T1 | {"revenue": "50.00"})
    told = causes_of("t1", DAY)
    assert {cause: amount for cause, (amount, _) in told.items()} == {
        "new_line": "4.00", "corrected_line": "-2.00", "rule_change": "-2.00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [("partner_types: [indirect_reseller]", "partner_types: [direct_bill]"), ("status: active", "status: retired")],
)
def test_an_edit_that_takes_lines_out_of_a_program_is_held(first_day, one_program, old, new):
    edit_rules(one_program, (old, new))
    shutil.copy(ROOT / "programs" / "csp-direct-bill.yaml", one_program)  # some program is active
    assert "is held: it would change [2] posted sums" in str(settle_next(NEXT, [{"transaction_id": "t2"}])["warnings"])
    assert ask("SELECT sum(amount) FROM earnings_ledger WHERE transaction_id = 't1'") == [(4,)]


def test_an_edit_that_pays_lines_which_no_program_paid_is_held(home, one_program):
    take_in_world(partners=[{"partner_id": "1000001", "partner_type": "direct_bill"}, WORLD["partners"][1]])
    land("transactions", [T1])
    pipeline.run()
    types = "partner_types: [indirect_reseller"
    edit_rules(one_program, (types, f"{types}, direct_bill"))
    assert "is held: it would change [2] posted sums" in str(settle_next(NEXT, [{"transaction_id": "t2"}])["warnings"])
    assert ask("SELECT count(*) FROM earnings_ledger") == [(0,)]
    operations.restate(date.fromisoformat(DAY), by="anna", approved_by="ben")
    assert {cause for line in ("t1", "t2") for cause in causes_of(line, NEXT)} == {"rule_change"}


def test_a_line_whose_partner_had_another_type_was_known(home):
    take_in_world(partners=[{"partner_id": "1000001", "partner_type": "direct_bill"}, WORLD["partners"][1]])
    land("transactions", [T1])
    pipeline.run()
    land("partners", WORLD["partners"], DAY, number=2)
    settle_next(NEXT, [{"transaction_id": "t2"}])
    assert list(causes_of("t1", NEXT)) == ["reference_change"]


def test_a_rule_edit_that_changes_what_is_posted_is_held_and_the_day_goes_on(first_day, one_program):
    edit_rules(one_program, (AZURE, AZURE.replace("0.04", "0.05")))
    report = settle_next(NEXT, [{"transaction_id": "t2"}])
    assert "is held: it would change [2] posted sums" in str(report["warnings"])
    assert causes_of("t2", NEXT) == {"new_line": ("4.00", None)}
    assert "is held" in str(settle_next(AFTER, [{"transaction_id": "t3"}])["warnings"])


def test_a_rule_edit_that_changes_nothing_posted_is_taken_at_once(first_day, one_program):
    edit_rules(one_program, (AZURE, AZURE.replace("0.04", "{2020-10-01: 0.04, 2021-03-24: 0.05}")))
    report = settle_next(NEXT, [{"transaction_id": "t2", "transaction_at": "2021-03-24T10:00:00Z"}])
    assert "held" not in str(report["warnings"])
    assert causes_of("t2", NEXT) == {"new_line": ("5.00", None)}


def test_a_restatement_is_planned_by_partner_and_posted_for_another_person(first_day, one_program):
    edit_rules(one_program, (AZURE, AZURE.replace("0.04", "0.05")))
    settle_next(NEXT, [{"transaction_id": "t2"}])
    plan = operations.restate_plan(date(2021, 3, 1))
    assert [(row["partner_id"], row["earning_type"], row["line_count"], row["amount_minor"]) for row in plan] == [
        ("1000001", "coop", 2, 80),
        ("1000001", "rebate", 2, 120),
    ]
    with pytest.raises(LookupError, match="somebody else must"):
        operations.restate(date(2021, 3, 1), by="anna", approved_by=" Anna")
    with pytest.raises(LookupError, match="restate from then"):
        operations.restate_plan(date(2021, 3, 24))
    report = operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")
    assert report["release_id"] == f"{NEXT}-02" and report["entries"] == 4
    assert "held" not in str(settle_next(AFTER, [{"transaction_id": "t3"}])["warnings"])
    assert causes_of("t3", AFTER) == {"new_line": ("5.00", None)}
    with pytest.raises(LookupError, match="no rule edit is held"):
        operations.restate_plan(date(2021, 3, 1))


@pytest.mark.slow
def test_an_edit_that_was_approved_is_held_when_it_is_put_back(first_day, one_program):
    dearer = AZURE.replace("0.04", "0.05")
    for old, new in ((AZURE, dearer), (dearer, AZURE)):
        edit_rules(one_program, (old, new))
        restated()
    edit_rules(one_program, (AZURE, dearer))
    report = settle_next(NEXT, [{"transaction_id": "t2"}])
    assert "is held: it would change [2] posted sums" in str(report["warnings"])
    assert causes_of("t1", NEXT) == {}


@pytest.mark.slow
def test_a_held_edit_that_changes_nothing_any_more_is_taken_after_it_was_looked_at(first_day, one_program):
    edit_rules(one_program, (AZURE, AZURE.replace("0.04", "0.05")))
    assert len(operations.restate_plan(date(2021, 3, 1))) == 2
    nothing = {"transaction_id": "t2", "product_id": "none"}
    assert "is held" in str(settle_next(NEXT, [nothing], supersedes=f"{DAY}-transactions-1")["warnings"])
    with pytest.raises(LookupError, match="changes nothing that is posted; the next settled day works with it"):
        operations.restate_plan(date(2021, 3, 1))
    assert "held" not in str(settle_next(AFTER, [{"transaction_id": "t3"}])["warnings"])
    assert causes_of("t3", AFTER) == {"new_line": ("5.00", None)}
