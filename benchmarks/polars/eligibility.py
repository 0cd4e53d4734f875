"""Each criterion of each program for each partner on the day, with evidence, and the verdict."""

import polars as pl
from day import Day, collected, filled, seed
from polars import Expr, col, lit, when

ALWAYS = lit("1900-01-01").str.to_date()
ENROLLED = ("action_required", "validating_enrollment", "enrolled")


def eligibility(day: Day, added: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Criteria and standing; new invitations are stored."""
    shown = criteria(day)
    made, standing, invitations = collected(shown, verdicts(shown), invited(day))
    day.keep("derived.invitations", invitations)
    return {"criteria": made, "standing": standing}


def criteria(day: Day) -> pl.LazyFrame:
    """How each criterion stands for each partner, by the earliest fact that meets it."""
    rules, kind = seed("eligibility/rules"), col("kind")
    is_asked = kind.is_null() | (kind == col("program")) | col("any_of").str.split(" ").list.contains(kind)
    facts = rules.join(known_facts(day), on="criterion").filter(is_asked & (col("valid_from") <= day.date))
    earliest = facts.group_by("program", "criterion_number", "partner_id").agg(
        col("valid_from", "evidence").sort_by("valid_from", "evidence").first()
    )
    asked = rules.join(day.partners.select("partner_type", "partner_id"), on="partner_type")
    unmet = col("evidence").is_null()
    status = when(unmet).then(lit("unmet")).otherwise(lit("met"))
    return asked.join(earliest, on=("program", "criterion_number", "partner_id"), how="left").select(
        "program",
        "partner_id",
        "criterion_number",
        "criterion",
        status=when(col("reason_code").is_null()).then(lit("not_applicable")).otherwise(status),
        since="valid_from",
        evidence=pl.coalesce("evidence", "unmet"),
        reason_code=when(unmet).then("reason_code"),
    )


def verdicts(shown: pl.LazyFrame) -> pl.LazyFrame:
    """The verdict on each partner in each program."""
    unmet = (col("status") == "unmet").sum()
    short = when(unmet == 1).then(lit("almost_eligible")).otherwise(lit("ineligible"))
    return (
        shown.group_by("program", "partner_id")
        .agg(
            eligibility=when(unmet == 0).then(lit("eligible")).otherwise(short),
            reason_codes=col("reason_code").sort_by("criterion_number").str.join(","),
            earns_from=when(unmet == 0).then(col("since").max().dt.truncate("1mo")),
        )
        .with_columns(reason_codes=filled(col("reason_codes")))
    )


def invited(day: Day) -> pl.LazyFrame:
    """Resellers with a first sale who are not invited yet."""
    resellers = day.partners.filter(partner_type="indirect_reseller")
    sales = (
        day.stored("clean.transactions")
        .rename({"reseller_id": "partner_id"})
        .join(resellers, on="partner_id", how="semi")
    )
    first = sales.group_by("partner_id").agg(col("transaction_id").sort_by("transaction_at", "transaction_id").first())
    new = first.join(day.stored("derived.invitations"), on="partner_id", how="anti")
    return new.with_columns(program=lit("csp-indirect-reseller"), invited_on=day.date)


def known_facts(day: Day) -> pl.LazyFrame:
    """What is known of partners that a criterion may ask for, since when, and the evidence."""
    lasts = col("valid_to").is_null() | (col("valid_to") > day.date)
    agreements = day.stored("clean.agreements").filter((col("agreement_status") != "pending") & lasts)
    payees = day.stored("clean.payee_profiles").filter(bank_status="approved", tax_status="approved")
    enrolments = day.stored("clean.enrolments").filter(col("enrolment_status").is_in(ENROLLED))
    competencies = day.stored("clean.competencies").filter(lasts)
    signed, since, validated = pl.max_horizontal("signed_on", "valid_from"), col("valid_from"), col("validated_on")
    until = (" until " + text(col("valid_to"))).fill_null("")
    competency = col("competency") + " " + col("competency_level") + " from " + text(since) + until
    agreement = "agreement " + col("agreement_id") + " from " + text(signed) + until
    at_home = day.partners.filter(col("country") == col("tenant_country"))
    enrolment = col("enrolment_status") + " since " + text(since)
    return pl.concat((
        fact(day.partners.filter(reseller_status="active"), "active_reseller", ALWAYS, lit("status active")),
        fact(at_home, "same_country", ALWAYS, "both in " + col("country")),
        fact(agreements, "active_agreement", signed, agreement, col("agreement_type")),
        fact(competencies, "competency", since, competency),
        fact(payees, "payee_profile", validated, "bank and tax profiles approved on " + text(validated)),
        fact(enrolments, "enrolment", since, enrolment, col("program")),
    ))  # fmt: skip


def fact(of: pl.LazyFrame, criterion: str, since: Expr, evidence: Expr, kind: Expr | None = None) -> pl.LazyFrame:
    """Facts of one sort."""
    kind = lit(None, pl.String) if kind is None else kind
    return of.select("partner_id", criterion=lit(criterion), kind=kind, valid_from=since, evidence=evidence)


def text(day: Expr) -> Expr:
    """A date as text."""
    return day.cast(pl.String)
