"""The actor of an audit entry, and the authenticated caller of the API."""

from dataclasses import dataclass
from enum import StrEnum

#: The scope that lets a caller read access tokens and the addresses of Slack's incoming webhooks.
SEE_SECRETS = "connections:secrets"


class ActorKind(StrEnum):
    """The kinds of actors. The values are stored in `audit_entries.actor`."""

    OPERATOR = "operator"
    API_KEY = "key"
    LINK = "link"
    SHELL = "shell"
    SYSTEM = "system"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor of a change.

    `id`: an operator's email or Slack ids, the id of an API key or link, or the name of the operating system's user;
    empty for `system` and `slack`.
    """

    kind: ActorKind
    id: str = ""

    def __str__(self) -> str:
        """Return the text that audit entries store, such as `key:key_1`."""
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)


SHELL = Actor(ActorKind.SHELL)
SYSTEM = Actor(ActorKind.SYSTEM)
#: An event that Slack sent.
SLACK = Actor(ActorKind.SLACK)


@dataclass(frozen=True, slots=True)
class CallerEnvironment:
    id: str
    name: str
    #: Whether a subscriber that a request names is created if it does not exist.
    creates_subscribers: bool


@dataclass(frozen=True, slots=True)
class ApiCaller:
    """An authenticated caller of the API, bound to one environment and its scopes."""

    environment: CallerEnvironment
    actor: Actor
    scopes: frozenset[str]

    @property
    def may_see_secrets(self) -> bool:
        return SEE_SECRETS in self.scopes
