"""Each worker sweeps, and together they handle each row once."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from onboarding.jobs import key_uses
from onboarding.store import revocations
from tests import postgres
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.jobs.conftest import sweeping
from tests.store.query_plans import plan, watched
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def waits(site: Site, visitor: BrowserClient, workspace: str = "T0ACMEHQ01") -> Page:
    """Leave a grant waiting on the set-up page."""
    link = site.link(subscriber_id="bea", offered_context_keys=("team:a", "team:b"))
    page = visitor.connects(link, workspace)
    assert page.name == "setup"
    return page


def test_grant_that_waited_too_long_is_revoked(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    page = waits(site, visitor)
    with sweeping(site):
        time.sleep(0.2)
        assert len(site.slack.installations()) == 1, "not before its time"
        clock.forward(minutes=10)
        assert until(lambda: site.slack.installations() == [])
    assert visitor.opens(page.url).outcome == "state_expired"


def test_concurrent_sweeps_revoke_each_grant_once(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    places = ("T0ACMEHQ01", "T0ACMETEST", "T0MERIDESN")
    for place in places:
        waits(site, visitor, place)
    clock.forward(minutes=10)
    with sweeping(site, workers=8):
        assert until(lambda: len(site.slack.calls("auth.revoke")) >= len(places))
        time.sleep(0.3)
    assert len(site.slack.calls("auth.revoke")) == len(places)


def test_last_of_several_grants_of_one_workspace_is_revoked(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    for _ in range(4):
        waits(site, visitor)
    clock.forward(minutes=10)
    with sweeping(site, workers=8):
        assert until(lambda: site.slack.installations() == [])


def test_unreachable_database_is_logged_once_and_a_later_round_catches_up(
    site: Site, visitor: BrowserClient, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    waits(site, visitor)
    clock.forward(minutes=10)
    database = site.runtime.database
    if database.is_sqlite:
        file = Path(database.url.database or "")
        database.close()
        moved = [one.rename(tmp_path / f"away-{one.name}") for one in file.parent.glob(f"{file.name}*")]
        file.mkdir()
    else:
        postgres.drop(site.settings.database_url.get_secret_value())
    with sweeping(site):
        time.sleep(0.6)
        if database.is_sqlite:
            file.rmdir()
            for one in moved:
                one.rename(file.parent / one.name.removeprefix("away-"))
            assert until(lambda: site.slack.installations() == [])
    lines = [record.getMessage() for record in caplog.records if record.name == "onboarding.jobs.sweep"]
    assert [("sweep.database_gone" in line, "\n" in line) for line in lines] == [(True, False)]


def test_access_to_revoke_is_found_in_its_index(site: Site) -> None:
    database = site.runtime.database
    with watched(database) as asked, database.rows() as rows:
        revocations.due(rows, datetime.now(UTC), 10)
    assert "ix_revocations_due_at" in plan(database, *asked[0])


@pytest.mark.once
@pytest.mark.slow
def test_commands_start_no_thread() -> None:
    program = (
        "import app, json, threading; app.create_app(); print(json.dumps([t.name for t in threading.enumerate()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(done.stdout) == ["MainThread"]


def test_grant_that_cannot_be_decrypted_is_dropped(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    page = waits(site, visitor)
    with site.runtime.database.transaction() as session:
        # Sealed for another column.
        session.execute(text("UPDATE attempts SET waiting_grant = (SELECT client_secret FROM integrations)"))
    clock.forward(minutes=10)
    ended = visitor.opens(page.url)
    assert (ended.outcome, ended.status) == ("state_expired", 400)
    with site.runtime.database.reading() as session:
        assert (
            session.scalar(text("SELECT result FROM audit_entries WHERE action = 'grant.dropped'")) == "not_confirmed"
        )


def test_use_of_a_key_is_stored(site: Site) -> None:
    site.runtime.api_keys.authenticate(site.api_key("a program", "Development"))

    def is_stored() -> bool:
        with site.runtime.database.reading() as session:
            return session.scalar(text("SELECT last_used_at FROM api_keys")) is not None

    assert not is_stored()
    stop = key_uses.start(site.runtime, every=0.05)
    assert until(is_stored)
    stop.set()
