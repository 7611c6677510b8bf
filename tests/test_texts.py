"""Every value that pages and commands show has its text."""

import pytest

from onboarding import texts, webhook_texts
from onboarding.event_types import EVENT_WORDS, EventType
from onboarding.outcomes import ConnectionStatus, GrantResult
from onboarding.store.webhook_deliveries import DeliveryState
from onboarding.store.webhook_endpoints import PauseReason

pytestmark = pytest.mark.once


def test_every_status_has_a_text() -> None:
    assert set(texts.STATUSES) == set(ConnectionStatus)


def test_every_way_in_which_a_disconnect_ends_has_a_text() -> None:
    assert set(texts.DISCONNECTED) == set(GrantResult) - {GrantResult.LEFT}


def test_every_event_state_and_pause_of_webhooks_has_a_text() -> None:
    assert set(EVENT_WORDS) == set(EventType)
    assert set(webhook_texts.DELIVERY_STATES) == set(DeliveryState)
    assert set(webhook_texts.PAUSES) == set(PauseReason)
