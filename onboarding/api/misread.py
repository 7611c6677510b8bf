"""Where in a text of JSON something stands that Python's parser refuses without saying where it was.

The parser has stopped there; what comes after may be anything, and is read here without being believed.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: A string that does not end is one part, too: whatever the text is, each character is looked at once.
_PART = re.compile(
    r'"(?:[^"\\]|\\.?)*"?|-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}\[\]]',
    re.DOTALL,
)
_NAME = re.compile(r"\s*:")


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    at: int
    #: How many objects and arrays are open around it.
    depth: int
    #: The member that it names, where the object around it has named that one before.
    repeated: str | None = None


def place(text: str, is_it: Callable[[Part], bool]) -> str:
    """` at line 1, column 8`, both from 1, of the first part that is it; empty where none is."""
    return next((_place(text, part) for part in _parts(text) if is_it(part)), "")


def place_of_the_deepest(text: str) -> str:
    deepest = max(_parts(text), key=lambda part: part.depth)
    return _place(text, deepest)


def first_repeated(text: str) -> tuple[str, str]:
    """The first member that its object has twice, and the place where it stands again."""
    found = next(part for part in _parts(text) if part.repeated is not None)
    return found.repeated or "", _place(text, found)


def is_too_long(part: Part) -> bool:
    """Whether it is a number with more digits than Python reads."""
    return part.text.lstrip("-").isdecimal() and len(part.text.lstrip("-")) > sys.get_int_max_str_digits()


def _place(text: str, part: Part) -> str:
    return f" at line {text.count(chr(10), 0, part.at) + 1}, column {part.at - text.rfind(chr(10), 0, part.at)}"


def _parts(text: str) -> Iterator[Part]:
    around: list[set[str] | None] = []
    for found in _PART.finditer(text):
        part = found[0]
        if part in "}]" and around:
            around.pop()
        names = around[-1] if around else None
        is_name = part[0] == '"' and names is not None and _NAME.match(text, found.end())
        name = _read(part) if is_name else None
        yield Part(part, found.start(), len(around), name if names and name in names else None)
        if name is not None and names is not None:
            names.add(name)
        if part in "{[":
            around.append(set() if part == "{" else None)


def _read(name: str) -> str | None:
    try:
        return str(json.loads(name))
    except ValueError:
        return None
