"""Whatever the dashboard says, it says in German too."""

import ast
from pathlib import Path

import pytest

from app.dashboard import downloads
from app.dashboard.screens import earnings, health, overview, requests
from app.dashboard.words import Words, german
from emails.due import LETTERS
from transforms.reasons import REASONS
from warehouse.columns import COLUMNS

FOLDER = Path(overview.__file__).parents[1]
CODED = (
    "activity_type", "adjustment_reason", "coop_claim_status", "criterion", "fund_stage", "decision", "delivery_status", "eligibility", "enrolment_status", "outcome", "partner_type", "payment_status", "request_kind",
    "status",
)  # fmt: skip


def said(path: Path) -> set[str]:
    """The texts that a file gives to `words`."""
    return {
        call.args[0].value
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant)
        if (getattr(call.func, "id", None) or getattr(call.func, "attr", "")) == "words"
    }


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_every_text_of_a_page_is_translated(path):
    assert said(path) <= set(german())


def test_every_code_and_reason_is_translated():
    codes = {code.replace("_", " ").capitalize() for column in CODED for code in COLUMNS[column].one_of}
    reasons = {text for reason in REASONS.values() for text in (reason.text, reason.what_to_do) if text}
    titles = {title for title, _ in requests.FORMS.values()}
    states = {*health.BADGES, *health.COUNTS.values(), *downloads.OFFERED.values()}
    assert (codes | reasons | titles | states | set(earnings.GROUPS.values())) <= set(german())


def test_no_text_or_letter_promises_earnings_from_a_day_that_is_the_programs_choice():
    told = [*german(), *(path.read_text() for path in LETTERS.iterdir())]
    assert [text for text in told if "first day of the month" in text] == []


def test_what_is_put_into_a_text_is_put_into_its_translation():
    fields = {text: sorted(part for part in text.split("{")[1:]) for text in german()}
    for text, translated in german().items():
        named = {part.split("}")[0] for part in translated.split("{")[1:]}
        assert named == {part.split("}")[0] for part in fields[text]}, text
    assert Words("de")("Lines of {month}", month="Mai") == "Zeilen von Mai"
