"""How many of what, as a sentence says it."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """The number with its noun, which takes an s where there are `many` and nothing else is given.

    >>> counted(1, "film"), counted(0, "film"), counted(2000, "study", "studies")
    ('1 film', '0 films', '2,000 studies')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
