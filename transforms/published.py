"""The rules as tables: who earns in which program, and the levers in force."""

from datetime import date

import pandas as pd

from transforms.figures_in_words import ENGLISH, Language, Telling
from transforms.levers import Lever
from transforms.levers_in_words import LeverInWords, cap_in_words, clawback_in_words, lever_in_words
from transforms.money import RATE, decimals
from transforms.programs import Program, active
from transforms.rules_in_german import GERMAN

READS = ("goes_on", "keeps_customers", "has_baseline", "has_first_purchase", "pays_until")


def program_earners(programs: list[Program]) -> pd.DataFrame:
    """Which partner of a line each active program pays, of which types, by which date, in which currency.

    `cell_over` is the period within which lines of one partner bear on one another, counted from the fiscal year's start;
    `goes_on` says that lines added to it need only its positions; `pays_until` is the first day on which no lever is in
    force for good, empty while one is open; the others say what lines need to know besides.
    """
    columns = [
        "program",
        "earner",
        "partner_types",
        "reference_date",
        "program_currency",
        "cell_over",
        "fiscal_year_start",
    ]
    return pd.DataFrame(
        [
            (
                p.program,
                p.earner,
                p.partner_types,
                p.reference_date,
                p.currency,
                p.cell_over,
                p.fiscal_year_start,
                *_reads(p),
            )
            for p in active(programs)
        ],
        columns=[*columns, *READS],
    ).astype({"pays_until": "datetime64[us]"})


def _reads(program: Program) -> tuple[object, ...]:
    """What the program's lines need to know besides, in the order of READS."""
    windows = [lever.window.start for lever in program.levers if lever.window]
    is_exclusive = any(lever.kept for lever in program.levers)
    has_before = any(lever.baseline and lever.baseline.over for lever in program.levers)
    return program.goes_on, is_exclusive, has_before, "first_purchase" in windows, program.pays_until


def program_levers(programs: list[Program], run_date: date) -> pd.DataFrame:
    """Each lever of the active programs: the rate and split in force on the day, all its rules in words, where it is documented.

    `selects`, `pays` and `bounds` are the words, figures that change with their days; `bounds` is missing where none is.
    They are there in German too.
    """
    rows = [(program, lever) for program in active(programs) for lever in program.levers]
    splits = [program.split.on(run_date) for program, _ in rows]
    return pd.DataFrame(
        {
            "program": [program.program for program, _ in rows],
            "program_title": [program.title for program, _ in rows],
            "lever": [lever.lever for _, lever in rows],
            "lever_title": [lever.title for _, lever in rows],
            "program_currency": [program.currency for program, _ in rows],
            "fiscal_year_start": [program.fiscal_year_start for program, _ in rows],
            "effective_from": pd.to_datetime([lever.effective.start for _, lever in rows]).as_unit("us"),
            "effective_to": pd.to_datetime([lever.effective.to for _, lever in rows]).as_unit("us"),
            "rate": decimals([lever.rate.on(run_date) if lever.rate else None for _, lever in rows], RATE),
            **_in_words(rows, "", ENGLISH),
            **_in_words(rows, "_de", GERMAN),
            "is_illustrative": [lever.illustrative for _, lever in rows],
            "rebate_share": decimals([rebate for rebate, _ in splits], RATE),
            "coop_share": decimals([coop for _, coop in splits], RATE),
            "reference": [_cited(lever.reference or program.reference) for program, lever in rows],
            "rule_version": [program.rule_version for program, _ in rows],
        }
    )


def _in_words(rows: list[tuple[Program, Lever]], suffix: str, language: Language) -> dict[str, object]:
    """The columns that tell levers in a language."""
    tell = Telling(language=language)
    words = [lever_in_words(lever, program.currency, tell) for program, lever in rows]
    bounds = [_bounds(program, said, tell) for (program, _), said in zip(rows, words, strict=True)]
    return {
        f"selects{suffix}": [said.selects for said in words],
        f"pays{suffix}": [said.price for said in words],
        f"bounds{suffix}": pd.Series(bounds, dtype="str"),
    }


def _bounds(program: Program, said: LeverInWords, tell: Telling) -> str | None:
    over_all = (tell("over all levers {cap}", cap=cap_in_words(cap, program.currency, tell)) for cap in program.cap)
    back = clawback_in_words(program.clawback, tell) if program.clawback else ()
    return "; ".join([*said.conditions, *over_all, *back]) or None


def _cited(reference: object) -> str:
    parts = (getattr(reference, name) for name in ("title", "note", "url"))
    return "; ".join(part for part in parts if part)
