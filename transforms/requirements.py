"""How the criteria of the programs stand for each partner over all days, each with its evidence; enrolment aside."""

from datetime import date

import pandas as pd

from transforms.criteria import Criterion
from transforms.dated import ALWAYS
from transforms.judges import JUDGES, Facts, Judged, spans_of
from transforms.programs import Program, active
from transforms.validity import OPEN, START, clip, gaps, union

PROFILE = "payee_profile"  # the one criterion that a partner completes after it enrols
MET, UNMET, UNKNOWN, NOT_APPLICABLE = "met", "unmet", "unknown", "not_applicable"


def requirements(
    partners: pd.DataFrame,
    agreements: pd.DataFrame,
    competencies: pd.DataFrame,
    payee_profiles: pd.DataFrame,
    partner_revenue: pd.DataFrame,
    delivered_feeds: pd.DataFrame,
    programs: list[Program],
) -> pd.DataFrame:
    """How each criterion of each program stands for each partner of its types, as spans that cover all days.

    A feed that never came leaves its criteria unknown; a criterion does not apply before the program's file dates it.
    """
    facts = Facts(partners, agreements, competencies, payee_profiles, partner_revenue, delivered_feeds)
    paid = [p for p in active(programs) if facts.partners["partner_type"].isin(p.partner_types).any()]
    made = [_of_program(program, facts) for program in paid or active(programs)[:1]]
    return pd.concat(made, ignore_index=True) if made else spans_of(pd.Series([], dtype="str"), START, None, None)


def _of_program(program: Program, facts: Facts) -> pd.DataFrame:
    candidates = facts.partners.loc[facts.partners["partner_type"].isin(program.partner_types), "partner_id"]
    mine = candidates.drop_duplicates().reset_index(drop=True)
    facts = Facts(*(of_partners(t, mine) if "partner_id" in t else t for t in facts))
    if "program_currency" in facts.partner_revenue:
        revenue = facts.partner_revenue
        facts = facts._replace(partner_revenue=revenue[revenue["program_currency"] == program.currency])
    made = [
        _partition(_judge(criterion, facts), criterion, since, until, mine).assign(criterion_number=number)
        for (criterion, number, since, until) in _listed(program)
    ]
    return pd.concat(made, ignore_index=True).assign(program=program.program)


def of_partners(rows: pd.DataFrame, partners: pd.Series) -> pd.DataFrame:
    """The rows of some partners, each named once; 100,000 in a tenth of the time that `isin` takes on text."""
    return rows.merge(partners.rename("partner_id").to_frame(), on="partner_id")


def _listed(program: Program) -> list[tuple[Criterion, int, date, date | None]]:
    """The program's criteria with their numbers and the days for which each is listed."""
    starts = sorted(program.eligibility.criteria)
    listed: list[tuple[Criterion, int, date, date | None]] = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        judged = [c for c in program.eligibility.criteria[start] if c.criterion != "not_own_customer"]
        listed += [(c, len(listed) + n, start, end) for n, c in enumerate(judged, 1)]
    return listed


def _judge(criterion: Criterion, facts: Facts) -> list[tuple[date, date | None, Judged]]:
    """The criterion over time, one entry for each version of its dated figures."""
    figures = {
        "active_agreement": criterion.any_of,
        "competency": criterion.any_of,
        "trailing_revenue": criterion.at_least,
    }
    dated = figures.get(criterion.criterion)
    if dated is None:
        return [(ALWAYS, None, JUDGES[criterion.criterion](criterion, None, facts))]
    return [(s.start, s.end, JUDGES[criterion.criterion](criterion, s.value, facts)) for s in dated.spans()]


def _partition(
    versions: list[tuple[date, date | None, Judged]],
    criterion: Criterion,
    since: date,
    until: date | None,
    partners: pd.Series,
) -> pd.DataFrame:
    """One criterion's spans over all days: met, unknown, unmet, or not applicable where it is not listed."""
    made = []
    for start, end, judged in versions:
        ends = [day for day in (end, until) if day]
        window = (pd.Timestamp(max(start, since)), pd.Timestamp(min(ends)) if ends else None)
        met = union(judged.met, "partner_id")
        if criterion.once_met_stays:
            first = met.drop_duplicates("partner_id")
            met = first.assign(valid_to=pd.NaT)
        unknown = _without(union(judged.unknown, "partner_id"), met, partners)
        rest = gaps(pd.concat([met, unknown]), partners, "partner_id")
        made += [
            clip(met.assign(status=MET, reason_code=None), *window),
            clip(unknown.assign(status=UNKNOWN), *window),
            clip(rest.assign(status=UNMET, reason_code=judged.reason_code, evidence=judged.unmet), *window),
        ]
    covered = pd.concat(made, ignore_index=True)
    outside = gaps(covered, partners, "partner_id").assign(status=NOT_APPLICABLE, reason_code=None, evidence=None)
    columns = ["partner_id", "valid_from", "valid_to", "status", "reason_code", "evidence"]
    return pd.concat([covered[columns], outside[columns]], ignore_index=True).assign(criterion=criterion.criterion)


def _without(spans: pd.DataFrame, taken: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    """The parts of spans that lie in no taken span; both are disjoint within a key."""
    if spans.empty:
        return spans
    free = gaps(taken, keys, "partner_id")
    crossed = spans.merge(free, on="partner_id", suffixes=("", "_free"))
    start = crossed[["valid_from", "valid_from_free"]].max(axis=1)
    end = pd.concat([crossed["valid_to"].fillna(OPEN), crossed["valid_to_free"].fillna(OPEN)], axis=1).min(axis=1)
    kept = crossed.assign(valid_from=start, valid_to=end.mask(end == OPEN))[start < end]
    return kept[spans.columns]
