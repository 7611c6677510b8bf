"""Structure of the code: our tree keeps the rules of tests/structure.py, and each rule detects a violation."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import structure

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]

_VIEW = "@blueprint.post('/')\ndef view():\n" + "    pass\n" * structure.MAX_VIEW_LINES

#: Rule, file, a violation of the rule there, a text without one.
PLANTED = [
    (structure.only_settings_read_the_environment, "onboarding/a.py", "import os\nos.environ['A']", "import os"),
    (structure.only_settings_read_the_environment, "onboarding/practice/a.py", "from os import environ", ""),
    (structure.only_settings_read_the_environment, "app.py", "import os\nos.getenv('A')", "import os"),
    (structure.only_the_clock_reads_the_time, "onboarding/a.py", "datetime.now(UTC)", "clock.now()"),
    (structure.only_the_clock_reads_the_time, "onboarding/a.py", "import time\ntime.time()", "time.monotonic()"),
    (structure.only_the_clock_reads_the_time, "onboarding/a.py", "datetime.date.today()", "datetime.date"),
    (structure.the_store_never_commits, "onboarding/store/a.py", "session.commit()", "session.flush()"),
    (structure.files_are_short, "tests/a.py", "a\n" * 401, "a\n" * 400),
    (structure.functions_are_short, "tools/a.py", "def a():\n" + "  a\n" * 60, "def a():\n" + "  a\n" * 59),
    (structure.views_are_short, "onboarding/pages/customer/a.py", _VIEW, _VIEW.replace("    pass\n", "", 1)),
    (structure.template_folders_are_named_like_views, "templates/customer/nowhere/a.html", "", None),
    (
        structure.imports_are_at_the_top,
        "onboarding/a.py",
        "def a():\n" + "  import a\n" * 4,
        "def a():\n  import a\n" * 3,
    ),
    (
        structure.packages_contain_only_their_entry_point,
        "onboarding/pages/__init__.py",
        "from onboarding.pages import layout",
        "from onboarding.pages import layout\ndef register(app): ...",
    ),
    (
        structure.packages_contain_only_their_entry_point,
        "onboarding/jobs/__init__.py",
        "def launch(): ...\nclass Job: ...",
        '"""Durable work."""',
    ),
    (
        structure.packages_contain_only_their_entry_point,
        "onboarding/__init__.py",
        "import a",
        "__version__ = '1'",
    ),
    (structure.names_describe_the_content, "onboarding/date_utils.py", "", None),
    (structure.names_describe_the_content, "onboarding/pages/customer/forms.py", "", None),
    (structure.names_describe_the_content, "onboarding/a.py", "class LinkManager: ...", "class Links: ..."),
    (
        structure.silenced_checks_have_a_reason,
        "onboarding/a.py",
        "a  # noqa: S310",
        "a  # noqa: S310 - from the settings",
    ),
    (structure.silenced_checks_have_a_reason, "onboarding/a.py", "a  # noqa", ""),
    (
        structure.silenced_checks_have_a_reason,
        "tests/a.py",
        "a  # type: ignore[attr-defined]",
        "a  # type: ignore[attr-defined]  # Only the default has it.",
    ),
    (structure.no_work_is_left_open, "onboarding/a.py", "a  # TODO: more", "a  # What is still to come."),
    (structure.no_work_is_left_open, "tests/a.py", "@pytest.mark.skip\ndef test(): ...", "def test(): ..."),
]

Rule = Callable[[Path], list[str]]


@pytest.mark.parametrize("rule", structure.RULES, ids=lambda rule: rule.__name__)
def test_our_code_keeps_the_rule(rule: Rule) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize(("rule", "file", "wrong", "right"), PLANTED)
def test_a_planted_violation_is_seen(rule: Rule, file: str, wrong: str, right: str | None, tmp_path: Path) -> None:
    for folder, text in [("wrong", wrong), ("right", right)]:
        (tmp_path / folder / file).parent.mkdir(parents=True)
        if text is not None:
            (tmp_path / folder / file).write_text(text)
    assert [re.split(r":", broken)[0] for broken in rule(tmp_path / "wrong")][:1] == [file]
    assert rule(tmp_path / "right") == []


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, *_ in PLANTED} == set(structure.RULES)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lock_files_name_packages_and_no_registry(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert [line for line in lines if re.search(r"://|^-|--(index|extra|find|trusted)", line)] == []
