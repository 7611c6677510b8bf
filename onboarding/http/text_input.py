"""Refuse control characters in an address, and text that PostgreSQL cannot store."""

import re
from collections.abc import Callable
from typing import Any

from flask import Flask, abort, current_app, request
from werkzeug.datastructures import MultiDict

from onboarding.http.api_requests import is_api_request, is_signed_request
from onboarding.http.route_access import View

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


#: Views that store no text of their query as it is.
_ANY_TEXT: set[Callable[..., Any]] = set()


def allow_any_text(view: View) -> View:
    """Mark a view that accepts any query, because a page at its address would keep a code in the address bar."""
    _ANY_TEXT.add(view)
    return view


def register(app: Flask) -> None:
    app.before_request(_check_text)


def _check_text() -> None:
    """Answer 404 to a control character in a page's path, and 400 to a NUL in its query or form.

    No page has such a path, and a redirect cannot repeat it in a header. PostgreSQL stores no NUL in text, SQLite does;
    no keyboard types one. The API checks its own input and names the field.
    """
    if is_api_request():
        return
    if _CONTROL.search(request.path):
        abort(404)
    # Reading a form here would use up the body that Slack has signed.
    if is_signed_request() or current_app.view_functions.get(request.endpoint or "") in _ANY_TEXT:
        return
    texts = (*_texts(request.args), *_texts(request.form))
    if any("\0" in text for text in texts):
        abort(400)


def _texts(fields: MultiDict[str, str]) -> list[str]:
    return [text for name, value in fields.items(multi=True) for text in (name, value)]
