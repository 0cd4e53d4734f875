"""Earnings, payments and ineligible revenue in the shapes that partners know: Partner Center's reports.

Names and order are those of its export schemas (Earnings-Default, Payments, Ineligible revenue; October 2023). A column
without an expression does not apply here and stays empty. Amounts are decimals, rates shares, days ISO 8601. Rows lie by
partner and, within a partner, by the id of the earning, payment or unearned revenue.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from transforms.vocabulary import EXPONENTS, FREED
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
GIVEN_UP = {  # what becomes of earnings that are not paid in time
    "forfeited": (
        "Forfeited",
        "Bank or tax profile were not valid in time, or the minimum was not reached within the program year.",
    ),
    "escheated": ("Escheated", "The earning could not be paid in time and goes to the unclaimed property team."),
}
WAITING = {  # reasons why a payee waits, as of the release
    "PAYINV": ("Pending tax invoice", "Your tax invoice is incomplete or invalid."),
    "PAYINVREV": ("Tax invoice under review", "Your tax invoice is being reviewed. Your payment will be released after the tax invoice has been approved."),
    "PAYINVREJ": ("Tax invoice rejected", "Your tax invoice was rejected during review. All pending payments are on hold until the tax invoice review is complete."),
}  # fmt: skip
UNPROCESSED = ("Unprocessed", "The earning is eligible for payment and not due yet, or waits.")
LOCATION = "'Location'"  # what kind of id a partner is named by


@dataclass(frozen=True)
class Report:
    """A report: the rows of a release that it tells of, what it tells of some of these, and in which columns.

    `asked` names each row by `partner_id` and `row_id`. Of some of them, a table `asked`, further tables are made, one
    after the other, and of all these tables what is `found`. `money` says by column in which currency its amounts are.
    """

    asked: str
    tables: dict[str, str]
    found: str
    columns: dict[str, str]
    money: dict[str, str]

    @property
    def held(self) -> list[str]:
        """The expressions of its columns, each once, of what is `found`."""
        return list(dict.fromkeys(filter(None, self.columns.values())))

    @property
    def figures(self) -> set[str]:
        """The columns of amounts, rates and quantities."""
        return {*self.money, *(FIGURES & set(self.columns))}

    def written(self) -> "Report":
        """The same with figures as people write them: amounts with the decimals of their currency, others without idle zeros."""
        told = {column: _in_decimals(self.columns[column], currency) for column, currency in self.money.items()}
        told |= {
            column: f"rtrim(rtrim(({self.columns[column]})::VARCHAR, '0'), '.')" for column in self.figures - set(told)
        }
        return replace(self, columns=self.columns | told)


FIGURES = {"earningRate", "earningExchangeRate", "transactionExchangeRate", "quantity"}


def _by_decimals(currency: str, made: Callable[[int], str]) -> str:
    """What is made of the number of decimals that a row's currency has."""
    rare = [(d, tuple(code for code, has in EXPONENTS.items() if has == d)) for d in (0, 3)]
    whens = " ".join(f"WHEN {currency} IN {codes} THEN {made(decimals)}" for decimals, codes in rare)
    return f"CASE {whens} ELSE {made(2)} END"


def _in_decimals(amount: str, currency: str) -> str:
    return _by_decimals(currency, lambda decimals: f"({amount})::DECIMAL(18,{decimals})::VARCHAR")


def _rounded(amount: str, currency: str) -> str:
    """An amount rounded to the decimals of its currency."""
    return f"({_by_decimals(currency, lambda decimals: f'round({amount}, {decimals})')})::DECIMAL(18,3)"


def _case(place: int, otherwise: str) -> str:
    """A payment's status in Partner Center's words, or its description."""
    told = (STATUSES | GIVEN_UP | WAITING).items()
    whens = " ".join(f"WHEN '{status}' THEN '{words[place]}'" for status, words in told)
    return f"CASE payment_status {whens} ELSE '{otherwise}' END"


# few lines of very many: a join that took them in whole would hold them all
LINES = """
SELECT line.*, seller.partner_name AS seller_name, reseller.partner_name AS reseller_name, reseller.country AS reseller_country,
    product_name, product_family, customer_name
FROM (
    SELECT transaction_id, seller_id, reseller_id, customer_id, product_id, subscription_id, transaction_at, invoice_at,
        charge_type, quantity, revenue AS line_revenue, currency AS line_currency, association
    FROM transactions SEMI JOIN asked USING (transaction_id)
) AS line
LEFT JOIN partners AS seller ON seller.partner_id = seller_id LEFT JOIN partners AS reseller ON reseller.partner_id = reseller_id
LEFT JOIN products USING (product_id) LEFT JOIN customers USING (customer_id)
"""
TITLES = "(SELECT DISTINCT program, program_title FROM programs)"
# where the rate of an earning is that of its line into USD
IN_USD = "program_currency = 'USD' AND line_currency = currency"
EARNINGS = {
    "agreementEndDate": "", "agreementNumber": "", "agreementStartDate": "", "baseline": "", "baselineType": "",
    "bucketSize": "", "calculationDate": "posted_on", "claimId": "", "compensableUnits": "", "customerCountry": "",
    "customerEmail": "", "customerName": "customer_name", "customerTenantId": "customer_id", "desktopCount": "",
    "distributorId": "seller_id", "distributorName": "seller_name", "earningAmount": "amount",
    "earningAmountInLastPaymentCurrency": "CASE last_payment_currency WHEN currency THEN amount WHEN program_currency THEN program_amount END", "earningAmountUSD": "CASE program_currency WHEN 'USD' THEN program_amount END",
    "earningDate": "earning_month", "earningExchangeRate": "CASE program_currency WHEN 'USD' THEN fx_rate END",
    "earningId": "row_id", "earningParticipantId": "partner_id", "earningParticipantName": "partner_name",
    "earningParticipantIdType": LOCATION, "earningRate": "rate",
    "earningType": "CASE earning_type WHEN 'coop' THEN 'COOP' ELSE 'REBATE' END", "engagementId": "program",
    "engagementName": "program_title", "estimatedPaymentMonth": "strftime(coalesce(cycle_on, due_on), '%Y-%m')",
    "exchangeRateDate": "fx_month", "externalReferenceId": "", "externalReferenceIdLabel": "", "fundCategory": "",
    "instantRebateAmount": "", "invoiceDate": "invoice_at::DATE", "invoiceNumber": "", "isPrivateOffer": "",
    "lastPaymentCurrency": "last_payment_currency", "lever": "lever", "LicensingProgramName": "", "LineItemId": "", "localProviderSeller": "",
    "Maturity month": "strftime(due_on, '%Y-%m')", "milestone": "", "OrderId": "", "parentProductId": "",
    "parentProductName": "", "participantId": "partner_id", "participantIdType": LOCATION,
    "participantName": "partner_name", "partnerAssociation": "association", "partnerCountryCode": "country",
    "partnerRole": "", "partNumber": "", "paymentId": "payment_id", "paymentStatus": _case(0, UNPROCESSED[0]),
    "paymentStatusDescription": _case(1, UNPROCESSED[1]), "productId": "product_id", "productName": "product_name", "productType": "",
    "Program Code": "program", "programName": "program_title", "purchaseOrderCoverageEndDate": "",
    "purchaseOrderCoverageStartDate": "", "purchaseOrderType": "", "purchaseTypeCode": "", "purchaseTypeName": "",
    "quantity": "quantity", "quantityAlt": "", "quantityAltType": "", "quantityType": "",
    "reasonCode": "CASE lever WHEN 'adjustment' THEN cause_detail ELSE cause END",
    "resellerCountry": "reseller_country", "resellerId": "reseller_id", "resellerName": "reseller_name", "resourceId": "",
    "SkuId": "", "solutionArea": "", "storeFee": "", "subscriptionEndDate": "", "subscriptionId": "subscription_id",
    "subscriptionStartDate": "", "taxCity": "", "taxCountry": "", "taxRemitModel": "", "taxRemitted": "", "taxState": "",
    "taxZipCode": "", "tpan": "", "transactionAmount": "line_revenue",
    "transactionAmountUSD": f"CASE WHEN line_currency = 'USD' THEN line_revenue WHEN {IN_USD} THEN round(line_revenue * fx_rate, 2)::DECIMAL(18,3) END",
    "transactionCountryCode": "", "transactionCurrency": "line_currency", "transactionDate": "transaction_at::DATE",
    "transactionExchangeRate": f"CASE WHEN {IN_USD} THEN fx_rate END", "transactionId": "transaction_id", "transactionPaymentMethod": "",
    "transactionType": "charge_type", "userCount": "", "workload": "",
}  # fmt: skip
EARNED_MONEY = {
    "earningAmount": "currency", "earningAmountInLastPaymentCurrency": "last_payment_currency", "earningAmountUSD": "'USD'",
    "transactionAmount": "line_currency", "transactionAmountUSD": "'USD'",
}  # fmt: skip
EARNED = f"""
SELECT partner_id, entry_id AS row_id, posted_on, transaction_id, program, lever, earning_type, earning_month, due_on, amount, currency,
    program_amount, program_currency, rate, fx_month, fx_rate, cause, cause_detail
FROM ({due.entries("earnings_ledger", "amount", "parts.payment_calendar")})
WHERE ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR period = $period)
"""
# what was due of a balance, and in no payment, when just that sum was given up: by the days on which it fell due, and was posted
FORFEITED = f"""
WITH forfeit AS (
    SELECT partner_id, program, earning_type, currency, posted_on AS given_up_on, any_value(cause) AS given_up, -sum(amount) AS given_up_amount
    FROM earnings_ledger SEMI JOIN asked USING (partner_id, program, earning_type, currency)
    WHERE cause IN {tuple(GIVEN_UP)} AND earning_type = 'rebate' GROUP BY ALL
), entry AS (
    SELECT partner_id, program, earning_type, currency, due_on, posted_on, cause IN {tuple(GIVEN_UP)} AS gives_up, sum(amount) AS amount
    FROM ({due.entries("(FROM earnings_ledger SEMI JOIN forfeit USING (partner_id, program, earning_type, currency))", "amount", "parts.payment_calendar")})
    GROUP BY ALL
), waiting AS (
    SELECT forfeit.*, due_on, posted_on,
        sum(amount) OVER (PARTITION BY partner_id, program, currency, given_up_on ORDER BY due_on) = given_up_amount AS is_whole
    FROM forfeit JOIN entry USING (partner_id, program, earning_type, currency)
    WHERE (posted_on < given_up_on OR posted_on = given_up_on AND NOT gives_up) AND NOT EXISTS (
        FROM payments AS payment
        WHERE payment.partner_id = forfeit.partner_id AND payment.program = forfeit.program AND payment.currency = forfeit.currency
            AND payment.earning_type = forfeit.earning_type AND payment_status NOT IN {FREED}
            AND due_on <= cycle_on AND posted_on <= cut_on AND cut_on < given_up_on
    )
), until AS (
    SELECT partner_id, program, currency, given_up_on, max(due_on) AS until FROM waiting WHERE is_whole GROUP BY ALL
)
SELECT partner_id, program, earning_type, currency, due_on, posted_on, arg_min(given_up, given_up_on) AS given_up, min(given_up_on) AS given_up_on
FROM waiting JOIN until USING (partner_id, program, currency, given_up_on) WHERE due_on <= until GROUP BY ALL
"""
# offsets that a payment took into account before they were posted: those that make its entries sum to it
NETTED = f"""
WITH moved AS (
    SELECT partner_id, program, earning_type, currency, posted_on, sum(amount) AS moved
    FROM earnings_ledger SEMI JOIN asked USING (partner_id, program, earning_type, currency) WHERE cause = 'offset' GROUP BY ALL
), entry AS (
    SELECT partner_id, program, earning_type, currency, due_on, posted_on, sum(amount) AS amount
    FROM ({due.entries("(FROM earnings_ledger SEMI JOIN moved USING (partner_id, program, earning_type, currency))", "amount", "parts.payment_calendar")})
    GROUP BY ALL
), taken AS (
    SELECT entry.*, arg_min(payment_id, (cut_on, payment_id)) AS payment_id
    FROM entry JOIN payments USING (partner_id, program, earning_type, currency)
    WHERE due_on <= cycle_on AND posted_on <= cut_on AND payment_status NOT IN {FREED} GROUP BY ALL
), summed AS (
    SELECT payment_id, sum(amount) AS taken FROM taken GROUP BY ALL
)
SELECT moved.*, max(payment_id) AS netted_by, arg_max(payment_status, payment_id) AS netted_status
FROM moved JOIN payments USING (partner_id, program, earning_type, currency) JOIN summed USING (payment_id)
WHERE cut_on < posted_on AND cycle_on <= posted_on AND payment = taken + moved GROUP BY ALL
"""
# the payment that takes an entry up is the first of its balance that was worked out after it, and by whose cycle it is due
BALANCES = f"""
WITH balance AS (SELECT DISTINCT partner_id, program, earning_type, currency, due_on, posted_on FROM asked),
taken AS (
    SELECT
        balance.*, arg_min(payment_id, (cut_on, payment_id)) AS payment_id, arg_min(cycle_on, (cut_on, payment_id)) AS cycle_on,
        arg_min(payment_status, (cut_on, payment_id)) AS payment_status
    FROM balance JOIN payments AS payment
        ON balance.partner_id = payment.partner_id AND balance.program = payment.program AND balance.earning_type = payment.earning_type
        AND balance.currency = payment.currency AND due_on <= cycle_on AND posted_on <= cut_on
    WHERE payment_status NOT IN {FREED} GROUP BY ALL
)
SELECT
    balance.*, CASE WHEN given_up IS NULL THEN payment_id END AS payment_id, CASE WHEN given_up IS NULL THEN cycle_on END AS cycle_on,
    coalesce(given_up, payment_status, CASE WHEN balance.due_on IS NOT NULL THEN reason_code END) AS payment_status,
    partner_name, country, program_title, last_payment_currency
FROM balance LEFT JOIN taken USING (partner_id, program, earning_type, currency, due_on, posted_on)
LEFT JOIN given_up USING (partner_id, program, earning_type, currency, due_on, posted_on)
LEFT JOIN parts.payee_holds AS waits ON waits.partner_id = balance.partner_id AND waits.program = balance.program
LEFT JOIN (
    SELECT partner_id, program, arg_max(payout_currency, (cycle_on, payment_id)) AS last_payment_currency
    FROM payments WHERE payment_status IN ('sent', 'settled') GROUP BY ALL
) AS last ON last.partner_id = balance.partner_id AND last.program = balance.program
LEFT JOIN partners AS earner ON earner.partner_id = balance.partner_id
LEFT JOIN {TITLES} AS title ON title.program = balance.program
"""
EARNED_FOUND = f"""
SELECT asked.*, line.* EXCLUDE (transaction_id),
    balance.* EXCLUDE (partner_id, program, earning_type, currency, due_on, posted_on)
        REPLACE (
            CASE WHEN cause IN {tuple(GIVEN_UP)} THEN cause ELSE coalesce(netted_status, payment_status) END AS payment_status,
            CASE WHEN cause NOT IN {tuple(GIVEN_UP)} OR NOT EXISTS (
                FROM given_up WHERE given_up.partner_id = asked.partner_id AND given_up.program = asked.program
                    AND given_up.currency = asked.currency AND given_up.earning_type = asked.earning_type AND given_up_on = asked.posted_on
            ) THEN coalesce(netted_by, payment_id) END AS payment_id
        )
FROM asked LEFT JOIN line ON line.transaction_id = asked.transaction_id
JOIN balance ON balance.partner_id = asked.partner_id AND balance.program = asked.program AND balance.earning_type = asked.earning_type
    AND balance.currency = asked.currency AND balance.posted_on = asked.posted_on
    AND balance.due_on IS NOT DISTINCT FROM asked.due_on
LEFT JOIN netted ON cause = 'offset' AND netted.partner_id = asked.partner_id AND netted.program = asked.program
    AND netted.earning_type = asked.earning_type AND netted.currency = asked.currency AND netted.posted_on = asked.posted_on
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
PAID_MONEY = {
    **dict.fromkeys(("earned", "withheldTax", "salesTax", "totalPayment"), "payout_currency"), "earnedUSD": "'USD'",
}  # fmt: skip
PAID = """
SELECT *, payment_id AS row_id FROM payments
WHERE ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR date_trunc('month', cycle_on) = $period)
"""
# taxes are in the balance's currency; what is earned is what remains, so that each row adds up
PAID_FOUND = f"""
SELECT *, {_rounded("withheld * fx_rate", "payout_currency")} AS withheld_tax,
    {_rounded("sales_tax * fx_rate", "payout_currency")} AS sales_tax_paid
FROM asked JOIN partners USING (partner_id) LEFT JOIN {TITLES} USING (program)
"""
INELIGIBLE = {
    "agreementNumber": "", "compensableUnits": "", "compensableUnitsAlt": "", "customerId": "customer_id",
    "customerIdType": "'Tenant ID'", "customerName": "customer_name", "earningParticipantId": "partner_id",
    "earningParticipantIdType": LOCATION, "earningParticipantName": "partner_name", "engagementName": "program_title",
    "invoiceNumber": "", "partnerAssociation": "association", "partnerCountryCode": "country", "partnerId": "partner_id",
    "partnerName": "partner_name", "partnerRole": "", "productId": "product_id", "productFamily": "product_family",
    "reason": "reasons", "subscriptionId": "subscription_id", "transactionAmountUSD": "CASE line_currency WHEN 'USD' THEN line_revenue END",
    "transactionDate": "transaction_at::DATE", "unearnedId": "row_id",
    "quantity": "quantity", "quantityType": "", "quantityAlt": "", "quantityAltType": "", "resourceID": "", "solutionArea": "",
    "workload": "",
}  # fmt: skip
UNEARNED = """
SELECT partner_id, transaction_id || ':' || program AS row_id, transaction_id, program, reason_codes FROM decisions
WHERE decision = 'ineligible' AND ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR earning_month = $period)
"""
UNEARNED_FOUND = f"""
SELECT asked.*, line.* EXCLUDE (transaction_id), partner_name, country, program_title,
    (SELECT string_agg(reason, '; ' ORDER BY reason_code) FROM parts.reasons
        WHERE list_contains(string_split(asked.reason_codes, ','), reason_code)) AS reasons
FROM asked JOIN line USING (transaction_id) LEFT JOIN partners USING (partner_id) LEFT JOIN {TITLES} USING (program)
"""
REPORTS = {
    "earnings": Report(
        EARNED,
        {"line": LINES, "given_up": FORFEITED, "netted": NETTED, "balance": BALANCES},
        EARNED_FOUND,
        EARNINGS,
        EARNED_MONEY,
    ),
    "payments": Report(PAID, {}, PAID_FOUND, PAYMENTS, PAID_MONEY),
    "ineligible": Report(UNEARNED, {"line": LINES}, UNEARNED_FOUND, INELIGIBLE, {"transactionAmountUSD": "'USD'"}),
}
