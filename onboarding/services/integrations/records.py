"""Records of integrations: stored ones without their secrets, new ones, and changes."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from onboarding import pictures
from onboarding.branding import Branding
from onboarding.slack import scopes as known_scopes

MAX_LOGO_BYTES = pictures.MAX_BYTES
# For the interfaces, which must not import `onboarding.slack`.
DEFAULT_SCOPES = known_scopes.DEFAULT
SCOPE_PATTERN, MAX_SCOPE_LENGTH, is_scope = known_scopes.PATTERN, known_scopes.MAX_LENGTH, known_scopes.is_scope


@dataclass(frozen=True)
class IntegrationRecord:
    """An integration without its secrets."""

    id: str
    environment_id: str
    identifier: str
    name: str
    #: The name, followed by the identifier if the environment has several integrations of that name.
    label: str
    client_id: str
    scopes: tuple[str, ...]
    workspace_policy: str
    is_practice: bool
    #: Whether operators sign in with this Slack app.
    is_sign_in: bool
    branding: Branding
    #: Without a signing secret, Slack's events are refused.
    has_signing_secret: bool
    #: Slack's id of the app; None before its first event.
    app_id: str | None
    forward_url: str | None
    #: Until when the secret before the last change is accepted as well; None if it is not.
    previous_client_secret_until: datetime | None
    previous_signing_secret_until: datetime | None


@dataclass(frozen=True)
class NewIntegration:
    """A Slack app to store. `environment` is the environment's name."""

    identifier: str
    name: str
    environment: str
    client_id: str
    client_secret: str = field(repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    workspace_policy: str = "allow"
    is_practice: bool = False

    @classmethod
    def for_practice(
        cls,
        identifier: str,
        name: str,
        environment: str,
        workspace_policy: str = "allow",
        scopes: tuple[str, ...] = DEFAULT_SCOPES,
    ) -> "NewIntegration":
        """Return an app of the practice Slack, with generated credentials."""
        number = f"{secrets.randbelow(10**12):012d}"
        return cls(
            identifier,
            name,
            environment,
            client_id=f"{number}.{number[::-1]}",
            client_secret=secrets.token_hex(16),
            signing_secret=secrets.token_hex(16),
            scopes=scopes,
            workspace_policy=workspace_policy,
            is_practice=True,
        )


@dataclass(frozen=True)
class IntegrationChange:
    """New values of an integration. None keeps the value it has."""

    client_secret: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] | None = None
    name: str | None = None
    workspace_policy: str | None = None
    #: Erase the secrets before the last change now, instead of a day after it.
    forget_previous_secrets: bool = False
    #: Sites that its customers can return to and that may read its sessions' state.
    add_origins: tuple[str, ...] | None = None
    remove_origins: tuple[str, ...] | None = None
    #: Whether operators sign in with this Slack app. It replaces the app that signed them in before.
    sign_in: bool | None = None
    #: The look of its customers' pages. An empty value removes it.
    accent_color: str | None = None
    support_url: str | None = None
    privacy_url: str | None = None
    #: Where Slack's events are delivered to as well. An empty value ends that.
    forward_events: str | None = None
    #: A PNG or JPEG file.
    logo: bytes | None = field(default=None, repr=False)
    remove_logo: bool = False
