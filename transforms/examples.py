"""Worked examples of program files, run through the same transforms as real lines."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import iso4217
import pandas as pd

from transforms.contexts import Known
from transforms.decisions import decided_lines
from transforms.earnings import in_context
from transforms.eligibility import eligibility, eligibility_criteria
from transforms.holders import first_to_earn
from transforms.levers import SELECTABLE
from transforms.money import FX, decimals
from transforms.programs import Program
from transforms.rule_file import RuleFault, read

JUDGED_BY = {
    "active_reseller": "partners", "same_country": "partners", "active_agreement": "agreements",
    "competency": "competencies", "payee_profile": "payee_profiles", "enrolment": "enrolments",
}  # fmt: skip
FEED_COLUMNS = {
    "partners": [
        "partner_id",
        "partner_type",
        "reseller_status",
        "country",
        "tenant_country",
        "valid_from",
        "valid_to",
    ],
    "agreements": [
        "agreement_id",
        "partner_id",
        "agreement_type",
        "agreement_status",
        "signed_on",
        "valid_from",
        "valid_to",
    ],
    "competencies": ["partner_id", "competency", "competency_level", "valid_from", "valid_to"],
    "payee_profiles": ["partner_id", "bank_status", "tax_status", "validated_on", "valid_from", "valid_to"],
    "enrolments": ["partner_id", "program", "enrolment_status", "valid_from", "valid_to"],
}
PLAIN = {
    "agreement_id": "given", "agreement_status": "active", "competency_level": "gold", "reseller_status": "active",
    "bank_status": "approved", "tax_status": "approved", "enrolment_status": "enrolled", "country": "US", "tenant_country": "US",
}  # fmt: skip
RUN = {"earned", "rebate", "coop", "lines", "decisions", "posted", "eligible", "unmet"}
NEVER = date(1900, 1, 1)


def check(program: Program, path: Path) -> list[str]:
    """Run a program's examples; the names of those that this version cannot run yet.

    Raises RuleFault at the first figure that differs, with what was expected, what was computed, and the lines' trace.
    """
    _, lines = read(path)
    skipped = []
    for number, example in enumerate(program.examples):
        name, expected = example.get("example", f"number {number + 1}"), example.get("expect", {})
        line = lines.get(("examples", number), 1)
        if set(expected) - RUN or set(example.get("given", {})) - {"transactions", "days", "fx_rates", "history_from", *FEED_COLUMNS}:
            skipped.append(name)
            continue
        computed, trace = work_out(program, example.get("given", {}))
        for key, wanted in expected.items():
            if (found := _comparable(computed[key], wanted)) != wanted:
                remedy = f"expected [{_shown(wanted)}], computed [{_shown(found)}]; trace: {trace}"
                raise RuleFault(path.name, line, f"examples.{name}.{key}", _shown(wanted), remedy)
    return skipped


def _comparable(found: Any, wanted: Any) -> Any:
    return {key: found.get(key) for key in wanted} if isinstance(wanted, dict) else found


def _shown(value: Any) -> Any:
    """Figures as people write them.

    >>> _shown({"t1": Decimal("7600.00")})
    '{t1: 7600.00}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_shown(v)}" for k, v in value.items()) + "}"
    return f"[{', '.join(str(_shown(v)) for v in value)}]" if isinstance(value, list) else str(value)


def work_out(program: Program, given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What an example's lines earn, in program currency, and a trace of each line."""
    days = given.get("days") or [{"on": None, "transactions": given.get("transactions", [])}]
    lines = [line for day in days for line in day["transactions"]]
    standing, unmet = _standing(program, given)
    plain = program.model_copy(update={"status": "active"})
    unit = Decimal(1).scaleb(-_exponent(program.currency))
    posted, before = [], Decimal(0)
    decided, earned = _worked_out(plain, lines, given, standing)
    for number, day in enumerate(days, 1):
        known = [line for shown in days[:number] for line in shown["transactions"]]
        total = _sum(_worked_out(plain, known, given, standing)[1] if number < len(days) else earned) * unit
        posted.append({"on": day["on"], "amount": total - before})
        before = total
    by_line = {line["id"]: _sum(earned[earned["transaction_id"] == line["id"]]) * unit for line in lines}
    decision = dict(zip(decided["transaction_id"], decided["decision"].astype("str"), strict=True)) if lines else {}
    trace = "; ".join(f"{i} {decision[i]} earns {by_line[i]}" for i in by_line)
    return {
        "earned": before, "rebate": _sum(earned, "rebate") * unit, "coop": _sum(earned, "coop") * unit,
        "lines": by_line, "decisions": decision,
        "posted": [day for day in posted if day["amount"]], "eligible": not unmet, "unmet": unmet,
    }, trace  # fmt: skip


def _sum(rows: pd.DataFrame, part: str = "earning") -> int:
    return int(rows[f"program_{part}_minor"].sum()) if len(rows) else 0


def _worked_out(
    program: Program, lines: list[dict], given: dict[str, Any], standing: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The lines' decisions and earnings."""
    if not lines:
        return pd.DataFrame(), pd.DataFrame()
    first: dict[str, date] = {}
    for line in sorted((line for line in lines if "reverses" not in line), key=lambda line: line["on"]):
        first.setdefault(_customer(line), line["on"])
    dated = [{"first_purchase_on": first.get(_customer(line)), **line} for line in lines]
    decided = pd.concat([_decide(program, line, dated, given, standing) for line in dated], ignore_index=True)
    return decided, in_context(decided, [program], Known(holders=first_to_earn(decided, [program])))


def _decide(
    program: Program, line: dict[str, Any], lines: list[dict], given: dict[str, Any], standing: pd.DataFrame
) -> pd.DataFrame:
    """One line's decision; what it, or the line that it reverses, leaves unsaid matches whatever a lever selects."""
    family = _family(line, lines)
    said = {column for one in family for column in one}
    levers = [
        lever.model_copy(update={"select": {c: v for c, v in lever.select.items() if c in said}})
        for lever in program.levers
    ]
    return decided_lines(_line(program, family, given, standing), [program.model_copy(update={"levers": levers})])


def _family(line: dict[str, Any], lines: list[dict]) -> list[dict[str, Any]]:
    """A line, the one that it reverses, the one that this reverses, as far as they are known."""
    by_id = {other["id"]: other for other in lines}
    found = [line]
    while (parent := by_id.get(found[-1].get("reverses"))) is not None and len(found) < 3:
        found.append(parent)
    return found


def _line(program: Program, family: list[dict], given: dict[str, Any], standing: pd.DataFrame) -> pd.DataFrame:
    line, root = family[0], family[-1]
    on, currency = root["on"], line.get("currency", program.currency)
    exponent = _exponent(currency)
    partner = standing[standing["partner_id"] == line.get("partner", "p1")]
    day = pd.Timestamp(on)
    held = partner[(partner["valid_from"] <= day) & (partner["valid_to"].isna() | (partner["valid_to"] > day))]
    rate = Decimal(1) if currency == program.currency else _rate(given, currency, program.currency, on)
    quantity = line.get("quantity", Decimal(1) if len(family) == 1 else Decimal(0))
    row = {
        "transaction_id": line["id"], "program": program.program, "partner_id": line.get("partner", "p1"),
        "reverses": line.get("reverses"), "root_id": root["id"] if line.get("reverses") else None,
        "reference_on": day, "reference_at": day, "own_at": pd.Timestamp(line["on"]),
        "revenue_minor": int(Decimal(line.get("revenue", 0)).scaleb(exponent)),
        "quantity_micro": int(quantity * 10**6), "currency": currency,
        "program_currency": program.currency, "exponent": exponent,
        "program_exponent": _exponent(program.currency), "fx_month": day.replace(day=1),
        **{column: root.get(column) for column in SELECTABLE if column not in ("currency", "customer_id")},
        "term": root.get("term", "none"), "customer_id": _customer(root),
        "tenant_created_on": pd.Timestamp(root.get("tenant_created_on", on)),
        "first_purchase_on": pd.Timestamp(root["first_purchase_on"]),
        "history_from": pd.Timestamp(given.get("history_from", NEVER)),
        "is_partner_known": True, "is_own_customer": False,
        "is_original_known": "reverses" not in line or len(family) > 1,
        "is_earning": bool(held["is_earning"].any()) if len(standing) else True,
        "reason_codes": held["reason_codes"].iloc[0] if len(held) else None, "cause": "new_line", "is_posted": False,
    }  # fmt: skip
    return pd.DataFrame([row]).assign(fx_rate=decimals([rate], FX))


def _customer(line: dict[str, Any]) -> str:
    return line.get("customer", line.get("customer_id", "c1"))


def _exponent(currency: str) -> int:
    return iso4217.Currency(currency).exponent or 0


def _rate(given: dict[str, Any], currency: str, target: str, on: date) -> Decimal | None:
    rates = given.get("fx_rates", [])
    wanted = (on.replace(day=1), currency, target)
    return next((r["fx_rate"] for r in rates if (r["fx_month"], r["from_currency"], r["to_currency"]) == wanted), None)


def _standing(program: Program, given: dict[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """How the given partners stand, judged by the criteria whose feeds the example gives; others count as met."""
    feeds = {feed: given[feed] for feed in FEED_COLUMNS if feed in given}
    if not feeds:
        nobody = pd.DataFrame(
            {"partner_id": [], "valid_from": [], "valid_to": [], "is_earning": [], "reason_codes": []}
        )
        return nobody.astype({"valid_from": "datetime64[us]", "valid_to": "datetime64[us]"}), []
    judged = {
        start: [c for c in criteria if JUDGED_BY.get(c.criterion) in feeds]
        for start, criteria in program.eligibility.criteria.items()
    }
    narrowed = program.model_copy(
        update={
            "status": "active",
            "eligibility": program.eligibility.model_copy(update={"criteria": judged}),
            "enrolment": program.enrolment if "enrolments" in feeds else None,
        }
    )
    ids = sorted({row["partner_id"] for rows in feeds.values() for row in rows})
    partners = feeds.pop("partners", [{"partner_id": partner_id} for partner_id in ids])
    tables = {
        feed: example_frame(feed, rows, program)
        for feed, rows in {**{f: [] for f in FEED_COLUMNS}, **feeds, "partners": partners}.items()
    }
    none = pd.DataFrame({"partner_id": pd.Series([], dtype="str"), "transaction_id": pd.Series([], dtype="str")})
    criteria = eligibility_criteria(
        **tables,
        first_transactions=none.assign(transaction_on=pd.Series([], dtype="datetime64[us]")),
        partner_revenue=none,
        delivered_feeds=pd.DataFrame({"feed": list(FEED_COLUMNS)}),
        programs=[narrowed],
    )
    last = max((line["on"] for line in given.get("transactions", [])), default=NEVER)
    day = pd.Timestamp(last)
    now = criteria[(criteria["valid_from"] <= day) & (criteria["valid_to"].isna() | (criteria["valid_to"] > day))]
    return eligibility(criteria, [narrowed]), list(now.loc[now["status"] == "unmet", "criterion"])


def example_frame(feed: str, rows: list[dict], program: Program) -> pd.DataFrame:
    """Rows of a feed as its step input has them; what a row leaves out takes the plainest value."""
    defaults = {
        **PLAIN,
        "partner_type": program.partner_types[0],
        "program": program.program,
        "valid_from": NEVER,
        "signed_on": NEVER,
    }
    filled = [{c: row.get(c, defaults.get(c)) for c in FEED_COLUMNS[feed]} for row in rows]
    made = pd.DataFrame(filled, columns=FEED_COLUMNS[feed])
    dates = [c for c in made if c.endswith(("_on", "_from", "_to"))]
    return made.astype({c: "datetime64[us]" if c in dates else "str" for c in made})
