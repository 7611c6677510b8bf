"""Handle invisible characters: white space, zero-width, control and bidirectional formatting characters."""

import re
import unicodedata

#: Unicode's general categories: control, format, surrogate, and the three kinds of separators.
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Zero-width joiner and non-joiner: scripts and emoji need them.
_JOINERS = "\u200c\u200d"
_BLANKS = frozenset({*_CONTROLS, "Zs"})

#: Characters that an id must not contain, because two ids that differ only in them look the same: control, zero-width
#: and formatting characters, blank letters, and all spaces except U+0020. Written for a character class of a regular
#: expression. Its escapes are valid in every dialect; escapes of the other characters would not be.
INVISIBLE = (
    r"\x00-\x1f\x7f-\x9f"
    "\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u2800\u3000\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
#: Those beyond U+FFFF, which some dialects do not accept in a class.
_INVISIBLE_BEYOND = (
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
#: Characters that a URL's path does not preserve. Servers replace bytes that are not UTF-8 with U+FFFD.
_UNADDRESSABLE = re.compile(r"[/%?#\\\ud800-\udfff\ufffd]")
_IS_INVISIBLE = re.compile(f"[{INVISIBLE}{_INVISIBLE_BEYOND}]")


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


def has_invisible(text: str) -> bool:
    """Return whether the text contains a character without a shape, so that another text can look the same."""
    return _IS_INVISIBLE.search(text) is not None


def is_visible(text: str) -> bool:
    """Return whether the text contains a character with a shape."""
    return bool(_IS_INVISIBLE.sub("", text).strip())


def is_addressable(text: str) -> bool:
    """Return whether this is 1 to 255 visible characters of any script that survive in the path of a URL."""
    return (
        1 <= len(text) <= 255
        and text == text.strip()
        and text not in (".", "..")
        and not _UNADDRESSABLE.search(text)
        and not has_invisible(text)
    )


def escape(text: str) -> str:
    """Replace control and format characters, including line breaks, with Python's escapes, which are safe to print."""
    return "".join(_escaped(one) if _is_control(one) else one for one in text)


def _is_blank(character: str) -> bool:
    return unicodedata.category(character) in _BLANKS


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS and character not in _JOINERS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
