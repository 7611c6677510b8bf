"""The models of error responses."""

from typing import Any

from pydantic import Field

from onboarding.api.field_types import Wire


class Problem(Wire):
    """The object of every error. `code` is stable."""

    status_code: int = Field(description="The HTTP status of the response.")
    timestamp: str = Field(description="When the error happened.")
    path: str = Field(description="The path of the request.")
    message: str = Field(description="A sentence for people. It may change.")
    error: str = Field(description="The name of the HTTP status.")
    code: str = Field(description="The kind of error, for programs. It does not change.")
    request_id: str = Field(description="The id of the request. The server's log lines contain it.")
    connection_identifier: str | None = Field(
        None, description="With the code `connection_exists`, the identifier of the existing connection."
    )
    error_id: str | None = Field(None, description="With the code `internal`, the id of the error in the server's log.")


class FieldProblem(Wire):
    messages: list[str] = Field(description="Why the value is invalid, as sentences.")
    value: Any = Field(
        None, description="The value that you sent, cut at 100 characters. Credentials are never repeated."
    )


class ValidationProblem(Problem):
    """All invalid values of a request, by field path."""

    errors: dict[str, FieldProblem] = Field(description="The invalid values, each by its path, such as `workspace.id`.")
