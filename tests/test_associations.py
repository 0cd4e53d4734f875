"""Who earns on a line: the partner of the line, or one whose claim to the customer's workload comes first."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import operations
import pipeline
import replays
import rulebook
from app import explain, explained
from app.dashboard.access import Scope, Viewer
from app.dashboard.current import current_release
from tests.deliveries import DAY, T1, WORLD, as_made, ask, land, take_in_world
from transforms.associations import associations
from transforms.example_claims import claims_frame
from transforms.examples import check, try_examples, work_out
from transforms.precedence import Association
from transforms.programs import Program, load
from transforms.rule_file import RuleFault, read
from warehouse import releases, store

CASES, _ = read(Path(__file__).parent / "cases" / "associations.yaml")
BASE = load(rulebook.programs_folder() / "csp-indirect-reseller.yaml")
RANKED = ["cpor", "pal_owner", "pal_contributor", "reseller"]
NEXT, AFTER = "2021-03-24", "2021-03-25"


def program_of(case: dict) -> Program:
    """The resellers' program with the case's precedence."""
    rule = {"precedence": case.get("precedence", RANKED), "opt_out_days": case.get("opt_out_days", {})}
    return BASE.model_copy(update={"association": Association.model_validate(rule)})


def claims_of(case: dict) -> list[dict]:
    plain = {"association": "cpor", "approved_on": date(2021, 1, 1), "valid_from": date(2021, 1, 1)}
    return [plain | claim for claim in case["claims"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_case_has_its_earners(case):
    own = case.get("own", "reseller")
    lines = [{"id": str(on), "on": on, "product_family": "azure", "association": own} for on in case["earners"]]
    partners = {"partners": [{"partner_id": "p1"}, *case["partners"]]} if "partners" in case else {}
    [(found, _)] = work_out([program_of(case)], [(0, {"claims": claims_of(case), "transactions": lines, **partners})])
    assert found["earners"] == {str(on): partner for on, partner in case["earners"].items()}


@pytest.mark.parametrize("case", [case for case in CASES if "stands" in case], ids=lambda case: case["case"])
def test_a_case_says_how_its_claims_stand(case):
    made = associations(claims_frame(claims_of(case), "cpor", case), [program_of(case)])
    for claim, wanted in case["stands"].items():
        mine = made[made["claim_id"] == claim].sort_values("valid_from")
        found = [
            {"why": why, "from": start.date(), "to": end.date()}
            for why, start, end in mine[["reason_code", "valid_from", "valid_to"]].itertuples(index=False)
        ]
        told = [{k: v for k, v in span.items() if not pd.isna(v)} for span in found]
        assert told == wanted, claim


OTHER = "1000002"
ROWS = {
    "partners": [*WORLD["partners"], {"partner_id": OTHER, "tenant_id": "other-tenant"}],
    "agreements": [*WORLD["agreements"], {"agreement_id": "a2", "partner_id": OTHER}],
    "competencies": [*WORLD["competencies"], {"partner_id": OTHER}],
    "enrolments": [{"partner_id": "1000001"}, {"partner_id": OTHER}],
    "payee_profiles": [*WORLD["payee_profiles"], {"partner_id": OTHER}],
    "users": [*WORLD["users"], {"partner_id": OTHER, "user_email": "sam@other.example"}],
}
CLAIM = {"claim_id": "k1", "partner_id": OTHER}
SELECTED = '2021: Azure 4 %"}\n    select: {'
IN_BRACKETS = """measure: revenue
    accumulate: {over: month}
    scale: {mode: retroactive, brackets: [{threshold: 0, rate: 0.04}, {threshold: 150, rate: 0.05}]}
  - lever: modern-work-fy21"""


def rank(folder: Path, precedence: str = "[cpor, pal_owner, reseller]", *changes: tuple[str, str]) -> None:
    """Have the program rank associations; other changes of its file besides."""
    [path] = folder.glob("*.yaml")
    text = path.read_text().split("\nassociation: ")[0]
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(f"{text}\nassociation: {{precedence: {precedence}, opt_out_days: {{cpor: 7}}}}\n")


@pytest.fixture
def ranked(home, one_program):
    """A settled day with a line of 100.00 that the reseller of record earns 4 percent of; the folder of the program."""
    rank(one_program)
    as_made(_one_line)
    return one_program


def _one_line() -> None:
    take_in_world(**ROWS)
    land("transactions", [T1])
    pipeline.run()


def settle_lines(day: str, *lines: dict) -> None:
    """Settle a later day with some lines, or one that earns nothing."""
    land("agreements", ROWS["agreements"], day)
    land("transactions", list(lines) or [{"transaction_id": f"none-{day}", "product_id": "none"}], day)
    pipeline.run()


def settle_with(claims: list[dict], day: str = NEXT, *lines: dict) -> None:
    """Settle a later day that brings claims."""
    land("claims", claims, day)
    settle_lines(day, *lines)


def posted(day: str) -> list[tuple]:
    return ask(
        "SELECT transaction_id, partner_id, sum(amount)::DOUBLE, cause FROM earnings_ledger "
        f"WHERE posted_on = DATE '{day}' GROUP BY ALL ORDER BY ALL"
    )


def nothing_differs() -> None:
    found = operations.verify()
    assert found["broken"] == found["differences"] == []


@pytest.mark.slow
def test_a_claim_that_comes_later_gives_an_old_line_to_its_partner_and_back_when_it_is_rejected(ranked):
    settle_with([CLAIM])
    assert posted(NEXT) == [("t1", "1000001", -4.0, "reference_change"), ("t1", OTHER, 4.0, "reference_change")]
    assert ask("SELECT partner_id, claim_id FROM decisions WHERE transaction_id = 't1'") == [(OTHER, "k1")]
    nothing_differs()
    settle_with([CLAIM | {"claim_status": "rejected"}], AFTER, {"transaction_id": "t3"})
    assert posted(AFTER) == [
        ("t1", "1000001", 4.0, "reference_change"), ("t1", OTHER, -4.0, "reference_change"), ("t3", "1000001", 4.0, "new_line"),
    ]  # fmt: skip
    assert ask("SELECT partner_id, claim_id FROM decisions WHERE transaction_id = 't1'") == [("1000001", None)]
    nothing_differs()
    assert replays.replay(date.fromisoformat(AFTER))["differing"] == []


def test_a_claim_bears_only_on_the_lines_of_its_days(ranked):
    lines = [{"transaction_id": f"d{day}", "transaction_at": f"2021-03-{day}T00:00:00Z"} for day in (16, 17, 22, 23)]
    settle_with([CLAIM | {"approved_on": "2021-03-10", "valid_to": "2021-03-23"}], NEXT, *lines)
    assert ask("SELECT transaction_id, partner_id FROM decisions ORDER BY 1") == [
        ("d16", "1000001"), ("d17", OTHER), ("d22", OTHER), ("d23", "1000001"), ("t1", "1000001"),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_claim_that_a_whole_delivery_no_longer_holds_gives_the_line_back(ranked):
    settle_with([CLAIM, CLAIM | {"claim_id": "k2", "customer_id": "c2"}])
    settle_with([CLAIM | {"claim_id": "k2", "customer_id": "c2"}], AFTER)
    assert [row[1:3] for row in posted(AFTER)] == [("1000001", 4.0), (OTHER, -4.0)]
    nothing_differs()


@pytest.mark.slow
def test_a_claim_that_moves_to_another_customer_lets_the_first_one_go(ranked):
    settle_with([CLAIM])
    settle_with([CLAIM | {"customer_id": "c2"}], AFTER)
    assert [row[1:3] for row in posted(AFTER)] == [("1000001", 4.0), (OTHER, -4.0)]
    nothing_differs()


def test_a_claim_that_loses_is_published_with_the_reason_and_as_it_was_known(ranked):
    settle_with([CLAIM, {"claim_id": "k0", "partner_id": "1000001", "approved_on": "2021-01-02"}])
    stands = "SELECT claim_id, partner_id, valid_from, reason_code FROM associations WHERE valid_to IS NULL ORDER BY 1"
    assert ask(stands) == [
        ("k0", "1000001", date(2021, 1, 9), "CLMKEPT"), ("k1", OTHER, date(2021, 1, 8), None),
    ]  # fmt: skip
    settle_with([CLAIM | {"claim_status": "opted_out"}, {"claim_id": "k0", "partner_id": "1000001"}], AFTER)
    assert [(row[0], row[3]) for row in ask(stands)] == [("k0", None), ("k1", "CLMOPEN")]
    with store.connect(store.home() / "warehouse.duckdb", read_only=True) as con:
        known = con.execute(
            f"SELECT claim_id FROM derived.associations_valid_on(DATE '{DAY}', DATE '{NEXT}') WHERE reason_code IS NULL"
        ).fetchall()
    assert known == [("k1",)]


@pytest.mark.slow
def test_a_refund_takes_back_from_the_partner_who_earned_by_the_claim(ranked):
    settle_with([CLAIM | {"valid_to": NEXT}])
    back = {"transaction_id": "r", "reverses": "t1", "revenue": "-25.00", "transaction_at": f"{AFTER}T10:00:00Z"}
    settle_lines(AFTER, back)
    assert posted(AFTER) == [("r", OTHER, -1.0, "refund")]
    nothing_differs()


def test_levers_select_by_the_association_that_counts(home, one_program):
    rank(one_program, "[cpor, pal_owner, reseller]", (SELECTED, SELECTED + "association: [cpor], "))
    take_in_world(**ROWS)
    land("transactions", [T1])
    land("claims", [CLAIM | {"valid_from": DAY}])
    pipeline.run()
    settle_lines(NEXT, {"transaction_id": "before", "transaction_at": "2021-03-22T10:00:00Z"})
    assert ask("SELECT transaction_id, partner_id, decision FROM decisions ORDER BY ALL") == [
        ("before", "1000001", "ineligible"), ("t1", OTHER, "eligible"),
    ]  # fmt: skip


def test_a_line_without_a_reseller_can_be_earned_on_by_claim(ranked):
    settle_with([CLAIM], NEXT, {"transaction_id": "direct", "reseller_id": ""})
    assert ("direct", OTHER, 4.0, "new_line") in posted(NEXT)


def test_a_claim_and_a_correction_and_a_lost_agreement_are_told_apart(ranked):
    lost = ROWS["agreements"][1] | {"valid_to": "2021-01-01", "agreement_status": "expired"}
    land("claims", [CLAIM], NEXT)
    land("agreements", [ROWS["agreements"][0], lost], NEXT)
    land("transactions", [T1 | {"revenue": "50.00"}], NEXT)
    pipeline.run()
    assert posted(NEXT) == [
        ("t1", "1000001", -2.0, "corrected_line"), ("t1", "1000001", -2.0, "reference_change"),
        ("t1", OTHER, -2.0, "eligibility_lost"), ("t1", OTHER, 2.0, "reference_change"),
    ]  # fmt: skip
    nothing_differs()


@pytest.mark.slow
def test_an_edited_precedence_waits_and_is_a_change_of_rule(ranked):
    settle_with([CLAIM])
    rank(ranked, "{2017-07-01: [reseller, cpor]}")
    settle_lines(AFTER)
    assert posted(AFTER) == []
    operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")
    assert posted(AFTER) == [("t1", "1000001", 4.0, "rule_change"), ("t1", OTHER, -4.0, "rule_change")]
    nothing_differs()


@pytest.mark.slow
def test_a_partner_who_is_not_known_yet_earns_by_its_claim_once_it_is(ranked):
    settle_with([CLAIM | {"partner_id": "1000003"}])
    assert ask("SELECT decision, reason_codes FROM decisions WHERE transaction_id = 't1'") == [("undecided", "UNKPTR")]
    land("partners", [*ROWS["partners"], {"partner_id": "1000003"}], AFTER)
    settle_lines(AFTER)
    assert ask("SELECT partner_id, decision FROM decisions WHERE transaction_id = 't1'") == [("1000003", "ineligible")]
    land("partners", [*ROWS["partners"], {"partner_id": "1000003", "partner_type": "direct_bill"}], AFTER, number=2)
    settle_lines("2021-03-26")
    assert ask("SELECT partner_id, decision FROM decisions WHERE transaction_id = 't1'") == [("1000001", "eligible")]
    nothing_differs()


@pytest.mark.slow
def test_a_claim_takes_a_line_out_of_the_scale_of_one_partner_into_that_of_another(home, one_program):
    rank(
        one_program, "[cpor, reseller]", ("measure: revenue\n    rate: 0.04\n  - lever: modern-work-fy21", IN_BRACKETS)
    )
    take_in_world(**ROWS)
    land("customers", [*WORLD["customers"], {"customer_id": "c2"}], number=2)
    land("transactions", [T1, {"transaction_id": "u", "customer_id": "c2"}])
    pipeline.run()
    assert posted(DAY) == [("t1", "1000001", 5.0, "new_line"), ("u", "1000001", 5.0, "new_line")]
    settle_with([CLAIM])
    assert posted(NEXT) == [
        ("t1", "1000001", -5.0, "reference_change"), ("t1", OTHER, -1.0, "bracket_fall"), ("t1", OTHER, 5.0, "reference_change"),
        ("u", "1000001", -1.0, "bracket_fall"),
    ]  # fmt: skip
    nothing_differs()


def test_explain_names_the_claim_by_which_a_partner_earns(ranked):
    settle_with([CLAIM])
    with releases.reader(pipeline.current_release()) as con:
        said = "\n".join(explained.told(explain.of_id(con, "t1")))
    assert f"partner {OTHER}: eligible" in said and "by claim k1, cpor from 2021-01-08" in said
    seen = Scope(current_release(), Viewer("ops@publisher.example", is_operator=True), OTHER)
    assert list(seen.ask("SELECT transaction_id FROM {transactions}")["transaction_id"]) == ["t1"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("{precedence: [cpor, csp]}", "associations ['csp'] do not exist"),
        ("{precedence: [cpor, cpor]}", "names one twice"),
        ("{precedence: {2021-01-01: null}}", "is not a list of names"),
        ("{opt_out_days: {cpor: 7}}", "precedence"),
        ("{precedence: [cpor], opt_out_days: {reseller: 7}}", "reseller"),
    ],
)
def test_a_precedence_that_cannot_be_used_is_refused(tmp_path, rule, says):
    path = tmp_path / "csp-indirect-reseller.yaml"
    text = (rulebook.programs_folder() / path.name).read_text()
    path.write_text(f"{text}\nassociation: {rule}\n")
    with pytest.raises(RuleFault, match=r"^csp-indirect-reseller.yaml:\d+: ") as fault:
        load(path)
    assert says in str(fault.value)


EXAMPLE = """
  - example: a claimed association earns
    given:
      claims: [{partner_id: p2, approved_on: 2021-02-01}]
      transactions:
        - {id: t1, on: 2021-02-01, product_family: azure, association: reseller, revenue: 100.00}
        - {id: t2, on: 2021-01-31, product_family: azure, association: reseller, revenue: 100.00}
    expect: {earned: 4.00, earners: {t1: p2, t2: p1}}
association: {precedence: [cpor, reseller]}
"""


def test_a_claim_of_an_example_matches_what_a_lever_selects_unless_it_says_its_association(tmp_path):
    path = tmp_path / "csp-indirect-reseller.yaml"
    text = (
        (rulebook.programs_folder() / path.name).read_text().replace(SELECTED, SELECTED + "association: [pal_owner], ")
    )
    path.write_text(text + EXAMPLE)
    assert try_examples(load(path), path) == []
    path.write_text(text + EXAMPLE.replace("partner_id: p2", "partner_id: p2, association: cpor"))
    with pytest.raises(RuleFault, match="computed \\[0.00\\]"):
        check(load(path), path)
