"""Why a partner or a line earns nothing: codes in the style of Partner Center's ineligibility report.

Codes that Partner Center has keep their name and meaning (Earnings and revenue, October 2023); the others are ours.
"""

from typing import Literal, NamedTuple

import pandas as pd

Kind = Literal["ineligible", "undecided", "held"]
Stage = Literal["line", "reference", "fx", "eligibility"]


class Reason(NamedTuple):
    """A reason in words, whether the partner can act and what it can do, and which change could lift it.

    `lifted_by` is a stage of transforms/causes.py; `criterion` is the one that the reason speaks of.
    """

    kind: Kind
    text: str
    partner_can_act: bool
    what_to_do: str
    lifted_by: Stage = "eligibility"
    criterion: str = ""


REASONS: dict[str, Reason] = {
    "IVDRSLR": Reason("ineligible", "Partner is not active as a reseller", True, "Ask support why the reseller status is not active.", criterion="active_reseller"),
    "IVDMPN": Reason("ineligible", "No partner network agreement in force", True, "Sign or renew the partner network agreement.", criterion="active_agreement"),
    "IVDMCDA": Reason("ineligible", "No cloud distributor agreement in force", True, "Sign or renew the cloud distributor agreement.", criterion="active_agreement"),
    "IVDMCRA": Reason("ineligible", "No reseller agreement in force", True, "Sign or renew the reseller agreement.", criterion="active_agreement"),
    "IVDMPA": Reason("ineligible", "MPA agreement not signed or expired", True, "Sign the Microsoft Partner Agreement.", criterion="active_agreement"),
    "IVDCOMP": Reason("ineligible", "Competency status not met or expired", True, "Attain or renew one of the listed competencies.", criterion="competency"),
    "IVDGEO": Reason("ineligible", "Partner location and tenant are in different countries", False, "", criterion="same_country"),
    "IVDPAYEE": Reason("ineligible", "Bank or tax profile not validated", True, "Complete the bank and tax profiles.", criterion="payee_profile"),
    "IVDTTM": Reason("ineligible", "Revenue of the trailing twelve months below the figure required", True, "Sell more; it is looked at every day.", criterion="trailing_revenue"),
    "IVDINVT": Reason("ineligible", "Not enrolled in the program", True, "Enrol where you are invited.", criterion="enrolment"),
    "ENRNONE": Reason("ineligible", "Not invited to the program yet", False, "", criterion="enrolment"),
    "ENRASK": Reason("ineligible", "Invited to the program, not enrolled yet", True, "Enrol.", criterion="enrolment"),
    "ENRLAPSE": Reason("ineligible", "The invitation lapsed", True, "Enrol; sales earn from then on.", criterion="enrolment"),
    "ENREND": Reason("ineligible", "The enrolment has ended", True, "Enrol again.", criterion="enrolment"),
    "ENRCHECK": Reason("held", "Bank and tax profiles are being validated", False, "", criterion="enrolment"),
    "ENROVER": Reason("ineligible", "The program has ended", False, "", criterion="enrolment"),
    "CUSEQPTR": Reason("ineligible", "Partner is customer", False, "", "reference", "not_own_customer"),
    "CUSNOTNEW": Reason("ineligible", "Customer is not within the months in which a new customer earns", False, "", "reference"),
    "NOLEVER": Reason("ineligible", "No rule of the program pays for this product, customer or date", False, "", "reference"),
    "CLMOPEN": Reason("ineligible", "The claim to the customer's workload is not approved", True, "Complete the claim; a rejection can be disputed within 30 days.", "reference"),
    "CLMWAIT": Reason("ineligible", "The claim was not approved yet, or the customer could still opt out", False, "", "reference"),
    "CLMKEPT": Reason("ineligible", "Another claim to the customer's workload was approved earlier", True, "Ask the customer which partner it works with, and dispute the claim.", "reference"),
    "CLMRANK": Reason("ineligible", "An association that comes first in the program ties another claim to the workload", False, "", "reference"),
    "REQPROG": Reason("ineligible", "The program does not exist, or one program must be named", True, "Ask again and name one program."),
    "REQROLE": Reason("ineligible", "The user has no role at this location and in this program that may ask for it", True, "Let an incentives admin of the location ask."),
    "REQFIELD": Reason("ineligible", "The request leaves out what it must say", True, "Ask again and fill in every field."),
    "REQREAD": Reason("ineligible", "The request could not be read", True, "Ask again, and write amounts and dates as the form says."),
    "REQMAIL": Reason("ineligible", "This is not an e-mail address", True, "Ask again with the user's e-mail address."),
    "REQIBAN": Reason("ineligible", "The bank account number is not an IBAN", True, "Ask again with the IBAN that your bank gave you."),
    "REQCERT": Reason("ineligible", "No program asks for this certification", True, "Ask again and name a competency of the eligibility page."),
    "REQASSOC": Reason("ineligible", "The line itself says who its reseller is; that is not claimed", True, "Claim another association."),
    "REQCLAIM": Reason("ineligible", "The claim is another location's, or to another program's fund", True, "Ask again with the id of a claim of this location, for its program."),
    "REQDUE": Reason("ineligible", "Nothing is due to be paid", False, ""),
    "REQUSER": Reason("ineligible", "The user has no such role", True, "Ask again with the user's address, location and program."),
    "REQLAST": Reason("ineligible", "A location keeps an incentives admin, and this is its last", True, "Name another admin first."),
    "REQTWICE": Reason("ineligible", "The location is enrolled already, or asked twice", False, ""),
    "REQINVT": Reason("ineligible", "The location is not invited to the program", False, ""),
    "REQELIG": Reason("ineligible", "A requirement of the program is not met", True, "See the eligibility page, and ask again when all are met."),
    "COOPWIN": Reason("ineligible", "The activity or the claim lies outside the days of the fund", False, ""),
    "COOPNONE": Reason("ineligible", "There is no co-op fund in this currency, or it is below the minimum", False, ""),
    "COOPCAP": Reason("ineligible", "More than this kind of activity may take of the fund", True, "Claim less, or for another activity."),
    "COOPFUND": Reason("ineligible", "More than is left in the fund", True, "Claim what is left."),
    "PAYNEG": Reason("held", "The balance is not above zero; later earnings make up for it", False, ""),
    "PAYMIN": Reason("held", "The balance is below the smallest payment; it is carried forward", False, ""),
    "PAYHOLD": Reason("held", "A hold was asked for", True, "Ask for payments to be released."),
    "PAYACCT": Reason("held", "No bank account is named", True, "Name the bank account."),
    "PAYBANK": Reason("held", "The bank profile is not validated", True, "Complete the bank profile."),
    "PAYTAX": Reason("held", "The tax profile is not validated", True, "Complete the tax profile."),
    "PAYNEW": Reason("held", "The bank account was changed; it is paid to from the next cycle on", False, ""),
    "PAYINV": Reason("held", "A tax invoice is missing", True, "Send a tax invoice."),
    "PAYINVREV": Reason("held", "The tax invoice is being reviewed", False, ""),
    "PAYINVREJ": Reason("held", "The tax invoice was rejected", True, "Send a corrected tax invoice."),
    "PAYCUR": Reason("held", "Payment orders cannot carry the currency of the account", True, "Name an account in another currency."),
    "PAYFX": Reason("held", "No exchange rate into the currency of the account", False, ""),
    "UNKAGR": Reason("undecided", "No agreement data has been delivered", False, "", criterion="active_agreement"),
    "UNKCOMP": Reason("undecided", "No competency data has been delivered", False, "", criterion="competency"),
    "UNKPAYEE": Reason("undecided", "No payee profile has been delivered", False, "", criterion="payee_profile"),
    "UNKENROL": Reason("undecided", "No enrolment data has been delivered", False, "", criterion="enrolment"),
    "UNKTTM": Reason("undecided", "Less than the whole period of revenue is known", False, "", criterion="trailing_revenue"),
    "UNKPTR": Reason("undecided", "Partner is not in the partner data", True, "Ask support to correct the partner id.", "reference"),
    "UNKATTR": Reason("undecided", "A rule needs a fact of the product or customer that is not known", False, "", "reference"),
    "UNKNEW": Reason("undecided", "It is not known since when the customer is one", False, "", "reference"),
    "UNKBASE": Reason("undecided", "The period with which growth is compared is not known in full", False, "", "reference"),
    "UNKFX": Reason("undecided", "No exchange rate for the currency and month", False, "", "fx"),
    "UNKREV": Reason("undecided", "The line that this one takes back is not known, or has another partner, currency or sign", False, "", "line"),
}  # fmt: skip
AGREEMENT_REASON = {"mpn": "IVDMPN", "cloud_distributor": "IVDMCDA", "reseller": "IVDMCRA", "mpa": "IVDMPA"}


def reasons() -> pd.DataFrame:
    """Every reason as a table: code, text, whether the partner can act, what to do, which change could lift it."""
    return pd.DataFrame(
        [(code, r.kind, r.text, r.partner_can_act, r.what_to_do, r.lifted_by) for code, r in REASONS.items()],
        columns=["reason_code", "kind", "reason", "partner_can_act", "what_to_do", "lifted_by"],
    )


def criteria(reason_codes: str) -> str | None:
    """The criteria that reason codes, separated by commas, speak of.

    >>> criteria("IVDMPN,IVDCOMP,NOLEVER")
    'active_agreement, competency'
    """
    named = [REASONS[code].criterion for code in reason_codes.split(",")]
    return ", ".join(dict.fromkeys(name for name in named if name)) or None
