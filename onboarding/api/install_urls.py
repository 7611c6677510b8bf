"""Install addresses for one subscriber or context (contract.md A3): ours, because state is minted in the person's browser."""

from typing import Annotated, Literal

from flask import Response
from pydantic import AfterValidator, Field, WithJsonSchema

from onboarding.api import authentication, idempotency, operations
from onboarding.api.field_types import Contexts, Identifier, Mode, Plain, Text, Wire
from onboarding.api.request_parsing import read_body
from onboarding.runtime import current
from onboarding.services.integrations import KNOWN_SCOPES
from onboarding.services.links import CreatedLink, NewInstallUrl

TAG = "Install addresses"


def _scope(text: str) -> str:
    if text not in KNOWN_SCOPES:
        raise ValueError(f"{{field}} must be one of: {', '.join(KNOWN_SCOPES)}")
    return text


Scope = Annotated[str, AfterValidator(_scope), WithJsonSchema({"type": "string", "enum": list(KNOWN_SCOPES)})]


class CreateInstallAddress(Wire):
    integration_identifier: Text = Field(examples=["slack-prod"])
    subscriber_id: Identifier | None = Field(None, examples=["subscriber-123"])
    connection_identifier: Identifier | None = Field(
        None,
        description="What the connection shall be called. One that the identity has already keeps its own, and where somebody takes this "
        "one before the person has connected, another is made up.",
    )
    context: Contexts = Field(None, examples=[{"tenant": "org-123"}])
    context_hash: Plain | None = Field(None, description="For browsers; a key needs none.")
    scope: list[Scope] | None = Field(
        None, max_length=50, description="What to ask Slack for, instead of what the integration asks for."
    )
    connection_mode: Mode | None = None
    auto_link_user: bool | None = Field(None, description="Accepted; who installed is kept anyway, as `installedBy`.")


class CreateChatAddress(CreateInstallAddress):
    mode: Literal["connect"]


class InstallAddress(Wire):
    url: str = Field(description="Send the person there.", examples=["https://connect.example.com/connect/lnk_…"])


@operations.post("/v1/integrations/channel-connections/oauth", "links:write", TAG, InstallAddress, CreateInstallAddress)
def create_install_address() -> Response:
    """Make an install address

    It lives five minutes, is for one person, and leads to one connection: a new one, or, for an identity that has one, to fresh access for
    it. A repeat with the same `Idempotency-Key` gets the same address, which may have run out by then.
    """
    return _made(CreateInstallAddress)


@operations.post("/v1/integrations/chat/oauth", "links:write", TAG, InstallAddress, CreateChatAddress)
def create_chat_address() -> Response:
    """Make an install address, as older clients ask for it

    The same as above, for programs that know this address.
    """
    return _made(CreateChatAddress)


def _made(model: type[CreateInstallAddress]) -> Response:
    who = authentication.holder()

    def act(then: idempotency.BeforeCommit) -> CreatedLink:
        body = read_body(model)
        ask = NewInstallUrl(
            integration_identifier=body.integration_identifier,
            subscriber_id=body.subscriber_id,
            contexts=body.context or {},
            mode=body.connection_mode,
            connection_identifier=body.connection_identifier,
            scopes=tuple(dict.fromkeys(body.scope or ())),
        )
        return current().links.create_install_url(who.caller, ask, then)

    return idempotency.respond_once(act, lambda made: {"url": made.url})
