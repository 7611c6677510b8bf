"""The permissions that an install asks for, each with its sentence."""

from dataclasses import dataclass

from onboarding.slack.scopes import INCOMING_WEBHOOK, OPTIONAL, sentence, split
from onboarding.store.integrations import IntegrationRow
from onboarding.store.links import LinkRow


@dataclass(frozen=True)
class Permission:
    scope: str
    sentence: str
    optional: bool


def permissions(scopes: str) -> tuple[Permission, ...]:
    return tuple(Permission(one, sentence(one), one in OPTIONAL) for one in split(scopes))


def requested_scopes(integration: IntegrationRow, link: LinkRow | None) -> str:
    """Return the scopes to ask for, comma separated: the link's if it names some, else the integration's.

    A link that no subscriber can connect with does not ask for an incoming webhook, unless that is the only scope.
    """
    scopes = (link.scopes if link else None) or integration.scopes
    if link is None or link.may_have_subscriber:
        return scopes
    return ",".join(scope for scope in split(scopes) if scope != INCOMING_WEBHOOK) or scopes
