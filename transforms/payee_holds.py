"""Why payments to a partner wait, whatever they are for: the account, the profiles, or a hold that was asked for."""

from datetime import date

import numpy as np
import pandas as pd

from transforms.programs import Program, active

CHANGED_ACCOUNT_WAITS = pd.DateOffset(months=1)  # one cycle
PAYEE = ["partner_id", "program"]


def payee_holds(
    payees: pd.DataFrame, hold_requests: pd.DataFrame, programs: list[Program], cycle_on: date
) -> pd.DataFrame:
    """The first reason why a cycle pays a partner nothing in a program: `partner_id`, `program`, `reason_code`.

    Partners that can be paid have no row.
    """
    each = payees_by_program(payees, programs)
    changed = each["is_changed"].fillna(False).astype(bool)
    reasons = {
        "PAYHOLD": _is_held(each, hold_requests),
        "PAYACCT": each["request_id"].isna(),
        "PAYBANK": each["bank_status"].astype("str") != "approved",
        "PAYTAX": each["tax_status"].astype("str") != "approved",
        "PAYNEW": changed & (each["named_on"] > pd.Timestamp(cycle_on) - CHANGED_ACCOUNT_WAITS),
    }
    held = each[PAYEE].assign(reason_code=first_reason(reasons, each.index))
    return held[held["reason_code"].notna()].reset_index(drop=True)


def payees_by_program(payees: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """How each partner is paid in each program: by the account that it named for it, else by that for all (`*`)."""
    names = pd.DataFrame({"paid_in": [program.program for program in active(programs)]}, dtype="str")
    each = payees.astype(dict.fromkeys(PAYEE, "str")).merge(names, how="cross")
    fitting = each[(each["program"] == "*") | (each["program"] == each["paid_in"])]
    chosen = fitting.sort_values("program").drop_duplicates(["partner_id", "paid_in"], keep="last")  # `*` comes first
    return chosen.assign(program=chosen["paid_in"]).drop(columns="paid_in").reset_index(drop=True)


def first_reason(reasons: dict[str, pd.Series], index: pd.Index) -> pd.Series:
    """The first reason that applies to each row, none where none does."""
    found = [*(applies.fillna(False).astype(bool) for applies in reasons.values()), np.ones(len(index), bool)]
    return pd.Series(
        np.array([*reasons, None], dtype=object)[np.column_stack(found).argmax(axis=1)], index, dtype="object"
    )


def _is_held(each: pd.DataFrame, hold_requests: pd.DataFrame) -> pd.Series:
    """Whether the last request to hold or release a payee's payments, in its program or in all, is to hold them."""
    asked = hold_requests.astype(dict.fromkeys([*PAYEE, "request_kind"], "str"))
    named = each[PAYEE].merge(asked[asked["program"] != "*"], on=PAYEE)
    general = each[PAYEE].merge(asked[asked["program"] == "*"].drop(columns="program"), on="partner_id")
    last = pd.concat([named, general]).sort_values(["requested_at", "request_id"]).drop_duplicates(PAYEE, keep="last")
    held = last[last["request_kind"] == "hold_payment"][PAYEE]
    return each[PAYEE].merge(held.assign(held=True), how="left")["held"].notna().set_axis(each.index)
