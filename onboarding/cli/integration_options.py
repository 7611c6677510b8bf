"""The options of integration add and integration set."""

from pathlib import Path
from typing import TypedDict

from onboarding import settings
from onboarding.cli.shell import read_secret, split_list
from onboarding.errors import Refused
from onboarding.runtime import Runtime
from onboarding.services.integrations.records import MAX_LOGO_BYTES, NewIntegration
from onboarding.start_checks import check_keys

#: The prompts on a terminal.
CLIENT_SECRET, SIGNING_SECRET = "Client secret", "Signing secret"
_PRACTICE_NAME = "Northwind"


class NewOptions(TypedDict):
    client_id: str | None
    client_secret: str | None
    signing_secret: str | None
    scopes: str
    name: str | None
    workspace_policy: str
    practice: bool


class ChangeOptions(TypedDict):
    client_secret: str | None
    signing_secret: str | None
    scopes: str | None
    name: str | None
    workspace_policy: str | None
    add_origins: tuple[str, ...]
    remove_origins: tuple[str, ...]
    sign_in: bool | None
    accent_color: str | None
    support_url: str | None
    privacy_url: str | None
    forward_events: str | None
    forget_previous_secrets: bool
    logo: str | None


def new_integration(runtime: Runtime, identifier: str, environment: str, options: NewOptions) -> NewIntegration:
    """Check the options of `integration add`, and return the new integration.

    Raises Refused without credentials, SettingsProblem if a real app would use generated keys.
    """
    name, scopes, policy = options["name"], split_list(options["scopes"]), options["workspace_policy"]
    if options["practice"]:
        return NewIntegration.for_practice(identifier, name or _PRACTICE_NAME, environment, policy, scopes)
    client_id, client_secret = options["client_id"], options["client_secret"]
    if not client_id or not client_secret:
        raise Refused("--client-id and --client-secret are needed (or --practice).")
    check_keys(runtime, settings.keys_are_given(), is_real=True)
    return NewIntegration(
        identifier=identifier,
        name=name or identifier,
        environment=environment,
        client_id=client_id,
        client_secret=read_secret(client_secret, CLIENT_SECRET),
        signing_secret=optional_secret(options["signing_secret"], SIGNING_SECRET),
        scopes=scopes,
        workspace_policy=policy,
    )


def logo_content(path: str | None) -> bytes | None:
    """Return the content of the logo's file; None without a path. Raises Refused."""
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            # One byte more than is allowed shows that a file is too large.
            return file.read(MAX_LOGO_BYTES + 1)
    except OSError as fault:
        raise Refused(f"The logo cannot be read: {fault.strerror}.", "logo") from None


def optional_secret(given: str | None, label: str) -> str | None:
    return None if given is None else read_secret(given, label)
