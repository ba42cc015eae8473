"""What choices are called: Streamlit tells options apart by their text alone.

Of two options of one text it takes the same one whichever was chosen, and two
floods of one day, or the regions of two countries, may well be called alike.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def told_apart(names: Mapping[K, str]) -> dict[K, str]:
    """Return the names; of those that are alike each with its key behind it."""
    counts = Counter(names.values())
    return {
        key: name if counts[name] == 1 else f"{name} ({key or '?'})" for key, name in names.items()
    }
