"""Invitations: who is to be asked into a program, once for ever."""

from datetime import date

import pandas as pd

from transforms.programs import Program, active


def invitations(
    first_transactions: pd.DataFrame,
    partners: pd.DataFrame,
    invited: pd.DataFrame,
    programs: list[Program],
    run_date: date,
) -> pd.DataFrame:
    """The invitations that became due: for each partner whose first accepted transaction makes one and who has none."""
    made = [
        _first_sales(first_transactions, partners, program)
        for program in active(programs)
        if program.enrolment and program.enrolment.invite_on == "first_transaction"
    ]
    nobody = first_transactions[:0].assign(program="", invited_on=first_transactions["transaction_on"][:0])
    due = pd.concat(made or [nobody], ignore_index=True)
    known = pd.MultiIndex.from_frame(invited[["program", "partner_id"]])
    fresh = ~pd.MultiIndex.from_frame(due[["program", "partner_id"]]).isin(known)
    return due[fresh].assign(posted_on=pd.Timestamp(run_date))


def _first_sales(first_transactions: pd.DataFrame, partners: pd.DataFrame, program: Program) -> pd.DataFrame:
    listed = partners.loc[
        partners["valid_to"].isna() & partners["partner_type"].isin(program.partner_types), "partner_id"
    ]
    first = first_transactions[first_transactions["partner_id"].isin(listed)]
    return first.assign(program=program.program, invited_on=first["transaction_on"])
