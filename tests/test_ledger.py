"""The ledger's entries: what is due less what is posted, told by cause. A euro is two dollars here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms import ledger
from transforms.causes import AROUND, ORDER, STAGES
from transforms.money import FX, RATE
from transforms.programs import Program

RUN_DATE, MARCH, APRIL = date(2021, 4, 7), pd.Timestamp("2021-03-01"), pd.Timestamp("2021-04-01")
ROW = {
    "transaction_id": "t1", "program": "gold", "lever": "azure", "bracket": 1, "partner_id": "p1", "earning_month": MARCH,
    "currency": "EUR", "program_currency": "USD", "rate": Decimal("0.04"), "fx_month": MARCH, "fx_rate": Decimal(2),
    "rule_version": "v2",
}  # fmt: skip
KINDS = {
    "program": "category", "currency": "category", "reason_codes": "category", "bracket": "Int64", "is_posted": "boolean",
    "rate": pd.ArrowDtype(RATE), "fx_rate": pd.ArrowDtype(FX), "earning_month": "datetime64[us]", "fx_month": "datetime64[us]",
}  # fmt: skip
Row = dict[str, Any]


def earning(rebate: int, coop: int = 0, **more: Any) -> Row:
    """What a line earns in a bracket, in euro cents."""
    cents = {"rebate_minor": rebate, "coop_minor": coop}
    dollars = {f"program_{name}": 2 * amount for name, amount in cents.items()}
    return {**ROW, **cents, **dollars, "base_minor": 7, "cause": "new_line", "is_posted": True, **more}


def entry(amount: int, earning_type: str = "rebate", **more: Any) -> Row:
    """What is posted for a line by the rules before, in euro cents."""
    amounts = {"amount_minor": amount, "program_amount_minor": 2 * amount}
    return {**ROW, "rule_version": "v1", "earning_type": earning_type, **amounts, **more}


def move(*stages: str, **more: Any) -> Row:
    """A line that was posted before, and the stages at which it moved by itself."""
    at = {f"at_{stage}": stage in stages for stage in STAGES}
    return {"transaction_id": "t1", "program": "gold", "arrival": "corrected_line", **at, **more}


def around(stage: str) -> Row:
    """That something around a line moved it at a stage."""
    return {"transaction_id": "t1", "program": "gold", "stage": stage}


def decided(reason_codes: str | None = None, **more: Any) -> Row:
    """A line as it is decided, and what speaks against it."""
    return {"transaction_id": "t1", "program": "gold", "reason_codes": reason_codes, "revenue_minor": 100, **more}


def framed(rows: Iterable[Row], columns: Iterable[str]) -> pd.DataFrame:
    """Rows with types as steps and the warehouse make them."""
    made = pd.DataFrame(list(rows), columns=list(columns))
    return made.astype({name: kind_of(name) for name in made})


def kind_of(column: str) -> Any:
    usual = "Int64" if column.endswith("_minor") else "bool" if column.startswith("at_") else "str"
    return KINDS.get(column, usual)


def rules(**versions: str) -> list[Program]:
    """Programs at versions of their files."""
    return [Program.model_construct(program=name, rule_version=version) for name, version in versions.items()]


RULES_BEFORE, RULES = rules(gold="v1"), rules(gold="v2", silver="v3")


def entries(
    due: Sequence[Row],
    posted: Sequence[Row] = (),
    moved: Sequence[Row] = (),
    staged: Sequence[Row] = (),
    reasons_before: Sequence[Row] = (),
    lines: Sequence[Row] = (),
) -> pd.DataFrame:
    """The entries of a run; in `staged` a row that gives no lever says only that something around the line moved it."""
    columns = earning(0) if any("lever" in row for row in staged) else ["transaction_id", "program"]
    return ledger.earnings_ledger(
        framed(due, earning(0)),
        framed(staged, [*columns, "stage"]),
        framed(posted, entry(0)),
        framed(moved, move()),
        framed(reasons_before, decided()),
        framed(lines, decided()),
        RULES_BEFORE,
        RULES,
        RUN_DATE,
    )


def told(*given: Sequence[Row], **more: Sequence[Row]) -> list[tuple]:
    """The entries of a run: line, bracket, type, euro cents, cause and its detail."""
    made = entries(*given, **more)
    assert (made["program_amount_minor"] == 2 * made["amount_minor"]).all()
    shown = made[["transaction_id", "bracket", "earning_type", "amount_minor", "cause", "cause_detail"]]
    return sorted(tuple(None if pd.isna(v) else v for v in row) for row in shown.itertuples(index=False))


# Lines that are new


def test_a_new_line_is_posted_as_it_earns():
    made = entries([earning(60, 40, is_posted=False)])
    assert made.drop(columns="is_posted").to_dict("records") == [
        {
            **ROW, "earning_type": kind, "amount_minor": amount, "program_amount_minor": 2 * amount, "cause": "new_line",
            "cause_detail": None, "posted_on": pd.Timestamp(RUN_DATE), "adjustment_id": None, "payment_id": None,
        }
        for kind, amount in (("rebate", 60), ("coop", 40))
    ]  # fmt: skip


def test_what_earns_nothing_in_either_currency_is_not_posted():
    only_dollars = earning(0, program_rebate_minor=1, is_posted=False)
    only_euro = earning(1, program_rebate_minor=0, bracket=2, is_posted=False)
    made = entries([only_dollars, only_euro, earning(0, bracket=3, is_posted=False)])
    assert made[["amount_minor", "program_amount_minor"]].values.tolist() == [[0, 1], [1, 0]]


def test_a_line_that_did_not_move_is_left_as_it_is_posted():
    assert told([earning(60)], [entry(50)]) == []
    assert told([earning(60), earning(5, transaction_id="t2", is_posted=False)]) == [
        ("t2", 1, "rebate", 5, "new_line", None)
    ]


# Lines that moved


def test_an_entry_has_the_columns_of_the_ledger_and_no_others():
    made = entries([earning(60), earning(5, bracket=2, is_posted=False)], [entry(50)], [move("line")])
    own = [*entry(0), "cause", "cause_detail", "posted_on", "adjustment_id", "payment_id", "is_posted"]
    assert set(made) == set(own) and len(made) == 2


@pytest.mark.parametrize(("euro", "dollars"), [(0, 1), (1, 0), (1, 1), (0, -1), (-1, 0)])
def test_what_moved_in_either_currency_is_posted(euro, dollars):
    made = entries([earning(50 + euro, program_rebate_minor=100 + dollars)], [entry(50)], [move("fx")])
    assert made[["amount_minor", "program_amount_minor"]].values.tolist() == [[euro, dollars]]


@pytest.mark.parametrize(
    ("stage", "cause", "detail"),
    [
        ("line", "corrected_line", None),
        ("reference", "reference_change", None),
        ("fx", "fx_correction", "2021-03"),
        ("rule", "rule_change", "v1 → v2"),
        ("split", "split_change", "v1 → v2"),
    ],
)
def test_what_moved_a_line_is_the_cause(stage, cause, detail):
    found = told([earning(30, 40)], [entry(60), entry(40, "coop")], [move(stage)])
    assert found == [("t1", 1, "rebate", -30, cause, detail)]


@pytest.mark.parametrize(
    ("stage", "rise", "fall"),
    [
        ("baseline", "growth_gained", "growth_lost"),
        ("bracket", "bracket_rise", "bracket_fall"),
        ("customer", "customer_won", "customer_lost"),
        ("minimum", "minimum_reached", "minimum_lost"),
        ("stack", "stack_change", "stack_change"),
        ("cap", "cap_freed", "cap_reached"),
    ],
)
def test_what_moved_around_a_line_is_the_cause_by_what_it_brings(stage, rise, fall):
    for due, amount, cause in ((70, 10, rise), (50, -10, fall)):
        found = told([earning(due)], [entry(60)], [move()], [around(stage)], lines=[decided()])
        assert found == [("t1", 1, "rebate", amount, cause, "azure, bracket 1")]


def test_a_refund_that_takes_back_more_is_told_as_a_rise():
    refund = decided(revenue_minor=-100)
    assert told([earning(-70)], [entry(-60)], [move()], lines=[refund]) == [
        ("t1", 1, "rebate", -10, "bracket_rise", "azure, bracket 1")
    ]
    assert told([earning(-50)], [entry(-60)], [move()], lines=[refund]) == [
        ("t1", 1, "rebate", 10, "bracket_fall", "azure, bracket 1")
    ]


@pytest.mark.parametrize("revenue", [100, -100])
def test_a_step_that_brings_neither_more_nor_less_is_no_rise(revenue):
    found = told([earning(60, bracket=2)], [entry(60)], [move()], lines=[decided(revenue_minor=revenue)])
    assert [(amount, cause) for *_, amount, cause, _ in found] == [(-60, "bracket_fall"), (60, "bracket_fall")]


def test_a_line_of_no_revenue_is_told_as_a_sale():
    for line in ([decided(revenue_minor=0)], [decided(revenue_minor=None)], []):
        [(*_, cause, _)] = told([earning(70)], [entry(60)], [move()], lines=line)
        assert cause == "bracket_rise"


def test_the_brackets_of_a_line_rise_or_fall_together():
    found = told([earning(60, bracket=2)], [entry(40)], [move()], lines=[decided()])
    assert found == [
        ("t1", 1, "rebate", -40, "bracket_rise", "azure, bracket 1"),
        ("t1", 2, "rebate", 60, "bracket_rise", "azure, bracket 2"),
    ]


@pytest.mark.parametrize(("dollars", "cause"), [(-1, "bracket_fall"), (0, "bracket_fall"), (1, "bracket_rise")])
def test_only_what_brings_more_is_a_rise(dollars, cause):
    due = [earning(60, bracket=2, program_rebate_minor=120 + dollars)]
    found = entries(due, [entry(60)], [move()], lines=[decided()])
    assert found["cause"].tolist() == [cause] * 2


def test_what_is_less_than_a_cent_of_the_program_rises_in_its_own_currency():
    found = entries([earning(80, bracket=2, program_rebate_minor=120)], [entry(60)], [move()], lines=[decided()])
    assert found["cause"].unique().tolist() == ["bracket_rise"]


@pytest.mark.parametrize(
    ("other", "moved"),
    [
        ({"lever": "office"}, [move()]),
        ({"program": "silver"}, [move(), move(program="silver")]),
        ({"transaction_id": "t2"}, [move(), move(transaction_id="t2")]),
    ],
)
def test_levers_programs_and_lines_rise_or_fall_each_for_itself(other, moved):
    made = entries([earning(70), earning(10, **other)], [entry(60), entry(60, **other)], moved, lines=[decided()])
    assert dict(zip(made["amount_minor"], made["cause"], strict=True)) == {10: "bracket_rise", -50: "bracket_fall"}


def test_eligibility_is_lost_by_what_now_speaks_against_the_line():
    now, before = [decided("IVDMPN,IVDCOMP")], [decided("IVDGEO")]
    assert told([], [entry(60)], [move("eligibility")], reasons_before=before, lines=now) == [
        ("t1", 1, "rebate", -60, "eligibility_lost", "active_agreement, competency")
    ]


def test_eligibility_is_gained_by_what_spoke_against_the_line():
    now, before = [decided("IVDMPN")], [decided("IVDGEO")]
    assert told([earning(60)], [], [move("eligibility")], reasons_before=before, lines=now) == [
        ("t1", 1, "rebate", 60, "eligibility_gained", "same_country")
    ]


def test_reasons_are_those_of_the_line_in_the_program():
    others = [decided("IVDGEO", program="silver"), decided("IVDGEO", transaction_id="t2"), decided()]
    [(*_, detail)] = told([], [entry(60)], [move("eligibility")], lines=others)
    assert detail is None


def test_a_program_that_is_new_had_no_version_before():
    found = told([earning(10, program="silver")], [], [move("rule", program="silver")])
    assert found == [("t1", 1, "rebate", 10, "rule_change", "none → v3")]


def test_a_line_arrives_once_in_all_its_programs():
    moved = [move("line"), move("line", program="silver"), move("line", transaction_id="t2", arrival="refund")]
    posted = [entry(60), entry(60, program="silver"), entry(60, transaction_id="t2")]
    assert Counter(entries([], posted, moved)["cause"]) == {"corrected_line": 2, "refund": 1}


def test_what_a_line_no_longer_earns_keeps_the_source_that_it_was_posted_with():
    [gone, new] = entries(
        [earning(60, bracket=2, rate=Decimal("0.05"), fx_month=APRIL, fx_rate=Decimal(2))], [entry(40)], [move("rule")]
    ).to_dict("records")
    assert (gone["bracket"], gone["rate"], gone["fx_month"], gone["rule_version"]) == (1, Decimal("0.04"), MARCH, "v1")
    assert (new["bracket"], new["rate"], new["fx_month"], new["rule_version"]) == (2, Decimal("0.05"), APRIL, "v2")


# Stage by stage


def test_each_stage_brings_what_it_adds_to_the_one_before():
    staged = [earning(50, stage="line"), earning(80, stage="eligibility"), earning(0, stage="rule")]
    found = told([earning(30)], [entry(60)], [move("line", "eligibility", "rule", "split")], staged)
    assert {cause: amount for _, _, _, amount, cause, _ in found} == {
        "corrected_line": -10, "eligibility_gained": 30, "rule_change": -80, "split_change": 30,
    }  # fmt: skip


def test_the_last_stage_of_each_line_brings_it_to_what_is_due():
    staged = [earning(50, stage="line"), earning(90, transaction_id="t2", stage="line")]
    moved = [move("line", "rule"), move("line", transaction_id="t2")]
    found = told(
        [earning(55), earning(70, transaction_id="t2")], [entry(60), entry(60, transaction_id="t2")], moved, staged
    )
    assert [(line, amount, cause) for line, _, _, amount, cause, _ in found] == [
        ("t1", -10, "corrected_line"), ("t1", 5, "rule_change"), ("t2", 10, "corrected_line"),
    ]  # fmt: skip


def test_a_line_takes_no_part_in_the_stages_of_others():
    moved = [move("line"), move("rule", transaction_id="t2")]
    found = told([earning(50), earning(70, transaction_id="t2")], [entry(60), entry(60, transaction_id="t2")], moved)
    assert [(line, amount, cause) for line, _, _, amount, cause, _ in found] == [
        ("t1", -10, "corrected_line"), ("t2", 10, "rule_change"),
    ]  # fmt: skip


def test_what_stands_around_a_line_is_told_after_what_moved_it():
    staged = [earning(50, stage="line"), earning(40, stage="baseline"), around("cap")]
    found = told([earning(45)], [entry(60)], [move("line")], staged, lines=[decided()])
    assert [(cause, amount) for _, _, _, amount, cause, _ in found] == [
        ("corrected_line", -10), ("growth_lost", -10), ("cap_freed", 5),
    ]  # fmt: skip


def test_that_something_around_a_line_moved_brings_nothing_by_itself():
    staged = [earning(50, stage="baseline"), around("baseline"), around("cap")]
    found = told([earning(45)], [entry(60)], [move()], staged, lines=[decided()])
    assert [(cause, amount) for _, _, _, amount, cause, _ in found] == [("growth_lost", -10), ("cap_reached", -5)]


figures = st.dictionaries(st.tuples(st.sampled_from(["t1", "t2"]), st.sampled_from([1, 2])), st.integers(-9, 9))


@settings(max_examples=8)
@given(
    posted=figures,
    due=figures,
    moves=st.tuples(*[st.sets(st.sampled_from(STAGES), max_size=2)] * 2),
    staged=st.dictionaries(st.sampled_from(ORDER[:-1]), figures, max_size=2),
)
def test_all_entries_bring_the_ledger_to_what_is_due_whatever_stages_say_in_between(posted, due, moves, staged):
    moved = dict(zip(("t1", "t2"), moves, strict=True))
    made = entries(
        [earning(amount, transaction_id=line, bracket=n) for (line, n), amount in due.items()],
        [entry(amount, transaction_id=line, bracket=n) for (line, n), amount in posted.items()],
        [move(*stages, transaction_id=line) for line, stages in moved.items()],
        [
            earning(amount, transaction_id=line, bracket=n, stage=stage)
            for stage, rows in staged.items()
            for (line, n), amount in rows.items()
            if stage in AROUND or stage in moved[line]
        ],
    )
    found = made.groupby(["transaction_id", "bracket"])[["amount_minor", "program_amount_minor"]].sum()
    assert {key: (amount, dollars) for key, amount, dollars in found.itertuples() if amount} == {
        key: (amount, 2 * amount) for key in {*due, *posted} if (amount := due.get(key, 0) - posted.get(key, 0))
    }


def test_a_difference_is_exact_where_one_side_lacks_the_line():
    row = {name: ["x"] for name in ledger.KEY} | {name: [None] for name in ledger.SOURCE}
    one = pd.DataFrame(row | {"amount_minor": [2**53 + 1], "program_amount_minor": [-(2**53) - 1]})
    other = one.assign(transaction_id="y")
    made = ledger._differences(one, other)
    assert sorted(made["amount_minor"]) == [-(2**53) - 1, 2**53 + 1] and made["amount_minor"].dtype == "int64"
