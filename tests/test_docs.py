"""Documents are complete and name nothing that does not exist."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest
from flask import Flask
from pydantic import SecretStr

from onboarding import cli
from onboarding.changes import ChangeKind
from onboarding.outcomes import OUTCOMES
from onboarding.practice.scenarios import BY_NAME
from onboarding.settings import Settings
from onboarding.slack import scopes

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

#: Options of Flask's own commands, and of every command of ours.
_EVERYWHERE = {"--help", "--json"}


def test_every_setting_is_documented_with_its_default() -> None:
    rows = _table("docs/configure.md", "variable")
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default, meaning = rows[name.upper()]
        if field.annotation is SecretStr:
            assert f"`{name.upper()}_FILE`" in meaning
        elif str(field.default):
            assert default == f"`{field.default}`"


def test_documented_outcomes_match_the_code() -> None:
    rows = _table("docs/outcomes.md", "outcome")
    documented = {name: tuple(cells[:4]) for name, cells in rows.items()}
    assert documented == {
        name: (f"`{one.page}`", str(one.status), one.metric, one.action and f"`{one.action}`")
        for name, one in OUTCOMES.items()
    }


def test_every_action_of_the_audit_is_documented() -> None:
    text = _read("docs/audit.md")
    documented = re.findall(r"`([a-z_]+\.[a-z_]+)`", text[text.index("| action | recorded") :])
    assert sorted(documented) == sorted([*ChangeKind, "credentials.read"])


def test_scenarios_of_the_outcomes_are_in_the_practice_slack() -> None:
    named = {
        word
        for cells in _table("docs/outcomes.md", "outcome").values()
        for word in re.findall(r"`([a-z_0-9]+)`", cells[5])
    }
    assert named <= set(BY_NAME)


def test_the_readme_counts_the_outcomes() -> None:
    assert f"{len(OUTCOMES)} ways in which an" in _read("README.md")


def test_every_scope_is_documented_with_its_sentence() -> None:
    assert _table("docs/scopes.md", "scope") == {
        scope: [
            sentence,
            "yes" if scope in scopes.DEFAULT else "",
            "yes" if scope in scopes.OPTIONAL else "",
        ]
        for scope, sentence in scopes.SENTENCES.items()
    }


def test_every_dependency_has_a_reason() -> None:
    reasons = _table("docs/dependencies.md", "package")
    assert set(reasons) == set(_dependencies())
    assert all(why for (why,) in reasons.values())


def test_every_command_and_every_option_is_documented() -> None:
    rows = {_without_arguments(name): cells[0] for name, cells in _table("docs/commands.md", "command").items()}
    commands = _commands()
    assert set(rows) == set(commands)
    for name, command in commands.items():
        described = rows[name] + _own_section("docs/commands.md", name)
        for option in _options(command) - _EVERYWHERE:
            assert f"`{option}" in described, f"{name} {option}"


def test_commands_without_json_are_those_that_the_document_names() -> None:
    said = re.search(r"Every command except (`.*?) takes `--json`", _read("docs/commands.md").replace("\n", " "))
    assert said
    without = {name for name, command in _commands().items() if "--json" not in _options(command)}
    assert set(re.findall(r"`([a-z ]+)`", said[1])) == without


def test_the_picture_of_the_folders_shows_every_folder_and_no_other() -> None:
    picture = _section("docs/architecture.md", "The folders")
    assert set(re.findall(r"^ {4}(\S+)/ ", picture, re.MULTILINE)) == _folders(ROOT)
    product = picture.split("    onboarding/")[1].split("\n    static/")[0]
    assert set(re.findall(r"^ {6}(\S+)/ ", product, re.MULTILINE)) == _folders(ROOT / "onboarding")


def test_every_hook_of_the_pages_is_documented_and_no_other() -> None:
    pages, actions = _hooks(r'data-page="([a-z-]+)"'), _hooks(r'(?:hook=|data-action=)"([a-z-]+)"')
    # The layout of results names its page in a block, which the approval page fills.
    pages |= _hooks(r"{% block page %}([a-z-]+){% endblock %}")
    content = _read("docs/hooks.md")
    assert set(_table("docs/hooks.md", "data-page")) | set(re.findall(r'data-page="([a-z-]+)"', content)) == pages
    practice = set(re.findall(r'(?:data-action=|and )`?"([a-z-]+)"', content))
    assert set(_table("docs/hooks.md", "data-action")) | practice == actions


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    paths = re.findall(r"`((?:docs|migrations|onboarding|static|templates|tests|tools)/[\w./-]*)`", text)
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


def test_every_decision_is_in_the_list() -> None:
    listed = re.findall(r"\]\((\d{4}-[a-z-]+\.md)\)", _read("docs/decisions/README.md"))
    assert listed == sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _section(path: str, heading: str) -> str:
    return _read(path).split(f"\n## {heading}\n")[1].split("\n## ")[0]


def _own_section(path: str, name: str) -> str:
    """Return the section of a command whose options have a table of their own; empty if it has none."""
    _, found, rest = _read(path).partition(f"\n### `{name}`\n")
    return rest.split("\n#")[0] if found else ""


def _table(path: str, head: str) -> dict[str, list[str]]:
    """Return the rows of a document's tables whose first column is headed `head`, by that column without backticks."""
    rows: dict[str, list[str]] = {}
    for block in _read(path).split("\n\n"):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        if lines[0][0].strip("`") == head:
            rows |= {first.strip("`"): rest for first, *rest in lines[2:]}
    return rows


def _dependencies() -> Iterator[str]:
    for path in ("requirements.in", "requirements-dev.in"):
        for line in _read(path).splitlines():
            if found := re.match(r"[a-z][a-z0-9-]*", line):
                yield found[0]


def _commands() -> dict[str, click.Command]:
    """Return our commands by their full names, from an app of their own: importing app.py would start the server."""
    shell = Flask("shell")
    cli.register(shell.cli)
    return dict(_below(shell.cli, ""))


def _below(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _below(command, f"{before}{name} ")
        else:
            yield before + name, command


def _options(command: click.Command) -> set[str]:
    shown = [given for given in command.params if isinstance(given, click.Option) and not given.hidden]
    return {option for given in shown for option in given.opts}


def _without_arguments(command: str) -> str:
    return " ".join(word for word in command.split() if not word.isupper() and "_" not in word)


def _folders(place: Path) -> set[str]:
    """Return the folders of the project, without git's own folder and those in .gitignore."""
    ignored = [".git", *(line.strip("/") for line in _read(".gitignore").splitlines())]
    found = (path.name for path in place.iterdir() if path.is_dir())
    return {name for name in found if not any(fnmatch(name, pattern) for pattern in ignored)}


def _hooks(pattern: str) -> set[str]:
    return {
        hook
        for path in (ROOT / "templates").rglob("*.html")
        for hook in re.findall(pattern, path.read_text(encoding="utf-8"))
    }


def test_the_readme_is_one_page() -> None:
    assert len(_read("README.md").split()) <= 650


def test_every_document_is_linked_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\)", _read("README.md")))
    written = {str(path.relative_to(ROOT)) for path in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]}
    assert written - {"README.md"} <= linked
