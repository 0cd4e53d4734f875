"""A rule: what it asks, how loud it is, and why it is there."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One expectation: `holds` is true for every good row, or `offends` selects the rows that must not exist."""

    id: str
    table: str
    means: str
    why: str
    severity: Severity = "critical"
    holds: str = ""
    offends: str = ""
