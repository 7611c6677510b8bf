"""Documented shape of an error, as any client may rely on it."""

from typing import Any

import httpx

MEMBERS = {"statusCode", "timestamp", "path", "message", "error", "code", "requestId"}


def is_documented(answer: httpx.Response) -> bool:
    """Return whether the response is a success, or an error below 500 in the documented shape."""
    if answer.is_success:
        return True
    if answer.status_code >= 500 or answer.headers["content-type"] != "application/json":
        return False
    body = answer.json()
    needed = MEMBERS - {"error", "code"} | {"errors"} if answer.status_code == 422 else MEMBERS
    return (
        needed <= set(body)
        and (body["statusCode"], body["path"]) == (answer.status_code, answer.request.url.path)
        and all(_is_sentence(one) for one in (body["message"], body["requestId"], body["timestamp"]))
        and all(_names_what_is_wrong(one) for one in body.get("errors", {}).values())
    )


def _names_what_is_wrong(one: Any) -> bool:
    return bool(
        set(one) <= {"messages", "value"} and one["messages"] and all(_is_sentence(text) for text in one["messages"])
    )


def _is_sentence(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip())
