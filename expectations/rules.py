"""What we expect beyond the contracts: one list of rules, each with its loudness and the reason for it.

A row rule on a feed gives both the expectation and the quarantine query, so they cannot drift. A table rule names the
rows that must not exist. `{batch}` stands for the table that the rule is on; tables of the same file may be joined.
"""

from expectations.book_rules import BOOK_RULES
from expectations.rule import Rule


def _ends_later(table: str) -> Rule:
    return Rule(
        id="order:valid_to",
        table=f"clean.{table}",
        holds="valid_to IS NULL OR valid_to > valid_from",
        means="a span ends after it begins",
        why="spans are half open; an empty or backward one would silently count for nothing",
    )


def _counted(table: str) -> Rule:
    return Rule(
        id="published:counted",
        table=f"added.{table}",
        offends="SELECT * FROM parts.counts, (SELECT count(*) AS added FROM {batch}) "
        f"WHERE name = '{table}' AND released IS DISTINCT FROM held",
        means="with what is added, a release has as many rows in force as the warehouse",
        why="a row that a part leaves out, or does not take away, would stay wrong in every later release",
    )


def _sums(schema: str) -> tuple[Rule, ...]:
    """The rules on sums, in a whole release or in what it adds."""
    return (
        Rule(
            id="published:ledger",
            table=f"{schema}.earnings_monthly",
            offends="SELECT program, currency, sum(earning) FROM (SELECT program, currency, earning FROM {batch} UNION ALL "
            f"SELECT program, currency, -amount FROM {schema}.earnings_ledger WHERE lever <> 'settlement') "
            "GROUP BY ALL HAVING sum(earning) <> 0",
            means="published sums are the ledger's sums",
            why="the dashboard must not say anything else than the ledger",
        ),
        Rule(
            id="published:split",
            table=f"{schema}.earnings_monthly",
            holds="rebate + coop = earning AND program_rebate + program_coop = program_earning",
            means="rebate and co-op make the earning in every sum",
            why="a cent lost in a sum is seen first by the partner",
        ),
        Rule(
            id="published:liability",
            table=f"{schema}.liability",
            holds="opening + earned + adjusted - paid - forfeited - escheated = closing",
            means="opening + earned ± adjusted − paid − forfeited − escheated = closing",
            why="an auditor starts with this sum",
        ),
        Rule(
            id="published:closing",
            table=f"{schema}.liability",
            offends="SELECT program, earning_type, currency FROM (SELECT program, earning_type, currency, "
            "earned + adjusted - paid - forfeited - escheated AS moved FROM {batch} UNION ALL "
            f"SELECT program, earning_type, currency, -amount FROM {schema}.earnings_ledger) GROUP BY ALL HAVING sum(moved) <> 0",
            means="the liability is the ledger's",
            why="books and ledger must not part",
        ),
    )


_WORD = (
    r"""[^@\pZ\pC,;<>()"]+"""  # of an e-mail address: no blanks or control characters, and nothing that parts addresses
)
_BALANCE = "partner_id, program, earning_type, currency"
_NEW_PAYMENTS = (
    "(FROM {batch} SEMI JOIN parts.new_payments USING (payment_id))"  # a plan is judged once, by what it knew
)
_FREED = "('rejected_during_review', 'rejected', 'reversed')"
_NOT_EARNED = "('paid', 'withheld', 'payment_returned')"
RULES: tuple[Rule, ...] = (
    *(_ends_later(table) for table in ("agreements", "competencies", "enrolments", "claims")),
    Rule(
        id="ended:valid_to",
        table="clean.agreements",
        holds="agreement_status NOT IN ('expired', 'terminated') OR valid_to IS NOT NULL",
        means="an agreement that has ended says when",
        why="without an end it would go on counting",
    ),
    Rule(
        id="approved:approved_on",
        table="clean.claims",
        holds="claim_status <> 'approved' OR approved_on IS NOT NULL",
        means="an approved claim says since when",
        why="the customer's days to opt out count from it, and the earlier approved of two claims keeps the workload",
    ),
    Rule(
        id="claimed:association",
        table="clean.claims",
        holds="association <> 'reseller'",
        means="nobody claims to be the reseller of record",
        why="the line itself says who resells it",
    ),
    Rule(
        id="address:user_email",
        table="clean.users",
        holds=rf"regexp_full_match(user_email, '{_WORD}@{_WORD}\.{_WORD}')",
        means="a user's e-mail address is one address, such as pat@contoso.example",
        why="who is named by something else can be neither written to nor erased",
    ),
    Rule(
        id="positive:fx_rate",
        table="clean.fx_rates",
        holds="fx_rate > 0",
        means="an exchange rate is above zero",
        why="a zero rate would turn every earning of the currency into nothing",
    ),
    Rule(
        id="other:to_currency",
        table="clean.fx_rates",
        holds="from_currency <> to_currency OR fx_rate = 1",
        means="a currency converts to itself at 1",
        why="the engine uses 1 and would disagree with the table",
    ),
    Rule(
        id="self:reverses",
        table="clean.transactions",
        holds="reverses IS NULL OR reverses <> transaction_id",
        means="a line does not reverse itself",
        why="a refund takes the date of the line that it reverses",
    ),
    Rule(
        id="sane:transaction_at",
        table="clean.transactions",
        holds="transaction_at BETWEEN TIMESTAMP '2000-01-01' AND TIMESTAMP '2100-01-01'",
        means="a transaction lies between 2000 and 2100",
        why="year 1 and year 9999 stand for a missing date in exports",
    ),
    Rule(
        id="rare:revenue",
        table="clean.transactions",
        severity="warning",
        holds="abs(revenue_minor) < 100000000000",
        means="a line is below 1,000,000,000 in a currency with two decimals",
        why="most often a decimal point is missing",
    ),
    Rule(
        id="partition:eligibility_criteria",
        table="derived.eligibility_criteria",
        offends="SELECT program, partner_id, criterion_number FROM (SELECT *, lead(valid_from) OVER (PARTITION BY program, "
        "partner_id, criterion_number ORDER BY valid_from) AS following FROM {batch}) WHERE following IS DISTINCT FROM valid_to",
        means="each criterion covers all days, once",
        why="a gap would be read as neither met nor unmet",
    ),
    Rule(
        id="partition:eligibility",
        table="derived.eligibility",
        offends="SELECT program, partner_id FROM (SELECT *, lead(valid_from) OVER (PARTITION BY program, partner_id "
        "ORDER BY valid_from) AS following FROM {batch}) WHERE following IS DISTINCT FROM valid_to",
        means="each standing covers all days, once",
        why="a line on a day with two standings would be decided twice",
    ),
    Rule(
        id="partition:enrolments",
        table="derived.enrolments",
        offends="SELECT program, partner_id FROM (SELECT *, lead(valid_from) OVER (PARTITION BY program, partner_id "
        "ORDER BY valid_from) AS following FROM {batch}) WHERE following IS DISTINCT FROM valid_to",
        means="each enrolment covers all days, once",
        why="a day with two statuses, or none, could not be told to the partner",
    ),
    Rule(
        id="reason:enrolment",
        table="derived.enrolments",
        holds="(enrolment_status = 'enrolled') = (reason_code IS NULL)",
        means="an enrolment that is not simply in force says why",
        why="a status without a reason is a question to support",
    ),
    Rule(
        id="one:associations",
        table="derived.associations",
        offends="SELECT program, claim_id FROM (SELECT *, lead(valid_from) OVER (PARTITION BY program, customer_id, "
        "product_family ORDER BY valid_from) AS following FROM {batch} WHERE reason_code IS NULL) "
        "WHERE following < coalesce(valid_to, DATE '9999-12-31')",
        means="on every day at most one claim counts for a customer's workload",
        why="one workload, one partner: a line with two would be decided twice",
    ),
    Rule(
        id="evidence:met",
        table="derived.eligibility_criteria",
        holds="status <> 'met' OR evidence IS NOT NULL",
        means="nothing is met without evidence",
        why="partners and auditors ask for the fact behind every yes",
    ),
    Rule(
        id="reason:unmet",
        table="derived.eligibility_criteria",
        holds="status NOT IN ('unmet', 'unknown') OR reason_code IS NOT NULL",
        means="what is not met has a reason",
        why="missing reasons are what partners complain of most",
    ),
    Rule(
        id="explained:decision",
        table="derived.decisions",
        holds="CASE decision WHEN 'eligible' THEN levers IS NOT NULL AND reason_codes IS NULL ELSE reason_codes IS NOT NULL END",
        means="an eligible line names its levers, any other line its reasons",
        why="every line gets a decision that can be explained",
    ),
    Rule(
        id="earned:decision",
        table="derived.earnings",
        offends="SELECT * FROM {batch} AS earning ANTI JOIN (SELECT transaction_id, program FROM derived.decisions "
        "WHERE decision = 'eligible') USING (transaction_id, program)",
        means="only eligible lines earn",
        why="an earning without a decision could not be explained",
    ),
    Rule(
        id="filled:positions",
        table="derived.positions",
        holds="(rule_part = 'cap') = (measure IS NULL) AND (rule_part = 'cap') = (under_cap_minor IS NOT NULL)",
        means="a position has a measure, or, for a cap, what is earned under it",
        why="lines that are added later are priced from it alone",
    ),
    Rule(
        id="waiting:positions",
        table="derived.positions",
        holds="NOT is_waiting OR rule_part = 'cap' OR (rule_part = 'scale' AND measure = 0)",
        means="only a cap waits, or a scale that measures nothing yet",
        why="a lump at a threshold of 0 is booked on the first line that fills the scale",
    ),
    Rule(
        id="priced:earnings",
        table="derived.earnings",
        holds="CASE bracket WHEN 0 THEN rate IS NULL AND unit_amount IS NULL ELSE (rate IS NULL) <> (unit_amount IS NULL) END",
        means="an earning has a rate or an amount, but for lines below the first bracket and the rounding of a period",
        why="without one of them nobody can follow it",
    ),
    Rule(
        id="split:earning",
        table="derived.earnings",
        holds="rebate_minor + coop_minor = earning_minor "
        "AND program_rebate_minor + program_coop_minor = program_earning_minor",
        means="rebate and co-op make the earning, to the cent",
        why="a cent lost in the split is a cent not paid",
    ),
    Rule(
        id="sign:rate",
        table="derived.earnings",
        holds="rate >= 0",
        means="a rate is 0 or more",
        why="a sale that costs its partner money is none; that a share is no more than all, a rule file is held to when it is loaded",
    ),
    Rule(
        id="sign:earning",
        table="derived.earnings",
        holds="rate IS NULL OR base_minor = 0 OR earning_minor = 0 OR sign(earning_minor) = sign(base_minor)",
        means="an earning has the sign of what it is earned on",
        why="a refund that earned would pay twice",
    ),
    Rule(
        id="conserved:decisions",
        table="audit.lost_lines",
        holds="false",
        means="eligible + undecided + ineligible = total: each line is decided in each program in which it stands",
        why="a line that is lost between two steps would earn nothing, and nobody would be told why",
    ),
    Rule(
        id="reconciled:ledger",
        table="audit.ledger_differences",
        holds="false",
        means="the ledger with the new entries equals what the lines should have earned",
        why="earnings that do not match the ledger are earnings that do not match payments",
    ),
    Rule(
        id="volume:critical",
        table="audit.volume",
        holds="share_of_usual BETWEEN 0.1 AND 10 OR is_volume_accepted",
        means="the day's rows and revenue are within 0.1 to 10 times the median of the last 7 same weekdays, "
        "or accepted as they are (`incentives accept-volume`)",
        why="beyond that a file is cut off, doubled or in the wrong currency",
    ),
    Rule(
        id="volume:warning",
        table="audit.volume",
        severity="warning",
        holds="share_of_usual BETWEEN 0.5 AND 2",
        means="the day's rows and revenue are within 0.5 to 2 times the median of the last 7 same weekdays",
        why="worth a look",
    ),
    Rule(
        id="known:references",
        table="audit.unknown_references",
        severity="warning",
        holds="false",
        means="partners, products and customers of the day's lines, and programs of enrolments, users and invoices, are known",
        why="lines that name what nobody delivered stay undecided; who is enrolled in a misspelt program earns nothing",
    ),
    Rule(
        id="fresh:feeds",
        table="audit.freshness",
        severity="warning",
        holds="age_days <= 7",
        means="no feed is more than seven days old",
        why="slowly changing feeds fall back to the last known; a week is longer than any calendar gap",
    ),
    *(rule for schema in ("main", "added") for rule in _sums(schema)),
    Rule(
        id="approved:adjustment",
        table="derived.adjustments",
        holds="written_by <> approved_by",
        means="nobody approves an own adjustment",
        why="two pairs of eyes on every manual posting",
    ),
    Rule(
        id="line:entry",
        table="derived.earnings_ledger",
        holds="CASE lever WHEN 'settlement' THEN transaction_id IS NULL AND adjustment_id IS NULL AND cause IN "
        "('coop_converted', 'forfeited', 'escheated', 'offset', 'withheld', 'paid', 'payment_returned') "
        "AND (payment_id IS NOT NULL OR cause NOT IN ('withheld', 'paid', 'payment_returned')) "
        "WHEN 'adjustment' THEN transaction_id IS NULL AND adjustment_id IS NOT NULL "
        "ELSE transaction_id IS NOT NULL AND adjustment_id IS NULL AND fx_rate IS NOT NULL AND rule_version IS NOT NULL END",
        means="an entry names its line and price, its adjustment, or what became of a fund or by which payment it was paid",
        why="every cent is explained",
    ),
    Rule(
        id="open:period",
        table="derived.earnings_ledger",
        holds="period >= date_trunc('month', posted_on)",
        means="no entry is posted in an accounting month before its own",
        why="a closed month does not change",
    ),
    Rule(
        id="published:total",
        table="main.ineligible_revenue",
        offends="SELECT program, currency FROM (SELECT program, currency, revenue FROM decisions WHERE decision <> 'eligible' "
        "UNION ALL SELECT program, currency, -revenue FROM {batch}) GROUP BY ALL HAVING sum(revenue) <> 0",
        means="ineligible revenue is the revenue of the lines that earn nothing",
        why="eligible + undecided + ineligible = total",
    ),
    Rule(
        id="published:total",
        table="added.ineligible_revenue",
        offends="SELECT program, currency FROM (SELECT program, currency, decision, revenue FROM added.decisions UNION ALL "
        "SELECT program, currency, decision, -revenue FROM added.decisions_ended UNION ALL "
        "SELECT program, currency, '', -revenue FROM {batch}) WHERE decision <> 'eligible' GROUP BY ALL HAVING sum(revenue) <> 0",
        means="ineligible revenue changes by the revenue of the lines that earn nothing, or no longer do",
        why="eligible + undecided + ineligible = total",
    ),
    Rule(
        id="published:lines",
        table="main.decisions",
        offends="SELECT transaction_id FROM {batch} ANTI JOIN transactions USING (transaction_id)",
        means="each decision is about a published line",
        why="a partner must be able to look the line up",
    ),
    Rule(
        id="published:lines",
        table="added.decisions",
        offends="SELECT transaction_id FROM {batch} ANTI JOIN added.transactions USING (transaction_id) "
        "ANTI JOIN added.decisions_ended USING (transaction_id) ANTI JOIN transactions USING (transaction_id)",
        means="each new decision is about a published line; one that was decided before was published before",
        why="a partner must be able to look the line up",
    ),
    *(_counted(table) for table in ("decisions", "earnings", "eligibility_history", "payments")),
    Rule(
        id="published:withdrawn",
        table="added.transactions",
        offends="SELECT transaction_id FROM (FROM added.transactions_ended ANTI JOIN {batch} USING (transaction_id)) "
        "SEMI JOIN added.decisions USING (transaction_id) UNION ALL "
        "SELECT transaction_id FROM (FROM added.transactions_ended ANTI JOIN {batch} USING (transaction_id)) "
        "ANTI JOIN added.decisions_ended USING (transaction_id) SEMI JOIN decisions USING (transaction_id)",
        means="a line that is published no longer has no decision",
        why="a withdrawn line must not look as if it earned",
    ),
)


RULES += (
    Rule(
        id="sane:payment",
        table="clean.payout_payments",
        holds="payment_minor > 0 AND withheld_minor >= 0 AND withheld_minor <= payment_minor AND sales_tax_minor >= 0 "
        "AND (payout_currency <> currency OR payout_minor = payment_minor - withheld_minor + sales_tax_minor)",
        means="a payment is above zero, and its payout is what is left of it after tax",
        why="a sum that the bank is told must be the one that was approved",
    ),
    Rule(
        id="range:tax_rate",
        table="clean.tax_rates",
        holds="tax_rate >= 0 AND tax_rate < 1",
        means="a tax is a share from 0 to below 1",
        why="19 instead of 0.19 would take all that is paid",
    ),
    Rule(
        id="linked:payment",
        table="added.payments",
        offends="SELECT payment_id FROM {batch} LEFT JOIN (SELECT payment_id, sum(amount) AS posted FROM earnings_ledger "
        "WHERE payment_id IS NOT NULL GROUP BY ALL) USING (payment_id) WHERE coalesce(posted, 0) <> "
        "CASE WHEN payment_status IN ('sent', 'settled') THEN -payment ELSE 0 END",
        means="every cent of a payment that is under way is in the ledger, and of one that is not nothing",
        why="earnings that do not match payments are what partners complain of first",
    ),
    Rule(
        id="covered:payment",
        table="added.payments",
        offends=f"WITH made AS (SELECT {_BALANCE}, sum(payment) AS reserved, max(cycle_on) AS cycle_on, max(cut_on) AS cut_on "
        f"FROM payments SEMI JOIN {_NEW_PAYMENTS} USING ({_BALANCE}) WHERE payment_status NOT IN {_FREED} GROUP BY ALL), owed AS ("
        f"SELECT {_BALANCE}, sum(amount) AS owed FROM made JOIN earnings_ledger USING ({_BALANCE}) JOIN "
        "parts.payment_calendar_before AS calendar USING (program) WHERE calendar.month = earning_month AND earned_due_on <= cycle_on "
        f"AND posted_on <= cut_on AND cause NOT IN {_NOT_EARNED} GROUP BY ALL) "
        f"SELECT {_BALANCE} FROM made LEFT JOIN owed USING ({_BALANCE}) WHERE reserved > coalesce(owed, 0)",
        means="nobody is paid more than was due and posted when the payment was worked out",
        why="money that has left is hard to get back",
    ),
    Rule(
        id="enrolled:payment",
        table="added.payments",
        offends=f"SELECT payment_id FROM {_NEW_PAYMENTS} AS payment SEMI JOIN (SELECT DISTINCT program FROM eligibility_criteria "
        "WHERE criterion = 'enrolment') USING (program) ANTI JOIN (FROM parts.eligibility_history WHERE criterion = 'enrolment' "
        "AND status = 'met') AS met ON met.partner_id = payment.partner_id AND met.program = payment.program "
        "AND (known_to IS NULL OR known_to > cut_on)",
        means="nobody is paid who never was enrolled in the program",
        why="what is paid outside the program cannot be had back by its terms",
    ),
    Rule(
        id="earned:payment",
        table="added.payments",
        offends="SELECT payment_id FROM {batch} ANTI JOIN (FROM earnings_ledger WHERE lever <> 'settlement') "
        "USING (partner_id, program)",
        means="nobody is paid who has earned nothing in the program",
        why="a payment to somebody else is a payment lost",
    ),
    Rule(
        id="published:statements",
        table="added.statements",
        offends="SELECT partner_id, program, earning_type, currency FROM (SELECT partner_id, program, earning_type, currency, "
        "earned + adjusted - paid - forfeited - escheated AS moved FROM {batch} UNION ALL "
        "SELECT partner_id, program, earning_type, currency, -amount FROM added.earnings_ledger) "
        "GROUP BY ALL HAVING sum(moved) <> 0",
        means="what a statement adds is what the ledger adds, partner by partner",
        why="a statement that differs from the ledger starts a dispute",
    ),
    Rule(
        id="law:fund",
        table="main.coop_funds",
        holds="accrued + adjusted = converted + claimed + forfeited + open",
        means="accrued ± adjusted = converted + claimed + open + forfeited",
        why="a fund that does not add up cannot be explained",
    ),
    Rule(
        id="published:fund",
        table="added.coop_funds",
        offends="SELECT program, currency FROM (SELECT program, currency, accrued + adjusted - converted - forfeited AS moved "
        "FROM {batch} UNION ALL SELECT program, currency, -amount FROM added.earnings_ledger WHERE earning_type = 'coop' "
        f"AND cause NOT IN {_NOT_EARNED} AND program IN (SELECT program FROM parts.coop_halves)) "
        "GROUP BY ALL HAVING sum(moved) <> 0",
        means="the funds hold the ledger's co-op, each cent of it in one half year",
        why="what no fund holds can neither be claimed nor forfeited",
    ),
    Rule(
        id="published:upcoming",
        table="added.upcoming_payments",
        offends="SELECT program, earning_type, currency FROM (SELECT program, earning_type, currency, upcoming AS moved FROM {batch} "
        "UNION ALL SELECT program, earning_type, currency, -amount FROM added.earnings_ledger "
        f"WHERE cause NOT IN {_NOT_EARNED} "
        f"UNION ALL SELECT program, earning_type, currency, payment FROM added.payments WHERE payment_status NOT IN {_FREED} "
        "UNION ALL SELECT program, earning_type, currency, -payment FROM added.payments_ended "
        f"WHERE payment_status NOT IN {_FREED}) GROUP BY ALL HAVING sum(moved) <> 0",
        means="what is to be paid is the ledger's, less what payments reserve",
        why="an expected payment that never comes costs the partner's trust",
    ),
)
RULES += BOOK_RULES


def of(table: str) -> list[Rule]:
    """The rules on one table, given with its schema."""
    return [rule for rule in RULES if rule.table == table]


def row_rules(feed: str) -> dict[str, str]:
    """Rule id → condition of every good row of a feed; a row that breaks a critical one is quarantined."""
    return {rule.id: rule.holds for rule in of(f"clean.{feed}") if rule.severity == "critical" and rule.holds}
