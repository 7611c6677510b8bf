"""Declare which callers a view has besides operators: everyone, holders of an API key or session token, or viewers."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
_PUBLIC: set[Callable[..., Any]] = set()
_REQUIRING_API_KEY: set[Callable[..., Any]] = set()
_ALLOWING_SESSION_TOKENS: set[Callable[..., Any]] = set()
_ALLOWING_VIEWERS: set[Callable[..., Any]] = set()


def public(view: View) -> View:
    """Allow everyone. The view itself checks a link's signature or the attempt's cookie, or shows nothing secret."""
    _PUBLIC.add(view)
    return view


def requires_api_key(view: View) -> View:
    """Allow callers with an API key, which `api/authentication.py` checks."""
    _REQUIRING_API_KEY.add(view)
    return view


def allow_session_tokens(view: View) -> View:
    """Allow holders of a link's or connect session's token besides callers with an API key."""
    _ALLOWING_SESSION_TOKENS.add(view)
    return view


def allow_viewers(view: View) -> View:
    """Allow viewers besides operators. Only for views of the console that change nothing."""
    _ALLOWING_VIEWERS.add(view)
    return view


def is_public(view: Callable[..., Any]) -> bool:
    return view in _PUBLIC


def is_for_api_keys(view: Callable[..., Any]) -> bool:
    return view in _REQUIRING_API_KEY


def allows_session_tokens(view: Callable[..., Any]) -> bool:
    return view in _ALLOWING_SESSION_TOKENS


def allows_viewers(view: Callable[..., Any]) -> bool:
    return view in _ALLOWING_VIEWERS
