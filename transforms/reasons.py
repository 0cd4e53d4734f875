"""Why a partner or a line earns nothing: codes in the style of Partner Center's ineligibility report.

Codes that Partner Center has keep their name and meaning (Earnings and revenue, October 2023); the others are ours.
"""

from typing import Literal, NamedTuple

import pandas as pd

Kind = Literal["ineligible", "undecided"]


class Reason(NamedTuple):
    """A reason in words, whether the partner can act, and what it can do."""

    kind: Kind
    text: str
    partner_can_act: bool
    what_to_do: str


REASONS: dict[str, Reason] = {
    "IVDRSLR": Reason("ineligible", "Partner is not active as a reseller", True, "Ask support why the reseller status is not active."),
    "IVDMPN": Reason("ineligible", "No partner network agreement in force", True, "Sign or renew the partner network agreement."),
    "IVDMCDA": Reason("ineligible", "No cloud distributor agreement in force", True, "Sign or renew the cloud distributor agreement."),
    "IVDMCRA": Reason("ineligible", "No reseller agreement in force", True, "Sign or renew the reseller agreement."),
    "IVDMPA": Reason("ineligible", "MPA agreement not signed or expired", True, "Sign the Microsoft Partner Agreement."),
    "IVDCOMP": Reason("ineligible", "Competency status not met or expired", True, "Attain or renew one of the listed competencies."),
    "IVDGEO": Reason("ineligible", "Partner location and tenant are in different countries", False, ""),
    "IVDPAYEE": Reason("ineligible", "Bank or tax profile not validated", True, "Complete the bank and tax profiles."),
    "IVDTTM": Reason("ineligible", "Revenue of the trailing twelve months below the figure required", True, "Sell more; it is looked at every day."),
    "IVDINVT": Reason("ineligible", "Not invited to or enrolled in the program", True, "Make a first sale, or enrol where you are invited."),
    "CUSEQPTR": Reason("ineligible", "Partner is customer", False, ""),
    "NOLEVER": Reason("ineligible", "No rule of the program pays for this product, customer or date", False, ""),
    "UNKAGR": Reason("undecided", "No agreement data has been delivered", False, ""),
    "UNKCOMP": Reason("undecided", "No competency data has been delivered", False, ""),
    "UNKPAYEE": Reason("undecided", "No payee profile has been delivered", False, ""),
    "UNKENROL": Reason("undecided", "No enrolment data has been delivered", False, ""),
    "UNKTTM": Reason("undecided", "Less than the whole period of revenue is known", False, ""),
    "UNKPTR": Reason("undecided", "Partner is not in the partner data", True, "Ask support to correct the partner id."),
    "UNKATTR": Reason("undecided", "A rule needs a fact of the product or customer that is not known", False, ""),
    "UNKFX": Reason("undecided", "No exchange rate for the currency and month", False, ""),
    "UNKREV": Reason("undecided", "The line that this refund reverses is not known", False, ""),
}  # fmt: skip
AGREEMENT_REASON = {"mpn": "IVDMPN", "cloud_distributor": "IVDMCDA", "reseller": "IVDMCRA", "mpa": "IVDMPA"}


def reasons() -> pd.DataFrame:
    """Every reason as a table: code, text, whether the partner can act, what to do."""
    return pd.DataFrame(
        [(code, r.kind, r.text, r.partner_can_act, r.what_to_do) for code, r in REASONS.items()],
        columns=["reason_code", "kind", "reason", "partner_can_act", "what_to_do"],
    )
