"""The filters and the cursors of the console's lists, in the address."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Search = TypeVar("Search", bound="DataclassInstance")
#: No name, id or email address is longer, so longer text finds nothing anyway.
_MAX_TEXT_LENGTH = 320


def drop_empty_filters() -> ResponseReturnValue | None:
    """Redirect to the address without the empty fields that a filter form sends, so that people can share it."""
    given = list(request.args.items(multi=True))
    kept = [(name, value) for name, value in given if value]
    if request.method != "GET" or kept == given:
        return None
    return redirect(f"{request.path}?{urlencode(kept)}" if kept else request.path)


def read_search(search_class: type[Search]) -> Search:
    """Return the filters that the query names: each field of the class is a text of the same name."""
    names = [one.name for one in fields(search_class)]
    return search_class(**{name: request.args.get(name, "").strip()[:_MAX_TEXT_LENGTH] for name in names})


def set_filters(search: "DataclassInstance") -> dict[str, Any]:
    """Return the filters that are set, for an address."""
    return {name: value for name, value in asdict(search).items() if value}


def page_url(
    endpoint: str, search: "DataclassInstance", after: str | None = None, before: str | None = None, **values: Any
) -> str | None:
    """Return the address of the page after or before a cursor, with the same filters; None without a cursor."""
    if after is None and before is None:
        return None
    return url_for(endpoint, after=after, before=before, **values, **set_filters(search))
