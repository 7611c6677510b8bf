"""Install URLs for one subscriber or context.

They lead to a page of this server and not to Slack: there, the browser that installs gets the attempt's cookie.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import Contexts, Identifier, Mode, Plain, Reference, Wire
from onboarding.api.idempotency import Representation, once
from onboarding.api.operations import LINKS, Operation
from onboarding.api.request_parsing import read_body
from onboarding.before_commit import BeforeCommit
from onboarding.runtime import current
from onboarding.services.integrations.records import MAX_SCOPE_LENGTH, SCOPE_PATTERN, is_scope
from onboarding.services.links.records import CreatedLink, NewInstallUrl

TAG = "Install URLs"


def _scope(text: str) -> str:
    if not is_scope(text):
        raise ValueError(f"{{field}} must be written like chat:write, with {MAX_SCOPE_LENGTH} characters at most")
    return text


#: Only Slack knows which scopes exist.
_SCOPE_SCHEMA = {"type": "string", "pattern": SCOPE_PATTERN, "maxLength": MAX_SCOPE_LENGTH, "examples": ["chat:write"]}
Scope = Annotated[str, AfterValidator(_scope), WithJsonSchema(_SCOPE_SCHEMA)]


class CreateInstallUrl(Wire):
    integration_identifier: Reference = Field(
        examples=["slack-prod"], description="The identifier of the integration, your Slack app."
    )
    subscriber_id: Identifier | None = Field(
        None,
        examples=["subscriber-123"],
        description="The id of the subscriber that the connection will belong to. Required in subscriber mode.",
    )
    connection_identifier: Identifier | None = Field(
        None,
        description="An identifier of your choice for the new connection. An existing connection of the same subscriber and contexts "
        "keeps its own. If another connection gets this identifier before the install is complete, the server generates one.",
    )
    context: Contexts = Field(None, examples=[{"tenant": "org-123"}])
    context_hash: Plain | None = Field(None, description="Accepted for compatibility, and ignored.")
    scope: list[Scope] | None = Field(
        None,
        max_length=50,
        description="The Slack scopes to request. The default is the scopes of the integration. `incoming-webhook` requires a `subscriberId`: "
        "the webhook becomes a channel endpoint of that subscriber.",
    )
    connection_mode: Mode | None = Field(
        None,
        description="`subscriber` creates a connection of one subscriber, `shared` one that belongs to its contexts alone. The default "
        "is `subscriber` if you send a `subscriberId`, and `shared` otherwise.",
    )
    auto_link_user: bool | None = Field(
        None,
        description="Whether to link the Slack user who installs the app to the subscriber, with a channel endpoint of the type `slack_user`. "
        "It has no effect in shared mode, nor if the person asks an admin to approve.",
    )


class CreateChatInstallUrl(CreateInstallUrl):
    mode: Literal["connect"] = Field("connect", description="Always `connect`.")


class InstallUrl(Wire):
    url: str = Field(
        description="The address of the page. Send the person to it.",
        examples=["https://connect.example.com/connect/lnk_…"],
    )


REPRESENTATION: Representation[CreatedLink] = Representation(lambda created: {"url": created.url})


@operations.post(
    "/v1/integrations/channel-connections/oauth",
    Operation(LINKS, TAG, InstallUrl, body=CreateInstallUrl),
)
@once(REPRESENTATION)
def create_install_url(before_commit: BeforeCommit) -> CreatedLink:
    """Create an install URL

    Creates the address of a page on which one person installs your app in Slack. The address works once, for five
    minutes. The install creates a connection, or reconnects the existing connection of the same subscriber and
    contexts. A repeat with the same `Idempotency-Key` returns the same address, which may have expired.
    """
    return _create(CreateInstallUrl, before_commit)


@operations.post("/v1/integrations/chat/oauth", Operation(LINKS, TAG, InstallUrl, body=CreateChatInstallUrl))
@once(REPRESENTATION)
def create_chat_install_url(before_commit: BeforeCommit) -> CreatedLink:
    """Create an install URL at the older path

    Creates an install URL like `POST /v1/integrations/channel-connections/oauth`. Older clients use this path.
    """
    return _create(CreateChatInstallUrl, before_commit)


def _create(model: type[CreateInstallUrl], before_commit: BeforeCommit) -> CreatedLink:
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
