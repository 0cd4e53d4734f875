"""The life of an enrolment, as cases readable by those who write programs: tests/cases/enrolments.yaml."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import pipeline
import rulebook
from tests.deliveries import WORLD, ask, land, land_world
from transforms.example_standing import FEED_COLUMNS, example_frame, judged_enrolments
from transforms.invitations import invitations
from transforms.levers import Effective
from transforms.programs import Program, load
from transforms.rule_file import read
from transforms.terms import Enrolment

CASES, _ = read(Path(__file__).parent / "cases" / "enrolments.yaml")
BASE = load(rulebook.programs_folder() / "csp-indirect-reseller.yaml")
GIVEN = {
    "partners": [{}], "agreements": [{"agreement_type": "mpn"}], "competencies": [{"competency": "cloud_platform"}],
    "payee_profiles": [{}], "enrolments": [],
}  # fmt: skip


def program_of(case: dict) -> Program:
    """The resellers' program with the case's terms of enrolment, its requirements those of today for all time."""
    criteria = [
        c for c in BASE.eligibility.criteria[max(BASE.eligibility.criteria)] if c.criterion != "trailing_revenue"
    ]
    eligibility = BASE.eligibility.model_copy(update={"criteria": {date(1900, 1, 1): criteria}})
    span = Effective.model_validate({"from": date(2019, 1, 1), "to": case.get("ends")})
    levers = [lever.model_copy(update={"effective": span}) for lever in BASE.levers]
    enrolment = Enrolment.model_validate(case["enrolment"])
    return BASE.model_copy(update={"enrolment": enrolment, "eligibility": eligibility, "levers": levers})


def rows(program: Program, **columns: list) -> pd.DataFrame:
    named = pd.DataFrame({"program": program.program, "partner_id": "p1", **columns})
    dates = [name for name in columns if name.endswith("_on")]
    return named.astype({name: "datetime64[us]" if name in dates else "str" for name in named})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_case_holds(case):
    program = program_of(case)
    facts = {
        feed: example_frame(feed, [{"partner_id": "p1"} | row for row in case.get(feed, GIVEN[feed])], program)
        for feed in FEED_COLUMNS
    }
    asked, invited = case.get("requests", []), [case["invited"]] if "invited" in case else []
    _, held = judged_enrolments(
        facts,
        program,
        enrol_requests=rows(program, request_id=[f"r{number}" for number in range(len(asked))], answered_on=asked),
        invited=rows(program, transaction_id=["t1"] * len(invited), invited_on=invited),
        missing=tuple(case.get("missing_feeds", [])),
    )
    assert held["valid_to"].iloc[:-1].tolist() == held["valid_from"].iloc[1:].tolist() and pd.isna(
        held["valid_to"].iloc[-1]
    )
    told = {True: {"enrolled": True}, False: {}}
    found = [
        {"from": row.valid_from.date(), "status": row.enrolment_status}
        | ({} if pd.isna(row.reason_code) else {"reason": row.reason_code})
        | ({"enrolled": "unknown"} if pd.isna(row.is_enrolled) else told[bool(row.is_enrolled)])
        for row in held.itertuples()
    ]
    assert found == case["expect"]


SOLD = pd.DataFrame({"partner_id": ["p1"], "transaction_id": ["t1"], "transaction_on": pd.to_datetime(["2021-03-02"])})
NOBODY = pd.DataFrame({"program": pd.Series([], dtype="str"), "partner_id": pd.Series([], dtype="str")})
RESELLER = {"partner_id": "p1", "partner_type": "indirect_reseller"}
DIRECT = RESELLER | {"partner_type": "direct_bill", "valid_to": date(2021, 3, 5)}


@pytest.mark.parametrize(
    ("enrolment", "partners", "sold", "competencies", "expected"),
    [
        ({"invite_on": "first_transaction"}, [RESELLER], SOLD, [{}], [("p1", "t1")]),
        ({"invite_on": "first_transaction"}, [RESELLER], SOLD[:0], [{}], []),
        ({"invite_on": "first_transaction"}, [DIRECT, RESELLER | {"valid_from": date(2021, 3, 5)}], SOLD[:0], [{}], [("p1", "")]),
        ({"invite_on": "first_transaction"}, [DIRECT], SOLD, [{}], []),
        ({"invite_on": "eligible"}, [RESELLER], SOLD[:0], [{}], [("p1", "")]),
        ({"invite_on": "eligible"}, [RESELLER], SOLD, [{"valid_from": date(2021, 3, 24)}], []),
        ({"invite_on": "open"}, [RESELLER], SOLD, [{}], []),
        ({}, [RESELLER], SOLD, [{}], []),
    ],
)  # fmt: skip
def test_a_program_invites_once_whom_its_terms_say(enrolment, partners, sold, competencies, expected):
    program = program_of({"enrolment": enrolment})
    given = GIVEN | {"partners": partners, "competencies": [GIVEN["competencies"][0] | row for row in competencies]}
    facts = {
        feed: example_frame(feed, [{"partner_id": "p1"} | row for row in given[feed]], program) for feed in FEED_COLUMNS
    }
    requirements, _ = judged_enrolments(facts, program)
    due = invitations(sold, facts["partners"], requirements, NOBODY, [program], date(2021, 3, 23))
    assert list(due[["partner_id", "transaction_id"]].fillna("").itertuples(index=False, name=None)) == expected
    assert set(due["invited_on"]) <= {pd.Timestamp("2021-03-23")}
    assert invitations(sold, facts["partners"], requirements, due, [program], date(2021, 3, 23)).empty


@pytest.mark.slow
def test_who_meets_the_requirements_on_a_later_day_is_invited_then(home, one_program):
    """Nothing is delivered of the partner on that day: the day itself is what brings it."""
    path = one_program / "csp-indirect-reseller.yaml"
    path.write_text(path.read_text().replace("{invite_on: first_transaction,", "{invite_on: eligible,"))
    competency = {"partner_id": "1000001", "valid_from": "2021-03-25"}
    land_world(enrolments=[], competencies=[competency])
    land("transactions", [])
    pipeline.run()
    for day, invited in (("2021-03-24", []), ("2021-03-25", [("1000001", None)]), ("2021-03-26", [("1000001", None)])):
        land("agreements", WORLD["agreements"], day)
        land("transactions", [], day)
        pipeline.run()
        assert ask("SELECT partner_id, transaction_id FROM invitations") == invited, day
    stands = "SELECT enrolment_status, valid_from::VARCHAR, valid_to::VARCHAR, next_status FROM enrolments"
    assert ask(stands) == [("invited", "2021-03-25", "2021-04-24", "inactive")]
