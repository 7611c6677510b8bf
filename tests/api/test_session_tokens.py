"""Session tokens: reading a session from the pages of an allowed origin, and the limit of polling."""

from itertools import product

import pytest
from sqlalchemy import text

from onboarding.errors import LinkProblem
from tests.browser_client import BrowserClient, Site, client_of
from tests.desk import HOST, OTHER_HOST, SESSIONS, Desk
from tests.programs import INTEGRATION, Program


def test_token_opens_its_own_session_only(desk: Desk) -> None:
    mine, other = desk.creates(), desk.creates()
    assert desk.polls(mine, token=other["token"]).json()["code"] == "session_not_found"
    assert desk.polls({"id": "cs_unknown"}, token=mine["token"]).json()["code"] == "session_not_found"
    swapped = f"{mine['id']}.{other['token'].partition('.')[2]}"
    assert desk.polls(mine, token=swapped).json()["code"] == "session_token_unknown"


def test_each_flipped_bit_of_a_token_is_refused(desk: Desk) -> None:
    token, links = desk.creates()["token"].encode(), desk.site.runtime.links
    for at, bit in product(range(len(token)), range(8)):
        flipped = bytes([*token[:at], token[at] ^ (1 << bit), *token[at + 1 :]]).decode("latin-1")
        with pytest.raises(LinkProblem):
            links.read(flipped)


def test_page_of_a_token_with_a_flipped_bit_is_refused(desk: Desk, customer: BrowserClient) -> None:
    url = desk.creates()["url"]
    for last in set("Aaz0_-") - {url[-1]}:
        page = customer.opens(url[:-1] + last)
        assert (page.status, page.outcome) == (400, "link_tampered")


def test_key_of_another_environment_or_scope_reads_and_revokes_nothing(desk: Desk) -> None:
    made = desk.creates()
    desk.site.add_environment("Production")
    stranger = Program(desk.site, desk.site.api_key("stranger", "Production"))
    reader = Program(desk.site, desk.site.api_key("reader", scopes=("connections:read",)))
    for method in ("GET", "DELETE"):
        assert stranger.asks(method, f"{SESSIONS}/{made['id']}").json()["code"] == "session_not_found"
        assert reader.asks(method, f"{SESSIONS}/{made['id']}").json()["code"] == "scope_missing"
    assert desk.polls(made).json()["state"] == "created"
    for program in (stranger, reader):
        program.client.close()


def test_session_token_opens_nothing_else(desk: Desk) -> None:
    made = desk.creates()
    with client_of(desk.site, headers={"Authorization": f"Bearer {made['token']}"}) as browser:
        assert browser.delete(f"{SESSIONS}/{made['id']}").status_code == 401
        assert browser.post(SESSIONS, json={}).status_code == 401
        assert browser.get("/v1/channel-connections").status_code == 401


def test_page_of_an_allowed_origin_may_read_without_cookies(desk: Desk) -> None:
    answer = desk.polls(desk.creates())
    assert answer.headers["Access-Control-Allow-Origin"] == HOST
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("origin", [OTHER_HOST, "https://evil.example", "null", "http://app.example", f"{HOST}."])
def test_page_of_another_origin_is_refused(origin: str, desk: Desk) -> None:
    answer = desk.polls(desk.creates(), origin)
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_program_without_an_origin_may_poll_with_the_token(desk: Desk) -> None:
    answer = desk.polls(desk.creates(), None)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_answer_to_an_api_key_is_shared_with_no_page(desk: Desk) -> None:
    answer = desk.program.asks("GET", f"{SESSIONS}/{desk.creates()['id']}", Origin=HOST)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_page_of_an_allowed_origin_may_read_why_it_was_refused(desk: Desk) -> None:
    made = desk.creates()
    answer = desk.polls(made, token=f"{made['token']}x")
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == HOST
    assert "Access-Control-Allow-Origin" not in desk.polls(made, "https://evil.example", f"{made['token']}x").headers


@pytest.mark.parametrize(("origin", "may"), [(HOST, True), (OTHER_HOST, True), ("https://evil.example", False)])
def test_preflight_request_answers_for_the_listed_origins(origin: str, may: bool, desk: Desk) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    with client_of(desk.site) as browser:
        answer = browser.options(f"{SESSIONS}/cs_1", headers={"Origin": origin, **asked})
        elsewhere = browser.options("/v1/channel-connections/x", headers={"Origin": origin, **asked})
    assert answer.status_code == 204
    assert (answer.headers.get("Access-Control-Allow-Origin") == origin) == may
    assert (answer.headers.get("Access-Control-Allow-Methods"), answer.headers.get("Access-Control-Allow-Headers")) == (
        ("GET", "Authorization") if may else (None, None)
    )
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


def test_origin_that_is_taken_off_the_list_may_read_no_more(desk: Desk) -> None:
    made, passing = desk.creates(), "https://passing.example"
    desk.site.allow_origin(passing, INTEGRATION)
    assert desk.polls(made, passing).status_code == 200
    desk.site.change_integration(INTEGRATION, remove_origins=(passing,))
    assert desk.polls(made, passing).status_code == 403


def test_polling_is_limited_by_token(desk: Desk) -> None:
    mine, other = desk.creates(), desk.creates()
    statuses = [desk.polls(mine).status_code for _ in range(12)]
    assert 429 in statuses
    refused = next(answer for _ in range(12) if (answer := desk.polls(mine)).status_code == 429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Access-Control-Allow-Origin"] == HOST
    assert desk.polls(other).status_code == 200


def test_polling_writes_nothing(desk: Desk) -> None:
    made = desk.creates()
    before = _rows(desk.site)
    assert desk.polls(made).status_code == 200
    assert _rows(desk.site) == before


def _rows(site: Site) -> list[object]:
    with site.runtime.database.reading() as session:
        return [
            session.execute(text(f"SELECT count(*) FROM {name}")).scalar()  # noqa: S608  # names of ours
            for name in ("links", "attempts", "audit_entries", "answers", "channel_connections")
        ] + [session.execute(text("SELECT max(last_used_at) FROM api_keys")).scalar()]
