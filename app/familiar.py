"""Earnings, payments and ineligible revenue in the shapes that partners know: Partner Center's reports.

Names and order are those of its export schemas (Earnings-Default, Payments, Ineligible revenue; October 2023). A column
without an expression does not apply here and stays empty. Amounts are decimals, rates shares, days ISO 8601.
"""

from warehouse import due

STATUSES = {  # Partner Center, payment statuses, October 2023; settled is sent to it
    "upcoming": ("Upcoming", "Payment order generated pending internal reviews before payment is processed."),
    "in_progress": ("In progress", "Payment is in progress."),
    "sent": ("Sent", "Payment has been sent to your bank."),
    "settled": ("Sent", "Payment has been sent to your bank."),
    "rejected_during_review": ("Rejected during review", "Payment was rejected during review."),
    "rejected": ("Rejected", "The payment was rejected by your bank."),
    "reversed": ("Reversed", "Payment was reversed by your bank and will be sent again in the next payment cycle."),
}
UNPROCESSED = ("Unprocessed", "The earning is eligible for payment and not due yet, or waits.")
LOCATION = "'Location'"  # what kind of id a partner is named by


def _case(place: int, otherwise: str) -> str:
    """A payment's status in Partner Center's words, or its description."""
    whens = " ".join(f"WHEN '{status}' THEN '{words[place]}'" for status, words in STATUSES.items())
    return f"CASE payment_status {whens} ELSE '{otherwise}' END"


EARNINGS = {
    "agreementEndDate": "", "agreementNumber": "", "agreementStartDate": "", "baseline": "", "baselineType": "",
    "bucketSize": "", "calculationDate": "entry.posted_on", "claimId": "", "compensableUnits": "", "customerCountry": "",
    "customerEmail": "", "customerName": "", "customerTenantId": "customer_id", "desktopCount": "",
    "distributorId": "seller_id", "distributorName": "seller.partner_name", "earningAmount": "entry.amount",
    "earningAmountInLastPaymentCurrency": "", "earningAmountUSD": "CASE entry.program_currency WHEN 'USD' THEN entry.program_amount END",
    "earningDate": "entry.earning_month", "earningExchangeRate": "CASE entry.program_currency WHEN 'USD' THEN entry.fx_rate END",
    "earningId": "entry.entry_id", "earningParticipantId": "entry.partner_id", "earningParticipantName": "earner.partner_name",
    "earningParticipantIdType": LOCATION, "earningRate": "entry.rate",
    "earningType": "CASE entry.earning_type WHEN 'coop' THEN 'COOP' ELSE 'REBATE' END", "engagementId": "entry.program",
    "engagementName": "program_title", "estimatedPaymentMonth": "strftime(coalesce(cycle_on, entry.due_on), '%Y-%m')",
    "exchangeRateDate": "entry.fx_month", "externalReferenceId": "", "externalReferenceIdLabel": "", "fundCategory": "",
    "instantRebateAmount": "", "invoiceDate": "invoice_at::DATE", "invoiceNumber": "", "isPrivateOffer": "",
    "lastPaymentCurrency": "", "lever": "entry.lever", "LicensingProgramName": "", "LineItemId": "", "localProviderSeller": "",
    "Maturity month": "strftime(entry.due_on, '%Y-%m')", "milestone": "", "OrderId": "", "parentProductId": "",
    "parentProductName": "", "participantId": "entry.partner_id", "participantIdType": LOCATION,
    "participantName": "earner.partner_name", "partnerAssociation": "association", "partnerCountryCode": "earner.country",
    "partnerRole": "", "partNumber": "", "paymentId": "payment.payment_id", "paymentStatus": _case(0, UNPROCESSED[0]),
    "paymentStatusDescription": _case(1, UNPROCESSED[1]), "productId": "product_id", "productName": "", "productType": "",
    "Program Code": "entry.program", "programName": "program_title", "purchaseOrderCoverageEndDate": "",
    "purchaseOrderCoverageStartDate": "", "purchaseOrderType": "", "purchaseTypeCode": "", "purchaseTypeName": "",
    "quantity": "quantity", "quantityAlt": "", "quantityAltType": "", "quantityType": "",
    "reasonCode": "CASE entry.lever WHEN 'adjustment' THEN entry.cause_detail ELSE entry.cause END",
    "resellerCountry": "reseller.country", "resellerId": "reseller_id", "resellerName": "reseller.partner_name", "resourceId": "",
    "SkuId": "", "solutionArea": "", "storeFee": "", "subscriptionEndDate": "", "subscriptionId": "subscription_id",
    "subscriptionStartDate": "", "taxCity": "", "taxCountry": "", "taxRemitModel": "", "taxRemitted": "", "taxState": "",
    "taxZipCode": "", "tpan": "", "transactionAmount": "revenue", "transactionAmountUSD": "CASE line.currency WHEN 'USD' THEN revenue END",
    "transactionCountryCode": "", "transactionCurrency": "line.currency", "transactionDate": "transaction_at::DATE",
    "transactionExchangeRate": "", "transactionId": "entry.transaction_id", "transactionPaymentMethod": "",
    "transactionType": "charge_type", "userCount": "", "workload": "",
}  # fmt: skip
# the payment that takes an entry up is the first of its balance whose cycle it is due by
EARNED = f"""
FROM ({due.entries("earnings_ledger", "amount", "parts.payment_calendar")}) AS entry
ASOF LEFT JOIN (FROM payments WHERE payment_status NOT IN ('rejected_during_review', 'rejected', 'reversed')) AS payment
    ON entry.partner_id = payment.partner_id AND entry.program = payment.program AND entry.earning_type = payment.earning_type
    AND entry.currency = payment.currency AND entry.due_on <= payment.cycle_on
LEFT JOIN transactions AS line ON line.transaction_id = entry.transaction_id
LEFT JOIN partners AS earner ON earner.partner_id = entry.partner_id
LEFT JOIN partners AS seller ON seller.partner_id = seller_id
LEFT JOIN partners AS reseller ON reseller.partner_id = reseller_id
LEFT JOIN (SELECT DISTINCT program, program_title FROM programs) AS title ON title.program = entry.program
WHERE entry.lever <> 'settlement' AND ($partner IS NULL OR entry.partner_id = $partner)
    AND ($period IS NULL OR entry.period = $period)
"""
PAYMENTS = {
    "participantID": "partner_id", "participantIDType": LOCATION, "participantName": "partner_name",
    "programName": "program_title", "earned": "payout + withheld_tax - sales_tax_paid",
    "earnedUSD": "CASE program_currency WHEN 'USD' THEN program_payment END", "withheldTax": "withheld_tax",
    "salesTax": "sales_tax_paid", "serviceFeeTax": "", "totalPayment": "payout", "currencyCode": "payout_currency",
    "paymentMethod": "'Electronic bank transfer'", "paymentID": "payment_id", "paymentStatus": _case(0, ""),
    "paymentStatusDescription": _case(1, ""),
    "paymentDate": "CASE WHEN payment_status IN ('sent', 'settled', 'reversed') THEN status_on END",
}  # fmt: skip
# taxes are in the balance's currency; what is earned is what remains, so that each row adds up
PAID = """
FROM (
    SELECT *, round(withheld * fx_rate, 3)::DECIMAL(18,3) AS withheld_tax, round(sales_tax * fx_rate, 3)::DECIMAL(18,3) AS sales_tax_paid
    FROM payments
) JOIN partners USING (partner_id) LEFT JOIN (SELECT DISTINCT program, program_title FROM programs) USING (program)
WHERE ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR date_trunc('month', cycle_on) = $period)
"""
INELIGIBLE = {
    "agreementNumber": "", "compensableUnits": "", "compensableUnitsAlt": "", "customerId": "customer_id",
    "customerIdType": "'Tenant ID'", "customerName": "", "earningParticipantId": "decision.partner_id",
    "earningParticipantIdType": LOCATION, "earningParticipantName": "partner_name", "engagementName": "program_title",
    "invoiceNumber": "", "partnerAssociation": "association", "partnerCountryCode": "country", "partnerId": "decision.partner_id",
    "partnerName": "partner_name", "partnerRole": "", "productId": "product_id", "productFamily": "",
    "reason": "(SELECT string_agg(reason, '; ' ORDER BY reason_code) FROM parts.reasons "
    "WHERE list_contains(string_split(decision.reason_codes, ','), reason_code))",
    "subscriptionId": "subscription_id", "transactionAmountUSD": "CASE line.currency WHEN 'USD' THEN line.revenue END",
    "transactionDate": "transaction_at::DATE", "unearnedId": "decision.transaction_id || ':' || decision.program",
    "quantity": "quantity", "quantityType": "", "quantityAlt": "", "quantityAltType": "", "resourceID": "", "solutionArea": "",
    "workload": "",
}  # fmt: skip
UNEARNED = """
FROM decisions AS decision JOIN transactions AS line USING (transaction_id)
LEFT JOIN partners ON partners.partner_id = decision.partner_id
LEFT JOIN (SELECT DISTINCT program, program_title FROM programs) AS title ON title.program = decision.program
WHERE decision = 'ineligible' AND ($partner IS NULL OR decision.partner_id = $partner)
    AND ($period IS NULL OR earning_month = $period)
"""


def query(columns: dict[str, str], source: str) -> str:
    """The query of a report."""
    return "SELECT " + ", ".join(f'{held or "NULL::VARCHAR"} AS "{name}"' for name, held in columns.items()) + source


REPORTS = {
    "earnings": query(EARNINGS, EARNED),
    "payments": query(PAYMENTS, PAID),
    "ineligible": query(INELIGIBLE, UNEARNED),
}
