"""Text that can be sent in JSON."""


def printable(text: str) -> str:
    """Return `text` with lone surrogates, which UTF-8 cannot encode, as their escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
