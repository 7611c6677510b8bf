"""The practice Slack's file: a restart loses nothing, and only its owner can read it."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onboarding.practice import admins
from onboarding.practice.ledger import KEPT_DEAD_TOKENS, Ledger, Token
from onboarding.practice.state_file import StateFileUnreadable
from tests.practice.conftest import APP, make_slack
from tests.practice.walk import ACME, DESIGN, GROUP, HARBOR
from tests.serving import served


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "practice.json"


def test_restart_loses_nothing(state_file: Path) -> None:
    before = make_slack(state_file=state_file)
    with served(before.app) as before.url:
        plain = before.installs(ACME, scenario="incoming_webhook")
        rotating = before.installs(DESIGN, scenario="rotation")
        before.slack.approves(APP.client_id, HARBOR)
        code = before.allows(HARBOR)
        assert admins.change_channel(before.slack, ACME, "sales", "archive")
    after = make_slack(state_file=state_file)
    assert after.slack.workspaces[ACME] == before.slack.workspaces[ACME]
    with served(after.app) as after.url:
        assert after.says_about(plain["access_token"]) == "ok"
        assert after.says_about(after.refreshes(rotating["refresh_token"])["access_token"]) == "ok"
        assert after.exchanges(code)["team"]["id"] == HARBOR
        assert after.installs(ACME)["access_token"] == plain["access_token"]


def test_file_of_an_earlier_version_is_read(state_file: Path) -> None:
    before = make_slack(state_file=state_file)
    with served(before.app) as before.url:
        token = before.installs(ACME)["access_token"]
    state_file.write_text(state_file.read_text().replace('"workspace_id"', '"place"'))
    after = make_slack(state_file=state_file)
    with served(after.app) as after.url:
        assert after.says_about(token) == "ok"


def test_used_code_stays_used_after_a_restart(state_file: Path) -> None:
    before = make_slack(state_file=state_file)
    with served(before.app) as before.url:
        code = before.allows()
        before.exchanges(code)
    after = make_slack(state_file=state_file)
    with after.slack.reading() as ledger:
        assert code not in ledger.codes


def test_only_the_owner_can_read_the_file_and_no_temporary_file_is_left(state_file: Path) -> None:
    slack = make_slack(state_file=state_file)
    slack.allows()
    assert stat.S_IMODE(state_file.stat().st_mode) == 0o600
    assert list(state_file.parent.iterdir()) == [state_file]


def test_every_change_is_in_the_file_before_the_response(state_file: Path) -> None:
    slack = make_slack(state_file=state_file)

    def allow(_: int) -> bool:
        code = slack.allows()
        return code in {row["value"] for row in json.loads(state_file.read_text())["world"]["codes"]}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(allow, range(80)))


def test_reset_empties_the_file(state_file: Path) -> None:
    slack = make_slack(state_file=state_file)
    slack.allows(GROUP)
    slack.slack.reset()
    assert json.loads(state_file.read_text())["world"]["codes"] == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', '{"format": 1, "world": {}}', '{"format": 99}'])
def test_file_of_another_program_stops_the_start_and_is_kept(state_file: Path, text: str) -> None:
    state_file.parent.mkdir()
    state_file.write_text(text)
    with pytest.raises(StateFileUnreadable, match=r"practice\.json .* Delete it"):
        make_slack(state_file=state_file)
    assert state_file.read_text() == text


def test_dead_tokens_and_expired_codes_do_not_pile_up() -> None:
    ledger = Ledger()
    for number in range(KEPT_DEAD_TOKENS + 100):
        ledger.tokens[str(number)] = Token(str(number), "1.1", ACME, "bot", "U1", [], 0.0, ended="token_revoked")
    ledger.tokens["alive"] = Token("alive", "1.1", ACME, "bot", "U1", [], 0.0)
    ledger.tidy(now=1.0)
    assert len(ledger.tokens) == KEPT_DEAD_TOKENS + 1
    assert "alive" in ledger.tokens
    assert "0" not in ledger.tokens


def test_expired_codes_are_forgotten() -> None:
    slack = make_slack()
    slack.allows()
    slack.slack.moves_clock(601)
    newest = slack.allows()
    with slack.slack.reading() as ledger:
        assert list(ledger.codes) == [newest]
