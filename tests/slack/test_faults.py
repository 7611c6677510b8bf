"""Slack's error words, each to the outcome that people see (slack.md 1.7)."""

import pytest

from onboarding.outcomes import OUTCOMES
from onboarding.slack import faults


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("invalid_code", "code_spent_unknown"),
        ("code_already_used", "code_spent_unknown"),
        ("bad_client_secret", "config_error"),
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


@pytest.mark.parametrize("word", ["bad_client_secret", "no_such_word"])
def test_operator_is_told_what_to_look_at(word: str) -> None:
    assert faults.operator_hint(word).endswith(".")
