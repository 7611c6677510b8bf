"""Requested faults, as slack_sdk meets them, and the log of calls."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from slack_sdk.errors import SlackApiError

from onboarding.practice.slack_state import KEPT_CALLS
from tests.practice.walk import ACME, Slack, error_of
from tests.waiting import until


@pytest.mark.parametrize("way", ["menu", "order"])
def test_too_many_requests_say_how_long_to_wait_and_spend_no_code(practice_slack: Slack, way: str) -> None:
    code = practice_slack.allows(scenario="ratelimited" if way == "menu" else "normal")
    if way == "order":
        practice_slack.slack.fails("oauth.v2.access", "ratelimited")
    with pytest.raises(SlackApiError) as problem:
        practice_slack.exchanges(code)
    assert problem.value.response.status_code == 429
    assert problem.value.response.headers["Retry-After"] == "5"
    assert error_of(problem.value) == "ratelimited"
    assert practice_slack.exchanges(code)["ok"] is True


@pytest.mark.parametrize(("fault", "status"), [("status_500", 500), ("html_502", 502), ("html_200", 200)])
def test_answers_that_are_not_json_keep_their_status(practice_slack: Slack, fault: str, status: int) -> None:
    practice_slack.slack.fails("auth.test", fault)
    with pytest.raises(SlackApiError) as problem:
        practice_slack.client("xoxb-1").auth_test()
    assert problem.value.response.status_code == status
    assert "non-JSON" in error_of(problem.value)


@pytest.mark.parametrize(("scenario", "spent"), [("reset", False), ("answer_lost", True)])
def test_cut_connection_leaves_the_code_as_the_menu_says(practice_slack: Slack, scenario: str, spent: bool) -> None:
    code = practice_slack.allows(scenario=scenario)
    with pytest.raises(ConnectionResetError):
        practice_slack.exchanges(code)
    if spent:
        with pytest.raises(SlackApiError) as problem:
            practice_slack.exchanges(code)
        assert error_of(problem.value) == "invalid_code"
    else:
        assert practice_slack.exchanges(code)["ok"] is True


def test_response_ends_in_the_middle_without_access_to_the_socket(practice_slack: Slack) -> None:
    practice_slack.slack.drops_connection("auth.test")
    answer = practice_slack.get("/api/auth.test")
    assert int(answer.headers["Content-Length"]) > len(answer.data)


@pytest.mark.slow
def test_slow_answer_runs_into_the_callers_time_limit(practice_slack: Slack) -> None:
    practice_slack.slack.answers_slowly("auth.test", 60)
    with pytest.raises(TimeoutError):
        practice_slack.client("xoxb-1", timeout=1).auth_test()


def test_while_one_call_hangs_the_others_are_answered(practice_slack: Slack) -> None:
    practice_slack.slack.answers_slowly("auth.test", 60)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(practice_slack.says_about, "xoxb-1")
        assert until(lambda: practice_slack.slack.faults.hanging == 1)
        assert practice_slack.installs()["ok"] is True
        assert not hanging.done()
        practice_slack.slack.reset()
        assert hanging.result(10) == "invalid_auth"
    assert practice_slack.slack.calls() == [], "a call that came before the reset"


def test_fault_is_for_as_many_calls_as_it_says_and_for_one_method(practice_slack: Slack) -> None:
    token = practice_slack.installs()["access_token"]
    practice_slack.slack.fails("auth.test", "internal_error", times=2)
    assert practice_slack.client(token).auth_teams_list()["ok"] is True
    said = [practice_slack.says_about(token) for _ in range(3)]
    assert said == ["internal_error", "internal_error", "ok"]


def test_log_of_calls_shows_method_and_result(practice_slack: Slack) -> None:
    practice_slack.says_about(practice_slack.installs()["access_token"])
    practice_slack.says_about("xoxb-1")
    logged = [(call.method, call.status, call.ok, call.error) for call in practice_slack.slack.calls()]
    assert logged == [
        ("oauth.v2.access", 200, True, None),
        ("auth.test", 200, True, None),
        ("auth.test", 200, False, "invalid_auth"),
    ]
    assert len(practice_slack.slack.calls("auth.test")) == 2


def test_log_of_calls_stays_small(practice_slack: Slack) -> None:
    for _ in range(KEPT_CALLS + 50):
        practice_slack.get("/api/auth.test")
    assert len(practice_slack.slack.calls()) == KEPT_CALLS


def test_nothing_secret_is_in_the_log_of_calls_or_in_any_log(
    practice_slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("slack_sdk").setLevel(logging.INFO)  # slack_sdk itself logs tokens at debug level.
    code = practice_slack.allows(scenario="rotation", state="state-never-to-be-logged")
    installed = practice_slack.exchanges(code)
    practice_slack.refreshes(installed["refresh_token"])
    practice_slack.says_about(installed["access_token"])
    practice_slack.slack.drops_connection("auth.test")
    with pytest.raises(ConnectionError):
        practice_slack.says_about(installed["access_token"])
    kept = caplog.text + repr(practice_slack.slack.calls()) + practice_slack.get("/control/calls").text
    assert "/api/auth.test" in caplog.text
    for secret in (code, "xox", "never-to-be-logged", *practice_slack.registered.client_secrets):
        assert secret not in kept


def test_two_hundred_installs_at_once_each_get_their_own_answer(practice_slack: Slack) -> None:
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda number: practice_slack.allows(ACME, state=str(number)), range(200)))
        answers = list(pool.map(practice_slack.exchanges, codes))
    assert len(set(codes)) == 200
    assert {answer["access_token"] for answer in answers} == {answers[0]["access_token"]}
