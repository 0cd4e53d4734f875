"""Made-up partners and all that is known of them, as text in the shape of the delivered feeds.

Every table is on its day; `changed` gives those of a later day, with a few changes.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
from numpy.random import Generator
from schwifty import IBAN

PRODUCTS = Path(__file__).with_name("sample_products.csv")
PROGRAMS = {
    "indirect_reseller": "csp-indirect-reseller",
    "direct_bill": "csp-direct-bill",
    "indirect_provider": "csp-indirect-provider",
}
# country: weight, currency, tax in tenths of a percent, endings of company names
COUNTRIES = {
    "US": (30, "USD", 0, ("Inc.", "LLC", "Corp.")),
    "DE": (13, "EUR", 190, ("GmbH", "AG", "GmbH & Co. KG")),
    "GB": (12, "GBP", 200, ("Ltd", "plc")),
    "JP": (8, "JPY", 100, ("K.K.", "G.K.")),
    "FR": (7, "EUR", 200, ("SAS", "SARL")),
    "CA": (6, "CAD", 50, ("Inc.", "Ltd.")),
    "IN": (5, "INR", 180, ("Pvt. Ltd.", "Ltd.")),
    "BR": (4, "BRL", 0, ("Ltda.", "S.A.")),
    "CH": (4, "CHF", 77, ("AG", "GmbH", "Sàrl")),
    "KW": (3, "KWD", 0, ("W.L.L.", "K.S.C.")),
    "NL": (3, "EUR", 210, ("B.V.", "N.V.")),
    "SE": (3, "SEK", 250, ("AB",)),
    "AU": (2, "AUD", 100, ("Pty Ltd",)),
}
CODES = np.array(list(COUNTRIES))
WITH_IBAN = ("BR", "CH", "DE", "FR", "GB", "NL", "SE")  # where the sample's accounts have an international number
CURRENCIES = tuple(sorted({currency for _, currency, _, _ in COUNTRIES.values()}))
COMPETENCIES = (
    "cloud_productivity",
    "cloud_platform",
    "small_and_midmarket_cloud_solutions",
    "windows_and_devices",
    "enterprise_mobility_management",
    "data_analytics",
    "data_platform",
    "cloud_business_applications",
)
FIRST_WORDS = (
    "Alder Amber Aurora Birch Blau Brook Cedar Cobalt Copper Coral Crest Delta Dune Elm Falcon Fjord Garnet Granite "
    "Harbor Heron Indigo Juniper Kestrel Lark Lumen Maple Meridian Müller Nimbus North Oak Onyx Orchid Pine Quartz "
    "Raven River Saffron São Sierra Silver Sole Stone Summit Tamar Tidal Umbra Vega Verde Willow Zürich Ōmi"
)
SECOND_WORDS = (
    "Analytics Bakery Business Care Cloud Clinics Components Consulting Data Dental Design Digital Energy Engineering "
    "Foods Freight Gardens Glass Hotels Insurance Labs Legal Logistics Marine Media Metals Motors Networks Optics "
    "Paper Partners Pharma Printing Retail Robotics Schools Software Solutions Systems Technologies Textiles Tools "
    "Transport Works"
)
GIVEN_NAMES = (
    "Aiko Amira Anna Bruno Carla Chen Dana David Elena Emil Fatima Grace Hanna Ivan Jonas Julia Kenji Lara Luis Maria "
    "Mei Noah Olga Omar Paul Priya Rafael Ravi Sara Sofia Tariq Tom Yuki Zoë"
)
FAMILY_NAMES = (
    "Almeida Anders Becker Costa Dubois Evans Fischer Garcia Haddad Ito Jensen Khan Lindqvist Martin Meier Nakamura "
    "Novak Okafor Patel Rossi Sato Schmidt Silva Singh Smith Tanaka Torres Weber Wong Yilmaz"
)


def guids(random: Generator, count: int) -> np.ndarray:
    """Version 4 GUIDs, as lower-case text."""
    raw = random.integers(0, 256, (count, 16), dtype=np.uint8)
    raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.full((count, 36), ord("-"), np.uint8)
    places = [p for p in range(36) if p not in (8, 13, 18, 23)]
    text[:, places] = digits[np.stack([raw >> 4, raw & 15], axis=2).reshape(count, 32)]
    return text.reshape(-1).view("S36").astype("U36")


def one_of(random: Generator, count: int, shares: dict[str, float]) -> np.ndarray:
    """Values drawn by their shares."""
    weights = np.array(list(shares.values()))
    return np.array(list(shares))[random.choice(len(shares), count, p=weights / weights.sum())]


def days_before(random: Generator, day: date, low: int, high: int, count: int) -> np.ndarray:
    """Days that lie at least `low` and less than `high` days before a day, as text."""
    return (np.datetime64(day) - random.integers(low, high, count)).astype(str)


def _only(days: np.ndarray, condition: np.ndarray) -> pd.Series:
    """Days where a condition holds, empty elsewhere."""
    return pd.Series(days, dtype="str").where(condition)


def company_names(random: Generator, countries: np.ndarray) -> np.ndarray:
    """Names of companies that do not exist, with the endings that their countries use."""
    count = len(countries)
    first, second = random.choice(FIRST_WORDS.split(), count), random.choice(SECOND_WORDS.split(), count)
    endings = np.empty(count, object)
    for country, (_, _, _, choices) in COUNTRIES.items():
        here = countries == country
        endings[here] = random.choice(choices, int(here.sum()))
    comma = np.where((endings == "Inc.") & (random.random(count) < 0.5), ",", "")
    return first.astype(object) + " " + second.astype(object) + comma + " " + endings


def partners(random: Generator, count: int) -> pd.DataFrame:
    """Partner locations: mostly indirect resellers, some of them locations of one organisation."""
    few = {kind: max(2, round(count * share)) for kind, share in (("direct_bill", 0.09), ("indirect_provider", 0.06))}
    types = np.repeat([*few, "indirect_reseller"], [*few.values(), max(2, count - sum(few.values()))])
    count, types = len(types), random.permutation(types)
    numbers = 1_000_000 + (np.arange(2 * count) * 7919 + random.integers(9_000_000)) % 9_000_000
    weights = {country: float(weight) for country, (weight, *_) in COUNTRIES.items()}
    countries = one_of(random, count, weights)
    organisation = np.where(random.random(count) < 0.1, random.integers(0, count, count), np.arange(count))
    elsewhere = (random.random(count) < 0.03) & (types == "indirect_reseller")
    tenant = np.where(elsewhere, np.where(countries == "US", "CA", "US"), countries)
    status = one_of(random, count, {"active": 0.965, "suspended": 0.025, "inactive": 0.01})
    return pd.DataFrame(
        {
            "partner_id": numbers[:count].astype(str),
            "global_partner_id": numbers[count + organisation].astype(str),
            "partner_name": company_names(random, countries),
            "country": countries,
            "tenant_id": guids(random, count),
            "tenant_country": tenant,
            "partner_type": types,
            "reseller_status": np.where(types == "indirect_reseller", status, "active"),
        }
    )


def agreements(random: Generator, partners: pd.DataFrame, day: date) -> pd.DataFrame:
    """A partner network agreement for nearly every partner, and the agreement that its way of selling asks for."""
    shares = {"active": 0.92, "expired": 0.025, "terminated": 0.015, "pending": 0.02, "none": 0.02}
    network = partners.assign(agreement_type="mpn", agreement_status=one_of(random, len(partners), shares)).query(
        "agreement_status != 'none'"
    )
    own = {"direct_bill": "reseller", "indirect_provider": "cloud_distributor"}
    selling = partners[partners["partner_type"].isin(list(own))].assign(
        agreement_type=lambda row: row["partner_type"].map(own), agreement_status="active"
    )
    both = pd.concat([network, selling], ignore_index=True)
    signed = days_before(random, day, 500, 2000, len(both))
    ended = both["agreement_status"].isin(["expired", "terminated"]).to_numpy()
    later = days_before(random, day, -700, 0, len(both))
    open_end = _only(later, random.random(len(both)) < 0.3)
    ends = open_end.mask(ended, pd.Series(days_before(random, day, 1, 400, len(both)), dtype="str"))
    return pd.DataFrame(
        {
            "agreement_id": "A-" + both["partner_id"] + "-" + both["agreement_type"].str[:3].str.upper(),
            "partner_id": both["partner_id"],
            "agreement_type": both["agreement_type"],
            "agreement_status": both["agreement_status"],
            "signed_on": signed,
            "valid_from": signed,
            "valid_to": ends,
        }
    )


def competencies(random: Generator, partners: pd.DataFrame, day: date) -> pd.DataFrame:
    """A silver or gold competency for most partners, ended for a few, and a second one for every fourth."""
    held = partners[random.random(len(partners)) < 0.94]
    first = random.integers(0, len(COMPETENCIES), len(held))
    is_second = random.random(len(held)) < 0.25
    numbers = np.concatenate([first, (first[is_second] + 1) % len(COMPETENCIES)])
    count = len(numbers)
    ended = random.random(count) < 0.05
    return pd.DataFrame(
        {
            "partner_id": np.concatenate([held["partner_id"], held["partner_id"][is_second]]),
            "competency": np.array(COMPETENCIES)[numbers],
            "competency_level": one_of(random, count, {"silver": 0.6, "gold": 0.4}),
            "valid_from": days_before(random, day, 400, 1500, count),
            "valid_to": _only(days_before(random, day, 1, 300, count), ended),
        }
    )


def enrolments(random: Generator, partners: pd.DataFrame, day: date) -> pd.DataFrame:
    """Each partner's enrolment in the program of its type; some resellers have none until they are invited."""
    count = len(partners)
    reseller = (partners["partner_type"] == "indirect_reseller").to_numpy()
    states = one_of(random, count, {"enrolled": 0.82, "invited": 0.08, "action_required": 0.02, "none": 0.08})
    steady = one_of(random, count, {"enrolled": 0.97, "validating_enrollment": 0.03})
    states = np.where(reseller, states, steady)
    recent = days_before(random, day, 2, 28, count)
    return pd.DataFrame(
        {
            "partner_id": partners["partner_id"],
            "program": partners["partner_type"].map(PROGRAMS),
            "enrolment_status": states,
            "valid_from": np.where(states == "enrolled", days_before(random, day, 400, 1500, count), recent),
            "valid_to": pd.Series([None] * count, dtype="str"),
        }
    ).query("enrolment_status != 'none'")


def payee_profiles(random: Generator, partners: pd.DataFrame, day: date) -> pd.DataFrame:
    """How partners are paid: nearly all approved, the others pending or missing."""
    count = len(partners)
    shares = {"approved": 0.93, "pending_validation": 0.03, "action_required": 0.01, "missing": 0.03}
    bank, tax = one_of(random, count, shares), np.array(["approved"] * count, object)
    same = random.random(count) < 0.5
    tax[same] = bank[same]
    approved = (bank == "approved") & (tax == "approved")
    currency = {country: money for country, (_, money, _, _) in COUNTRIES.items()}
    return pd.DataFrame(
        {
            "partner_id": partners["partner_id"],
            "bank_status": bank,
            "tax_status": tax,
            "payout_currency": partners["country"].map(currency),
            "validated_on": _only(days_before(random, day, 380, 1200, count), approved),
        }
    )


def claims(random: Generator, partners: pd.DataFrame, customers: pd.DataFrame, day: date) -> pd.DataFrame:
    """Claims of any partner to a workload of every twentieth customer, most of them approved, some twice claimed."""
    count = max(4, len(customers) // 20)
    shares = {"approved": 0.7, "under_review": 0.15, "submitted": 0.05, "rejected": 0.07, "opted_out": 0.03}
    status = np.append(one_of(random, count - 1, shares), "under_review")
    approved = np.isin(status, ["approved", "opted_out"])
    workloads = {"azure": 0.4, "dynamics365": 0.3, "microsoft365": 0.2, "power_platform": 0.1}
    return pd.DataFrame(
        {
            "claim_id": "K-" + pd.Series(np.arange(1, count + 1)).astype("str").str.zfill(6),
            "partner_id": random.choice(partners["partner_id"], count),
            "customer_id": random.choice(customers["customer_id"], count),
            "product_family": one_of(random, count, workloads),
            "association": one_of(random, count, {"cpor": 0.7, "pal_owner": 0.2, "pal_contributor": 0.1}),
            "claim_status": status,
            "approved_on": _only(days_before(random, day, 8, 500, count), approved),
            "valid_from": days_before(random, day, 8, 600, count),
            "valid_to": _only(days_before(random, day, -300, 0, count), random.random(count) < 0.1),
        }
    )


def users(random: Generator, partners: pd.DataFrame) -> pd.DataFrame:
    """An administrator for each partner in all programs, and for every other one a user in its own program."""
    program = partners["partner_type"].map(PROGRAMS)
    admins = pd.DataFrame({"partner_id": partners["partner_id"], "role": "incentives_admin", "program": "*"})
    plain = pd.DataFrame({"partner_id": partners["partner_id"], "role": "incentives_user", "program": program})
    both = pd.concat([admins, plain[random.random(len(plain)) < 0.5]], ignore_index=True)
    given = random.choice(GIVEN_NAMES.split(), len(both)).astype(object)
    family = random.choice(FAMILY_NAMES.split(), len(both)).astype(object)
    mailbox = pd.Series(given + "." + family).str.lower().str.replace("ë", "e")
    return pd.DataFrame(
        {
            "user_email": mailbox + both.index.astype(str) + "@p" + both["partner_id"] + ".example",
            "user_name": given + " " + family,
            "role": both["role"],
            "partner_id": both["partner_id"],
            "program": both["program"],
        }
    )


def partner_requests(
    random: Generator, users: pd.DataFrame, partners: pd.DataFrame, enrolments: pd.DataFrame, day: date
) -> pd.DataFrame:
    """Most admins have completed the set-up and, where there are IBANs, named an account; some enrol; a few ask who may not."""
    asks = users.assign(share=random.random(len(users)))
    by_admin = (asks["role"] == "incentives_admin") & (asks["share"] < 0.9)
    by_user = (asks["role"] == "incentives_user") & (asks["share"] < 0.02)
    asked = asks[by_admin | by_user].reset_index(drop=True)
    set_up = pd.DataFrame(
        {
            "request_id": "set-up-" + asked["partner_id"] + "-" + asked["role"].str.removeprefix("incentives_"),
            "requested_at": f"{day}T08:00:00Z",
            "requested_by": asked["user_email"],
            "partner_id": asked["partner_id"],
            "program": "*",
            "request_kind": "complete_set_up",
        }
    )
    named = asks[by_admin].merge(partners[["partner_id", "partner_name", "country"]], on="partner_id")
    named = named[named["country"].isin(WITH_IBAN)].reset_index(drop=True)
    numbers = Random(int(random.integers(2**31)))
    accounts = pd.DataFrame(
        {
            "request_id": "account-" + named["partner_id"],
            "requested_at": f"{day}T08:30:00Z",
            "requested_by": named["user_email"],
            "partner_id": named["partner_id"],
            "program": "*",
            "request_kind": "payee_profile",
            "account_holder": named["partner_name"],
            "iban": [IBAN.random(country_code=country, random=numbers).compact for country in named["country"]],
            "payout_currency": named["country"].map({country: COUNTRIES[country][1] for country in WITH_IBAN}),
        }
    )
    invited = enrolments.loc[enrolments["enrolment_status"] == "invited", ["partner_id", "program"]]
    taken_up = asks[by_admin & (asks["share"] < 0.5)].drop(columns="program").merge(invited, on="partner_id")
    enrolling = pd.DataFrame(
        {
            "request_id": "enrol-" + taken_up["partner_id"],
            "requested_at": f"{day}T09:00:00Z",
            "requested_by": taken_up["user_email"],
            "partner_id": taken_up["partner_id"],
            "program": taken_up["program"],
            "request_kind": "enrol",
        }
    )
    return pd.concat([set_up, accounts, enrolling], ignore_index=True).fillna("")


def price_list() -> pd.DataFrame:
    """The products with price and weight, everything as text."""
    return pd.read_csv(PRODUCTS, dtype=str, keep_default_na=False)


def changed(name: str, rows: pd.DataFrame, day: date, random: Generator) -> pd.DataFrame:
    """A feed's rows as they are on a later day, a few of them changed."""
    return CHANGES[name](rows.reset_index(drop=True), random, day) if name in CHANGES else rows


def differences(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The rows that are new or not as they were."""
    marked = after.merge(before.drop_duplicates(), how="left", on=list(after.columns), indicator=True)
    return marked[marked["_merge"] == "left_only"].drop(columns="_merge")


def _some(random: Generator, rows: pd.DataFrame, condition: str) -> pd.Index:
    """Which rows to change: one in a hundred of those that fulfil a condition, and one at least."""
    able = rows.query(condition)
    return able.index[random.permutation(len(able))[: max(1, len(able) // 100)]]


def _partners_later(rows: pd.DataFrame, random: Generator, day: date) -> pd.DataFrame:
    rows = rows.copy()
    rows.loc[_some(random, rows, "reseller_status == 'suspended'"), "reseller_status"] = "active"
    rows.loc[
        _some(random, rows, "reseller_status == 'active' and partner_type == 'indirect_reseller'"), "reseller_status"
    ] = "suspended"
    return rows


def _agreements_later(rows: pd.DataFrame, random: Generator, day: date) -> pd.DataFrame:
    rows = rows.copy()
    signed = _some(random, rows, "agreement_status == 'pending'")
    rows.loc[signed, ["agreement_status", "signed_on", "valid_from"]] = ["active", str(day), str(day)]
    rows.loc[signed, "valid_to"] = pd.NA
    ended = _some(random, rows, f"agreement_status == 'active' and agreement_type == 'mpn' and valid_from < '{day}'")
    rows.loc[ended[:20], ["agreement_status", "valid_to"]] = ["terminated", str(day)]
    return rows


def _competencies_later(rows: pd.DataFrame, random: Generator, day: date) -> pd.DataFrame:
    rows = rows.copy()
    ended = _some(random, rows, "valid_to.isna() and competency_level == 'silver'")
    rows.loc[ended, "valid_to"] = str(day)
    raised = rows.loc[ended].assign(competency_level="gold", valid_from=str(day), valid_to=None)
    return pd.concat([rows, raised.astype(rows.dtypes)], ignore_index=True)


def _enrolments_later(rows: pd.DataFrame, random: Generator, day: date) -> pd.DataFrame:
    rows = rows.copy()
    invited = _some(random, rows, "enrolment_status == 'invited' and valid_to.isna()")
    rows.loc[invited, "valid_to"] = str(day)
    enrolled = rows.loc[invited].assign(enrolment_status="enrolled", valid_from=str(day), valid_to=None)
    return pd.concat([rows, enrolled.astype(rows.dtypes)], ignore_index=True)


def _payee_profiles_later(rows: pd.DataFrame, random: Generator, day: date) -> pd.DataFrame:
    rows = rows.copy()
    approved = _some(random, rows, "validated_on.isna()")
    rows.loc[approved, ["bank_status", "tax_status", "validated_on"]] = ["approved", "approved", str(day)]
    return rows


def _customers_later(rows: pd.DataFrame, random: Generator, day: date) -> pd.DataFrame:
    rows = rows.copy()
    renamed = _some(random, rows, "customer_segment == 'commercial'")
    rows.loc[renamed, "customer_name"] = company_names(random, rows.loc[renamed, "country"].to_numpy(str))
    return rows


def _claims_later(rows: pd.DataFrame, random: Generator, day: date) -> pd.DataFrame:
    rows = rows.copy()
    reviewed = rows.index[rows["claim_status"] == "under_review"][:1]
    rows.loc[reviewed, ["claim_status", "approved_on"]] = ["approved", str(day)]
    return rows


CHANGES: dict[str, Callable[[pd.DataFrame, Generator, date], pd.DataFrame]] = {
    "partners": _partners_later,
    "agreements": _agreements_later,
    "competencies": _competencies_later,
    "enrolments": _enrolments_later,
    "payee_profiles": _payee_profiles_later,
    "customers": _customers_later,
    "claims": _claims_later,
}
