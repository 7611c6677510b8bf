"""A workspace that only the app knows, such as that of a made-up connection, can be connected again."""

from pathlib import Path

import pytest

from tests.practice.conftest import APP, make_slack
from tests.practice.walk import ACME
from tests.serving import served

LUMEN = "T0LUMEN001"


def _names(client_id: str, team: str) -> str | None:
    return "Lumen Foods" if (client_id, team) == (APP.client_id, LUMEN) else None


def test_workspace_of_a_connection_is_offered_and_connected(tmp_path: Path) -> None:
    slack = make_slack(state_file=tmp_path / "practice.json")
    slack.slack.guest_name = _names
    assert "Lumen Foods" not in slack.sees_consent().text
    assert "Lumen Foods" in slack.sees_consent(team=LUMEN).text
    with served(slack.app) as slack.url:
        granted = slack.installs(LUMEN, team=LUMEN)
    assert granted["team"] == {"id": LUMEN, "name": "Lumen Foods"}
    after = make_slack(state_file=tmp_path / "practice.json")
    assert "Lumen Foods" in after.get("/").text, "a restart keeps it"
    assert after.slack.removes_app(APP.client_id, LUMEN)
    assert "Lumen Foods" not in after.get("/").text
    after.slack.reset()
    assert LUMEN not in after.slack.workspaces


@pytest.mark.parametrize("team", ["T0UNKNOWN1", "lumen", "T" * 40, ACME])
def test_other_workspaces_are_not_added(team: str) -> None:
    slack = make_slack()
    slack.slack.guest_name = _names
    known = len(slack.slack.workspaces)
    assert slack.sees_consent(team=team).status_code == 200
    assert len(slack.slack.workspaces) == known
