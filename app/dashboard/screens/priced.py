"""How an earning of a line comes about: base, rate and bracket, what a refund takes back, what holds it, by which rules."""

from typing import Any

import streamlit as st

from app.dashboard.tables import Fact, facts
from app.dashboard.view import View
from app.explained import HELD_BY
from transforms.vocabulary import EXPONENTS


def price(view: View, row: dict[str, Any]) -> None:
    """One price of a line, under the name of its lever."""
    words, currency = view.words, row["currency"]
    st.subheader(view.lever(row["program"], row["lever"]))
    facts(
        [
            Fact(words("Program"), view.program(row["program"])),
            Fact(words("Earned"), view.money(row["earning"], currency), beside=_held(view, row)),
            Fact(words("Calculation"), calculation(view, row)),
            Fact(words("Rebate"), view.money(row["rebate"], currency)),
            Fact(words("Co-op"), view.money(row["coop"], currency)),
            Fact(words("In program currency"), _exchanged(view, row) if currency != row["program_currency"] else ""),
            *_rules(view, row),
        ]
    )


def calculation(view: View, row: dict[str, Any]) -> str:
    """How an earning comes about; bracket 0 is of lines that reach none, and of what rounding over a period adds."""
    words, currency = view.words, row["currency"]
    if not row["bracket"]:
        return words("Rounding of the period") if row["earning"] else words("Pays nothing for the line")
    if "reverses" in row:
        return _taken_back(view, row)
    if row["rate"] is not None:
        priced = f"{view.money(row['base'], currency)} × {view.share(row['rate'])}"
    else:
        amount = view.money(row["unit_amount"], row["program_currency"])
        priced = words("at {amount}", amount=amount)
    return words("{priced}, bracket {bracket}", priced=priced, bracket=view.number(row["bracket"]))


def _taken_back(view: View, row: dict[str, Any]) -> str:
    """What a refund takes back: its part of what was left of the earning and, where a ladder holds some of that, how much."""
    words, currency, left = view.words, row["currency"], row["earning_left"]
    part = left * row["base"] / row["base_left"]
    said = words(
        "Takes back {part} of the {whole} left of {line}, and that share of the {left} earned by it"
        if left > 0
        else "Gives back {part} of the {whole} left of {line}, and that share of the {left} taken by it",
        part=view.money(abs(row["base"]), currency), whole=view.money(abs(row["base_left"]), currency),
        left=view.money(left, currency), line=row["reverses"],
    )  # fmt: skip
    if abs(part - row["earning"]) < 10 ** -EXPONENTS[currency]:
        return said
    months = view.number(row["completed_months"])
    amount = view.money(part, currency)
    return words("{said}: {amount}, reduced after {months} completed months", said=said, amount=amount, months=months)


def _held(view: View, row: dict[str, Any]) -> str:
    return view.words(HELD_BY[row["held_by"]]) if row["held_by"] else ""


def _exchanged(view: View, row: dict[str, Any]) -> str:
    rate = f"1 {row['currency']} = {view.number(row['fx_rate'])} {row['program_currency']}"
    amount = view.money(row["program_earning"], row["program_currency"])
    return view.words("{amount}, at {rate} in {month}", amount=amount, rate=rate, month=view.month(row["fx_month"]))


def _rules(view: View, row: dict[str, Any]) -> list[Fact]:
    """The rules that priced the line, in words; those of today, which is said where they were edited since."""
    words, today = view.words, row["rules_today"]
    since = words("in the words of today's rules") if today and today != row["rule_version"] else ""
    said = view.scope.release.rule(row["program"], row["lever"])
    is_told = said is not None
    return [
        Fact(words("Pays"), view.rule(said, "pays") if is_told and row["rate"] is None else "", beside=since),
        Fact(words("Conditions"), view.rule(said, "bounds") if is_told else "", beside=since),
        Fact(words("Counted before"), view.number(row["position"]) if row["position"] else ""),
        Fact(
            words("Source"),
            row["reference"] or words("The lever is no longer in force."),
            beside=words("illustrative") if row["is_illustrative"] else "",
        ),
        Fact(words("Rules"), row["rule_version"]),
    ]
