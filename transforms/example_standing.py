"""How the partners of worked examples stand: judged by the criteria whose feeds an example gives, others count as met.

Revenue is judged where an example says since when history is held, by its own lines.

A feed that an example gives is whole: a partner without a row in it has none, and one who is not among `partners` is unknown.
"""

from collections import defaultdict
from datetime import date
from typing import Any, NamedTuple, cast

import pandas as pd

from transforms.eligibility import eligibility, eligibility_criteria
from transforms.enrolments import enrolments
from transforms.example_revenue import partner_revenue
from transforms.programs import Program
from transforms.requirements import requirements
from transforms.worked_examples import PARTNER, Given, Partner, lines_of, partner_of, reference_of

JUDGED_BY = {
    "active_reseller": "partners", "same_country": "partners", "active_agreement": "agreements",
    "competency": "competencies", "payee_profile": "payee_profiles", "enrolment": "enrolments",
    "trailing_revenue": "history_from",
}  # fmt: skip
FEED_COLUMNS = {
    "partners": [
        "partner_id",
        "partner_type",
        "reseller_status",
        "country",
        "tenant_country",
        "valid_from",
        "valid_to",
    ],
    "agreements": [
        "agreement_id",
        "partner_id",
        "agreement_type",
        "agreement_status",
        "signed_on",
        "valid_from",
        "valid_to",
    ],
    "competencies": ["partner_id", "competency", "competency_level", "valid_from", "valid_to"],
    "payee_profiles": ["partner_id", "bank_status", "tax_status", "validated_on", "valid_from", "valid_to"],
    "enrolments": ["partner_id", "program", "enrolment_status", "valid_from", "valid_to"],
}
PLAIN = {
    "agreement_id": "given", "agreement_status": "active", "competency_level": "gold", "reseller_status": "active",
    "bank_status": "approved", "tax_status": "approved", "enrolment_status": "enrolled", "country": "US", "tenant_country": "US",
}  # fmt: skip
NEVER = date(1900, 1, 1)
NOBODY = pd.Series([], dtype="str")
NO_DAY = pd.Series([], dtype="datetime64[us]")


class Standing(NamedTuple):
    """One example's partners over all days, and the criteria unmet on its last day.

    `spans` is None where it gives no feed that judges them; `pays` says by known partner whether the program pays his type,
    and is None where it gives no partners.
    """

    spans: list[dict[str, Any]] | None
    unmet: list[str]
    pays: dict[str, bool] | None

    @property
    def is_eligible(self) -> bool:
        """Whether the partners whose type the program pays, if any, meet all criteria on its last day."""
        return not self.unmet and (self.pays is None or any(self.pays.values()))

    def is_known(self, partner: str) -> bool:
        """Whether the example gives no partners, or this one."""
        return self.pays is None or partner in self.pays

    def is_paid(self, partner: str) -> bool:
        """Whether the program decides on lines of a partner: not where he is known to be of a type that it does not pay."""
        return self.pays is None or self.pays.get(partner, True)

    def on(self, partner: str, day: pd.Timestamp) -> tuple[bool, str | None]:
        """Whether a partner earns on a day, and the reasons why not."""
        if self.spans is None:
            return True, None
        held = [span for span in self.spans if span["partner_id"] == partner and _covers(span, day)]
        return any(span["is_earning"] for span in held), held[0]["reason_codes"] if held else None


def standings(program: Program, givens: list[Given]) -> list[Standing]:
    """The standing of each example's partners; examples that give the same feeds, and hold as much history, are judged at once."""
    alike = defaultdict(list)
    for number, given in enumerate(givens):
        alike[frozenset(JUDGED_BY.values()) & set(given), given.get("history_from")].append(number)
    found: dict[int, Standing] = {}
    for (given_for, _), numbers in alike.items():
        together = {number: givens[number] for number in numbers}
        found |= (
            _judged(program, given_for, together) if given_for else dict.fromkeys(numbers, Standing(None, [], None))
        )
    return [found[number] for number in range(len(givens))]


def _judged(program: Program, given_for: frozenset[str], givens: dict[int, Given]) -> dict[int, Standing]:
    narrowed, feeds = _narrowed(program, given_for), given_for & set(FEED_COLUMNS)
    rows: dict[str, list[dict]] = {feed: [] for feed in FEED_COLUMNS}
    for number, given in givens.items():
        for feed in feeds:
            held: list[dict] = cast(dict, given)[feed]
            rows[feed] += [row | {"partner_id": f"{number}|{row['partner_id']}"} for row in held]
    if "partners" not in feeds:
        earners = {f"{number}|{partner}" for number, given in givens.items() for partner in _earners(given)}
        ids = earners | {row["partner_id"] for listed in rows.values() for row in listed}
        rows["partners"] = [{"partner_id": partner_id} for partner_id in sorted(ids)]
    facts = {feed: example_frame(feed, listed, program) for feed, listed in rows.items()}
    partners = [row["partner_id"] for row in rows["partners"]]
    revenue = partner_revenue(program, givens, partners) if "history_from" in given_for else None
    criteria = judged_criteria(facts, narrowed, revenue)
    spans = eligibility(criteria, [narrowed]).to_dict("records")
    unmet = criteria[criteria["status"] == "unmet"].to_dict("records")
    return {number: _of_example(program, number, given, spans, unmet) for number, given in givens.items()}


def _earners(given: Given) -> set[str]:
    """The partners who may earn on an example's lines."""
    claiming = {claim.get("partner_id", PARTNER) for claim in given.get("claims", [])}
    return claiming | {partner_of(line) for line in lines_of(given)}


def judged_criteria(
    facts: dict[str, pd.DataFrame],
    program: Program,
    partner_revenue: pd.DataFrame | None = None,
    missing: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Every criterion of one program over all days, by feeds as `example_frame` makes them; `missing` ones never came."""
    judged, held = judged_enrolments(facts, program, partner_revenue=partner_revenue, missing=missing)
    return eligibility_criteria(judged, held, [program])


def judged_enrolments(
    facts: dict[str, pd.DataFrame],
    program: Program,
    *,
    enrol_requests: pd.DataFrame | None = None,
    invited: pd.DataFrame | None = None,
    partner_revenue: pd.DataFrame | None = None,
    missing: tuple[str, ...] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The requirements of one program and its enrolments; nobody asked to enrol or was invited unless given."""
    shared = {
        "partners": facts["partners"],
        "payee_profiles": facts["payee_profiles"],
        "delivered_feeds": pd.DataFrame({"feed": [feed for feed in FEED_COLUMNS if feed not in missing]}),
        "programs": [program],
    }
    judged = requirements(
        **shared,
        agreements=facts["agreements"],
        competencies=facts["competencies"],
        partner_revenue=pd.DataFrame({"partner_id": NOBODY}) if partner_revenue is None else partner_revenue,
    )
    none = pd.DataFrame({"program": NOBODY, "partner_id": NOBODY})
    requests = none.assign(request_id=NOBODY, answered_on=NO_DAY) if enrol_requests is None else enrol_requests
    offers = none.assign(transaction_id=NOBODY, invited_on=NO_DAY)
    held = enrolments(
        judged,
        **shared,
        enrolment_states=facts["enrolments"],
        enrol_requests=requests,
        answered_requests=requests[:0].assign(request_kind="", outcome=""),
        invited=offers if invited is None else invited,
        invitations=offers,
    )
    return judged, held


def _of_example(program: Program, number: int, given: Given, spans: list[dict], unmet: list[dict]) -> Standing:
    mine = [_own(span, number) for span in spans if span["partner_id"].startswith(f"{number}|")]
    last = pd.Timestamp(max((reference_of(line, program.reference_date) for line in lines_of(given)), default=NEVER))
    lacking = [
        span["criterion"] for span in unmet if span["partner_id"].startswith(f"{number}|") and _covers(span, last)
    ]
    return Standing(
        mine,
        list(dict.fromkeys(lacking)),
        _paid_types(program, given["partners"]) if "partners" in given else None,
    )


def _paid_types(program: Program, partners: list[Partner]) -> dict[str, bool]:
    plain = program.partner_types[0]
    return {row["partner_id"]: row.get("partner_type", plain) in program.partner_types for row in partners}


def _own(span: dict[str, Any], number: int) -> dict[str, Any]:
    return span | {"partner_id": span["partner_id"].removeprefix(f"{number}|")}


def _covers(span: dict[str, Any], day: pd.Timestamp) -> bool:
    return bool(span["valid_from"] <= day and (pd.isna(span["valid_to"]) or day < span["valid_to"]))


def _narrowed(program: Program, given_for: frozenset[str]) -> Program:
    """The program with those criteria only that what is given speaks of."""
    judged = {
        start: [c for c in criteria if JUDGED_BY.get(c.criterion) in given_for]
        for start, criteria in program.eligibility.criteria.items()
    }
    return program.model_copy(
        update={
            "status": "active",
            "eligibility": program.eligibility.model_copy(update={"criteria": judged}),
            "enrolment": program.enrolment if "enrolments" in given_for else None,
        }
    )


def example_frame(feed: str, rows: list[dict], program: Program) -> pd.DataFrame:
    """Rows of a feed as its step input has them; what a row leaves out takes the plainest value."""
    defaults = {
        **PLAIN,
        "partner_type": program.partner_types[0],
        "program": program.program,
        "valid_from": NEVER,
        "signed_on": NEVER,
    }
    filled = [{c: row.get(c, defaults.get(c)) for c in FEED_COLUMNS[feed]} for row in rows]
    made = pd.DataFrame(filled, columns=FEED_COLUMNS[feed])
    dates = [c for c in made if c.endswith(("_on", "_from", "_to"))]
    return made.astype({c: "datetime64[us]" if c in dates else "str" for c in made})
