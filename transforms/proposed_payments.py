"""What a payment cycle would pay of each balance that is due, and why it does not pay the others."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from transforms.adjustments import exponent, minor
from transforms.cross_rates import rates_of
from transforms.money import quotient, share, unit_shift
from transforms.payee_holds import first_reason, payee_holds, payees_by_program
from transforms.programs import Program, active

PAYEE = ["partner_id", "program", "earning_type"]
NOTHING = Decimal(0)
MOST_DECIMALS = 2  # what payment orders carry


def proposed_payments(
    payable: pd.DataFrame,
    payees: pd.DataFrame,
    hold_requests: pd.DataFrame,
    payout_rates: pd.DataFrame,
    tax_rates: pd.DataFrame,
    tax_invoices: pd.DataFrame,
    programs: list[Program],
    cycle_on: date,
) -> pd.DataFrame:
    """One row for each balance that is due, of partner × program × earning type × currency.

    Without a reason code it is paid: `payment_minor` of the balance, less `withheld_minor`, plus `sales_tax_minor`, which
    is `payout_minor` in the payout currency at the rate of the cycle's month, over a third currency where there is none. With one it is carried forward.
    """
    taxes = _taxes_on(tax_rates, cycle_on)
    accounts = payees_by_program(payees, programs).merge(taxes, on="country", how="left", validate="m:1")
    made = [
        _priced(netted(rows.reset_index(drop=True), program, cycle_on), accounts, payout_rates, program)
        for program in active(programs)
        if len(rows := payable[payable["program"].astype("str") == program.program])
    ]
    if not made:
        return pd.DataFrame(columns=[*PAYEE, "currency", "reason_code"])
    due = _invoiced(pd.concat(made, ignore_index=True), tax_invoices)
    return due.assign(reason_code=_reason(due, payee_holds(payees, hold_requests, programs, cycle_on)))


def payee_waits(
    payees: pd.DataFrame,
    hold_requests: pd.DataFrame,
    tax_rates: pd.DataFrame,
    tax_invoices: pd.DataFrame,
    programs: list[Program],
    day: date,
) -> pd.DataFrame:
    """The first reason why a payment to a partner in a program waits, as of a day: `partner_id`, `program`, `reason_code`.

    Partners that can be paid have no row. Exchange rates are not looked at: those of the cycle's month come later.
    """
    each = payees_by_program(payees, programs).merge(
        _taxes_on(tax_rates, day), on="country", how="left", validate="m:1"
    )
    each = each.assign(is_taxed=each["sales_tax"].fillna(NOTHING) > NOTHING)
    invoices = _in_order(tax_invoices)
    each = each.merge(invoices[invoices["place"] == 0], on=["partner_id", "program"], how="left")
    found = each.assign(reason_code=first_reason(_beyond_holds(each), each.index))
    held = payee_holds(payees, hold_requests, programs, day)
    both = pd.concat([held, found.loc[found["reason_code"].notna(), list(held)]], ignore_index=True)
    return both.drop_duplicates(["partner_id", "program"])


def netted(due: pd.DataFrame, program: Program, cycle_on: date) -> pd.DataFrame:
    """What is paid of each balance: all of it, less what the payee's negative balances in other currencies take.

    They take from its positive ones in the order of their currencies, at the amounts that these have in program currency,
    which count for nothing where their sign is not that of the balance, as after a corrected exchange rate.
    `is_negative` and `is_below` say that nothing is paid: the balance is not above zero, or below the minimum.
    """
    due = due.sort_values([*PAYEE, "currency"], ignore_index=True)
    balance, program_due = due["due_minor"].astype("int64"), due["program_due_minor"].astype("int64")
    program_due = program_due.where(np.sign(balance) == np.sign(program_due), 0)
    payee = [due[column].astype("str") for column in PAYEE]
    positive = program_due.clip(lower=0)
    owed = (positive - program_due).groupby(payee).transform("sum")
    before = positive.groupby(payee).cumsum() - positive
    taken = (owed - before).clip(lower=0).clip(upper=positive)
    whole = balance.clip(lower=0)
    cut = taken > 0
    payment = whole.copy()
    payment[cut] = quotient(
        whole[cut].to_numpy(object) * (positive - taken)[cut].to_numpy(object),
        positive[cut].to_numpy(object),
        "truncate",
    )
    total = program_due.groupby(payee).transform("sum")
    minimum = program.payout.minimum.on(cycle_on) if program.payout and program.payout.minimum else None
    least = minor(minimum or NOTHING, program.currency)
    return due.assign(
        payment_minor=payment, program_payment_minor=positive - taken,
        is_negative=(total <= 0) | (payment <= 0), is_below=total < least,
    )  # fmt: skip


def _priced(due: pd.DataFrame, accounts: pd.DataFrame, payout_rates: pd.DataFrame, program: Program) -> pd.DataFrame:
    """The payments with their payee, taxes and what reaches the bank; missing where there is no account or rate."""
    mode, mine = program.rounding.mode, due["currency"].astype("str")
    key = ["partner_id", "program"]
    due = due.assign(currency=mine).astype(dict.fromkeys(key, "str"))
    due = due.merge(accounts.astype({"payout_currency": "str"}), on=key, how="left", validate="m:1")
    pairs = due[["currency", "payout_currency"]].dropna().drop_duplicates().itertuples(index=False, name=None)
    rates = rates_of(pairs, payout_rates)
    due = due.merge(
        rates,
        left_on=["currency", "payout_currency"],
        right_on=["from_currency", "to_currency"],
        how="left",
        validate="m:1",
    )
    same = due["currency"] == due["payout_currency"]
    fx_rate = due["fx_rate"].mask(same, Decimal(1))
    withheld = share(due["payment_minor"], due["withholding"].fillna(NOTHING), mode=mode)
    sales_tax = share(due["payment_minor"], due["sales_tax"].fillna(NOTHING), mode=mode)
    has_rate = fx_rate.notna().to_numpy()
    total = (due["payment_minor"] - withheld + sales_tax)[has_rate]
    shift = unit_shift(_exponents(due["currency"][has_rate]), _exponents(due["payout_currency"][has_rate]))
    payout = pd.Series(pd.NA, index=due.index, dtype="Int64")
    payout[has_rate] = share(total, fx_rate[has_rate].set_axis(total.index), shift, mode=mode)
    return due.assign(fx_rate=fx_rate, withheld_minor=withheld, sales_tax_minor=sales_tax, payout_minor=payout)


def _exponents(currencies: pd.Series) -> pd.Series:
    """How many decimals each has; missing where there is none."""
    return currencies.map({code: exponent(code) for code in currencies.dropna().unique()}).astype("Int64")


def _taxes_on(tax_rates: pd.DataFrame, day: date) -> pd.DataFrame:
    """Each country's tax rates in force on a day: `withholding` and `sales_tax`, missing where there is none.

    Of several rates of a kind in force the newest counts.
    """
    on = pd.Timestamp(day)
    here = tax_rates[(tax_rates["valid_from"] <= on) & ~(tax_rates["valid_to"] <= on)].sort_values("valid_from")
    here = here.drop_duplicates(["country", "tax_kind"], keep="last")
    countries = pd.DataFrame({"country": sorted({*here["country"].astype("str")})}, dtype="str")
    for kind in ("withholding", "sales_tax"):
        of_kind = here[here["tax_kind"] == kind].astype({"country": "str"})
        countries = countries.merge(of_kind[["country", "tax_rate"]].rename(columns={"tax_rate": kind}), "left")
    return countries


def _invoiced(due: pd.DataFrame, tax_invoices: pd.DataFrame) -> pd.DataFrame:
    """Payments with sales tax beside the invoices that are still to be paid: the first payment has the oldest approved one."""
    key = ["partner_id", "program"]
    taxed = (due["sales_tax_minor"] > 0) & ~due["is_negative"] & ~due["is_below"]
    place = taxed.groupby([due[column].astype("str") for column in key]).cumsum() - 1
    due = due.astype(dict.fromkeys(key, "str")).assign(place=place.where(taxed, -1).astype("int64"), is_taxed=taxed)
    due = due.merge(_in_order(tax_invoices), on=[*key, "place"], how="left", validate="m:1")
    return due.assign(invoice_number=due["invoice_number"].where(due["invoice_status"] == "approved"))


def _in_order(tax_invoices: pd.DataFrame) -> pd.DataFrame:
    """A payee's invoices counted from 0 by `place`: the approved first, of these the oldest."""
    key = ["partner_id", "program"]
    rank = {"approved": 0, "under_review": 1, "submitted": 2, "rejected": 3}
    invoices = tax_invoices.astype(dict.fromkeys([*key, "invoice_status"], "str"))
    invoices = invoices.assign(rank=invoices["invoice_status"].map(rank))
    invoices = invoices.sort_values([*key, "rank", "invoiced_on", "invoice_number"])
    return invoices.assign(place=invoices.groupby(key).cumcount())[[*key, "place", "invoice_number", "invoice_status"]]


def _reason(due: pd.DataFrame, holds: pd.DataFrame) -> pd.Series:
    """The first reason why each balance is not paid, none where it is."""
    payee = due[["partner_id", "program"]].merge(holds, how="left", validate="m:1")["reason_code"].set_axis(due.index)
    reasons = {
        "PAYNEG": due["is_negative"],
        "PAYMIN": due["is_below"] | (due["payout_minor"] == 0).fillna(False),
        **{code: payee == code for code in sorted(payee.dropna().unique())},
        **_beyond_holds(due),
        "PAYFX": due["payout_minor"].isna(),
    }
    return first_reason(reasons, due.index)


def _beyond_holds(due: pd.DataFrame) -> dict[str, pd.Series]:
    """Reason code → whether each payment waits for its tax invoice, or for an account in a currency that orders carry."""
    status = due["invoice_status"]
    return {
        "PAYINVREJ": due["is_taxed"] & (status == "rejected"),
        "PAYINVREV": due["is_taxed"] & status.isin(["submitted", "under_review"]),
        "PAYINV": due["is_taxed"] & status.isna(),
        "PAYCUR": _exponents(due["payout_currency"]) > MOST_DECIMALS,
    }
