"""What the bank answers: pain.002, camt.053, camt.054 and pacs.004, read for what they say of each payment.

Payments are found by their end-to-end id; whatever else a message holds is left alone.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lxml import etree

DUPLICATE = ("AM05", "DUPL", "DU01", "DU02", "DU03", "DU04", "DU05")  # ISO 20022: the bank has the payment already
SIDES = {"DBIT": "settled", "CRDT": "returned"}  # of our account
IN_REPORT = {"RJCT": "rejected", "ACSC": "settled", "ACCC": "settled", "CANC": "rejected"}
SAFE = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


class Unreadable(Exception):
    """A bank file that cannot be used: which, why, and what to do."""


@dataclass(frozen=True)
class Message:
    """What one file says of one payment, or of all of one of our order files, by its message id.

    `reported_status` as the dictionary has it, the time in UTC; what was booked, in major units, where the file says it.
    `is_reversal` says that the booking undoes an earlier one.
    """

    payment_id: str
    reported_status: str
    bank_reason: str | None
    reported_at: datetime
    booked: tuple[Decimal, str] | None = None
    is_reversal: bool = False

    @property
    def message_id(self) -> str:
        """The same for whatever says the same, so that a message read twice counts once."""
        said = f"{self.payment_id}|{self.reported_status}|{self.bank_reason or ''}|{self.reported_at:%Y-%m-%d}"
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    def of_each(self, payments: Iterable[str]) -> list["Message"]:
        """The same said of each of some payments."""
        return [replace(self, payment_id=payment) for payment in payments]


def read(path: Path) -> list[Message]:
    """All that a bank file says of payments. Raises Unreadable for a file that is no message of these kinds."""
    try:
        root = etree.parse(path, SAFE).getroot()
    except etree.XMLSyntaxError as fault:
        raise Unreadable(f"bank file [{path.name}] is not XML: {fault}; fetch it again from the bank.") from None
    first = next(root.iterchildren(etree.Element), None)
    kind = "nothing" if first is None else etree.QName(first).localname
    readers = {
        "CstmrPmtStsRpt": _report, "BkToCstmrStmt": _entries, "BkToCstmrDbtCdtNtfctn": _entries, "PmtRtr": _returns,
    }  # fmt: skip
    if kind not in readers:
        raise Unreadable(f"bank file [{path.name}] is [{kind}]; pain.002, camt.053, camt.054 and pacs.004 are read.")
    try:
        return list(readers[kind](root, _instant(_text(root, ".//{*}GrpHdr/{*}CreDtTm"))))
    except ValueError as fault:
        raise Unreadable(
            f"bank file [{path.name}] says what cannot be read: {fault}; ask the bank for it again."
        ) from None


def _report(root: etree._Element, made_at: datetime) -> Iterator[Message]:
    """A status report: what it says of the file that it refuses as a whole, and of each payment that it names.

    It is refused as a file, or as the one instruction that each file of ours holds; not where a payment of it is taken.
    """
    named = [
        _of_payment(one, made_at) for one in root.iterfind(".//{*}TxInfAndSts") if _text(one, "{*}OrgnlEndToEndId")
    ]
    statuses = {one.reported_status for one in named}
    levels = (*root.iterfind(".//{*}OrgnlGrpInfAndSts"), *root.iterfind(".//{*}OrgnlPmtInfAndSts"))
    refused = [node for node in levels if "RJCT" in (_text(node, "{*}GrpSts"), _text(node, "{*}PmtInfSts"))]
    if refused and statuses <= {"rejected", "duplicate"}:
        file = _text(root, ".//{*}OrgnlGrpInfAndSts/{*}OrgnlMsgId")
        reason = next(filter(None, (_text(node, "{*}StsRsnInf/{*}Rsn/{*}Cd") for node in refused)), "")
        is_duplicate = reason in DUPLICATE or "duplicate" in statuses
        yield Message(file, "duplicate" if is_duplicate else "rejected", reason or None, made_at)
    yield from named


def _of_payment(one: etree._Element, made_at: datetime) -> Message:
    code, reason = _text(one, "{*}TxSts"), _text(one, "{*}StsRsnInf/{*}Rsn/{*}Cd")
    status = "duplicate" if reason in DUPLICATE else IN_REPORT.get(code, "accepted")
    return Message(_text(one, "{*}OrgnlEndToEndId"), status, reason or None, made_at)


def _entries(root: etree._Element, made_at: datetime) -> Iterator[Message]:
    """Booked entries: what was debited has left the account, what is credited with our id has come back."""
    for entry in root.iterfind(".//{*}Ntry"):
        booked = _text(entry, "{*}BookgDt/{*}Dt") or _text(entry, "{*}BookgDt/{*}DtTm")
        if (_text(entry, "{*}Sts/{*}Cd") or _text(entry, "{*}Sts")) not in ("BOOK", ""):  # pending, or only told
            continue
        for one in entry.iterfind("{*}NtryDtls/{*}TxDtls"):
            if payment := _text(one, "{*}Refs/{*}EndToEndId"):
                side = _text(one, "{*}CdtDbtInd") or _text(entry, "{*}CdtDbtInd")
                if side not in SIDES:
                    raise ValueError(f"payment [{payment}] is booked on side [{side}], not one of {list(SIDES)}")
                reason = _text(one, "{*}RtrInf/{*}Rsn/{*}Cd")
                at = _instant(booked) if booked else made_at
                is_reversal = _text(entry, "{*}RvslInd") in ("true", "1")
                yield Message(payment, SIDES[side], reason or None, at, _booked(one, entry), is_reversal)


def _booked(one: etree._Element, entry: etree._Element) -> tuple[Decimal, str] | None:
    """The amount of a booking: its own, or its entry's where that has no other; nothing where neither says it."""
    found = one.find("{*}Amt")
    if found is None:
        found = one.find("{*}AmtDtls/{*}TxAmt/{*}Amt")
    if found is None and len(entry.findall("{*}NtryDtls/{*}TxDtls")) == 1:
        found = entry.find("{*}Amt")
    if found is None:
        return None
    try:
        return Decimal((found.text or "").strip()), found.get("Ccy", "")
    except InvalidOperation:
        raise ValueError(f"amount [{found.text}]") from None


def _returns(root: etree._Element, made_at: datetime) -> Iterator[Message]:
    """Payments that the payee's bank sent back."""
    for one in root.iterfind(".//{*}TxInf"):
        if payment := _text(one, "{*}OrgnlEndToEndId"):
            reason = _text(one, "{*}RtrRsnInf/{*}Rsn/{*}Cd")
            on = _text(one, "{*}IntrBkSttlmDt") or _text(root, ".//{*}GrpHdr/{*}IntrBkSttlmDt")
            yield Message(payment, "returned", reason or None, _instant(on) if on else made_at)


def _text(node: etree._Element, path: str) -> str:
    return (node.findtext(path) or "").strip()


def _instant(text: str) -> datetime:
    """A time in UTC; one without an offset is taken to be in UTC.

    >>> _instant("2026-12-01T09:00:00+01:00"), _instant("2026-12-02")
    (datetime.datetime(2026, 12, 1, 8, 0), datetime.datetime(2026, 12, 2, 0, 0))
    """
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
