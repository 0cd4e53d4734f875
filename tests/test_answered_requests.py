"""What partners ask for is answered: by what it is, for which program, by whom, and with what it must say."""

from datetime import date

import pandas as pd
import pytest

import rulebook
from transforms import answered_requests
from transforms.answered_requests import NEEDED

ASKED = dict.fromkeys(sorted({name for names in NEEDED.values() for name in names})) | {
    "request_id": "r1", "requested_by": "Pat@Contoso.example", "partner_id": "1000001", "program": "*",
    "request_kind": "complete_set_up", "requested_minor": pd.NA,
}  # fmt: skip
CLAIM = {
    "request_kind": "coop_claim", "program": "csp-indirect-reseller", "activity_type": "event", "requested_minor": 5000,
    "currency": "USD", "occurred_on": date(2021, 2, 1),
}  # fmt: skip
FUND = {
    "request_id": "r1", "requested_at": pd.Timestamp("2021-03-01"), "partner_id": "1000001", "program": "csp-indirect-reseller",
    "half_from": pd.Timestamp("2020-07-01"), "currency": "USD", "activity_type": "event", "requested_minor": 5000,
    "is_in_time": True, "minimum_minor": 400_000, "program_total_minor": 500_000, "accrued_minor": 500_000,
    "program_accrued_minor": 500_000, "claimed_minor": 0, "claimed_alike_minor": 0,
}  # fmt: skip
ROLE = {"user_email": "pat@contoso.example", "role": "incentives_admin", "partner_id": "1000001", "program": "*"}


@pytest.fixture
def answer(monkeypatch):
    """The outcome and reason code of one request of one user, every kind being served."""
    monkeypatch.setattr(answered_requests, "SERVED", ("complete_set_up", *NEEDED))

    def made(asked: dict, role: dict) -> tuple:
        rows = pd.DataFrame([ASKED | asked]).astype({"requested_minor": "Int64"})
        found = answered_requests.answered_requests(
            rows, pd.DataFrame([ROLE | role]), pd.DataFrame([FUND]), rulebook.programs(), date(2021, 3, 23)
        )
        return found["outcome"].iloc[0], found["reason_code"].fillna("").iloc[0]

    return made


@pytest.mark.parametrize(
    ("asked", "role", "reason"),
    [
        ({}, {}, None),
        (CLAIM, {}, None),
        (CLAIM, {"role": "incentives_user"}, None),
        (CLAIM, {"program": "csp-indirect-reseller"}, None),
        ({}, {"role": "incentives_user"}, "REQROLE"),
        ({}, {"user_email": "kim@contoso.example"}, "REQROLE"),
        ({}, {"partner_id": "1000002"}, "REQROLE"),
        ({}, {"program": "csp-indirect-reseller"}, "REQROLE"),
        (CLAIM, {"program": "csp-direct-bill"}, "REQROLE"),
        ({"program": "csp-unheard-of"}, {}, "REQPROG"),
        (CLAIM | {"program": "*"}, {}, "REQPROG"),
        (CLAIM | {"requested_minor": 0}, {}, "REQFIELD"),
        (CLAIM | {"occurred_on": None}, {}, "REQFIELD"),
        ({"request_kind": "payout"}, {}, "REQKIND"),
    ],
)
def test_a_request_is_accepted_or_refused_with_its_reason(answer, asked, role, reason):
    assert answer(asked, role) == ("refused" if reason else "accepted", reason or "")


def test_what_leads_to_nothing_is_not_accepted():
    rows = pd.DataFrame([ASKED | {"request_kind": "enrol"}]).astype({"requested_minor": "Int64"})
    found = answered_requests.answered_requests(
        rows, pd.DataFrame([ROLE]), pd.DataFrame([FUND]), rulebook.programs(), date(2021, 3, 23)
    )
    assert list(found["reason_code"]) == ["REQKIND"]
