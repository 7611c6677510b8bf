"""Distinguish the requests of programs from those for pages, also where no view matches the address."""

from flask import request

_PREFIXES = ("/v1/", "/v2/")
_ROOTS = ("/v1", "/v2")
_SIGNED_PATHS = frozenset({"/slack/events"})


def is_api_request() -> bool:
    """Return whether the request is for the API: its answers, errors included, are JSON, and it has no session.

    The address decides, not the view, so that an unknown address below a prefix counts as well.
    """
    path = request.path
    return path.startswith(_PREFIXES) or path in _ROOTS


def is_signed_request() -> bool:
    """Return whether the request is for an address where Slack's signature over the unread body decides."""
    return request.path in _SIGNED_PATHS
