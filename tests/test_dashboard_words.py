"""Whatever the dashboard says, it says in German too."""

import ast
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.dashboard import downloads, periods, stored
from app.dashboard.screens import earnings, health, overview, priced, requests
from app.dashboard.view import View
from app.dashboard.words import Words, german
from app.explained import HELD_BY
from emails.due import LETTERS
from transforms.coop_funds import WHY
from transforms.reasons import REASONS
from warehouse.columns import COLUMNS

FOLDER = Path(overview.__file__).parents[1]
CODED = (
    "activity_type", "adjustment_reason", "cause", "charge_type", "coop_claim_status", "criterion", "fund_stage", "decision", "delivery_status", "eligibility", "enrolment_status", "outcome", "partner_type", "payment_status", "request_kind",
    "status",
)  # fmt: skip

AS_THEY_ARE = {"{month}", "{criteria}", "{version} → {now}"}  # the same in every language


def said(path: Path) -> set[str]:
    """The texts that a file gives to `words`, of two between which it chooses both."""
    calls = [
        call.args[0]
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and call.args
        if (getattr(call.func, "id", None) or getattr(call.func, "attr", "")) == "words"
    ]
    given = [one for text in calls for one in ([text.body, text.orelse] if isinstance(text, ast.IfExp) else [text])]
    return {one.value for one in given if isinstance(one, ast.Constant)}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_every_text_of_a_page_is_translated(path):
    assert said(path) <= set(german())


def test_every_code_and_reason_is_translated():
    codes = {code.replace("_", " ").capitalize() for column in CODED for code in COLUMNS[column].one_of}
    reasons = {text for reason in REASONS.values() for text in (reason.text, reason.what_to_do) if text}
    titles = {title for title, _ in requests.FORMS.values()}
    states = {*health.BADGES, *health.COUNTS.values(), *downloads.OFFERED.values()}
    told = {*stored.TEXTS, *HELD_BY.values(), *periods.LAST} - AS_THEY_ARE
    assert (codes | reasons | titles | states | told | set(earnings.GROUPS.values())) <= set(german())


def test_no_text_or_letter_promises_earnings_from_a_day_that_is_the_programs_choice():
    told = [*german(), *(path.read_text() for path in LETTERS.iterdir())]
    assert [text for text in told if "first day of the month" in text] == []


def test_what_is_put_into_a_text_is_put_into_its_translation():
    fields = {text: sorted(part for part in text.split("{")[1:]) for text in german()}
    for text, translated in german().items():
        named = {part.split("}")[0] for part in translated.split("{")[1:]}
        assert named == {part.split("}")[0] for part in fields[text]}, text
    assert Words("de")("Lines of {month}", month="Mai") == "Zeilen von Mai"


@pytest.mark.parametrize(
    ("text", "in_english", "in_german"),
    [
        ("agreement a1 from 2018-01-01 until 2021-03-02", "agreement a1 from 1 Jan 2018 until 2 Mar 2021", "Vereinbarung a1 ab 01.01.2018 bis vor 02.03.2021"),
        ("trailing revenue 25300 on 2021-03-02, 25000.50 required", "trailing revenue 25,300 on 2 Mar 2021, 25,000.5 required", "Umsatz des Zeitraums 25.300 am 02.03.2021, 25.000,5 verlangt"),
        ("no mpn or mpa agreement in force", "no mpn or mpa agreement in force", "keine gültige Vereinbarung (mpn oder mpa)"),
        ("no [agreements] delivered", "no [agreements] delivered", "[agreements] nicht geliefert"),
        ("action_required since 2021-03-02", "Action required since 2 Mar 2021", "Handlung nötig seit 02.03.2021"),
        ("invited on 2021-03-02 by transaction t 1 until 2021-04-01", "invited on 2 Mar 2021 by transaction t 1 until 1 Apr 2021", "eingeladen am 02.03.2021 durch Zeile t 1 bis vor 01.04.2021"),
        ("cloud_platform gold from 2018-01-01", "Cloud platform Gold from 1 Jan 2018", "Cloud platform Gold ab 01.01.2018"),
        ("no exchange rate for revenue in EUR of 2021-03", "no exchange rate for revenue in EUR of Mar 2021", "kein Wechselkurs für Umsatz in EUR vom März 2021"),
        ("active_agreement, competency", "Active agreement, Competency", "Gültige Vereinbarung, Kompetenz"),
        ("something of an older version", "something of an older version", "something of an older version"),
    ],
)  # fmt: skip
def test_a_stored_text_is_told_in_the_readers_language_with_its_days_and_figures(text, in_english, in_german):
    for locale, expected in (("en", in_english), ("de", in_german)):
        assert stored.told(Words(locale), text).replace("\N{NO-BREAK SPACE}", " ") == expected


@pytest.mark.parametrize("name", ["judges", "enrolments", "eligibility", "forfeits", "offsets"])
def test_every_evidence_and_cause_that_is_stored_has_its_words(name):
    """Each part of one that is written in the code stands in a text that is told in both languages."""
    tree = ast.parse(Path(f"{FOLDER.parents[1]}/transforms/{name}.py").read_text())
    notes = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module)
    }
    parts = {
        node.value for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value and node.value not in notes
    }  # fmt: skip
    untold = [part for part in sorted(parts) if not any(part in text for text in stored.TEXTS)]
    assert [part for part in untold if not any(form.fullmatch(part) for form in stored._forms().values())] == []


@pytest.mark.parametrize("said", [text for texts in WHY.values() for text in texts])
def test_what_became_of_a_fund_is_told_in_german(said):
    text = said.format("2021-06-30")
    told = stored.told(Words("de"), text)
    assert told != text and "30.06.2021" in told


PRICED = {
    "currency": "USD", "program_currency": "USD", "bracket": 1, "base": Decimal(-40), "rate": Decimal("0.04"),
    "unit_amount": None, "earning": Decimal("-1.60"),
}  # fmt: skip
REFUND = {"reverses": "t1", "earning_left": Decimal(4), "base_left": Decimal(100), "completed_months": 2}


@pytest.mark.parametrize(
    ("changed", "locale", "says"),
    [
        ({}, "de", "−40,00 $ × 4 %, Stufe 1"),
        ({"rate": None, "unit_amount": Decimal("0.30")}, "en", "at $0.30, bracket 1"),
        ({"bracket": 0, "earning": Decimal(0)}, "en", "Pays nothing for the line"),
        ({"bracket": 0}, "en", "Rounding of the period"),
        (REFUND, "en", "Takes back $40.00 of the $100.00 left of t1, and that share of the $4.00 earned by it"),
        (REFUND | {"earning_left": Decimal(-4)}, "en", "Gives back $40.00 of the $100.00 left of t1, and that share of the −$4.00 taken by it: $1.60, reduced after 2 completed months"),
        (REFUND | {"earning": Decimal("-0.80")}, "de", "Nimmt 40,00 $ der 100,00 $ zurück, die von t1 übrig sind, und denselben Anteil der 4,00 $, die sie verdient: −1,60 $, gemindert nach 2 vollen Monaten"),
    ],
)  # fmt: skip
def test_a_price_says_how_it_comes_about(changed, locale, says):
    view = View(None, Words(locale), date(2021, 1, 1), date(2022, 1, 1))
    assert priced.calculation(view, PRICED | changed).replace("\xa0", " ") == says


def test_years_and_fiscal_years_are_offered_back_to_the_first_month():
    held = periods.Months(date(2020, 9, 1), date(2022, 3, 1))
    offered = periods.spans(held, [7])
    assert list(offered) == [*periods.LAST, "2022-07", "2021-07", "2022", "2021", "2020"]
    assert offered["2021-07"] == (date(2020, 7, 1), date(2021, 7, 1))
    assert offered["2021"] == (date(2021, 1, 1), date(2022, 1, 1))
    assert offered["Last 3 months"] == (date(2021, 12, 1), date(2022, 3, 1))
