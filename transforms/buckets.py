"""By what lines can be divided so that each part of them is worked out on its own."""

from typing import Literal

from transforms.programs import Program


def bucket_key(program: Program) -> Literal["partner", "customer", "none"]:
    """What all lines that bear on one another have in common.

    Whatever is counted is counted for one partner, unless a lever pays only the first partner to earn, or once; then it is the
    customer, if everything that is counted is counted for each customer. Otherwise lines are worked out together.
    """
    across = [lever.kept for lever in program.levers if lever.kept]
    if not across:
        return "partner"
    scopes = [scope for lever in program.levers for scope in (lever.scale_scope, *lever.scopes)] + program.cap
    counted = [scope.per for scope in scopes if scope.over != "transaction"]
    return "customer" if all("customer" in named for named in (*across, *counted)) else "none"
