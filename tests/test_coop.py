"""Co-op funds: their calendar, the minimum, claims and caps, conversion, forfeiture; what is claimed is paid."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

import operations
import payouts
import replays
import rulebook
from tests.deliveries import accepted_before, ask, land, settle_next
from transforms.claimed import claim_faults
from transforms.coop_claims import coop_claims
from transforms.coop_funds import entries, rule_changes
from transforms.coop_halves import coop_halves
from transforms.programs import Program, load
from warehouse import store

PROGRAM = "csp-indirect-reseller"
BALANCE = {
    "partner_id": "p1", "program": PROGRAM, "half_from": "2021-01-01", "currency": "USD", "program_currency": "USD",
    "accrued_minor": 500_000, "program_accrued_minor": 500_000, "converted_minor": 0, "program_converted_minor": 0,
    "forfeited_minor": 0, "program_forfeited_minor": 0, "claimed_minor": 0, "program_claimed_minor": 0,
}  # fmt: skip
SMALL = {"accrued_minor": 399_999, "program_accrued_minor": 399_999}
CLAIM = {
    "request_id": "c1", "requested_at": "2021-08-20", "partner_id": "p1", "program": PROGRAM, "half_from": "2021-01-01",
    "half_to": pd.Timestamp("2021-07-01"), "currency": "USD", "activity_type": "advertising", "requested_minor": 100_000, "is_in_time": True,
    "minimum_minor": 400_000, "program_total_minor": 500_000, "accrued_minor": 500_000, "program_accrued_minor": 500_000,
    "claimed_minor": 0, "claimed_alike_minor": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    (
        "half",
        "usage_to",
        "claims_from",
        "claims_to",
    ),  # Partner Center, Claims overview: the last claim day is the one before
    [
        ("2020-07-01", "2021-07-01", "2021-02-16", "2021-08-16"),
        ("2021-01-01", "2022-01-01", "2021-08-16", "2022-02-16"),
        ("2021-07-01", "2022-07-01", "2022-02-16", "2022-08-16"),
        ("2022-07-01", "2023-07-01", "2023-02-16", "2023-08-16"),
        ("2023-01-01", "2024-01-01", "2023-08-16", "2024-02-16"),
    ],
)
def test_the_calendar_is_partner_centers(half, usage_to, claims_from, claims_to):
    halves = coop_halves(rulebook.programs(), date(2021, 3, 1))
    [row] = halves[(halves["program"] == PROGRAM) & (halves["half_from"] == half)].to_dict("records")
    assert [f"{row[name]:%Y-%m-%d}" for name in ("usage_to", "claims_from", "claims_to")] == [
        usage_to,
        claims_from,
        claims_to,
    ]


@pytest.mark.parametrize(
    ("day", "stage"),
    [("2021-06-30", "accruing"), ("2021-07-01", "ended"), ("2021-08-16", "claimable"), ("2022-02-15", "claimable"), ("2022-02-16", "closed")],
)  # fmt: skip
def test_a_half_year_goes_through_its_stages(day, stage):
    halves = coop_halves(rulebook.programs(), date.fromisoformat(day))
    assert list(halves[(halves["program"] == PROGRAM) & (halves["half_from"] == "2021-01-01")]["fund_stage"]) == [stage]


def changed(folder: Path, *changes: tuple[str, str]) -> Program:
    """The shipped program with parts of its file written otherwise."""
    path = rulebook.programs_folder() / f"{PROGRAM}.yaml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / path.name).write_text(text)
    return load(folder / path.name)


def test_the_calendar_of_a_half_is_that_of_its_last_day(tmp_path):
    program = changed(
        tmp_path,
        ("usage_months: 6", "usage_months: {2017-07-01: 6, 2021-06-30: 3, 2022-06-30: null}"),
        ("{months: 1, day: 16}", "{months: {2021-06-30: 2}, day: {2017-07-01: 16, 2021-12-31: 1}}"),
        ("grace_days: 45", "grace_days: {2017-07-01: 45, 2021-12-31: null}"),
    )
    halves = coop_halves([program], date(2021, 3, 1)).set_index("half_from").loc["2020-07-01":"2022-01-01"]
    days = halves[["usage_to", "claims_from", "claims_to"]].apply(lambda of: of.dt.strftime("%Y-%m-%d"))
    assert [list(days[name].fillna("")) for name in days] == [
        ["2021-07-01", "2021-10-01", "2022-04-01", ""],
        ["2021-01-01", "2021-09-16", "2022-03-01", ""],  # without a day of opening, the first day after the half
        ["2021-08-16", "2021-11-16", "2022-04-02", ""],
    ]


def moved(day: str, *balances: dict) -> list[tuple]:
    frame = pd.DataFrame([BALANCE | balance for balance in balances])
    frame["half_from"] = pd.to_datetime(frame["half_from"]).astype("datetime64[us]")
    on = date.fromisoformat(day)
    made = entries(frame, coop_halves(rulebook.programs(), on), on)
    return [(row.cause, row.earning_type, row.amount_minor) for row in made.itertuples()]


def test_below_the_minimum_a_half_becomes_rebate_when_it_has_ended():
    assert moved("2021-06-30", SMALL) == []
    assert moved("2021-07-01", SMALL) == [("coop_converted", "coop", -399_999), ("coop_converted", "rebate", 399_999)]
    assert moved("2021-07-01", {}) == []
    assert moved("2021-07-01", SMALL | {"claimed_minor": 1}) == []


def test_the_minimum_is_of_all_currencies_and_of_the_halfs_last_day():
    euros = {"currency": "EUR", "accrued_minor": 1_000, "program_accrued_minor": 1}
    assert moved("2021-07-01", SMALL, euros) == []
    assert len(moved("2022-01-01", {"half_from": "2021-07-01"})) == 2  # 10,000 from October 2021 on


def test_a_rule_changes_of_funds_only_what_the_rules_before_would_not():
    on = date(2021, 7, 1)
    frame = pd.DataFrame([BALANCE | SMALL | {"half_from": pd.Timestamp("2021-01-01")}])
    converted = entries(frame, coop_halves(rulebook.programs(), on), on)
    assert rule_changes(converted, converted, on).empty
    for made, amounts in (
        (rule_changes(converted, converted[:0], on), [-399_999, 399_999]),
        (rule_changes(converted[:0], converted, on), [399_999, -399_999]),
    ):
        assert made["amount_minor"].tolist() == amounts and set(made["cause"]) == {"rule_change"}


def test_what_changes_after_the_conversion_is_converted_or_given_back():
    done = SMALL | {"converted_minor": -399_999, "program_converted_minor": -399_999}
    assert moved("2021-08-01", done) == []
    less = done | {"accrued_minor": 300_000, "program_accrued_minor": 300_000}
    assert moved("2021-08-01", less) == [("coop_converted", "coop", 99_999), ("coop_converted", "rebate", -99_999)]
    more = done | {"accrued_minor": 400_000, "program_accrued_minor": 400_000}
    assert moved("2021-08-01", more) == [("coop_converted", "coop", 399_999), ("coop_converted", "rebate", -399_999)]


def test_what_is_not_claimed_in_time_is_forfeited_and_no_more():
    claimed = {"claimed_minor": 120_000, "program_claimed_minor": 120_000}
    assert moved("2022-02-15", claimed) == []
    assert moved("2022-02-16", claimed) == [("forfeited", "coop", -380_000)]
    assert moved("2022-03-01", claimed | {"forfeited_minor": -380_000, "program_forfeited_minor": -380_000}) == []
    assert moved("2022-03-01", {"claimed_minor": 600_000, "program_claimed_minor": 600_000}) == []  # a receivable


def faults(*claims: dict, programs: list[Program] | None = None) -> list[str | None]:
    held = pd.DataFrame([CLAIM | claim for claim in claims])
    held["minimum_minor"] = held["minimum_minor"].astype("Int64")
    found = claim_faults(held[["request_id"]], held, programs or rulebook.programs())
    return [next((code for code, applies in found.items() if applies.iloc[place]), None) for place in range(len(held))]


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        ({}, None),
        ({"requested_minor": 500_000}, None),
        ({"requested_minor": 500_001}, "COOPFUND"),
        ({"claimed_minor": 400_001}, "COOPFUND"),
        ({"is_in_time": False}, "COOPWIN"),
        ({"program_total_minor": 399_999}, "COOPNONE"),
        ({"accrued_minor": 0, "program_accrued_minor": 0}, "COOPNONE"),
        ({"activity_type": "customer_offer", "requested_minor": 125_000}, None),
        ({"activity_type": "customer_offer", "requested_minor": 125_001}, "COOPCAP"),
        ({"activity_type": "internal_incentive", "claimed_alike_minor": 25_001}, "COOPCAP"),
        ({"activity_type": "demo_units", "requested_minor": 300_000}, None),  # 3,000 is more than a tenth
        ({"activity_type": "demo_units", "requested_minor": 300_001}, "COOPCAP"),
    ],
)
def test_a_claim_is_of_its_days_its_fund_and_its_activitys_cap(claim, fault):
    assert faults(claim) == [fault]


@pytest.mark.parametrize(
    ("cap", "most"),
    [
        ("{share: {2020-01-01: 0.1, 2021-06-30: 0.2}}", 100_000),
        ("{share: {2020-01-01: 0.1, 2021-07-01: 0.2}}", 50_000),
        ("{share: {2020-01-01: 0.1, 2021-06-30: 0}, amount: {2021-06-30: 400}}", 40_000),
        ("{share: {2020-01-01: 0.1, 2021-06-30: null}}", 500_000),  # what is left in the fund
        ("{amount: 0}", 0),
    ],
)
def test_an_activitys_cap_is_that_of_the_halfs_last_day(tmp_path, cap, most):
    program = changed(tmp_path, ("customer_offer: {share: 0.25}", f"customer_offer: {cap}"))
    asked = {"activity_type": "customer_offer"}
    assert faults(asked | {"requested_minor": most + 1}, programs=[program])[0] in ("COOPCAP", "COOPFUND")
    assert faults(asked | {"requested_minor": most}, programs=[program]) == [None]


def test_a_cap_in_program_currency_counts_at_what_the_fund_is_worth_in_it():
    euros = {"activity_type": "demo_units", "currency": "EUR", "program_accrued_minor": 600_000}
    assert faults(euros | {"requested_minor": 250_000}) == [None]
    assert faults(euros | {"requested_minor": 250_001}) == ["COOPCAP"]


def test_claims_of_one_day_do_not_take_the_same_money_twice():
    assert faults({"requested_minor": 300_000}, {"request_id": "c2", "requested_at": "2021-08-21", "requested_minor": 300_000}) == [None, "COOPFUND"]  # fmt: skip


def test_a_claim_that_is_refused_takes_nothing_from_those_after_it():
    offer = {"activity_type": "customer_offer"}
    claims = [
        {"requested_minor": 500_001}, {"requested_minor": 300_000}, {"requested_minor": 200_001}, {"requested_minor": 200_001},
        {"requested_minor": 500_000, "is_in_time": False}, offer | {"requested_minor": 125_001}, offer | {"requested_minor": 125_000},
        {"requested_minor": 75_001}, {"requested_minor": 75_000}, {"partner_id": "p2", "requested_minor": 500_000},
    ]  # fmt: skip
    assert faults(*({"request_id": f"c{place}"} | claim for place, claim in enumerate(claims))) == [
        "COOPFUND", None, "COOPFUND", "COOPFUND", "COOPWIN", "COOPCAP", None, "COOPFUND", None, None,
    ]  # fmt: skip


def test_a_claim_of_no_usage_period_is_refused():
    assert claim_faults(pd.DataFrame({"request_id": ["c9"]}), pd.DataFrame([CLAIM]).astype({"minimum_minor": "Int64"}), rulebook.programs())["COOPWIN"].tolist() == [True]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "status", "approved", "claimed"),
    [
        ({}, "submitted", pd.NA, 100_000),
        ({"review_outcome": "under_review"}, "under_review", pd.NA, 100_000),
        ({"review_outcome": "approved"}, "approved", 100_000, 100_000),
        ({"review_outcome": "approved", "approved_minor": 60_000}, "approved", 60_000, 60_000),
        ({"review_outcome": "approved", "approved_minor": 160_000}, "approved", 100_000, 100_000),
        ({"review_outcome": "rejected"}, "rejected", pd.NA, 0),
        ({"review_outcome": "rejected", "disputed_at": "2021-09-03"}, "disputed", pd.NA, 100_000),
        ({"review_outcome": "rejected", "disputed_at": "2021-09-01"}, "rejected", pd.NA, 0),
        (
            {"review_outcome": "approved", "approved_minor": 60_000, "disputed_at": "2021-09-03"},
            "disputed",
            60_000,
            100_000,
        ),
        (
            {"review_outcome": "under_review", "decided_outcome": "approved", "approved_minor": 60_000},
            "under_review",
            60_000,
            100_000,
        ),
    ],
)
def test_a_claim_stands_where_its_last_review_or_dispute_put_it(said, status, approved, claimed):
    row = {
        "review_outcome": None,
        "decided_outcome": said.get("review_outcome"),
        "approved_minor": pd.NA,
        "disputed_at": None,
        "reviewed_at": "2021-09-02" if said else None,
    }
    frame = pd.DataFrame([CLAIM | row | said])
    for name in ("requested_at", "reviewed_at", "disputed_at"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    [made] = coop_claims(frame.astype({"approved_minor": "Int64"})).to_dict("records")
    assert (made["coop_claim_status"], made["claimed_minor"]) == (status, claimed)
    assert pd.isna(made["approved_minor"]) if pd.isna(approved) else made["approved_minor"] == approved


ACCOUNT = {
    "request_kind": "payee_profile", "account_holder": "Contoso", "iban": "DE89370400440532013000", "payout_currency": "USD",
}  # fmt: skip
ASKED = {"partner_id": "1000001", "program": PROGRAM, "requested_at": "2021-08-20T08:00:00Z"}
SPENT = {
    "request_kind": "coop_claim", "activity_type": "advertising", "currency": "USD", "occurred_on": "2021-07-20",
    "requested": "3000.00",
}  # fmt: skip
FOREIGN = {
    "request_id": "foreign", "request_kind": "dispute", "subject": "claim", "partner_id": "2000001",
    "requested_at": "2021-09-01T09:00:00Z",
}  # fmt: skip
DISPUTE = {
    "request_id": "own", "request_kind": "dispute", "subject": "claim", "requested_at": "2021-10-02T09:00:00Z",
}  # fmt: skip
FUND = "SELECT accrued, converted, claimed, pending, forfeited, open, fund_stage FROM coop_funds WHERE half_from = DATE '2021-01-01'"


def settle(day: str, revenue: str = "1.00") -> dict:
    land("fx_rates", [{"fx_month": day[:7]}], day)
    return settle_next(day, [{"transaction_id": f"x{day}", "transaction_at": f"{day}T10:00:00Z", "revenue": revenue}])


def test_a_fund_is_claimed_reviewed_paid_and_its_rest_forfeited(first_day):
    land("partner_requests", [{"request_id": "account", **ASKED, **ACCOUNT}], "2021-06-20")
    settle("2021-06-20", "500000.00")  # 4 % of it, 40 % of that: 8,000 of co-op
    land("partner_requests", [{"request_id": "claim", **ASKED, **SPENT}, {"request_id": "early", **ASKED, **SPENT, "occurred_on": "2021-06-20"}], "2021-08-20")  # fmt: skip
    settle("2021-08-20")
    assert ask("SELECT request_id, reason_code FROM partner_requests WHERE request_kind = 'coop_claim' ORDER BY 1") == [
        ("claim", None), ("early", "COOPWIN"),
    ]  # fmt: skip
    zero, accrued = Decimal(0), Decimal("8001.600")
    assert ask(FUND) == [(accrued, zero, zero, Decimal(3000), zero, accrued, "claimable")]

    review = {
        "review_id": "1",
        "request_id": "claim",
        "reviewed_at": "2021-09-01T08:00:00Z",
        "reviewed_by": "rita",
        "currency": "USD",
    }
    foreign = {"review_id": "2", "reviewed_at": "2021-09-01T09:00:00Z", "currency": "JPY", "approved": "250000"}
    review |= {"review_outcome": "approved", "approved": "2500.00"}
    land("request_reviews", [review, review | foreign], "2021-09-01")
    land("users", [{"partner_id": "1000001"}, {"partner_id": "2000001"}], "2021-09-01")
    elsewhere = {"request_id": "elsewhere", "partner_id": "1000001", "program": "csp-customer-add"}
    land("partner_requests", [{**ASKED, **FOREIGN}, {**ASKED, **FOREIGN, **elsewhere}], "2021-09-01")
    assert settle("2021-09-01")["warnings"][:1] == [
        "review [2] does not count: it is in [JPY], its claim [claim] in [USD]; deliver it again in the claim's currency."
    ]
    assert ask("SELECT reason_code FROM partner_requests WHERE request_kind = 'dispute'") == [("REQCLAIM",)] * 2
    assert ask(FUND) == [(accrued, zero, Decimal(2500), zero, zero, accrued - 2500, "claimable")]
    plan = payouts.plan(date(2021, 9, 15)).set_index("earning_type")
    assert (plan.at["coop", "payment_minor"], plan.at["coop", "reason_code"]) == (250_000, None)
    payouts.propose(date(2021, 9, 15), "anna")
    assert payouts.plan(date(2021, 9, 15)).empty

    land("partner_requests", [{**ASKED, **DISPUTE}], "2021-10-02", mode="delta")
    again = {"review_id": "3", "reviewed_at": "2021-10-02T10:00:00Z", "review_outcome": "under_review", "approved": ""}
    land("request_reviews", [review | again], "2021-10-02", mode="delta")
    settle("2021-10-02")
    assert ask(FUND) == [(accrued, zero, Decimal(2500), Decimal(500), zero, accrued - 2500, "claimable")]
    assert "coop" not in set(payouts.plan(date(2021, 10, 15))["earning_type"])  # what is paid is not taken back

    accepted_before("foreign")
    settle("2022-02-16")
    assert ask(FUND) == [(accrued, zero, Decimal(2500), Decimal(500), accrued - 3000, Decimal(500), "closed")]
    assert operations.verify()["differences"] == []


def test_a_small_fund_becomes_rebate_and_is_paid_with_it(first_day):
    settle("2021-07-01")
    assert ask(FUND) == [(Decimal("1.600"), Decimal("1.600"), *[Decimal(0)] * 4, "ended")]
    assert ask("SELECT earning_type, amount FROM earnings_ledger WHERE cause = 'coop_converted' ORDER BY 1") == [
        ("coop", Decimal("-1.600")), ("rebate", Decimal("1.600")),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_minimum_that_is_edited_after_the_half_year_waits_for_an_approver(first_day, one_program):
    settle("2021-07-01")
    converted = "SELECT sum(amount), max_by(cause_detail, posted_on) FROM earnings_ledger WHERE cause = 'coop_converted' AND earning_type = 'coop'"
    assert ask(converted) == [(Decimal("-1.600"), "co-op of the half year to 2021-06-30 below the minimum")]
    [rules] = one_program.glob("*.yaml")
    rules.write_text(rules.read_text().replace("minimum: {2017-07-01: 4000", "minimum: {2017-07-01: 1"))
    assert "is held: it would change [2] posted sums" in str(settle("2021-08-01")["warnings"])
    settle("2021-08-02")  # what became of funds is looked at on the first settled day of a month, and with other rules
    assert ask(converted)[0][0] == Decimal("-1.600")
    plan = operations.restate_plan(date(2021, 6, 1))
    assert {row["earning_type"]: row["amount_minor"] for row in plan} == {"coop": 160, "rebate": -160}
    operations.restate(date(2021, 6, 1), by="anna", approved_by="ben")
    assert ask(converted) == [(Decimal(0), "conversion of the co-op of the half year to 2021-06-30 undone")]
    [act] = (store.place("archive") / "acts").glob("*-restate.json")
    assert {row["earning_type"]: row["amount_minor"] for row in json.loads(act.read_text())["plan"]} == {
        "coop": 160, "rebate": -160,
    }  # fmt: skip
    assert operations.verify()["differences"] == []


@pytest.mark.slow
def test_a_request_that_cannot_be_read_is_refused_until_it_is_repaired(first_day):
    claim = ASKED | SPENT | {"requested_at": "2021-03-24T08:00:00Z"}
    unreadable = [
        {"request_id": "comma", "requested": "1.250,00"}, {"request_id": "day", "occurred_on": "1.3.2021"},
        {"request_id": "unknown", "request_kind": "wish"},
    ]  # fmt: skip
    land("partner_requests", [claim | row for row in unreadable], "2021-03-24")
    settle_next("2021-03-24", [])
    answers = "SELECT request_id, outcome, reason_code, answered_on::VARCHAR FROM partner_requests ORDER BY 1"
    day = ("day", "refused", "REQREAD", "2021-03-24")
    assert ask(answers) == [("comma", *day[1:]), day]
    [set_aside] = [row["quarantine_id"] for row in operations.quarantined() if "1.250,00" in row["delivered"]]
    operations.release_row(set_aside, {"requested": "1250.00"}, "anna")
    settle_next("2021-03-25", [])
    assert ask(answers) == [("comma", "refused", "COOPWIN", "2021-03-25"), day]
    assert replays.replay(date(2021, 3, 25))["differing"] == []
