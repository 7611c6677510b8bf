"""The target of a channel endpoint, its member `endpoint`: one format for each type."""

from typing import Annotated, Any

from pydantic import Field, ValidationError, WithJsonSchema

from onboarding.api.field_types import Plain, Reference, Text, Wire
from onboarding.api.ignored_members import note_ignored
from onboarding.api.problems import ValidationFailed


class SlackChannel(Wire):
    channel_id: Reference = Field(description="The id of the channel at Slack.")


class SlackUser(Wire):
    user_id: Reference = Field(description="The id of the user at Slack.")


class Webhook(Wire):
    url: Plain = Field(
        min_length=1, max_length=2048, pattern=r"^https?://[^/?#\s]+", description="The webhook's address."
    )
    channel: Text | None = Field(None, description="The channel that the webhook posts to.")


_FORMATS: dict[str, type[Wire]] = {"slack_channel": SlackChannel, "slack_user": SlackUser, "webhook": Webhook}
Target = Annotated[
    dict[str, Any],
    WithJsonSchema({"type": "object", "anyOf": [one.model_json_schema() for one in _FORMATS.values()]}),
]
FORMATS_IN_WORDS = "`{channelId}` for a `slack_channel`, `{userId}` for a `slack_user`, `{url}` and optionally `channel` for a `webhook`"
EXAMPLE = {"channelId": "C0123456789"}


def formatted(kind: str, endpoint: dict[str, Any]) -> dict[str, Any]:
    """Return the endpoint in the format of its type. Raises ValueError if it has another format."""
    try:
        return _FORMATS[kind].model_validate(endpoint).model_dump(by_alias=True, exclude_none=True)
    except ValidationError:
        raise ValueError(f'Endpoint must match the required format for type "{kind}"') from None


def check_format(kind: str, endpoint: dict[str, Any]) -> dict[str, Any]:
    """Return the known members of `endpoint`. Raises ValidationFailed if it does not have the format of its type."""
    note_ignored(endpoint, _FORMATS[kind], "endpoint.")
    try:
        return formatted(kind, endpoint)
    except ValueError as problem:
        raise ValidationFailed({"endpoint": {"messages": [str(problem)]}}) from None
