"""A stored token that cannot be decrypted, because it is damaged, was moved or its key is lost, spoils no list."""

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Site

LIST = "/v1/channel-connections"


@pytest.fixture
def damaged(site: Site, program: Program, how: str) -> str:
    """The identifier of a connection whose token is unreadable, beside one whose token is not."""
    spoiled, whole = (str(program.creates(subscriberId=name).json()["identifier"]) for name in ("ada", "bea"))
    find = "SELECT installation_id FROM channel_connections WHERE identifier = :name"
    with site.runtime.database.transaction() as session:
        ids = [session.scalar(text(find), {"name": name}) for name in (spoiled, whole)]
        other = session.scalar(text("SELECT access_token FROM installations WHERE id = :id"), {"id": ids[1]})
        value = bytes(other) if how == "moved" else how.encode("latin-1") * 60
        session.execute(text("UPDATE installations SET access_token = :x WHERE id = :id"), {"x": value, "id": ids[0]})
    return spoiled


@pytest.mark.parametrize("how", ["0", "\xff", "moved"])
def test_row_needs_reconnect_and_others_stay(program: Program, operator: BrowserClient, damaged: str) -> None:
    with capture_logs() as logs:
        listed = program.asks("GET", LIST)
    assert listed.status_code == 200, listed.text
    rows = {row["identifier"]: row for row in listed.json()["data"]}
    assert len(rows) == 2
    unreadable = [one for one in logs if one["event"] == "connection.token_unreadable"]
    assert [one["connection"] for one in unreadable] == [damaged]
    for row in (rows.pop(damaged), program.asks("GET", f"{LIST}/{damaged}").json()):
        assert row["auth"] == {"accessToken": "", "hasAccessToken": False}
        assert row["status"] == "needs_reconnect"
        assert "cannot be decrypted" in row["statusReason"]
    (whole,) = rows.values()
    assert whole["auth"]["accessToken"]
    assert whole["status"] != "needs_reconnect"
    verified = program.asks("POST", f"{LIST}/{damaged}/verify")
    assert (verified.status_code, verified.json()["status"]) == (200, "needs_reconnect")

    assert operator.opens("/connections").status == 200
    assert "Needs reconnect" in operator.opens("/connections").text
    assert operator.opens(f"/connections/{damaged}").status == 200


@pytest.mark.parametrize("how", ["0"])
def test_key_without_the_scope_learns_the_same(site: Site, damaged: str) -> None:
    blind = Program(site, site.api_key("blind", "Development", ("connections:read",), None))
    row = blind.asks("GET", f"{LIST}/{damaged}").json()
    assert (row["auth"], row["status"]) == ({"accessToken": "", "hasAccessToken": False}, "needs_reconnect")
