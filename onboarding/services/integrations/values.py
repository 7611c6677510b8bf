"""Check and prepare the values of integrations that people type or paste."""

import re
from dataclasses import replace
from typing import Any, TypeVar

from onboarding import addresses, colors, pictures
from onboarding.characters import has_controls, trim
from onboarding.errors import Refused
from onboarding.services.integrations.records import IntegrationChange, NewIntegration
from onboarding.slack import scopes as known_scopes

_MAX_NAME_LENGTH = 100
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_CLIENT_ID = re.compile(r"(?=.{3,200}\Z)[0-9]+\.[0-9]+\Z")
#: The addresses that may be set, with what an error calls them.
LINK_WORDS = {"support_url": "support link", "privacy_url": "privacy link", "forward_events": "address for events"}
#: Visible ASCII: everything else would be a copying mistake.
_SECRET = re.compile(r"[!-~]{1,200}\Z")

_Values = TypeVar("_Values", NewIntegration, IntegrationChange)


def trimmed(given: _Values) -> _Values:
    """Remove white space and invisible characters, which copying adds, from both ends of every pasted value."""
    pasted = (
        "client_id",
        "client_secret",
        "signing_secret",
        "name",
        "accent_color",
        "support_url",
        "privacy_url",
        "forward_events",
    )
    texts = {name: getattr(given, name, None) for name in pasted}
    changed: dict[str, Any] = {name: trim(text) for name, text in texts.items() if text is not None}
    return replace(given, **changed)


def origin(text: str, field_name: str = "add_origins") -> str:
    """Return the origin as browsers send it. Raises Refused."""
    try:
        return addresses.site_origin(trim(text))
    except ValueError as fault:
        raise Refused(f"The origin {fault}.", field_name) from None


def picture(upload: bytes | None) -> bytes | None:
    """Return the logo to store; None without an upload. Raises Refused."""
    try:
        return None if upload is None else pictures.encode_logo(upload)
    except ValueError as fault:
        raise Refused(f"The logo {fault}.", "logo") from None


def _check_branding(change: IntegrationChange) -> None:
    """Check the accent color and the addresses of a change. Raises Refused."""
    if change.accent_color:
        try:
            colors.check_accent(colors.parse(change.accent_color))
        except ValueError as fault:
            raise Refused(f"The accent color {fault}.", "accent_color") from None
    for field_name, words in LINK_WORDS.items():
        try:
            addresses.check_link(getattr(change, field_name) or "", may_be_local=field_name == "forward_events")
        except ValueError as fault:
            raise Refused(f"The {words} {fault}.", field_name) from None


def check_new(new: NewIntegration) -> None:
    """Check the values of a new integration. Raises Refused."""
    if not _IDENTIFIER.match(new.identifier) or new.identifier in (".", ".."):
        raise Refused(
            "The identifier must have 1 to 100 characters, only letters, digits, -, _ and ., such as slack-prod.",
            "identifier",
        )
    if not _CLIENT_ID.match(new.client_id):
        raise Refused(
            "The client id must be two numbers with a dot between, such as 1234567890.1234567890.", "client_id"
        )


def check_change(change: IntegrationChange) -> None:
    """Check the values of a change to an integration. Raises Refused."""
    # With an empty signing secret anyone could sign a request as Slack:
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    for field_name in ("client_secret", "signing_secret"):
        secret = getattr(change, field_name)
        if secret is not None and not _SECRET.match(secret):
            raise Refused(
                f"The {field_name.replace('_', ' ')} must be letters and digits without spaces, as Slack shows it "
                "under Basic Information > App Credentials.",
                field_name,
            )
    if change.name is not None and (not 1 <= len(change.name) <= _MAX_NAME_LENGTH or has_controls(change.name)):
        raise Refused(
            f"The name must have 1 to {_MAX_NAME_LENGTH} characters, none of them a control character.", "name"
        )
    _check_branding(change)
    if change.scopes is not None:
        known_scopes.check(change.scopes)
