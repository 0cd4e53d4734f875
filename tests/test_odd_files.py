"""Files that hold more, less or other than rows: read for what they say or refused in words, never by a crash, never guessed."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import operations
import pipeline
from tests.deliveries import PLAIN, land_file
from tests.test_ingest import CSV_HEADER, ask, land_file_unmeasured, only, text_line
from warehouse import landing

ROW = PLAIN["transactions"] | {"transaction_id": "t1"}


def taken_in(path: Path) -> dict:
    """What became of a file of one line of transactions, whose manifest was made by hand."""
    land_file_unmeasured(path)
    return only(pipeline.ingest())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("null", "holds no list of objects"),
        ("5", "holds no list of objects"),
        ('"x"', "holds no list of objects"),
        ("[1, 2]", "holds no list of objects"),
        ("[" * 100_000 + "]" * 100_000, "too deep within one another"),
        ('[{"a": ' * 900 + "1" + "}]" * 900, "too deep within one another"),
        ('{"items": [{"revenue": 1, "Revenue": 2}]}', "members that stand twice: ['revenue']"),
        ('{"items": [{"line_number": 1}]}', "stand twice or are reserved: ['line_number']"),
    ],
)
def test_a_json_document_that_holds_no_line_items_is_refused(home, tmp_path, text, says):
    (tmp_path / "odd.json").write_text(text)
    line = taken_in(tmp_path / "odd.json")
    assert line["delivery_status"] == "refused" and says in line["message"]


@pytest.mark.parametrize(
    ("name", "says"), [("file_name", "reserved: ['file_name']"), ("Revenue", "twice or are reserved: ['revenue']")]
)
def test_columns_that_are_ours_or_stand_twice_are_refused_in_every_format(home, tmp_path, name, says):
    row = ROW | {name: "x"}
    pq.write_table(pa.table({column: [value] for column, value in row.items()}), tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text(
        json.dumps({**ROW, "transaction_id": "t2"}) + "\n" + json.dumps({name: "x"}) + "\n"
    )
    (tmp_path / "t.csv").write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    for path in (tmp_path / "t.parquet", tmp_path / "t.jsonl", tmp_path / "t.csv"):
        with pytest.raises(landing.Refused) as refused:
            land_file(path, "transactions", delivery_id="d")
        assert says in str(refused.value), path


def json_lines(tmp_path: Path, *texts: str) -> Path:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def test_an_amount_within_another_object_is_not_taken_for_the_lines(home, tmp_path):
    bare = json.dumps({name: value for name, value in ROW.items() if name != "revenue"})[:-1]
    within = f'{bare[:1]}"discount": {{"revenue": 5}}, {bare[1:]}, "revenue": 1234567890.10}}'
    alone = f'{bare.replace("t1", "t2")}, "revenue": 1.005}}'
    land_file(json_lines(tmp_path, within, alone), "transactions", delivery_id="d")
    assert only(pipeline.ingest())["rows_quarantined"] == 1
    assert ask("SELECT transaction_id, revenue_minor FROM clean.transactions") == [("t1", 123456789010)]
    assert [row["rules_broken"] for row in operations.quarantined()] == ["precision:revenue"]


@pytest.mark.parametrize(
    "text",
    [
        "5",
        '{"revenue": ',
        json.dumps(ROW)[:-1] + ', "Revenue": "1.00"}',
        json.dumps(ROW)[:-1] + ', "note": {"a": 1, "A": 2}}',
        json.dumps(ROW)[:-1] + ', "note": ' + '{"a":' * 5000 + "1" + "}" * 5001,
    ],
)
def test_a_json_line_that_is_no_object_of_distinct_members_is_set_aside(home, tmp_path, text):
    land_file(json_lines(tmp_path, json.dumps(ROW | {"transaction_id": "t0"}), text), "transactions", delivery_id="d")
    pipeline.ingest()
    assert [(r["line_number"], r["rules_broken"]) for r in operations.quarantined()] == [(2, "shape")]
    [row] = operations.quarantined()
    assert operations.quarantined_row(row["quarantine_id"])["original"] == text


def test_a_line_separator_of_unicode_within_a_text_does_not_end_a_json_line(home, tmp_path):
    texts = [
        json.dumps(ROW | {"transaction_id": "t1", "subscription_id": f"a{odd}b"}, ensure_ascii=False)
        for odd in ("\u2028", "\u0085")
    ]
    bad = json.dumps(ROW | {"transaction_id": "t9", "revenue": "x"})
    path = json_lines(tmp_path, *(text.replace("t1", f"t{n}") for n, text in enumerate(texts)), bad)
    land_file(path, "transactions", delivery_id="d")
    pipeline.ingest()
    assert ask("SELECT subscription_id FROM clean.transactions ORDER BY ALL") == [("a\u0085b",), ("a\u2028b",)]
    assert [row["line_number"] for row in operations.quarantined()] == [3]


def test_a_field_of_any_length_is_read(home, tmp_path):
    long = "x" * 200_000
    (tmp_path / "t.csv").write_text(
        f"{CSV_HEADER}\n{text_line(subscription_id=long)}\n\n{text_line(transaction_id='t2')}\n"
    )
    land_file(tmp_path / "t.csv", "transactions", delivery_id="d")
    assert only(pipeline.ingest())["rows_accepted"] == 2
    assert ask("SELECT max(length(subscription_id)) FROM clean.transactions") == [(200_000,)]
