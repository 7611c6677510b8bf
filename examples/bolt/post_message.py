"""Post a message to a customer's workspace: python post_message.py SUBSCRIBER CHANNEL TEXT, with these variables."""

import os
import sys

from connections_api import ConnectionsApi
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

_ENDED = {"token_revoked", "account_inactive", "invalid_auth"}


def main(subscriber_id: str, channel: str, text: str) -> None:
    api = ConnectionsApi(
        os.environ["ONBOARDING_URL"], os.environ["ONBOARDING_API_KEY"], os.environ["ONBOARDING_INTEGRATION"]
    )
    connection = api.of_subscriber(subscriber_id)
    if connection is None:
        sys.exit(f"{subscriber_id} has no working connection: send a link to connect.")
    slack = WebClient(
        connection["auth"]["accessToken"], base_url=os.environ.get("SLACK_API_URL", "https://slack.com/api/")
    )
    try:
        slack.chat_postMessage(channel=channel, text=text)
    except SlackApiError as error:
        if error.response["error"] in _ENDED:
            # The server asks Slack, records that the customer has to reconnect, and shows it in the console.
            api.verify(connection["identifier"])
        sys.exit(f"Slack refused the message: {error.response['error']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
