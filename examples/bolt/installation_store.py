"""An installation store for Bolt for Python that reads the connections of Onboarding for Slack, and writes nothing."""

from connections_api import ConnectionsApi
from slack_sdk.oauth.installation_store import Bot, Installation, InstallationStore


class ConnectionStore(InstallationStore):
    """Bolt asks it for the token of each request. Onboarding for Slack installs, so Bolt needs no OAuth settings."""

    def __init__(self, api: ConnectionsApi) -> None:
        self._api = api

    def find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,  # noqa: ARG002  # Bolt passes it; a connection has one bot token for everyone
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        owner_id = enterprise_id if is_enterprise_install or team_id is None else team_id
        connection = self._api.of_workspace(owner_id) if owner_id else None
        if connection is None:
            return None
        workspace = connection["workspace"]
        return Installation(
            enterprise_id=enterprise_id,
            team_id=team_id,
            team_name=workspace.get("name"),
            bot_token=connection["auth"]["accessToken"],
            bot_user_id=workspace.get("botUserId"),
            bot_scopes=connection["scopes"],
            user_id=connection.get("installedBy") or "",
            is_enterprise_install=is_enterprise_install,
        )

    def find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        found = self.find_installation(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return None if found is None else found.to_bot()
