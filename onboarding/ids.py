"""Create identifiers and secrets from the operating system's secure random source."""

import secrets

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Crockford's base 32: without i, l and o, which look like 1 and 0, and without u
#: (https://www.crockford.com/base32.html).
_READABLE_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str, length: int = 16) -> str:
    """Return `prefix_` and `length` random characters of `[0-9a-z]` (16 hold 82 bits)."""
    return f"{prefix}_{_random(_ALPHABET, length)}"


def attempt_id() -> str:
    """Return `att_` and 16 random characters (80 bits). People read the first eight out to support."""
    return f"att_{_random(_READABLE_ALPHABET, 16)}"


def attempt_reference(attempt_id: str) -> str:
    """Return the short text that a person reads out to support. It is not secret."""
    return attempt_id.partition("_")[2][:8].upper()


def connection_identifier() -> str:
    """Return `chconn_` and 12 random characters."""
    return new_id("chconn", 12)


def new_secret() -> str:
    """Return 256 random bits as URL-safe text without padding, for states, browser bindings and sign-in tokens."""
    return secrets.token_urlsafe(32)


def endpoint_identifier() -> str:
    """Return `chendp_` and 12 random characters."""
    return new_id("chendp", 12)


def _random(alphabet: str, length: int) -> str:
    # One number instead of a choice per character: each call of `secrets` reads from the operating system.
    number, characters = secrets.randbelow(len(alphabet) ** length), ""
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        characters += alphabet[digit]
    return characters
