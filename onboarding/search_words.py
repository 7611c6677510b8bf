"""Split names and ids into words for the search. Stored names and typed words are split by the same rule."""

import re
import unicodedata

#: Longer words are stored and searched by their beginning.
MAX_LENGTH = 100
_WORD = re.compile(r"[^\W_]+")


def split(*texts: str | None) -> list[str]:
    """Return the distinct words of the texts in their order, without regard to case and width."""
    folded = (unicodedata.normalize("NFKC", text).casefold() for text in texts if text)
    return list(dict.fromkeys(word[:MAX_LENGTH] for text in folded for word in _WORD.findall(text)))
