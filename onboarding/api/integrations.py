"""List the environment's integrations, without credentials: /v1/integrations."""

from typing import Any, Literal

from flask import Response
from pydantic import Field, RootModel

from onboarding import documents
from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import Wire
from onboarding.api.operations import READ, Operation
from onboarding.runtime import current

TAG = "Integrations"


class Integration(Wire):
    """A Slack app of yours."""

    id: str = Field(alias="_id", description="The integration's internal id.")
    environment_id: str = Field(alias="_environmentId", description="The id of the environment.")
    organization_id: str = Field(
        alias="_organizationId", description="Always the same value. Some clients require the member."
    )
    identifier: str = Field(
        examples=["slack-prod"], description="The integration's identifier. Other requests refer to it."
    )
    name: str = Field(examples=["Your product"], description="The name that customers see.")
    provider_id: Literal["slack"] = Field(description="Always `slack`.")
    channel: Literal["chat"] = Field(description="Always `chat`.")
    kind: Literal["delivery"] = Field(description="Always `delivery`.")
    credentials: dict[str, Any] = Field(description="Always empty. Credentials of a Slack app are never returned.")
    active: bool = Field(examples=[True], description="Always true.")
    deleted: bool = Field(description="Always false.")
    primary: bool = Field(description="Always false.")
    conditions: list[Any] = Field(examples=[[]], description="Always empty.")


class Integrations(RootModel[list[Integration]]):
    """All integrations of the environment."""


@operations.get("/v1/integrations", Operation(READ, TAG, Integrations))
def list_integrations() -> Response:
    """List all integrations

    Returns the Slack apps of the environment in one list, without pages and without credentials.
    """
    return _all()


@operations.get("/v1/integrations/active", Operation(READ, TAG, Integrations))
def list_active_integrations() -> Response:
    """List all active integrations

    Returns the same list as `GET /v1/integrations`, because every integration is active.
    """
    return _all()


def _all() -> Response:
    found = current().integrations.all_of(caller().environment.id)
    return operations.json_response(
        [
            {
                "_id": one.id,
                "_environmentId": one.environment_id,
                "_organizationId": documents.ORGANIZATION,
                "identifier": one.identifier,
                "name": one.name,
                "providerId": documents.PROVIDER_ID,
                "channel": documents.CHANNEL,
                "kind": "delivery",
                "credentials": {},
                "active": True,
                "deleted": False,
                "primary": False,
                "conditions": [],
            }
            for one in found
        ]
    )
