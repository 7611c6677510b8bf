"""Find the state of the practice Slack that the current request is for."""

from flask import current_app

from onboarding.practice.slack_state import PracticeSlack

#: The key of the state in `app.extensions`.
EXTENSION = "practice_state"


def practice_slack() -> PracticeSlack:
    """Return the state of the current app."""
    found: PracticeSlack = current_app.extensions[EXTENSION]
    return found
