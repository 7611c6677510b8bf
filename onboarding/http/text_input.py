"""Refuse text that PostgreSQL cannot store."""

from flask import Flask, abort, request
from werkzeug.datastructures import MultiDict

from onboarding.http.api_requests import is_api_request


def register(app: Flask) -> None:
    app.before_request(_refuse_nul)


def _refuse_nul() -> None:
    """Answer 400 to a NUL in a page's path, query or form: PostgreSQL stores none in text, SQLite does.

    No keyboard types one. The API checks its own input and names the field.
    """
    if is_api_request():
        return
    texts = (request.path, *_texts(request.args), *_texts(request.form))
    if any("\0" in text for text in texts):
        abort(400)


def _texts(fields: MultiDict[str, str]) -> list[str]:
    return [text for name, value in fields.items(multi=True) for text in (name, value)]
