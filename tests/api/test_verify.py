"""The check of a connection's token, also by concurrent callers, and the status that it leads to."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Site
from tests.conftest import Clock
from tests.waiting import until

LIST = "/v1/channel-connections"


def test_refused_token_needs_reconnect_with_a_reason(program: Program) -> None:
    name = program.creates().json()["identifier"]
    answer = program.asks("POST", f"{LIST}/{name}/verify")
    shown = answer.json()
    assert (answer.status_code, shown["status"], shown["next"]) == (200, "needs_reconnect", ["reconnect"])
    assert shown["statusReason"] == "Access was revoked, or the app was removed from the workspace."
    assert shown["checkedAt"]
    assert shown["auth"] == {"accessToken": "token-of-acme-hq"}


def test_token_of_another_workspace_is_reported_and_never_revoked(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    """Another connection may use it, even if the caller named another workspace."""
    visitor.connects(site.link("slack-prod", subscriber_id="bea"))
    (used,) = program.lists()
    auth = {"accessToken": program.asks("GET", f"{LIST}/{used}").json()["auth"]["accessToken"]}
    program.creates(identifier="mistaken", workspace={"id": "TOTHER"}, auth=auth)
    shown = program.asks("POST", f"{LIST}/mistaken/verify").json()
    assert (shown["status"], shown["next"]) == ("needs_reconnect", ["reconnect"])
    assert shown["statusReason"] == "The token belongs to another workspace: T0ACMEHQ01."
    assert program.asks("DELETE", f"{LIST}/mistaken?revoke=true").status_code == 204
    assert site.slack.calls("auth.revoke") == []
    assert program.asks("POST", f"{LIST}/{used}/verify").json()["status"] == "healthy"


def test_fault_of_slack_changes_nothing(site: Site, visitor: BrowserClient, program: Program) -> None:
    visitor.connects(site.link("slack-prod"))
    (name,) = program.lists()
    before = program.asks("GET", f"{LIST}/{name}").json()
    for fault in ("status_500", "reset", "ratelimited", "internal_error"):
        site.slack.fails("auth.test", fault)
        assert program.asks("POST", f"{LIST}/{name}/verify").status_code == 502
    assert program.asks("GET", f"{LIST}/{name}").json() == before


def test_twenty_verifies_of_a_rotating_token_refresh_it_once(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    visitor.connects(site.link("slack-prod"), scenario="rotation")
    (name,) = program.lists()
    before = program.asks("GET", f"{LIST}/{name}").json()["auth"]
    calls = len(site.slack.calls("oauth.v2.access"))
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _index: program.asks("POST", f"{LIST}/{name}/verify"), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["status"] for answer in answers} == {"healthy"}
    refreshed = len(site.slack.calls("oauth.v2.access")) - calls
    tokens = {answer.json()["auth"]["accessToken"] for answer in answers}
    assert before["accessToken"] not in tokens
    assert refreshed == len(tokens) == 1


def test_app_removed_right_after_a_refresh_is_reported(site: Site, visitor: BrowserClient, program: Program) -> None:
    visitor.connects(site.link("slack-prod"), scenario="rotation")
    (name,) = program.lists()
    assert program.asks("POST", f"{LIST}/{name}/verify").json()["status"] == "healthy"
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    assert program.asks("POST", f"{LIST}/{name}/verify").json()["status"] == "needs_reconnect"


def test_disconnect_does_not_spend_the_pair_of_another_workspace(
    site: Site, visitor: BrowserClient, program: Program
) -> None:
    visitor.connects(site.link("slack-prod", subscriber_id="bea"), scenario="rotation")
    with site.slack.reading() as ledger:
        (refresh_token,), (access_token,) = ledger.refresh_tokens, ledger.tokens
    auth = {"accessToken": access_token, "refreshToken": refresh_token}
    program.creates(identifier="mistaken", workspace={"id": "TOTHER"}, auth=auth)
    calls = len(site.slack.calls("oauth.v2.access"))
    assert program.asks("DELETE", f"{LIST}/mistaken?revoke=true").status_code == 204
    assert len(site.slack.calls("oauth.v2.access")) == calls
    assert len(site.slack.installations()) == 1


@pytest.mark.parametrize("fault", ["internal_error", "status_500"])
def test_disconnect_revokes_nothing_while_slack_does_not_say_whose_token_it_is(
    fault: str, site: Site, visitor: BrowserClient, program: Program
) -> None:
    visitor.connects(site.link("slack-prod", subscriber_id="bea"))
    (used,) = program.lists()
    auth = {"accessToken": program.asks("GET", f"{LIST}/{used}").json()["auth"]["accessToken"]}
    program.creates(identifier="mistaken", workspace={"id": "TOTHER"}, auth=auth)
    site.slack.fails("auth.test", fault)
    assert program.asks("DELETE", f"{LIST}/mistaken?revoke=true").status_code == 204
    assert site.slack.calls("auth.revoke") == []
    assert program.asks("POST", f"{LIST}/{used}/verify").json()["status"] == "healthy"


def test_rotating_token_of_another_workspace_is_reported(site: Site, visitor: BrowserClient, program: Program) -> None:
    """The new pair is stored: the one before is spent."""
    visitor.connects(site.link("slack-prod", subscriber_id="bea"), scenario="rotation")
    with site.slack.reading() as ledger:
        (refresh_token,) = ledger.refresh_tokens
    auth = {"accessToken": "whatever-it-was", "refreshToken": refresh_token}
    program.creates(identifier="mistaken", workspace={"id": "TOTHER"}, auth=auth)
    shown = program.asks("POST", f"{LIST}/mistaken/verify").json()
    assert shown["statusReason"] == "The token belongs to another workspace: T0ACMEHQ01."
    assert shown["auth"]["accessToken"].startswith("xoxe.xoxb-")


@pytest.mark.parametrize("scenario", ["", "rotation"])
def test_verdict_on_a_token_that_was_replaced_is_dropped(
    scenario: str, site: Site, visitor: BrowserClient, program: Program
) -> None:
    visitor.connects(site.link("slack-prod", subscriber_id="bea"), scenario=scenario)
    (name,) = program.lists()
    method = "oauth.v2.access" if scenario else "auth.test"
    site.slack.answers_slowly(method, 60)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(program.asks, "POST", f"{LIST}/{name}/verify")
        assert until(lambda: site.slack.faults.hanging == 1)
        site.slack.removes_app(*_app_and_place(site))
        visitor.connects(site.link("slack-prod", subscriber_id="bea"), scenario=scenario)
        before = program.asks("GET", f"{LIST}/{name}").json()
        site.slack.faults.clear()
        assert asked.result(30).status_code == 200
    assert program.asks("GET", f"{LIST}/{name}").json() == before
    assert before["status"] == "healthy"


def test_pair_given_again_while_it_is_refreshed_is_renewed(
    site: Site, visitor: BrowserClient, clock: Clock, program: Program
) -> None:
    visitor.connects(site.link("slack-prod", subscriber_id="bea"), scenario="rotation")
    with site.slack.reading() as ledger:
        (refresh_token,) = ledger.refresh_tokens
    pair = {"accessToken": "whatever-it-was", "refreshToken": refresh_token}
    workspace = {"id": "T0ACMEHQ01"}
    program.creates(identifier="one", workspace=workspace, auth=pair)
    site.slack.answers_slowly("oauth.v2.access", 60)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(program.asks, "POST", f"{LIST}/one/verify")
        assert until(lambda: site.slack.faults.hanging == 1)
        program.creates(identifier="two", subscriberId="cy", workspace=workspace, auth=pair)
        site.slack.faults.clear()
        shown = asked.result(30).json()
    assert shown["auth"]["accessToken"].startswith("xoxe.xoxb-")
    clock.forward(minutes=1)
    again = program.asks("POST", f"{LIST}/two/verify").json()
    assert (again["status"], again["auth"] == shown["auth"]) == ("healthy", False)


def _app_and_place(site: Site) -> tuple[str, str]:
    (one,) = site.slack.installations()
    return one.client_id, one.workspace_id
