"""Small words of the wire: moments, what may be printed, and the members of a subscriber."""

from datetime import UTC, datetime
from typing import Any

from onboarding.services.subscribers import Subscriber

#: The wire's names for a subscriber's profile.
PROFILE = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "avatar": "avatar",
    "locale": "locale",
    "timezone": "timezone",
    "data": "data",
}
#: The clients demand an organisation, of which a self-hosted deployment has one.
ORGANISATION = "self-hosted"


def moment(when: datetime) -> str:
    """ISO 8601, UTC, milliseconds, `Z`."""
    utc = when if when.tzinfo is UTC else when.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:23] + "Z"


def printable(text: str) -> str:
    """Half a character (a lone surrogate) cannot be written as UTF-8: it is shown as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def subscriber(one: Subscriber) -> dict[str, Any]:
    """The documented members (contract.md C2.2)."""
    return {
        "_organizationId": ORGANISATION,
        "_environmentId": one.environment_id,
        "subscriberId": one.subscriber_id,
        **{PROFILE[name]: value for name, value in one.profile.items()},
        "deleted": False,
        "createdAt": moment(one.created_at),
        "updatedAt": moment(one.updated_at),
    }
