"""The import rules of pyproject.toml: a tree of empty modules keeps them, and each sees the import that it forbids."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]

#: A module of each layer, with imports that the rules allow.
TREE = {
    "cli/serve": "import flask, onboarding.jobs, onboarding.web",
    "http/languages": "import flask, flask_babel, babel",
    "start_checks": "import onboarding.runtime, onboarding.errors",
    "http/operator_guard": "import flask, onboarding.runtime, onboarding.services.operators",
    "pages/layout": "import flask, onboarding.http.operator_guard",
    "pages/probes": "import flask, onboarding.http.operator_guard",
    "pages/customer/answers": "import flask, onboarding.outcomes, onboarding.pages.customer.attempt_cookies, onboarding.pages.layout",
    "pages/customer/attempt_cookies": "import flask, onboarding.runtime",
    "pages/customer/connect": "import flask, flask_wtf, wtforms, onboarding.services.links, onboarding.pages.customer.answers",
    "pages/customer/results": "import onboarding.pages.customer.answers, onboarding.pages.customer.attempt_cookies",
    "pages/console/installs": "import onboarding.http.operator_guard, onboarding.pages.customer.answers",
    "cli/web": "import flask, granian, onboarding.concurrency, onboarding.runtime",
    "web": "import flask, onboarding.concurrency, onboarding.pages.customer.connect, onboarding.api.authentication, onboarding.runtime",
    "api/keys": "import flask, pydantic, onboarding.services.links",
    "jobs/deliver": "import dbos, onboarding.runtime, onboarding.work",
    "runtime": "import flask, onboarding.concurrency, onboarding.services.links, onboarding.store.links, onboarding.slack.gateway",
    "changes": "import onboarding.store.links, onboarding.callers, onboarding.events",
    "events": "import onboarding.store.links, onboarding.outgoing.queue, onboarding.connection_rows",
    "connection_rows": "import onboarding.store.links, onboarding.outcomes",
    "callers": "",
    "services/links": "import onboarding.changes, onboarding.services.tokens.sealing, onboarding.store.links, onboarding.vault, onboarding.outgoing.queue",
    "services/installs": "import onboarding.services.tokens.sealing, onboarding.slack.gateway, onboarding.outcomes",
    "services/tokens/sealing": "import onboarding.store.database",
    "store/database": "import sqlalchemy, alembic, psycopg",
    "store/sqlite/write_lock": "import onboarding.concurrency, onboarding.errors",
    "store/links": "import sqlalchemy, onboarding.store.database, onboarding.sealed",
    "slack/gateway": "import slack_sdk, onboarding.slack.grants, onboarding.errors",
    "slack/grants": "import onboarding.errors",
    "slack/pool": "import urllib3, onboarding.concurrency, onboarding.errors",
    "slack/signin": "import authlib, joserfc",
    "outgoing/queue": "import dbos, onboarding.work",
    "outgoing/sender": "import standardwebhooks",
    "work": "",
    "vault": "import cryptography, onboarding.sealed, onboarding.errors",
    "outcomes": "import onboarding.errors",
    "concurrency": "",
    "errors": "",
    "settings": "import pydantic, pydantic_settings, onboarding.errors",
    "sealed": "",
    "practice/consent": "import flask, werkzeug",
}  # fmt: skip

#: Rule (its id in pyproject.toml), module, the import that only this rule forbids.
PLANTED = [
    ("layers", "services/links", "onboarding.runtime"),
    ("layers", "pages/layout", "onboarding.api.authentication"),
    ("layers", "http/operator_guard", "onboarding.pages.layout"),
    ("layers", "runtime", "onboarding.start_checks"),
    ("layers", "store/links", "onboarding.slack.gateway"),
    ("layers", "changes", "onboarding.services.links"),
    ("layers", "store/links", "onboarding.changes"),
    ("layers", "errors", "onboarding.settings"),
    ("entry-points", "pages/customer/connect", "onboarding.store.links"),
    ("entry-points", "cli/serve", "onboarding.vault"),
    ("entry-points", "jobs/deliver", "onboarding.slack.gateway"),
    ("entry-points", "api/keys", "onboarding.outgoing.queue"),
    ("services", "services/links", "onboarding.services.installs"),
    ("views", "pages/customer/results", "onboarding.pages.customer.connect"),
    ("views", "pages/console/installs", "onboarding.pages.customer.connect"),
    ("views", "pages/customer/answers", "onboarding.pages.customer.results"),
    ("views", "pages/customer/results", "onboarding.pages.probes"),
    ("concurrency", "services/links", "onboarding.concurrency"),
    ("concurrency", "store/links", "onboarding.concurrency"),
    ("practice-imports-nothing", "practice/consent", "onboarding.errors"),
    ("practice-is-not-imported", "web", "onboarding.practice.consent"),
    ("flask", "services/links", "flask"),
    ("flask", "store/links", "werkzeug"),
    ("flask", "errors", "markupsafe"),
    ("sqlalchemy", "services/links", "sqlalchemy"),
    ("sqlalchemy", "practice/consent", "sqlalchemy"),
    ("slack-sdk", "slack/grants", "slack_sdk"),
    ("urllib3", "services/links", "urllib3"),
    ("authlib", "pages/customer/connect", "authlib"),
    ("joserfc", "slack/gateway", "joserfc"),
    ("cryptography", "services/links", "cryptography"),
    ("pillow", "services/links", "PIL"),
    ("babel", "pages/layout", "flask_babel"),
    ("granian", "cli/serve", "granian"),
    ("dbos", "services/links", "dbos"),
    ("standardwebhooks", "services/links", "standardwebhooks"),
    ("pydantic", "pages/customer/connect", "pydantic"),
]


class Linter:
    """import-linter in a process of its own, where `onboarding` is the tree. Starting it takes longest."""

    _PROGRAM = """
import contextlib, io, json, sys
from importlinter.cli import lint_imports_command as lint
for _ in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.suppress(SystemExit):
        lint(["--no-cache", "--no-logo"])
    print(json.dumps(output.getvalue()), flush=True)
"""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.process = subprocess.Popen(
            [sys.executable, "-c", self._PROGRAM], cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def output(self) -> str:
        """Return what `lint-imports` prints for the tree as it is now."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return str(json.loads(self.process.stdout.readline()))


@pytest.fixture(scope="module")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linter]:
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", root)
    for module, imports in TREE.items():
        file = root / "onboarding" / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        (root / "onboarding" / "__init__.py").touch()
        file.write_text(imports)
    started = Linter(root)
    yield started
    started.process.communicate(timeout=60)


def test_a_tree_of_the_planned_shape_keeps_every_rule(linter: Linter) -> None:
    assert _broken(linter) == set()


@pytest.mark.parametrize(("rule", "module", "imported"), PLANTED)
def test_a_planted_import_breaks_its_rule_and_no_other(rule: str, module: str, imported: str, linter: Linter) -> None:
    file = linter.tree / "onboarding" / f"{module}.py"
    kept = file.read_text()
    file.write_text(f"{kept}\nimport {imported}\n")
    try:
        assert _broken(linter) == {rule}
    finally:
        file.write_text(kept)


def test_a_module_without_a_layer_is_refused(linter: Linter) -> None:
    stray = linter.tree / "onboarding" / "stray.py"
    stray.touch()
    try:
        assert _broken(linter) == {"layers"}
    finally:
        stray.unlink()


def test_every_rule_has_a_planted_violation() -> None:
    rules = re.findall(r'^id = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert {rule for rule, *_ in PLANTED} == set(rules)


def _broken(linter: Linter) -> set[str]:
    """Return the ids of the rules that import-linter calls broken."""
    output = linter.output()
    names = re.findall(r'^id = "(.+)"\nname = "(.+)"$', (linter.tree / "pyproject.toml").read_text(), re.MULTILINE)
    broken = {rule for rule, name in names if re.search(rf"^{re.escape(name)} BROKEN", output, re.MULTILINE)}
    assert f"Contracts: {len(names) - len(broken)} kept, {len(broken)} broken." in output, output
    return broken
