"""Text from outside, made safe to show on one line and to open in a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula (OWASP, CSV injection), the last four in full width."""


def one_line(text: str) -> str:
    """Return one line in which nothing can move a cursor, hide, or break XML.

    Titles and reasons come from outside. Space of any kind is a blank; what
    else cannot be printed is escaped.
    """
    return "".join(
        " " if one.isspace() else one if one.isprintable() else ascii(one)[1:-1] for one in text
    )


def no_formula(text: str) -> str:
    """Return a text that no spreadsheet reads as a formula.

    Such a one gets an apostrophe before it. Numbers are no texts: they stay.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
