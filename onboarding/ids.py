"""Every id is text and is made here, from the operating system's secure source."""

import secrets

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_id(prefix: str, length: int = 16) -> str:
    """`prefix_` and `length` characters of `[0-9a-z]` (16 hold 82 bits)."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"


def connection_identifier() -> str:
    """`chconn_` and 12 characters (contract.md A2)."""
    return new_id("chconn", 12)


def new_secret() -> str:
    """256 unguessable bits as URL-safe text without padding: states, browser bindings, sign-in tokens."""
    return secrets.token_urlsafe(32)
