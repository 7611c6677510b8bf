"""Rules for the structure of the code that import-linter cannot express. Each returns the violations in a tree.

tests/test_structure.py checks our tree against them, and plants a violation of each.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_VIEW_LINES = 20
MAX_LATE_IMPORTS = 3

_OURS = ["app.py", "onboarding", "migrations", "tests", "tools"]
_PRODUCT = ["app.py", "onboarding"]
_WEB_INTERFACES = ["onboarding/api", "onboarding/embed", "onboarding/hooks", "onboarding/pages"]

_EMPTY_NAMES = {"common", "data", "helper", "info", "manager", "misc", "util"}
_KINDS = {"constants", "exceptions", "forms", "models", "schemas"}
_ROUTES = {"delete", "get", "patch", "post", "put", "route"}
_ENTRANCES = {"register", "launch", "create_practice"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def only_settings_read_the_environment(root: Path) -> list[str]:
    return [
        _at(root, path, node, "reads the environment; settings.py does")
        for path in _python(root, _PRODUCT)
        if path != root / "onboarding/settings.py"
        for node in ast.walk(_tree(path))
        if _named(node, "os", {"environ", "environb", "getenv", "putenv"})
    ]


def only_the_clock_reads_the_time(root: Path) -> list[str]:
    return [
        _at(root, path, node, "asks for the time; clock.py does")
        for path in _python(root, _PRODUCT)
        if path != root / "onboarding/clock.py" and root / "onboarding/practice" not in path.parents
        for node in ast.walk(_tree(path))
        if _named(node, "datetime", {"now", "utcnow", "today"})
        or _named(node, "date", {"today"})
        or _named(node, "time", {"time", "time_ns"})
    ]


def the_store_never_commits(root: Path) -> list[str]:
    """Only database.py commits, in `transaction()`, which services open and close."""
    return [
        _at(root, path, node, "commits; the service that opened the transaction does")
        for path in _python(root, ["onboarding/store"])
        if path.name != "database.py"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]


def files_are_short(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}: {lines} lines; {MAX_FILE_LINES} at most"
        for path in _python(root, _OURS)
        if (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    ]


def functions_are_short(root: Path) -> list[str]:
    """Migrations are exempt: `upgrade` is a list of statements that never changes after its release."""
    return [
        _at(root, path, function, f"{function.name} has {_lines(function)} lines; {MAX_FUNCTION_LINES} at most")
        for path in _python(root, _OURS)
        if root / "migrations" not in path.parents
        for function in _functions(path)
        if _lines(function) > MAX_FUNCTION_LINES
    ]


def views_are_short(root: Path) -> list[str]:
    return [
        _at(root, path, function, f"{function.name} has {_lines(function)} lines; a view has {MAX_VIEW_LINES} at most")
        for path in _python(root, _WEB_INTERFACES)
        for function in _functions(path)
        if any(_is_route(decorator) for decorator in function.decorator_list) and _lines(function) > MAX_VIEW_LINES
    ]


def template_folders_are_named_like_views(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}: onboarding/pages has no module of this folder's name"
        for path in sorted((root / "templates").glob("*/*/*.html"))
        if not (root / "onboarding/pages" / path.relative_to(root / "templates").parent.with_suffix(".py")).exists()
    ]


def imports_are_at_the_top(root: Path) -> list[str]:
    late = {
        _at(root, path, node, "is an import inside a function")
        for path in _python(root, _PRODUCT)
        for function in _functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    return sorted(late) if len(late) > MAX_LATE_IMPORTS else []


def packages_contain_only_their_entry_point(root: Path) -> list[str]:
    """An `__init__` is empty, or has `register(app)` or similar. The root package has only its version."""
    return [
        f"{path.relative_to(root)}: is more than the package's entrance ({', '.join(sorted(_ENTRANCES))})"
        for path in _python(root, _PRODUCT)
        if path.name == "__init__.py"
        if not _is_entrance(_tree(path), allowed={"__version__"} if path.parent.name == "onboarding" else _ENTRANCES)
    ]


def names_describe_the_content(root: Path) -> list[str]:
    modules = [
        f"{path.relative_to(root)}: names a kind, not a subject"
        for path in _python(root, _PRODUCT)
        if path.stem in _KINDS or _EMPTY_NAMES & {word.removesuffix("s") for word in path.stem.split("_")}
    ]
    classes = [
        _at(root, path, node, f"{node.name} says nothing about what it does")
        for path in _python(root, _PRODUCT)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Helper", "Handler"))
    ]
    return modules + classes


def silenced_checks_have_a_reason(root: Path) -> list[str]:
    """`# noqa: S310 - why` and `# type: ignore[code]  # why`: a code, followed by the reason."""
    silenced = re.compile(r"(noqa|type: ignore)")
    explained = re.compile(
        r"(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[a-z, -]+\])[^a-z]*\s[\"'`(]?\w+ \S+", re.IGNORECASE
    )
    return [
        f"{path.relative_to(root)}:{line}: silences a check without a reason"
        for path in _python(root, _OURS)
        for line, comment in _comments(path)
        if silenced.search(comment) and not explained.search(comment)
    ]


def no_work_is_left_open(root: Path) -> list[str]:
    notes = [
        f"{path.relative_to(root)}:{line}: is a note to do something later"
        for path in _python(root, _OURS)
        for line, comment in _comments(path)
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment)
    ]
    skipped = [
        _at(root, path, node, "skips a test")
        for path in _python(root, ["tests"])
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail", "importorskip"}
    ]
    return notes + skipped


RULES = [
    only_settings_read_the_environment,
    only_the_clock_reads_the_time,
    the_store_never_commits,
    files_are_short,
    functions_are_short,
    views_are_short,
    template_folders_are_named_like_views,
    imports_are_at_the_top,
    packages_contain_only_their_entry_point,
    names_describe_the_content,
    silenced_checks_have_a_reason,
    no_work_is_left_open,
]


def _python(root: Path, places: list[str]) -> Iterator[Path]:
    for place in (root / name for name in places):
        if place.is_file():
            yield place
        yield from sorted(place.rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _functions(path: Path) -> Iterator[_Function]:
    return (node for node in ast.walk(_tree(path)) if isinstance(node, _Function))


def _lines(function: _Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _named(node: ast.AST, owner: str, names: set[str]) -> bool:
    """Return whether the node is `owner.name`, or imports `name` by `from owner import name`."""
    if isinstance(node, ast.ImportFrom):
        return node.module == owner and any(alias.name in names for alias in node.names)
    if not isinstance(node, ast.Attribute) or node.attr not in names:
        return False
    return (isinstance(node.value, ast.Name) and node.value.id == owner) or (
        isinstance(node.value, ast.Attribute) and node.value.attr == owner
    )


def _is_route(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in _ROUTES


def _is_entrance(tree: ast.Module, allowed: set[str]) -> bool:
    statements = [
        node for node in tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    bound = {
        name
        for node in statements
        for name in (
            [node.name]
            if isinstance(node, _Function)
            else [alias.asname or alias.name for alias in node.names]
            if isinstance(node, ast.Import | ast.ImportFrom)
            else [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
    }
    only_simple = not any(isinstance(node, ast.ClassDef) for node in statements)
    return not statements or (only_simple and bool(bound & allowed))


def _comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _at(root: Path, path: Path, node: ast.stmt | ast.expr | ast.AST, message: str) -> str:
    return f"{path.relative_to(root)}:{getattr(node, 'lineno', 1)}: {message}"
