"""Requests to enrol: how the enrolments stand that are asked for, and what speaks against them."""

from datetime import date

import pandas as pd

from transforms.enrolments import enrolments
from transforms.programs import Program
from transforms.validity import OPEN

PAIR = ["program", "partner_id"]
UNINVITED = ("ENRNONE", "UNKENROL", "ENROVER")


def enrolments_asked_for(
    open_requests: pd.DataFrame,
    requirements: pd.DataFrame,
    partners: pd.DataFrame,
    enrolment_states: pd.DataFrame,
    enrol_requests: pd.DataFrame,
    invited: pd.DataFrame,
    invitations: pd.DataFrame,
    payee_profiles: pd.DataFrame,
    delivered_feeds: pd.DataFrame,
    programs: list[Program],
) -> pd.DataFrame:
    """The enrolments of partners that ask to enrol, as they stand before the day's answers."""
    askers = open_requests.loc[open_requests["request_kind"] == "enrol", "partner_id"]
    return enrolments(
        requirements[requirements["partner_id"].isin(askers)],
        partners[partners["partner_id"].isin(askers)],
        enrolment_states,
        enrol_requests,
        enrol_requests[:0].assign(request_kind="", outcome=""),
        invited,
        invitations,
        payee_profiles,
        delivered_feeds,
        programs,
    )


def enrol_faults(requests: pd.DataFrame, enrolments_asked_for: pd.DataFrame, day: date) -> dict[str, pd.Series]:
    """Reason code → whether it speaks against each request to enrol, by how the enrolment stands on the day."""
    on = pd.Timestamp(day)
    standing = enrolments_asked_for.astype(dict.fromkeys(PAIR, "str"))
    today = standing[(standing["valid_from"] <= on) & (standing["valid_to"].fillna(OPEN) > on)]
    asked = requests[PAIR].astype("str").merge(today, on=PAIR, how="left").set_axis(requests.index)
    is_enrolled = asked["is_enrolled"].fillna(False).astype(bool)
    is_uninvited = asked["enrolment_status"].isna() | asked["reason_code"].isin(UNINVITED)
    is_ineligible = asked["enrolment_status"].eq("ineligible").fillna(False).astype(bool)
    is_again = asked.duplicated(PAIR) & ~is_uninvited & ~is_ineligible  # what is refused for these is so each time
    return {"REQTWICE": is_enrolled | is_again, "REQINVT": is_uninvited, "REQELIG": is_ineligible}
