"""Every command that changes something leaves an audit entry by the person at the shell, without a secret."""

import json
import os
import pwd

import click
import pytest
from flask import Flask

from onboarding import cli
from onboarding.store.database import Database
from tests.api.conftest import Program
from tests.audit import Entry, entries
from tests.browser_client import Site
from tests.cli.shell import Run
from tests.conftest import KEY, SECRET

pytestmark = pytest.mark.slow

USER = f"shell:{pwd.getpwuid(os.getuid()).pw_name}"
#: Secrets that the commands below receive.
SECRETS = ("secret-of-the-app", "secret-of-requests", "another-secret")
APP = ("acme", "--client-id", "1.1", "--client-secret", SECRETS[0], "--signing-secret", SECRETS[1])

#: Commands in an order that works, with the change that each records: the action, and the detail or name to look for.
CHANGES: list[tuple[tuple[str, ...], list[tuple[str, str]]]] = [
    (("environment", "add", "Production"), [("environment.added", "Production")]),
    (("environment", "set", "Production", "--unknown-subscribers", "refuse"), [("environment.changed", "refuse")]),
    (("integration", "add", *APP), [("integration.added", "acme")]),
    (("integration", "set", "acme", "--client-secret", SECRETS[2], "--name", "Acme"), [("integration.changed", "client_secret, name")]),
    (("link", "create", "--integration", "acme", "--subscriber", "bea"), [("link.created", "invitation")]),
    (("link", "create", "--integration", "acme", "--open"), [("link.created", "open")]),
    (("integration", "remove", "acme"), [("integration.removed", "Acme")]),
    (("integration", "add", "trial", "--practice"), [("integration.added", "trial")]),
    (("api-key", "create", "billing", "--scopes", "links:write"), [("api_key.created", "links:write")]),
    (("api-key", "revoke", "billing"), [("api_key.revoked", "billing")]),
    (("operator", "add", "ada@northwind.test"), [("operator.added", "operator"), ("operator.invited", "ada@northwind.test")]),
    (("operator", "add", "ada@northwind.test", "--role", "viewer"), [("operator.role_changed", "viewer"), ("operator.invited", "viewer")]),
    (("operator", "remove", "ada@northwind.test"), [("operator.removed", "ada@northwind.test")]),
    (("operator", "add", "--slack-user", "T0NORTHWND/U0ADA"), [("operator.added", "T0NORTHWND/U0ADA")]),
    (("operator", "remove", "t0northwnd/u0ada"), [("operator.removed", "T0NORTHWND/U0ADA")]),
    (("operator", "allow-team", "T0NORTHWND"), [("team.allowed", "T0NORTHWND")]),
    (("operator", "remove-team", "T0NORTHWND"), [("team.removed", "T0NORTHWND")]),
    (("integration", "set", "slack-practice", "--sign-in"), [("integration.changed", "sign_in: on")]),
    (("webhook", "add", "http://127.0.0.1:9/hook"), [("webhook.added", "")]),
    (("keys", "rotate"), [("keys.rotated", "values")]),
    (("practice", "clear"), [("practice.cleared", "slack-practice"), ("practice.cleared", "trial")]),
]  # fmt: skip
#: These record no change: they read, serve, call Slack, delete expired rows, or add made-up rows in practice mode.
WITHOUT_CHANGES = {
    "serve",
    "web",
    "worker",
    "sweep",
    "keys generate",
    "connection verify",
    "demo-data",
    "webhook test",
    "webhook deliveries",
}
#: These have a test of their own below.
ELSEWHERE = {"setup", "link revoke", "connection disconnect"}
#: These have a test in tests/cli/test_webhooks.py.
ELSEWHERE |= {f"webhook {name}" for name in ("set", "pause", "resume", "rotate-secret", "remove", "replay")}


def test_each_command_records_its_change_with_the_user_as_actor(run: Run, database: Database) -> None:
    known = entries(database)
    assert {(one.action, one.actor) for one in known} == {("environment.added", USER), ("integration.added", USER)}
    for arguments, expected in CHANGES:
        answer = run(*arguments)
        assert answer.returncode == 0, answer.stderr
        new = [one for one in entries(database) if one not in known]
        assert sorted((one.action, one.actor) for one in new) == sorted((action, USER) for action, _ in expected)
        for action, word in expected:
            assert any(one.action == action and _mentions(one, word) for one in new), (arguments, new)
        known += new
    printed = str(known)
    assert [secret for secret in SECRETS if secret in printed] == []


def test_link_is_revoked_by_the_user(run: Run, database: Database) -> None:
    created = json.loads(
        run("link", "create", "--integration", "slack-practice", "--subscriber", "bea", "--json").stdout
    )
    run("link", "revoke", created["id"])
    recorded = [(one.action, one.actor) for one in entries(database) if one.subject == created["id"]]
    assert recorded == [("link.created", USER), ("link.revoked", USER)]
    assert created["url"].rpartition("/")[2] not in str(entries(database))


def test_disconnect_is_recorded_with_its_result_and_the_workspace(run: Run, site: Site) -> None:
    site.add_practice_app("slack-prod", "Northwind")
    program = Program(site, site.api_key("program"))
    identifier = program.creates().json()["identifier"]
    same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
    run("connection", "disconnect", identifier, **same)
    (entry,) = [one for one in entries(site.runtime.database) if one.action == "connection.disconnected"]
    assert (entry.actor, entry.subject) == (USER, identifier)
    program.client.close()


def test_every_command_is_accounted_for() -> None:
    app = Flask(__name__)
    cli.register(app.cli)
    names = set()
    for name, command in app.cli.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        names |= {f"{name} {one}".strip() for one in inner}
    changing = {
        name for name in names if name.rpartition(" ")[2] not in ("list", "list-teams", "show")
    } - WITHOUT_CHANGES
    tested = {" ".join(arguments[:2]) for arguments, _ in CHANGES} | ELSEWHERE
    assert changing == tested


def _mentions(entry: Entry, word: str) -> bool:
    return word in (entry.subject, entry.subject_name, entry.detail) or word in entry.detail
