"""Text from outside, made safe to show on one line."""


def one_line(text: str) -> str:
    """Return one line in which nothing can move a cursor, hide, or break XML.

    Titles and reasons come from outside. Space of any kind is a blank; what
    else cannot be printed is escaped.
    """
    return "".join(
        " " if one.isspace() else one if one.isprintable() else ascii(one)[1:-1] for one in text
    )
