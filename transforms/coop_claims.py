"""Claims to co-op funds: where each stands, and what it takes of its fund."""

import pandas as pd

PENDING = ("submitted", "under_review", "action_required", "disputed")


def coop_claims(claim_requests: pd.DataFrame) -> pd.DataFrame:
    """Each claim that was taken up, with its status: by the last review of it, or by a dispute of that review.

    `approved_minor` is what the last decision approved, also while that is disputed or reviewed again, and never more
    than what was asked for; `claimed_minor` is what the claim keeps of its fund: what is approved, or what was asked for
    while that is not decided.
    """
    outcome = claim_requests["review_outcome"].astype("object")
    status = outcome.where(outcome.notna(), "submitted")
    disputed = (claim_requests["disputed_at"] > claim_requests["reviewed_at"]).fillna(False)
    status = status.mask(disputed.astype(bool), "disputed")
    asked = claim_requests["requested_minor"].astype("Int64")
    approved = claim_requests["approved_minor"].astype("Int64").fillna(asked).clip(upper=asked)
    approved = approved.where(claim_requests["decided_outcome"].astype("object") == "approved")
    since = claim_requests["disputed_at"].where(disputed.astype(bool), claim_requests["reviewed_at"])
    return claim_requests.assign(
        coop_claim_status=status, approved_minor=approved,
        claimed_minor=approved.where(~status.isin(PENDING), asked).fillna(0),
        status_on=since.fillna(claim_requests["requested_at"]).dt.normalize(),
    )  # fmt: skip
