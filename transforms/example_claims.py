"""Claims that a worked example gives: who earns on its lines."""

from datetime import date
from typing import cast

import pandas as pd

from transforms.associations import associations, own_comes_first
from transforms.programs import Program
from transforms.worked_examples import CUSTOMER, PARTNER, Claim, Given, Line, customer_of, reference_of

NEVER = date(1900, 1, 1)


def with_earner(program: Program, family: list[Line], given: Given) -> list[Line]:
    """A line and those that it reverses with the partner and the association of the claim that counts for them, if any.

    A claim that leaves its association out has the one that comes first, and matches whatever a lever selects.
    """
    root = family[-1]
    claimed = enumerate(given.get("claims", []))
    named = [cast(Claim, {"claim_id": f"claim {n}", "partner_id": PARTNER} | claim) for n, claim in claimed]
    claims = {claim["claim_id"]: claim for claim in named if _bears_on(claim, root)}
    day = reference_of(root, program.reference_date)
    listed = program.association.precedence.on(day) if program.association else None
    if not claims or not listed:
        return family
    spans = associations(claims_frame(list(claims.values()), listed[0], given), [program])
    on = pd.Timestamp(day)
    counts = spans[
        spans["reason_code"].isna() & (spans["valid_from"] <= on) & ~(spans["valid_to"] <= on)
        & ~spans["yields_to"].map(lambda before: own_comes_first(root.get("association"), before)).astype("bool")
    ]  # fmt: skip
    if counts.empty:
        return family
    claim = claims[counts["claim_id"].iloc[0]]
    told = {"partner": claim["partner_id"]} | {key: claim[key] for key in ("association",) if key in claim}
    return [cast(Line, {key: value for key, value in one.items() if key != "association"} | told) for one in family]


def _bears_on(claim: Claim, root: Line) -> bool:
    """Whether a claim is to a line's workload; a family that one of them leaves out matches."""
    families = {one["product_family"] for one in (claim, root) if "product_family" in one}
    return claim.get("customer_id", CUSTOMER) == customer_of(root) and len(families) < 2


def claims_frame(claims: list[Claim], first: str, given: Given) -> pd.DataFrame:
    """Claims to one workload as the step reads them; what one leaves out takes the plainest value."""
    types = {row["partner_id"]: row.get("partner_type") for row in given.get("partners", [])}
    plain = {
        "association": first, "claim_status": "approved", "approved_on": NEVER, "valid_from": NEVER, "valid_to": None,
    }  # fmt: skip
    workload = {"customer_id": "", "product_family": ""}
    rows = [plain | claim | workload | {"partner_type": types.get(claim["partner_id"])} for claim in claims]
    made = pd.DataFrame(rows)
    return made.astype(dict.fromkeys(("approved_on", "valid_from", "valid_to"), "datetime64[us]"))
