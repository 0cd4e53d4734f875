"""The JSON Schema of a program file, for editors that check and complete what is written."""

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from app.program_meanings import MEANINGS
from transforms.programs import Program
from warehouse.columns import COLUMNS
from warehouse.tables import FEEDS


class _Written(GenerateJsonSchema):
    """What a file may hold: no titles, no defaults of dated values, days as text."""

    ignored_warning_kinds = {"non-serializable-default"}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def program_schema() -> str:
    """The schema as text, with the meaning of each key."""
    made = TypeAdapter(Program).json_schema(by_alias=True, schema_generator=_Written)
    del made["properties"]["rule_version"]
    parts = {"Program": made, **made["$defs"]}
    for name, part in parts.items():
        part.pop("title", None)
        for key, held in part.get("properties", {}).items():
            held["description"] = _means(name, key)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Program file of partner-incentives"}
    return json.dumps(head | made, indent=2, ensure_ascii=False) + "\n"


def _means(part: str, key: str) -> str:
    """The meaning of a key; rows of feeds have the columns of the data dictionary."""
    if meaning := MEANINGS.get(f"{part}.{key}"):
        return meaning
    return f"One row is {FEEDS[key].row}." if key in FEEDS else COLUMNS[key].means
