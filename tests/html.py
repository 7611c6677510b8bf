"""Parse pages with html5lib, which takes longer than the product takes to write them.

Pages of one template differ mostly in numbers and random values. Such words do not change a page's structure, so pages
that differ in nothing else are parsed once; each gets a copy of that tree with its own words.
"""

import re
from copy import deepcopy
from functools import lru_cache
from xml.etree.ElementTree import Element

import html5lib

#: The value of an attribute, or a text.
_CONTENT = re.compile(r'="[^"]*"|>[^<]*')
#: A word with a digit, or a long one, such as an identifier, a time or a token. It is no character reference.
_WORD = re.compile(r"(?<![\w&-])(?<!&#)(?:[\w-]*\d[\w-]*|[\w-]{20,})(?![\w-])")
#: Characters of Unicode's private use area. A page that contains them is parsed as it is.
_BEGIN, _END = "\ue000", "\ue001"
_MARK = re.compile(f"{_BEGIN}(\\d+){_END}")


def parse(text: str, *, strict: bool) -> Element:
    """Parse a page as a browser does. `strict`: raise html5lib's ParseError for any violation of the standard."""
    if _BEGIN in text or _END in text:
        return deepcopy(_tree(text, strict))
    numbers: dict[str, int] = {}

    def mark(word: re.Match[str]) -> str:
        return f"{_BEGIN}{numbers.setdefault(word[0], len(numbers))}{_END}"

    root = deepcopy(_tree(_CONTENT.sub(lambda content: _WORD.sub(mark, content[0]), text), strict))
    words = list(numbers)
    for element in root.iter():
        element.text, element.tail = _restored(element.text, words), _restored(element.tail, words)
        for name, value in element.items():
            if _BEGIN in value:
                element.set(name, _restored(value, words) or "")
    return root


@lru_cache(maxsize=300)
def _tree(marked: str, strict: bool) -> Element:
    root: Element = html5lib.HTMLParser(strict=strict, namespaceHTMLElements=False).parse(marked)
    return root


def _restored(marked: str | None, words: list[str]) -> str | None:
    return _MARK.sub(lambda found: words[int(found[1])], marked) if marked and _BEGIN in marked else marked
