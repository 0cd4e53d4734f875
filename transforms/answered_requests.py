"""The answers to what partners ask for: accepted, or refused with a reason."""

from datetime import date

import pandas as pd
from schwifty import IBAN

from transforms.claimed import claim_faults
from transforms.enrol_requests import enrol_faults
from transforms.programs import Program, active
from transforms.role_changes import role_faults

FOR_ADMINS_ONLY = (  # Partner Center, permissions overview: claims may be made by users too
    "complete_set_up", "assign_role", "remove_role", "enrol", "certification", "payee_profile", "hold_payment",
    "release_payment", "dispute", "payout",
)  # fmt: skip
ALL_PROGRAMS = "*"
NEEDED = {  # what a request of a kind must say
    "assign_role": ["user_email", "role"],
    "remove_role": ["user_email"],
    "certification": ["subject"],
    "payee_profile": ["account_holder", "iban", "payout_currency"],
    "coop_claim": ["activity_type", "requested_minor", "currency", "occurred_on"],
    "dispute": ["subject"],
    "association_claim": ["subject", "product_family", "association"],
}
WORD = r"""[^@\s,;<>()"]+"""
ONE_PROGRAM = ("enrol", "coop_claim")


def answered_requests(
    open_requests: pd.DataFrame,
    users: pd.DataFrame,
    enrolments_asked_for: pd.DataFrame,
    payouts_due: pd.DataFrame,
    claimable: pd.DataFrame,
    programs: list[Program],
    run_date: date,
) -> pd.DataFrame:
    """The answer to each open request: refused with the first reason against it, else accepted.

    A request that is refused for itself does not count against others of the day.
    """
    reason_code = _first(_faults(open_requests, users, payouts_due, programs), open_requests)
    sound = open_requests[reason_code.isna()]
    of_kind = {kind: sound[sound["request_kind"] == kind] for kind in ("enrol", "coop_claim")}
    changes = sound[sound["request_kind"].isin(["assign_role", "remove_role"])]
    among_others = {
        **role_faults(changes, users),
        **enrol_faults(of_kind["enrol"], enrolments_asked_for, run_date),
        **claim_faults(of_kind["coop_claim"], claimable, programs),
    }
    reason_code = reason_code.fillna(_first(among_others, open_requests))
    outcome = reason_code.isna().map({True: "accepted", False: "refused"})
    named = open_requests[["request_id", "partner_id", "program", "request_kind"]]
    return named.assign(outcome=outcome, reason_code=reason_code, answered_on=pd.Timestamp(run_date))


def _faults(
    requests: pd.DataFrame, users: pd.DataFrame, payouts_due: pd.DataFrame, programs: list[Program]
) -> dict[str, pd.Series]:
    """Reason code → whether it speaks against each request, whatever else is asked for."""
    kind = requests["request_kind"]
    return {
        "REQPROG": ~_is_known(requests, programs),
        "REQROLE": ~_may_ask(requests, users),
        "REQFIELD": _lacks(requests),
        "REQMAIL": _names_no_address(requests),
        "REQIBAN": _has_no_account(requests),
        "REQCERT": _names_no_certification(requests, programs),
        "REQASSOC": (kind == "association_claim") & (requests["association"] == "reseller"),
        "REQCLAIM": (kind == "dispute") & _is_of_others(requests),
        "REQDUE": (kind == "payout") & ~requests["request_id"].isin(payouts_due["request_id"]),
    }


def _first(reasons: dict[str, pd.Series], requests: pd.DataFrame) -> pd.Series:
    """The first reason against each request, missing where none is."""
    reason_code = pd.Series(None, index=requests.index, dtype="object")
    for code, found in reasons.items():
        applies = found.reindex(requests.index, fill_value=False).fillna(False).astype(bool)
        reason_code = reason_code.mask(reason_code.isna() & applies, code)
    return reason_code


def _is_known(requests: pd.DataFrame, programs: list[Program]) -> pd.Series:
    """Whether the program of each request exists; all programs at once only where that makes sense."""
    named = requests["program"].isin([program.program for program in active(programs)])
    return named | ((requests["program"] == ALL_PROGRAMS) & ~requests["request_kind"].isin(ONE_PROGRAM))


def _may_ask(requests: pd.DataFrame, users: pd.DataFrame) -> pd.Series:
    """Whether the user has a role at the location, in the program or in all, that may ask for this."""
    roles = users[["user_email", "partner_id", "program", "role"]].astype("str")
    asked = requests[["request_id", "requested_by", "partner_id", "program", "request_kind"]].astype("str")
    asked = asked.assign(user_email=asked["requested_by"].str.lower())
    held = asked.merge(roles.drop_duplicates(), on=["user_email", "partner_id"], suffixes=("", "_held"))
    covers = (held["program_held"] == held["program"]) | (held["program_held"] == ALL_PROGRAMS)
    admin = (held["role"] == "incentives_admin") | ~held["request_kind"].isin(FOR_ADMINS_ONLY)
    return requests["request_id"].isin(held.loc[covers & admin, "request_id"])


def _is_of_others(requests: pd.DataFrame) -> pd.Series:
    """Whether what is in dispute is another location's claim, or one to a fund of a program that the request is not of."""
    elsewhere = requests["claimed_by"].notna() & (requests["claimed_by"] != requests["partner_id"])
    asked = requests["program"].astype("str")
    return elsewhere | (
        requests["claimed_in"].notna() & ~asked.isin([ALL_PROGRAMS]) & (requests["claimed_in"] != asked)
    )


def _names_no_address(requests: pd.DataFrame) -> pd.Series:
    """Whether a request gives a role to what is no e-mail address, or several."""
    is_address = requests["user_email"].astype("str").str.fullmatch(rf"{WORD}@{WORD}\.{WORD}")
    return (requests["request_kind"] == "assign_role") & ~is_address.eq(True)


def _has_no_account(requests: pd.DataFrame) -> pd.Series:
    """Whether a request names a bank account that cannot be, by the IBAN's structure or check digits."""
    named = requests["request_kind"] == "payee_profile"
    known = {text: is_iban(text) for text in requests.loc[named, "iban"].dropna().unique()}
    return named & ~requests["iban"].map(known).eq(True)


def is_iban(text: str) -> bool:
    """Whether a text can be a bank account, by an IBAN's structure and check digits."""
    return IBAN(text, allow_invalid=True).is_valid


def _names_no_certification(requests: pd.DataFrame, programs: list[Program]) -> pd.Series:
    """Whether a request signs up for what no active program asks for as a competency."""
    listed = {
        name
        for program in active(programs)
        for criteria in program.eligibility.criteria.values()
        for criterion in criteria
        if criterion.criterion == "competency" and criterion.any_of
        for names in criterion.any_of.values.values()
        for name in names or ()
    }
    return (requests["request_kind"] == "certification") & ~requests["subject"].isin(listed)


def _lacks(requests: pd.DataFrame) -> pd.Series:
    """Whether a request leaves out what its kind must say, claims nothing above zero, or names a holder without a letter."""
    lacks = (requests["request_kind"] == "coop_claim") & (requests["requested_minor"] <= 0).fillna(False)
    has_letter = requests["account_holder"].astype("str").str.contains(r"[^\W_]")
    lacks |= (requests["request_kind"] == "payee_profile") & ~has_letter
    for kind, columns in NEEDED.items():
        lacks |= (requests["request_kind"] == kind) & requests[columns].isna().any(axis=1)
    return lacks.astype(bool)
