"""Every value that pages and commands show has its text."""

import pytest

from onboarding import texts
from onboarding.outcomes import ConnectionStatus, GrantResult

pytestmark = pytest.mark.once


def test_every_status_has_a_text() -> None:
    assert set(texts.STATUSES) == set(ConnectionStatus)


def test_every_way_in_which_a_disconnect_ends_has_a_text() -> None:
    assert set(texts.DISCONNECTED) == set(GrantResult) - {GrantResult.LEFT}
