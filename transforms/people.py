"""Whether two names of people who act are those of one: nobody approves what is their own."""


def is_same(one: str, other: str) -> bool:
    """Whether two names differ by blanks around them or by capitals at most.

    >>> is_same("anna", " Anna "), is_same("anna", "ben")
    (True, False)
    """
    return one.strip().casefold() == other.strip().casefold()
