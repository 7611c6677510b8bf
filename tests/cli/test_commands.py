"""The commands as a shell runs them: real arguments, an environment of their own, what is printed and the exit code."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from onboarding import runtime, settings
from onboarding.cli.setup import set_up
from tests.api.conftest import Program
from tests.cli.shell import ROOT, flask
from tests.conftest import KEY, SECRET
from tests.people import Site
from tests.waiting import until

# A process for each command takes its time.
pytestmark = pytest.mark.slow

FLASK = shutil.which("flask", path=str(Path(sys.executable).parent)) or "flask"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """A deployment in practice mode that is set up, with a port of its own."""
    given = {**_bare(), "INSTANCE": str(tmp_path / "instance"), "DATABASE_URL": database_url, "PORT": str(_free_port())}
    built = runtime.build(settings.from_environ(given))
    set_up(built)
    built.database.close()
    return given


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def command(*arguments: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return flask({**environment, **more}, *arguments, typed=typed)

    return command


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments",
    [(), ("setup",), ("serve",), ("web",), ("integration", "add"), ("link", "create"), ("link", "revoke"), ("operator", "add"),
     ("keys", "generate"), ("practice", "clear"), ("connection", "list"), ("sweep",)],
    ids=" ".join,
)  # fmt: skip
def test_help_works_in_an_empty_environment(arguments: tuple[str, ...]) -> None:
    told = flask(_bare(), *arguments, "--help")
    assert (told.returncode, "Usage:" in told.stdout) == (0, True)


@pytest.mark.once
def test_keys_generate_prints_a_key_that_does_in_an_empty_environment() -> None:
    key = flask({**_bare(), "PORT": "wrong"}, "keys", "generate").stdout.strip()
    live = {**_bare(), "PUBLIC_URL": "https://connect.example.com", "SECRET_KEY": key, "ENCRYPTION_KEYS": key}
    told = flask({**live, "DATABASE_URL": "sqlite:////nowhere/x.sqlite3"}, "setup")
    _is_one_line(told, "database")


@pytest.mark.once
def test_wrong_setting_ends_a_command_with_one_line() -> None:
    _is_one_line(flask({**_bare(), "PORT": "wrong"}, "setup"), "PORT:")
    _is_one_line(flask({**_bare(), "PUBLIC_URL": "https://connect.example.com"}, "setup"), "SECRET_KEY:")


def test_setup_makes_everything_and_may_be_repeated(run: Run, tmp_path: Path) -> None:
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    assert json.loads(run("setup", "--json", DATABASE_URL=fresh).stdout) == {"environment": "Development"}
    assert json.loads(run("setup", "--json").stdout) == {"environment": "Development"}
    assert run("setup").stdout == "Ready: environment Development.\n"


def test_integration_is_stored_with_its_secrets_from_standard_input(run: Run) -> None:
    asked = ("--client-id", "1.1", "--client-secret", "-", "--signing-secret", "-", "--json")
    told = run("integration", "add", "acme", *asked, typed="secret-one\nsecret-two\n")
    assert told.returncode == 0, told.stderr
    members = json.loads(told.stdout)
    assert members["identifier"] == "acme"
    assert members["redirectUrl"].endswith("/slack/oauth_redirect")
    assert "secret-" not in told.stdout + told.stderr
    plain = run("integration", "add", "other", "--client-id", "2.2", "--client-secret", "s").stdout
    assert f"Register this redirect URL in the Slack app: {members['redirectUrl']}" in plain
    practice = run("integration", "add", "trial", "--practice").stdout
    assert practice == "Stored trial. The practice Slack knows it.\n", "there is no Slack app to register anything in"


def test_client_id_belongs_to_one_integration_of_the_deployment(run: Run) -> None:
    first = run("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "s")
    assert first.returncode == 0
    _is_one_line(run("integration", "add", "other", "--client-id", "1.1", "--client-secret", "s"), "client id")
    _is_one_line(run("integration", "add", "acme", "--client-id", "2.2", "--client-secret", "s"), "identifier")


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("acme",), "--client-id"),
        (("acme", "--client-id", "1.1", "--client-secret", "s", "--scopes", "made:up"), "made:up"),
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
        "unknown scope",
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
    _is_one_line(run("integration", "add", *arguments), word)


def test_link_is_an_address_alone_or_one_object(run: Run, environment: dict[str, str]) -> None:
    fixed = ("--integration", "slack-practice", "--subscriber", "bea", "--context", "tenant=acme")
    plain = run("link", "create", *fixed)
    assert plain.stdout.startswith(f"http://127.0.0.1:{environment['PORT']}/connect/")
    assert plain.stdout.count("\n") == 1
    members = json.loads(run("link", "create", *fixed, "--expires-in", "30m", "--json").stdout)
    assert set(members) == {"id", "url", "expiresAt"}
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
        (("--subscriber", "bea", "--mode", "shared"), "context"),
        (("--context", "tenant=a", "--mode", "subscriber"), "subscriber"),
        (("--subscriber", "bea", "--expires-in", "soon"), "30m"),
        (("--subscriber", "bea", "--expires-in", "0m"), "minute"),
        (("--subscriber", "bea", "--expires-in", "999d"), "365"),
        (("--subscriber", "bea", "--expires-in", "999999d"), "365"),
        (("--subscriber", "bea", "--return-url", "javascript:alert(1)"), "https://"),
        (("--subscriber", "bea", "--return-url", "https://[::1"), "https://"),
        (("--subscriber", "\udcff"), "characters"),
    ],
)
def test_link_that_breaks_a_rule_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], word: str) -> None:
    _is_one_line(run("link", "create", "--integration", "slack-practice", *arguments), word)


def test_command_before_setup_says_what_to_do(run: Run, tmp_path: Path) -> None:
    empty = run("operator", "add", "ada@northwind.test", DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    _is_one_line(empty, "flask --app app setup")


def test_link_of_an_unknown_integration_is_refused(run: Run) -> None:
    _is_one_line(run("link", "create", "--integration", "nothing", "--subscriber", "bea"), "nothing")


def test_link_is_revoked_once(run: Run) -> None:
    made = run("link", "create", "--integration", "slack-practice", "--subscriber", "bea", "--json")
    identifier = json.loads(made.stdout)["id"]
    assert json.loads(run("link", "revoke", identifier, "--json").stdout) == {"id": identifier, "revoked": True}
    _is_one_line(run("link", "revoke", identifier), identifier)


def test_operator_gets_a_sign_in_link(run: Run, environment: dict[str, str]) -> None:
    told = run("operator", "add", "ada@northwind.test")
    assert told.stdout.startswith(f"http://127.0.0.1:{environment['PORT']}/sign-in/")
    _is_one_line(run("operator", "add", "ada"), "e-mail")


def test_key_is_printed_alone_once_and_known_by_its_beginning_after_that(run: Run) -> None:
    key = run("api-key", "create", "billing").stdout
    assert key.startswith("sco_")
    assert key.count("\n") == 1
    made = json.loads(
        run("api-key", "create", "crm", "--scopes", "links:write", "--expires-in", "90d", "--json").stdout
    )
    assert set(made) == {"id", "key", "scopes"}
    told = run("api-key", "list", "--json").stdout
    billing, crm = json.loads(told)["data"]
    assert (billing["name"], billing["beginning"], billing["expiresAt"]) == ("billing", key[:8], None)
    assert (crm["id"], crm["scopes"], crm["lastUsedAt"]) == (made["id"], ["links:write"], None)
    assert "connections:secrets" in billing["scopes"]
    assert crm["expiresAt"].endswith("Z")
    assert key.strip() not in told
    assert made["key"] not in run("api-key", "list").stdout


def test_key_is_revoked_once(run: Run) -> None:
    run("api-key", "create", "billing")
    _is_one_line(run("api-key", "create", "billing"), "exists")
    assert json.loads(run("api-key", "revoke", "billing", "--json").stdout) == {"name": "billing", "revoked": True}
    assert "revoked" in run("api-key", "list").stdout
    _is_one_line(run("api-key", "revoke", "billing"), "billing")


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("",), "name"),
        ((" billing",), "name"),
        (("new", "--scopes", "made:up"), "made:up"),
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
    """Least of all may a slip make a key that may do more, or lives longer, than was meant."""
    _is_one_line(run("api-key", "create", *arguments), word)


def test_environments_are_made_and_set(run: Run) -> None:
    made = json.loads(run("environment", "add", "Production", "--json").stdout)
    told = run("environment", "set", "Production", "--unknown-subscribers", "refuse", "--json").stdout
    assert json.loads(told) == {"name": "Production", "unknownSubscribers": "refuse"}
    first, second = json.loads(run("environment", "list", "--json").stdout)["data"]
    assert (first["name"], first["unknownSubscribers"]) == ("Development", "create")
    assert second == {"id": made["id"], "name": "Production", "unknownSubscribers": "refuse"}
    run("api-key", "create", "billing", "--environment", "Production")
    assert json.loads(run("api-key", "list", "--json").stdout)["data"] == []


def test_connections_of_an_environment_are_listed_shown_and_disconnected(run: Run, site: Site) -> None:
    def shell(*arguments: str, environment: str = "Production") -> subprocess.CompletedProcess[str]:
        same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
        return run("connection", *arguments, "--environment", environment, **same)

    site.runtime.environments.add("Production")
    site.runtime.integrations.add_practice("slack-prod", "Northwind", "Production")
    program = Program(site, site.runtime.api_keys.create("program", "Production", (), None).key)
    made = [program.creates(identifier=f"chconn_{number}", subscriberId=f"s{number}").json() for number in range(26)]
    assert shell("list", environment="Development").stdout == "No connections yet.\n"

    first = json.loads(shell("list", "--json").stdout)
    assert [one["identifier"] for one in first["data"]] == [one["identifier"] for one in reversed(made[1:])]
    told = shell("list").stdout
    assert told.splitlines()[-1] == f"There are more: --after {first['next']}"
    last = json.loads(shell("list", "--json", "--after", first["next"]).stdout)
    hidden = {"accessToken": "", "hasAccessToken": True}
    assert last == {"data": [{**made[0], "auth": hidden}], "next": None}

    shown = shell("show", "chconn_0").stdout
    assert {"auth": hidden, "tokenLastFour": "e-hq", "others": 25}.items() <= json.loads(shown).items()
    assert "token-of-acme-hq" not in told + shown
    _is_one_line(shell("show", "chconn_0", environment="Development"), "chconn_0")
    _is_one_line(shell("disconnect", "chconn_0", environment="Development"), "chconn_0")
    _is_one_line(shell("list", environment="Nowhere"), "Nowhere")

    ended = json.loads(shell("disconnect", "chconn_0", "--json").stdout)
    assert ended == {"identifier": "chconn_0", "result": "kept"}
    _is_one_line(shell("disconnect", "chconn_0"), "chconn_0")
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
def test_environment_that_does_not_do_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], word: str) -> None:
    _is_one_line(run("environment", *arguments), word)


def test_practice_is_cleared(run: Run) -> None:
    run("link", "create", "--integration", "slack-practice", "--subscriber", "bea")
    run("environment", "add", "Production")
    run("integration", "add", "trial", "--practice", "--environment", "Production")
    assert json.loads(run("practice", "clear", "--json").stdout) == {"removed": 2}
    assert json.loads(run("practice", "clear", "--json").stdout) == {"removed": 0}


def test_real_integration_ends_practice_and_the_server_wants_keys_of_its_own(run: Run) -> None:
    run("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "s")
    _is_one_line(run("serve"), "SECRET_KEY")
    _is_one_line(run("web"), "SECRET_KEY")


def test_practice_world_that_cannot_be_read_is_one_line(run: Run, environment: dict[str, str]) -> None:
    (Path(environment["INSTANCE"]) / "practice.json").write_text("{}")
    _is_one_line(run("web"), "Delete it to start anew")
    told = run("serve")
    assert (told.returncode, "Delete it to start anew" in told.stderr, "Traceback" in told.stderr) == (1, True, False)


def test_server_alone_wants_a_database_that_is_set_up(run: Run, tmp_path: Path) -> None:
    _is_one_line(
        run("web", DATABASE_URL=f"sqlite:///{tmp_path / 'fresh.sqlite3'}"), "Run `flask --app app setup` first."
    )


def test_server_alone_ends_cleanly_and_without_a_worker_left(environment: dict[str, str]) -> None:
    live = {
        **environment,
        "PRACTICE": "off",
        "SECRET_KEY": settings.generate_key(),
        "ENCRYPTION_KEYS": settings.generate_key(),
    }
    server = subprocess.Popen([FLASK, "--app", "app", "web", "--workers", "2"], cwd=ROOT, env=live)
    try:
        assert until(lambda: _answers(environment["PORT"]), 30)
    finally:
        server.terminate()
    assert server.wait(20) == 0
    assert not _answers(environment["PORT"])


def test_taken_port_is_one_line(run: Run, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["PORT"])))
        taken.listen()
        _is_one_line(run("serve"), "PORT:")
        _is_one_line(run("web"), "PORT:")


def test_serve_says_where_it_is_and_ends_cleanly(serving: tuple[subprocess.Popen[str], str], run: Run) -> None:
    server, origin = serving
    assert httpx.get(f"{origin}/readyz", trust_env=False).status_code == 200
    # The practice Slack's world is in that process's memory: a second one is refused.
    second = run("serve", PORT=str(_free_port()))
    assert second.returncode != 0
    assert "/sign-in/" not in second.stdout, "an address that nobody answers at is not told"
    assert "one web process" in second.stderr
    assert f"The server ended before it answered (exit code {second.returncode})." in second.stderr
    assert "Traceback" not in second.stderr
    server.send_signal(signal.SIGINT)
    _, complaints = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "Traceback" not in complaints


@pytest.fixture
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    server = subprocess.Popen(
        [FLASK, "--app", "app", "serve"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    origin = f"http://127.0.0.1:{environment['PORT']}"
    try:
        assert server.stdout is not None
        told = [server.stdout.readline() for _ in range(4)]
        assert any(f"{origin}/sign-in/" in line for line in told), told
        assert httpx.get(f"{origin}/healthz", trust_env=False).status_code == 200, "it answers once it says where it is"
        yield server, origin
    finally:
        if server.poll() is None:
            server.terminate()
            server.communicate(timeout=20)


def _answers(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _bare() -> dict[str, str]:
    """No setting of ours, nor of the person who runs the tests."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def _is_one_line(told: subprocess.CompletedProcess[str], word: str) -> None:
    assert told.returncode != 0, told.stdout
    assert "Traceback" not in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1, told.stderr
    assert word.lower() in told.stderr.lower()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
