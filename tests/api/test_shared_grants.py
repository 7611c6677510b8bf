"""Credentials that several connections share, and what happens when one of them is disconnected."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from onboarding.store import installations
from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Site
from tests.conftest import Clock

LIST = "/v1/channel-connections"
ACME = {"id": "T0ACMEHQ01", "name": "Acme HQ"}


@pytest.fixture
def pair(site: Site, visitor: BrowserClient, program: Program) -> dict[str, str]:
    """Return a rotating pair of tokens, as a caller that migrates to this product has one."""
    visitor.connects(site.link("slack-prod", subscriber_id="before"), scenario="rotation")
    (name,) = program.lists()
    token = program.asks("GET", f"{LIST}/{name}").json()["auth"]["accessToken"]
    assert program.asks("DELETE", f"{LIST}/{name}").status_code == 204
    with site.slack.reading() as ledger:
        (refresh,) = ledger.refresh_tokens
    return {"accessToken": token, "refreshToken": refresh}


def test_token_given_by_the_caller_is_healthy(site: Site, visitor: BrowserClient, program: Program) -> None:
    visitor.connects(site.link("slack-prod"))
    token = program.asks("GET", f"{LIST}/{program.lists()[0]}").json()["auth"]["accessToken"]
    name = program.creates(workspace=ACME, auth={"accessToken": token}).json()["identifier"]
    shown = program.asks("POST", f"{LIST}/{name}/verify").json()
    assert (shown["status"], shown["auth"], "next" in shown) == ("healthy", {"accessToken": token}, False)
    assert shown["checkedAt"] > shown["createdAt"]
    assert shown["updatedAt"] == shown["createdAt"]


def test_refresh_token_without_expiry_means_expired(program: Program) -> None:
    shown = program.creates(auth={"accessToken": "a", "refreshToken": "r"}).json()
    assert shown["auth"]["expiresAt"] == shown["createdAt"]


def test_refresh_for_one_connection_applies_to_all(site: Site, program: Program, pair: dict[str, str]) -> None:
    names = [
        program.creates(subscriberId=subscriber, workspace=ACME, auth=pair).json()["identifier"]
        for subscriber in ("bea", "cy")
    ]
    calls = len(site.slack.calls("oauth.v2.access"))
    first = program.asks("POST", f"{LIST}/{names[0]}/verify").json()
    other = program.asks("GET", f"{LIST}/{names[1]}").json()
    assert len(site.slack.calls("oauth.v2.access")) == calls + 1
    assert first["auth"] == other["auth"]
    assert first["auth"]["accessToken"] != pair["accessToken"]
    assert (first["status"], other["status"]) == ("healthy", "healthy")


def test_each_connection_gets_the_verdict_of_its_own_workspace(
    site: Site, clock: Clock, program: Program, pair: dict[str, str]
) -> None:
    names = [
        program.creates(subscriberId=subscriber, workspace={"id": workspace}, auth=pair).json()["identifier"]
        for subscriber, workspace in (("bea", "T0ACMETEST"), ("cy", ACME["id"]))
    ]
    for name in (*names, *reversed(names)):
        clock.forward(minutes=1)
        assert program.asks("POST", f"{LIST}/{name}/verify").status_code == 200
        wrong, right = (program.asks("GET", f"{LIST}/{one}").json() for one in names)
        assert (wrong["status"], right["status"]) == ("needs_reconnect", "healthy"), name
        assert ACME["id"] in wrong["statusReason"]
    before = right["auth"]
    clock.forward(hours=9)
    with site.runtime.database.rows() as rows:
        due = installations.due(rows, "refresh_at", clock(), 10)
    for installation_id in due:
        site.runtime.token_refresh.refresh(installation_id)
    wrong, right = (program.asks("GET", f"{LIST}/{one}").json() for one in names)
    assert (wrong["status"], right["status"]) == ("needs_reconnect", "healthy")
    assert right["auth"] != before, "the worker still refreshes the token"


def test_caller_that_gives_a_spent_pair_gets_the_current_one(program: Program, pair: dict[str, str]) -> None:
    name = program.creates(workspace=ACME, auth=pair).json()["identifier"]
    now = program.asks("POST", f"{LIST}/{name}/verify").json()["auth"]
    assert program.creates(subscriberId="bea", workspace=ACME, auth=pair).json()["auth"] == now


def test_twenty_concurrent_verifies_refresh_once(site: Site, program: Program, pair: dict[str, str]) -> None:
    names = [program.creates(subscriberId=f"s{n}", workspace=ACME, auth=pair).json()["identifier"] for n in range(4)]
    calls = len(site.slack.calls("oauth.v2.access"))
    with ThreadPoolExecutor(20) as threads:
        asked = [f"{LIST}/{names[index % 4]}/verify" for index in range(20)]
        answers = list(threads.map(lambda address: program.asks("POST", address), asked))
    assert {(answer.status_code, answer.json()["status"]) for answer in answers} == {(200, "healthy")}
    assert len(site.slack.calls("oauth.v2.access")) == calls + 1


@pytest.mark.slow
def test_concurrent_verifies_all_report_that_slack_did_not_answer(
    site: Site, program: Program, pair: dict[str, str]
) -> None:
    name = program.creates(workspace=ACME, auth=pair).json()["identifier"]
    site.slack.answers_slowly("oauth.v2.access", seconds=12)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: program.asks("POST", f"{LIST}/{name}/verify"), range(10)))
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(502, "slack_unreachable")}


@pytest.mark.parametrize("fault", ["status_500", "ratelimited", "internal_error"])
def test_fault_of_slack_leaves_the_pair_unchanged(
    fault: str, site: Site, program: Program, pair: dict[str, str]
) -> None:
    name = program.creates(workspace=ACME, auth=pair).json()["identifier"]
    before = program.asks("GET", f"{LIST}/{name}").json()
    site.slack.fails("oauth.v2.access", fault)
    answer = program.asks("POST", f"{LIST}/{name}/verify")
    assert (answer.status_code, answer.json()["code"]) == (502, "slack_unreachable")
    assert answer.headers.get("Retry-After") == ("5" if fault == "ratelimited" else None)
    assert program.asks("GET", f"{LIST}/{name}").json() == before
    assert program.asks("POST", f"{LIST}/{name}/verify").json()["status"] == "healthy"


def test_pair_is_refreshed_by_the_next_call_after_a_lost_response(
    site: Site, program: Program, pair: dict[str, str]
) -> None:
    name = program.creates(workspace=ACME, auth=pair).json()["identifier"]
    site.slack.drops_connection("oauth.v2.access", after=True)
    assert program.asks("POST", f"{LIST}/{name}/verify").status_code == 502
    assert program.asks("POST", f"{LIST}/{name}/verify").json()["status"] == "healthy"


def test_pair_that_slack_refuses_needs_reconnect_and_is_kept(program: Program) -> None:
    name = program.creates(auth={"accessToken": "a", "refreshToken": "nobody's"}).json()["identifier"]
    shown = program.asks("POST", f"{LIST}/{name}/verify").json()
    assert (shown["status"], shown["auth"]["hasRefreshToken"]) == ("needs_reconnect", True)
    assert shown["statusReason"].startswith("Slack no longer accepts the refresh token")
    assert program.asks("POST", f"{LIST}/{name}/verify").status_code == 200


def test_credentials_are_erased_with_their_last_connection(site: Site, program: Program, pair: dict[str, str]) -> None:
    for subscriber in ("bea", "cy", "dan"):
        program.creates(identifier=subscriber, subscriberId=subscriber, workspace=ACME, auth=pair)
    program.asks("PATCH", f"{LIST}/bea", {"workspace": ACME, "auth": {"accessToken": "of bea alone"}})
    assert _grants(site) == 2
    assert program.asks("POST", f"{LIST}/cy/verify").json()["status"] == "healthy"
    assert program.asks("GET", f"{LIST}/bea").json()["auth"] == {"accessToken": "of bea alone"}
    for name, left in (("cy", 2), ("dan", 1), ("bea", 0)):
        assert program.asks("DELETE", f"{LIST}/{name}").status_code == 204
        assert _grants(site) == left
    assert site.slack.calls("apps.uninstall") == []


def test_replaced_credentials_leave_the_shared_installation_to_the_others(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    for subscriber in ("bea", "cy"):
        visitor.connects(site.link("slack-prod", subscriber_id=subscriber))
    cy, bea = program.lists()
    answer = program.asks("PATCH", f"{LIST}/{bea}", {"workspace": {"id": "T9"}, "auth": {"accessToken": "another"}})
    assert {"scopes", "installedBy", "checkedAt"} & set(answer.json()) == set()
    shown = program.asks("GET", f"{LIST}/{cy}").json()
    assert shown["auth"]["accessToken"].startswith("xoxb-")
    assert (shown["status"], shown["workspace"]["name"]) == ("healthy", "Acme HQ")


def test_twenty_concurrent_replacements_by_one_pair_share_one_grant(site: Site, program: Program) -> None:
    for number in range(20):
        program.creates(identifier=f"c{number}", subscriberId=f"s{number}")
    body = {"workspace": {"id": "T1"}, "auth": {"accessToken": "a", "refreshToken": "r"}}
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda number: program.asks("PATCH", f"{LIST}/c{number}", body), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert _grants(site) == 1


def _grants(site: Site) -> int:
    with site.runtime.database.reading() as session:
        found: int = session.scalar(text("SELECT count(*) FROM installations"))
    return found
