"""A site, and a host's server that gets its webhooks. Tests send what is due themselves: no worker runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from onboarding.pagination import PageRequest
from onboarding.services.webhooks.records import DeliveryQuery, EndpointChange, NewWebhookEndpoint
from onboarding.webhook_documents import WebhookDelivery, WebhookEndpoint
from tests.browser_client import Site
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@dataclass
class Hooks:
    """The site's webhooks, as the worker and an operator use them."""

    site: Site
    receiver: Receiver

    @property
    def environment_id(self) -> str:
        return self.site.runtime.environments.first().id

    def add(self, *events: str, url: str = "") -> WebhookEndpoint:
        new = NewWebhookEndpoint(url or self.receiver.url, events)
        return self.site.runtime.webhooks.endpoints.create(self.environment_id, new, SHELL)

    def endpoint(self, endpoint_id: str) -> WebhookEndpoint:
        return self.site.runtime.webhooks.endpoints.find(self.environment_id, endpoint_id)

    def change(self, endpoint_id: str, **change: Any) -> None:
        self.site.runtime.webhooks.endpoints.change(self.environment_id, endpoint_id, EndpointChange(**change), SHELL)

    def deliveries(self, **query: str) -> tuple[WebhookDelivery, ...]:
        """Return them, the oldest first."""
        found = self.site.runtime.webhooks.deliveries.list(
            self.environment_id, PageRequest(100), DeliveryQuery(**query)
        )
        return found.rows[::-1]

    def send_due(self) -> None:
        """Run the tries that are enqueued, as the worker does when their time has come."""
        for delivery_id, number in self.waiting():
            self.site.runtime.webhooks.delivering.deliver(delivery_id, number)

    def waiting(self) -> list[tuple[str, int]]:
        with self.site.runtime.database.reading() as session:
            query = "SELECT id, number FROM webhook_deliveries WHERE state = 'waiting' ORDER BY created_at, id"
            return [(row[0], row[1]) for row in session.execute(text(query))]


@pytest.fixture
def hooks(site: Site, receiver: Receiver) -> Hooks:
    return Hooks(site, receiver)
