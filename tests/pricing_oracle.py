"""What the lines of a program earn, in plain fractions and loops, from the words of the program language alone.

It shares nothing with the engine, so that the two can be held against each other. Everything is recomputed from all
lines each time; the steps are in tests/oracle. ValueError names what it does not do: base fixed beside another measure
than attainment; a minimum of growth or attainment over other totals than accumulate; minimum and cap over
trailing_12_months; a previous period over `all` or trailing_12_months; rates beside amounts in one scale.

Where the specification leaves room, this is what was read, and from which words:

Lines
 1. A refund is judged as its original is: select, eligibility, partner, customer, currency. "takes the original's date,
    rule version and FX"
 2. Undecided is a lever's: another lever that matches still earns, and in `first` an undecided lever does not select.
    "matches neither the value nor its `not`"
 3. Minimum, scale and cap see what the line itself has: ineligible, unselected and ineffective lines fill nothing.
    "earner → select → eligibility → … → minimum → scale"
 4. None stated: revenue and quantity of the refund are both zero. Only one stated: the other one is zero, not the rest.
    "with none stated, the whole rest"
 5. Several refunds stand by `on`, then id; `at` does not count. "several: own date, id"
 6. The kind of a refund is its attribute `kind`; rungs of that kind, where there are any, stand instead of those without
    a kind. No rung from that month on: in full. "without it a refund takes back in full"
 7. Completed months compare days of the month: 31 January to 28 February is none. Before the original: none.
 8. Over transaction, the original and its refunds are one period. "takes its measure out of the original's period"

Scale
 9. Thresholds and rates are those of each line's own date, in retroactive too. "Its reference date picks …"
10. A bracket whose threshold, rate or amount does not exist on a date is not there on it; numbers count in the file.
11. The first bracket continues below zero if it starts at 0 (first_unit: at 0 or 1). Between zero and a higher first
    threshold, and below zero then, nothing is earned. "below zero the first bracket continues"
12. A line of zero measure takes the bracket of the running total whole, in marginal with continuous units too.
13. Amounts and lumps are in program currency, and quantity × rate is; in the transaction's currency: divided by its FX.
14. Lumps: the line that reaches a bracket carries + its lump, one that leaves it − that lump, each on the row of that
    bracket; so in lump_sum, going up, the line also carries − the lower lump. A bracket is reached by the first line that
    finds its total at the threshold of the line's own date, crossed by it or not, and left by one of a negative measure
    that finds it below; until then a lump stands, whatever becomes of its threshold, and keeps the amount of the date on which
    it was reached. A threshold of 0 is reached at 0 with `lower` too. "each reached … booked on the line that crosses",
    "a lump at 0 is booked on the period's first line", "only falling below a threshold takes back"
15. Over `all`, the last value of a dated minimum. "the value on its last day"
16. slice: in each currency on its own, base slice and result are rounded; quantities, interpolated amounts and lumps have no
    money as base, only the result is rounded.

Stack
17. `highest` looks at exact sums of a line's rows in program currency before cap; a tie goes to the first in the file.
    Lines fill the scale of levers that are not taken. `first` counts effective levers that select, minimum reached or not.
    "the first lever that selects, whatever it earns"
27. `most_specific` counts the same levers. The number of keys decides, `not` and lists each being one; between as many keys,
    product_id before product_family before product_segment; other columns (customer_segment) are no part of that order; then
    the first in the file. "by number of selecting keys, product before family before segment"

Cap
18. Caps of the lever come before those of the program. Rows of a line: negative ones first, then levers in file order, lower
    brackets first. Of several caps each keeps its own excess, and what any has left counts the rows as posted in the end.
    A row asks for its rounded figure. "in list order", "what is left = cap − rounded rows"
19. Room is looked at when a line of the same cap comes (selected, eligible, taken in its stack, minimum reached): value on
    that line's date; excess waiting is paid before that line, and once more after it and after each of its refunds.
    "takes its value on the line's date", "oldest first"
20. Deferred excess is paid on its own line's row, and counts in the period of the line that finds the room. "queued, first in
    first out, paid as room appears"
21. All rows of the cap period count, those before the cap's first date too; on a date without an amount there is no limit.
22. A refund takes the same part (share × fraction) of the row's waiting excess with it; otherwise what it frees would
    pay the excess of the sale that was refunded.

Refunds
23. In each currency, from what is posted in that currency at the refund's place in the sequence. "posted remainder"
24. Base not yet refunded is zero: fraction 1. More than the rest: fraction 1, the measure goes out as stated. "at most 1"
52. Its split is by how much it moves the split of what is left of its sale's row, lumps it brings counted with it.
    "The split is taken from totals, never from a difference"
25. A minimum lost by a refund takes all back, whatever the ladder says. "lost again: taken back"
26. Lumps: falling below takes the row's posted remainder whole. "fraction and ladder do not apply"

Customers
28. A purchase is a line that is neither a refund nor a credit (a line of its own with a negative figure); a purchase of
    nothing, or one refunded in full, is still one. "first_purchase"
29. The window is [start, start + months): the start day is in, the same day so many months later is out; where that month
    lacks the day, its last day is out. "Periods are half open"
30. first_purchase is the customer's earliest purchase in all lines, of any partner and product, eligible or not; with
    tenant_created the line's tenant_created_on. Neither known: the line is undecided in this lever, earns nothing and fills
    nothing. A lever does not select a line outside its window, or whose window is not known, in a stack. "undecided,
    listed, and earns nothing until known"
31. "The first partner to earn" is that of the first purchase which earns: selected, effective, eligible, in the window and
    above its partner's minimum, for which each partner counts as if it kept the customer, and of more than nothing of what
    the lever pays on: units where it pays amounts or by quantity, else revenue. What the scale, stack or cap pay,
    and whether it is refunded later (unless the minimum is lost by it) does not count. Lines of other partners earn nothing
    and fill nothing in this lever. Where nobody has earned, all pass. "the first partner to earn keeps the customer"
32. One earning is that of one accumulation period (of a transaction: one line, with its refunds) for each value named, over
    all partners and all time: of the partner that earns first, as in 31, its first period with a purchase above its minimum.
    Nothing else earns; a period below its minimum has not earned and takes nothing from later ones; one that is refunded
    has. Minimums count the lines of all periods. "one earning ever"; "accumulate is always per partner and lever"

Measures
33. count counts the distinct values of accumulate's `per` among the partner's lines of the period, and so its total is the
    partner's period, whatever `per` names; without `per` it is refused. A purchase adds 1 if none before it in the period
    has its values, else 0; a line that lacks one of them, and a credit, add 0. A minimum counts the same values in its own
    period. "count = distinct values of what `per` names"
34. The refund after which nothing is left of the line's revenue (of its quantity, where it has no revenue) takes the 1 out,
    and the next purchase with the values brings them; a refund of less takes none out. "takes its measure out"
35. Base left out, a rate multiplies the 1 or 0, in program currency. "left out = the measure"
36. Growth of a period starts at 0; each line and each refund, at its place, adds by how much it moves
    max(0, running − baseline), so that what a refund takes out is growth too. The scale runs over growth; with another base,
    a line that adds no growth takes the running bracket like any line of zero measure, below the baseline too.
    "pays on max(0, running − baseline)", "a line of zero measure takes its running bracket"
37. growth and attainment are of baseline's `of`; with `fixed` and no `of`, of revenue in program currency.
38. The period before is the one of its kind before that which holds the first day of the accumulation period (of a
    transaction: its date), so that a period has one baseline; over `all` it is refused. Its total has the same partner and
    the scope's columns, and all lines on which the lever's keys match: refunds out, credits in; eligible or not, in force,
    in the window, above the minimum or not. Below zero it counts as 0: nobody grows by more than was sold. "total of the previous period", "same lever selection"
39. A period is held in full if its first day is not before held_from; without lines its total is 0. `fixed` takes the value
    on the last day of the accumulation period. No value: undecided; a baseline of 0 or less: attainment is undecided,
    growth is not. Such lines do not earn, so they keep no customer and fill no minimum. "is undecided, not 0"
40. A minimum of growth or attainment is over the same totals as accumulate; any other is refused. Base growth beside another
    measure leaves the minimum with the measure. "minimum: {measure: …}"
41. Attainment left out as base: a rate multiplies the share itself, in program currency.

Base
42. annualised_revenue: revenue × 12 ÷ the line's term_months, the months that its revenue pays for (a month billed: 1, a
    year billed: 12); a refund's by its original's. A line without term_months, or with 0, is undecided, as by a baseline.
43. {fixed: F} is in program currency and only for attainment: a line's base is F × the share it attains, so that in marginal
    each bracket pays F × its rate × what is attained in it (100,000 × 1.0 + 0.3 × 100,000 × 1.5 = 145,000), and in
    retroactive F × the whole attainment × the rate reached. For other measures it is refused: nothing says how much of F
    one of several lines is. "what the rate multiplies"
44. Base of revenue, annualised_revenue, fixed, or of growth of revenue is money: `slice` rounds its slices (see 16).
45. An amount multiplies quantity, lumps and interpolated have no base: there, base says nothing.

Trailing
46. A line is priced as the last of a period that holds the lines of (its date − 12 months, its date] which stand before it
    in the sequence, and itself, with their refunds; a month that lacks the day ends with its last day. A line of the same
    day with a later time or id is not in it, in retroactive too; a refund, which stands at its original's place, changes
    the later lines. "own window", "later lines never reprice earlier ones"
47. Growth and attainment over it have a `fixed` baseline, of the line's date; other baselines are refused, as are lumps.
    Minimums and caps over it are refused. "lumps are refused there"

Rounding at period
48. The period is the lever's accumulation (partner, lever, per, period); where it accumulates by transaction or over
    trailing_12_months, the earning month with the same per. Each transaction currency is a sum for itself, so that its one
    entry has both currencies, each rounded from its own exact sum. "one rounding entry on the period's last line"
49. The entry is a row of its own, bracket 0, of the period's last line in the sequence that passed its minimum and is
    taken in its stack, whatever it earns; a refund is at its original's place, the entry is the original's. Its split is of
    its own total, on that line's date, by the program's mode. "rows truncated plus one rounding entry"
50. The exact sum has of a row what it asked, or, where a cap kept some, what was granted; a refund takes its part of the
    exact amount not yet refunded out of it, though its row is truncated from the posted remainder: a period refunded in full
    leaves no entry. "taken back per earning row from its posted remainder"
51. The entry comes after the last line with its refunds, asks each cap for room as rows do, and counts in it for the lines
    that follow; what a cap keeps of it waits for nothing, but it is looked at again after each later line.
    "never passed by a cent"
"""

from datetime import date

from tests.oracle.baseline import History
from tests.oracle.earning_lines import undecided_words
from tests.oracle.lines import Line, sequence
from tests.oracle.money import Earned
from tests.oracle.posting import Posting
from tests.oracle.scaled import scaled
from tests.oracle.stack import stacked
from tests.oracle.words import refuse

__all__ = ["Earned", "Line", "price", "undecided"]


def price(program: dict, lines: list[Line], *, held_from: date | None = None) -> dict[tuple[str, str, int], Earned]:
    """(line id, lever, bracket number from 1; 0: rounding entry) → what it earns; rows whose figures are all zero are left out.

    held_from: the first day of which lines are known; None: all that ever were
    """
    refuse(program)
    history = History(sequence(lines), held_from)
    by_lever = {lever["lever"]: scaled(program, lever, history) for lever in program["levers"]}
    posting = Posting(program, by_lever, stacked(program, by_lever, history.sales), history.sales)
    for sale in history.sales:
        posting.post(sale)
    return {key: earned for key, earned in posting.result() if any(vars(earned).values())}


def undecided(program: dict, lines: list[Line], *, held_from: date | None = None) -> dict[tuple[str, str], str]:
    """(line id, lever) → the lever's word that asks for what is not known of the line; refunds go with their sales."""
    refuse(program)
    history = History(sequence(lines), held_from)
    found = {lever["lever"]: undecided_words(program, lever, history) for lever in program["levers"]}
    return {(line, lever): word for lever, words in found.items() for line, word in words.items()}
