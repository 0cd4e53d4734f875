"""From delivered text to typed columns, in SQL: nothing rounded, nothing guessed, every fault named.

For each column of a feed: the expression that types it, and the rules that a row can break by it.
"""

from warehouse.columns import COLUMNS, DUCKDB, Column, currency_of, published_name
from warehouse.tables import Feed

SCALES = {"rate": 9, "fx": 18, "quantity": 6}
MONEY = (
    "DECIMAL(15,3)"  # what a line may be, below 1,000,000,000,000; wider ones, up to 18 digits, are counted at least
)
COUNTED = "DECIMAL(18,3)"  # of more digits parse a hundred times slower (2.3 s for 1,000,000 amounts, not 0.02 s)
FIRST, LAST = "1900-01-01", "9999-12-31"  # years beyond are placeholders or slips, and no calendar of Python has them


def query(feed: Feed, present: set[str], landed: str = "landed") -> tuple[str, dict[str, str]]:
    """The query that types a table of text, and rule id → condition that a broken row fulfils.

    Beside the feed's columns the result has `t_<column>`, each column's trimmed text, `exponent`, the decimals of the
    row's currency, `file_name` and `line_number`; conditions read these. A column that the file lacks is empty.
    """
    texts = {
        column: trimmed(name) if name in present else "CAST(NULL AS VARCHAR)" for name, column in feed.delivered.items()
    }
    values = [f"{_value(column)} AS {column}" for column in texts]
    if "transaction_on" in feed.columns:
        values.append(f"CAST({_value('transaction_at')} AS DATE) AS transaction_on")
    currency = "upper(t_currency)" if "currency" in texts else "NULL"
    rules: dict[str, str] = {}
    for column in texts:
        rules |= _rules(column, required=column not in feed.optional)
    return (
        f"SELECT file_name, line_number, exponent, {', '.join(f't_{c}' for c in texts)},\n  "
        + ",\n  ".join(values)
        + "\n"
        f"FROM (SELECT file_name, line_number, {', '.join(f'{text} AS t_{c}' for c, text in texts.items())} FROM {landed})\n"
        f"LEFT JOIN (SELECT currency AS known, exponent FROM meta.currencies) ON known = {currency}"
    ), rules


def trimmed(name: str) -> str:
    """A delivered column's text without the blanks around it, of Unicode too; NULL when nothing is left."""
    return f"nullif(trim(CAST({quoted(name)} AS VARCHAR)), '')"


def counted(name: str) -> str:
    """A delivered amount as it is counted in totals, whether or not its row is a good one; NULL when it is no number."""
    return f"TRY_CAST({trimmed(name)} AS {COUNTED})"


def _value(column: str) -> str:
    described, text = COLUMNS[column], f"t_{column}"
    kind = described.kind
    if described.one_of:
        return _code(described, text)
    if kind == "country":
        return f"CASE WHEN length({text}) = 2 AND regexp_full_match({text}, '[A-Za-z]+') THEN upper({text}) END"
    if kind == "currency":
        return f"(SELECT currency FROM meta.currencies WHERE currency = upper({text}))"
    if kind == "month":
        return _within(
            f"TRY_CAST(CASE length({text}) WHEN 7 THEN {text} || '-01' "
            f"WHEN 6 THEN {text}[1:4] || '-' || {text}[5:6] || '-01' ELSE {text} END AS DATE)",
            text,
        )
    if kind == "instant":
        return _within(f"CAST(TRY_CAST({text} AS TIMESTAMPTZ) AS TIMESTAMP)", text)
    if kind == "flag":
        return (
            f"CASE WHEN lower({text}) IN ('true', '1', 'yes') THEN true "
            f"WHEN lower({text}) IN ('false', '0', 'no') THEN false END"
        )
    if kind == "money":
        return f"CAST({_money(text)} * 1000 AS BIGINT) // CAST(10 ** (3 - {_exponent(column)}) AS BIGINT)"
    if kind in SCALES:
        return f"TRY_CAST({_plain(text)} AS {DUCKDB[kind]})"
    if kind == "date":
        return _within(f"TRY_CAST({text} AS DATE)", text)
    return text


def _within(time: str, text: str) -> str:
    """A day or an instant unless it lies beyond all calendars or is written as a word, as `infinity` and `epoch` are."""
    return (
        f"CASE WHEN {text}[1] BETWEEN '0' AND '9' AND {time} BETWEEN DATE '{FIRST}' AND DATE '{LAST}' THEN {time} END"
    )


def _code(described: Column, text: str) -> str:
    spellings = {_bare(code): code for code in described.one_of} | {_bare(a): c for a, c in described.aliases}
    cases = " ".join(f"WHEN '{spelling}' THEN '{code}'" for spelling, code in spellings.items())
    return f"CASE replace(replace(replace(lower({text}), '_', ''), '-', ''), ' ', '') {cases} END"


def _bare(code: str) -> str:
    return code.lower().replace("_", "").replace("-", "").replace(" ", "")


def _plain(text: str) -> str:
    """The text unless it is written with an exponent or digit separators, which casts would accept."""
    return f"CASE WHEN NOT contains(lower({text}), 'e') AND NOT contains({text}, '_') THEN {text} END"


def _money(text: str) -> str:
    return f"TRY_CAST({_plain(text)} AS {MONEY})"


def _exponent(column: str) -> str:
    """How many decimals the currency of an amount has; that of `currency` is looked up once a row."""
    if (currency := currency_of(column)) == "currency":
        return "exponent"
    return f"(SELECT unit.exponent FROM meta.currencies AS unit WHERE unit.currency = upper(t_{currency}))"


def _decimals(text: str) -> str:
    """How many decimals a number's text has, trailing zeros apart."""
    return f"(CASE WHEN contains({text}, '.') THEN length(rtrim(split_part({text}, '.', 2), '0')) ELSE 0 END)"


def _rules(column: str, *, required: bool) -> dict[str, str]:
    described, text = COLUMNS[column], f"t_{column}"
    kind, rules, name = described.kind, {}, published_name(column)
    if required:
        rules[f"required:{name}"] = f"{text} IS NULL"
    if described.one_of or kind == "currency":
        rules[f"code:{name}"] = f"{text} IS NOT NULL AND {column} IS NULL"
    elif kind == "money":
        rules[f"type:{name}"] = f"{text} IS NOT NULL AND {_money(text)} IS NULL"
        rules[f"precision:{name}"] = f"{_money(text)} IS NOT NULL AND {_decimals(text)} > {_exponent(column)}"
    elif kind not in ("id", "text", "program"):
        rules[f"type:{name}"] = f"{text} IS NOT NULL AND {column} IS NULL"
    if kind in SCALES:
        rules[f"precision:{name}"] = f"{column} IS NOT NULL AND {_decimals(text)} > {SCALES[kind]}"
    if column == "fx_month":
        rules["first:fx_month"] = "fx_month <> date_trunc('month', fx_month)"
    return rules


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
