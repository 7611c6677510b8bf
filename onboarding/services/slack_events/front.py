"""SlackEvents: the services about Slack's events under one name."""

from onboarding.services.slack_events.forward import EventForwarder
from onboarding.services.slack_events.handle import StoredEvents
from onboarding.services.slack_events.lost import LostEvents
from onboarding.services.slack_events.receive import EventReceiver


class SlackEvents:
    def __init__(
        self, receiver: EventReceiver, stored: StoredEvents, forwarder: EventForwarder, lost: LostEvents
    ) -> None:
        self.receive = receiver.receive
        self.handle = stored.handle
        self.forward = forwarder.forward
        self.enqueue_lost = lost.enqueue
