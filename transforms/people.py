"""People who act, by name: every act has somebody who does it, and nobody approves what is their own."""


def named(person: str) -> str:
    """A person's name without blanks around it; raises LookupError where there is none."""
    if not person.strip():
        raise LookupError("an act needs the name of who does it; give it with --by, and --approved-by where asked for.")
    return person.strip()


def is_same(one: str, other: str) -> bool:
    """Whether two names differ by blanks around them or by capitals at most.

    >>> is_same("anna", " Anna "), is_same("anna", "ben")
    (True, False)
    """
    return one.strip().casefold() == other.strip().casefold()
