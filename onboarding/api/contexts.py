"""/v2/contexts."""

from typing import Any

from flask import Response
from pydantic import Field

from onboarding import documents
from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import CursorPage, Data, PageQuery, Plain, Time, Wire, Word, page
from onboarding.api.idempotency import BeforeCommit, Representation, once
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.request_parsing import read_body, read_query
from onboarding.runtime import current
from onboarding.services.contexts import ContextContent

TAG = "Contexts"
_ONE = "/v2/contexts/<type>/<id>"


class CreateContext(Wire):
    type: Word = Field(examples=["tenant"])
    id: Word = Field(examples=["org-123"])
    data: Data | None = None


class UpdateContext(Wire):
    data: Data = Field(description="Replaces the stored data as a whole.")


class Context(Wire):
    type: str = Field(examples=["tenant"])
    id: str = Field(examples=["org-123"])
    data: dict[str, Any]
    created_at: Time
    updated_at: Time


class ContextQuery(PageQuery):
    id: Plain | None = None
    type: Plain | None = None
    search: Plain | None = Field(None, max_length=255, description="A part of `type:id`, without regard to case.")


REPRESENTATION = Representation(documents.context)


@operations.post("/v2/contexts", Operation(WRITE, TAG, Context, body=CreateContext))
@once(REPRESENTATION)
def create_context(before_commit: BeforeCommit) -> documents.Context:
    """Create a context"""
    body = read_body(CreateContext)
    return current().contexts.create(caller(), ContextContent(body.type, body.id, body.data or {}), before_commit)


@operations.get("/v2/contexts", Operation(READ, TAG, CursorPage[Context], query=ContextQuery))
def list_contexts() -> Response:
    """List contexts, by cursor"""
    query = read_query(ContextQuery)
    filters = {name: value for name in ("id", "type", "search") if (value := getattr(query, name)) is not None}
    found = current().contexts.list(caller().environment.id, query.page_request(), filters)
    return operations.json_response(page(found, documents.context))


@operations.get(_ONE, Operation(READ, TAG, Context))
def retrieve_context(type: str, id: str) -> Response:  # noqa: A002  # the variables of the path
    """Retrieve a context"""
    return operations.json_response(documents.context(current().contexts.retrieve(caller().environment.id, type, id)))


@operations.patch(_ONE, Operation(WRITE, TAG, Context, body=UpdateContext))
@once(REPRESENTATION, 200)
def update_context(before_commit: BeforeCommit, type: str, id: str) -> documents.Context:  # noqa: A002  # the variables of the path
    """Replace a context's data"""
    body = read_body(UpdateContext)
    return current().contexts.change(caller(), ContextContent(type, id, body.data), before_commit)


@operations.delete(_ONE, Operation(WRITE, TAG, errors=(409,)))
def delete_context(type: str, id: str) -> Response:  # noqa: A002  # the variables of the path
    """Delete a context to which no connection refers"""
    current().contexts.remove(caller(), type, id)
    return operations.no_content()
