"""Requests that change the roles of users: what speaks against them."""

import pandas as pd

ROLE = ["user_email", "partner_id", "program"]
ADMIN = "incentives_admin"


def role_faults(requests: pd.DataFrame, users: pd.DataFrame) -> dict[str, pd.Series]:
    """Reason code → whether it speaks against each request to assign or remove a role.

    A role that nobody has cannot be removed, and a location keeps an incentives admin: the day's requests count in the
    order in which they were made.
    """
    asked = requests[[*ROLE, "role", "request_kind"]].astype("str").assign(user_email=_email(requests["user_email"]))
    roles = users[[*ROLE, "role"]].astype("str").assign(user_email=_email(users["user_email"]))
    held = asked[ROLE].merge(roles.drop_duplicates(ROLE), on=ROLE, how="left")["role"].set_axis(requests.index)
    admins = roles[roles["role"] == ADMIN].groupby("partner_id").size()
    is_removal = asked["request_kind"] == "remove_role"
    loses = (held == ADMIN) & (is_removal | (asked["role"] != ADMIN))
    before = admins.reindex(asked["partner_id"]).fillna(0).to_numpy("int64")
    left = before - loses.astype("int64").groupby(asked["partner_id"]).cumsum()
    return {"REQUSER": is_removal & held.isna(), "REQLAST": loses & (left < 1)}


def _email(emails: pd.Series) -> pd.Series:
    return emails.astype("str").str.lower()
