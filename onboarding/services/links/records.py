"""The values of a link: to create it, and as it is listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from onboarding.documents import Connection
from onboarding.identity import OfferedContext
from onboarding.lifetimes import OPEN_LINK_LIFETIME
from onboarding.store.link_terms import LinkTerms

#: For a link for one customer. Other lifetimes are in `onboarding/lifetimes.py` and `installs/records.py`.
LINK_LIFETIME, MAX_LIFETIME = timedelta(days=7), timedelta(days=365)
INSTALL_URL_LIFETIME = timedelta(minutes=5)
#: For the link that the console opens when an operator reconnects a workspace.
RECONNECT_LIFETIME = timedelta(hours=1)
#: How many links `link list` prints at most.
NEWEST = 100


@dataclass(frozen=True)
class CreatedLink:
    id: str
    token: str = field(repr=False)
    url: str = field(repr=False)
    expires_at: datetime
    reference: str | None = None


@dataclass(frozen=True)
class LinkSummary:
    """A link without its address."""

    id: str
    integration_identifier: str
    #: `invitation`, `open` or `approval`.
    kind: str
    #: `usable`, `used`, `revoked` or `expired`.
    state: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_contexts: tuple[OfferedContext, ...]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class NewLink:
    """The values that a new link fixes and offers. `environment` is the environment's name."""

    integration: str
    environment: str
    subscriber_id: str | None = None
    context_keys: tuple[str, ...] = ()
    offered_contexts: tuple[OfferedContext, ...] = ()
    mode: str | None = None
    workspace_id: str | None = None
    #: Where the person returns to, and where the person gets a new link. The integration must allow their origins.
    return_url: str | None = None
    refresh_url: str | None = None
    #: The caller's own text, which is returned with everything about the link.
    reference: str | None = None
    #: None: seven days, or 24 hours for an open link.
    lifetime: timedelta | None = None
    is_open: bool = False
    #: Whether it reconnects an existing connection. Such a link needs no subscriber for an incoming webhook.
    is_reconnect: bool = False
    #: The label of an operator: the link ends when that operator may not change anything any more.
    operator: str | None = None

    @classmethod
    def to_reconnect(cls, connection: Connection, environment: str) -> "NewLink":
        """Return a link with the values of a connection, for its customer."""
        return cls(
            integration=connection.integration_identifier,
            environment=environment,
            subscriber_id=connection.subscriber_id,
            context_keys=connection.context_keys,
            mode=connection.mode,
            is_reconnect=True,
        )

    @property
    def terms(self) -> LinkTerms:
        return LinkTerms(
            is_open=self.is_open,
            mode=self.mode,
            subscriber_id=self.subscriber_id,
            context_keys=self.context_keys,
            offered_contexts=self.offered_contexts,
            workspace_id=self.workspace_id,
            return_url=self.return_url,
            operator_label=self.operator,
            refresh_url=self.refresh_url,
            reference=self.reference,
        )

    @property
    def effective_lifetime(self) -> timedelta:
        if self.lifetime is not None:
            return self.lifetime
        return OPEN_LINK_LIFETIME if self.is_open else LINK_LIFETIME


@dataclass(frozen=True)
class NewInstallUrl:
    """An install URL that an API caller requests. `contexts`: keys in the caller's order, with data as JSON or None."""

    integration_identifier: str
    subscriber_id: str | None = None
    contexts: Mapping[str, str | None] = field(default_factory=dict)
    mode: str | None = None
    connection_identifier: str | None = None
    #: Empty asks for the integration's scopes.
    scopes: tuple[str, ...] = ()
    auto_link_user: bool = False
