"""Each of Slack's error codes leads to an outcome, and to a sentence for operators."""

import pytest

from onboarding.outcomes import OUTCOMES
from onboarding.practice.faults import SPECIAL_FAULTS
from onboarding.practice.scenarios import SCENARIOS, Scenario
from onboarding.slack import faults


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("invalid_code", "code_spent_unknown"),
        ("code_already_used", "code_spent_unknown"),
        ("bad_client_secret", "config_error"),
        ("oauth_authorization_url_mismatch", "config_error"),
        ("invalid_code_verifier", "config_error"),
        ("server_error", "slack_down"),
        ("temporarily_unavailable", "slack_down"),
        ("two_factor_setup_required", "policy_denied"),
        ("invalid_client_id", "config_error"),
        ("bad_redirect_uri", "config_error"),
        ("invalid_scope", "config_error"),
        ("access_denied", "policy_denied"),
        ("org_login_required", "policy_denied"),
        ("user_email_unverified", "policy_denied"),
        ("accesslimited", "policy_denied"),
        ("cannot_install_an_org_installed_app", "org_blocks_workspace"),
        ("internal_error", "slack_down"),
        ("fatal_error", "slack_down"),
        ("service_unavailable", "slack_down"),
        ("a_word_that_slack_makes_up_tomorrow", "config_error"),
        ("", "config_error"),
    ],
)
def test_each_word_of_slack_has_its_outcome(word: str, outcome: str) -> None:
    assert faults.outcome_of(word) == outcome
    assert outcome in OUTCOMES


REDIRECT = "https://connect.example.com/slack/oauth_redirect"


def test_operator_reads_the_cause_and_where_to_fix_it() -> None:
    assert "Basic Information" in faults.operator_hint("bad_client_secret", REDIRECT)
    assert f"add {REDIRECT}" in faults.operator_hint("bad_redirect_uri", REDIRECT)
    assert "Slack's" in faults.operator_hint("server_error", REDIRECT)
    assert "no_such_code" in faults.operator_hint("no_such_code", REDIRECT)


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.fault or one.page], ids=lambda one: one.name)
def test_each_refusal_of_the_practice_slack_has_a_cause_for_operators(scenario: Scenario) -> None:
    code = scenario.page or (scenario.fault.kind if scenario.fault else "")
    if code not in (*SPECIAL_FAULTS, "invalid_refresh_token", "invalid_code", "code_already_used"):
        assert code not in faults.operator_hint(code, REDIRECT), "a sentence, and not the code"
