"""The install flow's records, and the small pure functions that its steps share."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from onboarding import identity
from onboarding.branding import Branding
from onboarding.callers import Actor, ActorKind
from onboarding.identity import OfferedContext, identity_key
from onboarding.lifetimes import EXCHANGE_LIMIT
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.approvals import WaitingApproval
from onboarding.services.installs.permissions import Permission
from onboarding.slack.scopes import INCOMING_WEBHOOK, split
from onboarding.store.attempt_lists import AttemptListRow
from onboarding.store.attempts import Attempt, AttemptRow, Stage
from onboarding.store.links import LinkRow

#: How long Slack's code is valid, and how long a sealed grant waits for the person.
ATTEMPT_LIFETIME = timedelta(minutes=10)
APPROVAL_LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Existing:
    """The connection that an identity already has."""

    identifier: str
    workspace_id: str
    workspace_name: str | None
    created_at: datetime
    installed_by: str | None
    #: Slack does not accept its token any more.
    is_broken: bool


@dataclass(frozen=True)
class StartPage:
    """The content of a start page."""

    branding: Branding
    environment_id: str
    mode: str | None
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_contexts: tuple[OfferedContext, ...]
    workspace_id: str | None
    permissions: tuple[Permission, ...]
    expires_at: datetime | None
    is_open: bool
    existing: Existing | None
    #: Whether the page names the existing connection's workspace. A link may have been forwarded, so its page does not.
    names_workspace: bool
    #: Where the person returns to if they keep the existing connection.
    return_url: str | None = None
    #: The approval that the customer waits for, unless a connection works.
    approval: WaitingApproval | None = None

    @property
    def app_name(self) -> str:
        return self.branding.name


@dataclass(frozen=True)
class StartedAttempt:
    """A new attempt: the address to send the browser to, and the secret that the browser keeps."""

    attempt_id: str
    #: None if the attempt has ended already: its page says why.
    authorize_url: str | None = field(repr=False)
    #: Belongs in the attempt's cookie and nowhere else.
    binding: str = field(repr=False)


class NextPage(StrEnum):
    """Which page the browser goes to."""

    RESULT = "result"
    SETUP = "setup"
    #: Slack has not answered yet.
    WAITING = "waiting"
    #: The outcome could not be stored, so the result page cannot read it.
    UNSTORED = "unstored"


@dataclass(frozen=True)
class InstallStep:
    """How a callback or a set-up form ended. `outcome` is None while the person has to choose or wait."""

    attempt_id: str | None
    outcome: Outcome | None
    next_page: NextPage = NextPage.RESULT
    #: The result of revoking a grant that could not be stored; None if nothing was granted or everything was stored.
    grant_result: GrantResult | None = None


@dataclass(frozen=True)
class Choice:
    """Which customer the connection belongs to."""

    mode: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]

    def as_json(self) -> str:
        return json.dumps([self.mode, self.subscriber_id, self.context_keys])

    @classmethod
    def from_json(cls, text: str) -> "Choice":
        mode, subscriber_id, keys = json.loads(text)
        return cls(mode, subscriber_id, tuple(keys))

    def identity_key(self, integration_id: str) -> str:
        subscriber = self.subscriber_id if self.mode == "subscriber" else None
        return identity_key(integration_id, subscriber, self.context_keys)


def waits_until(attempt: AttemptRow, at: datetime) -> datetime:
    """Return until when the grant of an attempt may wait for the person.

    An attempt that was started again in another browser expires with the first one (`restart.py`), so it gets no more
    time.
    """
    is_restarted = attempt.expires_at < attempt.created_at + ATTEMPT_LIFETIME
    return attempt.expires_at if is_restarted or attempt.stage is Stage.WAITING else at + ATTEMPT_LIFETIME


def has_died(attempt: Attempt | AttemptRow | AttemptListRow, at: datetime) -> bool:
    """Return whether the process that was waiting for Slack must have died."""
    since = attempt.exchanging_at
    return attempt.stage is Stage.EXCHANGING and since is not None and since + EXCHANGE_LIMIT <= at


def actor_of(attempt: AttemptRow) -> Actor:
    if attempt.operator_label:
        return Actor(ActorKind.OPERATOR, attempt.operator_label)
    return Actor(ActorKind.LINK, attempt.link_id or "")


def possible_modes(link: LinkRow | None, scopes: str) -> tuple[str, ...]:
    """Return the modes that a link leaves open; an operator may pick either. `scopes`: those that are asked for.

    An incoming webhook belongs to a subscriber, so shared mode cannot have one.
    """
    if (link is None or link.mode is None) and INCOMING_WEBHOOK in split(scopes):
        return ("subscriber",)
    if link is None or (link.is_open and link.mode is None):
        return ("subscriber", "shared")
    has_context = bool(link.context_keys or link.offered_contexts)
    return identity.possible_modes(link.mode, link.subscriber_id is not None, has_context)


def choice_fixed_by(link: LinkRow | None, scopes: str) -> Choice | None:
    """Return the choice if a link leaves nothing open, else None. `scopes`: those that are asked for."""
    modes = possible_modes(link, scopes)
    if link is None or link.is_open or link.offered_contexts or len(modes) != 1:
        return None
    return Choice(modes[0], link.subscriber_id if modes[0] == "subscriber" else None, link.context_keys)
