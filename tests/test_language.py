"""Check that code, pages and documents avoid words that readers had to decode, and cite nothing that does not ship."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
CODE = ("app.py", "onboarding", "migrations", "tests", "tools")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs")

#: Words that have no meaning in this field, or two meanings, and what to write instead.
PROSE = {
    r"\btold\b|\btells?\b": "returned, reported, sent, shown",
    r"\b(whoever|whomever|whom)\b": "the caller, the person, the thread that …",
    r"(?:^|[.:;] )(who|whose|what|that) (?!is\b|can\b|to\b)[^?]*?[.:]$": "begin the sentence with its actor",
    r"\bdo(es)? not do\b": "is invalid",
    r"\banew\b": "again",
    r"\bmeanwhile\b": "in the meantime",
    r"\bshall\b": "must",
    r"\bas like as not\b": "probably",
    r"\bsave (for|that|where|when|if|the|what|its|one)\b": "except",
    r"\b(take|takes|took|taking) the place of\b": "replaces",
    r"\b(give|gives|given|gave|giving)( it| them)? back\b": "revokes, returns",
    r"\blikewise\b": "repeat the fact",
    r"\b(?<!set )(?:is|are|was) (made|ended|put on)\b": "is created, is closed, is attached",
    r"\bworlds?\b": "environment, state",
}
#: Whole words of names.
NAMES = {"told", "wish", "anew", "leaf", "bench", "whom", "whose", "wishes", "turn", "turns", "world", "worlds"}
#: Notes that are not part of the project.
UNSHIPPED = r"\b(contract|slack|ux|design|style|performance|language|review-code|review-ux)\.md\b|\b(design|contract|ux) [A-Z0-9]+(\.\d+)*\b"


def test_no_document_is_cited_that_does_not_ship() -> None:
    assert _found({UNSHIPPED: "cite an RFC, Slack's documentation, the reference page, or a file in docs/"}) == []


def test_prose_uses_the_words_of_the_field() -> None:
    assert _found(PROSE) == []


def test_names_use_the_words_of_the_field() -> None:
    named = (
        f"{where}: {name}" for where, name in _identifiers() if NAMES & set(re.findall(r"[a-z]+", _snake_case(name)))
    )
    assert sorted(set(named)) == []


def _found(words: dict[str, str]) -> list[str]:
    return [
        f"{where}: {found[0].strip()!r} in {text.strip()[:80]!r}: write {instead}"
        for where, text in _texts()
        for pattern, instead in words.items()
        if (found := re.search(pattern, text, re.IGNORECASE))
    ]


def _texts() -> Iterator[tuple[str, str]]:
    """Yield each line of docstrings, comments, templates and documents, with its place."""
    for path in _files(CODE, ".py"):
        if path == Path(__file__):
            continue
        for number, text in _prose_of_code(path):
            yield f"{path.relative_to(ROOT)}:{number}", text
    for path in _files(("templates",), ".html"):
        text = re.sub(r"{[%{#].*?[%}#]}|<[^>]*>", " ", path.read_text(encoding="utf-8"))
        yield from _lines(path, text)
    for path in _files(DOCUMENTS, ".md"):
        yield from _lines(path, re.sub(r"```.*?```|`[^`]*`", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL))


def _lines(path: Path, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        yield f"{path.relative_to(ROOT)}:{number}", line


def _prose_of_code(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#: ")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            first = node.body[0].lineno
            for number, line in enumerate(text.splitlines()):
                yield first + number, line


def _identifiers() -> Iterator[tuple[str, str]]:
    for path in _files(CODE, ".py"):
        where = str(path.relative_to(ROOT))
        yield where, path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield where, node.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield where, node.id
            elif isinstance(node, ast.arg):
                yield where, node.arg


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _files(places: tuple[str, ...], suffix: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        found = [path] if path.is_file() else sorted(path.rglob(f"*{suffix}"))
        yield from (one for one in found if "node_modules" not in one.parts)
