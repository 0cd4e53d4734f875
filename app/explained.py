"""An explanation as text, as the command and the dashboard show it."""

from typing import Any

import iso4217

from app.explain import Rows

HELD_BY = {
    "exclusive_partner": "another partner earned on the customer first and keeps it",
    "one_earning": "it has been earned on once, which is all that the lever pays",
    "baseline": "what it is compared with is not known",
    "minimum": "below the lever's minimum",
    "stack": "another lever of its group pays for the line",
    "cap": "held by a cap",
}


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
