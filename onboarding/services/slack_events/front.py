"""SlackEvents: the services about Slack's events under one name."""

from onboarding.clock import Clock
from onboarding.services.slack_events.handle import EventEffects
from onboarding.services.slack_events.receive import EventReceiver
from onboarding.services.tokens import Tokens
from onboarding.slack.gateway import Gateway
from onboarding.store.database import Database
from onboarding.vault import Vault


class SlackEvents:
    def __init__(self, database: Database, vault: Vault, tokens: Tokens, gateway: Gateway, now: Clock) -> None:
        self.receive = EventReceiver(database, vault, now).receive
        self.handle = EventEffects(database, vault, tokens, gateway, now).handle
