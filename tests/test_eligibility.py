"""Worked cases of eligibility, readable by those who write programs: tests/cases/eligibility.yaml."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import rulebook
from transforms.criteria import Eligibility
from transforms.eligibility import eligibility
from transforms.example_standing import FEED_COLUMNS, example_frame, judged_criteria
from transforms.money import FX, decimals
from transforms.programs import Program, load
from transforms.rule_file import read

CASES, _ = read(Path(__file__).parent / "cases" / "eligibility.yaml")
BASE = load(rulebook.programs_folder() / "csp-indirect-reseller.yaml")


def program_of(case: dict) -> Program:
    """The resellers' program with the case's criteria only."""
    rules = {"earns_from": "month_start", "criteria": case["criteria"]}
    rules |= {key: case[key] for key in ("earns_from", "grace_days") if key in case}
    return BASE.model_copy(update={"eligibility": Eligibility.model_validate(rules), "enrolment": None})


def judged(case: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The criteria and the standing of partner p1."""
    program, given = program_of(case), case["given"]
    rows = {"partners": [{"partner_id": "p1"}]} | {
        feed: given.get(feed, []) for feed in FEED_COLUMNS if feed != "partners"
    }
    criteria = judged_criteria(
        {feed: example_frame(feed, rows[feed], program) for feed in FEED_COLUMNS},
        program,
        revenue(given.get("revenue", [])),
        tuple(given.get("missing_feeds", [])),
    )
    return criteria, eligibility(criteria, [program])


def revenue(rows: list[dict]) -> pd.DataFrame:
    """Revenue in dollars by day, as the input of that name has it."""
    on = pd.Series([row["on"] for row in rows], dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "partner_id": pd.Series(["p1"] * len(rows), dtype="str"),
            "transaction_on": on,
            "currency": "USD",
            "program_currency": "USD",
            "revenue_minor": pd.Series([int(row["amount"] * 100) for row in rows], dtype="int64"),
            "exponent": 2,
            "program_exponent": 2,
            "fx_rate": decimals([row.get("fx_rate", 1) for row in rows], FX),
            "history_from": on.min(),
        }
    )


def spans(rows: pd.DataFrame) -> list[tuple]:
    """Spans as pairs of days, those that touch joined."""
    made: list[tuple] = []
    for start, end in rows.sort_values("valid_from")[["valid_from", "valid_to"]].itertuples(index=False):
        start, end = start.date(), None if pd.isna(end) else end.date()
        if made and made[-1][1] == start:
            start = made.pop()[0]
        made.append((start, end))
    return made


def test_evidence_is_true_of_its_days():
    years = [("a1", "2018-01-01", "2020-01-01"), ("a2", "2019-06-01", "2021-01-01"), ("a3", "2021-01-01", None)]
    given = {
        "agreements": [
            {"partner_id": "p1", "agreement_type": "mpn", "agreement_id": name, "valid_from": start, "valid_to": end}
            for name, start, end in years
        ]
    }
    criteria, standing = judged({"criteria": [{"criterion": "active_agreement", "any_of": ["mpn"]}], "given": given})
    met = criteria[criteria["status"] == "met"].sort_values("valid_from")
    assert [row.evidence.split(" from ")[0] for row in met.itertuples()] == [
        "agreement a1",
        "agreement a2",
        "agreement a3",
    ]
    assert [str(row.valid_from.date()) for row in met.itertuples()] == ["2018-01-01", "2020-01-01", "2021-01-01"]
    assert len(standing) == 2 and spans(standing[standing["is_earning"]]) == [(date(2018, 1, 1), None)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_case_holds(case):
    criteria, standing = judged(case)
    for what, wanted in case["expect"].items():
        found = standing[standing["is_earning"]] if what == "earning" else criteria[criteria["status"] == what]
        assert spans(found) == [(span["from"], span.get("to")) for span in wanted], what
