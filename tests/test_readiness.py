"""The server does not start with keys that open nothing, and `/readyz` notices them."""

from collections.abc import Callable

from pydantic import SecretStr
from sqlalchemy import text

from onboarding import start_checks
from onboarding.errors import SettingsProblem
from onboarding.services import readiness
from tests.browser_client import Site, client_of
from tests.conftest import KEY

_OTHER_KEY = "Tz8w3RkXv6Yp0sLm9Bn4Hc7Jd2Fg5TaUeIoKqWxZ0q1="


def _refusal(site: Site) -> str:
    try:
        start_checks.check_ready(site.runtime, keys_are_given=True)
    except SettingsProblem as problem:
        return problem.sentence
    return ""


def _status(site: Site) -> tuple[int, str]:
    with client_of(site) as probe:
        answer = probe.get("/readyz")
        return answer.status_code, answer.json()["status"]


def test_keys_that_open_nothing_are_refused_at_the_start_and_by_readyz(
    site: Site, start_site: Callable[..., Site]
) -> None:
    assert (_refusal(site), _status(site)) == ("", (200, "ready"))
    stranger = start_site(encryption_keys=SecretStr(_OTHER_KEY))
    assert _refusal(stranger).startswith("ENCRYPTION_KEYS: these keys decrypt none")
    assert "\n" not in _refusal(stranger)
    assert _status(stranger) == (503, "the encryption keys decrypt none of the stored secrets")


def test_older_key_opens_what_it_encrypted(site: Site, start_site: Callable[..., Site]) -> None:
    assert _refusal(site) == ""
    rotated = start_site(encryption_keys=SecretStr(f"{_OTHER_KEY},{KEY}"))
    assert (_refusal(rotated), _status(rotated)[0]) == ("", 200)


def test_one_damaged_secret_stops_no_server(site: Site) -> None:
    site.add_practice_app("slack-two", "Northwind", "Development")
    _damage(site, "slack-two")
    assert (_refusal(site), _status(site)[0]) == ("", 200)


def test_readyz_remembers_the_key_check_for_ten_seconds(site: Site) -> None:
    assert _status(site)[0] == 200
    _damage(site, "slack-practice")
    assert _status(site)[0] == 200
    site.runtime.readiness._until -= readiness._KEYS_REMEMBERED_SECONDS
    assert _status(site)[0] == 503


def _damage(site: Site, identifier: str) -> None:
    with site.runtime.database.transaction() as session:
        session.execute(
            text("UPDATE integrations SET client_secret = :junk WHERE identifier = :name"),
            {"junk": b"\xff" * 60, "name": identifier},
        )
