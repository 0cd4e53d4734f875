"""Table contracts: what each table is, what one row is, which columns it has. DDL, types and checks derive from here."""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from warehouse.columns import COLUMNS, DUCKDB, PUBLISHED_MONEY, published_name

Layer = Literal["clean", "derived", "audit", "published"]
PROVENANCE = ("delivery_id", "file_name", "line_number")
KNOWN = ("known_from", "known_to")
ARROW = {
    "VARCHAR": pa.large_string(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DECIMAL(18,9)": pa.decimal128(18, 9),
    "DECIMAL(28,18)": pa.decimal128(28, 18),
    "DECIMAL(18,6)": pa.decimal128(18, 6),
    "DECIMAL(38,4)": pa.decimal128(38, 4),
    "DECIMAL(38,6)": pa.decimal128(38, 6),
    "DECIMAL(38,21)": pa.decimal128(38, 21),
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its layer (a DuckDB schema), what one row is, its key and its columns."""

    name: str
    layer: Layer
    row: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.columns) - set(COLUMNS)):
            raise ValueError(f"table [{self.name}] names columns that warehouse/columns.py lacks: {unknown}")
        if stray := sorted({*self.key, *self.optional} - set(self.columns)):
            raise ValueError(f"table [{self.name}] has key or optional columns outside its columns: {stray}")

    @property
    def full_name(self) -> str:
        return f"{self.layer}.{self.name}"

    @property
    def stored(self) -> tuple[str, ...]:
        """Every column the warehouse keeps, bookkeeping included."""
        return self.columns

    def duckdb_type(self, column: str) -> str:
        return DUCKDB[COLUMNS[column].kind]

    @property
    def ddl(self) -> str:
        columns = ", ".join(
            f"{c} {self.duckdb_type(c)}{'' if c in self.nullable else ' NOT NULL'}" for c in self.stored
        )
        return f"CREATE TABLE IF NOT EXISTS {self.full_name} ({columns})"

    @property
    def nullable(self) -> set[str]:
        return {*self.optional, "known_to", "confirmed_on"}

    @property
    def arrow_schema(self) -> pa.Schema:
        """The contract's columns as Arrow types; dates are days, instants are UTC without a zone."""
        return pa.schema([pa.field(c, ARROW[self.duckdb_type(c)], nullable=c in self.nullable) for c in self.columns])


@dataclass(frozen=True, kw_only=True)
class Feed(Table):
    """A feed: what is delivered, how it may be late, and when a delivery of it is refused for its rejects."""

    layer: Layer = "clean"
    required: bool = False
    reject_limit: float = 0.1  # share of rows; more than this and the delivery is refused whole

    @property
    def stored(self) -> tuple[str, ...]:
        return (*self.columns, "business_date", *PROVENANCE, *KNOWN, "confirmed_on", "is_withdrawn")

    @property
    def delivered(self) -> dict[str, str]:
        """Column names in a delivered file, each with the column that it becomes."""
        return {published_name(c): c for c in self.columns if c != "transaction_on"}


@dataclass(frozen=True, kw_only=True)
class Derived(Table):
    """A table that a settle run works out.

    `group` names the columns whose rows are replaced together when one of them changes; older versions stay,
    with the days on which they were known. `replaced` names the columns whose rows are replaced without keeping older
    ones. With neither the table is append-only.
    """

    layer: Layer = "derived"
    group: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()

    @property
    def stored(self) -> tuple[str, ...]:
        return (*self.columns, *KNOWN) if self.group else self.columns


@dataclass(frozen=True, kw_only=True)
class Published(Table):
    """A table that dashboards, analysts and partners read; money is decimal.

    `parts` is what each release adds to the table, in files that releases share: versions of rows, entries or sums.
    Of versions, the release also keeps what was known before: `<table>_known_on(day)`. Without parts the table is
    copied whole, which is for tables that do not grow with the days settled.
    """

    layer: Layer = "published"
    parts: Literal["versions", "entries", "sums"] | None = None

    @property
    def published_columns(self) -> dict[str, str]:
        """Column names as published, each with its DuckDB type."""
        return {
            published_name(c): PUBLISHED_MONEY if COLUMNS[c].kind == "money" else self.duckdb_type(c)
            for c in self.columns
        }


FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        Feed(
            name="partners",
            row="one partner location",
            key=("partner_id",),
            columns=(
                "partner_id",
                "global_partner_id",
                "partner_name",
                "country",
                "tenant_id",
                "tenant_country",
                "partner_type",
                "reseller_status",
            ),
        ),
        Feed(
            name="agreements",
            row="one agreement that a partner signed",
            key=("agreement_id",),
            columns=(
                "agreement_id",
                "partner_id",
                "agreement_type",
                "agreement_status",
                "signed_on",
                "valid_from",
                "valid_to",
            ),
            optional=("valid_to",),
            required=True,
        ),
        Feed(
            name="competencies",
            row="one competency of a partner over one span of days",
            key=("partner_id", "competency", "competency_level", "valid_from"),
            columns=("partner_id", "competency", "competency_level", "valid_from", "valid_to"),
            optional=("valid_to",),
        ),
        Feed(
            name="enrolments",
            row="one state of a partner's enrolment in a program over one span of days",
            key=("partner_id", "program", "valid_from"),
            columns=("partner_id", "program", "enrolment_status", "valid_from", "valid_to"),
            optional=("valid_to",),
        ),
        Feed(
            name="payee_profiles",
            row="how one partner location is paid",
            key=("partner_id",),
            columns=("partner_id", "bank_status", "tax_status", "payout_currency", "validated_on"),
            optional=("validated_on",),
        ),
        Feed(
            name="products",
            row="one offer of the price list",
            key=("product_id",),
            columns=(
                "product_id",
                "product_name",
                "product_family",
                "product_segment",
                "is_strategic",
                "term",
                "is_trial",
                "is_add_on",
            ),
            optional=("product_family", "product_segment", "is_strategic", "term"),
        ),
        Feed(
            name="customers",
            row="one customer tenant",
            key=("customer_id",),
            columns=("customer_id", "customer_name", "country", "customer_segment", "tenant_created_on"),
            optional=("customer_segment", "tenant_created_on"),
        ),
        Feed(
            name="fx_rates",
            row="one exchange rate for one calendar month",
            key=("fx_month", "from_currency", "to_currency"),
            columns=("fx_month", "from_currency", "to_currency", "fx_rate"),
            required=True,
        ),
        Feed(
            name="users",
            row="one role of a user at one partner location in one program (`*`: in all)",
            key=("user_email", "partner_id", "program"),
            columns=("user_email", "user_name", "role", "partner_id", "program"),
        ),
        Feed(
            name="transactions",
            row="one billing line",
            key=("transaction_id",),
            columns=(
                "transaction_id",
                "seller_id",
                "reseller_id",
                "customer_id",
                "product_id",
                "subscription_id",
                "transaction_at",
                "transaction_on",
                "invoice_at",
                "charge_type",
                "quantity",
                "revenue_minor",
                "tax_minor",
                "currency",
                "association",
                "reverses",
            ),
            optional=("reseller_id", "subscription_id", "invoice_at", "tax_minor", "association", "reverses"),
            required=True,
        ),
    )
}

BOOKS: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="deliveries",
            layer="clean",
            row="one delivery, taken in or refused",
            key=("delivery_id",),
            columns=(
                "delivery_id",
                "feed",
                "business_date",
                "created_at",
                "mode",
                "part",
                "parts",
                "supersedes",
                "manifest_hash",
                "delivery_status",
                "rows_read",
                "rows_accepted",
                "rows_duplicate",
                "rows_quarantined",
                "rows_corrected",
                "rows_withdrawn",
                "message",
                "run_id",
            ),
            optional=("part", "parts", "supersedes", "mode", "message", "run_id", "created_at", "manifest_hash"),
        ),
        Table(
            name="delivery_amounts",
            layer="clean",
            row="what one delivery of transactions held in one currency (`?`: not readable)",
            key=("delivery_id", "currency"),
            columns=(
                "delivery_id",
                "currency",
                "read_amount",
                "accepted_amount",
                "duplicate_amount",
                "quarantined_amount",
            ),
        ),
        Table(
            name="quarantine",
            layer="clean",
            row="one delivered row that was set aside",
            key=("quarantine_id",),
            columns=(
                "quarantine_id",
                "feed",
                "business_date",
                "delivery_id",
                "file_name",
                "line_number",
                "row_key",
                "rules_broken",
                "original",
                "delivered",
                "released_by",
            ),
            optional=("row_key", "original", "delivered", "released_by"),
        ),
        Table(
            name="runs",
            layer="derived",
            row="one run that settled a business day or restated",
            key=("run_id",),
            columns=(
                "run_id",
                "run_number",
                "business_date",
                "rules_hash",
                "engine_version",
                "deliveries",
                "rows_read",
                "entry_count",
                "entries_hash",
                "chain_head",
                "message",
            ),
            optional=("entry_count", "entries_hash", "chain_head", "message"),
        ),
        Table(
            name="closes",
            layer="derived",
            row="one accounting month that takes no more entries",
            key=("period",),
            columns=("period", "closed_on", "closed_by", "run_number"),
        ),
        Table(
            name="rule_edits",
            layer="derived",
            row="one set of rule files that would change, or has changed, what is posted",
            key=("rules_hash",),
            columns=(
                "rules_hash",
                "edit_status",
                "noted_on",
                "entry_count",
                "written_by",
                "approved_by",
                "restated_from",
            ),
            optional=("written_by", "approved_by", "restated_from"),
        ),
    )
}

DERIVED: dict[str, Derived] = {
    table.name: table
    for table in (
        Derived(
            name="eligibility_criteria",
            row="how one criterion of a program stood for one partner over one span of days",
            key=("program", "partner_id", "criterion_number", "valid_from"),
            group=("program", "partner_id"),
            columns=(
                "program",
                "partner_id",
                "criterion_number",
                "criterion",
                "valid_from",
                "valid_to",
                "status",
                "reason_code",
                "evidence",
            ),
            optional=("valid_to", "reason_code", "evidence"),
        ),
        Derived(
            name="eligibility",
            row="a partner's standing in a program over one span of days on which nothing changes",
            key=("program", "partner_id", "valid_from"),
            group=("program", "partner_id"),
            columns=("program", "partner_id", "valid_from", "valid_to", "eligibility", "is_earning", "reason_codes"),
            optional=("valid_to", "reason_codes"),
        ),
        Derived(
            name="decisions",
            row="what became of one line in one program",
            key=("transaction_id", "program"),
            group=("transaction_id", "program"),
            columns=(
                "transaction_id",
                "program",
                "partner_id",
                "decision",
                "levers",
                "reason_codes",
                "reference_on",
                "earning_month",
                "revenue_minor",
                "currency",
                "rule_version",
            ),
            optional=("levers", "reason_codes"),
        ),
        Derived(
            name="earnings",
            row="what one line should earn in one bracket of one lever",
            key=("transaction_id", "program", "lever", "bracket"),
            group=("transaction_id", "program"),
            columns=(
                "transaction_id",
                "program",
                "lever",
                "bracket",
                "partner_id",
                "earning_month",
                "rate",
                "unit_amount",
                "position",
                "baseline",
                "held_by",
                "is_illustrative",
                "base_minor",
                "currency",
                "earning_minor",
                "rebate_minor",
                "coop_minor",
                "fx_month",
                "fx_rate",
                "program_currency",
                "program_earning_minor",
                "program_rebate_minor",
                "program_coop_minor",
                "rule_version",
            ),
            optional=("rate", "unit_amount", "baseline", "held_by"),
        ),
        Derived(
            name="holders",
            row="which partner keeps one customer for one lever",
            key=("program", "lever", "scope"),
            group=("program", "lever", "scope"),
            columns=("program", "lever", "scope", "partner_id", "transaction_id", "held_since"),
        ),
        Derived(
            name="positions",
            row="how far one scope of a lever's scale, minimum or cap is filled",
            key=("program", "partner_id", "cell_from", "lever", "rule_part", "cap_number", "scope"),
            replaced=("program", "partner_id", "cell_from"),
            columns=(
                "program",
                "partner_id",
                "cell_from",
                "lever",
                "rule_part",
                "cap_number",
                "scope",
                "measure",
                "under_cap_minor",
                "is_waiting",
                "last_at",
            ),
            optional=("measure", "under_cap_minor"),
        ),
        Derived(
            name="earnings_ledger",
            row="one posted difference of one line's rebate or co-op",
            key=("entry_id",),
            columns=(
                "entry_id",
                "run_id",
                "posted_on",
                "period",
                "transaction_id",
                "adjustment_id",
                "program",
                "lever",
                "bracket",
                "partner_id",
                "earning_type",
                "earning_month",
                "currency",
                "amount_minor",
                "program_currency",
                "program_amount_minor",
                "rate",
                "fx_month",
                "fx_rate",
                "rule_version",
                "cause",
                "cause_detail",
            ),
            optional=(
                "transaction_id",
                "adjustment_id",
                "rate",
                "fx_month",
                "fx_rate",
                "rule_version",
                "cause_detail",
            ),
        ),
        Derived(
            name="adjustments",
            row="one manual adjustment that was declared, approved and posted",
            key=("adjustment_id",),
            columns=(
                "adjustment_id",
                "program",
                "partner_id",
                "earning_month",
                "earning_type",
                "currency",
                "amount_minor",
                "adjustment_reason",
                "note",
                "written_by",
                "approved_by",
                "reference",
                "posted_on",
            ),
            optional=("note",),
        ),
        Derived(
            name="invitations",
            row="one invitation of a partner to a program, due once for ever",
            key=("program", "partner_id"),
            columns=("program", "partner_id", "transaction_id", "invited_on", "posted_on"),
        ),
    )
}

PUBLISHED: dict[str, Published] = {
    table.name: table
    for table in (
        Published(
            name="eligibility_status",
            row="the verdict on one partner in one program as of the day",
            key=("program", "partner_id"),
            columns=(
                "program",
                "partner_id",
                "eligibility",
                "earns_from",
                "earns_to",
                "reason_codes",
                "partner_can_act",
            ),
            optional=("earns_from", "earns_to", "reason_codes"),
        ),
        Published(
            name="eligibility_criteria",
            row="one criterion of a program for one partner as of the day",
            key=("program", "partner_id", "criterion_number"),
            columns=(
                "program",
                "partner_id",
                "criterion_number",
                "criterion",
                "status",
                "valid_from",
                "valid_to",
                "evidence",
                "reason_code",
                "reason",
                "partner_can_act",
                "what_to_do",
            ),
            optional=("valid_to", "evidence", "reason_code", "reason", "what_to_do"),
        ),
        Published(
            name="eligibility_history",
            row="how one criterion of a program stood for one partner over one span of days",
            key=("program", "partner_id", "criterion_number", "valid_from"),
            parts="versions",
            columns=(*DERIVED["eligibility_criteria"].columns, "known_from"),
            optional=DERIVED["eligibility_criteria"].optional,
        ),
        Published(
            name="transactions",
            row="one billing line as known on the day",
            key=("transaction_id",),
            parts="versions",
            columns=(
                "transaction_id",
                "seller_id",
                "reseller_id",
                "customer_id",
                "product_id",
                "subscription_id",
                "transaction_at",
                "invoice_at",
                "charge_type",
                "quantity",
                "revenue_minor",
                "tax_minor",
                "currency",
                "association",
                "reverses",
                "delivery_id",
                "file_name",
                "line_number",
                "known_from",
            ),
            optional=("reseller_id", "subscription_id", "invoice_at", "tax_minor", "association", "reverses"),
        ),
        Published(
            name="decisions",
            row="what became of one line in one program",
            key=("transaction_id", "program"),
            parts="versions",
            columns=(*DERIVED["decisions"].columns, "known_from"),
            optional=("levers", "reason_codes"),
        ),
        Published(
            name="earnings",
            row="what one line earns in one bracket of one lever",
            key=("transaction_id", "program", "lever", "bracket"),
            parts="versions",
            columns=(*DERIVED["earnings"].columns, "known_from"),
            optional=DERIVED["earnings"].optional,
        ),
        Published(
            name="earnings_ledger",
            row="one posted difference of one line's rebate or co-op; their sum is what is owed",
            key=("entry_id",),
            parts="entries",
            columns=tuple(c for c in DERIVED["earnings_ledger"].columns if c != "run_id"),
            optional=DERIVED["earnings_ledger"].optional,
        ),
        Published(
            name="earnings_monthly",
            row="what one partner earned in one month from one lever, product and customer in one currency",
            parts="sums",
            key=("earning_month", "program", "lever", "partner_id", "product_id", "customer_id", "currency"),
            columns=(
                "earning_month",
                "program",
                "lever",
                "partner_id",
                "product_id",
                "customer_id",
                "currency",
                "is_illustrative",
                "line_count",
                "earning_minor",
                "rebate_minor",
                "coop_minor",
                "program_currency",
                "program_earning_minor",
                "program_rebate_minor",
                "program_coop_minor",
            ),
            optional=("product_id", "customer_id"),
        ),
        Published(
            name="liability",
            row="what is owed of one kind of money of one program in one currency over one accounting month",
            parts="sums",
            key=("period", "program", "earning_type", "currency"),
            columns=(
                "period",
                "program",
                "earning_type",
                "currency",
                "opening_minor",
                "earned_minor",
                "adjusted_minor",
                "paid_minor",
                "forfeited_minor",
                "escheated_minor",
                "closing_minor",
                "is_closed",
            ),
        ),
        Published(
            name="adjustments",
            row="one manual adjustment that was declared, approved and posted",
            key=("adjustment_id",),
            columns=DERIVED["adjustments"].columns,
            optional=DERIVED["adjustments"].optional,
        ),
        Published(
            name="ineligible_revenue",
            row="revenue of one partner in one month that earns nothing, for one set of reasons",
            parts="sums",
            key=("earning_month", "program", "partner_id", "currency", "decision", "reason_codes"),
            columns=(
                "earning_month",
                "program",
                "partner_id",
                "currency",
                "decision",
                "reason_codes",
                "partner_can_act",
                "line_count",
                "revenue_minor",
            ),
        ),
        Published(
            name="invitations",
            row="one invitation of a partner to a program",
            key=("program", "partner_id"),
            columns=("program", "partner_id", "transaction_id", "invited_on"),
        ),
        Published(
            name="partners",
            row="one partner location as known on the day",
            key=("partner_id",),
            columns=(
                "partner_id",
                "global_partner_id",
                "partner_name",
                "country",
                "tenant_country",
                "partner_type",
                "reseller_status",
            ),
        ),
        Published(
            name="programs",
            row="one lever of an active program, with the rate in force on the day",
            key=("program", "lever"),
            columns=(
                "program",
                "program_title",
                "lever",
                "lever_title",
                "program_currency",
                "effective_from",
                "effective_to",
                "rate",
                "is_illustrative",
                "rebate_share",
                "coop_share",
                "reference",
                "rule_version",
            ),
            optional=("effective_to", "rate"),
        ),
        Published(
            name="data_health",
            row="one feed as the day was settled with it",
            key=("feed",),
            columns=(
                "feed",
                "business_date",
                "age_days",
                "rows_read",
                "rows_accepted",
                "rows_duplicate",
                "rows_quarantined",
                "delivery_status",
                "message",
            ),
            optional=("business_date", "age_days", "message"),
        ),
    )
}

AUDIT: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="ledger_differences",
            layer="audit",
            row="a sum that the ledger with the run's entries has wrong; there must be none",
            key=(
                "transaction_id",
                "program",
                "lever",
                "bracket",
                "partner_id",
                "earning_type",
                "earning_month",
                "currency",
            ),
            columns=(
                "transaction_id",
                "program",
                "lever",
                "bracket",
                "partner_id",
                "earning_type",
                "earning_month",
                "currency",
                "program_currency",
            ),
        ),
        Table(
            name="volume",
            layer="audit",
            row="the day's rows, or revenue in one currency, beside what is usual on that weekday",
            key=("figure",),
            columns=("figure", "share_of_usual"),
        ),
        Table(
            name="unknown_references",
            layer="audit",
            row="a partner, product or customer that the run's lines name and that no feed has brought",
            key=("referring_column", "referred_id"),
            columns=("referring_column", "referred_id", "line_count"),
        ),
        Table(
            name="freshness",
            layer="audit",
            row="how old the data of one feed is on the day settled",
            key=("feed",),
            columns=("feed", "age_days"),
        ),
    )
}

TABLES: dict[str, Table] = {
    t.full_name: t for t in (*FEEDS.values(), *BOOKS.values(), *DERIVED.values(), *AUDIT.values(), *PUBLISHED.values())
}
