"""Every id is text and is made here, from the operating system's secure source."""

import re
import secrets

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Which of them a random byte stands for. The last bytes are left out, or the first characters would come oftener.
_CHARACTERS = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))
_UNEVEN = bytes(range(256 - 256 % len(_ALPHABET), 256))
#: The last is what a server puts in place of bytes that are no UTF-8.
_UNADDRESSABLE = re.compile(r"[/%?#\\\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


def new_id(prefix: str, length: int = 16) -> str:
    """`prefix_` and `length` characters of `[0-9a-z]` (16 hold 82 bits)."""
    characters = b""
    while len(characters) < length:
        characters += secrets.token_bytes(2 * length).translate(_CHARACTERS, _UNEVEN)
    return f"{prefix}_{characters[:length].decode()}"


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
