"""What becomes of deliveries: taken in, refused whole, or their rows set aside; never lost, never doubled."""

import json
from pathlib import Path

import pytest

import operations
import pipeline
from tests.deliveries import DAY, PLAIN, WORLD, land, land_file, land_world
from warehouse import casting, files, intake, registry, rule_words, store
from warehouse.tables import FEEDS

NEXT = "2021-03-24"
T1 = {"transaction_id": "t1"}
CSV_HEADER = ",".join(FEEDS["transactions"].delivered)


def ask(sql: str) -> list[tuple]:
    with store.locked("test"), store.warehouse() as con:
        return con.execute(sql).fetchall()


def only(lines: list[dict]) -> dict:
    [line] = lines
    return line


def text_line(**changed: str) -> str:
    row = PLAIN["transactions"] | {"transaction_id": "t1"} | changed
    return ",".join(row[c] for c in FEEDS["transactions"].delivered)


def test_a_delivery_that_is_still_being_written_has_not_landed(home):
    folder = store.place("landing") / land("transactions", [T1])
    folder.rename(folder.with_name(f".{folder.name}"))
    assert pipeline.landed() == []


def test_read_is_accepted_plus_quarantined_plus_duplicate_in_rows_and_revenue(home):
    land(
        "transactions",
        [T1, T1, {"transaction_id": "t2", "revenue": "12,50"}, {"transaction_id": "t3", "currency": "EUR"}],
    )
    line = only(pipeline.ingest())
    assert (line["rows_read"], line["rows_accepted"], line["rows_quarantined"], line["rows_duplicate"]) == (4, 2, 1, 1)
    amounts = ask(
        "SELECT currency, read_amount, accepted_amount, duplicate_amount, quarantined_amount FROM clean.delivery_amounts ORDER BY 1"
    )
    assert [tuple(map(str, row)) for row in amounts] == [
        ("EUR", "100.0000", "100.0000", "0.0000", "0.0000"),
        ("USD", "200.0000", "100.0000", "100.0000", "0.0000"),
    ]


@pytest.mark.parametrize(
    ("feed", "row", "rules"),
    [
        ("transactions", {"transaction_id": "t1", "revenue": "12,50"}, "type:revenue"),
        ("transactions", {"transaction_id": "t1", "revenue": "1e3"}, "type:revenue"),
        ("transactions", {"transaction_id": "t1", "revenue": "1_000"}, "type:revenue"),
        ("transactions", {"transaction_id": "t1", "revenue": "1.005"}, "precision:revenue"),
        ("transactions", {"transaction_id": "t1", "revenue": "10.5", "currency": "JPY"}, "precision:revenue"),
        ("transactions", {"transaction_id": "t1", "currency": "XXZ"}, "code:currency"),
        ("transactions", {"transaction_id": "t1", "transaction_at": "2021-02-30"}, "type:transaction_at"),
        ("transactions", {"transaction_id": "t1", "transaction_at": "1999-12-31T00:00:00"}, "sane:transaction_at"),
        ("transactions", {"transaction_id": "t1", "transaction_at": "2099-01-01T00:00:00"}, "future:transaction_at"),
        ("transactions", {"transaction_id": "t1", "transaction_at": "0001-01-01T00:00:00"}, "type:transaction_at"),
        ("transactions", {"transaction_id": "t1", "invoice_at": "12022-03-01T00:00:00Z"}, "type:invoice_at"),
        ("transactions", {"transaction_id": "t1", "invoice_at": "infinity"}, "type:invoice_at"),
        ("transactions", {"transaction_id": "t1", "revenue": "1000000000000"}, "type:revenue"),
        ("transactions", {"transaction_id": "t1", "tax": "-999999999999999999999"}, "type:tax"),
        ("transactions", {"transaction_id": ""}, "required:transaction_id"),
        ("transactions", {"transaction_id": "t1", "charge_type": "gift"}, "code:charge_type"),
        ("transactions", {"transaction_id": "t1", "quantity": "0.0000001"}, "precision:quantity"),
        ("transactions", {"transaction_id": "t1", "reverses": "t1", "revenue": "-1.00"}, "self:reverses"),
        ("agreements", {"agreement_id": "a", "partner_id": "p", "valid_to": "2017-01-01"}, "order:valid_to"),
        ("agreements", {"agreement_id": "a", "partner_id": "p", "agreement_status": "terminated"}, "ended:valid_to"),
        ("agreements", {"agreement_id": "a", "partner_id": "p", "signed_on": "epoch"}, "type:signed_on"),
        ("agreements", {"agreement_id": "a", "partner_id": "p", "valid_from": "-infinity"}, "type:valid_from"),
        ("agreements", {"agreement_id": "a", "partner_id": "p", "valid_to": "294248-01-01"}, "type:valid_to"),
        ("enrolments", {"partner_id": "p", "valid_from": "2018-01-01 (BC)"}, "type:valid_from"),
        ("claims", {"claim_id": "k", "partner_id": "p", "valid_to": "infinity"}, "type:valid_to"),
        ("fx_rates", {"fx_month": "infinity"}, "type:fx_month"),
        ("fx_rates", {"fx_rate": "0"}, "positive:fx_rate"),
        ("fx_rates", {"from_currency": "USD", "fx_rate": "1.1"}, "other:to_currency"),
        ("fx_rates", {"fx_month": "2021-03-15"}, "first:fx_month"),
        ("products", {"product_id": "x", "is_trial": "maybe"}, "type:is_trial"),
        *(
            ("users", {"partner_id": "p", "user_email": email}, "address:user_email")
            for email in ("kim", "kim@contoso", "a@b.example, c@d.example", "Kim <kim@b.example>", "a@b.example\u2028c")
        ),
        ("partners", {"partner_id": "p", "country": "USA", "partner_type": "friend"}, "type:country,code:partner_type"),
    ],
)
def test_a_bad_row_is_set_aside_with_every_rule_it_broke(home, feed, row, rules):
    land(feed, [row])
    assert only(pipeline.ingest())["rows_quarantined"] == 1
    assert [r["rules_broken"] for r in operations.quarantined()] == [rules]


@pytest.mark.parametrize(
    ("given", "minor"),
    [("12.34", 1234), ("-0.01", -1), ("7", 700), ("1.500", 150), (" 3.10 ", 310), ("999999999999.99", 99999999999999)]
    + [(f"{blank}3.10{blank}", 310) for blank in "\u00a0\u2003\u3000"],
)
def test_amounts_are_read_exactly(home, given, minor):
    land("transactions", [T1 | {"revenue": given}])
    pipeline.ingest()
    assert ask("SELECT revenue_minor FROM clean.transactions") == [(minor,)]


def test_addresses_are_judged_by_their_shape_alone(home):
    emails = ["zoë@contoso.example", "o'hara+x@mail.contoso.example", "erased-1@erased.invalid"]
    land("users", [{"partner_id": "p", "user_email": email} for email in emails])
    assert only(pipeline.ingest())["rows_accepted"] == 3


def test_spellings_of_codes_are_folded(home):
    land(
        "agreements", [{"agreement_id": "a", "partner_id": "p", "agreement_type": "Microsoft Cloud Reseller Agreement"}]
    )
    land("transactions", [T1 | {"charge_type": "addQuantity", "currency": "usd"}])
    pipeline.ingest()
    assert ask("SELECT agreement_type FROM clean.agreements") == [("reseller",)]
    assert ask("SELECT charge_type, currency FROM clean.transactions") == [("add_quantity", "USD")]


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2021-03-23T23:30:00-08:00", "2021-03-24 07:30:00"),
        ("2021-03-23T10:00:00.1234567Z", "2021-03-23 10:00:00.123456"),
        ("2021-03-23", "2021-03-23 00:00:00"),
    ],
)
def test_instants_are_utc(home, given, utc):
    land("transactions", [T1 | {"transaction_at": given}])
    pipeline.ingest()
    assert ask("SELECT CAST(transaction_at AS VARCHAR), CAST(transaction_on AS VARCHAR) FROM clean.transactions") == [
        (utc, utc[:10])
    ]


def test_a_quarantined_row_keeps_its_line_and_text(home, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"{CSV_HEADER}\n{text_line()}\ntoo,few\n{text_line(transaction_id='t2', revenue='x')}\n")
    land_file(path, "transactions", delivery_id="d")
    pipeline.ingest()
    rows = [operations.quarantined_row(r["quarantine_id"]) for r in operations.quarantined()]
    assert [(r["line_number"], r["rules_broken"]) for r in rows] == [(3, "shape"), (4, "type:revenue")]
    assert rows[0]["original"] == "too,few" and rows[1]["original"] == text_line(transaction_id="t2", revenue="x")


@pytest.mark.parametrize("lacks_a_field", [(), (2, 500_000)])
def test_lines_of_a_file_that_several_threads_read_keep_their_numbers(home, tmp_path, lacks_a_field):
    path = tmp_path / "large.csv"
    texts = (str(n) if n in lacks_a_field else f"{n},{'x' * 40}" for n in range(2, 1_000_000))
    path.write_text("\n".join(["line,filler", *texts]) + "\n")
    with store.connect() as con:
        assert files.read(con, path, "records_read").misshapen == lacks_a_field
        wrong = "SELECT count(*) FROM records_read WHERE line::BIGINT <> line_number"
        assert con.execute(wrong).fetchall() == [(0,)]


def test_lines_are_counted_through_line_breaks_inside_fields(home, tmp_path):
    path = tmp_path / "t.csv"
    broken = text_line(subscription_id='"a\nb"')
    path.write_bytes(f"\ufeff{CSV_HEADER}\n{broken}\n\n{text_line(transaction_id='t2', revenue='x')}\n".encode())
    land_file(path, "transactions", delivery_id="d")
    pipeline.ingest()
    assert [r["line_number"] for r in operations.quarantined()] == [5]
    assert ask("SELECT subscription_id, line_number FROM clean.transactions") == [("a\nb", 2)]


def test_the_same_key_with_two_contents_in_one_delivery_is_a_conflict(home):
    land("transactions", [T1, T1 | {"revenue": "1.00"}, {"transaction_id": "t2"}])
    assert only(pipeline.ingest())["rows_quarantined"] == 2
    assert {r["rules_broken"] for r in operations.quarantined()} == {"conflict"}
    assert ask("SELECT transaction_id FROM clean.transactions") == [("t2",)]


def test_content_delivered_again_is_a_duplicate_and_other_content_a_correction(home):
    land("transactions", [T1, {"transaction_id": "t2"}])
    pipeline.ingest()
    land("transactions", [T1, {"transaction_id": "t2", "revenue": "5.00"}], NEXT)
    line = only(pipeline.ingest())
    assert (line["rows_duplicate"], line["rows_corrected"], line["rows_accepted"]) == (1, 1, 1)
    found = ask(
        "SELECT transaction_id, revenue_minor, CAST(known_from AS VARCHAR), CAST(known_to AS VARCHAR) FROM clean.transactions ORDER BY ALL"
    )
    assert found == [("t1", 10000, DAY, None), ("t2", 500, NEXT, None), ("t2", 10000, DAY, NEXT)]


def test_an_older_delivery_that_comes_late_does_not_override_a_newer_one(home):
    land("transactions", [T1 | {"revenue": "5.00"}], NEXT)
    pipeline.ingest()
    land("transactions", [T1], DAY)
    pipeline.ingest()
    assert ask("SELECT revenue_minor FROM clean.transactions WHERE known_to IS NULL") == [(500,)]


def test_a_late_change_yields_to_content_confirmed_after_it(home):
    for day in (DAY, "2021-03-25"):
        land("transactions", [T1], day)
        pipeline.ingest()
    land("transactions", [T1 | {"revenue": "5.00"}], NEXT)
    pipeline.ingest()
    assert ask("SELECT revenue_minor FROM clean.transactions WHERE known_to IS NULL") == [(10000,)]


def test_versions_are_ordered_by_when_the_accepted_delivery_of_an_id_was_made(home):
    land("transactions", [T1])
    spoil(home, land("transactions", [T1 | {"revenue": "2.00"}], NEXT), schema_version=2)
    pipeline.ingest()
    for number, revenue in enumerate(("2.00", "3.00"), 1):
        land("transactions", [T1 | {"revenue": revenue}], NEXT, number=number)
        pipeline.ingest()
    land("transactions", [T1 | {"revenue": "4.00"}], NEXT, number=5, delivery_id=f"{NEXT}-transactions-1")
    land("transactions", [T1 | {"revenue": "1.00"}], number=2)
    assert [line["delivery_status"] for line in pipeline.ingest()] == ["accepted", "refused"]
    versions = "SELECT revenue_minor, known_to IS NULL FROM clean.transactions ORDER BY known_from, revenue_minor DESC"
    assert ask(versions) == [(10000, False), (100, False), (300, True), (200, False)]


def test_what_a_snapshot_no_longer_holds_is_withdrawn(home):
    land("customers", [{"customer_id": "c1"}, {"customer_id": "c2"}])
    land("customers", [{"customer_id": "c2"}], NEXT)
    pipeline.ingest()
    assert ask("SELECT customer_id FROM clean.customers WHERE known_to IS NULL AND NOT is_withdrawn") == [("c2",)]


def test_a_row_that_is_set_aside_is_not_withdrawn(home):
    rows = [{"customer_id": f"c{n}"} for n in range(30)]
    land("customers", rows)
    land("customers", [rows[0] | {"country": "USA"}, *rows[1:]], NEXT)
    pipeline.ingest()
    assert ask("SELECT count(*) FROM clean.customers WHERE known_to IS NULL AND NOT is_withdrawn") == [(30,)]


@pytest.mark.parametrize(
    "bad, held",
    [
        ({"partner_id": "1000001", "competency": "clod platform"}, ["1000001"]),
        ({"partner_id": "1000001", "valid_from": "2018-13-01"}, ["1000001"]),
        ({"partner_id": "1000001", "competency": "clod platform", "competency_level": "silver"}, []),
        ({"partner_id": "", "valid_from": "2018-01-01"}, ["1000001", "1000002"]),
        ({"partner_id": "1000001", "valid_from": "2019-01-01", "valid_to": "2018-06-01"}, ["1000001"]),
        ({"partner_id": "1000002", "valid_to": "soon"}, ["1000002"]),
    ],
)
def test_what_may_be_a_row_that_is_set_aside_is_not_withdrawn(home, bad, held):
    """The key of a set-aside row may be what is wrong with it: what could be that row stays until it is repaired."""
    land("competencies", [{"partner_id": partner} for partner in ("1000001", "1000002", "1000003")])
    pipeline.ingest()
    land("competencies", [{"partner_id": "1000003"}, bad], NEXT)
    assert only(pipeline.ingest())["rows_quarantined"] == 1
    kept = ask("SELECT partner_id FROM clean.competencies WHERE known_to IS NULL AND NOT is_withdrawn ORDER BY 1")
    assert [partner for (partner,) in kept] == [*held, "1000003"]


def test_a_row_of_the_wrong_shape_may_be_any_so_that_nothing_is_withdrawn(home, tmp_path):
    land("products", [{"product_id": f"p{n}"} for n in range(3)])
    pipeline.ingest()
    header = ",".join(FEEDS["products"].delivered)
    (tmp_path / "p.csv").write_text(f"{header}\np0,Azure plan,azure,commercial,false,P1M,false,false\np1,too few\n")
    land_file(tmp_path / "p.csv", "products", NEXT, delivery_id="next")
    assert only(pipeline.ingest())["rows_quarantined"] == 1
    assert ask("SELECT count(*) FROM clean.products WHERE known_to IS NULL AND NOT is_withdrawn") == [(3,)]


def test_snapshots_in_any_order_end_the_same(home):
    land("customers", [{"customer_id": "c2"}], NEXT)
    pipeline.ingest()
    land("customers", [{"customer_id": "c1"}, {"customer_id": "c2", "country": "DE"}], DAY)
    pipeline.ingest()
    spans = ask(
        "SELECT customer_id, country, CAST(known_from AS VARCHAR), is_withdrawn FROM clean.customers WHERE known_to IS NULL ORDER BY 1"
    )
    assert spans == [("c1", "US", NEXT, True), ("c2", "US", NEXT, False)]


def test_a_superseding_delivery_withdraws_what_it_lacks(home):
    first = land("transactions", [T1, {"transaction_id": "t2"}])
    land("transactions", [T1], DAY, number=2, supersedes=first)
    lines = pipeline.ingest()
    assert lines[1]["rows_withdrawn"] == 1
    assert ask("SELECT transaction_id FROM clean.transactions WHERE known_to IS NULL AND NOT is_withdrawn") == [("t1",)]


def test_a_delivery_that_supersedes_a_superseding_one_withdraws_what_that_only_confirmed(home):
    first = land("transactions", [T1, {"transaction_id": "t2"}])
    second = land("transactions", [T1, {"transaction_id": "t2"}], NEXT, supersedes=first)
    land("transactions", [T1], "2021-03-25", supersedes=second)
    assert [line["rows_withdrawn"] for line in pipeline.ingest()] == [0, 0, 1]
    assert ask("SELECT transaction_id FROM clean.transactions WHERE known_to IS NULL AND NOT is_withdrawn") == [("t1",)]


def test_the_same_delivery_again_changes_nothing(home):
    land("transactions", [T1], delivery_id="d")
    pipeline.ingest()
    land("transactions", [T1], delivery_id="d")
    told: list[str] = []
    assert only(pipeline.ingest(told.append))["delivery_status"] == "duplicate"
    assert only(told).split(maxsplit=2) == ["duplicate", "d", "taken in before"]
    assert ask("SELECT count(*) FROM clean.transactions") == [(1,)]


def test_an_id_used_again_for_other_content_is_refused(home):
    land("transactions", [T1], delivery_id="d")
    pipeline.ingest()
    land("transactions", [T1 | {"revenue": "2.00"}], delivery_id="d")
    assert "id of a delivery taken in before" in only(pipeline.ingest())["message"]


def spoil(home: Path, folder: str, /, **changes) -> None:
    path = home / "landing" / folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for key, value in changes.items():
        if key in manifest["files"][0]:
            manifest["files"][0][key] = value
        else:
            manifest[key] = value
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"rows": 3}, "has [2] rows, its manifest says [3]"),
        ({"bytes": 3}, "bytes"),
        ({"name": "other.csv"}, "lacks file [other.csv]"),
        ({"control_totals": {"USD": "200.01"}}, "control total says"),
        ({"control_totals": None}, "no control totals"),
        ({"schema_version": 2}, "schema_version"),
        ({"feed": "gossip"}, "feed [gossip], which does not exist"),
        ({"surprise": 1}, "manifest that cannot be used"),
        ({"delivery_id": "../x"}, "manifest that cannot be used"),
        ({"business_date": "9999-12-31"}, "manifest that cannot be used: business_date"),
        ({"business_date": "0001-01-01"}, "manifest that cannot be used: business_date"),
        ({"created_at": "0001-01-01T00:00:00+05:00"}, "is not between 2000 and 2100"),
        ({"part": "2/1"}, "part [2/1] is beyond the last one"),
        ({"supersedes": f"{DAY}-transactions-1"}, "supersedes itself"),
    ],
)
def test_a_delivery_that_is_not_what_its_manifest_says_is_refused_whole(home, changes, says):
    name = land("transactions", [T1, {"transaction_id": "t2"}])
    spoil(home, name, **changes)
    line = only(pipeline.ingest())
    assert line["delivery_status"] == "refused" and says in line["message"]
    assert (home / "refused" / name / "reason.txt").read_text().strip() == line["message"]
    assert (home / "refused" / name / "transactions.csv").exists() and not list((home / "landing").iterdir())
    assert ask("SELECT count(*) FROM clean.transactions") == [(0,)]


def test_a_manifest_that_lists_a_file_twice_is_refused(home):
    name = land("transactions", [T1])
    listed = json.loads((home / "landing" / name / "manifest.json").read_text())["files"]
    spoil(home, name, files=listed * 2)
    assert "files ['transactions.csv'] are listed more than once" in only(pipeline.ingest())["message"]


def test_a_link_is_no_delivered_file(home, tmp_path):
    name = land("transactions", [T1])
    file = home / "landing" / name / "transactions.csv"
    file.rename(tmp_path / "elsewhere.csv")
    file.symlink_to(tmp_path / "elsewhere.csv")
    assert "file [transactions.csv] is a link" in only(pipeline.ingest())["message"]


def test_a_link_is_no_delivery(home, tmp_path_factory):
    name = land("transactions", [T1])
    elsewhere = tmp_path_factory.mktemp("elsewhere") / name
    (home / "landing" / name).rename(elsewhere)
    (home / "landing" / name).symlink_to(elsewhere)
    assert f"[{name}] is a link" in only(pipeline.ingest())["message"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"{CSV_HEADER}\n{text_line()}\n".encode("utf-16"), "not UTF-8"),
        (f"{CSV_HEADER}\n{text_line(subscription_id='Zür')}\n".encode("latin-1"), "not UTF-8"),
        (f"{CSV_HEADER.replace('revenue', 'amount')}\n{text_line()}\n".encode(), "lacks columns ['revenue']"),
        (bytes(range(256)), "not UTF-8"),
        (b"", "no header line"),
        (f"{CSV_HEADER}\n{text_line(subscription_id=chr(34) + 'open')}\n{text_line()}\n".encode(), "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(home, tmp_path, content, says):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    land_file_unmeasured(path)
    line = only(pipeline.ingest())
    assert line["delivery_status"] == "refused" and says in line["message"]


def land_file_unmeasured(path: Path) -> None:
    from datetime import date

    from warehouse import landing

    landing.deliver(
        store.place("landing"), [path], feed="transactions", business_date=date.fromisoformat(DAY), delivery_id="d",
        mode="delta", rows=[1], control_totals={},
    )  # fmt: skip


def test_too_many_bad_rows_refuse_the_delivery(home):
    good = [{"transaction_id": f"t{n}"} for n in range(25)]
    land("transactions", [*good, *({"transaction_id": f"b{n}", "revenue": "x"} for n in range(3))])
    line = only(pipeline.ingest())
    assert "more than [10%]" in line["message"] and "type:revenue (3)" in line["message"]
    assert ask("SELECT count(*) FROM clean.transactions") == [(0,)]


def test_an_unknown_column_is_left_out_and_said(home, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"{CSV_HEADER},mood\n{text_line()},good\n")
    land_file(path, "transactions", delivery_id="d")
    line = only(pipeline.ingest())
    assert line["delivery_status"] == "accepted" and "mood" in line["message"]


def test_one_bad_delivery_does_not_hold_up_the_others(home):
    spoil(home, land("transactions", [T1]), rows=9)
    land_world()
    statuses = [line["delivery_status"] for line in pipeline.ingest()]
    assert statuses.count("refused") == 1 and statuses.count("accepted") == len(WORLD)


@pytest.mark.parametrize(("place", "name"), [(intake, "stage"), (registry, "take_over")])
def test_a_fault_of_the_program_leaves_its_delivery_in_landing_and_takes_in_the_others(home, monkeypatch, place, name):
    land_world()
    broken = [f"{DAY}-{feed}-1" for feed in ("customers", "products")]
    step = getattr(place, name)

    def failing(first, *given, **named):
        if (named.get("delivery_id") or first.manifest.delivery_id) in broken:
            raise AssertionError("a fault of the program")
        return step(first, *given, **named)

    with monkeypatch.context() as patched, pytest.raises(AssertionError, match="a fault of the program") as fault:
        patched.setattr(place, name, failing)
        pipeline.ingest()
    assert all(f"delivery [{name}]" in "".join(fault.value.__notes__) for name in broken)
    assert sorted(path.name for path in (home / "landing").iterdir()) == broken
    assert [line["delivery_status"] for line in pipeline.ingest()] == ["accepted"] * 2


def test_a_repaired_row_comes_in_as_a_delivery_of_its_own(home):
    land("transactions", [T1 | {"revenue": "12,50"}, {"transaction_id": "t2"}])
    pipeline.ingest()
    [row] = operations.quarantined()
    with pytest.raises(LookupError, match="needs the name"):
        operations.release_row(row["quarantine_id"], {"revenue": "12.50"}, by=" ")
    name = operations.release_row(row["quarantine_id"], {"revenue": "12.50"}, by="anna")
    assert only(pipeline.ingest())["rows_accepted"] == 1
    assert ask("SELECT revenue_minor FROM clean.transactions WHERE transaction_id = 't1'") == [(1250,)]
    assert json.loads((home / "archive" / name / "manifest.json").read_text())["set"]["by"] == "anna"
    assert operations.quarantined() == []
    with pytest.raises(LookupError, match="was released"):
        operations.release_row(row["quarantine_id"], {}, by="anna")


def test_a_row_whose_key_was_delivered_since_for_its_day_is_not_released_over_that(home):
    row = {"partner_id": "p", "competency": "Cloud Platform"}
    land("competencies", [row | {"valid_to": "soon"}, row | {"partner_id": "q", "valid_to": "soon"}])
    pipeline.ingest()
    land("competencies", [row | {"valid_to": "2022-01-01"}], number=2, mode="delta")
    land("competencies", [row | {"partner_id": "q"}], NEXT, mode="delta")
    pipeline.ingest()
    first, second = (each["quarantine_id"] for each in operations.quarantined())
    with pytest.raises(LookupError, match=rf"was delivered for \[{DAY}\] since, in \[{DAY}-competencies-2\]"):
        operations.release_row(first, {"valid_to": ""}, by="anna")
    operations.release_row(second, {"valid_to": ""}, by="anna")


INTAKE_RULES = ("shape", "conflict", "future:transaction_at")


def test_every_rule_of_a_row_says_what_is_expected():
    for feed in FEEDS.values():
        told = {rule: rule_words.expected(rule) for rule in (*casting.query(feed, set())[1], *INTAKE_RULES)}
        assert all(told.values()), feed.name
    assert rule_words.expected("code:agreement_status").startswith("agreement_status is one of active, ")
    assert rule_words.expected("precision:quantity") == "quantity has no more decimals than 6"


def test_a_quarantined_row_shows_what_was_delivered_and_expected(home):
    land("transactions", [T1 | {"revenue": "12,50", "reverses": "t1"}])
    pipeline.ingest()
    [listed] = operations.quarantined()
    assert listed["delivered"] == "revenue [12,50], reverses [t1]"
    assert operations.quarantined_row(listed["quarantine_id"])["expected"] == {
        "type:revenue": "revenue is a decimal number as -1234.50, below 1,000,000,000,000",
        "self:reverses": "a line does not reverse itself",
    }
