"""The data dictionary: every column name in the warehouse, defined once.

The same name means the same thing in the same unit in every table. Money is whole minor units and ends in
`_minor`; delivered files and published tables show the same amount as a decimal, without that ending.
"""

from dataclasses import dataclass
from typing import Literal

from transforms.vocabulary import WORDS

Kind = Literal[
    "id",
    "text",
    "code",
    "country",
    "currency",
    "program",
    "date",
    "month",
    "instant",
    "money",
    "rate",
    "fx",
    "quantity",
    "measure",
    "exact_measure",
    "amount",
    "count",
    "flag",
]

DUCKDB: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "code": "VARCHAR",
    "country": "VARCHAR",
    "currency": "VARCHAR",
    "program": "VARCHAR",
    "date": "DATE",
    "month": "DATE",
    "instant": "TIMESTAMP",
    "money": "BIGINT",
    "rate": "DECIMAL(18,9)",
    "fx": "DECIMAL(28,18)",
    "quantity": "DECIMAL(18,6)",
    "measure": "DECIMAL(38,6)",
    "exact_measure": "DECIMAL(38,21)",
    "amount": "DECIMAL(38,4)",
    "count": "BIGINT",
    "flag": "BOOLEAN",
}
PUBLISHED_MONEY = "DECIMAL(18,3)"  # ISO 4217 has no currency in trade with more than three decimals


@dataclass(frozen=True)
class Column:
    """What a column holds.

    `one_of` lists its codes; `aliases` gives other spellings that deliveries use, each with the code it means.
    `personal` marks what identifies a person.
    """

    kind: Kind
    means: str
    one_of: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    personal: bool = False

    @property
    def is_text(self) -> bool:
        return DUCKDB[self.kind] == "VARCHAR"


def published_name(column: str) -> str:
    """The name a column has in delivered files and published tables.

    >>> published_name("revenue_minor"), published_name("currency")
    ('revenue', 'currency')
    """
    return column.removesuffix("_minor")


def currency_of(money: str) -> str:
    """The column that says which currency an amount of the same row is in.

    >>> currency_of("revenue_minor"), currency_of("program_payment_minor"), currency_of("payout_minor")
    ('currency', 'program_currency', 'payout_currency')
    """
    return next((f"{unit}_currency" for unit in ("program", "payout") if money.startswith(f"{unit}_")), "currency")


STATUSES = ("met", "unmet", "unknown", "not_applicable")
ENROLMENT_STATUSES = (
    "invited",
    "action_required",
    "validating_enrollment",
    "enrolled",
    "inactive",
    "ineligible",
    "discontinued",
)

COLUMNS: dict[str, Column] = {
    # who
    "partner_id": Column("id", "A partner location; incentives are earned and paid per location."),
    "global_partner_id": Column("id", "The organisation that a partner location belongs to; it never earns."),
    "partner_name": Column("text", "The partner location's name."),
    "partner_type": Column(
        "code",
        "How the partner sells.",
        one_of=("direct_bill", "indirect_provider", "indirect_reseller"),
        aliases=(
            ("direct", "direct_bill"),
            ("directpartner", "direct_bill"),
            ("1t", "direct_bill"),
            ("provider", "indirect_provider"),
            ("distributor", "indirect_provider"),
            ("reseller", "indirect_reseller"),
            ("2t", "indirect_reseller"),
        ),
    ),
    "reseller_status": Column(
        "code", "Whether the partner is active as a reseller.", one_of=("active", "suspended", "inactive")
    ),
    "country": Column("country", "ISO 3166 country of the location, two letters."),
    "tenant_country": Column("country", "ISO 3166 country of the partner's own tenant, two letters."),
    "tenant_id": Column("id", "The partner's own tenant; a sale to this customer is a sale to oneself."),
    "user_email": Column("text", "A user's e-mail address.", personal=True),
    "user_name": Column("text", "A user's name.", personal=True),
    "role": Column("code", "What a user may do.", one_of=("incentives_admin", "incentives_user")),
    # agreements, competencies, enrolments, profiles
    "agreement_id": Column("id", "One signed agreement."),
    "agreement_type": Column(
        "code",
        "Which agreement was signed.",
        one_of=WORDS["agreement_type"],
        aliases=(
            ("microsoftpartnernetwork", "mpn"),
            ("mcda", "cloud_distributor"),
            ("microsoftclouddistributoragreement", "cloud_distributor"),
            ("mcra", "reseller"),
            ("microsoftcloudreselleragreement", "reseller"),
            ("multitieragreement", "reseller"),
            ("microsoftpartneragreement", "mpa"),
        ),
    ),
    "agreement_status": Column(
        "code", "Where the agreement stands.", one_of=("active", "pending", "expired", "terminated")
    ),
    "signed_on": Column("date", "Day the agreement was signed; it counts from the later of this and `valid_from`."),
    "competency": Column(
        "code",
        "A competency the partner has attained.",
        one_of=WORDS["competency"],
        aliases=(
            ("erp", "enterprise_resource_planning"),
            ("smallmidmarketcloudsolutions", "small_and_midmarket_cloud_solutions"),
        ),
    ),
    "competency_level": Column("code", "How far the competency goes.", one_of=WORDS["competency_level"]),
    "enrolment_status": Column(
        "code",
        "Where the partner's enrolment in the program stands.",
        one_of=ENROLMENT_STATUSES,
    ),
    "next_status": Column(
        "code",
        "Where the enrolment is to stand from `valid_to` on, as is known.",
        one_of=ENROLMENT_STATUSES,
    ),
    "bank_status": Column(
        "code", "State of the bank profile.", one_of=("approved", "pending_validation", "action_required", "missing")
    ),
    "tax_status": Column(
        "code", "State of the tax profile.", one_of=("approved", "pending_validation", "action_required", "missing")
    ),
    "payout_currency": Column("currency", "ISO 4217 currency that the partner wants to be paid in."),
    "validated_on": Column("date", "Day on which the bank and tax profiles were both approved."),
    # what is sold, to whom
    "product_id": Column("id", "The offer sold."),
    "product_name": Column("text", "The offer's name."),
    "product_family": Column(
        "code",
        "Family of products that rules select by.",
        one_of=(
            "office365",
            "microsoft365",
            "dynamics365",
            "power_platform",
            "enterprise_mobility",
            "windows",
            "azure",
            "project_visio",
            "calling",
            "software",
            "other",
        ),
    ),
    "product_segment": Column("code", "Market that the offer is made for.", one_of=WORDS["product_segment"]),
    "is_strategic": Column("flag", "Whether the offer is on the program guide's list of global strategic products."),
    "term": Column("code", "Length of the commitment, ISO 8601.", one_of=WORDS["term"]),
    "is_trial": Column("flag", "Whether the offer is a trial."),
    "is_add_on": Column("flag", "Whether the offer needs another one to build on."),
    "customer_id": Column("id", "The customer's tenant."),
    "customer_name": Column("text", "The customer's name."),
    "customer_segment": Column("code", "What kind of customer it is.", one_of=WORDS["customer_segment"]),
    "tenant_created_on": Column("date", "Day on which the customer's tenant was created."),
    # customer associations
    "claim_id": Column("id", "A customer association that a partner claims; of a line, the one by which it earns."),
    "claim_status": Column(
        "code",
        "Where the claim stands; only an approved one counts.",
        one_of=(
            "in_progress",
            "submitted",
            "under_review",
            "partner_action_required",
            "approved",
            "rejected",
            "disputed",
            "opted_out",
        ),
        aliases=(("editing", "in_progress"),),
    ),
    "approved_on": Column("date", "Day on which the claim was approved; the customer's days to opt out count from it."),
    "yields_to": Column("text", "Associations of a line itself that come before the claimed one, separated by commas."),
    # exchange rates
    "fx_month": Column("month", "Calendar month, as its first day, for the whole of which the exchange rate holds."),
    "from_currency": Column("currency", "ISO 4217 currency that is converted."),
    "to_currency": Column("currency", "ISO 4217 currency that it is converted to."),
    "fx_rate": Column("fx", "Units of the target currency for one unit of the source currency, as delivered."),
    # transactions
    "transaction_id": Column("id", "One billing line; the key of everything that it causes."),
    "seller_id": Column("id", "Partner location that bills the line: direct-bill partner or indirect provider."),
    "reseller_id": Column("id", "Indirect reseller of record on the line, if there is one."),
    "subscription_id": Column("id", "The subscription billed."),
    "transaction_at": Column("instant", "Instant of the transaction, UTC."),
    "transaction_on": Column("date", "UTC date of the transaction."),
    "invoice_at": Column("instant", "Instant of the invoice, UTC."),
    "charge_type": Column(
        "code",
        "Why the line was billed.",
        one_of=WORDS["charge_type"],
        aliases=(
            ("purchase", "new"),
            ("cyclefee", "cycle_charge"),
            ("cycleinstanceprorate", "cycle_charge"),
            ("cancel", "cancel_immediate"),
            ("prorate_fees_when_purchase", "new"),
            ("assess_usage_fee_for_current_cycle", "usage"),
        ),
    ),
    "quantity": Column("quantity", "Units billed; negative when units are taken back."),
    "revenue_minor": Column(
        "money", "Amount after discounts and before tax, in minor units of `currency`; negative for a refund."
    ),
    "tax_minor": Column("money", "Tax on the line, in minor units of `currency`."),
    "currency": Column("currency", "ISO 4217 currency of the transaction's amounts."),
    "association": Column(
        "code",
        "What ties the partner to the customer: on a line as it is delivered, or as a partner claims it.",
        one_of=WORDS["association"],
        aliases=(("pal.owner", "pal_owner"), ("pal.contributor", "pal_contributor"), ("pal.reader", "pal_reader")),
    ),
    "reverses": Column("id", "The transaction that this line takes back, if it is a linked refund."),
    # rules
    "program": Column("program", "Identifier of an incentive program; the name of its file in programs/."),
    "program_title": Column("text", "The program's name for people."),
    "lever": Column(
        "code", "The rule within a program that an earning comes from; adjustment and settlement where none does."
    ),
    "lever_title": Column("text", "The lever's name for people."),
    "levers": Column("text", "Levers that the line earns in, separated by commas."),
    "bracket": Column("count", "Bracket of the lever's scale, counted from 1."),
    "rate": Column("rate", "Share of the base that is earned, 0.06 for six percent."),
    "fiscal_year_start": Column("text", "Month and day on which the program's fiscal year begins, as 07-01."),
    "selects": Column("text", "Which lines a lever pays for, in words."),
    "pays": Column(
        "text", "What a lever pays, in words: rates, amounts and brackets, with the days on which they hold."
    ),
    "bounds": Column(
        "text",
        "What bounds a lever, in words: windows, what is counted together, minimums, stacks, caps, and what a ladder takes back; empty where nothing does.",
    ),
    "selects_de": Column("text", "What `selects` says, in German."),
    "pays_de": Column("text", "What `pays` says, in German."),
    "bounds_de": Column("text", "What `bounds` says, in German; empty where nothing bounds the lever."),
    "unit_amount": Column(
        "rate", "Amount of program currency that is paid by the unit, or the lump, where no rate is; empty otherwise."
    ),
    "position": Column(
        "measure", "What the lever had measured in the line's scope before it: program currency, or units."
    ),
    "baseline": Column(
        "measure", "What growth or attainment is compared with: program currency, or units; empty where nothing is."
    ),
    "held_since": Column("instant", "Reference time of the line that made the partner the holder, UTC."),
    "cell_from": Column("date", "First day of the period within which lines of one partner bear on one another."),
    "rule_part": Column("code", "What of a lever counts over several lines.", one_of=("scale", "minimum", "cap")),
    "cap_number": Column("count", "Place of the cap in its list, from 0; 0 for scales and minimums."),
    "scope": Column("text", "The lines that are counted together: first day of their period, and what `per` names."),
    "measure": Column("exact_measure", "What the scope has measured: program currency, or units."),
    "under_cap_minor": Column("money", "What is earned under the cap, in minor units of program currency."),
    "is_waiting": Column(
        "flag",
        "Whether something is still to come: what a cap keeps back until room appears, or the first line that fills a scale.",
    ),
    "last_at": Column("instant", "Reference time of the scope's last line, UTC."),
    "held_by": Column(
        "code",
        "What keeps the line from earning in full.",
        one_of=("exclusive_partner", "one_earning", "baseline", "minimum", "stack", "cap"),
    ),
    "rebate_share": Column("rate", "Share of an earning that is rebate."),
    "coop_share": Column("rate", "Share of an earning that is co-op."),
    "rule_version": Column("id", "First 12 hex digits of the SHA-256 of the program file that priced the line."),
    "is_illustrative": Column("flag", "Whether the rate is illustrative: no source states it."),
    "reference": Column("text", "Where the rule is documented."),
    "effective_from": Column("date", "First day on which the rule is in force."),
    "effective_to": Column("date", "First day on which it no longer is; empty while open."),
    # eligibility
    "criterion": Column(
        "code",
        "One condition of eligibility.",
        one_of=(
            "active_reseller",
            "active_agreement",
            "competency",
            "enrolment",
            "not_own_customer",
            "payee_profile",
            "same_country",
            "trailing_revenue",
        ),
    ),
    "criterion_number": Column(
        "count", "Place of the criterion in the program's list, from 1; one kind may stand twice."
    ),
    "status": Column("code", "Whether the criterion holds.", one_of=STATUSES),
    "eligibility": Column(
        "code", "The verdict over all criteria.", one_of=("eligible", "almost_eligible", "ineligible", "unknown")
    ),
    "is_earning": Column("flag", "Whether sales on these days earn."),
    "evidence": Column("text", "The fact that decided it: an agreement id, dates, a figure."),
    "reason_code": Column(
        "code", "Why a criterion does not hold or a claim does not count, in the style of Partner Center."
    ),
    "reason_codes": Column(
        "text", "Every reason against the line or partner, separated by commas; sums do not double."
    ),
    "reason": Column("text", "The reason in words."),
    "partner_can_act": Column("flag", "Whether the partner can do something about it."),
    "what_to_do": Column("text", "What the partner can do."),
    "earns_from": Column("date", "First day from which sales earn."),
    "earns_to": Column("date", "First day from which sales no longer earn; empty while open."),
    "valid_from": Column("date", "First day in force."),
    "valid_to": Column("date", "First day no longer in force; empty while open."),
    # decisions and earnings
    "decision": Column(
        "code", "What became of the line in the program.", one_of=("eligible", "ineligible", "undecided")
    ),
    "reference_on": Column("date", "UTC date that prices the line: its own, or that of the line which it reverses."),
    "earning_month": Column("month", "Month that the earning belongs to, as its first day."),
    "base_minor": Column("money", "What the rate multiplies, in minor units of `currency`."),
    "earning_minor": Column("money", "Rebate and co-op together, in minor units of `currency`."),
    "rebate_minor": Column("money", "The rebate part, in minor units of `currency`."),
    "coop_minor": Column("money", "The co-op part, in minor units of `currency`."),
    "program_currency": Column("currency", "ISO 4217 currency of the program."),
    "program_earning_minor": Column("money", "The earning in minor units of `program_currency`, rounded once."),
    "program_rebate_minor": Column("money", "The rebate part in minor units of `program_currency`."),
    "program_coop_minor": Column("money", "The co-op part in minor units of `program_currency`."),
    "entry_id": Column("id", "The ledger entry's UUID, derived from what it posts."),
    "run_id": Column("id", "The settle run that posted or wrote it."),
    "posted_on": Column("date", "Business day settled when the entry was posted."),
    "earning_type": Column("code", "Kind of money.", one_of=("rebate", "coop")),
    "cause": Column(
        "code",
        "Why the entry was posted.",
        one_of=(
            "new_line",
            "late_line",
            "corrected_line",
            "withdrawn_line",
            "refund",
            "reference_change",
            "fx_correction",
            "eligibility_gained",
            "eligibility_lost",
            "rule_change",
            "bracket_rise",
            "bracket_fall",
            "minimum_reached",
            "minimum_lost",
            "growth_gained",
            "growth_lost",
            "customer_won",
            "customer_lost",
            "stack_change",
            "cap_reached",
            "cap_freed",
            "split_change",
            "adjustment",
            "coop_converted",
            "forfeited",
            "escheated",
            "offset",
            "withheld",
            "paid",
            "payment_returned",
            "recalculation",  # of schema version 1: anything else
        ),
    ),
    "cause_detail": Column(
        "text", "What exactly changed: the criteria, the old and the new rule version, the adjustment's reason."
    ),
    "period": Column("month", "Accounting month that the entry is posted in, the first open one, as its first day."),
    "closed_on": Column("date", "Newest business day settled when the month was closed."),
    "closed_by": Column("text", "Who closed the month."),
    "adjustment_id": Column("id", "The declared adjustment that the entry posts."),
    "run_number": Column("count", "Runs in their order, from 1."),
    "entry_count": Column("count", "Ledger entries of the run, or that a rule edit would post."),
    "entries_hash": Column("id", "Content hash of the run's ledger entries."),
    "chain_head": Column("id", "SHA-256 over the run's entries hash and the chain head of the run before."),
    "edit_status": Column("code", "Whether a rule edit waits for approval.", one_of=("held", "approved")),
    "noted_on": Column("date", "Business day on which the rule edit was last counted."),
    "restated_from": Column("date", "First day whose lines the restatement repriced."),
    "written_by": Column("text", "Who wrote the rule edit or adjustment."),
    "approved_by": Column("text", "Who approved it; never who wrote it."),
    "adjustment_reason": Column(
        "code",
        "Why the adjustment was made: the adjustment reason codes of Partner Center (payout statement, 2021).",
        one_of=(
            "ar_compliance",
            "coop_rollover",
            "ops_adjustment",
            "ops_adjustment_incorrect_calculation",
            "ops_adjustment_incorrect_enrollment",
            "partner_association",
            "policy_exception",
            "prior_period_earnings",
        ),
    ),
    "note": Column("text", "What else is to be said."),
    "opening_minor": Column("money", "Owed when the month began, in minor units of `currency`."),
    "earned_minor": Column("money", "Posted for lines in the month, in minor units of `currency`."),
    "adjusted_minor": Column("money", "Posted by manual adjustments, in minor units of `currency`."),
    "paid_minor": Column("money", "Paid in the month, in minor units of `currency`."),
    "forfeited_minor": Column("money", "Forfeited, in minor units of `currency`."),
    "escheated_minor": Column("money", "Handed to the state as unclaimed in the month, in minor units of `currency`."),
    "closing_minor": Column("money", "Owed when the month ended, in minor units of `currency`."),
    "is_closed": Column("flag", "Whether the month takes no more entries."),
    "amount_minor": Column("money", "Posted difference in minor units of `currency`."),
    "program_amount_minor": Column("money", "Posted difference in minor units of `program_currency`."),
    "line_count": Column("count", "Distinct transactions counted."),
    # invitations
    "invited_on": Column("date", "Business day settled when the invitation became due; it holds from then on."),
    "is_enrolled": Column(
        "flag", "Whether sales earn as far as enrolment goes; empty where no enrolment data ever came."
    ),
    # what partners ask for, and the answers
    "request_id": Column("id", "One request of a partner."),
    "requested_at": Column("instant", "When the partner asked, UTC."),
    "requested_by": Column("text", "E-mail address of the user who asked.", personal=True),
    "request_kind": Column(
        "code",
        "What is asked for.",
        one_of=(
            "complete_set_up",
            "assign_role",
            "remove_role",
            "enrol",
            "certification",
            "payee_profile",
            "hold_payment",
            "release_payment",
            "coop_claim",
            "dispute",
            "payout",
            "association_claim",
        ),
    ),
    "subject": Column(
        "text",
        "What the request is about: a certification, the co-op claim, line or payment in dispute, the customer claimed.",
    ),
    "activity_type": Column(
        "code",
        "What co-op funds were spent on.",
        one_of=(
            "advertising",
            "conference",
            "customer_offer",
            "demo_units",
            "internal_incentive",
            "onsite_champ",
            "syndicated_content",
            "training",
        ),
    ),
    "requested_minor": Column("money", "What is claimed, in minor units of `currency`."),
    "occurred_on": Column("date", "Day of the activity that is claimed for."),
    "account_holder": Column("text", "Whom the bank account belongs to.", personal=True),
    "iban": Column("text", "International bank account number; it is in no release.", personal=True),
    "outcome": Column("code", "What became of the request.", one_of=("accepted", "refused")),
    "set_up_on": Column(
        "date", "Day on which the location's admin had completed the set-up; empty before: its data is not shown."
    ),
    "answered_on": Column("date", "Business day settled when the request was answered."),
    "review_id": Column("id", "One decision of a reviewer."),
    "reviewed_at": Column("instant", "When the reviewer decided, UTC."),
    "reviewed_by": Column("text", "Who decided."),
    "review_outcome": Column(
        "code",
        "What the reviewer decided.",
        one_of=("under_review", "action_required", "approved", "rejected"),
    ),
    "approved_minor": Column("money", "What is approved, in minor units of `currency`; empty: all that was asked for."),
    # co-op funds and claims
    "half_from": Column("date", "First day of the half year in which a fund's co-op is earned."),
    "half_to": Column("date", "First day after that half year; activities are paid for from then on."),
    "usage_to": Column("date", "First day on whose activities the fund no longer pays."),
    "claims_from": Column("date", "First day on which the fund can be claimed."),
    "claims_to": Column("date", "First day on which it no longer can; what is not claimed is forfeited."),
    "fund_stage": Column("code", "Where the half year stands.", one_of=("accruing", "ended", "claimable", "closed")),
    "accrued_minor": Column("money", "Co-op earned in the half year, in minor units of `currency`."),
    "converted_minor": Column("money", "Co-op that became rebate, in minor units of `currency`."),
    "claimed_minor": Column("money", "What claims take of the fund, in minor units of `currency`."),
    "pending_minor": Column("money", "What of it is claimed and not decided, in minor units of `currency`."),
    "open_minor": Column(
        "money",
        "What is left, below zero when it fell under its claims: accrued ± adjusted less converted, claimed, forfeited.",
    ),
    "coop_claim_status": Column(
        "code",
        "Where the claim stands.",
        one_of=("submitted", "under_review", "action_required", "approved", "rejected", "disputed"),
    ),
    # payments
    "payment_id": Column("id", "One payment; its end-to-end id in bank messages."),
    "batch_id": Column("id", "The batch that a payment was proposed and approved in."),
    "cycle_on": Column("date", "Day of the payment cycle: a batch pays what is due by then."),
    "cut_on": Column("date", "Newest day settled when the batch was worked out."),
    "proposed_by": Column("text", "Who had the batch worked out; never who approves it."),
    "payment_minor": Column("money", "What of the balance is paid, in minor units of `currency`."),
    "program_payment_minor": Column("money", "The same in minor units of `program_currency`."),
    "withheld_minor": Column("money", "Tax withheld of the payment, in minor units of `currency`."),
    "sales_tax_minor": Column("money", "Sales tax paid on top of the payment, in minor units of `currency`."),
    "payout_minor": Column(
        "money", "Payment less tax withheld plus sales tax: what reaches the bank, in minor units of `payout_currency`."
    ),
    "upcoming_minor": Column("money", "What is to be paid, in minor units of `currency`."),
    "program_upcoming_minor": Column("money", "The same in minor units of `program_currency`."),
    "due_on": Column(
        "date",
        "Day of the payment cycle in which it is expected: the next one for what is due and not paid. Empty for co-op, "
        "which is paid by claims, and for programs that pay nothing here.",
    ),
    "payment_status": Column(
        "code",
        "Where the payment stands, in Partner Center's terms (Payment statuses, October 2023); settled is ours.",
        one_of=(
            "upcoming",
            "rejected_during_review",
            "in_progress",
            "sent",
            "settled",
            "rejected",
            "reversed",
        ),
    ),
    "status_on": Column("date", "Since when the payment stands so."),
    "approval": Column("code", "What became of a proposed batch.", one_of=("approved", "rejected", "expired")),
    "batch_hash": Column("id", "SHA-256 over the batch's payments, which the approval is bound to."),
    "decided_by": Column("text", "Who decided on the batch; never who proposed it."),
    "decided_at": Column("instant", "When it was decided, UTC."),
    "message_id": Column("id", "One thing that the bank, or our sending, said of one payment."),
    "reported_status": Column(
        "code",
        "What became of a payment at the bank; a duplicate changes nothing.",
        one_of=("duplicate", "sent", "accepted", "settled", "rejected", "returned"),
    ),
    "bank_reason": Column("text", "Why, as the bank says: an ISO 20022 reason code."),
    "reported_at": Column("instant", "When it was reported, UTC."),
    "tax_kind": Column("code", "Which tax.", one_of=("withholding", "sales_tax")),
    "tax_rate": Column("rate", "Share of a payment to partners of the country."),
    "invoice_number": Column("id", "A partner's tax invoice, which one payment with sales tax uses up."),
    "invoiced_on": Column("date", "Day of the tax invoice."),
    "invoice_status": Column(
        "code", "Where the tax invoice stands.", one_of=("submitted", "under_review", "approved", "rejected")
    ),
    # deliveries and health
    "delivery_id": Column("id", "The delivery that brought the row."),
    "feed": Column("code", "Which feed a delivery belongs to."),
    "business_date": Column("date", "The day that a delivery is for."),
    "created_at": Column("instant", "When the delivery was made, UTC."),
    "file_name": Column("text", "File within the delivery."),
    "line_number": Column("count", "Line in the file, from 1; a header is line 1."),
    "known_from": Column("date", "First business day on which this version was known."),
    "known_to": Column("date", "First business day on which a newer version was known; empty while current."),
    "confirmed_on": Column("date", "Last business day for which the same content was delivered again."),
    "is_withdrawn": Column("flag", "Whether the row was absent from a later full or superseding delivery."),
    "original": Column("text", "The line as delivered.", personal=True),
    "rules_broken": Column("text", "Every rule that the row broke, separated by commas."),
    "rows_read": Column("count", "Rows in the files."),
    "rows_accepted": Column("count", "Rows taken in."),
    "rows_duplicate": Column("count", "Rows that said again what was known."),
    "rows_quarantined": Column("count", "Rows set aside with the rules that they broke."),
    "rows_corrected": Column("count", "Accepted rows that replaced an earlier version."),
    "rows_withdrawn": Column("count", "Known rows that a full or superseding delivery no longer holds."),
    "delivery_status": Column(
        "code", "What became of the delivery.", one_of=("accepted", "refused", "duplicate", "missing")
    ),
    "message": Column("text", "What to know or to do about it."),
    "mode": Column("code", "Whether a delivery holds the whole feed or what is new.", one_of=("snapshot", "delta")),
    "part": Column("count", "Number of this part of the day's delivery, from 1."),
    "parts": Column("count", "How many parts the day's delivery has."),
    "supersedes": Column("id", "The delivery that this one replaces."),
    "volume_accepted_by": Column("text", "Who accepted how much, or how little, the day holds."),
    "manifest_hash": Column("id", "SHA-256 of the manifest."),
    "read_amount": Column("amount", "Revenue read, in major units of `currency`."),
    "accepted_amount": Column("amount", "Revenue of accepted rows, in major units of `currency`."),
    "duplicate_amount": Column("amount", "Revenue of duplicate rows, in major units of `currency`."),
    "quarantined_amount": Column("amount", "Revenue of quarantined rows that could be read, in major units."),
    "quarantine_id": Column("id", "Names a quarantined row: delivery, file and line."),
    "row_key": Column("text", "The delivered key of the row, as far as it could be read."),
    "delivered": Column("text", "The row's delivered columns as JSON text.", personal=True),
    "released_by": Column("id", "The delivery that took the row in again after repair or approval."),
    "rules_hash": Column("id", "SHA-256 over the program files of the run."),
    "engine_version": Column("text", "Version of this software."),
    "deliveries": Column("text", "Ids of the deliveries that the run was the first to see, in order, as JSON."),
    "figure": Column("text", "What is counted: rows, or revenue in a currency."),
    "share_of_usual": Column("rate", "The day's figure over the median of the last seven same weekdays."),
    "is_volume_accepted": Column("flag", "Whether somebody has accepted the day's volume as it is."),
    "referring_column": Column("text", "The column that names something unknown."),
    "referred_id": Column("id", "The id that nothing brought or describes."),
    "age_days": Column("count", "Days between the settled day and the delivery that the data came from."),
}
