"""/v2/contexts (contract.md A3, C2.1)."""

from typing import Any

from flask import Response
from pydantic import Field

from onboarding.api import authentication, idempotency, operations, wire
from onboarding.api.field_types import Data, PageQuery, Plain, Time, Wire, Word, page
from onboarding.api.request_parsing import read_body, read_query
from onboarding.runtime import current
from onboarding.services import contexts as service

TAG = "Contexts"
_ONE = "/v2/contexts/<type>/<id>"


class CreateContext(Wire):
    type: Word = Field(examples=["tenant"])
    id: Word = Field(examples=["org-123"])
    data: Data | None = None


class UpdateContext(Wire):
    data: Data = Field(description="Replaces all that was there.")


class Context(Wire):
    type: str = Field(examples=["tenant"])
    id: str = Field(examples=["org-123"])
    data: dict[str, Any]
    created_at: Time
    updated_at: Time


class ContextPage(Wire):
    data: list[Context]
    next: str | None
    previous: str | None
    total_count: int
    total_count_capped: bool


class ContextQuery(PageQuery):
    id: Plain | None = None
    type: Plain | None = None
    search: Plain | None = Field(None, max_length=255, description="A part of `type:id`, without regard to case.")


@operations.post("/v2/contexts", "connections:write", TAG, Context, CreateContext)
def create_context() -> Response:
    """Create a context"""

    def act(then: idempotency.BeforeCommit) -> service.Context:
        body = read_body(CreateContext)
        return current().contexts.create(
            authentication.holder().environment_id, body.type, body.id, body.data or {}, then
        )

    return idempotency.respond_once(act, show)


@operations.get("/v2/contexts", "connections:read", TAG, ContextPage, ContextQuery)
def list_contexts() -> Response:
    """List contexts, by cursor"""
    asked = read_query(ContextQuery)
    environment = authentication.holder().environment_id
    wanted = {name: value for name in ("id", "type", "search") if (value := getattr(asked, name)) is not None}
    found = current().contexts.list(environment, asked.ask(), wanted)
    return operations.json_response(page([show(one) for one in found.rows], found))


@operations.get(_ONE, "connections:read", TAG, Context)
def retrieve_context(type: str, id: str) -> Response:  # noqa: A002  # the words of the address
    """Retrieve a context"""
    return operations.json_response(show(current().contexts.retrieve(authentication.holder().environment_id, type, id)))


@operations.patch(_ONE, "connections:write", TAG, Context, UpdateContext)
def update_context(type: str, id: str) -> Response:  # noqa: A002  # the words of the address
    """Replace a context's data"""

    def act(then: idempotency.BeforeCommit) -> service.Context:
        body = read_body(UpdateContext)
        return current().contexts.change(authentication.holder().environment_id, type, id, body.data, then)

    return idempotency.respond_once(act, show, 200)


@operations.delete(_ONE, "connections:write", TAG, more=(409,))
def delete_context(type: str, id: str) -> Response:  # noqa: A002  # the words of the address
    """Delete a context to which no connection refers"""
    current().contexts.remove(authentication.holder().environment_id, type, id)
    return operations.no_content()


def show(one: service.Context) -> dict[str, Any]:
    return {
        "type": one.type,
        "id": one.id,
        "data": one.data,
        "createdAt": wire.moment(one.created_at),
        "updatedAt": wire.moment(one.updated_at),
    }
