"""Rules on the books of deliveries, runs, closes and rule edits, which `verify` has judged as they stand in the warehouse."""

from expectations.rule import Rule
from warehouse.tables import FEEDS

_SHA256 = "'[0-9a-f]{64}'"
_FEEDS = ", ".join(f"'{feed}'" for feed in FEEDS)
_BOOKED = "SELECT period, max(run_number) AS run_number FROM derived.earnings_ledger JOIN derived.runs USING (run_id) GROUP BY period"
BOOK_RULES = (
    Rule(
        id="numbered:runs",
        table="derived.runs",
        offends="SELECT run_id, run_number FROM (SELECT *, row_number() OVER (ORDER BY run_number) AS place FROM {batch}) "
        "WHERE run_number <> place",
        means="runs are numbered from 1, without a gap",
        why="a number that is missing is a run that somebody took out",
    ),
    Rule(
        id="ordered:runs",
        table="derived.runs",
        offends="SELECT run_id FROM (SELECT *, lag(business_date) OVER (ORDER BY run_number) AS day_before FROM {batch}) "
        "WHERE business_date < day_before",
        means="no run is of an earlier day than the one before it",
        why="what is posted for an older day would change what is released",
    ),
    Rule(
        id="named:runs",
        table="derived.runs",
        holds="run_id IN (business_date::VARCHAR, business_date || '-restate-' || run_number)",
        means="a day has one run, and each restatement on it its own number",
        why="a day that is settled twice would be published twice",
    ),
    Rule(
        id="chained:runs",
        table="derived.runs",
        offends="SELECT run_id FROM (SELECT *, lag(chain_head) OVER (ORDER BY run_number) AS head_before FROM {batch}) "
        "WHERE coalesce(chain_head <> sha256(concat_ws('|', coalesce(head_before, ''), run_id, entry_count, entries_hash)), "
        "head_before IS NOT NULL)",
        means="a run's head is the SHA-256 of the head before it, its id, and the count and hash of its entries",
        why="a run that is edited, put in or taken out breaks the chain",
    ),
    Rule(
        id="hashed:runs",
        table="derived.runs",
        holds=f"regexp_full_match(rules_hash, {_SHA256})",
        means="a run names the rule files that it worked with by their SHA-256",
        why="without them it cannot be replayed",
    ),
    Rule(
        id="seen:runs",
        table="derived.runs",
        offends="SELECT delivery_id FROM (SELECT unnest(from_json(deliveries, '[\"VARCHAR\"]')) AS delivery_id FROM {batch}) "
        "LEFT JOIN (SELECT DISTINCT delivery_id, true AS is_here FROM clean.deliveries WHERE delivery_status = 'accepted') "
        "USING (delivery_id) GROUP BY delivery_id HAVING count(*) > 1 OR NOT bool_and(coalesce(is_here, false))",
        means="each delivery that a run saw was accepted, and no other run saw it first",
        why="a replay takes deliveries in from what the runs say",
    ),
    Rule(
        id="month:closes",
        table="derived.closes",
        holds="period = date_trunc('month', period) AND closed_on + 1 >= period + INTERVAL 1 MONTH",
        means="what is closed is a month, and was over",
        why="days of it that are settled later would be posted in the month after",
    ),
    Rule(
        id="sequence:closes",
        table="derived.closes",
        offends="SELECT period FROM (SELECT *, lag(run_number) OVER (ORDER BY period) AS number_before FROM {batch}) "
        "WHERE run_number < number_before UNION ALL SELECT DISTINCT period FROM derived.earnings_ledger "
        "ANTI JOIN {batch} USING (period) WHERE period < (SELECT max(period) FROM {batch})",
        means="months are closed in their order, and none that has entries is left open before a closed one",
        why="an opening balance that can still change is none",
    ),
    Rule(
        id="kept:closes",
        table="derived.closes",
        offends=f"SELECT closed.period FROM {{batch}} AS closed JOIN ({_BOOKED}) AS booked "
        "ON booked.period = closed.period WHERE booked.run_number > closed.run_number",
        means="no run after a close posted in the month",
        why="a closed month does not change",
    ),
    Rule(
        id="named:closes",
        table="derived.closes",
        holds="trim(closed_by) <> ''",
        means="a close says who closed the month",
        why="books are closed by somebody who answers for them",
    ),
    Rule(
        id="recorded:closes",
        table="derived.closes",
        offends="SELECT period FROM {batch} ANTI JOIN derived.runs USING (run_number)",
        means="the run after which a month was closed is in the books",
        why="a replay closes the month after the same run",
    ),
    Rule(
        id="approved:rule_edits",
        table="derived.rule_edits",
        holds="CASE WHEN edit_status = 'held' THEN entry_count > 0 AND approved_by IS NULL WHEN entry_count > 0 THEN "
        "coalesce(lower(trim(written_by)) <> lower(trim(approved_by)) AND restated_from IS NOT NULL, false) ELSE entry_count = 0 END",
        means="an edit that changes what is posted is held until somebody else than its author approves it, from a day on",
        why="two pairs of eyes on every restatement",
    ),
    Rule(
        id="posted:rule_edits",
        table="derived.rule_edits",
        offends="SELECT rules_hash FROM (FROM {batch} WHERE approved_by IS NOT NULL) "
        "ANTI JOIN (FROM derived.runs WHERE contains(run_id, '-restate-')) USING (rules_hash)",
        means="an edit that was approved by name was posted by a restatement",
        why="an approval without one is an edit of the books",
    ),
    Rule(
        id="hashed:rule_edits",
        table="derived.rule_edits",
        holds=f"regexp_full_match(rules_hash, {_SHA256})",
        means="an edit is named by the SHA-256 of its rule files",
        why="an approval must say of what",
    ),
    Rule(
        id="once:deliveries",
        table="clean.deliveries",
        offends="SELECT delivery_id FROM {batch} WHERE delivery_status = 'accepted' GROUP BY delivery_id HAVING count(*) > 1",
        means="a delivery is accepted once",
        why="taken in twice it might earn twice",
    ),
    Rule(
        id="feed:deliveries",
        table="clean.deliveries",
        holds=f"feed IN ({_FEEDS}) OR (feed = 'unknown' AND delivery_status = 'refused')",
        means="an accepted delivery is of a feed that exists",
        why="nothing reads what is of another",
    ),
    Rule(
        id="conserved:deliveries",
        table="clean.deliveries",
        holds="rows_read = rows_accepted + rows_duplicate + rows_quarantined AND rows_corrected <= rows_accepted "
        "AND least(rows_accepted, rows_duplicate, rows_quarantined, rows_corrected, rows_withdrawn) >= 0",
        means="read = accepted + duplicate + quarantined, of a refused delivery none",
        why="a row that is in none of them is lost",
    ),
    Rule(
        id="dated:deliveries",
        table="clean.deliveries",
        holds="delivery_status <> 'accepted' OR (business_date BETWEEN DATE '2000-01-01' AND DATE '2099-12-31' "
        f"AND part BETWEEN 1 AND parts AND regexp_full_match(manifest_hash, {_SHA256}))",
        means="an accepted delivery has a business day from 2000 to 2099, a part of so many, and its manifest's SHA-256",
        why="a day is due by these, and a delivery that comes again is known by its hash",
    ),
    Rule(
        id="reason:deliveries",
        table="clean.deliveries",
        holds="delivery_status <> 'refused' OR coalesce(trim(message), '') <> ''",
        means="a refused delivery says why",
        why="whoever delivered it must know what to mend",
    ),
    Rule(
        id="conserved:delivery_amounts",
        table="clean.delivery_amounts",
        holds="read_amount = accepted_amount + duplicate_amount + quarantined_amount",
        means="revenue read = accepted + duplicate + quarantined, in each currency",
        why="an amount that is in none of them is lost",
    ),
    Rule(
        id="counted:quarantine",
        table="clean.quarantine",
        offends="SELECT delivery_id FROM (SELECT delivery_id, rows_quarantined AS told FROM clean.deliveries "
        "WHERE delivery_status = 'accepted' UNION ALL SELECT delivery_id, -1 FROM {batch}) GROUP BY delivery_id HAVING sum(told) <> 0",
        means="as many rows are set aside as their delivery says",
        why="a row that is set aside and not kept can never be released",
    ),
)
