"""`keys rotate` while requests are served: no read fails, and afterwards the older key is not needed any more."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from onboarding.kept_keys import generate_key
from tests.browser_client import BrowserClient, Site
from tests.cli.shell import Run
from tests.conftest import KEY, SECRET
from tests.programs import Program

pytestmark = pytest.mark.slow

FAST = {"api_rate_limit": 100_000}
PAIR = {"accessToken": "xoxe.xoxb-1-access", "refreshToken": "xoxe-1-refresh"}


def connects(program: Program, number: int) -> None:
    given = {"integrationIdentifier": "slack-practice", "subscriberId": f"s{number}"}
    assert program.creates(**given, auth={**PAIR, "refreshToken": f"xoxe-1-refresh-{number}"}).status_code == 201


def test_values_are_encrypted_again_while_they_are_read(start_site: Callable[..., Site], run: Run) -> None:
    new = generate_key()
    site = start_site(**FAST, encryption_keys=SecretStr(f"{new},{KEY}"))
    older = start_site(**FAST, encryption_keys=SecretStr(f"{KEY},{new}"))
    program = Program(site, site.api_key("program"))
    with BrowserClient(older) as browser:
        browser.connects(older.link(mode="subscriber", subscriber_id="bea"))
    by_older_key = Program(older, program.key)
    for number in range(120):
        connects(by_older_key, number)
    expected = {one["identifier"]: one["auth"] for one in _all(program)}
    failures: list[Any] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            failures.extend(one for one in _all(program) if one["auth"] != expected[one["identifier"]])

    reader = threading.Thread(target=read)
    reader.start()
    settings = {"SECRET_KEY": SECRET, "PORT": str(site.settings.port)}
    rotated = run("keys", "rotate", "--json", **settings, ENCRYPTION_KEYS=f"{new},{KEY}")
    stop.set()
    reader.join()
    assert (rotated.returncode, json.loads(rotated.stdout)["left"], failures) == (0, 0, []), rotated.stderr
    # The client and the signing secret of the practice app, and the tokens of 121 connections.
    assert json.loads(rotated.stdout)["encrypted"] >= 2 + 121 + 120
    with_new_key = start_site(**FAST, encryption_keys=SecretStr(new))
    alone = Program(with_new_key, program.key)
    assert {one["identifier"]: one["auth"] for one in _all(alone)} == expected
    assert json.loads(run("keys", "rotate", "--json", **settings, ENCRYPTION_KEYS=new).stdout)["encrypted"] == 0
    same = alone.creates(
        integrationIdentifier="slack-practice", subscriberId="other", auth={**PAIR, "refreshToken": "xoxe-1-refresh-7"}
    )
    assert same.status_code == 201
    with with_new_key.runtime.database.engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT COUNT(DISTINCT installation_id) FROM channel_connections").scalar()
    assert count == 121, "a refresh token that is known is recognized with the new key"
    for one in (program, by_older_key, alone):
        one.client.close()


def test_value_without_its_key_is_reported_and_kept(start_site: Callable[..., Site], run: Run) -> None:
    new = generate_key()
    site = start_site()
    failed = run("keys", "rotate", SECRET_KEY=SECRET, ENCRYPTION_KEYS=new, PORT=str(site.settings.port))
    assert failed.returncode == 1
    assert "Values that no key of ENCRYPTION_KEYS decrypts: 2." in failed.stdout
    assert run("keys", "rotate", "--json", SECRET_KEY=SECRET, ENCRYPTION_KEYS=KEY).returncode == 0


def _all(program: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = program.asks("GET", f"/v1/channel-connections?limit=100{after}").json()
        found += page["data"]
        if not page["next"]:
            return found
        after = f"&after={page['next']}"
