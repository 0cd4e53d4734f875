"""What single bank messages say, odd ones among them: nothing is taken for settled or returned that the bank has not booked."""

from decimal import Decimal
from pathlib import Path

import pytest

from banking import messages

ENTRY = """<Ntry><Amt Ccy="EUR">12.50</Amt>{side}<Sts>{status}</Sts><BookgDt><Dt>2021-05-14</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>b-00001</EndToEndId></Refs>{details}</TxDtls></NtryDtls></Ntry>"""
DEBIT = "<CdtDbtInd>DBIT</CdtDbtInd>"


def read(tmp_path: Path, entry: str) -> list[messages.Message]:
    path = tmp_path / "camt.xml"
    path.write_text(
        "<Document><!-- of the bank --><BkToCstmrStmt><GrpHdr><CreDtTm>2021-05-15T06:00:00</CreDtTm></GrpHdr>"
        f"<Stmt>{entry}</Stmt></BkToCstmrStmt></Document>"
    )
    return messages.read(path)


@pytest.mark.parametrize("status", ["BOOK", "<Cd>BOOK</Cd>"])
def test_what_is_booked_is_settled_with_its_amount(tmp_path, status):
    [said] = read(tmp_path, ENTRY.format(side=DEBIT, status=status, details=""))
    assert (said.reported_status, said.booked) == ("settled", (Decimal("12.50"), "EUR"))


@pytest.mark.parametrize("status", ["INFO", "PDNG", "FUTR", "<Cd>INFO</Cd>", "<Cd>PDNG</Cd>"])
def test_what_is_only_told_is_not_settled(tmp_path, status):
    assert read(tmp_path, ENTRY.format(side=DEBIT, status=status, details="")) == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (ENTRY.format(side="", status="BOOK", details=""), r"payment \[b-00001\] is booked on side \[\]"),
        (ENTRY.format(side=DEBIT, status="BOOK", details="<Amt Ccy='EUR'>much</Amt>"), r"amount \[much\]"),
    ],
)
def test_an_entry_that_cannot_be_understood_has_its_file_refused(tmp_path, entry, says):
    with pytest.raises(messages.Unreadable, match=says):
        read(tmp_path, entry)


def test_of_several_payments_in_an_entry_each_has_its_own_amount_or_none(tmp_path):
    one = "<TxDtls><Refs><EndToEndId>b-{}</EndToEndId></Refs>{}</TxDtls>"
    amount = "<AmtDtls><TxAmt><Amt Ccy='EUR'>2.50</Amt></TxAmt></AmtDtls>"
    entry = f"<Ntry><Amt Ccy='EUR'>12.50</Amt>{DEBIT}<Sts>BOOK</Sts><NtryDtls>{one.format(1, amount)}{one.format(2, '')}</NtryDtls></Ntry>"
    assert [said.booked for said in read(tmp_path, entry)] == [(Decimal("2.50"), "EUR"), None]


REPORT = """<Document><CstmrPmtStsRpt><GrpHdr><CreDtTm>2021-05-15T06:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>b-USD-1</OrgnlMsgId><GrpSts>{group}</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>p</OrgnlPmtInfId>
<PmtInfSts>{status}</PmtInfSts>{reason}{payment}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""
REASON = "<StsRsnInf><Rsn><Cd>{}</Cd></Rsn></StsRsnInf>"
PAYMENT = "<TxInfAndSts><OrgnlEndToEndId>b-00001</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>"
HELD = PAYMENT.replace("</TxSts>", "</TxSts>" + REASON.format("AM05"))  # the bank has it already


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ({"status": "RJCT", "reason": REASON.format("AC01")}, [("b-USD-1", "rejected", "AC01")]),
        ({"status": "RJCT", "reason": ""}, [("b-USD-1", "rejected", None)]),
        ({"status": "RJCT", "reason": REASON.format("DUPL")}, [("b-USD-1", "duplicate", "DUPL")]),
        ({"status": "RJCT", "reason": "", "payment": PAYMENT}, [("b-USD-1", "rejected", None), ("b-00001", "rejected", None)]),
        ({"status": "", "reason": "", "group": "RJCT", "payment": PAYMENT}, [("b-USD-1", "rejected", None), ("b-00001", "rejected", None)]),
        ({"status": "RJCT", "reason": "", "payment": HELD}, [("b-USD-1", "duplicate", None), ("b-00001", "duplicate", "AM05")]),
        ({"status": "RJCT", "reason": "", "payment": PAYMENT.replace("RJCT", "ACCP")}, [("b-00001", "accepted", None)]),
        ({"status": "ACCP", "reason": "", "payment": PAYMENT.replace("RJCT", "CANC")}, [("b-00001", "rejected", None)]),
        ({"status": "ACCP", "reason": ""}, []),
    ],
)  # fmt: skip
def test_a_rejection_of_all_payments_of_a_file_is_one_of_the_file(tmp_path, said, means):
    path = tmp_path / "pain.xml"
    path.write_text(REPORT.format(**{"group": "", "payment": ""} | said))
    assert [(one.payment_id, one.reported_status, one.bank_reason) for one in messages.read(path)] == means


def test_a_debit_that_takes_back_a_credit_is_told_from_one_that_pays(tmp_path):
    marked = DEBIT + "<RvslInd>{}</RvslInd>"
    for marker, is_reversal in (("true", True), ("1", True), ("false", False)):
        [said] = read(tmp_path, ENTRY.format(side=marked.format(marker), status="BOOK", details=""))
        assert said.is_reversal == is_reversal
