"""Every id is text and is made here, from the operating system's secure source."""

import re
import secrets

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_UNADDRESSABLE = re.compile(r"[/%?#\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def new_id(prefix: str, length: int = 16) -> str:
    """`prefix_` and `length` characters of `[0-9a-z]` (16 hold 82 bits)."""
    number, characters = secrets.randbelow(len(_ALPHABET) ** length), []
    for _ in range(length):
        number, place = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[place])
    return f"{prefix}_{''.join(characters)}"


def connection_identifier() -> str:
    """`chconn_` and 12 characters (contract.md A2)."""
    return new_id("chconn", 12)


def new_secret() -> str:
    """256 unguessable bits as URL-safe text without padding: states, browser bindings, sign-in tokens."""
    return secrets.token_urlsafe(32)


def endpoint_identifier() -> str:
    """`chendp_` and 12 characters (contract.md C2.4)."""
    return new_id("chendp", 12)


def is_addressable(text: str) -> bool:
    """1 to 255 characters of any script that survive in an address (contract.md A2)."""
    return (
        1 <= len(text) <= 255 and text == text.strip() and text not in (".", "..") and not _UNADDRESSABLE.search(text)
    )
