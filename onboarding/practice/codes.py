"""Codes of the consent page, which an app exchanges once for tokens."""

from dataclasses import dataclass

from onboarding.practice.errors import Refused
from onboarding.practice.ledger import Code, Ledger, new_code
from onboarding.practice.registration import PracticeApp
from onboarding.practice.scenarios import Scenario

CODE_SECONDS = 600
#: Scopes that a person may decline; the usual app manifest declares them optional.
OPTIONAL_SCOPES = frozenset({"chat:write.public", "groups:read", "channels:join", "team:read"})


@dataclass(frozen=True)
class Consent:
    """The permissions that a person allowed. `workspace_id` is the id of the workspace or the organization."""

    client_id: str
    workspace_id: str
    redirect_uri: str | None
    bot_scopes: list[str]
    user_scopes: list[str]
    #: The name of the channel for an incoming webhook.
    channel: str = ""


def issue_code(ledger: Ledger, consent: Consent, scenario: Scenario, now: float) -> Code:
    """Create the code that an app exchanges for the tokens of this consent."""
    declines = scenario.declines_optional
    code = Code(
        value=new_code(),
        client_id=consent.client_id,
        workspace_id=consent.workspace_id,
        redirect_uri=consent.redirect_uri,
        bot_scopes=_without_optional(consent.bot_scopes) if declines else consent.bot_scopes,
        user_scopes=consent.user_scopes,
        scenario=scenario.name,
        expires_at=now + CODE_SECONDS,
        trouble_left=scenario.fault.times if scenario.fault else 0,
        channel=consent.channel,
    )
    ledger.codes[code.value] = code
    return code


def spend_code(ledger: Ledger, app: PracticeApp, value: str, redirect_uri: str | None, now: float) -> Code:
    """Remove the code and return it. Raises Refused; after `bad_redirect_uri` the code is still usable."""
    code = ledger.codes.get(value)
    if code is None or code.client_id != app.client_id or code.expires_at <= now:
        raise Refused("invalid_code")
    # Required again if the first request had it (RFC 6749, section 4.1.3).
    if code.redirect_uri is not None and redirect_uri != code.redirect_uri:
        raise Refused("bad_redirect_uri")
    # Slack accepts a code once, even if its answer does not reach the app.
    del ledger.codes[value]
    return code


def _without_optional(scopes: list[str]) -> list[str]:
    kept = [scope for scope in scopes if scope not in OPTIONAL_SCOPES]
    # None is optional, so the person declines the last one.
    if len(kept) == len(scopes):
        kept = scopes[:-1]
    return kept or scopes[:1]
