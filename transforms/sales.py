"""Which programs judge partners by what they sell."""

import pandas as pd

from transforms.programs import Program, active


def program_sales(programs: list[Program]) -> pd.DataFrame:
    """Each criterion by which a program looks at sales: for which partner types, how often the program lists it.

    `is_lasting`: once met it stays, so that a later sale cannot move it.
    """
    rows = []
    for program in active(programs):
        trailing = [
            c for held in program.eligibility.criteria.values() for c in held if c.criterion == "trailing_revenue"
        ]
        if trailing:
            lasting = all(c.once_met_stays for c in trailing)
            rows.append((program.program, program.partner_types, "trailing_revenue", len(trailing), lasting))
    columns = ["program", "partner_types", "criterion", "listed", "is_lasting"]
    return pd.DataFrame(rows, columns=columns)
