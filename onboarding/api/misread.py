"""Where in a text of JSON something stands that Python's parser refuses without saying where it was."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN|-?\d[\d.eE+-]*|[{}\[\]]', re.DOTALL)
_NAME = re.compile(r"\s*:")


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    at: int
    #: How many objects and arrays are open around it.
    depth: int
    #: Whether the object around it has had a member of this name.
    is_twice: bool = False


def place(text: str, is_it: Callable[[Part], bool]) -> str:
    """` at line 1, column 8`, both from 1; empty where no part is it."""
    at = next((part.at for part in _parts(text) if is_it(part)), None)
    if at is None:
        return ""
    return f" at line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def place_of_the_deepest(text: str) -> str:
    depth = max(part.depth for part in _parts(text))
    return place(text, lambda part: part.depth == depth)


def is_too_long(part: Part) -> bool:
    """Whether it is a number with more digits than Python reads."""
    return part.text.lstrip("-").isdecimal() and len(part.text.lstrip("-")) > sys.get_int_max_str_digits()


def _parts(text: str) -> Iterator[Part]:
    around: list[set[str] | None] = []
    for found in _PART.finditer(text):
        part = found[0]
        if part in "}]" and around:
            around.pop()
        names = around[-1] if around else None
        is_name = part[0] == '"' and names is not None and _NAME.match(text, found.end())
        name = json.loads(part, strict=False) if is_name else None
        yield Part(part, found.start(), len(around), is_twice=name is not None and name in (names or ()))
        if name is not None and names is not None:
            names.add(name)
        if part in "{[":
            around.append(set() if part == "{" else None)
