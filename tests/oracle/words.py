"""The words of a program file: what is done, and dated values read as of a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tests.oracle.lines import PERIODS

BASES = ("revenue", "quantity", "growth", "annualised_revenue", "fixed")
PREVIOUS = tuple(f"previous_{over}" for over in PERIODS)
MODES = ("flat", "marginal", "retroactive", "interpolated", "lump_sum", "cumulative_lump_sum")
LUMPS = ("lump_sum", "cumulative_lump_sum")
MEASURES = ("revenue", "quantity", "growth", "count", "attainment")


def refuse(program: dict) -> None:
    """ValueError naming the first word that is not done here."""
    if program["rounding"]["at"] not in ("line", "slice", "period"):
        raise ValueError(f"rounding at {program['rounding']['at']} is unknown")
    if program["rounding"]["mode"] not in ("half_even", "half_up", "truncate"):
        raise ValueError(f"rounding mode {program['rounding']['mode']} is unknown")
    if program.get("clawback") and program["clawback"].get("base", "net_earned") != "net_earned":
        raise ValueError(f"clawback base {program['clawback']['base']} is left out")
    for lever in program["levers"]:
        refuse_lever(lever)
    for cap in [cap for owner in [program, *program["levers"]] for cap in owner.get("cap") or []]:
        refuse_over("cap", cap.get("over"))
        if cap.get("excess") not in ("forfeit", "defer"):
            raise ValueError(f"cap excess {cap.get('excess')} is unknown")


def refuse_lever(lever: dict) -> None:
    """ValueError naming the first word of the lever that is not done here."""
    refuse_measure(lever)
    refuse_baseline(lever)
    if lever.get("window") and lever["window"]["from"] not in ("tenant_created", "first_purchase"):
        raise ValueError(f"window from {lever['window']['from']} is unknown")
    if mode_of(lever) not in MODES:
        raise ValueError(f"mode {mode_of(lever)} is unknown")
    if lever.get("stack") and lever["stack"]["take"] not in ("sum", "highest", "first", "most_specific"):
        raise ValueError(f"stack take {lever['stack']['take']} is unknown")
    if len({"rate" in entry for entry in entries(lever)}) > 1:
        raise ValueError("rates beside amounts in one scale are left out")
    if accumulation(lever)["over"] != "trailing_12_months":
        refuse_over("accumulate", accumulation(lever)["over"])
    elif mode_of(lever) in LUMPS:
        raise ValueError("lumps over trailing_12_months are refused")
    if lever.get("minimum"):
        refuse_over("minimum", lever["minimum"].get("over"))


def refuse_measure(lever: dict) -> None:
    """ValueError if the lever's measure or base is not done here."""
    if lever["measure"] not in MEASURES:
        raise ValueError(f"measure {lever['measure']} is unknown")
    if isinstance(lever.get("base"), dict) and lever["measure"] != "attainment":
        raise ValueError(f"base fixed for measure {lever['measure']} is left out: it has no share of a fixed sum")
    if base_word(lever) not in (*BASES, lever["measure"]):
        raise ValueError(f"base {lever['base']} is left out")
    if lever["measure"] == "count" and not accumulation(lever)["per"]:
        raise ValueError("count without columns in accumulate per is left out: there is nothing to count")


def refuse_baseline(lever: dict) -> None:
    """ValueError if growth or attainment has no baseline that is done here, or a minimum of other totals than it."""
    if not needs_baseline(lever):
        return
    if not lever.get("baseline"):
        raise ValueError("growth or attainment without baseline")
    rule, over = lever["baseline"], scope(lever)["over"]
    if baseline_word(lever) not in ("revenue", "quantity"):
        raise ValueError(f"baseline of {rule['of']} is left out")
    if "fixed" not in rule and (over not in ("transaction", *PERIODS) or rule["over"] not in PREVIOUS):
        raise ValueError(f"baseline over {rule['over']} of what accumulates over {over} is left out")
    if lever["measure"] == "attainment" and not is_of_scale(lever):
        raise ValueError("minimum of attainment over other totals than accumulate is refused")


def is_of_scale(lever: dict) -> bool:
    """Whether the minimum, if there is one, is of the totals that the scale is of."""
    least = {"per": [], **(lever.get("minimum") or scope(lever))}
    return (sorted(least["per"]), least["over"]) == (sorted(scope(lever)["per"]), scope(lever)["over"])


def refuse_over(word: str, over: object) -> None:
    """ValueError if no such period is done here."""
    if over not in ("transaction", "all", *PERIODS):
        raise ValueError(f"{word} over {over} is left out")


def number(value: object) -> Fraction:
    """The exact value of a number that was never a float."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        raise ValueError(f"{value!r} is no exact number")
    return Fraction(value)


def on_date(value: object, on: date) -> object:
    """A dated value as of a date, None where it does not exist; a plain value always holds."""
    if not isinstance(value, dict):
        return value
    held = None
    for start in sorted(value):
        if start <= on:
            held = value[start]
    return held


def number_on(value: object, on: date) -> Fraction | None:
    """A number that may be dated, as of a date."""
    held = on_date(value, on)
    return None if held is None else number(held)


def mode_of(lever: dict) -> str:
    """The mode of the lever's scale; one rate alone is a flat scale of one bracket."""
    return lever["scale"]["mode"] if lever.get("scale") else "flat"


def entries(lever: dict) -> list[dict]:
    """The brackets as the file has them."""
    if lever.get("scale"):
        return lever["scale"]["brackets"]
    return [{"threshold": 0, **{word: lever[word] for word in ("rate", "amount") if word in lever}}]


def first_unit(lever: dict) -> bool:
    """Whether thresholds name the first unit of their bracket."""
    return (lever.get("scale") or {}).get("units", "continuous") == "first_unit"


def higher(lever: dict) -> bool:
    """Whether a value equal to a threshold belongs to the bracket above it."""
    return (lever.get("scale") or {}).get("on_threshold", "higher") == "higher"


@dataclass(frozen=True)
class Bracket:
    """A bracket as it stands on a date; `start` is where it begins on a continuous scale."""

    number: int
    threshold: Fraction
    start: Fraction
    price: Fraction


def brackets_on(lever: dict, on: date) -> list[Bracket]:
    """The brackets that exist on a date, from the lowest."""
    found = []
    for position, entry in enumerate(entries(lever), start=1):
        threshold = number_on(entry["threshold"], on)
        paid = number_on(entry["rate"] if "rate" in entry else entry["amount"], on)
        if threshold is not None and paid is not None:
            start = threshold - 1 if first_unit(lever) and threshold > 0 else threshold
            found.append(Bracket(position, threshold, start, paid))
    return found


def base_word(lever: dict) -> str:
    """What the price multiplies: an amount quantity, a rate the base, which left out is the measure."""
    if mode_of(lever) in LUMPS or mode_of(lever) == "interpolated":
        return lever["measure"]
    if "amount" in entries(lever)[0]:
        return "quantity"
    return "fixed" if isinstance(lever.get("base"), dict) else lever.get("base", lever["measure"])


def needs_baseline(lever: dict) -> bool:
    """Whether the lever measures or pays growth or attainment."""
    return not {"growth", "attainment"}.isdisjoint({lever["measure"], base_word(lever)})


def baseline_word(lever: dict) -> str:
    """What growth and attainment are of."""
    return lever["baseline"].get("of", "revenue")


def is_money(lever: dict, word: str) -> bool:
    """Whether a measure or base is an amount of money."""
    return word in ("revenue", "annualised_revenue", "fixed") or (
        word == "growth" and baseline_word(lever) == "revenue"
    )


def accumulation(lever: dict) -> dict:
    """What the lever accumulates by, {per, over}; left out, each transaction for itself."""
    return {"per": [], "over": "transaction", **(lever.get("accumulate") or {})}


def scope(lever: dict) -> dict:
    """What tells the lever's totals apart, {per, over}: to count what `per` names, it is the partner's whole period."""
    return accumulation(lever) | ({"per": []} if lever["measure"] == "count" else {})
