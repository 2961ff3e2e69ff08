"""What strangers say: a text that came over the network, fit for a terminal, a log and a file."""

LONGEST = 1000


def printable(text: str, most: int = LONGEST) -> str:
    """Return a stranger's text without control characters, and no more than `most` of the others."""
    return "".join(one if one.isprintable() else " " for one in text[:most])
