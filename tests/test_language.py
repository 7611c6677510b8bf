"""Check that code, pages and documents use the words of the field, and cite no document that does not ship."""

import ast
import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
FOLDERS = ("app.py", "onboarding", "migrations", "tests", "tools", "templates", "static", "embed", "docs", "examples")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
SUFFIXES = {".py", ".html", ".md", ".js", ".ts", ".css"}
#: A name, as a list of lower-case words: `PageRequest` and `page_request` are the same.
_WORD_OF_A_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

#: Words without a meaning in this field, or with several, and what to write instead.
PROSE = {
    r"\b(told|tells?|telling)\b": "returned, reported, sent, shown, says",
    r"\b(whoever|whomever|whom|whatever)\b": "the caller, the person, the thread that …",
    # "What Slack said is kept." has a clause as its subject. A question may begin like this.
    r"(?:^|[.:;] )(?:who|whose|what) [^?\n]*[.:]$": "begin the sentence with its actor, or with a noun",
    r"\bdo(es)? not do\b": "is invalid",
    r"\banew\b": "again",
    r"\bmeanwhile\b": "in the meantime",
    r"\bshall\b": "must",
    r"\bas like as not\b": "probably",
    r"\bsave (for|that|where|when|if|what|its)\b": "except",
    r"\b(take|takes|took|taking) (the|its|their) place\b": "replace",
    r"\b(give|gives|given|gave|giving)( it| them)? back\b": "revoke, return",
    r"(^|[.:;,] )likewise[.,]": "repeat the fact",
    r"\b(?:is|are|was|were) (made(?! (of|to|up|from))|ended|put on)\b": "is created, is closed, is attached",
    r"\bworlds?\b": "environment, state",
    r"\b(lives? on|lives in|dies with)\b": "is stored in, belongs to, ends with",
}
#: Words of the API, which customers never read.
INTERNAL = {r"\b(subscriber|mode|context|attempt|grant|state|environment|integration)s?\b": "the customer's own words"}
FOR_CUSTOMERS = ("templates/customer/", "templates/layout/customer.html", "templates/problems/")
#: Templates in these folders that operators read, or that have texts for both.
FOR_OPERATORS = ("customer/home/first_run.html", "customer/setup/_setup_fields.html")
#: Words that no name contains.
NAMES = {
    *("told", "wish", "wishes", "anew", "leaf", "bench", "whom", "whose", "who", "turn", "turns"),
    *("world", "worlds", "life", "lives", "people", "tell", "tells", "shall"),
}
#: Uses of these words that are right, each with the reason. A row allows the text wherever it occurs.
ALLOWED = {
    "test_bench": "`make bench` is the usual name of that target",
    "tools/bench": "`make bench` is the usual name of that target",
    '"world": {}': "the key under which files of the practice Slack store its state",
}
#: Files that earlier descriptions of this project cited, and that are not part of it.
UNSHIPPED = {
    r"(?<![\w/-])(contract|slack|ux|design|style|performance|language|review-code|review-ux)\.md\b": "a file in docs/",
    r"\b(design|contract|ux|style) (section )?[A-Z]?\d+(\.\d+)*\b": "an RFC, a page of Slack's, a file in docs/",
}


def test_no_document_is_cited_that_does_not_ship() -> None:
    assert list(_found(UNSHIPPED)) == []


def test_prose_uses_the_words_of_the_field() -> None:
    assert list(_found(PROSE)) == []


def test_pages_of_customers_have_no_internal_word() -> None:
    found = [row for row in _found(INTERNAL) if row.startswith(FOR_CUSTOMERS)]
    assert [row for row in found if not any(name in row for name in FOR_OPERATORS)] == []


def test_names_use_the_words_of_the_field() -> None:
    found = {
        f"{source.where}: {name}"
        for source in _sources()
        for name in source.names
        if NAMES & {word.lower() for word in _WORD_OF_A_NAME.findall(name)}
    }
    assert sorted(row for row in found if not any(allowed in row for allowed in ALLOWED)) == []


@dataclass(frozen=True)
class _Source:
    """A file: its names, and its prose with the number of each line."""

    where: str
    names: frozenset[str]
    prose: list[tuple[int, str]]


def _found(words: dict[str, str]) -> Iterator[str]:
    for source in _sources():
        text = "\n".join(line for _, line in source.prose)
        starts = [0]
        for _, line in source.prose:
            starts.append(starts[-1] + len(line) + 1)
        for pattern, instead in words.items():
            for match in re.finditer(pattern, text, re.IGNORECASE | re.MULTILINE):
                number, line = source.prose[bisect.bisect_right(starts, match.start(1 if match.re.groups else 0)) - 1]
                row = f"{source.where}:{number}: {match[0].strip()!r} in {line.strip()[:90]!r}: write {instead}"
                if not any(allowed in row for allowed in ALLOWED):
                    yield row


@cache
def _sources() -> list[_Source]:
    found: list[_Source] = []
    for path in _files():
        where, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            nodes = list(ast.walk(ast.parse(text)))
            found.append(_Source(where, frozenset({path.stem, *_names(nodes)}), sorted(_prose_of_python(nodes, text))))
        else:
            prose = _PROSE_OF[path.suffix](text)
            found.append(_Source(where, frozenset({path.stem}), list(enumerate(prose.splitlines(), 1))))
    return found


def _files() -> Iterator[Path]:
    for name in (*FOLDERS, *DOCUMENTS):
        path = ROOT / name
        for one in [path] if path.is_file() else sorted(path.rglob("*")):
            if one.suffix in SUFFIXES and "node_modules" not in one.parts and one != Path(__file__):
                yield one


def _names(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) if name.startswith("test_"):
                pass  # A sentence: it is prose.
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def _prose_of_python(nodes: list[ast.AST], source: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings, other strings that contain a space, names of tests, and comments, by line.

    A tokenizer would find the comments, too, but takes ten times as long over the whole repository.
    """
    inside: dict[int, list[tuple[int, int]]] = {}
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.removeprefix("test_").replace("_", " ") + "."
        if not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        last = node.end_lineno or node.lineno
        for number in range(node.lineno, last + 1):
            begin = node.col_offset if number == node.lineno else 0
            end = (node.end_col_offset or 0) if number == last else 1_000_000
            inside.setdefault(number, []).append((begin, end))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            lines = node.value.splitlines()
            yield from enumerate(lines, node.lineno if len(lines) == last - node.lineno + 1 else last)
    for number, line in enumerate(source.splitlines(), 1):
        if "#" in line and (comment := _comment(line, inside.get(number, []))):
            yield number, comment


def _comment(line: str, strings: list[tuple[int, int]]) -> str:
    raw = line.encode()
    for match in re.finditer(rb"#", raw):
        if not any(begin <= match.start() < end for begin, end in strings):
            return raw[match.start() :].decode().lstrip("#: ")
    return ""


def _jinja_strings(block: re.Match[str]) -> str:
    """Keep the strings that contain a space, and the lines; replace everything else by spaces."""
    return re.sub(r'"([^"\n]* [^"\n]*)"|[^\n]', lambda one: one[1] or " ", block[0])


def _blank(pattern: str, text: str) -> str:
    """Replace what matches by spaces, and keep the lines."""
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.DOTALL)


#: What to remove from a file so that its prose remains.
_PROSE_OF = {
    ".html": lambda text: _blank(r"<[^>]*>", re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", _jinja_strings, text, flags=re.DOTALL)),
    ".md": lambda text: _blank(r"```.*?```|`[^`]*`", text),
    ".css": lambda text: _blank(r"(?:^|\*/).*?(?:/\*|\Z)", text),
    ".js": lambda text: _blank(r"(?:^|\*/).*?(?:/\*|\Z)", re.sub(r"(?<!:)//(.*)", r"/* \1 */", text)),
}
_PROSE_OF[".ts"] = _PROSE_OF[".js"]
