"""Who may earn, since when, and why not: every criterion of every program, over all days, with its evidence."""

from datetime import date

import numpy as np
import pandas as pd

from transforms.criteria import Criterion
from transforms.dated import ALWAYS
from transforms.judges import JUDGES, Facts, Judged, enrolment, spans_of
from transforms.programs import Program, active
from transforms.validity import OPEN, START, clip, gaps, states, union

MET, UNMET, UNKNOWN, NOT_APPLICABLE = "met", "unmet", "unknown", "not_applicable"


def eligibility_criteria(
    partners: pd.DataFrame,
    agreements: pd.DataFrame,
    competencies: pd.DataFrame,
    enrolments: pd.DataFrame,
    payee_profiles: pd.DataFrame,
    first_transactions: pd.DataFrame,
    partner_revenue: pd.DataFrame,
    delivered_feeds: pd.DataFrame,
    programs: list[Program],
) -> pd.DataFrame:
    """How each criterion of each program stands for each partner of its types, as spans that cover all days.

    A feed that never came leaves its criteria unknown; a criterion does not apply before the program's file dates it.
    """
    facts = Facts(
        partners,
        agreements,
        competencies,
        enrolments,
        payee_profiles,
        first_transactions,
        partner_revenue,
        delivered_feeds,
    )
    paid = [p for p in active(programs) if facts.partners["partner_type"].isin(p.partner_types).any()]
    made = [_of_program(program, facts) for program in paid or active(programs)[:1]]
    return pd.concat(made, ignore_index=True) if made else spans_of(pd.Series([], dtype="str"), START, None, None)


def _of_program(program: Program, facts: Facts) -> pd.DataFrame:
    candidates = facts.partners.loc[facts.partners["partner_type"].isin(program.partner_types), "partner_id"]
    mine = candidates.drop_duplicates().reset_index(drop=True)
    facts = Facts(*(t[t["partner_id"].isin(mine)] if "partner_id" in t else t for t in facts))
    if "program_currency" in facts.partner_revenue:
        revenue = facts.partner_revenue
        facts = facts._replace(partner_revenue=revenue[revenue["program_currency"] == program.currency])
    listed = _listed(program)
    made = [
        _partition(_judge(criterion, program, facts), criterion, since, until, mine).assign(criterion_number=number)
        for (criterion, number, since, until) in listed
    ]
    spans = pd.concat(made, ignore_index=True)
    return spans.assign(program=program.program)


def _listed(program: Program) -> list[tuple[Criterion | str, int, date, date | None]]:
    """The program's criteria with their numbers and the days for which each is listed; enrolment comes last."""
    starts = sorted(program.eligibility.criteria)
    listed: list[tuple[Criterion | str, int, date, date | None]] = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        judged = [c for c in program.eligibility.criteria[start] if c.criterion != "not_own_customer"]
        listed += [(c, len(listed) + n, start, end) for n, c in enumerate(judged, 1)]
    if program.enrolment:
        listed.append(("enrolment", len(listed) + 1, ALWAYS, None))
    return listed


def _judge(criterion: Criterion | str, program: Program, facts: Facts) -> list[tuple[date, date | None, Judged]]:
    """The criterion over time, one entry for each version of its dated figures."""
    if criterion == "enrolment" or isinstance(criterion, str):
        return [(ALWAYS, None, enrolment(program, facts))]
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
    criterion: Criterion | str,
    since: date,
    until: date | None,
    partners: pd.Series,
) -> pd.DataFrame:
    """One criterion's spans over all days: met, unknown, unmet, or not applicable where it is not listed."""
    name = criterion if isinstance(criterion, str) else criterion.criterion
    made = []
    for start, end, judged in versions:
        ends = [day for day in (end, until) if day]
        window = (pd.Timestamp(max(start, since)), pd.Timestamp(min(ends)) if ends else None)
        met = union(judged.met, "partner_id")
        if not isinstance(criterion, str) and criterion.once_met_stays:
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
    return pd.concat([covered[columns], outside[columns]], ignore_index=True).assign(criterion=name)


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


def eligibility(eligibility_criteria: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """Each partner's standing in each program over all days: the verdict, the reasons, whether sales earn.

    Sales earn from the first day on which all criteria hold at once (or that month's first day) to the first day on
    which one does not, plus the grace days in force then.
    """
    made = [
        _standing(rows, program)
        for program in active(programs)
        if len(rows := eligibility_criteria[eligibility_criteria["program"] == program.program])
    ]
    columns = ["program", "partner_id", "valid_from", "valid_to", "eligibility", "is_earning", "reason_codes"]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=columns)


def _standing(rows: pd.DataFrame, program: Program) -> pd.DataFrame:
    state, kinds = pd.factorize(rows["status"] + ":" + rows["reason_code"].fillna(""))
    tracked = rows.assign(track=rows["criterion_number"].astype("int64"), state=state)
    segments, table = states(
        tracked[["partner_id", "valid_from", "valid_to", "track", "state"]], "partner_id", "track", "state"
    )
    verdicts = _verdicts(table, list(kinds))
    standing = pd.concat([segments, verdicts], axis=1)
    earning = _earning(standing[standing["eligibility"] == "eligible"], program)
    both = pd.concat(
        [
            standing.assign(track=0, state=np.arange(len(standing))),
            earning.assign(track=1, state=1),
            gaps(earning, standing["partner_id"].drop_duplicates(), "partner_id").assign(track=1, state=0),
        ],
        ignore_index=True,
    )
    split, table = states(
        both[["partner_id", "valid_from", "valid_to", "track", "state"]], "partner_id", "track", "state"
    )
    found = standing[["eligibility", "reason_codes"]].take(table[:, 0]).reset_index(drop=True)
    return split.assign(program=program.program, is_earning=table[:, 1] == 1, **{c: found[c] for c in found})


def _verdicts(table: np.ndarray, kinds: list[str]) -> pd.DataFrame:
    """The verdict of each segment; worked out once for each combination of states."""
    combinations, which = np.unique(table, axis=0, return_inverse=True)
    made = []
    for combination in combinations:
        held = [kinds[code].split(":") for code in combination if code >= 0]
        unmet = [code for status, code in held if status == UNMET]
        unknown = [code for status, code in held if status == UNKNOWN]
        almost = len(unmet) == 1 and not unknown
        verdict = "almost_eligible" if almost else "ineligible" if unmet else "unknown" if unknown else "eligible"
        made.append((verdict, ",".join(dict.fromkeys(unmet + unknown)) or None))
    listed = pd.DataFrame(made, columns=["eligibility", "reason_codes"], dtype="str")
    return listed.take(which.reshape(-1)).reset_index(drop=True)


def _earning(eligible: pd.DataFrame, program: Program) -> pd.DataFrame:
    held = union(eligible[["partner_id", "valid_from", "valid_to"]], "partner_id")
    start = held["valid_from"]
    if program.eligibility.earns_from == "month_start":
        start = start.where(start == START, start.dt.to_period("M").dt.start_time.astype("datetime64[us]"))
    grace = np.array([*(int(v or 0) for v in program.eligibility.grace_days.values.values()), 0], dtype="int64")
    ended = held["valid_to"].fillna(START)
    added = pd.to_timedelta(grace[program.eligibility.grace_days.number_at(ended)], unit="D")
    return union(held.assign(valid_from=start, valid_to=held["valid_to"] + added), "partner_id")
