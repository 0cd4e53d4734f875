"""How commands print rows: columns align, and a terminal that is too narrow folds them."""

import re

import pytest

from app import output

ROWS = [
    {"product": "商品", "revenue": "5.00", "note": None},
    {
        "product": "Azure plan",
        "revenue": "1,200.00",
        "note": "a note of many words that no narrow terminal has room for",
    },
]


def test_columns_align_figures_to_the_right_also_beside_wide_characters(capsys):
    output.print_table(ROWS, figures=["revenue"])
    assert capsys.readouterr().out.splitlines() == [
        "product      revenue  note",
        "商品            5.00",
        "Azure plan  1,200.00  a note of many words that no narrow terminal has room for",
    ]


def test_no_rows_are_told(capsys):
    output.print_table([])
    assert capsys.readouterr().out == "(none)\n"


@pytest.mark.parametrize("columns", [50, 200])
def test_a_terminal_folds_what_it_has_no_room_for(capsys, monkeypatch, columns):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    output.print_table(ROWS, figures=["revenue"])
    lines = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= columns
    assert (len(lines) > 3) == (columns == 50)
    assert "1,200.00" in "".join(lines)
