"""Who sees what. Every query on a partner's data goes through a Scope.

A user's roles come from the published table `users`: location × program × role. Nothing of it comes from an address.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from app import explain
from app.dashboard.current import Release

ALL_PROGRAMS = "*"
ADMIN = "incentives_admin"
HAS_PROGRAM = (
    "adjustments", "decisions", "earnings", "earnings_ledger", "earnings_monthly", "eligibility_criteria",
    "eligibility_history", "eligibility_status", "ineligible_revenue", "invitations", "enrolments", "coop_funds", "coop_claims",
    "payments", "statements", "upcoming_payments",
)  # fmt: skip
BY_LINE = "transactions"  # which name the partners of a line in columns of their own
OWN_CUSTOMERS = "customers"  # of which a partner sees those of its own lines
AFTER_SET_UP = (*HAS_PROGRAM, BY_LINE, OWN_CUSTOMERS)
ENROLLING = (  # what users who are no admins see while an admin completes an enrolment, as in Partner Center
    "* REPLACE (CASE WHEN enrolment_status IN ('action_required', 'validating_enrollment') THEN 'enrolling' "
    "ELSE enrolment_status END AS enrolment_status, CASE WHEN next_status IN ('action_required', 'validating_enrollment') "
    "THEN 'enrolling' ELSE next_status END AS next_status, NULL AS what_to_do)"
)
LOCATION_ONLY = ("partners", "associations")
# of 3,800,000 lines found in 0.03 s, each branch in the row groups of the partner; by a join with its decisions in 0.6 s
LINES = (
    "SELECT * FROM transactions WHERE reseller_id = $partner_of_scope UNION ALL SELECT * FROM transactions "
    "WHERE seller_id = $partner_of_scope AND reseller_id IS DISTINCT FROM $partner_of_scope"
)
CLAIMED = (
    "SELECT line.* FROM transactions AS line SEMI JOIN (FROM decisions WHERE partner_id = $partner_of_scope "
    "AND claim_id IS NOT NULL) USING (transaction_id) WHERE reseller_id IS DISTINCT FROM $partner_of_scope "
    "AND seller_id IS DISTINCT FROM $partner_of_scope"
)
ADMINS_ONLY = ("users",)
REQUESTS = "partner_requests"  # of which who is no admin sees what they asked for themselves


class Forbidden(Exception):
    """What the user may not see."""


@dataclass(frozen=True)
class Grant:
    """One role of a user: at a partner location, in a program or in all."""

    partner_id: str
    program: str
    role: str


@dataclass(frozen=True)
class Viewer:
    """Who is signed in, with the roles of the current release."""

    email: str
    grants: tuple[Grant, ...] = ()
    is_operator: bool = False

    def locations(self) -> list[str]:
        return sorted({grant.partner_id for grant in self.grants})


def operators() -> set[str]:
    """Who sees all partners, by e-mail address, from INCENTIVES_OPERATORS (separated by commas)."""
    named = os.environ.get("INCENTIVES_OPERATORS", "")
    return {email.strip().lower() for email in named.split(",") if email.strip()}


def viewer(release: Release, email: str) -> Viewer | None:
    """Who an e-mail address is, None for one without a role."""
    email = email.strip().lower()
    if email in operators():
        return Viewer(email, is_operator=True)
    rows = release.rows("SELECT partner_id, program, role FROM users WHERE lower(user_email) = $email", email=email)
    grants = tuple(Grant(*row) for row in rows.itertuples(index=False, name=None))
    return Viewer(email, grants) if grants else None


def matching(names: dict[str, str], sought: str) -> list[str]:
    """The locations whose name or number has a text in it, whatever its case."""
    text = sought.strip().casefold()
    return [partner for partner, name in names.items() if text in f"{name} · {partner}".casefold()]


@dataclass(frozen=True)
class Scope:
    """What one viewer sees of one partner location: the only way from a page to a partner's rows."""

    release: Release
    viewer: Viewer
    partner_id: str

    def __post_init__(self) -> None:
        if not self.viewer.is_operator and self.partner_id not in self.viewer.locations():
            raise Forbidden(f"[{self.viewer.email}] has no role at location [{self.partner_id}].")

    @property
    def grants(self) -> list[Grant]:
        return [grant for grant in self.viewer.grants if grant.partner_id == self.partner_id]

    @property
    def is_admin(self) -> bool:
        return self.viewer.is_operator or any(grant.role == ADMIN for grant in self.grants)

    @cached_property
    def is_set_up(self) -> bool:
        """Whether the location's data is shown: always to operators, to others when its admin completed the set-up."""
        found = self.release.rows(
            "SELECT bool_or(set_up_on IS NOT NULL) AS done FROM users WHERE partner_id = $id", id=self.partner_id
        )
        return self.viewer.is_operator or bool(found["done"].iloc[0])

    @property
    def programs(self) -> list[str] | None:
        """The programs that the viewer sees here; None: all."""
        return self._programs(self.grants)

    @property
    def admin_programs(self) -> list[str] | None:
        """The programs whose incentives admin the viewer is here; None: all."""
        return self._programs([grant for grant in self.grants if grant.role == ADMIN])

    def _programs(self, grants: list[Grant]) -> list[str] | None:
        seen = {grant.program for grant in grants}
        return None if self.viewer.is_operator or ALL_PROGRAMS in seen else sorted(seen)

    def ask(self, sql: str, **values: Any) -> pd.DataFrame:
        """The rows of a page's own query, whose tables are written `{table}` and hold this partner's rows alone."""
        return self.release.rows(sql.format_map(_Tables(self)), **self.bound(), **values)

    def ask_rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """As `ask`, a mapping a row."""
        return self.ask_arrow(sql, **values).to_pylist()

    def ask_arrow(self, sql: str, **values: Any) -> pa.Table:
        """As `ask`, as Arrow has it."""
        return self.release.arrow(sql.format_map(_Tables(self)), **self.bound(), **values)

    def customers(self, ids: Iterable[str | None]) -> dict[str, str]:
        """Some of the partner's own customers → what they are called."""
        wanted = sorted({one for one in ids if isinstance(one, str)})
        rows = self.ask(
            "SELECT customer_id, customer_name FROM {customers} SEMI JOIN (SELECT unnest($ids::VARCHAR[]) AS customer_id) "
            "USING (customer_id)",
            ids=wanted,
        )
        return dict(rows.itertuples(index=False, name=None))

    def explained(self, transaction_id: str) -> dict[str, Any] | None:
        """All about one billing line that this partner sees, as `explain` tells it; None for any other."""
        held = self.ask("SELECT 1 FROM {decisions} WHERE transaction_id = $id LIMIT 1", id=transaction_id)
        if held.empty:
            return None
        return explain.of_line(self.ask_rows, transaction_id)

    @cached_property
    def _has_claimed(self) -> bool:
        """Whether the partner earns on lines of others, to whose customers it has a claim."""
        claimed = "SELECT 1 FROM decisions WHERE partner_id = $id AND claim_id IS NOT NULL LIMIT 1"
        return not self.release.rows(claimed, id=self.partner_id).empty

    def bound(self) -> dict[str, Any]:
        """The values that every scoped query binds."""
        return {
            "partner_of_scope": self.partner_id, "programs_of_scope": self.programs,
            "admin_programs_of_scope": self.admin_programs, "viewer_of_scope": self.viewer.email,
        }  # fmt: skip

    def table(self, name: str) -> str:
        """The SQL of a table's rows that are the partner's own and of programs that the viewer sees.

        Of transactions, which know no program, the lines that it sells, resells or earns on by a claim; of customers those of
        these lines.
        Raises Forbidden for a table that is not a partner's, one for admins alone, and before the set-up is complete.
        """
        if name in ADMINS_ONLY and not self.is_admin:
            raise Forbidden(f"[{name}] is for incentives admins.")
        if name not in (*AFTER_SET_UP, *LOCATION_ONLY, *ADMINS_ONLY, REQUESTS):
            raise Forbidden(f"[{name}] is no table of a partner.")
        if name in AFTER_SET_UP and not self.is_set_up:
            raise Forbidden(f"the set-up of [{self.partner_id}] is not complete.")
        if name == REQUESTS and not self.is_admin:
            return f"(FROM {name} WHERE partner_id = $partner_of_scope AND lower(requested_by) = $viewer_of_scope)"
        if name == BY_LINE:
            return f"({LINES} UNION ALL {CLAIMED})" if self._has_claimed else f"({LINES})"
        if name == OWN_CUSTOMERS:
            return f"(FROM {name} SEMI JOIN {self.table(BY_LINE)} USING (customer_id))"
        seen = "partner_id = $partner_of_scope"
        if name not in LOCATION_ONLY:
            programs = "$admin_programs_of_scope" if name in (*ADMINS_ONLY, REQUESTS) else "$programs_of_scope"
            seen += f" AND ({programs} IS NULL OR program = '*' OR list_contains({programs}, program))"
        columns = ENROLLING if name == "enrolments" and not self.is_admin else "*"
        return f"(SELECT {columns} FROM {name} WHERE {seen})"


class _Tables(dict):
    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __missing__(self, name: str) -> str:
        return self.scope.table(name)
