"""GET /v1/integrations: the Slack apps, without credentials."""

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
    id: str = Field(alias="_id")
    environment_id: str = Field(alias="_environmentId")
    organization_id: str = Field(alias="_organizationId")
    identifier: str = Field(examples=["slack-prod"])
    name: str = Field(examples=["Your product"])
    provider_id: Literal["slack"]
    channel: Literal["chat"]
    kind: Literal["delivery"]
    credentials: dict[str, Any] = Field(description="Always empty.")
    active: bool = Field(examples=[True])
    deleted: bool
    primary: bool
    conditions: list[Any] = Field(examples=[[]])


class Integrations(RootModel[list[Integration]]):
    """All integrations of the environment."""


@operations.get("/v1/integrations", Operation(READ, TAG, Integrations))
def list_integrations() -> Response:
    """List integrations"""
    return _all()


@operations.get("/v1/integrations/active", Operation(READ, TAG, Integrations))
def list_active_integrations() -> Response:
    """List the active integrations, which are all of them"""
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
