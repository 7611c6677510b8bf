"""A Bolt app whose installs happen in Onboarding for Slack. Run: python bolt_app.py, with the four variables below."""

import os
from typing import Any

from connections_api import ConnectionsApi
from installation_store import ConnectionStore
from slack_bolt import App
from slack_sdk import WebClient


def create(url: str, api_key: str, integration: str, signing_secret: str, client: WebClient | None = None) -> App:
    store = ConnectionStore(ConnectionsApi(url, api_key, integration))
    app = App(signing_secret=signing_secret, installation_store=store, client=client)

    @app.event("app_mention")
    def answer(event: dict[str, Any], client: WebClient) -> None:
        client.chat_postMessage(channel=event["channel"], text=f"Hello <@{event['user']}>")

    return app


if __name__ == "__main__":
    create(
        os.environ["ONBOARDING_URL"],
        os.environ["ONBOARDING_API_KEY"],
        os.environ["ONBOARDING_INTEGRATION"],
        os.environ["SLACK_SIGNING_SECRET"],
        WebClient(base_url=os.environ.get("SLACK_API_URL", WebClient.BASE_URL)),
    ).start(port=3000)
