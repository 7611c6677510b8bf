"""Handle invisible characters: white space, zero-width, control and bidirectional formatting characters."""

import unicodedata

#: Unicode's general categories: control, format, surrogate, and the three kinds of separators.
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Zero-width joiner and non-joiner: scripts and emoji need them.
_JOINERS = "\u200c\u200d"
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
    """Return whether the text contains control or format characters."""
    return any(map(_is_control, text))


def escape(text: str) -> str:
    """Replace control and format characters, including line breaks, with Python's escapes, which are safe to print."""
    return "".join(_escaped(one) if _is_control(one) else one for one in text)


def _is_blank(character: str) -> bool:
    return unicodedata.category(character) in _BLANKS


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS and character not in _JOINERS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
