"""The redirect from a page of Slack back to the app."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def with_answer(redirect_uri: str, answer: Mapping[str, str | None]) -> str:
    """Add the parameters that have a value to the query of the app's redirect URL."""
    parts = urlsplit(redirect_uri)
    added = [(name, value) for name, value in answer.items() if value is not None]
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added])))
