"""Invitations: who is to be asked into a program, once for ever."""

from datetime import date

import pandas as pd

from transforms.programs import Program, active
from transforms.requirements import MET, NOT_APPLICABLE, PROFILE

INVITATION = ["program", "partner_id", "transaction_id"]


def program_invitations(programs: list[Program]) -> pd.DataFrame:
    """The programs that send invitations: to which partner types, and on what (`invite_on`)."""
    inviting = [
        p for p in active(programs) if p.enrolment and p.enrolment.invite_on in ("first_transaction", "eligible")
    ]
    return pd.DataFrame(
        [(p.program, p.partner_types, p.enrolment.invite_on) for p in inviting if p.enrolment],
        columns=["program", "partner_types", "invite_on"],
    )


def invitations(
    first_transactions: pd.DataFrame,
    partners: pd.DataFrame,
    requirements: pd.DataFrame,
    invited: pd.DataFrame,
    programs: list[Program],
    run_date: date,
) -> pd.DataFrame:
    """The invitations that became due on the day, of partners that had none: program, partner, the sale that invites.

    A program invites by the first accepted transaction, and then also a partner that was of another type before; or as
    soon as all requirements are met, profiles aside, which come after it.
    """
    made = [pd.DataFrame(columns=INVITATION, dtype="str")]
    for program in active(programs):
        invite_on = program.enrolment.invite_on if program.enrolment else None
        is_candidate = partners["valid_to"].isna() & partners["partner_type"].isin(program.partner_types)
        candidates = partners.loc[is_candidate, "partner_id"]
        if invite_on == "first_transaction":
            first = first_transactions[first_transactions["partner_id"].isin(candidates)]
            turned = pd.DataFrame({"partner_id": _turned(partners, candidates, program), "transaction_id": None})
            both = pd.concat([first, turned]).drop_duplicates("partner_id")
            made.append(both.assign(program=program.program)[INVITATION])
        elif invite_on == "eligible":
            meets = _meets(requirements, candidates, program, run_date)
            made.append(pd.DataFrame({"program": program.program, "partner_id": meets, "transaction_id": None}))
    due = pd.concat(made, ignore_index=True)
    known = pd.MultiIndex.from_frame(invited[["program", "partner_id"]].astype("str"))
    fresh = ~pd.MultiIndex.from_frame(due[["program", "partner_id"]].astype("str")).isin(known)
    return due[fresh].assign(invited_on=pd.Timestamp(run_date).as_unit("us"))


def _turned(partners: pd.DataFrame, candidates: pd.Series, program: Program) -> pd.Series:
    """Candidates that were of a type before which the program is not for."""
    others = partners.loc[~partners["partner_type"].isin(program.partner_types), "partner_id"]
    return candidates[candidates.isin(others)]


def _meets(requirements: pd.DataFrame, candidates: pd.Series, program: Program, day: date) -> pd.Series:
    """Candidates for which every criterion that applies on the day is met, profiles aside."""
    judged = requirements[(requirements["program"] == program.program) & (requirements["criterion"] != PROFILE)]
    on = pd.Timestamp(day)
    today = judged[(judged["valid_from"] <= on) & ~(judged["valid_to"] <= on)]
    short = today.loc[~today["status"].isin([MET, NOT_APPLICABLE]), "partner_id"]
    return candidates[~candidates.isin(short)]
