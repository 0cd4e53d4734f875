"""The contracts of the facts that a run is judged by besides its tables."""

from warehouse.tables.contract import Table

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
            name="lost_lines",
            layer="audit",
            row="a line that stands in a program and on which nothing was decided; there must be none",
            key=("transaction_id", "program"),
            columns=("transaction_id", "program"),
        ),
        Table(
            name="volume",
            layer="audit",
            row="the day's rows, or revenue in one currency, beside what is usual on that weekday",
            key=("figure",),
            columns=("figure", "share_of_usual", "is_volume_accepted"),
        ),
        Table(
            name="unknown_references",
            layer="audit",
            row="a partner, product or customer that the run's lines name and no feed has brought, or a program that enrolments, users or invoices name and no file describes",
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
