"""Rows are deleted when their time is over, by any worker and by the command, and rows in use stay."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from onboarding.services.connections.records import Auth, NewConnection, Workspace
from onboarding.store import erasure, installations
from onboarding.store.database import Rows
from tests.api.conftest import Program, connection
from tests.audit import entries
from tests.browser_client import BrowserClient, Site
from tests.cli.shell import onboarding
from tests.conftest import KEY, SECRET, Clock
from tests.dump import count
from tests.jobs.conftest import sweeping
from tests.pages.test_approval import link_for_admin
from tests.waiting import until

LIST = "/v1/channel-connections"
PAIR = {"accessToken": "token-of-acme-hq", "refreshToken": "refresh-token-of-acme-hq"}
NAMES = (
    *(
        "ended",
        "accessRevoked",
        "attemptsPurged",
        "linksPurged",
        "answersPurged",
        "eventsPurged",
        "bulkActionsPurged",
        "signInsPurged",
    ),
    *("secretsErased", "installationsErased"),
)
NOTHING = dict.fromkeys(NAMES, 0)


@pytest.fixture
def program(site: Site) -> Program:
    return Program(site, site.api_key("program", "Development"))


def creates(program: Program, **members: object) -> str:
    answer = program.creates(integrationIdentifier="slack-practice", **members)
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["identifier"]
    return name


def orphan_installations(site: Site) -> None:
    """Leave every installation without a connection, as two concurrent disconnects can."""
    with site.runtime.database.transaction() as session:
        session.execute(text("DELETE FROM connection_contexts"))
        session.execute(text("DELETE FROM channel_connections"))


def add_claims(site: Site, number: int) -> None:
    """Add the claims of requests whose process died."""
    environment_id = site.runtime.environments.first().id
    for index in range(number):
        site.runtime.idempotency.begin(environment_id, f"k{index}", "POST", LIST, b"{}")


def sweeps(site: Site, *arguments: str) -> tuple[int, str, str]:
    """Run the command `sweep` in a separate process, which uses the real clock."""
    environment = {
        "PORT": str(site.settings.port),
        "DATABASE_URL": site.settings.database_url.get_secret_value(),
        "INSTANCE": str(site.settings.instance),
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEY,
    }
    done = onboarding(environment, "sweep", *arguments)
    return done.returncode, done.stdout, done.stderr


def test_response_is_kept_for_a_day(site: Site, program: Program, clock: Clock) -> None:
    body = connection(integrationIdentifier="slack-practice")
    made = program.asks("POST", LIST, body, Idempotency_Key="k").json()
    with sweeping(site):
        clock.forward(hours=23.9)
        time.sleep(0.3)
        replay = program.asks("POST", LIST, body, Idempotency_Key="k")
        assert (replay.headers.get("Idempotency-Replay"), replay.json()) == ("true", made)
        clock.forward(hours=0.2)
        assert until(lambda: count(site.runtime.database, "answers") == 0)
    assert program.asks("POST", LIST, body, Idempotency_Key="k").status_code == 409, "the connection is there still"


def test_claim_of_a_dead_process_is_deleted(site: Site, clock: Clock) -> None:
    add_claims(site, 1)
    clock.forward(hours=24)
    with sweeping(site):
        assert until(lambda: count(site.runtime.database, "answers") == 0)


def test_large_table_is_emptied_in_batches(site: Site, clock: Clock) -> None:
    add_claims(site, 1001)
    clock.forward(hours=24)
    assert list(site.runtime.retention.purge_responses()) == [500, 500, 1]


def test_installation_without_connections_is_erased_after_a_day(
    site: Site, program: Program, visitor: BrowserClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.connects(site.link())
    creates(program, auth=PAIR)
    orphan_installations(site)
    with sweeping(site):
        clock.forward(hours=23.9)
        in_use = creates(program, subscriberId="cy")
        time.sleep(0.3)
        assert count(site.runtime.database, "installations") == 3, "not before its time"
        clock.forward(hours=0.2)
        assert until(lambda: count(site.runtime.database, "installations") == 1)
        clock.forward(days=300)
        time.sleep(0.3)
    assert program.asks("GET", f"{LIST}/{in_use}").json()["auth"]["accessToken"] == "token-of-acme-hq"
    assert [one.getMessage() for one in caplog.records if one.name == "onboarding.jobs.sweep"] == []
    noted = [one for one in entries(site.runtime.database) if one.action == "installation.erased"]
    assert {(one.actor, one.detail.partition(":")[0], one.result) for one in noted} == {
        ("system", "api", None),
        ("system", "team", "revoked"),
    }
    assert site.slack.installations() == []


def test_walk_over_many_installations_continues_where_it_stopped(site: Site, program: Program, clock: Clock) -> None:
    creates(program)
    with site.runtime.database.transaction() as session:
        columns = "environment_id, integration_id, origin, app_id, scopes, access_token, token_last_four, token_since"
        for index in range(1100):
            copied = (
                f"INSERT INTO installations (id, slack_key, {columns}) SELECT :id, :id, {columns} FROM installations"  # noqa: S608 - names of ours
            )
            session.execute(text(f"{copied} WHERE slack_key LIKE 'api:%'"), {"id": f"zzz_{index:04d}"})
    clock.forward(hours=24)
    erased = [next(site.runtime.retention.erase_orphaned_installations()) for _ in range(3)]
    assert (sum(erased), max(erased)) == (1100, 500)
    assert count(site.runtime.database, "installations") == 1


@pytest.mark.parametrize("door", ["person", "program"])
def test_install_succeeds_while_its_orphaned_installation_is_erased(
    door: str, site: Site, program: Program, visitor: BrowserClient, clock: Clock
) -> None:
    """Here the sweep locks the row first; in the next test the new connection does."""

    def comes() -> str:
        if door == "program":
            return creates(program, auth=PAIR)
        page = visitor.connects(site.link())
        return page.outcome or f"{page.status}: {page.heading}"

    comes()
    orphan_installations(site)
    clock.forward(hours=24)
    with ThreadPoolExecutor(1) as threads:
        with site.runtime.database.transaction() as session:
            ids = erasure.installation_ids(session, "", 10)
            assert len(erasure.erase_orphaned_installations(session, ids, clock())) == 1
            coming = threads.submit(comes)
            time.sleep(0.5)
        done = coming.result(20)
    assert done == "connected" if door == "person" else done
    (name,) = program.lists()
    assert program.asks("GET", f"{LIST}/{name}").json()["auth"]["accessToken"]


def test_orphaned_installation_that_is_being_connected_stays(site: Site, program: Program, clock: Clock) -> None:
    runtime = site.runtime
    creates(program, auth=PAIR)
    (kept,) = ids_of_installations(site)
    orphan_installations(site)
    clock.forward(hours=24)
    auth = Auth(PAIR["accessToken"], PAIR["refreshToken"])
    new_connection = NewConnection("slack-practice", Workspace("T1"), auth, subscriber_id="ada")
    with ThreadPoolExecutor(1) as threads:
        erasing = []

        def sweeps_before_the_commit(rows: Rows, _made: object) -> None:
            # As if the server had refreshed the pair since: then giving it again does not update the row.
            installations.change(rows, kept, token_since=clock() - timedelta(days=2))
            erasing.append(threads.submit(lambda: list(runtime.retention.erase_orphaned_installations())))
            time.sleep(0.5)

        runtime.connections.create(site.caller(), new_connection, sweeps_before_the_commit)
        assert [one.result(20) for one in erasing] == [[0]]
    assert ids_of_installations(site) == [kept]
    assert program.asks("GET", f"{LIST}/{program.lists()[0]}").json()["auth"]["accessToken"] == "token-of-acme-hq"


def test_attempt_is_kept_for_a_week_and_its_connection_stays(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    link = site.link()
    result = visitor.connects(link)
    assert result.outcome == "connected"
    with sweeping(site):
        clock.forward(days=6.9)
        time.sleep(0.3)
        assert visitor.opens(result.url).outcome == "connected"
        assert visitor.opens(link).outcome == "replay_ok"
        clock.forward(days=0.2)
        assert until(lambda: count(site.runtime.database, "attempts") == 0)
    assert visitor.opens(result.url).outcome == "other_browser"
    assert visitor.opens(link).outcome == "link_used"
    assert count(site.runtime.database, "channel_connections") == 1


def test_attempt_that_ended_late_is_kept_for_a_week_from_its_end(
    site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    clock.forward(days=6)
    late = visitor.allows(consent)
    assert late.outcome == "state_expired"
    with sweeping(site):
        clock.forward(days=6)
        time.sleep(0.3)
        assert visitor.opens(late.url).outcome == "state_expired"
        clock.forward(days=1.1)
        assert until(lambda: count(site.runtime.database, "attempts") == 0)


def test_abandoned_attempts_are_deleted_and_current_ones_stay(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    visitor.presses(visitor.opens(site.link()), "connect")
    clock.forward(days=7, minutes=11)
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    with sweeping(site):
        assert until(lambda: count(site.runtime.database, "attempts") == 1)
        time.sleep(0.3)
    assert visitor.allows(consent).outcome == "connected"


def test_waiting_grant_is_revoked_before_its_attempt_is_deleted(
    site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    link = site.link(subscriber_id="bea", offered_context_keys=("team:a", "team:b"))
    assert visitor.connects(link).name == "setup"
    clock.forward(days=8)
    with sweeping(site):
        assert until(lambda: site.slack.installations() == [])
        time.sleep(0.3)
        assert count(site.runtime.database, "attempts") == 1, "its end is new"
        clock.forward(days=8)
        assert until(lambda: count(site.runtime.database, "attempts") == 0)


@pytest.mark.slow
def test_command_deletes_expired_rows_and_prints_their_number(
    site: Site, program: Program, visitor: BrowserClient, clock: Clock
) -> None:
    clock.forward(days=-8)
    visitor.connects(site.link())
    add_claims(site, 2)
    orphan_installations(site)
    clock.forward(days=8)
    in_use = creates(program, auth=PAIR)
    code, said, complaints = sweeps(site)
    assert (code, complaints) == (0, "")
    assert (
        said
        == "Attempts ended: 0.\nAccess revoked: 0.\nAttempts deleted: 1.\nLinks deleted: 0.\nStored responses deleted: 2.\n"
        "Slack events deleted: 0.\nBulk actions deleted: 0.\nSign-in links and sessions deleted: 0.\nPrevious secrets erased: 0.\n"
        "Installations erased: 1.\n"
    )
    code, said, complaints = sweeps(site, "--json")
    assert (code, json.loads(said), complaints) == (0, NOTHING, "")
    assert program.lists() == [in_use]


@pytest.mark.slow
def test_concurrent_commands_delete_each_row_once(site: Site, program: Program, clock: Clock) -> None:
    clock.forward(days=-2)
    for index in range(30):
        creates(program, subscriberId=f"s{index}")
    orphan_installations(site)
    add_claims(site, 700)
    clock.forward(days=2)
    in_use = creates(program)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: sweeps(site, "--json"), range(4)))
    assert [(code, complaints) for code, _, complaints in done] == [(0, "")] * 4
    counts = [json.loads(said) for _, said, _ in done]
    assert sum(one["answersPurged"] for one in counts) == 700
    assert sum(one["installationsErased"] for one in counts) == 30
    assert (
        count(site.runtime.database, "answers"),
        count(site.runtime.database, "installations"),
        program.lists(),
    ) == (0, 1, [in_use])


@pytest.mark.slow
def test_command_reports_a_failed_step_and_runs_the_others(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    clock.forward(days=-8)
    visitor.connects(site.link())
    orphan_installations(site)
    without_answers(site)
    code, said, complaints = sweeps(site)
    assert (code, said) == (
        1,
        (
            "Attempts ended: 0.\nAccess revoked: 0.\nAttempts deleted: 1.\nLinks deleted: 0.\nSlack events deleted: 0.\nBulk actions deleted: 0.\n"
            "Sign-in links and sessions deleted: 0.\nPrevious secrets erased: 0.\nInstallations erased: 1.\n"
        ),
    )
    assert len(complaints.splitlines()) == 1
    assert complaints.startswith("Error: Stored responses deleted: ")
    code, said, _ = sweeps(site, "--json")
    assert (code, json.loads(said)) == (1, {**NOTHING, "answersPurged": None})


def test_failed_step_is_logged_once_and_the_others_run(
    site: Site, visitor: BrowserClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.connects(site.link())
    orphan_installations(site)
    clock.forward(days=8)
    without_answers(site)
    with sweeping(site):
        assert until(
            lambda: (count(site.runtime.database, "attempts"), count(site.runtime.database, "installations")) == (0, 0)
        )
        time.sleep(0.3)
    lines = [record.getMessage() for record in caplog.records if record.name == "onboarding.jobs.sweep"]
    assert [("answersPurged" in line, "attemptsPurged" in line) for line in lines] == [(True, False)]


def without_answers(site: Site) -> None:
    with site.runtime.database.transaction() as session:
        session.execute(text("ALTER TABLE answers RENAME TO answers_of_before"))


def ids_of_installations(site: Site) -> list[str]:
    with site.runtime.database.reading() as session:
        return list(session.execute(text("SELECT id FROM installations")).scalars())


def purged_links(site: Site) -> int:
    list(site.runtime.retention.purge_attempts())
    return sum(site.runtime.retention.purge_links())


def session_of(program: Program, **members: object) -> str:
    answer = program.asks("POST", "/v1/connect-sessions", {"integrationIdentifier": "slack-practice", **members})
    url: str = answer.json()["url"]
    return url


def test_session_is_deleted_a_week_after_it_expired_and_a_link_90_days_after(
    site: Site, program: Program, visitor: BrowserClient, clock: Clock
) -> None:
    urls = [session_of(program, subscriberId="bea", expiresIn=60), site.link()]
    clock.forward(days=7)
    assert (purged_links(site), visitor.opens(urls[0]).outcome) == (0, "link_expired")
    clock.forward(minutes=1)
    assert purged_links(site) == 1
    assert [visitor.opens(url).outcome for url in urls] == ["link_expired"] * 2
    assert visitor.opens(f"{urls[0]}/manage").outcome == "link_expired"
    clock.forward(days=90, minutes=-2)
    assert purged_links(site) == 0
    clock.forward(minutes=2)
    assert purged_links(site) == 1
    assert visitor.opens(urls[1]).outcome == "link_expired"
    assert count(site.runtime.database, "audit_entries") >= 2


def test_session_stays_as_long_as_its_attempt_and_its_approval(
    site: Site, program: Program, visitor: BrowserClient, clock: Clock
) -> None:
    waiting = visitor.presses(visitor.opens(session_of(program, subscriberId="bea")), "ask-admin")
    connected = session_of(program, subscriberId="cy", expiresIn=60)
    visitor.connects(connected)
    clock.forward(days=6)
    with BrowserClient(site) as admin:
        assert admin.connects(link_for_admin(waiting)).outcome == "connected"
    clock.forward(days=2)
    assert purged_links(site) == 1, "the session of the attempt that is over"
    clock.forward(days=96)
    assert purged_links(site) == 2, "the approval and its session"
    assert count(site.runtime.database, "channel_connections") == 2


def test_sign_ins_are_deleted_a_week_after_their_end(site: Site, operator: BrowserClient, clock: Clock) -> None:
    used = site.sign_in_url("ada@northwind.test")
    clock.forward(days=6)
    list(site.runtime.retention.purge_sign_ins())
    assert "15 minutes" in operator.opens(used).text
    operator.signs_in("ada@northwind.test")
    assert count(site.runtime.database, "sign_ins") == 5
    clock.forward(days=1, minutes=-20)
    list(site.runtime.retention.purge_sign_ins())
    assert count(site.runtime.database, "sign_ins") == 5, "the first session ended later"
    clock.forward(hours=13)
    list(site.runtime.retention.purge_sign_ins())
    assert count(site.runtime.database, "sign_ins") == 2
