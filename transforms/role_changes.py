"""Requests that change the roles of users: what speaks against them."""

from collections import Counter

import pandas as pd

ROLE = ["user_email", "partner_id", "program"]
ADMIN = "incentives_admin"
NOBODY = ""  # the role of who has none


def role_faults(requests: pd.DataFrame, users: pd.DataFrame) -> dict[str, pd.Series]:
    """Reason code → whether it speaks against each request to assign or remove a role.

    A role that nobody has cannot be removed, and a location keeps an incentives admin: the day's requests count in the
    order in which they were made, those that are refused not at all.
    """
    asked = _stated(requests, requests["role"].astype("str").where(requests["request_kind"] == "assign_role", NOBODY))
    mine = users[users["partner_id"].isin(requests["partner_id"])]
    held = {tuple(place): role for *place, role in _stated(mine, mine["role"]).itertuples(index=False)}
    admins = Counter(partner for (_, partner, _), role in held.items() if role == ADMIN)
    found = []
    for email, partner, program, role in asked.itertuples(index=False):
        before = held.get((email, partner, program), NOBODY)
        is_last = before == ADMIN and role != ADMIN and admins[partner] == 1
        if not is_last:
            held[email, partner, program] = role
            admins[partner] += (role == ADMIN) - (before == ADMIN)
        found.append((role == NOBODY and before == NOBODY, is_last))
    return dict(pd.DataFrame(found, columns=["REQUSER", "REQLAST"], index=requests.index, dtype=bool).items())


def _stated(rows: pd.DataFrame, role: pd.Series) -> pd.DataFrame:
    """Whose role where is said to be what."""
    named = rows[ROLE].astype("str")
    return named.assign(user_email=named["user_email"].str.lower(), role=role.astype("str"))
