"""What partners ask for leads to something: roles, enrolment, claims to customers; and what does not says why."""

from datetime import date

import pytest

import monitoring
import pipeline
from tests.deliveries import DAY, WORLD, accepted_before, ask, land, land_world
from warehouse import requested, store

pytestmark = pytest.mark.usefixtures("one_program")
NEXT, AFTER, LAST = "2021-03-24", "2021-03-25", "2021-03-26"
KIM = {"user_email": "Kim@contoso.example", "role": "incentives_admin"}
SAM = {"user_email": "sam@contoso.example", "role": "incentives_admin"}
ENROL = {"request_kind": "enrol", "program": "csp-indirect-reseller"}
CLAIM = {"request_kind": "association_claim", "subject": "c1", "product_family": "azure", "association": "cpor"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A reseller that sold, and was invited by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def requests(day: str, **asked: dict) -> dict[str, str | None]:
    """Settle a day on which partner 1000001 asks for things; the answer to each."""
    rows = [{"request_id": name, "partner_id": "1000001"} | row for name, row in asked.items()]
    land("partner_requests", rows, day)
    land("agreements", WORLD["agreements"], day)
    land("transactions", [], day)
    pipeline.run()
    return dict(ask(f"SELECT request_id, reason_code FROM partner_requests WHERE answered_on = DATE '{day}'"))


def test_a_partner_comes_aboard_by_what_it_asks_for(home, one_program):
    with (one_program / "csp-indirect-reseller.yaml").open("a") as file:
        file.write("\nassociation: {precedence: [cpor, reseller], opt_out_days: {cpor: 7}}\n")
    land_world(enrolments=[])
    land("transactions", [{"transaction_id": "t1"}])
    pipeline.run()
    standing = "SELECT enrolment_status, valid_from::VARCHAR, reason_code, evidence FROM enrolments WHERE program = 'csp-indirect-reseller'"
    assert ask(standing) == [("invited", DAY, "ENRASK", f"invited on {DAY} by transaction t1")]
    assert ask("SELECT count(*) FROM earnings_ledger") == [(0,)]

    assert requests(
        NEXT,
        set_up={},
        kim={"request_kind": "assign_role", **KIM},
        enrol=ENROL,
        enrol_again=ENROL,
        course={"request_kind": "certification", "subject": "cloud_platform"},
        dance={"request_kind": "certification", "subject": "dancing"},
        pay={"request_kind": "payout"},
        claim=CLAIM,
        record=CLAIM | {"association": "reseller"},
        sam={"request_kind": "assign_role", **SAM},
        sam_out={"request_kind": "remove_role", **SAM},
        nobody={"request_kind": "remove_role", "user_email": "lee@contoso.example"},
        last={"request_kind": "remove_role", "user_email": "pat@contoso.example", "requested_at": f"{DAY}T07:00:00Z"},
    ) == {
        "set_up": None, "kim": None, "enrol": None, "enrol_again": "REQTWICE", "course": None, "dance": "REQCERT", "pay": "REQDUE",
        "claim": None, "record": "REQASSOC", "sam": None, "sam_out": None, "nobody": "REQUSER", "last": "REQLAST",
    }  # fmt: skip
    assert ask(standing) == [("enrolled", NEXT, None, f"enrolled by request enrol of {NEXT}")]
    earned = "SELECT earning_type, amount, cause FROM earnings_ledger ORDER BY 1 DESC"
    assert [(kind, float(sum_)) for kind, sum_, _ in ask(earned)] == [("rebate", 2.4), ("coop", 1.6)]
    roles = "SELECT user_email, role, set_up_on::VARCHAR FROM users WHERE partner_id = '1000001' ORDER BY 1"
    kim, pat = ("kim@contoso.example", "incentives_admin", NEXT), ("pat@contoso.example", "incentives_admin", NEXT)
    assert ask(roles) == [kim, pat]

    land("request_reviews", [REVIEW], AFTER)
    by_kim = {"requested_by": "kim@contoso.example"}
    assert requests(
        AFTER,
        out={"request_kind": "remove_role", "user_email": "PAT@contoso.example", **by_kim},
        without={"request_kind": "remove_role", "user_email": "kim@contoso.example", **by_kim},
        twice=ENROL | by_kim,
        lapsed={"request_kind": "complete_set_up", "requested_by": "lee@contoso.example"},
    ) == {"out": None, "without": "REQLAST", "twice": "REQTWICE", "lapsed": "REQROLE"}
    assert ask(roles) == [kim]
    claimed = "SELECT claim_id, association, reason_code FROM associations WHERE program = 'csp-indirect-reseller' ORDER BY valid_from"
    assert ask(claimed) == [("claim", "cpor", "CLMWAIT"), ("claim", "cpor", None)]
    told = {alert["key"]: alert["message"] for alert in monitoring.alerts() if alert["condition"] == "partner asks"}
    assert told == {
        "partner asks:course": "partner [1000001] asks for a certification in [cloud_platform], request [course]."
    }

    land(
        "request_reviews",
        [REVIEW | {"review_id": "v2", "reviewed_at": f"{LAST}T09:00:00Z", "review_outcome": "rejected"}],
        LAST,
    )
    land(
        "users",
        [
            {"partner_id": "1000001", "role": "incentives_user"},
            {"partner_id": "2000001", "user_email": "lee@fabrikam.example"},
        ],
        LAST,
    )  # newer than the request that took the role
    assert requests(
        LAST,
        again=ENROL | {"requested_by": "pat@contoso.example"},
        foreign=DISPUTE | {"partner_id": "2000001", "requested_by": "lee@fabrikam.example"},
    ) == {"again": "REQROLE", "foreign": "REQCLAIM"}
    assert ask(roles) == [kim, ("pat@contoso.example", "incentives_user", NEXT)]
    assert ask(claimed) == [("claim", "cpor", "CLMOPEN")]
    accepted_before("foreign")
    with store.warehouse() as con:
        requested.open_requested(con, date(2021, 3, 27))
        assert con.sql("SELECT claim_status FROM claims_now").fetchall() == [("rejected",)]
        con.execute("UPDATE derived.answered_requests SET partner_id = '1000001' WHERE request_id = 'foreign'")
        assert con.sql("SELECT claim_status FROM claims_now").fetchall() == [("disputed",)]


DISPUTE = {"request_kind": "dispute", "subject": "claim", "requested_at": f"{LAST}T10:00:00Z"}
REVIEW = {
    "review_id": "v1", "request_id": "claim", "reviewed_at": f"{AFTER}T09:00:00Z", "reviewed_by": "anna",
    "review_outcome": "approved",
}  # fmt: skip
