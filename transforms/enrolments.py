"""How each partner's enrolment in each program stands over all days: where it comes from, since when, and why.

The statuses are Partner Center's (Incentives, enrolment status, 2023). What makes them, from the strongest to the
weakest: the program has ended, a requirement is unmet, and the newest of what enrolment data, accepted requests and
the invitation say.
"""

import numpy as np
import pandas as pd

from transforms.dated import Dated
from transforms.periods import last_day, period_start
from transforms.programs import Program, active
from transforms.requirements import PROFILE, UNMET, of_partners
from transforms.validity import DAY, OPEN, START, gaps, states

ENROLLED = ("action_required", "validating_enrollment", "enrolled")  # sales earn
REASON = {  # why an enrolment is not simply in force, where nothing more is known
    "invited": "ENRASK", "action_required": "IVDPAYEE", "validating_enrollment": "ENRCHECK", "inactive": "ENREND",
    "ineligible": "ENREND", "discontinued": "ENROVER",
}  # fmt: skip
APPROVED, UNCHECKED, INCOMPLETE = 0, 1, 2
SAID = ["partner_id", "valid_from", "valid_to", "enrolment_status", "reason_code", "then", "evidence", "is_asked"]
TOLD = ["enrolment_status", "is_enrolled", "reason_code", "evidence"]


def enrolments(
    requirements: pd.DataFrame,
    partners: pd.DataFrame,
    enrolment_states: pd.DataFrame,
    enrol_requests: pd.DataFrame,
    answered_requests: pd.DataFrame,
    invited: pd.DataFrame,
    invitations: pd.DataFrame,
    payee_profiles: pd.DataFrame,
    delivered_feeds: pd.DataFrame,
    programs: list[Program],
) -> pd.DataFrame:
    """Each partner's enrolment in each program that it can enrol in, as spans that cover all days.

    `is_enrolled` says whether sales earn as far as enrolment goes; it is empty where no enrolment data ever came and
    nothing else invites. A requirement that is unmet makes the status `ineligible` and leaves the enrolment in force.
    """
    taken = answered_requests[
        (answered_requests["request_kind"] == "enrol") & (answered_requests["outcome"] == "accepted")
    ]
    requests = _texts(pd.concat([enrol_requests, taken[list(enrol_requests)]], ignore_index=True))
    offers = _texts(pd.concat([invited, invitations[list(invited)]], ignore_index=True))
    has_data = bool((delivered_feeds["feed"] == "enrolments").any())
    has_profiles = bool((delivered_feeds["feed"] == "payee_profiles").any())
    profiles = payee_profiles if has_profiles else None
    made = []
    for program in active(programs):
        mine = partners.loc[partners["partner_type"].isin(program.partner_types), "partner_id"].drop_duplicates()
        if not program.enrolment or mine.empty:
            continue
        judged = requirements[(requirements["program"] == program.program) & (requirements["criterion"] != PROFILE)]
        said = [
            _stated(_of(enrolment_states, program, mine), program),
            _asked(_of(requests, program, mine), judged, program),
        ]
        said.append(_offered(_of(offers, program, mine), pd.concat(said), program))
        held = _partition(pd.concat(said, ignore_index=True), mine, program, has_data=has_data)
        made.append(_overlaid(held, judged, profiles, program).assign(program=program.program))
    empty = pd.DataFrame(columns=["program", "partner_id", "valid_from", "valid_to", *TOLD])
    return pd.concat(made, ignore_index=True) if made else empty


def _texts(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype({"program": "str", "partner_id": "str"})


def _of(rows: pd.DataFrame, program: Program, partners: pd.Series) -> pd.DataFrame:
    return of_partners(rows[rows["program"] == program.program], partners)


def _says(
    partner_id: pd.Series, valid_from: pd.Series, valid_to: object, status: object, **words: object
) -> pd.DataFrame:
    """What one source says: a status on a span of days, and, in `then`, why the enrolment is inactive after it."""
    made = pd.DataFrame(
        {"partner_id": partner_id, "valid_from": valid_from, "valid_to": valid_to, "enrolment_status": status}
    )
    made = made.astype({"valid_from": "datetime64[us]", "valid_to": "datetime64[us]", "enrolment_status": "str"})
    return made.assign(**words)[SAID]


def _stated(rows: pd.DataFrame, program: Program) -> pd.DataFrame:
    """What enrolment data states; an invitation of it lapses too."""
    status = rows["enrolment_status"].astype("str")
    lapses = _lapse(rows["valid_from"], program).where(status == "invited")
    ends = pd.concat([rows["valid_to"].fillna(OPEN), lapses.fillna(OPEN)], axis=1).min(axis=1)
    return _says(
        rows["partner_id"],
        rows["valid_from"],
        ends.mask(ends == OPEN),
        status,
        reason_code=status.map(REASON),
        then=np.where(lapses.notna() & (lapses == ends), "ENRLAPSE", "ENREND"),
        evidence=status + " since " + _day(rows["valid_from"]),
        is_asked=False,
    )


def _asked(requests: pd.DataFrame, judged: pd.DataFrame, program: Program) -> pd.DataFrame:
    """Enrolments by an accepted request, up to the fiscal year's end at which they do not roll over."""
    return _says(
        requests["partner_id"],
        requests["answered_on"],
        _expiry(requests, judged, program),
        "enrolled",
        reason_code=None,
        then="ENREND",
        evidence="enrolled by request " + requests["request_id"].astype("str") + " of " + _day(requests["answered_on"]),
        is_asked=True,
    )


def _offered(offers: pd.DataFrame, others: pd.DataFrame, program: Program) -> pd.DataFrame:
    """Invitations of partners of whom nothing else is said before."""
    first = others.groupby("partner_id")["valid_from"].min().reindex(offers["partner_id"]).to_numpy()
    offers = offers[~(first <= offers["invited_on"].to_numpy())].reset_index(drop=True)
    by = (" by transaction " + offers["transaction_id"].astype("str")).where(offers["transaction_id"].notna(), "")
    return _says(
        offers["partner_id"],
        offers["invited_on"],
        _lapse(offers["invited_on"], program),
        "invited",
        reason_code=REASON["invited"],
        then="ENRLAPSE",
        evidence="invited on " + _day(offers["invited_on"]) + by,
        is_asked=False,
    )


def _day(days: pd.Series) -> pd.Series:
    return days.dt.strftime("%Y-%m-%d")


def _lapse(invited_on: pd.Series, program: Program) -> pd.Series:
    """The first day on which an invitation no longer holds; empty where it does not lapse."""
    days = (program.enrolment and program.enrolment.valid_days) or Dated({})
    return invited_on + days.length_at(invited_on, "D")


def _expiry(requests: pd.DataFrame, judged: pd.DataFrame, program: Program) -> pd.Series:
    """The first start of a fiscal year after each request's answer on which a requirement is unmet, or the very next one."""
    never = pd.Series(pd.NaT, index=requests.index, dtype="datetime64[us]")
    if not program.enrolment or not program.enrolment.expires:
        return never
    if not program.enrolment.rolls_over:
        return _next_year(requests["answered_on"], program)
    unmet = judged.loc[judged["status"] == UNMET, ["partner_id", "valid_from", "valid_to"]]
    crossed = requests.reset_index().merge(unmet, on="partner_id")
    ends = _next_year(crossed[["answered_on"]].assign(before=crossed["valid_from"] - DAY).max(axis=1), program)
    found = crossed.assign(ends=ends)[(ends < crossed["valid_to"]) | crossed["valid_to"].isna()]
    return never.fillna(found.groupby("index")["ends"].min().astype("datetime64[us]"))


def _next_year(days: pd.Series, program: Program) -> pd.Series:
    """The first start of a fiscal year after each day."""
    year = period_start(days, "fiscal_year", program.fiscal_year_start)
    return pd.Series(last_day(year, "fiscal_year") + DAY, index=days.index).astype("datetime64[us]")


def _partition(said: pd.DataFrame, partners: pd.Series, program: Program, *, has_data: bool) -> pd.DataFrame:
    """What is said last on each day; before and between it, why the partner is not enrolled."""
    ordered = said.sort_values(["partner_id", "valid_from", "is_asked"], kind="stable")
    ordered = ordered.drop_duplicates(["partner_id", "valid_from"], keep="last").reset_index(drop=True)
    following = ordered["valid_from"].shift(-1).where(ordered["partner_id"].eq(ordered["partner_id"].shift(-1)))
    ends = pd.concat([ordered["valid_to"].fillna(OPEN), following.fillna(OPEN)], axis=1).min(axis=1)
    held = ordered.assign(valid_to=ends.mask(ends == OPEN))
    after = held[held["valid_to"].notna() & ~held["valid_to"].eq(following)]
    after = after.assign(
        valid_from=after["valid_to"], valid_to=following[after.index], enrolment_status="inactive", is_asked=False,
        reason_code=after["then"], evidence=after["evidence"] + " until " + _day(after["valid_to"]),
    )  # fmt: skip
    spoken = pd.concat([held, after], ignore_index=True)
    spoken = spoken.assign(is_enrolled=spoken["enrolment_status"].isin(ENROLLED).astype("boolean"))
    silent = gaps(spoken, partners, "partner_id").assign(is_asked=False, **_of_nobody(program, has_data=has_data))
    return pd.concat([spoken, silent.astype({"is_enrolled": "boolean"})], ignore_index=True)


def _of_nobody(program: Program, *, has_data: bool) -> dict[str, object]:
    """How the enrolment of a partner stands of whom nothing is said."""
    invite_on = program.enrolment.invite_on if program.enrolment else None
    if invite_on == "open":
        return {"enrolment_status": "invited", "reason_code": "ENRASK", "is_enrolled": False, "evidence": "open to all"}
    is_unknown = invite_on is None and not has_data
    return {
        "enrolment_status": "inactive",
        "reason_code": "UNKENROL" if is_unknown else "ENRNONE",
        "is_enrolled": pd.NA if is_unknown else False,
        "evidence": None,
    }


def _overlaid(
    held: pd.DataFrame, judged: pd.DataFrame, profiles: pd.DataFrame | None, program: Program
) -> pd.DataFrame:
    """What is said, under profiles that are not approved, requirements that are unmet and the end of the program."""
    partners = held["partner_id"].drop_duplicates()
    unmet, codes = pd.factorize(judged["reason_code"].where(judged["status"] == UNMET).astype("object"))
    tracks = [
        held.assign(track=0, state=np.arange(len(held))),
        _profile_states(profiles, partners).assign(track=1),
        _program_states(partners, program).assign(track=2),
        judged.assign(track=judged["criterion_number"].astype("int64") + 2, state=unmet + 1),
    ]
    columns = ["partner_id", "valid_from", "valid_to", "track", "state"]
    segments, table = states(pd.concat([t[columns] for t in tracks], ignore_index=True), "partner_id", "track", "state")
    told = held[[*TOLD, "is_asked"]].take(table[:, 0]).reset_index(drop=True)
    lacks = np.array([None, *codes], dtype="object").take(_first_above_zero(table[:, 3:]))
    is_new = (told["is_asked"] & (told["enrolment_status"] == "enrolled")).to_numpy(bool)
    is_over = (told["enrolment_status"] == "discontinued").to_numpy(bool) | (table[:, 2] == 1)
    for applies, status, reason in (
        (is_new & (table[:, 1] == UNCHECKED), "validating_enrollment", REASON["validating_enrollment"]),
        (is_new & (table[:, 1] == INCOMPLETE), "action_required", REASON["action_required"]),
        (pd.notna(lacks), "ineligible", lacks),
        (is_over, "discontinued", REASON["discontinued"]),
    ):
        told["enrolment_status"] = told["enrolment_status"].mask(applies, status)
        told["reason_code"] = told["reason_code"].astype("object").mask(applies, reason)
    return _joined(pd.concat([segments, told[TOLD]], axis=1))


def _first_above_zero(table: np.ndarray) -> np.ndarray:
    """The first number above zero of each row, zero where there is none."""
    if not table.shape[1]:
        return np.zeros(len(table), dtype="int64")
    return np.take_along_axis(table, (table > 0).argmax(axis=1)[:, None], axis=1)[:, 0].clip(min=0)


def _profile_states(profiles: pd.DataFrame | None, partners: pd.Series) -> pd.DataFrame:
    """Whether bank and tax profiles are approved, being validated or incomplete; approved where no profiles ever came."""
    if profiles is None:
        return _whole_time(partners, APPROVED)
    known = of_partners(profiles, partners)
    both = known[["bank_status", "tax_status"]].astype("str")
    lacks = both.isin(["action_required", "missing"]).any(axis=1)
    state = np.select([lacks, (both == "approved").all(axis=1)], [INCOMPLETE, APPROVED], UNCHECKED)
    covered = known[["partner_id", "valid_from", "valid_to"]].assign(state=state)
    return pd.concat([covered, gaps(covered, partners, "partner_id").assign(state=INCOMPLETE)], ignore_index=True)


def _program_states(partners: pd.Series, program: Program) -> pd.DataFrame:
    """0 while a lever of the program is or will be in force, 1 from the day on which none is for good."""
    if program.pays_until is None:
        return _whole_time(partners, 0)
    end = pd.Timestamp(program.pays_until)
    return pd.concat([_whole_time(partners, 0).assign(valid_to=end), _whole_time(partners, 1).assign(valid_from=end)])


def _whole_time(partners: pd.Series, state: int) -> pd.DataFrame:
    made = pd.DataFrame({"partner_id": partners, "valid_from": START, "valid_to": pd.NaT, "state": state})
    return made.astype({"valid_from": "datetime64[us]", "valid_to": "datetime64[us]"})


def _joined(rows: pd.DataFrame) -> pd.DataFrame:
    """Spans in order that say the same as the one before them, joined to it."""
    said = rows[["partner_id", *TOLD]].astype("str").fillna("")
    begins = (said != said.shift()).any(axis=1)
    kept = rows[begins].reset_index(drop=True)
    following = kept["valid_from"].shift(-1).where(kept["partner_id"].eq(kept["partner_id"].shift(-1)))
    return kept.assign(valid_to=following)
