"""Characters that no reader sees: white space of every kind, zero-width, control and bidirectional formatting characters."""

import unicodedata

#: Unicode's general categories: control, format, surrogate, and the three kinds of separators.
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BLANKS = frozenset({*_CONTROLS, "Zs"})


def trim(text: str) -> str:
    """Remove white space, zero-width and control characters from both ends."""
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def has_blanks(text: str) -> bool:
    """Return whether the text contains white space, zero-width or control characters."""
    return any(map(_is_blank, text))


def has_controls(text: str) -> bool:
    """Return whether the text contains control or format characters. A space is none; a no-break space is none either."""
    return any(unicodedata.category(one) in _CONTROLS for one in text)


def escape(text: str) -> str:
    """Replace control and format characters, line breaks included, with Python's escapes: a terminal acts on none of them."""
    return "".join(_escaped(one) if unicodedata.category(one) in _CONTROLS else one for one in text)


def _is_blank(character: str) -> bool:
    return unicodedata.category(character) in _BLANKS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
