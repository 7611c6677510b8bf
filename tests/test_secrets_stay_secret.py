"""No code, token, client secret or state is in a log, in the database as plain text, or in a repr."""

import logging
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from sqlalchemy import text

from onboarding.errors import StorageProblem
from tests import dump
from tests.browser_client import BrowserClient, Site

#: The tests' own server and browser log every address; the product's server does not.
_NOT_OURS = ("werkzeug", "httpx", "httpcore")


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(_NOT_OURS):
            self.lines.append(self.format(record))


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Collect every log record, from debug level on."""
    handler, root = Heard(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.fixture
def secrets() -> set[str]:
    """Return the set of secrets that must not appear; the tests add those that they receive."""
    return set()


def test_whole_install_with_its_failures_logs_no_secret(
    heard: Heard, capfd: pytest.CaptureFixture[str], start_site: Callable[..., Site], secrets: set[str]
) -> None:
    site = start_site(log_level="debug")
    faults = ("", "invalid_code", "bad_client_secret", "internal_error", "ratelimited", "html_502", "reset")
    for fault in faults:
        with BrowserClient(site) as person:
            _walk(site, person, fault, secrets)
    with site.slack.reading() as ledger:
        secrets |= set(ledger.tokens) | set(ledger.codes)
    secrets |= _client_secrets(site)
    structlog.get_logger("tests").debug("heard")
    said = "\n".join(heard.lines) + "".join(capfd.readouterr())
    assert "heard" in said
    assert len(secrets) > 2 * len(faults)
    for secret in secrets:
        assert secret not in said, said[max(0, said.index(secret) - 300) : said.index(secret)]
    assert "xoxb-" not in said


def test_database_contains_no_secret_in_plain_text(
    site: Site, visitor: BrowserClient, operator: BrowserClient, secrets: set[str]
) -> None:
    _walk(site, visitor, "", secrets)
    waiting = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"))
    assert waiting.name == "setup"
    with site.slack.reading() as ledger:
        secrets |= set(ledger.tokens) | set(ledger.codes)
    secrets |= _client_secrets(site)
    invited = site.sign_in_url("ada@northwind.test").rsplit("/", 1)[1]
    secrets |= {invited, site.link().rsplit("/", 1)[1]}
    assert b"xoxb-" not in dump.contents(site.runtime.database)
    assert dump.readable(site.runtime.database, secrets) == []


def test_reprs_of_collaborators_show_no_secret(site: Site) -> None:
    shown = repr(site.runtime) + repr(site.runtime.settings)
    secrets = {*_client_secrets(site), *site.runtime.settings.signing_keys}
    secrets.add(site.settings.encryption_keys.get_secret_value())
    assert not [secret for secret in secrets if secret in shown]


def test_error_messages_of_the_database_contain_no_value(site: Site) -> None:
    with pytest.raises(StorageProblem) as wrong, site.runtime.database.reading() as session:
        session.execute(text("SELECT nothing FROM nowhere WHERE a = :value"), {"value": "xoxb-secret"}).all()
    assert wrong.value.__cause__ is not None
    assert "xoxb-secret" not in str(wrong.value) + str(wrong.value.__cause__)


def _walk(site: Site, person: BrowserClient, fault: str, secrets: set[str]) -> None:
    """Run one install through HTTP, step by step, and keep the parameters of each redirect."""
    if fault:
        site.slack.fails("oauth.v2.access", fault)
    start = person.opens(site.link(subscriber_id=f"bea{fault}", mode="subscriber"))
    away = person.asks("POST", start.url, data={"csrf_token": start.csrf_token}).headers["Location"]
    secrets.update(parse_qs(urlsplit(away).query)["state"])
    end = person.allows(person.opens(away))
    assert bool(fault) == (end.outcome != "connected"), (fault, end.outcome)


def _client_secrets(site: Site) -> set[str]:
    with site.runtime.database.reading() as session:
        known = session.execute(text("SELECT client_id FROM integrations")).scalars().all()
    found = {site.runtime.practice.registration(client_id) for client_id in known}
    return {secret for one in found if one for secret in (one.client_secret, one.signing_secret)}


def test_unexpected_fault_is_logged_without_the_link(heard: Heard, site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    with site.runtime.database.transaction() as session:
        session.execute(text("UPDATE links SET context_keys = 'no JSON'"))
    assert visitor.opens(link).status == 500
    said = "\n".join(heard.lines)
    assert "request.failed" in said
    assert "JSONDecodeError" in said
    assert link.rsplit("/", 1)[1] not in said
