"""Who reaches a view: anybody, whoever shows an API key, or viewers, too. One that says nothing is for operators alone."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
_PUBLIC: set[Callable[..., Any]] = set()
_REQUIRING_API_KEY: set[Callable[..., Any]] = set()
_ALLOWING_VIEWERS: set[Callable[..., Any]] = set()


def public(view: View) -> View:
    """For a view that anybody may ask. It guards itself, by a link's signature or the attempt's cookie, or tells no secret."""
    _PUBLIC.add(view)
    return view


def requires_api_key(view: View) -> View:
    """For a view behind the API's door, which asks for a key."""
    _REQUIRING_API_KEY.add(view)
    return view


def allow_viewers(view: View) -> View:
    """For a view of the console that changes nothing and leads to no change."""
    _ALLOWING_VIEWERS.add(view)
    return view


def is_public(view: Callable[..., Any]) -> bool:
    return view in _PUBLIC


def is_for_api_keys(view: Callable[..., Any]) -> bool:
    return view in _REQUIRING_API_KEY


def allows_viewers(view: Callable[..., Any]) -> bool:
    return view in _ALLOWING_VIEWERS
