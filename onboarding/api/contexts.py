"""/v2/contexts."""

from typing import Any

from flask import Response
from pydantic import Field

from onboarding import documents
from onboarding.api import operations
from onboarding.api.authentication import caller
from onboarding.api.field_types import DATA_LIMITS, ContextPart, CreatedAt, Data, Plain, UpdatedAt, Wire
from onboarding.api.idempotency import Representation, once
from onboarding.api.lists import CursorPage, PageQuery, page
from onboarding.api.operations import READ, WRITE, Operation
from onboarding.api.request_parsing import read_body, read_query
from onboarding.before_commit import BeforeCommit
from onboarding.runtime import current
from onboarding.services.contexts import ContextContent

TAG = "Contexts"
_ONE = "/v2/contexts/<type>/<id>"


class CreateContext(Wire):
    type: ContextPart = Field(
        examples=["tenant"],
        description="The kind of context, such as `tenant`: 1 to 100 letters (a-z, A-Z), digits, `-` and `_`.",
    )
    id: ContextPart = Field(
        examples=["org-123"], description="The context's id: 1 to 100 letters (a-z, A-Z), digits, `-` and `_`."
    )
    data: Data | None = Field(None, description=f"Your own data about the context, {DATA_LIMITS}.")


class UpdateContext(Wire):
    data: Data = Field(description=f"The new data, {DATA_LIMITS}. It replaces the stored data as a whole.")


class Context(Wire):
    """A tenant, team or project of yours that connections can belong to."""

    type: str = Field(examples=["tenant"], description="The kind of context.")
    id: str = Field(examples=["org-123"], description="The context's id, unique among the contexts of its type.")
    data: dict[str, Any] = Field(description="Your own data about the context.")
    created_at: CreatedAt
    updated_at: UpdatedAt


class ContextQuery(PageQuery):
    id: Plain | None = Field(None, description="Only return the contexts with this id.")
    type: Plain | None = Field(None, description="Only return the contexts of this type.")
    search: Plain | None = Field(
        None,
        max_length=255,
        description="Only return the contexts whose `type:id` contains this text, in upper or lower case.",
    )


REPRESENTATION = Representation(documents.context)


@operations.post("/v2/contexts", Operation(WRITE, TAG, Context, body=CreateContext))
@once(REPRESENTATION)
def create_context(before_commit: BeforeCommit) -> documents.Context:
    """Create a context

    Returns 409 if the context exists. Connections create the contexts that they name, so you need this only to store
    data.
    """
    body = read_body(CreateContext)
    return current().contexts.create(caller(), ContextContent(body.type, body.id, body.data or {}), before_commit)


@operations.get("/v2/contexts", Operation(READ, TAG, CursorPage[Context], query=ContextQuery))
def list_contexts() -> Response:
    """List all contexts

    Returns a page of contexts, newest first.
    """
    query = read_query(ContextQuery)
    filters = {name: value for name in ("id", "type", "search") if (value := getattr(query, name)) is not None}
    found = current().contexts.list(caller().environment.id, query.page_request(), filters)
    return operations.json_response(page(found, documents.context))


@operations.get(_ONE, Operation(READ, TAG, Context))
def retrieve_context(type: str, id: str) -> Response:
    """Retrieve a context

    Returns the context with this type and id.
    """
    return operations.json_response(documents.context(current().contexts.retrieve(caller().environment.id, type, id)))


@operations.patch(_ONE, Operation(WRITE, TAG, Context, body=UpdateContext))
@once(REPRESENTATION, 200)
def update_context(before_commit: BeforeCommit, type: str, id: str) -> documents.Context:
    """Update a context

    Replaces the context's data as a whole.
    """
    body = read_body(UpdateContext)
    return current().contexts.change(caller(), ContextContent(type, id, body.data), before_commit)


@operations.delete(_ONE, Operation(WRITE, TAG, errors=(409,)))
def delete_context(type: str, id: str) -> Response:
    """Delete a context

    Returns 409 while a connection belongs to the context.
    """
    current().contexts.remove(caller(), type, id)
    return operations.no_content()
