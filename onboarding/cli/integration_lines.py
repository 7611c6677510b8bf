"""Integrations as lines and JSON of the command line."""

from onboarding.documents import timestamp
from onboarding.services.integrations.records import IntegrationRecord


def events_line(has_signing_secret: bool, url: str) -> str:
    if has_signing_secret:
        return f"Slack's events are received at {url}. Register this request URL in the Slack app."
    return (
        "No signing secret is stored, so Slack's events are refused, and an uninstall is noticed only by a check. "
        "Store one with `integration set --signing-secret -`."
    )


def line_of(one: IntegrationRecord, origins: tuple[str, ...]) -> str:
    return f"{one.identifier}  {one.name}  {one.client_id}  {','.join(one.scopes)}  {','.join(origins) or '-'}{'' if one.has_signing_secret else '  no signing secret: no events'}"


def members_of(one: IntegrationRecord, origins: tuple[str, ...]) -> dict[str, object]:
    return {
        "identifier": one.identifier,
        "name": one.name,
        "clientId": one.client_id,
        "scopes": one.scopes,
        "workspacePolicy": one.workspace_policy,
        "practice": one.is_practice,
        "signIn": one.is_sign_in,
        "hasSigningSecret": one.has_signing_secret,
        **previous_secrets(one),
        "appId": one.app_id,
        "forwardEvents": one.forward_url,
        "allowedOrigins": origins,
        "accentColor": one.branding.accent_color,
        "supportUrl": one.branding.support_url,
        "privacyUrl": one.branding.privacy_url,
        "hasLogo": one.branding.logo_digest is not None,
    }


def previous_secrets(one: IntegrationRecord) -> dict[str, str | None]:
    """Return until when the secrets before the last change are accepted."""
    client, signing = one.previous_client_secret_until, one.previous_signing_secret_until
    return {
        "previousClientSecretUntil": timestamp(client) if client else None,
        "previousSigningSecretUntil": timestamp(signing) if signing else None,
    }
