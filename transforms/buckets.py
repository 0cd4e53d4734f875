"""By what lines can be divided so that each part of them is worked out on its own."""

from typing import Literal

from transforms.programs import Program


def bucket_key(program: Program) -> Literal["partner", "customer", "none"]:
    """What all lines that bear on one another have in common.

    Whatever is counted is counted for one partner, unless a lever earns once for all partners; then it is the customer,
    if everything that is counted is counted for each customer. Otherwise lines can only be worked out together.
    """
    across = [named for lever in program.levers for named in (lever.exclusive_partner, lever.one_earning) if named]
    if not across:
        return "partner"
    counted = [scope.per for lever in program.levers for scope in lever.scopes]
    counted += [cap.per for cap in program.cap if cap.over != "transaction"]
    return "customer" if all("customer" in named for named in (*across, *counted)) else "none"
