"""What each rule by which delivered rows are set aside asks for, in words; rules on feeds have theirs in expectations/rules.py."""

from warehouse.casting import FIRST, SCALES
from warehouse.columns import COLUMNS

WRITTEN = {
    "country": "two letters, such as US",
    "month": "a month as 2022-03",
    "instant": f"an instant as 2022-03-25T10:00:00Z, of {FIRST} or later",
    "date": f"a day as 2022-03-25, of {FIRST} or later",
    "flag": "true or false",
    "money": "a decimal number as -1234.50, below 1,000,000,000,000",
    "rate": "a decimal number as 0.04",
    "fx": "a decimal number as 1.0843",
    "quantity": "a decimal number as 12.5",
}
OTHERWISE = {
    "first:fx_month": "the month of a rate is named by its first day",
    "future:transaction_at": "a transaction is not after the time at which its delivery was made",
    "shape": "a line has as many fields as the header; a line of JSON is one object that names each member once",
    "conflict": "a key stands once in a delivery, or each time with the same content",
}


def expected(rule: str) -> str:
    """What a row that broke one of these rules should have had, in words.

    >>> expected("type:revenue"), expected("required:currency")
    ('revenue is a decimal number as -1234.50, below 1,000,000,000,000', 'currency has a value')
    """
    kind, _, name = rule.partition(":")
    if rule in OTHERWISE:
        return OTHERWISE[rule]
    described = COLUMNS[name if name in COLUMNS else f"{name}_minor"]
    if kind == "required":
        return f"{name} has a value"
    if kind == "code":
        return f"{name} is {'one of ' + ', '.join(described.one_of) if described.one_of else 'a currency of ISO 4217'}"
    if kind == "precision":
        most = "those of its currency" if described.kind == "money" else str(SCALES[described.kind])
        return f"{name} has no more decimals than {most}"
    return f"{name} is {WRITTEN[described.kind]}"
