"""Which claims to customers' workloads a run works out, and the days on which a claim that counts moved."""

from datetime import date

import duckdb
import pandas as pd

from warehouse import frames, store
from warehouse.cuts import IN_CUT
from warehouse.tables import DERIVED

COUNTED = "program, claim_id, customer_id, product_family, partner_id, association, valid_from, valid_to, yields_to"


def touch_customers(con: duckdb.DuckDBPyConnection, as_of: date, *, everyone: bool) -> None:
    """Make `touched_customers`: those with a claim that is new or changed, or whose partner changed; or all with claims.

    A claim that a partner asked for is new on the run after its answer, and changes with a review or a correction.
    What is corrected touches the customer that it was about before too.
    """
    answered = (
        "SELECT request_id FROM derived.answered_requests WHERE outcome = 'accepted' "
        "AND answered_on >= (SELECT max(business_date) FROM derived.runs)"
    )
    moved = (
        f"claim_id IN (SELECT claim_id FROM clean.claims WHERE {IN_CUT}) "
        f"OR partner_id IN (SELECT partner_id FROM clean.partners WHERE {IN_CUT}) "
        f"OR claim_id IN (SELECT request_id FROM clean.partner_requests WHERE {IN_CUT}) "
        "OR claim_id IN (SELECT request_id FROM clean.request_reviews WHERE review_id IN "
        f"(SELECT review_id FROM clean.request_reviews WHERE {IN_CUT})) "
        f"OR claim_id IN ({answered})"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE touched_customers AS SELECT DISTINCT customer_id FROM ("
        "SELECT claim_id, partner_id, customer_id FROM clean.claims WHERE known_from <= $as_of UNION ALL "
        "SELECT request_id, partner_id, subject FROM clean.partner_requests WHERE request_kind = 'association_claim' "
        f"AND subject IS NOT NULL AND known_from <= $as_of) WHERE {'true' if everyone else moved}",
        {"as_of": as_of},
    )


def associate_under_rules_before(con: duckdb.DuckDBPyConnection, made: pd.DataFrame) -> None:
    """Make `made_under_rules_before`: how the claims of touched customers stand by the rules of the run before."""
    con.execute("CREATE OR REPLACE TEMP TABLE made_under_rules_before AS FROM derived.associations LIMIT 0")
    store.insert(con, "made_under_rules_before", frames.conform(DERIVED["associations"], made))


def associate(con: duckdb.DuckDBPyConnection) -> None:
    """Make `associations_now`: claims that count, as staged for touched customers and as stored for the others.

    Also `associations_before`, as stored for all; `associations_under_rules_before`, as of now by the rules before; and
    `moved_associations`: customers with the days on which a claim that counted does not, or not so, or the reverse.
    """
    stored = f"SELECT {COUNTED} FROM derived.associations {{}} WHERE known_to IS NULL AND reason_code IS NULL"
    others = stored.format("ANTI JOIN touched_customers USING (customer_id)")
    [(held,)] = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'made_under_rules_before'"
    ).fetchall()
    now = "staging.derived.associations"
    for name, made in (("now", now), ("under_rules_before", "made_under_rules_before" if held else now)):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE associations_{name} AS SELECT {COUNTED} FROM {made} WHERE reason_code IS NULL "
            f"UNION ALL {others}"
        )
    con.execute(f"CREATE OR REPLACE TEMP VIEW associations_before AS {stored.format('')}")
    sides = ("associations_under_rules_before", "associations_before")
    differing = " UNION ".join(f"(FROM {one} EXCEPT FROM {other})" for one, other in (sides, sides[::-1]))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved_associations AS SELECT DISTINCT customer_id, valid_from AS moved_from, "
        f"coalesce(valid_to, DATE '9999-12-31') AS moved_to FROM ({differing})"
    )
