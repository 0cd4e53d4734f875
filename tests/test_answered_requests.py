"""What partners ask for is answered: by what it is, for which program, by whom, and with what it must say."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import pytest

import rulebook
from transforms.answered_requests import NEEDED, answered_requests

ASKED = dict.fromkeys(sorted({name for names in NEEDED.values() for name in names})) | {
    "request_id": "r1", "requested_by": "Pat@Contoso.example", "partner_id": "1000001", "program": "*",
    "request_kind": "complete_set_up", "requested_minor": pd.NA, "claimed_by": None, "claimed_in": None,
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


ENROLMENT = {
    "program": "csp-indirect-reseller", "partner_id": "1000001", "valid_from": pd.Timestamp("2021-03-01"), "valid_to": pd.NaT,
    "enrolment_status": "invited", "is_enrolled": False, "reason_code": "ENRASK",
}  # fmt: skip
ENROL = {"request_kind": "enrol", "program": "csp-indirect-reseller"}
PAYOUT = {"request_kind": "payout"}
DISPUTE = {"request_kind": "dispute", "subject": "claim"}
FOR_RESELLERS = {"program": "csp-indirect-reseller", "claimed_by": "1000001", "claimed_in": "csp-indirect-reseller"}
ASSIGN = {"request_kind": "assign_role", "user_email": "kim@contoso.example", "role": "incentives_user"}
REMOVE = {"request_kind": "remove_role", "user_email": "pat@contoso.example"}
ACCOUNT = {
    "request_kind": "payee_profile", "account_holder": "Pat", "iban": "DE89370400440532013000", "payout_currency": "EUR",
}  # fmt: skip
ASSOCIATE = {
    "request_kind": "association_claim", "subject": "c1", "product_family": "azure", "association": "cpor",
}  # fmt: skip


def answers(
    asked: list[dict], *, users: Sequence[dict] = (ROLE,), enrolment: dict | None = None, funds: Sequence[dict] = ({},)
) -> list[str | None]:
    """The reason against each of a day's requests r1, r2 …, None for one that is accepted; a payout is due to r1 alone."""
    rows = [ASKED | {"request_id": f"r{number}"} | row for number, row in enumerate(asked, 1)]
    held = [FUND | {"request_id": f"r{number}"} | fund for number, fund in enumerate(funds, 1)]
    found = answered_requests(
        pd.DataFrame(rows).astype({"requested_minor": "Int64", "role": "category"}),
        pd.DataFrame(users),
        pd.DataFrame([ENROLMENT | (enrolment or {})]).astype({"is_enrolled": "boolean"}),
        pd.DataFrame({"request_id": ["r1"]}),
        pd.DataFrame(held).astype({"requested_minor": "Int64"}),
        rulebook.programs(),
        date(2021, 3, 23),
    )
    reasons = found["reason_code"].astype("object").where(found["reason_code"].notna(), None)
    assert found["outcome"].tolist() == ["refused" if reason else "accepted" for reason in reasons]
    return reasons.tolist()


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
        (PAYOUT, {}, None),
        (PAYOUT | {"request_id": "r2"}, {}, "REQDUE"),
        (ASSOCIATE, {"role": "incentives_user"}, None),
        (ASSOCIATE | {"association": "reseller"}, {}, "REQASSOC"),
        (DISPUTE, {}, None),
        (DISPUTE | {"claimed_by": "1000001"}, {}, None),
        (DISPUTE | {"claimed_by": "1000002"}, {}, "REQCLAIM"),
        (DISPUTE | {"claimed_by": "1000001", "claimed_in": "csp-indirect-reseller"}, {}, None),
        (DISPUTE | FOR_RESELLERS, {}, None),
        (DISPUTE | FOR_RESELLERS | {"claimed_in": "csp-direct-bill"}, {}, "REQCLAIM"),
        ({"request_kind": "certification", "subject": "cloud_platform"}, {}, None),
        ({"request_kind": "certification", "subject": "dancing"}, {}, "REQCERT"),
        (ASSIGN, {}, None),
        (ASSIGN, {"role": "incentives_user"}, "REQROLE"),
        (ASSIGN | {"user_email": None}, {}, "REQFIELD"),
        (ACCOUNT, {}, None),
        (ACCOUNT | {"account_holder": "株式会社"}, {}, None),
        (ACCOUNT | {"account_holder": "\u2603 -"}, {}, "REQFIELD"),
        (ASSIGN | {"user_email": "kim"}, {}, "REQMAIL"),
        (ASSIGN | {"user_email": "kim@contoso.example, lee@contoso.example"}, {}, "REQMAIL"),
        (ASSIGN | {"user_email": "zoë@contoso.example"}, {}, None),
        (ASSIGN | {"user_email": "Pat@contoso.example"}, {}, "REQLAST"),
        (REMOVE, {}, "REQLAST"),
        (REMOVE | {"user_email": "kim@contoso.example"}, {}, "REQUSER"),
        (ENROL, {}, None),
        (ENROL, {"role": "incentives_user"}, "REQROLE"),
        (ENROL | {"program": "*"}, {}, "REQPROG"),
        (ENROL | {"program": "csp-customer-add"}, {}, "REQINVT"),
    ],
)
def test_a_request_is_accepted_or_refused_with_its_reason(asked, role, reason):
    assert answers([asked], users=[ROLE | role]) == [reason]


@pytest.mark.parametrize(
    ("enrolment", "reason"),
    [
        ({}, None),
        ({"enrolment_status": "inactive", "reason_code": "ENRLAPSE"}, None),
        ({"enrolment_status": "inactive", "reason_code": "ENREND"}, None),
        ({"enrolment_status": "inactive", "reason_code": "ENRNONE"}, "REQINVT"),
        ({"enrolment_status": "inactive", "reason_code": "UNKENROL", "is_enrolled": None}, "REQINVT"),
        ({"enrolment_status": "discontinued", "reason_code": "ENROVER"}, "REQINVT"),
        ({"enrolment_status": "ineligible", "reason_code": "IVDCOMP"}, "REQELIG"),
        ({"enrolment_status": "ineligible", "reason_code": "IVDCOMP", "is_enrolled": True}, "REQTWICE"),
        ({"enrolment_status": "enrolled", "reason_code": None, "is_enrolled": True}, "REQTWICE"),
        ({"valid_from": pd.Timestamp("2021-03-24")}, "REQINVT"),
        ({"valid_to": pd.Timestamp("2021-03-23")}, "REQINVT"),
    ],
)
def test_who_may_enrol_depends_on_how_the_enrolment_stands(enrolment, reason):
    assert answers([ENROL], enrolment=enrolment) == [reason]


def change(name: str, said: str | None = "incentives_admin", **asked: str) -> dict:
    """A request to assign a role, or to remove it."""
    kind = "assign_role" if said else "remove_role"
    return {"request_kind": kind, "user_email": f"{name}@contoso.example", "role": said} | asked


@pytest.mark.parametrize(
    ("asked", "reasons"),
    [
        ([change(name, None) for name in ("pat", "kim", "lee")], [None, None, "REQLAST"]),
        ([change("pat", None), change("kim", None), change("lee", "incentives_user"), change("lee", None)], [None, None, "REQLAST", "REQLAST"]),
        ([change("pat", None), change("kim", None), change("sam"), change("lee", None)], [None] * 4),
        ([change("pat", None), change("kim", None), change("lee", None), change("sam"), change("lee", None)], [None, None, "REQLAST", None, None]),
        ([change("Sam"), change("sam", None), change("sam", None)], [None, None, "REQUSER"]),
        ([change("pat", None), change("pat", None), change("kim", None)], [None, "REQUSER", None]),
        ([change(name, None, requested_by="ola@x.example") for name in ("pat", "kim", "lee")] + [change("lee", None)], ["REQROLE"] * 3 + [None]),
    ],
)  # fmt: skip
def test_the_last_admin_of_a_location_stays_whatever_is_asked_at_once(asked, reasons):
    users = [ROLE | {"user_email": f"{name}@contoso.example"} for name in ("pat", "kim", "lee")]
    assert answers(asked, users=users) == reasons
    other = [request | {"partner_id": "1000002"} for request in asked]
    elsewhere = [user | {"partner_id": "1000002"} for user in users]
    assert answers([row for pair in zip(asked, other, strict=True) for row in pair], users=users + elsewhere) == [
        reason for reason in reasons for _ in (1, 2)
    ]


def test_what_is_refused_does_not_count_against_what_is_asked_later():
    stranger = ENROL | {"requested_by": "ola@x.example"}
    assert answers([stranger, ENROL, ENROL]) == ["REQROLE", None, "REQTWICE"]
    unmet = {"enrolment_status": "ineligible", "reason_code": "IVDCOMP"}
    assert answers([ENROL, ENROL], enrolment=unmet) == ["REQELIG", "REQELIG"]
    of_stranger = CLAIM | {"requested_by": "ola@x.example"}
    assert answers([of_stranger, CLAIM], funds=[{"requested_minor": 500_000}] * 2) == ["REQROLE", None]
    assert answers([CLAIM | {"requested_minor": None}], funds=[{"requested_minor": None}]) == ["REQFIELD"]
