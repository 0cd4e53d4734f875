"""What a lever selects lines by: columns, each with a value, a list of values, or `{not: …}`."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, WithJsonSchema

from transforms.rule_values import Fault, refuse
from transforms.vocabulary import EXPONENTS, remedy_of, unknown

Selectable = Literal[
    "product_id",
    "product_family",
    "product_segment",
    "term",
    "is_strategic",
    "is_trial",
    "is_add_on",
    "customer_id",
    "customer_segment",
    "customer_country",
    "charge_type",
    "association",
    "currency",
]
SELECTABLE: tuple[str, ...] = get_args(Selectable)


def _sound(select: dict[Selectable, Any]) -> dict[Selectable, Any]:
    refuse(fault for column, wanted in select.items() for fault in _faults(column, wanted))
    return select


def _faults(column: str, wanted: object) -> Iterator[Fault]:
    if isinstance(wanted, dict):
        if list(wanted) != ["not"]:
            remedy = f"{column} selects by a value, a list, or {{not: …}} alone; leave the other keys out"
            yield Fault((column,), ", ".join(str(key) for key in wanted), remedy)
            return
        wanted = wanted["not"]
    listed = wanted if isinstance(wanted, list) else [wanted]
    if not listed:
        yield Fault((column,), "", f"{column} selects by an empty list, which no line matches; name a value")
    kind, words = (bool, "true or false") if column.startswith("is_") else (str, "a text; write it in quotes")
    for value in listed:
        if not isinstance(value, kind):
            yield Fault((column,), value, f"{column} is {words}")
        elif column == "currency" and value not in EXPONENTS:
            yield Fault(
                (column,), value, f"currency [{value}] is not in ISO 4217 as money in trade; write a code such as USD"
            )
        elif column == "customer_country" and not re.fullmatch("[A-Z]{2}", str(value)):
            yield Fault((column,), value, "no country is written so; write two capital letters, as NO")
        elif unknown(column, [value] if isinstance(value, str) else []):
            yield Fault((column,), value, remedy_of(column))


def _schema() -> dict[str, Any]:
    def one(kind: str) -> dict[str, Any]:
        listed = {"anyOf": [{"type": kind}, {"type": "array", "minItems": 1, "items": {"type": kind}}]}
        negated = {"type": "object", "properties": {"not": listed}, "required": ["not"], "additionalProperties": False}
        return {"anyOf": [*listed["anyOf"], negated]}

    columns = {column: one("boolean" if column.startswith("is_") else "string") for column in SELECTABLE}
    return {"type": "object", "properties": columns, "additionalProperties": False}


Selection = Annotated[dict[Selectable, Any], AfterValidator(_sound), WithJsonSchema(_schema())]
