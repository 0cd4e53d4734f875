"""Where a sum comes from: entry → line → decision → criteria → price → delivery, file and line; and the way back.

Reads the current release only, and loads neither pandas nor the pipeline: it answers while somebody waits.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb
import iso4217

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


def told(found: dict[str, Any]) -> list[str]:
    """An explanation as text, one thing a line; of a line, adjustment, settlement or payment."""
    if "payment" in found:
        return _told_payment(found)
    if "settlement" in found:
        return _told_settlement(found)
    if "adjustment" in found:
        made = [f"{name.replace('_', ' '):<18} {value}" for name, value in found["adjustment"].items()]
        return made + _told_entries(found["entries"])
    line = found["line"]
    if line.get("withdrawn"):
        made = [f"line        {line['transaction_id']}, withdrawn since"]
    else:
        made = [
            f"line        {line['transaction_id']} of {line['transaction_at']:%Y-%m-%d %H:%M} UTC, {line['charge_type']}",
            f"            quantity {_plain(line['quantity'])}, revenue {_money(line['revenue'], line['currency'])}, "
            f"product {line['product_id']}, customer {line['customer_id']}",
            f"            seller {line['seller_id']}, reseller {line['reseller_id'] or 'none'}"
            + (f", reverses {line['reverses']}" if line["reverses"] else ""),
            f"delivered   {_place(line)}",
        ]
    made += _told_versions(found.get("versions", []))
    if found.get("known_on"):
        made.append(f"known       as told here on {found['known_on']}")
    for decided in found["decisions"]:
        why = decided["levers"] or decided["reason_codes"]
        made.append(
            f"decision    {decided['program']}, partner {decided['partner_id']}: {decided['decision']} ({why}), priced as of "
            f"{decided['reference_on']}"
        )
        if "UNKFX" in (decided["reason_codes"] or ""):
            currencies = f"from {line.get('currency')} to {decided['program_currency'] or 'that of the program'}"
            made.append(f"            no rate {currencies} was delivered for {decided['reference_on']:%Y-%m}")
        if decided["claim_id"]:
            made.append(
                f"            by claim {decided['claim_id']}, {decided['association']} from {decided['claimed_from']}"
            )
        made += [
            f"  {c['status']:<14} {c['criterion']:<17} {c['evidence'] or ''}{' [' + c['reason_code'] + ']' if c['reason_code'] else ''}"
            for c in decided["criteria"]
        ]
    for price in found["prices"]:
        made += _told_price(price)
    return made + _told_entries(found["entries"])


def _told_versions(versions: Rows) -> list[str]:
    """Each version of a line that was replaced or withdrawn, when and by what."""
    begun = {version["known_from"]: _place(version) for version in versions}
    return [
        f"version     {_place(version)}, of {version['known_from']}; "
        + (
            f"replaced on {ended} by {begun[ended]}"
            if ended in begun
            else f"withdrawn on {ended} by a delivery that lacks it"
        )
        for version in versions
        if (ended := version["known_to"])
    ]


def _place(version: dict[str, Any]) -> str:
    return f"{version['delivery_id']}, {version['file_name']}, line {version['line_number']}"


def _told_payment(found: dict[str, Any]) -> list[str]:
    paid, rows = found["payment"], found["paid for"]
    currency, payout = paid["currency"], _money(paid["payout"], paid["payout_currency"])
    made = [
        f"payment     {paid['payment_id']} of {paid['cycle_on']} to {paid['partner_id']}, {paid['program']} {paid['earning_type']}",
        f"status      {paid['payment_status'].replace('_', ' ')} since {paid['status_on']}"
        + (f", bank says {paid['bank_reason']}" if paid["bank_reason"] else ""),
        f"paid        {_money(paid['payment'], currency)} less {_money(paid['withheld'], currency)} withheld, plus "
        f"{_money(paid['sales_tax'], currency)} sales tax = {payout}"
        + (f" at {_plain(paid['fx_rate'])}" if currency != paid["payout_currency"] else ""),
    ]
    made += _told_sums(rows, paid["payment"], currency, "carried over from, or kept for, other balances")
    return made + _told_entries(found["entries"])


def _told_sums(rows: Rows, whole: Any, currency: str, otherwise: str) -> list[str]:
    """What a sum is for, by month and lever, and what the rest of it is."""
    made = [
        f"for         {row['earning_month']:%Y-%m}  {row['lever']:<40} {_money(row['amount'], currency):>18}  {row['lines']} line{'' if row['lines'] == 1 else 's'}"
        for row in rows
    ]
    if rest := whole - sum(row["amount"] for row in rows):
        made.append(f"            {otherwise:<49} {_money(rest, currency):>18}")
    return made


def _told_settlement(found: dict[str, Any]) -> list[str]:
    entry = found["settlement"]
    made = [
        f"settlement  {entry['cause'].replace('_', ' ')} of {entry['posted_on']}, {entry['program']} {entry['earning_type']} "
        f"of partner {entry['partner_id']}: {_money(entry['amount'], entry['currency'])}",
        f"why         {entry['cause_detail']}",
    ]
    for fund in found["fund"]:
        states = ("accrued", "adjusted", "converted", "claimed", "pending", "forfeited", "open")
        sums = ", ".join(f"{state} {_money(fund[state], fund['currency'])}" for state in states)
        made += [
            f"fund        co-op of {fund['half_from']} until before {fund['half_to']}, {fund['fund_stage']}",
            f"today       {sums}",
        ]
    if found["balance"]:
        made += _told_sums(found["balance"], -entry["amount"], entry["currency"], "paid before, or left in the balance")
    return made + _told_entries(found["entries"])


HELD_BY = {
    "exclusive_partner": "another partner earned on the customer first and keeps it",
    "one_earning": "it has been earned on once, which is all that the lever pays",
    "baseline": "what it is compared with is not known",
    "minimum": "below the lever's minimum",
    "stack": "another lever of its group pays for the line",
    "cap": "held by a cap",
}


def _told_price(price: dict[str, Any]) -> list[str]:
    currency = price["currency"]
    held = f"; {HELD_BY[price['held_by']]}" if price["held_by"] else ""
    made = [
        f"price       {price['program']} {price['lever']}{_priced(price)} {_money(price['earning'], currency)}"
        f"{' (illustrative)' if price['is_illustrative'] else ''}{held}",
        f"  split     rebate {_money(price['rebate'], currency)}, co-op {_money(price['coop'], currency)}",
        f"  rules     {price['rule_version']}; {price['reference'] or 'lever no longer in force'}{_told_by(price)}",
    ]
    made += [f"  {about:<9} {price[about]}" for about in ("pays", "bounds") if price[about]]
    if price["position"]:
        made.append(f"  position  {_plain(price['position'])} before this line")
    if currency != price["program_currency"]:
        made.append(
            f"  exchange  1 {currency} = {_plain(price['fx_rate'])} {price['program_currency']} in "
            f"{price['fx_month']:%Y-%m}: {_money(price['program_earning'], price['program_currency'])}"
        )
    return made


def _told_by(price: dict[str, Any]) -> str:
    """Which rules the words about a price are of, where they were edited since."""
    today = price["rules_today"]
    return f"; in the words of today's rules, {today}" if today and today != price["rule_version"] else ""


def _priced(price: dict[str, Any]) -> str:
    """How an earning comes about; bracket 0 is of lines that reach none, and of what rounding over a period adds."""
    if not price["bracket"]:
        return ", rounding of the period:" if price["earning"] else " pays nothing for the line:"
    if "reverses" in price:
        return f", bracket {price['bracket']}: {_taken_back(price)}"
    if price["rate"] is not None:
        priced = f"{_money(price['base'], price['currency'])} × {_plain(price['rate'] * 100)} %"
    else:
        priced = f"at {_plain(price['unit_amount'])} {price['program_currency']}"
    return f", bracket {price['bracket']}: {priced}{', of which' if price['held_by'] else ' ='}"


def _taken_back(price: dict[str, Any]) -> str:
    """What a refund takes back: its part of what was left of the earning and, where a ladder holds some of that, how much."""
    currency, left, base = price["currency"], price["earning_left"], price["base_left"]
    part = left * price["base"] / base
    verb = "takes back" if left > 0 else "gives back"
    said = f"{verb} {_amount(abs(price['base']), currency)} / {_money(abs(base), currency)} of the {_money(left, currency)} left of {price['reverses']}"
    if abs(part - price["earning"]) < 10 ** -_decimals(currency):
        return f"{said} ="
    months = price["completed_months"]
    return f"{said}, {_money(part, currency)}, of which after {months} completed month{'' if months == 1 else 's'}"


def _told_entries(entries: Rows) -> list[str]:
    made = [
        f"posted      {e['posted_on']}  {e['program']}  {e['earning_type']:<6} {_in_both(e)}  {e['cause']}{_detail(e, entries)}  {e['entry_id']}"
        for e in entries
    ]
    sums: dict[tuple[str, ...], dict[str, Any]] = {}
    for e in entries:
        key = (e["program"], e["earning_type"], e["currency"])
        held = sums.setdefault(key, {**e, "amount": 0, "program_amount": 0})
        held |= {name: held[name] + e[name] for name in ("amount", "program_amount")}
    return made + [
        f"sum         {held['program']}  {held['earning_type']:<6} {_in_both(held)}" for held in sums.values()
    ]


def _in_both(entry: dict[str, Any]) -> str:
    """An amount, and what it is in the program's currency where that is another one."""
    own, program = entry["currency"], entry["program_currency"]
    said = f"{_money(entry['amount'], own):>18}"
    return said if own == program else f"{said} {_money(entry['program_amount'], program):>18}"


def _detail(entry: dict[str, Any], entries: Rows) -> str:
    """What exactly changed, if the entry says it; of a corrected exchange rate also the rate before and now."""
    if entry["cause"] != "fx_correction":
        return f" ({entry['cause_detail']})" if entry["cause_detail"] else ""
    earlier = [e for e in entries if e["posted_on"] < entry["posted_on"] and _is_of(e, entry)]
    before = f", before {_plain(earlier[-1]['fx_rate'])}" if earlier else ""
    rate = f"1 {entry['currency']} = {_plain(entry['fx_rate'])} {entry['program_currency']}"
    return f" ({rate} in {entry['cause_detail']}{before})"


def _is_of(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("program", "lever", "currency"))


def _money(amount: Any, currency: str) -> str:
    """An amount with the decimals of its currency.

    >>> from decimal import Decimal
    >>> _money(Decimal("-1234.500"), "USD"), _money(Decimal("12345.000"), "JPY")
    ('-1,234.50 USD', '12,345 JPY')
    """
    return f"{_amount(amount, currency)} {currency}"


def _amount(amount: Any, currency: str) -> str:
    return f"{amount:,.{_decimals(currency)}f}"


def _decimals(currency: str) -> int:
    return iso4217.Currency(currency).exponent or 0


def _plain(number: Any) -> str:
    """A decimal without the zeros at its end.

    >>> from decimal import Decimal
    >>> _plain(Decimal("4.0000")), _plain(Decimal("100"))
    ('4', '100')
    """
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
