"""What the products and customers that a worked example gives tell of its lines."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from transforms.worked_examples import Given, Line, customer_of

TOLD_BY_PRODUCT = {
    word: word for word in ("product_family", "product_segment", "term", "is_strategic", "is_trial", "is_add_on")
}
TOLD_BY_CUSTOMER = {
    "customer_country": "country",
    "customer_segment": "customer_segment",
    "tenant_created_on": "tenant_created_on",
}


def with_facts(line: Line, given: Given) -> Line:
    """A line with what its product's and its customer's rows say; what it says itself comes first.

    A feed that an example gives is whole: of what has no row in it nothing is known.
    """
    of_product = _told(given.get("products"), "product_id", line.get("product_id"), TOLD_BY_PRODUCT)
    of_customer = _told(given.get("customers"), "customer_id", customer_of(line), TOLD_BY_CUSTOMER)
    return cast(Line, of_product | of_customer | line)


def _told(
    rows: Sequence[Mapping[str, Any]] | None, key: str, named: str | None, words: dict[str, str]
) -> dict[str, Any]:
    """What the row of a key says in a line's words; nothing where no feed is given or the line names none."""
    if rows is None or named is None:
        return {}
    row = next((row for row in rows if row[key] == named), dict.fromkeys(words.values()))
    return {word: row[column] for word, column in words.items() if column in row}
