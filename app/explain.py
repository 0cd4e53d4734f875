"""Where a sum comes from: entry → line → decision → criteria → price → delivery, file and line; and the way back.

Reads the current release only, and loads neither pandas nor the pipeline: it answers while somebody waits.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb

from transforms.vocabulary import FREED
from warehouse import due, store
from warehouse.tables import FEEDS, PUBLISHED

Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]

LINE = """
SELECT transaction_id, transaction_at, charge_type, quantity, revenue, currency, product_id, customer_id, seller_id,
    reseller_id, reverses, delivery_id, file_name, line_number
FROM {transactions} WHERE transaction_id = $id
"""
VERSIONS = """
SELECT delivery_id, file_name, line_number, known_from, known_to FROM parts.transactions
WHERE transaction_id = $id ORDER BY known_from, known_to
"""
DECISIONS = """
SELECT decisions.program, decisions.partner_id, decision, levers, reason_codes, reference_on, rule_version,
    decisions.claim_id, claim.association, claim.valid_from AS claimed_from, program_currency
FROM {decisions} AS decisions LEFT JOIN (SELECT DISTINCT program, program_currency FROM programs) USING (program)
LEFT JOIN {associations} AS claim ON claim.program = decisions.program AND claim.claim_id = decisions.claim_id
    AND claim.valid_from <= reference_on AND (claim.valid_to IS NULL OR claim.valid_to > reference_on)
WHERE transaction_id = $id ORDER BY decisions.program
"""
CRITERIA = """
SELECT program, criterion, status, evidence, reason_code FROM {eligibility_history}
WHERE partner_id = $partner AND program = $program AND valid_from <= $on AND (valid_to IS NULL OR valid_to > $on)
ORDER BY criterion_number
"""
PRICES = """
SELECT program, partner_id, lever, bracket, base, rate, unit_amount, position, held_by, currency, earning, rebate, coop, fx_month, fx_rate, program_currency,
    program_earning, rule_version, is_illustrative, reference, rules_today, pays, bounds
FROM {earnings} LEFT JOIN (
    SELECT program, lever, reference, rule_version AS rules_today, bounds, CASE WHEN rate IS NULL THEN pays END AS pays FROM programs
) USING (program, lever)
WHERE transaction_id = $id ORDER BY ALL
"""
LEFT = """
WITH RECURSIVE family AS (
    SELECT $original AS transaction_id
    UNION
    SELECT line.transaction_id FROM {transactions} AS line JOIN family ON line.reverses = family.transaction_id
    WHERE (line.transaction_at, line.transaction_id) < (CAST($at AS TIMESTAMPTZ), $id)
        AND ($is_first = 1 OR family.transaction_id = $original)
)
SELECT program, lever, bracket, sum(earning) AS earning_left, sum(base) AS base_left FROM {earnings}
WHERE partner_id = $partner AND transaction_id IN (FROM family) GROUP BY ALL
"""
ENTRIES = """
SELECT entry_id, posted_on, period, program, partner_id, lever, earning_type, amount, currency, program_amount, program_currency, cause,
    cause_detail, fx_rate, rule_version
FROM {earnings_ledger} WHERE transaction_id = $id ORDER BY posted_on, program, cause, earning_type
"""
ORIGINAL_MOVED = """
SELECT DISTINCT posted_on, cause FROM {earnings_ledger}
WHERE transaction_id = $id AND cause IN ('corrected_line', 'withdrawn_line') ORDER BY posted_on, cause
"""
OF_SETTLEMENT = (
    "partner_id = $partner AND program = $program AND posted_on = $on AND lever = 'settlement' AND cause = $cause"
)
MONTH_LINES = """
SELECT transaction_id, program, lever, currency, sum(amount) AS earned,
    sum(amount) FILTER (earning_type = 'rebate') AS rebate, sum(amount) FILTER (earning_type = 'coop') AS coop,
    program_currency, sum(program_amount) AS program_earned, string_agg(DISTINCT cause, ', ' ORDER BY cause) AS causes
FROM earnings_ledger WHERE partner_id = $partner AND earning_month = $month AND transaction_id IS NOT NULL
GROUP BY ALL ORDER BY program, lever, transaction_id
"""
MONTH_ADJUSTMENTS = """
SELECT adjustment_id, entry.program, entry.earning_type, entry.currency, entry.amount, program_currency, program_amount,
    adjustment_reason, written_by, approved_by, reference
FROM earnings_ledger AS entry JOIN adjustments USING (adjustment_id)
WHERE entry.partner_id = $partner AND entry.earning_month = $month ORDER BY adjustment_id
"""
MONTH_SETTLEMENTS = """
SELECT entry_id, posted_on, program, earning_type, currency, amount, program_currency, program_amount, cause, cause_detail, payment_id
FROM earnings_ledger WHERE partner_id = $partner AND earning_month = $month AND lever = 'settlement'
ORDER BY posted_on, program, cause, earning_type, currency
"""
MONTH_TOTALS = """
SELECT program, earning_type, currency, sum(amount) AS amount, program_currency, sum(program_amount) AS program_amount
FROM earnings_ledger WHERE partner_id = $partner AND earning_month = $month GROUP BY ALL ORDER BY ALL
"""
MONTH_REFUSED = """
SELECT program, decision, reason_codes, currency, line_count, revenue FROM ineligible_revenue
WHERE partner_id = $partner AND earning_month = $month ORDER BY ALL
"""

DUE_BY_MONTH = f"""
SELECT entry.earning_month, CASE entry.lever WHEN 'settlement' THEN entry.cause ELSE entry.lever END AS lever,
    sum(entry.amount) AS amount, entry.currency, count(DISTINCT transaction_id) AS lines
FROM ({due.entries("{earnings_ledger}", "amount", "parts.payment_calendar")}) AS entry
"""
PAYMENT = "SELECT * FROM payments WHERE payment_id = $id"
PAID_FOR = f"""
WITH paid AS (SELECT * FROM {{payments}} WHERE payment_id = $id),
before AS (
    SELECT max(other.cycle_on) AS cycle_on, max(other.cut_on) AS cut_on FROM {{payments}} AS other, paid
    WHERE other.program = paid.program AND other.earning_type = paid.earning_type AND other.currency = paid.currency
        AND other.partner_id = paid.partner_id AND (other.cut_on, other.payment_id) < (paid.cut_on, paid.payment_id)
        AND other.payment_status NOT IN {FREED}
)
{DUE_BY_MONTH}, paid, before
WHERE entry.partner_id = paid.partner_id AND entry.program = paid.program AND entry.earning_type = paid.earning_type
    AND entry.currency = paid.currency AND entry.due_on <= paid.cycle_on AND entry.posted_on <= paid.cut_on
    AND (entry.due_on <= before.cycle_on AND entry.posted_on <= before.cut_on) IS NOT TRUE
GROUP BY ALL HAVING sum(entry.amount) <> 0 ORDER BY ALL
"""
FUND = """
SELECT * FROM coop_funds WHERE partner_id = $partner AND program = $program AND currency = $currency
    AND half_from <= $month AND half_to > $month
"""
GIVEN_UP = f"""
{DUE_BY_MONTH}
WHERE entry.partner_id = $partner AND entry.program = $program AND entry.earning_type = $kind AND entry.currency = $currency
    AND entry.posted_on <= $on AND NOT (entry.posted_on = $on AND entry.cause IN ('forfeited', 'escheated', 'offset'))
    AND entry.due_on <= (SELECT max(earned_due_on) FROM parts.payment_calendar WHERE program = $program AND earned_due_on <= $on)
GROUP BY ALL HAVING sum(entry.amount) <> 0 ORDER BY ALL
"""


class _Tables(dict):
    """Each table as it is, or as it was known on a day if it keeps versions."""

    def __init__(self, day: date | None) -> None:
        self.day = day

    def __missing__(self, name: str) -> str:
        return f"{name}_known_on(DATE '{self.day}')" if self.day and PUBLISHED[name].parts == "versions" else name


def _rows(con: duckdb.DuckDBPyConnection, query: str, **values: str | int | date | None) -> Rows:
    """What a query finds with its values in it, for somebody who may see all."""
    return _asked(con, None, query, **values)


def _asked(con: duckdb.DuckDBPyConnection, day: date | None, query: str, **values: str | int | date | None) -> Rows:
    """The same, as it was known on a day."""
    return store.rows(con, store.filled(query.format_map(_Tables(day)), **values))


def of_id(con: duckdb.DuckDBPyConnection, wanted: str) -> dict[str, Any]:
    """All about a ledger entry, a transaction, an adjustment or a payment; raises LookupError for an id that is none."""
    found = _rows(con, "SELECT * FROM earnings_ledger WHERE entry_id = $id", id=wanted)
    entry = found[0] if found else dict.fromkeys(("transaction_id", "adjustment_id", "payment_id"))
    paid = _rows(con, PAYMENT, id=entry["payment_id"] or wanted)
    if paid:
        return of_payment(con, paid[0])
    if found and not entry["transaction_id"] and not entry["adjustment_id"]:
        return of_settlement(con, entry)
    adjusted = _rows(con, "SELECT * FROM adjustments WHERE adjustment_id = $id", id=entry["adjustment_id"] or wanted)
    if adjusted:
        by_adjustment = ENTRIES.replace("transaction_id = $id", "adjustment_id = $id")
        return {
            "adjustment": adjusted[0],
            "entries": _rows(con, by_adjustment, id=adjusted[0]["adjustment_id"]),
        }
    return _of_version(con, entry["transaction_id"] or wanted, found[0]["posted_on"] if found else None)


def _of_version(con: duckdb.DuckDBPyConnection, transaction_id: str, day: date | None) -> dict[str, Any]:
    """All about a billing line as it was known on a day, or is now, with the versions that there are of it.

    Of a line that was withdrawn until then, as it was known on the last day before.
    """
    versions = _rows(con, VERSIONS, id=transaction_id)
    held = [version for version in versions if day is None or version["known_from"] <= day]
    ended = held[-1]["known_to"] if held else None
    known_on = ended - timedelta(days=1) if ended and (day is None or ended <= day) else day
    found = of_line(partial(_asked, con, known_on), transaction_id)
    return {**found, "known_on": known_on, "versions": versions}


def of_settlement(con: duckdb.DuckDBPyConnection, entry: dict[str, Any]) -> dict[str, Any]:
    """All about what became of a fund or a balance: which it is, what it was made of, and what was posted with the entry."""
    asked = {
        "partner": entry["partner_id"],
        "program": entry["program"],
        "on": entry["posted_on"],
        "cause": entry["cause"],
    }
    balance = {"currency": entry["currency"], "month": entry["earning_month"], "kind": entry["earning_type"]}
    is_fund = entry["earning_type"] == "coop" or entry["cause"] == "coop_converted"
    of_month = f"{OF_SETTLEMENT} AND earning_month = $month" if is_fund else OF_SETTLEMENT
    return {
        "settlement": entry,
        "fund": _rows(con, FUND, **asked, **balance) if is_fund else [],
        "balance": [] if is_fund else _rows(con, GIVEN_UP, **asked, **balance),
        "entries": _rows(con, ENTRIES.replace("transaction_id = $id", of_month), **asked, **balance),
    }


def of_payment(con: duckdb.DuckDBPyConnection, payment: dict[str, Any]) -> dict[str, Any]:
    """All about one payment: where it stands, what it is for by month and lever, and what is posted of it."""
    wanted = payment["payment_id"]
    paid_for = _rows(con, PAID_FOR, id=wanted)
    entries = _rows(con, ENTRIES.replace("transaction_id = $id", "payment_id = $id"), id=wanted)
    return {"payment": payment, "paid for": paid_for, "entries": entries}


def of_line(ask: Ask, transaction_id: str) -> dict[str, Any]:
    """All about one billing line: what was delivered, decided, earned and posted; `ask` has queries with tables as `{table}`.

    Raises LookupError for an id that is none of what may be asked for.
    """
    entries = ask(ENTRIES, id=transaction_id)
    line = ask(LINE, id=transaction_id)
    if not line and not entries:
        raise LookupError(
            f"[{transaction_id}] is no ledger entry, transaction or adjustment of the current release; "
            "a line that is set aside is under `incentives quarantine list`."
        )
    decisions = ask(DECISIONS, id=transaction_id)
    for decided in decisions:
        decided["criteria"] = ask(
            CRITERIA, partner=decided["partner_id"], program=decided["program"], on=decided["reference_on"]
        )
    prices = ask(PRICES, id=transaction_id)
    if line and line[0]["reverses"]:
        _name_original(ask, line[0]["reverses"], entries)
        if prices:
            _take_back(ask, line[0], prices)
    return {
        "line": line[0] if line else {"transaction_id": transaction_id, "withdrawn": True},
        "decisions": decisions,
        "prices": prices,
        "entries": entries,
    }


def _name_original(ask: Ask, original: str, entries: Rows) -> None:
    """Tell in a refund's entries of a corrected line that its original was, or was withdrawn, where that was posted as well."""
    moved = {row["posted_on"]: row["cause"].removesuffix("_line") for row in ask(ORIGINAL_MOVED, id=original)}
    for entry in entries:
        if entry["cause"] == "corrected_line" and entry["posted_on"] in moved:
            entry["cause_detail"] = f"{original}, which it reverses, was {moved[entry['posted_on']]}"


def _take_back(ask: Ask, line: dict[str, Any], prices: Rows) -> None:
    """Tell in each price of a refund what it reverses, after how many months, and what earlier refunds left of it.

    What reverses a refund gives back of that refund alone; of an original, its refunds and what gave them back count.
    """
    [original] = ask(LINE, id=line["reverses"]) or [{}]
    if not original:
        return
    left = {
        (row["program"], row["lever"], row["bracket"]): row
        for partner in {price["partner_id"] for price in prices}
        for row in ask(
            LEFT, original=original["transaction_id"], is_first=int(not original["reverses"]), partner=partner,
            at=f"{line['transaction_at']}", id=line["transaction_id"],
        )
    }  # fmt: skip
    months = _completed_months(original["transaction_at"], line["transaction_at"])
    for price in prices:
        before = left.get((price["program"], price["lever"], price["bracket"]))
        if before and before["base_left"]:
            price |= {"reverses": original["transaction_id"], "completed_months": months, **before}


def _completed_months(start: date, end: date) -> int:
    """Completed calendar months from one day to another.

    >>> _completed_months(date(2021, 1, 31), date(2021, 2, 28)), _completed_months(date(2021, 1, 5), date(2021, 3, 5))
    (0, 2)
    """
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def of_file_line(con: duckdb.DuckDBPyConnection, file: str, number: int, delivery: str | None) -> list[dict[str, Any]]:
    """All that a delivered file's line has caused, for each delivery that holds such a line, replaced or withdrawn since or not."""
    found = _rows(
        con,
        "SELECT transaction_id, CASE WHEN known_to IS NOT NULL THEN known_from END AS known_on FROM parts.transactions "
        "WHERE file_name = $file AND line_number = $number AND ($delivery IS NULL OR delivery_id = $delivery) ORDER BY delivery_id",
        file=file, number=number, delivery=delivery,
    )  # fmt: skip
    if not found:
        raise LookupError(_not_found(file, number, delivery))
    return [_of_version(con, row["transaction_id"], row["known_on"]) for row in found]


def _not_found(file: str, number: int, delivery: str | None) -> str:
    """Why the release holds no such line of a file, as far as the names tell, and where to look further."""
    named = f"{delivery or ''} {file}"
    feed = next((feed for feed in FEEDS.values() if feed.name != "transactions" and feed.name in named), None)
    if feed:
        return (
            f"[{file}] line [{number}] is of feed [{feed.name}], {feed.row}: releases name files of billing lines alone. Read the row "
            f"in archive/{delivery or 'its delivery'} of the home, and explain an entry or a partner's month that it bears on."
        )
    return (
        f"no line of the current release comes from [{file}] line [{number}]; it may be set aside "
        "(`incentives quarantine list`), replaced on its own day, or say again what was known."
    )


def of_partner_month(con: duckdb.DuckDBPyConnection, partner: str, month: date) -> dict[str, Any]:
    """What a partner earned in a month: totals, the rows that add up to them, and what earned nothing and why.

    These rows are lines with their causes, adjustments, and settlements: what became of co-op funds, balances and payments.
    """
    values: dict[str, str | int | date | None] = {"partner": partner, "month": month}
    found = {
        "totals": _rows(con, MONTH_TOTALS, **values),
        "lines": _rows(con, MONTH_LINES, **values),
        "adjustments": _rows(con, MONTH_ADJUSTMENTS, **values),
        "settlements": _rows(con, MONTH_SETTLEMENTS, **values),
        "earns nothing": _rows(con, MONTH_REFUSED, **values),
    }
    if not any(found.values()):
        raise LookupError(f"partner [{partner}] has no line and no adjustment in [{month:%Y-%m}].")
    return found
