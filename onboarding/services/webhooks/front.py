"""The webhook services, behind `runtime.webhooks`."""

from dataclasses import dataclass

from onboarding.services.webhooks.deliver import WebhookDelivering
from onboarding.services.webhooks.deliveries import WebhookDeliveries
from onboarding.services.webhooks.endpoints import WebhookEndpoints


@dataclass(frozen=True)
class Webhooks:
    endpoints: WebhookEndpoints
    deliveries: WebhookDeliveries
    delivering: WebhookDelivering
