"""The lines of worked examples as the engine has them: decided, all of a program at once."""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd

from transforms.adjustments import exponent, minor
from transforms.decisions import decided_lines
from transforms.example_claims import with_earner
from transforms.example_facts import with_facts
from transforms.example_programs import OWN, Together, asked_by
from transforms.example_revenue import rate_of
from transforms.example_standing import NEVER, Standing
from transforms.money import FX, decimals
from transforms.programs import Program
from transforms.selection import SELECTABLE
from transforms.worked_examples import PARTNER, Given, Line, customer_of, partner_of, reference_of


class World(NamedTuple):
    """The lines of one example as known on a day; `name` keeps worlds apart that are worked out at once."""

    name: str
    program_number: int
    on: date | None
    given: Given
    lines: list[Line]
    standing: Standing

    @property
    def ids(self) -> dict[str, str]:
        """The ids of its lines, each with the one under which it is worked out."""
        return {line["id"]: f"{self.name}|{line['id']}" for line in self.lines}


def decided_worlds(programs: Together, worlds: list[World]) -> pd.DataFrame:
    """The lines' decisions; what a line, or the one that it reverses, leaves unsaid matches whatever a lever selects.

    As in a run, a line of a partner whose type the program does not pay has none.
    """
    plain, rows, asked = programs.paying, [], []
    for world in worlds:
        lines = [with_facts(line, world.given) for line in world.lines]
        for line in lines:
            family = with_earner(plain, _family(line, lines), world.given)
            if not world.standing.is_paid(partner_of(family[0])):
                continue
            rows.append(_line(plain, world, family))
            asked.append(asked_by(rows[-1], {column for one in family for column in one}))
    if not rows:
        return pd.DataFrame()
    frame = pd.DataFrame(rows)
    frame = frame.assign(fx_rate=decimals(list(frame["fx_rate"]), FX))
    selected_by = pd.DataFrame(asked, dtype="object").astype("category")
    decided = decided_lines(frame.assign(**selected_by), [programs.selecting])
    counted = ("partner_id", "customer_id")  # whatever is counted is counted for a partner, or for a customer
    apart = {column: frame["world"] + "|" + frame[column].astype("str") for column in counted}
    return decided.assign(**{**frame[list(SELECTABLE)], **apart})


def _family(line: Line, lines: list[Line]) -> list[Line]:
    """A line, the one that it reverses, the one that this reverses, as far as they are known."""
    by_id = {other["id"]: other for other in lines}
    found = [line]
    while (parent := by_id.get(found[-1].get("reverses", ""))) is not None and len(found) < 3:
        found.append(parent)
    return found


def _line(program: Program, world: World, family: list[Line]) -> dict[str, Any]:
    line, root = family[0], family[-1]
    on, currency = reference_of(root, program.reference_date), line.get("currency", program.currency)
    partner, day = partner_of(line), pd.Timestamp(on)
    rate = rate_of(world.given, currency, program.currency, on)
    quantity = line.get("quantity", Decimal(1) if len(family) == 1 else Decimal(0))
    is_earning, reason_codes = world.standing.on(partner, day)
    return {
        OWN: world.program_number, "world": world.name, "transaction_id": f"{world.name}|{line['id']}", "program": program.program,
        "partner_id": partner, "reverses": f"{world.name}|{line['reverses']}" if line.get("reverses") else None,
        "root_id": f"{world.name}|{root['id']}" if line.get("reverses") else None,
        "reference_on": day, "reference_at": day, "own_at": pd.Timestamp(line["on"]),
        "revenue_minor": minor(line.get("revenue", Decimal(0)), currency),
        "quantity_micro": int(quantity * 10**6), "currency": currency,
        "program_currency": program.currency, "exponent": exponent(currency),
        "program_exponent": exponent(program.currency), "fx_month": day.replace(day=1), "fx_rate": rate,
        **{column: root.get(column) for column in SELECTABLE if column not in ("currency", "customer_id")},
        "own_charge_type": line.get("charge_type"), "term": root.get("term", "none"), "customer_id": customer_of(root),
        "tenant_created_on": pd.Timestamp(root.get("tenant_created_on", on)),
        "first_purchase_on": pd.Timestamp(root.get("first_purchase_on", _first_purchase(root, world.lines))),
        "history_from": pd.Timestamp(world.given.get("history_from", NEVER)),
        "is_partner_known": world.standing.is_known(partner), "is_own_customer": _is_own(partner, root, world.given),
        "is_original_known": "reverses" not in line or _takes_back(program, family),
        "is_earning": is_earning, "reason_codes": reason_codes, "cause": "new_line", "is_posted": False,
    }  # fmt: skip


def _is_own(partner: str, line: Line, given: Given) -> bool:
    """Whether a line's customer is the partner himself."""
    tenants = {row["partner_id"]: row.get("tenant_id") for row in given.get("partners", [])}
    return tenants.get(partner) is not None and tenants[partner] == customer_of(line)


def _takes_back(program: Program, family: list[Line]) -> bool:
    """Whether a line's head is known, reverses none, and has its partner, currency and a sign that fits, as in program_lines.sql."""
    line, root = family[0], family[-1]
    same = all(
        line.get(key, plain) == root.get(key, plain)
        for key, plain in (("partner", PARTNER), ("currency", program.currency))
    )
    both = line.get("revenue", Decimal(0)) * root.get("revenue", Decimal(0))
    fits = both <= 0 if line.get("reverses") == root["id"] else both >= 0
    return len(family) > 1 and "reverses" not in root and same and fits


def _first_purchase(line: Line, lines: list[Line]) -> date | None:
    """The day of the first line of a line's customer that reverses none."""
    bought = [other["on"] for other in lines if "reverses" not in other and customer_of(other) == customer_of(line)]
    return min(bought, default=None)
