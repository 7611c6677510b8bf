"""Install URLs for one subscriber or context.

They lead to a page of this server and not to Slack, because an attempt's state is created in the browser that installs.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import Contexts, Identifier, Mode, Plain, Reference, Wire
from onboarding.api.idempotency import BeforeCommit, Representation, once
from onboarding.api.operations import LINKS, Operation
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
    integration_identifier: Reference = Field(examples=["slack-prod"])
    subscriber_id: Identifier | None = Field(None, examples=["subscriber-123"])
    connection_identifier: Identifier | None = Field(
        None,
        description="The connection's identifier. An existing connection of this identity keeps its own; if the identifier is taken "
        "before the install is complete, another one is generated.",
    )
    context: Contexts = Field(None, examples=[{"tenant": "org-123"}])
    context_hash: Plain | None = Field(None, description="For browsers. Ignored with an API key.")
    scope: list[Scope] | None = Field(
        None,
        max_length=50,
        description="The Slack scopes to request, instead of the integration's. `incoming-webhook` needs a `subscriberId`: the webhook "
        "becomes a channel endpoint of that subscriber.",
    )
    connection_mode: Mode | None = None
    auto_link_user: bool | None = Field(
        None,
        description="`true` links the Slack user who installs to the subscriber, with a channel endpoint of the type `slack_user`. "
        "It has no effect in shared mode, nor if the person asks an admin to approve.",
    )


class CreateChatAddress(CreateInstallAddress):
    mode: Literal["connect"] = "connect"


class InstallAddress(Wire):
    url: str = Field(description="Send the person to this URL.", examples=["https://connect.example.com/connect/lnk_…"])


REPRESENTATION: Representation[CreatedLink] = Representation(lambda created: {"url": created.url})


@operations.post(
    "/v1/integrations/channel-connections/oauth",
    Operation(LINKS, TAG, InstallAddress, body=CreateInstallAddress),
)
@once(REPRESENTATION)
def create_install_address(before_commit: BeforeCommit) -> CreatedLink:
    """Create an install URL

    It expires after five minutes, is for one person, and leads to one connection: a new one, or, for an identity that has
    one, new access for it. A repeat with the same `Idempotency-Key` returns the same URL, which may have expired by then.
    """
    return _create(CreateInstallAddress, before_commit)


@operations.post("/v1/integrations/chat/oauth", Operation(LINKS, TAG, InstallAddress, body=CreateChatAddress))
@once(REPRESENTATION)
def create_chat_address(before_commit: BeforeCommit) -> CreatedLink:
    """Create an install URL, as older clients do

    The same as above, at the path that older clients use.
    """
    return _create(CreateChatAddress, before_commit)


def _create(model: type[CreateInstallAddress], before_commit: BeforeCommit) -> CreatedLink:
    body = read_body(model)
    new = NewInstallUrl(
        integration_identifier=body.integration_identifier,
        subscriber_id=body.subscriber_id,
        contexts=body.context or {},
        mode=body.connection_mode,
        connection_identifier=body.connection_identifier,
        scopes=tuple(dict.fromkeys(body.scope or ())),
        auto_link_user=body.auto_link_user is True,
    )
    return current().links.create_install_url(caller(), new, before_commit)
