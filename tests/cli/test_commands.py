"""The commands as a shell runs them: real arguments and environment variables, the output and the exit code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import Program
from tests.browser_client import Site
from tests.cli.shell import ROOT, Run, bare, is_one_line, onboarding
from tests.conftest import KEY, SECRET

# Starting a process for each command is slow.
pytestmark = pytest.mark.slow

NO_EVENTS = (
    "No signing secret is stored, so Slack's events are refused, and an uninstall is noticed only by a check. "
    "Store one with `integration set --signing-secret -`."
)


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments",
    [(), ("setup",), ("serve",), ("web",), ("integration", "add"), ("link", "create"), ("link", "revoke"), ("operator", "add"),
     ("keys", "generate"), ("practice", "clear"), ("connection", "list"), ("sweep",)],
    ids=" ".join,
)  # fmt: skip
def test_help_works_in_an_empty_environment(arguments: tuple[str, ...]) -> None:
    result = onboarding(bare(), *arguments, "--help")
    assert (result.returncode, "Usage:" in result.stdout) == (0, True)


@pytest.mark.once
def test_keys_generate_prints_a_valid_key_in_an_empty_environment() -> None:
    key = onboarding({**bare(), "PORT": "wrong"}, "keys", "generate").stdout.strip()
    live = {**bare(), "PUBLIC_URL": "https://connect.example.com", "SECRET_KEY": key, "ENCRYPTION_KEYS": key}
    result = onboarding({**live, "DATABASE_URL": "sqlite:////nowhere/x.sqlite3"}, "setup")
    is_one_line(result, "database")


@pytest.mark.once
def test_wrong_setting_ends_a_command_with_one_line() -> None:
    is_one_line(onboarding({**bare(), "PORT": "wrong"}, "setup"), "Error: PORT must be a number from 1 to 65535.")
    is_one_line(
        onboarding({**bare(), "PUBLIC_URL": "https://connect.example.com"}, "setup"), "Error: SECRET_KEY is required"
    )


def test_setup_creates_everything_and_may_be_repeated(run: Run, tmp_path: Path) -> None:
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    assert json.loads(run("setup", "--json", DATABASE_URL=fresh).stdout) == {"environment": "Development"}
    assert json.loads(run("setup", "--json").stdout) == {"environment": "Development"}
    assert run("setup").stdout == "Ready: environment Development.\n"


def test_integration_is_stored_with_its_secrets_from_standard_input(run: Run) -> None:
    asked = ("--client-id", "1.1", "--client-secret", "-", "--signing-secret", "-", "--json")
    result = run("integration", "add", "acme", *asked, typed="secret-one\nsecret-two\n")
    assert result.returncode == 0, result.stderr
    members = json.loads(result.stdout)
    assert members["identifier"] == "acme"
    assert members["redirectUrl"].endswith("/slack/oauth_redirect")
    assert "secret-" not in result.stdout + result.stderr
    plain = run("integration", "add", "other", "--client-id", "2.2", "--client-secret", "s").stdout
    assert f"Register this redirect URL in the Slack app: {members['redirectUrl']}" in plain
    practice = run("integration", "add", "trial", "--practice").stdout
    assert practice == "Stored trial. The practice Slack knows it.\n", "there is no Slack app to register anything in"


def test_client_id_belongs_to_one_integration_of_the_deployment(run: Run) -> None:
    first = run("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "s")
    assert first.returncode == 0
    is_one_line(run("integration", "add", "other", "--client-id", "1.1", "--client-secret", "s"), "client id")
    is_one_line(run("integration", "add", "acme", "--client-id", "2.2", "--client-secret", "s"), "identifier")


def test_real_app_is_not_encrypted_with_the_keys_of_practice_mode(run: Run) -> None:
    """A server that is started with other keys could not decrypt it."""
    result = run("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "s", ENCRYPTION_KEYS="")
    is_one_line(result, "ENCRYPTION_KEYS")
    assert run("integration", "add", "trial", "--practice", SECRET_KEY="", ENCRYPTION_KEYS="").returncode == 0


def test_integration_is_listed_corrected_and_removed(run: Run, site: Site) -> None:
    # The disconnect reaches the practice Slack of this port.
    same = {"DATABASE_URL": site.settings.database_url.get_secret_value(), "PORT": str(site.settings.port)}
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("program", "Development"))
    name = program.creates().json()["identifier"]
    run("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "wrong", **same)
    changed = run(
        "integration",
        "set",
        "acme",
        "--client-secret",
        "-",
        "--scopes",
        "chat:write",
        "--name",
        "Acme",
        typed="right\n",
        **same,
    )
    first, second, last = changed.stdout.splitlines()
    assert (changed.returncode, first, last) == (0, "Changed acme.", NO_EVENTS), changed.stderr
    assert second.startswith("The previous client secret is also tried until 2"), second
    rows = {row["identifier"]: row for row in json.loads(run("integration", "list", "--json", **same).stdout)["data"]}
    assert (rows["acme"]["name"], rows["acme"]["scopes"], rows["acme"]["clientId"]) == ("Acme", ["chat:write"], "1.1")
    assert second.split()[8][:19] == rows["acme"]["previousClientSecretUntil"][:19]
    forgotten = json.loads(run("integration", "set", "acme", "--forget-previous-secrets", "--json", **same).stdout)
    assert (forgotten["previousClientSecretUntil"], forgotten["previousSigningSecretUntil"]) == (None, None)
    listed = run("integration", "list", **same).stdout
    assert ("right" in listed, "no signing secret: no events" in listed) == (False, True)
    is_one_line(run("integration", "set", "acme", **same), "at least one option")
    is_one_line(run("integration", "set", "acme", "--scopes", "chat write", **same), "chat write")
    is_one_line(run("integration", "set", "nobody", "--name", "x", **same), "nobody")
    is_one_line(run("integration", "remove", "slack-prod", **same), "The integration 'slack-prod' has 1 connection.")
    run("connection", "disconnect", name, **same)
    for identifier in ("slack-prod", "acme"):
        assert run("integration", "remove", identifier, **same).stdout == f"Removed {identifier}.\n"
    is_one_line(run("integration", "remove", "acme", **same), "acme")


def test_address_that_events_are_forwarded_to_is_set_and_removed(run: Run) -> None:
    address, change = "http://127.0.0.1:9/slack/events", ("integration", "set", "slack-practice", "--forward-events")
    done = run(*change, address)
    assert done.stdout == f"Changed slack-practice.\nEach event of Slack is also delivered to {address}.\n"
    [row] = json.loads(run("integration", "list", "--json").stdout)["data"]
    assert (row["forwardEvents"], row["hasSigningSecret"], row["appId"]) == (address, True, None)
    is_one_line(run(*change, "http://bot.example.com/slack/events"), "The address for events")
    assert run(*change, "").stdout == "Changed slack-practice.\n"
    [row] = json.loads(run("integration", "list", "--json").stdout)["data"]
    assert row["forwardEvents"] is None


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("acme",), "--client-id"),
        (("acme", "--client-id", "1.1", "--client-secret", "s", "--scopes", "chat write"), "chat write"),
        (("acme", "--practice", "--environment", "Nowhere"), "Nowhere"),
        (("acme", "--client-id", "1.1", "--client-secret", "-"), "client secret"),
        (("acme", "--client-id", "1.1", "--client-secret", "s", "--signing-secret", ""), "signing secret"),
        (("acme", "--client-id", "1.1", "--client-secret", "s", "--scopes", ","), "scope"),
        (("a/b c", "--practice"), "identifier"),
        (("acme", "--practice", "--name", "x" * 101), "name"),
        (("\udcff", "--practice"), "characters"),
    ],
    ids=[
        "no credentials",
        "impossible scope",
        "unknown environment",
        "no secret",
        "no signing secret",
        "no scope",
        "no address",
        "long name",
        "no text",
    ],
)
def test_integration_that_cannot_be_stored_is_refused_in_one_line(
    run: Run, arguments: tuple[str, ...], word: str
) -> None:
    is_one_line(run("integration", "add", *arguments), word)


def test_link_is_an_address_alone_or_one_object(run: Run, environment: dict[str, str]) -> None:
    fixed = ("--integration", "slack-practice", "--subscriber", "bea", "--context", "tenant=acme")
    plain = run("link", "create", *fixed)
    assert plain.stdout.startswith(f"http://127.0.0.1:{environment['PORT']}/connect/")
    assert plain.stdout.count("\n") == 1
    members = json.loads(run("link", "create", *fixed, "--expires-in", "30m", "--json").stdout)
    assert list(members) == ["id", "token", "url", "expiresAt"]
    assert members["expiresAt"].endswith("Z")


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "one customer"),
        (("--subscriber", "bea", "--open"), "open link"),
        (("--subscriber", "a/b"), "subscriber"),
        (("--subscriber", "bea", "--context", "tenant"), "TYPE=ID"),
        (("--context", "ten ant=x"), "TYPE=ID"),
        (("--context", "tenant=a", "--context", "tenant=b"), "once"),
        (("--context", "tenant=a", "--offer-context", "tenant=b"), "offered"),
        (("--offer-context", "tenant=a", "--offer-context", "tenant=b", "--label", "Acme"), "--label"),
        (("--subscriber", "bea", "--mode", "shared"), "context"),
        (("--context", "tenant=a", "--mode", "subscriber"), "subscriber"),
        (("--subscriber", "bea", "--expires-in", "soon"), "30m"),
        (("--subscriber", "bea", "--expires-in", "0m"), "minute"),
        (("--subscriber", "bea", "--expires-in", "999d"), "365"),
        (("--subscriber", "bea", "--expires-in", "999999d"), "365"),
        (("--subscriber", "bea", "--return-url", "javascript:alert(1)"), "https://"),
        (("--subscriber", "bea", "--return-url", "https://[::1"), "host name"),
        (("--subscriber", "\udcff"), "characters"),
    ],
)
def test_link_that_breaks_a_rule_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], word: str) -> None:
    is_one_line(run("link", "create", "--integration", "slack-practice", *arguments), word)


def test_command_before_setup_explains_the_next_step(run: Run, tmp_path: Path) -> None:
    empty = run("operator", "add", "ada@northwind.test", DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    is_one_line(empty, "onboarding setup")


def test_link_of_an_unknown_integration_is_refused(run: Run) -> None:
    is_one_line(run("link", "create", "--integration", "nothing", "--subscriber", "bea"), "nothing")


def test_link_is_revoked_once(run: Run) -> None:
    made = run("link", "create", "--integration", "slack-practice", "--subscriber", "bea", "--json")
    identifier = json.loads(made.stdout)["id"]
    assert json.loads(run("link", "revoke", identifier, "--json").stdout) == {"id": identifier, "revoked": True}
    is_one_line(run("link", "revoke", identifier), identifier)


def test_operator_gets_a_sign_in_link(run: Run, environment: dict[str, str]) -> None:
    result = run("operator", "add", "ada@northwind.test")
    assert result.stdout.startswith(f"http://127.0.0.1:{environment['PORT']}/sign-in/")
    is_one_line(run("operator", "add", "ada"), "email")


def test_operators_are_listed_and_removed(run: Run) -> None:
    assert run("operator", "list").stdout == "Nobody yet.\n"
    run("operator", "add", "ada@northwind.test")
    run("operator", "add", "vera@northwind.test", "--role", "viewer")
    assert run("operator", "list").stdout == "ada@northwind.test  operator\nvera@northwind.test  viewer\n"
    assert run("operator", "remove", "Ada@northwind.test").stdout == "Removed Ada@northwind.test.\n"
    (vera,) = json.loads(run("operator", "list", "--json").stdout)["data"]
    assert (vera.pop("email"), vera.pop("role"), vera.pop("wholeTeam")) == ("vera@northwind.test", "viewer", False)
    assert vera == {"slackUser": None, "name": None, "lastSignInAt": None}
    is_one_line(run("operator", "remove", "ada@northwind.test"), "ada@northwind.test")


def test_key_is_printed_alone_once_and_known_by_its_beginning_after_that(run: Run) -> None:
    key = run("api-key", "create", "billing").stdout
    assert key.startswith("sco_")
    assert key.count("\n") == 1
    made = json.loads(
        run("api-key", "create", "crm", "--scopes", "links:write", "--expires-in", "90d", "--json").stdout
    )
    assert set(made) == {"id", "key", "scopes"}
    result = run("api-key", "list", "--json").stdout
    billing, crm = json.loads(result)["data"]
    assert (billing["name"], billing["beginning"], billing["expiresAt"]) == ("billing", key[:8], None)
    assert (crm["id"], crm["scopes"], crm["lastUsedAt"]) == (made["id"], ["links:write"], None)
    assert "connections:secrets" in billing["scopes"]
    assert crm["expiresAt"].endswith("Z")
    assert key.strip() not in result
    assert made["key"] not in run("api-key", "list").stdout


def test_key_is_revoked_once(run: Run) -> None:
    run("api-key", "create", "billing")
    is_one_line(run("api-key", "create", "billing"), "exists")
    assert json.loads(run("api-key", "revoke", "billing", "--json").stdout) == {"name": "billing", "revoked": True}
    assert "revoked" in run("api-key", "list").stdout
    is_one_line(run("api-key", "revoke", "billing"), "billing")


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("",), "name"),
        ((" billing",), "name"),
        (("new", "--scopes", "chat write"), "chat write"),
        (("new", "--scopes", ""), "--scopes"),
        (("new", "--scopes", ","), "--scopes"),
        (("new", "--expires-in", "soon"), "30m"),
        (("new", "--expires-in", ""), "30m"),
        (("new", "--expires-in", "0m"), "minute"),
        (("new", "--expires-in", "999999d"), "days"),
        (("new", "--environment", "Nowhere"), "Nowhere"),
    ],
)
def test_key_that_breaks_a_rule_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], word: str) -> None:
    """A mistake must not create a key with more scopes, or a longer lifetime, than intended."""
    is_one_line(run("api-key", "create", *arguments), word)


def test_environments_are_added_and_set(run: Run) -> None:
    made = json.loads(run("environment", "add", "Production", "--json").stdout)
    result = run("environment", "set", "Production", "--unknown-subscribers", "refuse", "--json").stdout
    assert json.loads(result) == {"name": "Production", "unknownSubscribers": "refuse"}
    first, second = json.loads(run("environment", "list", "--json").stdout)["data"]
    assert (first["name"], first["unknownSubscribers"]) == ("Development", "create")
    assert second == {"id": made["id"], "name": "Production", "unknownSubscribers": "refuse"}
    run("api-key", "create", "billing", "--environment", "Production")
    assert json.loads(run("api-key", "list", "--json").stdout)["data"] == []


def test_connections_of_an_environment_are_listed_shown_and_disconnected(run: Run, site: Site) -> None:
    def shell(*arguments: str, environment: str = "Production") -> subprocess.CompletedProcess[str]:
        same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
        return run("connection", *arguments, "--environment", environment, **same)

    site.add_environment("Production")
    site.add_practice_app("slack-prod", "Northwind", "Production")
    program = Program(site, site.api_key("program", "Production", (), None))
    made = [program.creates(identifier=f"chconn_{number}", subscriberId=f"s{number}").json() for number in range(26)]
    assert shell("list", environment="Development").stdout == "No connections yet.\n"

    first = json.loads(shell("list", "--json").stdout)
    assert [one["identifier"] for one in first["data"]] == [one["identifier"] for one in reversed(made[1:])]
    result = shell("list").stdout
    assert result.splitlines()[-1] == f"There are more: --after {first['next']}"
    last = json.loads(shell("list", "--json", "--after", first["next"]).stdout)
    hidden = {"accessToken": "", "hasAccessToken": True}
    assert last == {"data": [{**made[0], "auth": hidden}], "next": None}

    shown = shell("show", "chconn_0").stdout
    assert {"auth": hidden, "tokenLastFour": "e-hq", "others": 25}.items() <= json.loads(shown).items()
    assert "token-of-acme-hq" not in result + shown
    is_one_line(shell("show", "chconn_0", environment="Development"), "chconn_0")
    is_one_line(shell("disconnect", "chconn_0", environment="Development"), "chconn_0")
    is_one_line(shell("list", environment="Nowhere"), "Nowhere")

    ended = json.loads(shell("disconnect", "chconn_0", "--json").stdout)
    assert ended == {"identifier": "chconn_0", "result": "kept"}
    is_one_line(shell("disconnect", "chconn_0"), "chconn_0")
    assert "stays in Slack for other connections" in shell("disconnect", "chconn_1").stdout
    program.client.close()


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("add", "Development"), "Development"),
        (("add", ""), "name"),
        (("add", " x"), "name"),
        (("add", "x" * 101), "name"),
        (("set", "Nowhere", "--unknown-subscribers", "refuse"), "Nowhere"),
    ],
)
def test_invalid_environment_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], word: str) -> None:
    is_one_line(run("environment", *arguments), word)


def test_made_up_connections_are_for_practice_mode_only(run: Run) -> None:
    result = run("demo-data", "30", "--json")
    assert json.loads(result.stdout) == {"created": 30}, result.stderr
    page = json.loads(run("connection", "list", "--json").stdout)
    assert (len(page["data"]), page["next"] is None) == (25, False)
    is_one_line(run("demo-data", "1", "--environment", "Nowhere"), "Environment not found: Nowhere")
    run("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "secret")
    is_one_line(run("demo-data", "1"), "practice mode only")


def test_practice_is_cleared(run: Run) -> None:
    run("link", "create", "--integration", "slack-practice", "--subscriber", "bea")
    run("environment", "add", "Production")
    run("integration", "add", "trial", "--practice", "--environment", "Production")
    assert json.loads(run("practice", "clear", "--json").stdout) == {"removed": 2}
    assert json.loads(run("practice", "clear", "--json").stdout) == {"removed": 0}


@pytest.mark.once
def test_the_program_runs_the_commands_that_flask_runs_without_flasks_own() -> None:
    ours, with_flask = _command_names("onboarding"), _command_names("flask", "--app", "app")
    assert "setup" in ours
    assert ours <= with_flask
    assert {"run", "shell", "routes"} <= with_flask - ours


def _command_names(module: str, *options: str) -> set[str]:
    command = [sys.executable, "-m", module, *options, "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  ([a-z-]+)(?:  .*)?$", shown.split("Commands:")[1], re.MULTILINE))
