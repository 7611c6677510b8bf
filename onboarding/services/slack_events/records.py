"""A request of Slack's, before its signature was checked."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SignedRequest:
    """A request as it was received."""

    body: bytes = field(repr=False)
    #: Slack's headers; empty if they are missing.
    timestamp: str
    signature: str = field(repr=False)
