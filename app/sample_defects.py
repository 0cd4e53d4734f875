"""Extra deliveries with every kind of fault, and `known_defects.csv`, which says where each fault should land.

All of them come on the last day of the sample, after its good deliveries, and repeat the number of the day's own part.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from app.sample_files import Parcel, deliver, land_files
from warehouse import files
from warehouse.tables import FEEDS

KNOWN = "known_defects.csv"
FILLERS = 8  # good lines before each fault, so that a delivery of faults stays below ten percent of rejects
SMALL = 20  # good lines of a delivery whose fault is the file's
LandsIn = Literal[
    "quarantined", "refused", "duplicate", "correction", "withdrawn", "warning", "undecided", "accepted"
]  # fmt: skip
Values = dict[str, str]


class Fault(NamedTuple):
    """One faulty row: what differs from a good one, `{}` standing for the good value."""

    defect: str
    changes: Values
    lands_in: LandsIn = "quarantined"
    rule: str = ""
    note: str = ""


@dataclass(frozen=True)
class KnownDefect:
    """One line of `known_defects.csv`; a fault of a whole file has no line number and no key."""

    defect: str
    delivery_id: str
    file: str
    line_number: int | None
    key: str
    lands_in: LandsIn
    rule: str
    note: str


PLAIN_LINE = {
    "charge_type": "new", "quantity": "1", "revenue": "100.00", "tax": "0.00", "currency": "USD",
    "association": "reseller", "reverses": "",
}  # fmt: skip
LINE_FAULTS = (
    Fault("decimal comma", {"revenue": "12,50"}, rule="type:revenue"),
    Fault("number with exponent", {"revenue": "1e3"}, rule="type:revenue"),
    Fault("third decimal in dollars", {"revenue": "1.005"}, rule="precision:revenue"),
    Fault("decimal in yen", {"revenue": "10.5", "currency": "JPY"}, rule="precision:revenue"),
    Fault("unknown currency", {"currency": "XXZ"}, rule="code:currency"),
    Fault("impossible date", {"transaction_at": "2022-02-30T10:00:00Z"}, rule="type:transaction_at"),
    Fault("unreadable instant", {"transaction_at": "23rd of March, noon"}, rule="type:transaction_at"),
    Fault("empty key", {"transaction_id": ""}, rule="required:transaction_id"),
    Fault("empty required value", {"customer_id": ""}, rule="required:customer_id"),
    Fault("unknown code", {"charge_type": "barter"}, rule="code:charge_type"),
    Fault(
        "several faults in one row",
        {"revenue": "12,50", "currency": "XXZ", "transaction_at": ""},
        rule="code:currency,required:transaction_at,type:revenue",
    ),
    Fault("same key, two contents", {"transaction_id": "X-CONFLICT"}, rule="conflict"),
    Fault("same key, two contents", {"transaction_id": "X-CONFLICT", "revenue": "101.00"}, rule="conflict"),
    Fault("row twice", {"transaction_id": "X-TWICE", "subscription_id": "twice"}, "accepted", note="the first of two"),
    Fault("row twice", {"transaction_id": "X-TWICE", "subscription_id": "twice"}, "duplicate"),
    Fault(
        "refund of an unknown line",
        {"reverses": "X-NEVER-DELIVERED", "charge_type": "refund", "quantity": "-1", "revenue": "-100.00"},
        "undecided",
    ),
    Fault("unknown partner", {"reseller_id": "0999999"}, "undecided"),
    Fault("unknown customer", {"customer_id": "00000000-0000-4000-8000-000000000000"}, "warning", "known:references"),
    Fault("unknown product", {"product_id": "NO-SUCH-OFFER"}, "undecided"),
    Fault("currency without a rate", {"currency": "NZD"}, "undecided"),
    Fault("mixed-case codes", {"charge_type": "Cycle_Charge", "association": "RESELLER"}, "accepted"),
    Fault("padded values", {"product_id": "  {} ", "currency": " usd ", "revenue": " 100.00"}, "accepted"),
    Fault("too few fields", {"": "short"}, rule="shape"),
    Fault("too many fields", {"": "long"}, rule="shape"),
)
GOOD_ROWS: dict[str, Values] = {
    "partners": {
        "partner_id": "X-1", "global_partner_id": "X-0", "partner_name": "Nowhere Ltd", "country": "GB",
        "tenant_id": "X-T1", "tenant_country": "GB", "partner_type": "indirect_reseller", "reseller_status": "active",
    },
    "agreements": {
        "agreement_id": "X-A1", "partner_id": "X-1", "agreement_type": "mpn", "agreement_status": "active",
        "signed_on": "2020-01-01", "valid_from": "2020-01-01", "valid_to": "",
    },
    "competencies": {
        "partner_id": "X-1", "competency": "cloud_platform", "competency_level": "gold", "valid_from": "2020-01-01",
        "valid_to": "",
    },
    "fx_rates": {"fx_month": "2022-01", "from_currency": "DKK", "to_currency": "USD", "fx_rate": "0.15"},
    "products": {
        "product_id": "X-OFFER", "product_name": "Offer", "product_family": "other", "product_segment": "commercial",
        "is_strategic": "false", "term": "P1M", "is_trial": "false", "is_add_on": "false",
    },
    "claims": {
        "claim_id": "X-K1", "partner_id": "X-1", "customer_id": "X-C1", "product_family": "azure", "association": "cpor",
        "claim_status": "approved", "approved_on": "2021-01-01", "valid_from": "2021-01-01", "valid_to": "",
    },
    "customers": {
        "customer_id": "X-C1", "customer_name": "Woodgrove", "country": "GB", "customer_segment": "commercial",
        "tenant_created_on": "2015-05-05",
    },
}  # fmt: skip
FEED_FAULTS: dict[str, tuple[Fault, ...]] = {
    "partners": (
        Fault("unknown code", {"partner_type": "franchise"}, rule="code:partner_type"),
        Fault("country of three letters", {"country": "GBR"}, rule="type:country"),
    ),
    "agreements": (
        Fault("ends before it begins", {"valid_to": "2019-12-31"}, rule="order:valid_to"),
        Fault("terminated without an end", {"agreement_status": "terminated"}, rule="ended:valid_to"),
        Fault("impossible date", {"signed_on": "2022-02-30"}, rule="type:signed_on"),
        Fault("empty key", {"agreement_id": ""}, rule="required:agreement_id"),
    ),
    "competencies": (
        Fault("unknown code", {"competency_level": "platinum"}, rule="code:competency_level"),
        Fault("ends before it begins", {"valid_to": "2019-12-31"}, rule="order:valid_to"),
    ),
    "fx_rates": (
        Fault("exchange rate of zero", {"fx_rate": "0"}, rule="positive:fx_rate"),
        Fault("negative exchange rate", {"fx_month": "2022-02", "fx_rate": "-0.15"}, rule="positive:fx_rate"),
    ),
    "claims": (
        Fault("unknown code", {"claim_status": "lost"}, rule="code:claim_status"),
        Fault("ends before it begins", {"valid_to": "2020-12-31"}, rule="order:valid_to"),
        Fault("approved without a day", {"approved_on": ""}, rule="approved:approved_on"),
        Fault("claim to be the reseller of record", {"association": "reseller"}, rule="claimed:association"),
    ),
    "products": (Fault("flag that is none", {"is_trial": "maybe"}, rule="type:is_trial"),),
    "customers": (
        Fault("quoted comma, after a byte order mark", {"customer_name": "Woodgrove, Bank & Sons"}, "accepted"),
        Fault("line break in a field", {"customer_id": "X-C2", "customer_name": "Woodgrove\nHarbour"}, "accepted"),
        Fault("quotes in a field", {"customer_id": "X-C3", "customer_name": 'The "Old" Bakery'}, "accepted"),
    ),
}


class Desk:
    """Where the faulty deliveries of one day are made: names them, lands them, keeps what is known of them."""

    def __init__(self, out: Path, day: date, part: str, scratch: Path) -> None:
        self.out, self.day, self.part, self.scratch = out, day, part, scratch
        self.known: list[KnownDefect] = []
        self.minutes = count(60)

    def parcel(self, feed: str, name: str, supersedes: str | None = None) -> Parcel:
        """A delivery of the day, made one minute after the last one."""
        return Parcel(
            feed=feed,
            day=self.day,
            delivery_id=f"{self.day}-{feed}-{name}",
            part=self.part if feed == "transactions" else "1/1",
            supersedes=supersedes,
            minutes=next(self.minutes),
        )

    def file(self, feed: str, content: bytes) -> Path:
        """A CSV file with a content."""
        path = self.scratch / f"{feed}.csv"
        path.write_bytes(content)
        return path

    def know(self, parcel: Parcel, fault: Fault, *, key: str = "", line_number: int | None = None) -> None:
        """Keep where a fault of a delivery lands."""
        defect, _, lands_in, rule, note = fault
        [file] = [path.name for path in (self.out / parcel.delivery_id).glob(f"{parcel.feed}.*")] or [""]
        self.known.append(KnownDefect(defect, parcel.delivery_id, file, line_number, key, lands_in, rule, note))


def land_defects(out: Path, lines: pd.DataFrame, partners: pd.DataFrame, day: date, part: str) -> None:
    """Deliver every kind of fault on a day, made from good lines that were delivered by then, and say what is known."""
    good = _good_lines(lines)
    with TemporaryDirectory() as scratch:
        desk = Desk(out, day, part, Path(scratch))
        _land_line_faults(desk, good, dict(zip(partners["partner_id"], partners["tenant_id"], strict=True)))
        for feed in FEED_FAULTS:
            _land_feed_faults(desk, feed)
        for name, (fault, land) in FILE_FAULTS.items():
            parcel = desk.parcel("transactions", name)
            land(desk, parcel, _fresh(good, f"X-{name}", SMALL))
            desk.know(parcel, fault)
        _land_again(desk)
        _land_correction(desk, good[0])
        _land_superseding(desk, _fresh(good, "X-superseded", SMALL))
    known = pd.DataFrame([asdict(row) for row in desk.known], columns=[field.name for field in fields(KnownDefect)])
    known.astype({"line_number": "Int64"}).to_csv(out / KNOWN, index=False)


def _good_lines(lines: pd.DataFrame) -> list[Values]:
    """Sales by resellers in currencies with two decimals, where there are any; empty values as empty text."""
    lines = lines.fillna("")
    sale = lines["charge_type"].isin(["new", "renew", "cycle_charge"]) & ~lines["currency"].isin(["JPY", "KWD"])
    sale &= lines["revenue"].str.fullmatch(r"[0-9.]*[1-9][0-9.]*")
    for usable in (sale & (lines["reseller_id"] != ""), sale, sale | True):
        if usable.any():
            return [dict(zip(lines.columns, row, strict=True)) for row in lines[usable].itertuples(index=False)]
    raise ValueError("a sample with defects needs at least one transaction")


def _fresh(good: Sequence[Values], name: str, number: int) -> list[Values]:
    """Copies of good lines under new identifiers."""
    return [{**good[n % len(good)], "transaction_id": f"{name}-{n + 1}"} for n in range(number)]


def _text(columns: Sequence[str], rows: Sequence[Values]) -> tuple[str, list[int]]:
    """Rows as CSV and the line on which each begins; the column `` asks for a row that is too short or too long."""
    text, starts = io.StringIO(), []
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        starts.append(text.getvalue().count("\n") + 1)
        values = [row[column] for column in columns]
        writer.writerow({"short": values[:-3], "long": [*values, "left over"]}.get(row.get("", ""), values))
    return text.getvalue(), starts


def _faulty(good: Values, fault: Fault) -> Values:
    return good | {column: text.format(good.get(column, "")) for column, text in fault.changes.items()}


def _land_line_faults(desk: Desk, good: list[Values], tenants: dict[str, str]) -> None:
    """One delivery of transactions in which good lines surround every faulty one."""
    first = good[0] | PLAIN_LINE
    tenant = tenants[first["reseller_id"] or first["seller_id"]]
    faults = (*LINE_FAULTS, Fault("sale to oneself", {"customer_id": tenant}, "accepted", "CUSEQPTR"))
    fillers = iter(_fresh(good, "X-good", FILLERS * len(faults)))
    rows: list[tuple[Values, Fault | None]] = []
    for number, fault in enumerate(faults, 1):
        rows += [(next(fillers), None) for _ in range(FILLERS)]
        rows.append((_faulty(first | {"transaction_id": f"X-fault-{number}"}, fault), fault))
    _land_rows(desk, desk.parcel("transactions", "faulty-rows"), rows)


def _land_feed_faults(desk: Desk, feed: str) -> None:
    rows = [(_faulty(GOOD_ROWS[feed], fault), fault) for fault in FEED_FAULTS[feed]]
    _land_rows(desk, desk.parcel(feed, "faulty-rows"), rows, mark="\ufeff" if feed == "customers" else "")


def _land_rows(desk: Desk, parcel: Parcel, rows: Sequence[tuple[Values, Fault | None]], mark: str = "") -> None:
    """Deliver rows, some of them faulty, and keep the line and key of each fault."""
    feed = FEEDS[parcel.feed]
    text, starts = _text(list(feed.delivered), [row for row, _ in rows])
    land_files(desk.out, parcel, [desk.file(parcel.feed, (mark + text).encode())])
    for (row, fault), start in zip(rows, starts, strict=True):
        if fault:
            key = "" if fault.rule == "shape" else " ".join(row[column] for column in feed.key)
            desk.know(parcel, fault, key=key, line_number=start)


def _lines_file(desk: Desk, rows: list[Values], columns: Sequence[str] = ()) -> Path:
    return desk.file("transactions", _text(columns or list(rows[0]), rows)[0].encode())


def _wrong_sha256(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    [path] = land_files(desk.out, parcel, [_lines_file(desk, rows)]).glob("*.csv")
    path.write_bytes(path.read_bytes()[:-1] + b" ")


def _wrong_rows(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    path = _lines_file(desk, rows)
    deliver(desk.out, parcel, [path], [len(rows) + 1], files.measure(path)[1])


def _wrong_total(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    path = _lines_file(desk, rows)
    totals = files.measure(path)[1]
    currency = rows[0]["currency"]
    totals |= {currency: f"{Decimal(totals[currency]) + Decimal('0.01'):f}"}
    deliver(desk.out, parcel, [path], [len(rows)], totals)


def _missing_file(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    [path] = land_files(desk.out, parcel, [_lines_file(desk, rows)]).glob("*.csv")
    path.unlink()


def _missing_column(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    land_files(desk.out, parcel, [_lines_file(desk, rows, [c for c in rows[0] if c != "charge_type"])])


def _extra_column(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    land_files(desk.out, parcel, [_lines_file(desk, [{**row, "sales_campaign": "spring"} for row in rows])])


def _many_rejects(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    bad = [{**row, "revenue": "n/a"} for row in rows[::4]]
    land_files(desk.out, parcel, [_lines_file(desk, [*rows, *bad])])


def _utf16(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    text = _text(list(rows[0]), rows)[0]
    totals = files.measure(desk.file("transactions", text.encode()))[1]
    deliver(desk.out, parcel, [desk.file("transactions", text.encode("utf-16"))], [len(rows)], totals)


def _rubbish(desk: Desk, parcel: Parcel, rows: list[Values]) -> None:
    path = desk.file("transactions", np.random.default_rng(0).bytes(4000))
    deliver(desk.out, parcel, [path], [len(rows)], {})


FILE_FAULTS: dict[str, tuple[Fault, Callable[[Desk, Parcel, list[Values]], None]]] = {
    "wrong-sha256": (Fault("wrong SHA-256", {}, "refused"), _wrong_sha256),
    "wrong-rows": (Fault("wrong row count", {}, "refused"), _wrong_rows),
    "wrong-total": (Fault("wrong control total", {}, "refused"), _wrong_total),
    "missing-file": (Fault("missing file", {}, "refused"), _missing_file),
    "missing-column": (Fault("missing column", {}, "refused"), _missing_column),
    "utf-16": (Fault("UTF-16 file", {}, "refused"), _utf16),
    "rubbish": (Fault("binary rubbish", {}, "refused"), _rubbish),
    "many-rejects": (Fault("more than ten percent rejects", {}, "refused", "type:revenue"), _many_rejects),
    "extra-column": (Fault("unknown column", {}, "warning", note="its rows are accepted"), _extra_column),
}


def _land_again(desk: Desk) -> None:
    """Deliver the day's own transactions again under a new identifier."""
    [own] = (desk.out / f"{desk.day}-transactions-1").glob("transactions.*")
    parcel = desk.parcel("transactions", "again")
    land_files(desk.out, parcel, [own])
    desk.know(parcel, Fault("whole delivery again", {}, "duplicate", note="all of its rows"))


def _land_correction(desk: Desk, line: Values) -> None:
    """Deliver another revenue for a line that was delivered before."""
    fault = Fault("line corrected later", {"revenue": "77.00", "tax": "0.00"}, "correction")
    _land_rows(desk, desk.parcel("transactions", "correction"), [(_faulty(line, fault), fault)])


def _land_superseding(desk: Desk, rows: list[Values]) -> None:
    """Deliver lines, and then all but one of them in a delivery that takes the first one's place."""
    first = desk.parcel("transactions", "superseded")
    land_files(desk.out, first, [_lines_file(desk, rows)])
    second = desk.parcel("transactions", "superseding", supersedes=first.delivery_id)
    land_files(desk.out, second, [_lines_file(desk, rows[:-1])])
    fault = Fault("absent from a superseding delivery", {}, "withdrawn", note=f"delivered in {first.delivery_id}")
    desk.know(second, fault, key=rows[-1]["transaction_id"])
