"""The kinds of links, and the values that a link fixes and offers."""

from dataclasses import dataclass
from enum import StrEnum

from onboarding.identity import OfferedContext, may_have_subscriber, possible_identities, possible_modes


class LinkKind(StrEnum):
    INVITATION = "invitation"
    OPEN = "open"
    APPROVAL = "approval"
    INSTALL_URL = "address"
    #: A connect session: an API caller creates it for a person who is signed in to its product.
    SESSION = "session"


@dataclass(frozen=True)
class LinkTerms:
    """The values that a link fixes and offers. The defaults fix nothing."""

    is_open: bool = False
    mode: str | None = None
    subscriber_id: str | None = None
    context_keys: tuple[str, ...] = ()
    offered_contexts: tuple[OfferedContext, ...] = ()
    workspace_id: str | None = None
    connection_identifier: str | None = None
    #: Empty asks for the integration's scopes.
    scopes: tuple[str, ...] = ()
    return_url: str | None = None
    #: Where the person gets a new link.
    refresh_url: str | None = None
    #: The caller's own text.
    reference: str | None = None
    #: The label of the operator whose rights the link depends on.
    operator_label: str | None = None
    auto_link_user: bool = False

    @property
    def may_have_subscriber(self) -> bool:
        return may_have_subscriber(self.mode, self.is_open, self.subscriber_id)

    def identities(self, integration_id: str) -> tuple[str, ...]:
        """Return the identity keys that the link can lead to: none for an open link, which can lead to any."""
        if self.is_open:
            return ()
        has_context = bool(self.context_keys or self.offered_contexts)
        modes = possible_modes(self.mode, self.subscriber_id is not None, has_context)
        sets = [(*self.context_keys, one.key) for one in self.offered_contexts] or [self.context_keys]
        return possible_identities(integration_id, modes, self.subscriber_id, sets)
