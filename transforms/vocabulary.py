"""The words that deliveries may use in the columns that rules name, for the contracts and for rule files.

Any other word is set aside when it is delivered, so that a rule which names it would be matched by nothing. Beside them
are words of our own that several layers ask for.
"""

from collections.abc import Iterable

import iso4217

WORDS: dict[str, tuple[str, ...]] = {
    "agreement_type": ("mpn", "cloud_distributor", "reseller", "mpa"),
    "association": ("reseller", "pal_owner", "pal_contributor", "pal_reader", "tpor", "dpor", "cpor"),
    "charge_type": (
        "new",
        "renew",
        "cycle_charge",
        "add_quantity",
        "remove_quantity",
        "move_quantity",
        "cancel_immediate",
        "lapse",
        "withdrawal",
        "convert",
        "change_billing_plan",
        "customer_credit",
        "extend_term",
        "refund",
        "usage",
    ),
    "competency": (
        "cloud_business_applications",
        "cloud_crm",
        "cloud_platform",
        "cloud_productivity",
        "data_analytics",
        "data_platform",
        "enterprise_mobility_management",
        "enterprise_resource_planning",
        "small_and_midmarket_cloud_solutions",
        "windows_and_devices",
        "application_development",
    ),
    "competency_level": ("silver", "gold"),
    "customer_segment": ("commercial", "education", "nonprofit", "government"),
    "product_segment": ("commercial", "education", "nonprofit", "government"),
    "term": ("P1M", "P1Y", "P3Y", "none"),
}
EXPONENTS = {  # how many decimals a currency has, of those of ISO 4217 in trade; those with four are units of account
    known.code: known.exponent for known in iso4217.Currency if known.exponent is not None and known.exponent <= 3
}
FREED = ("rejected_during_review", "rejected", "reversed")  # payment statuses: the balance is to be paid again


def unknown(column: str, named: Iterable[str]) -> list[str]:
    """Those of some words that no delivery may use in a column; none where it is free.

    >>> unknown("term", ["P1Y", "1Y"]), unknown("product_family", ["azure"])
    (['1Y'], [])
    """
    return sorted(set(named) - set(WORDS[column])) if column in WORDS else []


def remedy_of(column: str) -> str:
    """What to do about a word that no delivery may use in a column."""
    return f"no delivery says that in {column}; name some of {', '.join(WORDS[column])}"
