"""One billing line: what was delivered, decided, earned and posted, down to the delivered file's line."""

from typing import Any

import pandas as pd
import streamlit as st

from app.dashboard.addresses import back, of_line
from app.dashboard.screens.eligibility import stands
from app.dashboard.screens.priced import price
from app.dashboard.stored import told
from app.dashboard.tables import Column, Fact, facts, show
from app.dashboard.view import View
from app.explain import Rows
from transforms.reasons import REASONS

DECISIONS = {"eligible": "good", "undecided": "wait", "ineligible": "bad"}
KINDS = {"rebate": "Rebate", "coop": "Co-op"}


def line(view: View) -> None:
    """The page; the line's id is in the address, and opens nothing that the viewer does not see."""
    words = view.words
    back(words)
    wanted = st.query_params.get("id", "")
    found = view.scope.explained(wanted) if wanted else None
    if found is None:
        st.warning(words("There is no such line among those of this location."))
        return
    facts(_delivered(view, found["line"]))
    st.subheader(words("Decision"))
    for decided in found["decisions"]:
        _decision(view, decided, found["line"].get("currency"))
    for priced in found["prices"]:
        price(view, priced)
    st.subheader(words("Posted"))
    _entries(view, found["entries"])


def _delivered(view: View, row: dict[str, Any]) -> list[Fact]:
    words = view.words
    if row.get("withdrawn"):
        return [Fact(words("Line"), row["transaction_id"], beside=words("withdrawn since"))]
    customer = view.scope.customers([row["customer_id"]]).get(row["customer_id"])
    product = view.product(row["product_id"])
    listed_on = st.query_params.get("back", "")
    return [
        Fact(words("Line"), row["transaction_id"]),
        Fact(words("Date"), view.instant(row["transaction_at"])),
        Fact(words("Charge type"), words.code(row["charge_type"])),
        Fact(words("Product"), product, beside=row["product_id"] if product != row["product_id"] else ""),
        Fact(words("Customer"), customer or row["customer_id"], beside=row["customer_id"] if customer else ""),
        Fact(words("Quantity"), view.number(row["quantity"])),
        Fact(words("Revenue"), view.money(row["revenue"], row["currency"])),
        Fact(words("Seller"), row["seller_id"]),
        Fact(words("Reseller"), row["reseller_id"] or words("none")),
        Fact(words("Reverses"), row["reverses"] or "", of_line(row["reverses"], listed_on) if row["reverses"] else ""),
        Fact(
            words("Delivered"),
            words("{file}, line {number}", file=row["file_name"], number=view.number(row["line_number"])),
            beside=row["delivery_id"],
        ),
    ]


def _decision(view: View, decided: dict[str, Any], currency: str | None) -> None:
    """What became of the line in one program, why, and how its criteria stood on that day."""
    words, program = view.words, decided["program"]
    codes = decided["reason_codes"].split(",") if decided["reason_codes"] else []
    why = [view.lever(program, lever) for lever in (decided["levers"] or "").split(",") if lever]
    why += [words(REASONS[code].text) for code in codes]
    facts(
        [
            Fact(view.program(program), words.code(decided["decision"]), badge=DECISIONS[decided["decision"]]),
            Fact(words("Reason") if codes else words("Lever"), "; ".join(why)),
            Fact(words("Missing rate"), _missing_rate(view, decided, currency) if "UNKFX" in codes else ""),
            Fact(words("Priced as of"), view.day(decided["reference_on"])),
            Fact(
                words("By claim"), decided["claim_id"] or "",
                beside=f"{decided['association']}, {view.days(decided['claimed_from'], None)}" if decided["claim_id"] else "",
            ),
        ]
    )  # fmt: skip
    if decided["criteria"]:
        day = view.day(decided["reference_on"])
        with st.expander(words("Criteria of {program} on {day}", program=view.program(program), day=day)):
            _criteria(view, decided["criteria"], program)


def _criteria(view: View, criteria: Rows, program: str) -> None:
    words = view.words
    rows = pd.DataFrame(criteria)
    why = Column(words("Reason"), lambda row: words(REASONS[row.reason_code].text) if row.reason_code else "")
    columns = [*stands(view), Column(words("Evidence"), lambda row: told(words, row.evidence))]
    columns += [why] if rows["reason_code"].notna().any() else []
    label = f"{words('Criteria')}: {view.program(program)}"
    show(rows, columns, label=label, empty=words("No criteria."), stacks=True)


def _missing_rate(view: View, decided: dict[str, Any], currency: str | None) -> str:
    return view.words(
        "No rate from {currency} to {other} was delivered for {month}.",
        currency=currency, other=decided["program_currency"] or "?", month=view.month(decided["reference_on"]),
    )  # fmt: skip


def _entries(view: View, entries: Rows) -> None:
    """What was posted, each time why, and what it comes to in the currency of the line."""
    words = view.words
    rows = pd.DataFrame(entries)
    one = len(rows) > 0 and rows["currency"].nunique() == 1
    is_exchanged = len(rows) > 0 and (rows["currency"] != rows["program_currency"]).any()
    in_program = Column(
        words("In program currency"), lambda row: view.money(row.program_amount, row.program_currency), is_figure=True
    )
    columns = [
        Column(words("Posted"), lambda row: view.day(row.posted_on)),
        Column(words("Program"), lambda row: view.program(row.program)),
        Column(words("Kind"), lambda row: words(KINDS[row.earning_type])),
        Column(words("Why"), lambda row: words.code(row.cause), beside=lambda row: _detail(view, row, entries)),
        Column(words("Amount"), lambda row: view.money(row.amount, row.currency), is_figure=True),
        *([in_program] if is_exchanged else []),
    ]
    whole = [words("Total"), "", "", "", view.money(rows["amount"].sum(), rows["currency"].iloc[0])] if one else []
    show(
        rows,
        columns,
        label=words("Posted"),
        empty=words("Nothing is posted of this line."),
        total=[*whole, *([""] if is_exchanged else [])] if one else (),
    )


def _detail(view: View, row: Any, entries: Rows) -> str:
    """What exactly changed, where the entry says it; of a corrected exchange rate also the rate before."""
    if row.cause != "fx_correction":
        return told(view.words, row.cause_detail)
    names = ("program", "lever", "currency")
    earlier = [
        one for one in entries
        if one["posted_on"] < row.posted_on and all(one[name] == getattr(row, name) for name in names)
    ]  # fmt: skip
    rate = f"1 {row.currency} = {view.number(row.fx_rate)} {row.program_currency}, {told(view.words, row.cause_detail)}"
    return view.words("{rate}; before {old}", rate=rate, old=view.number(earlier[-1]["fx_rate"])) if earlier else rate
